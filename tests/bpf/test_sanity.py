# SPDX-License-Identifier: BSD-2-Clause
"""What no honest sender makes is dropped with its reason if it is for a service, passed up untouched if not; what is rare but right goes on."""
from harness import DROP, PASS, TX, sent_dsr
from scapy.all import IPOption_NOP, raw
from scapy.utils import checksum
from world import (CLIENT4, PORT_MAC, VIP4, VIP6, backend, backend_mac, expected, l3, link, make, on, service, slots, tcp, udp)

DSR, TUNNEL = 1, 2
NO_SERVICE = 9999
BACK = 7


def forwarded(bench, name, frame):
    bench.check(name, frame, TX, sent_dsr(frame, backend_mac(BACK), PORT_MAC), "forwarded")


def bad(bench, name, build, reason, served=80):
    """build(port) is the frame."""
    bench.dropped(f"{name}: {reason}", build(served), reason)
    bench.untouched(f"{name}, but no service there", build(NO_SERVICE))


def frame(family, payload, tags=(), padding=b"", **fields):
    """As bytes; the IP header knows nothing of the padding."""
    return raw(on(link(tags=tags), l3(family, **fields) / payload)) + padding


def lengths(bench):
    for family, field, headers in ((4, "len", 20), (6, "plen", 0)):
        for proto, segment, payload in (("tcp", 34, lambda port: tcp(dport=port)), ("udp", 22, lambda port: udp(dport=port))):
            header = 20 if proto == "tcp" else 8
            wrong = {"one byte longer than the frame": headers + segment + 1, "65535": 65535,
                     "0": 0, "the IP header alone": headers, f"within the {proto} header": headers + header - 1}
            if family == 4:
                wrong["within the IP header"] = 19
            for name, value in wrong.items():
                bad(bench, f"ip{family} {proto}, length {name}",
                    lambda port: frame(family, payload(port), **{field: value}), "bad-length", 80 if proto == "tcp" else 53)
            bad(bench, f"ip{family} {proto}, length one byte longer than a frame with two tags",
                lambda port: frame(family, payload(port), tags=(5, 6), **{field: headers + segment + 1}), "bad-length",
                80 if proto == "tcp" else 53)
        forwarded(bench, f"ip{family}, length that of the frame", frame(family, tcp(), **{field: headers + 34}))
        forwarded(bench, f"ip{family}, length of the TCP header alone, padded", frame(family, tcp(data=b""), padding=b"\0" * 9))
        cut = raw(frame(family, tcp(), **{field: headers + 4}))
        start = 14 + (20 if family == 4 else 40)
        bench.dropped(f"ip{family}, cut behind the ports", cut[:start + 4], "bad-length")
        bench.dropped(f"ip{family}, cut within the TCP header", cut[:start + 19], "bad-length")
        bench.untouched(f"ip{family}, cut within the ports", cut[:start + 3])
        bench.untouched(f"ip{family}, cut within the IP header", cut[:start - 1])
        bench.untouched(f"ip{family}, nothing behind the link layer", cut[:14])


def headers(bench):
    for version in (0, 3, 5, 6, 15):
        bad(bench, f"ip4, version {version}", lambda port: frame(4, tcp(dport=port), version=version), "bad-header")
    for version in (0, 4, 5, 7, 15):
        bad(bench, f"ip6, version {version}", lambda port: frame(6, tcp(dport=port), version=version), "bad-header")
    for ihl in range(5):
        bad(bench, f"ip4, header of {ihl} words", lambda port: frame(4, tcp(dport=port), ihl=ihl), "bad-header")
    bad(bench, "ip4, header that ends behind the packet", beyond_packet, "bad-length")
    bad(bench, "ip4, time to live 0", lambda port: frame(4, tcp(dport=port), ttl=0), "ttl")
    bad(bench, "ip6, hop limit 0", lambda port: frame(6, tcp(dport=port), hlim=0), "ttl")
    forwarded(bench, "ip4, time to live 1", frame(4, tcp(), ttl=1))
    forwarded(bench, "ip6, hop limit 1", frame(6, tcp(), hlim=1))


