# SPDX-License-Identifier: BSD-2-Clause
"""IPv6 extension headers are walked, up to six; fragments of either family: which are dropped, which are passed up, and what is none."""
from itertools import permutations

from harness import TX
from scapy.all import raw
from world import VIP4, VIP6, backend, client_flow, expected, l3, link, make, on, service, slots, tcp, udp

DSR, TUNNEL, TUNNEL6 = 1, 2, 3
PORTS = {DSR: 80, TUNNEL: 81, TUNNEL6: 82}
BACK, BACK6 = 7, 8
ALL4, ALL6 = "192.0.2.20", "2001:db8:1::20"     # have all ports of TCP, and of UDP all but port 0
ALMOST4, ALMOST6 = "192.0.2.21", "2001:db8:1::21" # all but the last one of TCP, and all of UDP in two stretches
HOPS, ROUTING, FRAGMENT, ESP, AH, NOTHING, OPTIONS, MOBILITY = 0, 43, 44, 50, 51, 59, 60, 135


def extension(kind, following, size=8, segments=0, place=0, more=0):
    """One extension header of `size` bytes, by RFC 8200 (and RFC 4302)."""
    if kind == FRAGMENT:
        return bytes([following, 0]) + (place << 3 | more).to_bytes(2, "big") + b"\xab\xcd\xef\x01"
    if kind == ROUTING:
        return bytes([following, size // 8 - 1, 4, segments]) + b"\0" * (size - 4)
    if kind == AH:
        size = max(size, 16)
        return bytes([following, size // 4 - 2, 0, 0]) + b"\x5a" * (size - 4)
    return bytes([following, size // 8 - 1, 1, size - 4 if size < 256 else 0]) + b"\0" * (size - 4)


def chain(kinds, segment, proto=6, tags=(), dst=None, **more):
    """A frame with these extension headers, `more` is for each of them, or by its place (a dictionary in a list)."""
    following = list(kinds[1:]) + [proto]
    each = more.pop("each", [{}] * len(kinds))
    data = b"".join(extension(kind, after, **{**more, **own}) for kind, after, own in zip(kinds, following, each))
    ip = l3(6, dst=dst, nh=kinds[0] if kinds else proto, plen=len(data) + len(raw(segment)))
    return raw(on(link(tags=tags), ip)) + data + raw(segment)


def forwarded(bench, name, build, proto=6):
    """build(port) goes by dsr and in both tunnels, whole."""
    for index, outer, back in ((DSR, 0, BACK), (TUNNEL, 4, BACK), (TUNNEL6, 6, BACK6)):
        frame = build(PORTS[index])
        label = client_flow(6, 40000, PORTS[index], proto) & 0xfffff
        bench.check(f"{name}: {f'ipip in {outer}' if outer else 'dsr'}", frame, TX, expected(frame, outer, back, label=label), "forwarded")


def kinds(bench):
    walked = {"hop-by-hop": HOPS, "routing with no segments left": ROUTING, "atomic fragment": FRAGMENT, "authentication": AH,
              "destination options": OPTIONS}
    for name, kind in walked.items():
        forwarded(bench, f"{name}, tcp", lambda port: chain([kind], tcp(dport=port)))
        forwarded(bench, f"{name}, udp", lambda port: chain([kind], udp(dport=port), 17), 17)
        bench.untouched(f"{name}, no service", chain([kind], tcp(dport=9999)))
        bench.dropped(f"{name}, tcp flags are still looked at", chain([kind], tcp(flags="SF")), "bad-flags")
        short = chain([kind], tcp(dport=80))
        bench.dropped(f"{name}, length ends within it", short[:18] + (7).to_bytes(2, "big") + short[20:], "bad-length")
        start = 14 + 40 + len(extension(kind, 6))
        bench.untouched(f"{name}, frame ends within the ports", short[:start + 3])
        bench.untouched(f"{name}, frame ends within it", short[:61])
        frame = chain([kind], tcp(), tags=(5, 6))
        bench.check(f"{name}, with two tags", frame, TX, expected(frame, 0, BACK), "forwarded")
    for size in (12, 16, 24, 28, 44):
        forwarded(bench, f"authentication of {size} bytes", lambda port: chain([AH], tcp(dport=port), size=size))
    for size in (16, 24, 256, 1024, 2048):
        forwarded(bench, f"options of {size} bytes", lambda port: chain([OPTIONS], tcp(dport=port), size=size))
    for size in (24, 40, 136):
        forwarded(bench, f"routing of {size} bytes", lambda port: chain([ROUTING], tcp(dport=port), size=size))
    bench.untouched("routing with segments left goes on elsewhere", chain([ROUTING], tcp(), segments=1, size=24))
    bench.untouched("the same behind another", chain([HOPS, ROUTING], tcp(), segments=1, size=24))
    for name, kind in (("encrypted", ESP), ("no next header", NOTHING), ("mobility", MOBILITY), ("a kind of the future", 253)):
        bench.untouched(f"{name} is no service", chain([kind], tcp()))
        bench.untouched(f"{name} behind another", chain([OPTIONS, kind], tcp()))


def bound(bench):
    for count in range(1, 7):
        forwarded(bench, f"{count} headers", lambda port: chain(([HOPS, ROUTING, FRAGMENT, AH, OPTIONS, OPTIONS])[:count], tcp(dport=port)))
        forwarded(bench, f"{count} times destination options", lambda port: chain([OPTIONS] * count, tcp(dport=port), size=40))
    for count in (7, 8, 20):
        bench.untouched(f"{count} headers are too many", chain([OPTIONS] * count, tcp()))
    bench.untouched("seven of different kinds", chain([HOPS, OPTIONS, ROUTING, FRAGMENT, AH, OPTIONS, OPTIONS], tcp()))
    wrong = ""
    for order in permutations((HOPS, ROUTING, FRAGMENT, AH, OPTIONS)):
        frame = chain(order, tcp(), size=16)
        if bench.runner.run(frame) != (TX, expected(frame, 0, BACK)):
            wrong += f"{order}\n"
    bench.ok(not wrong, "five kinds in all 120 orders", wrong)


def fragments4(bench):
    def fragment(payload, place, more, flags=0, dst=VIP4):
        return raw(on(link(), l3(4, dst=dst, frag=place, flags=more | flags) / payload))

    for name, payload, port in (("tcp", tcp, 80), ("udp", udp, 53)):
        bench.dropped(f"ip4 {name}: first fragment", fragment(payload(dport=port), 0, 1), "fragment")
        bench.untouched(f"ip4 {name}: first fragment, no service", fragment(payload(dport=9999), 0, 1))
        for place, more in ((1, 0), (1, 1), (185, 1), (8191, 0)):
            late = payload(dport=port)
            bench.untouched(f"ip4 {name}: fragment at {8 * place}, more {more}", fragment(late, place, more))
            # of the VIP whose services have all ports of TCP, and of UDP but one
            if name == "tcp":
                bench.dropped(f"ip4 {name}: fragment at {8 * place}, more {more}, all ports served", fragment(late, place, more, dst=ALL4),
                              "fragment")
            else:
                bench.untouched(f"ip4 {name}: fragment at {8 * place}, more {more}, ports 1-65535", fragment(late, place, more, dst=ALL4))
    bench.dropped("ip4: first fragment with DF", fragment(tcp(), 0, 1, 2), "fragment")
    bench.untouched("ip4: first fragment that ends within the ports", fragment(tcp(), 0, 1)[:37])
    bench.untouched("ip4: later fragment of three bytes", fragment(b"abc", 3, 0))
    bench.dropped("ip4: later fragment of three bytes, all ports served",
                  raw(on(link(), l3(4, dst=ALL4, proto=6, frag=3, len=23))) + b"abc", "fragment")
    bench.untouched("ip4: later fragment of another protocol", raw(on(link(), l3(4, dst=ALL4, proto=132, frag=3) / b"abc")))
    for name, payload in (("tcp, ports 0-65534", tcp), ("udp, all ports in two stretches", udp)):
        bench.untouched(f"ip4: later fragment, {name}", fragment(payload(), 3, 0, dst=ALMOST4))
    for flags in ("", "DF", "evil", "DF+evil"):
        frame = on(link(), l3(4, flags=flags) / tcp())
        bench.check(f"ip4: flags '{flags}' make no fragment", frame, TX, expected(frame, 0, BACK), "forwarded")


def fragments6(bench):
    for name, payload, proto, port in (("tcp", tcp, 6, 80), ("udp", udp, 17, 53)):
        bench.dropped(f"ip6 {name}: first fragment", chain([FRAGMENT], payload(dport=port), proto, more=1), "fragment")
        bench.untouched(f"ip6 {name}: first fragment, no service", chain([FRAGMENT], payload(dport=9999), proto, more=1))
        for before, behind in (([HOPS], []), ([], [OPTIONS]), ([HOPS, ROUTING], [AH, OPTIONS])):
            frame = chain(before + [FRAGMENT] + behind, payload(dport=port), proto, more=1)
            bench.dropped(f"ip6 {name}: first fragment among {before} {behind}", frame, "fragment")
        frame = chain([FRAGMENT, FRAGMENT], payload(dport=port), proto, each=[{"more": 1}, {}])
        bench.dropped(f"ip6 {name}: an atomic header behind a fragment's does not hide it", frame, "fragment")
        for place, more in ((1, 0), (1, 1), (185, 1), (8191, 0)):
            for before in ([], [HOPS], [HOPS, OPTIONS, ROUTING, AH, OPTIONS]):
                words = f"ip6 {name}: fragment at {8 * place}, more {more}, behind {len(before)} headers"
                frame = chain(before + [FRAGMENT], payload(dport=port), proto, place=place, more=more)
                bench.untouched(words, frame)
                frame = chain(before + [FRAGMENT], payload(dport=port), proto, dst=ALL6, place=place, more=more)
                if name == "tcp":
                    bench.dropped(f"{words}, all ports served", frame, "fragment")
                else:
                    bench.untouched(f"{words}, ports 1-65535", frame)
    bench.untouched("ip6: later fragment that begins with an extension header", chain([FRAGMENT], b"12345678", OPTIONS, dst=ALL6, place=3))
    bench.dropped("ip6: later fragment of three bytes, all ports served", chain([FRAGMENT], b"abc", 6, dst=ALL6, place=3), "fragment")
    for name, payload, proto in (("tcp, ports 0-65534", tcp, 6), ("udp, all ports in two stretches", udp, 17)):
        bench.untouched(f"ip6: later fragment, {name}", chain([FRAGMENT], payload(), proto, dst=ALMOST6, place=3))
    bench.untouched("ip6: first fragment that ends within the ports", chain([FRAGMENT], b"\x9c\x40\0", 6, more=1))
    # bits that are reserved say nothing
    frame = bytearray(chain([FRAGMENT], tcp()))
    frame[57] |= 6
    bench.check("ip6: reserved bits make no fragment", bytes(frame), TX, expected(bytes(frame), 0, BACK), "forwarded")


def main():
    words = " ".join([f"6:{port}-{port}:{index}" for index, port in PORTS.items()] + [f"17:53-53:{DSR}"])
    both = " ".join(f"{proto}:{port}-{port}:{index}" for proto in (6, 17) for index, port in PORTS.items())
    bench = make(f"vip {VIP4} {words}", f"vip {VIP6} {both}", service(DSR), service(TUNNEL, "ipip"), service(TUNNEL6, "ipip"),
                 slots(DSR, BACK), slots(TUNNEL, BACK), slots(TUNNEL6, BACK6), backend(BACK, mtu=9000), backend(BACK6, mtu=9000, outer=6),
                 f"vip {ALL4} 6:0-65535:{DSR} 17:1-65535:{DSR}", f"vip {ALL6} 6:0-65535:{DSR} 17:1-65535:{DSR}",
                 *[f"vip {address} 6:0-65534:{DSR} 17:0-0:{DSR} 17:1-65535:{DSR}" for address in (ALMOST4, ALMOST6)])
    kinds(bench)
    bound(bench)
    bench.tell(f"vip {VIP6} {words}")
    fragments4(bench)
    fragments6(bench)
    bench.end()


if __name__ == "__main__":
    main()
