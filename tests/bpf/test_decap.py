# SPDX-License-Identifier: BSD-2-Clause
"""The backend's side of a tunnel (bpf/decap.bpf.c): stripped where all fits together, untouched where not; nothing is ever dropped."""
from harness import PASS, PORT
from scapy.all import IP, IPOption_NOP, IPv6, Raw, raw
from test_extensions import AH, FRAGMENT, HOPS, OPTIONS, extension
from world import BACKEND4, BACKEND6, BROADCAST_MAC, NODE4, NODE6, echo, framed, l3, make, tcp, udp

HERE = {4: BACKEND4.format(7), 6: BACKEND6.format(7)}
NODE = {4: NODE4, 6: NODE6}
OTHER = {4: BACKEND4.format(8), 6: BACKEND6.format(8)}
TAGS = {0: (), 1: (100,), 2: ((0x88a8, 200), 100)}
HEADER = {4: 20, 6: 40}


def tunnel(outer, inner, dst=None, **more):
    """Header and packet, as bytes."""
    proto = more.pop("proto", 41 if inner[0] >> 4 == 6 else 4)
    more = {"src": NODE[outer], "dst": dst or HERE[outer], **more}
    return raw((IP(proto=proto, **more) if outer == 4 else IPv6(nh=proto, **more)) / Raw(inner))


def stripped(bench, name, frame, want):
    bench.check(name, frame, PASS, want, "stripped", program="decap")


def untouched(bench, name, frame, reason):
    bench.untouched(f"{name}: {reason}", frame, reason, program="decap")


def mixes(bench):
    for outer in (4, 6):
        for family in (4, 6):
            words = f"{family} in {outer}"
            for name, payload in (("tcp", tcp()), ("udp", udp()), ("a ping", echo(family)), ("much", tcp(data=b"x" * 1400)),
                                  ("no transport header", Raw(b""))):
                inner = raw(l3(family) / payload)
                for count, tags in TAGS.items():
                    for padding in (b"", b"\xee" * 24):
                        stripped(bench, f"{words}: {name}, {count} tags, {len(padding)} bytes of padding",
                                 framed(tunnel(outer, inner), tags, padding), framed(inner, tags, padding))
            inner = raw(l3(family) / tcp())
            stripped(bench, f"{words}: from anybody", framed(tunnel(outer, inner, src=OTHER[outer])), framed(inner))
            stripped(bench, f"{words}: to any MAC", framed(tunnel(outer, inner), dst=BROADCAST_MAC), framed(inner, dst=BROADCAST_MAC))
            untouched(bench, f"{words}: for another address", framed(tunnel(outer, inner, dst=OTHER[outer])), "other")
            untouched(bench, f"{words}: by another protocol", framed(tunnel(outer, inner, proto=47)), "other")
            untouched(bench, f"{words}: with the other family's number", framed(tunnel(outer, inner, proto=4 if family == 6 else 41)),
                      "malformed")
            twice = tunnel(outer, inner)
            stripped(bench, f"{words}: of two tunnels one goes", framed(tunnel(outer, twice)), framed(twice))
    for family in (4, 6):
        untouched(bench, f"ip{family}: no tunnel", framed(raw(l3(family, dst=HERE[family]) / tcp())), "other")
        untouched(bench, f"ip{family}: a ping to this machine", framed(raw(l3(family, dst=HERE[family]) / echo(family))), "other")
    inner = raw(l3(4) / tcp())
    untouched(bench, "three tags", framed(tunnel(4, inner), tags=(1, 2, 3)), "other")
    arp = framed(tunnel(4, inner))
    untouched(bench, "another ethertype", arp[:12] + b"\x08\x06" + arp[14:], "other")
    mapped = tunnel(6, inner, dst="::ffff:" + HERE[4])
    untouched(bench, "an IPv6 packet to the mapped address", framed(mapped), "other")


def headers(bench):
    inner = raw(l3(6) / udp())
    for words in (1, 5, 10):
        frame = framed(tunnel(4, inner, options=[IPOption_NOP()] * (4 * words)))
        stripped(bench, f"{4 * words} bytes of options around", frame, framed(inner))
        at = 14 + 20 + 4 * words - 1
        untouched(bench, f"{4 * words} bytes of options around, one changed", frame[:at] + b"\x03" + frame[at + 1:], "malformed")
    for name, kinds in (("destination options", [OPTIONS]), ("four", [HOPS, OPTIONS, AH, FRAGMENT])):
        data = b"".join(extension(kind, after) for kind, after in zip(kinds, kinds[1:] + [41]))
        head = raw(IPv6(src=NODE6, dst=HERE[6], nh=kinds[0], plen=len(data) + len(inner)))
        stripped(bench, f"extension headers around, {name}", framed(head + data + inner), framed(inner))
    for place, more in ((0, 1), (1, 1), (185, 0)):
        for outer in (4, 6):
            if outer == 4:
                data = tunnel(4, inner, frag=place, flags=more)
            else:
                piece = extension(FRAGMENT, 41, place=place, more=more)
                data = raw(IPv6(src=NODE6, dst=HERE[6], nh=FRAGMENT, plen=len(piece) + len(inner))) + piece + inner
            untouched(bench, f"outer ip{outer} fragment at {8 * place}, more {more}", framed(data), "fragment")
    within = raw(l3(4, frag=3) / tcp())
    stripped(bench, "a fragment within", framed(tunnel(4, within)), framed(within))
    for version in (0, 5, 6, 15):
        frame = framed(tunnel(4, inner))
        untouched(bench, f"outer version {version}", framed(tunnel(4, inner, version=version))[:12] + b"\x08\x00" +
                  tunnel(4, inner, version=version), "malformed")
    for version in (0, 4, 5, 15):
        untouched(bench, f"outer ip6 version {version}", frame[:12] + b"\x86\xdd" + tunnel(6, inner, version=version), "malformed")
    for ihl in range(5):
        untouched(bench, f"outer header of {ihl} words", framed(tunnel(4, inner, ihl=ihl)), "malformed")
    for bit in (0, 7, 8, 15):
        at = 14 + 10 + bit // 8
        untouched(bench, f"bit {bit} of the outer checksum", frame[:at] + bytes([frame[at] ^ 1 << bit % 8]) + frame[at + 1:], "malformed")