def beyond_packet(port):
    """An IPv4 packet of 44 bytes whose header says that it has 60; the checksum fits, and ports do follow in the padding."""
    head = bytearray(raw(l3(4, ihl=15, len=44, proto=6, chksum=0)) + b"\1" * 40)
    head[10:12] = checksum(bytes(head)).to_bytes(2, "big")
    return raw(link())[:12] + b"\x08\x00" + bytes(head) + raw(tcp(dport=port))


def checksums(bench):
    good = raw(frame(4, tcp()))
    at = 14 + 10
    for bit in range(16):
        number = int.from_bytes(good[at:at + 2], "big") ^ 1 << bit
        bad(bench, f"ip4, bit {bit} of the checksum",
            lambda port: good[:at] + number.to_bytes(2, "big") + good[at + 2:36] + port.to_bytes(2, "big") + good[38:], "bad-checksum")
    bad(bench, "ip4, no checksum", lambda port: frame(4, tcp(dport=port), chksum=0), "bad-checksum")
    number = int.from_bytes(raw(l3(4, id=0, len=54, proto=6))[10:12], "big")
    right = frame(4, tcp(), id=number) # with what was missing from 0xffff as its id
    bench.ok(right[at:at + 2] == b"\0\0", "a packet whose checksum comes out as 0")
    forwarded(bench, "ip4, checksum 0 where that is right", right)
    for words in (1, 5, 10):
        options = [IPOption_NOP()] * (4 * words)
        right = raw(frame(4, tcp(), options=options))
        for place in (34, 33 + 4 * words):
            changed = right[:place] + b"\x03" + right[place + 1:]
            bench.dropped(f"ip4, {4 * words} bytes of options, byte {place} changed", changed, "bad-checksum")
        wrong = right[:24] + bytes([right[24] ^ 1]) + right[25:]
        bench.dropped(f"ip4, {4 * words} bytes of options, wrong checksum", wrong, "bad-checksum")


def sources(bench):
    for source in ("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.9", "224.0.0.1", "239.255.255.255", "255.255.255.255", VIP4):
        bad(bench, f"source {source}", lambda port: frame(4, tcp(dport=port), src=source), "bad-source")
    for source in ("::", "::1", "::ffff:198.51.100.7", "::ffff:0.0.0.0", "ff02::1", "ff0e::7", "ffff::", VIP6):
        bad(bench, f"source {source}", lambda port: frame(6, tcp(dport=port), src=source), "bad-source")
    for source in ("1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.254", "255.255.255.254", "192.0.2.11"):
        forwarded(bench, f"source {source} is good", frame(4, tcp(), src=source))
    for source in ("::2", "::1:0:1", "0:0:0:1::1", "1::1", "fe80::1", "feff::1", "64:ff9b::c633:6407", "2001:db8:1::11",
                   "::fffe:c633:6407"):
        forwarded(bench, f"source {source} is good", frame(6, tcp(), src=source))
    bench.dropped("LAND by udp", frame(4, udp(sport=53), src=VIP4), "bad-source")


def tcp_headers(bench):
    for family in (4, 6):
        for words in range(5):
            bad(bench, f"ip{family}, tcp header of {words} words", lambda port: frame(family, tcp(dport=port, dataofs=words)), "bad-header")
        for words, data in ((6, 3), (9, 15), (15, 39), (5, 0)):
            # `data` bytes are one too few, but for the plain header
            if words > 5:
                bad(bench, f"ip{family}, tcp header of {words} words, {data} bytes behind the first five",
                    lambda port: frame(family, tcp(dport=port, dataofs=words, data=b"\1" * data), padding=b"\0" * 9), "bad-length")
                data += 1
            forwarded(bench, f"ip{family}, tcp header of {words} words, all there", frame(family, tcp(dataofs=words, data=b"\1" * data)))
        flags(bench, family)


def flags(bench, family):
    """All 256 sets of flags, at the service and beside it."""
    names = "FSRPAUEC"
    at = 14 + (20 if family == 4 else 40) + 13
    wrong, want = "", {"bad-flags": 0, "forwarded": 0, "not-service": 256}
    bench.runner.reset()
    for port in (80, NO_SERVICE):
        packet = frame(family, tcp(dport=port))
        for number in range(256):
            has = {name for bit, name in enumerate(names) if number >> bit & 1}
            nonsense = has >= {"S", "F"} or has >= {"S", "R"} or not has & {"S", "A", "R"}
            if port == 80:
                want["bad-flags" if nonsense else "forwarded"] += 1
            action = bench.runner.run(packet[:at] + bytes([number]) + packet[at + 1:])[0]
            if action != (PASS if port == NO_SERVICE else DROP if nonsense else TX):
                wrong += f"{''.join(sorted(has))} to port {port}: action {action}\n"
    counted = {word: numbers[0] for (kind, word), numbers in bench.runner.counters().items() if kind == "reason"}
    bench.ok(not wrong and counted == want, f"ip{family}, all 256 sets of tcp flags", f"{wrong}{counted}, wanted {want}")
    for good in ("S", "SA", "A", "FA", "PA", "FPA", "R", "RA", "SEC", "SAE", "UA"):
        forwarded(bench, f"ip{family}, tcp flags {good}", frame(family, tcp(flags=good)))
    for nonsense in ("", "SF", "SR", "SFA", "SRA", "F", "FPU", "P", "U", "E"):
        bad(bench, f"ip{family}, tcp flags '{nonsense}'", lambda port: frame(family, tcp(dport=port, flags=nonsense)), "bad-flags")


def udp_headers(bench):
    for family in (4, 6):
        def build(port, length, padding=b""):
            payload = udp(dport=port)
            payload.len = length
            return frame(family, payload, padding=padding)

        for length in (0, 7, 23, 65535):
            bad(bench, f"ip{family}, udp length {length} of 22", lambda port: build(port, length), "bad-length", 53)
        bad(bench, f"ip{family}, udp length into the padding", lambda port: build(port, 23, b"\0" * 20), "bad-length", 53)
        for length in (8, 21, 22):
            forwarded(bench, f"ip{family}, udp length {length} of 22", build(53, length))


def options(bench):
    """IPv4 options of all lengths, and with each the place of the ports; a tunnel carries them inside."""
    for words in range(1, 11):
        some = [IPOption_NOP()] * (4 * words)
        for name, payload, port in (("tcp", tcp, 80), ("udp", udp, 53)):
            forwarded(bench, f"ip4 options, {4 * words} bytes, {name}", frame(4, payload(dport=port), options=some))
            bench.untouched(f"ip4 options, {4 * words} bytes, {name}, no service", frame(4, payload(dport=NO_SERVICE), options=some))
        packet = frame(4, tcp(dport=81), options=some)
        bench.check(f"ip4 options, {4 * words} bytes, ipip", packet, TX, expected(packet, 4, BACK), "forwarded")
    tricky = tcp(dport=80, sport=53)
    ports = raw(tcp(dport=NO_SERVICE))[:4]
    head = l3(4, ihl=6, len=58, proto=6)
    data = bytearray(raw(head) + ports)
    data[10:12] = b"\0\0"
    data[10:12] = checksum(bytes(data)).to_bytes(2, "big")
    forwarded(bench, "ip4 options that look like ports", raw(link())[:12] + b"\x08\x00" + bytes(data) + raw(tricky))
    forwarded(bench, f"ip4 from {CLIENT4} with reserved bit and DF", frame(4, tcp(), flags="DF+evil"))


def main():
    ports = f"6:80-80:{DSR} 6:81-81:{TUNNEL} 17:53-53:{DSR}"
    bench = make(f"vip {VIP4} {ports}", f"vip {VIP6} {ports}", service(DSR), service(TUNNEL, "ipip"), slots(DSR, BACK),
                 slots(TUNNEL, BACK), backend(BACK))
    lengths(bench)
    headers(bench)
    checksums(bench)
    sources(bench)
    tcp_headers(bench)
    udp_headers(bench)
    options(bench)
    bench.end()


if __name__ == "__main__":
    main()