def lengths(bench):
    for outer in (4, 6):
        field, head = ("len", 20) if outer == 4 else ("plen", 0)
        for family in (4, 6):
            words = f"{family} in {outer}"
            inner_field, inner_head = ("len", 20) if family == 4 else ("plen", 0)
            inner = raw(l3(family) / tcp())
            size = len(inner)
            for wrong, value in (("one byte longer than the frame", head + size + 1), ("65535", 65535), ("the header alone", head),
                                 ("one byte shorter than the inner packet", head + size - 1), ("within the inner header", head + 19)):
                untouched(bench, f"{words}, outer length {wrong}", framed(tunnel(outer, inner, **{field: value})), "malformed")
            longer = framed(tunnel(outer, inner, **{field: head + size + 5}), padding=b"\xee" * 9)
            stripped(bench, f"{words}, outer length longer than the inner packet", longer, framed(inner, padding=b"\xee" * 9))
            for wrong, value in (("one byte longer than there is room", inner_head + 34 + 1), ("65535", 65535)):
                lie = raw(l3(family, **{inner_field: value}) / tcp())
                untouched(bench, f"{words}, inner length {wrong}", framed(tunnel(outer, lie)), "malformed")
                untouched(bench, f"{words}, inner length {wrong}, padded", framed(tunnel(outer, lie), padding=b"\xee" * 60), "malformed")
            short = raw(l3(family, **{inner_field: inner_head + 4}) / tcp())
            stripped(bench, f"{words}, inner length shorter than there is", framed(tunnel(outer, short)), framed(short))
            if family == 4:
                for value in (0, 19):
                    lie = raw(l3(4, len=value) / tcp())
                    untouched(bench, f"{words}, inner length {value}", framed(tunnel(outer, lie)), "malformed")
            for version in (0, 5, 10 - family):
                lie = raw(l3(family, version=version) / tcp())
                frame = framed(tunnel(outer, lie, proto=4 if family == 4 else 41))
                untouched(bench, f"{words}, inner version {version}", frame, "malformed")
            start = 14 + HEADER[outer]
            whole = framed(tunnel(outer, inner))
            for cut in (0, 1, 19, 20, len(inner) - 1):
                untouched(bench, f"{words}, frame ends behind {cut} bytes of the inner packet", whole[:start + cut], "malformed")
            untouched(bench, f"{words}, frame ends within the outer header", whole[:start - 1], "other")


def congestion(bench):
    """RFC 6040: a mark on the outer header goes onto the inner one, whose checksum follows; where it cannot be so, hands off."""
    for outer in (4, 6):
        for family in (4, 6):
            for outer_ecn in range(4):
                for inner_ecn in range(4):
                    def inner(ecn):
                        packet = l3(family, tos=0x28 | ecn, id=77) if family == 4 else l3(family, tc=0x28 | ecn, fl=0xabcde)
                        return raw(packet / tcp())

                    around = {"tos" if outer == 4 else "tc": 0xb8 | outer_ecn}
                    frame = framed(tunnel(outer, inner(inner_ecn), **around))
                    name = f"{family} in {outer}, ECN {inner_ecn} in {outer_ecn}"
                    if outer_ecn == 3 and inner_ecn == 0:
                        untouched(bench, name, frame, "malformed")
                    else:
                        stripped(bench, name, frame, framed(inner(3 if outer_ecn == 3 else inner_ecn)))


def checksum_edges(bench):
    """The mark changes the inner checksum by arithmetic: headers with every checksum around 0, where its sum wraps, and others."""
    frames, wants, seen = [], [], set()
    free = int.from_bytes(raw(l3(4, tos=1, id=0) / udp())[10:12], "big")
    for number in [*range(-50, 50), *range(100, 65000, 331)]:
        before, after = (raw(l3(4, tos=tos, id=(free - number) % 65535) / udp()) for tos in (1, 3))
        frames.append((PORT, framed(tunnel(4, before, tos=3))))
        wants.append(framed(after))
        seen.add(int.from_bytes(before[10:12], "big"))
    got = bench.runner.run_all(frames, "decap")
    wrong = [number for number, (action, out) in enumerate(got) if action != PASS or out != wants[number]]
    bench.ok(not wrong and seen >= {0, 1, 2, 3, 65534, 65533}, "the checksum after the mark is scapy's", f"{wrong[:20]} {sorted(seen)}")


def counted(bench):
    inner = raw(l3(4) / tcp())
    bench.runner.reset()
    for packet, times in ((tunnel(4, inner), 5), (tunnel(4, inner, flags="MF"), 3), (tunnel(4, inner, chksum=1), 2), (inner, 4)):
        bench.runner.run_all([(PORT, framed(packet))] * times, "decap")
    want = {("decap", "stripped"): [5], ("decap", "fragment"): [3], ("decap", "malformed"): [2], ("decap", "other"): [4]}
    bench.ok(bench.runner.counters() == want, "all four counters", str(bench.runner.counters()))


def main():
    bench = make(f"decap {HERE[4]}", f"decap {HERE[6]}")
    mixes(bench)
    headers(bench)
    lengths(bench)
    congestion(bench)
    checksum_edges(bench)
    counted(bench)
    bench.end()


if __name__ == "__main__":
    main()
