# SPDX-License-Identifier: BSD-2-Clause
"""What a peer node has forwarded already goes up, or nowhere, but never on: told by the peer's MAC, or by its address around a tunnel packet."""
from harness import PASS, TX
from scapy.all import ICMP, IP, IPOption_NOP, IPv6, Raw, raw
from test_extensions import FRAGMENT, HOPS, OPTIONS, extension
from test_icmp import error, quote
from world import (CLIENT4, NODE4, NODE6, PEER4, PEER6, PEER_MAC, VIP4, VIP6, VRRP_MAC, backend, echo, expected, framed, l3, link, make,
                   on, service, slots, tcp, udp)

HERE, ELSEWHERE, HERE_TUNNEL = 1, 2, 3 # services: this node is a backend of HERE and of HERE_TUNNEL
PORTS = {HERE: 80, ELSEWHERE: 81, HERE_TUNNEL: 82}
BACK = 7
PEER, NODE = {4: PEER4, 6: PEER6}, {4: NODE4, 6: NODE6}
STRANGER = {4: "10.0.0.77", 6: "2001:db8:2::77"}
TAGS = {0: (), 1: (100,), 2: ((0x88a8, 200), 100)}


def by_mac(bench):
    for family in (4, 6):
        for name, payload in (("tcp", tcp), ("udp", udp)):
            for count, tags in TAGS.items():
                def frame(port, **more):
                    ip = l3(family, **more)
                    return raw(on(link(src=PEER_MAC, tags=tags), ip / payload(dport=port)))

                words = f"by MAC: ip{family} {name}, {count} tags"
                bench.untouched(f"{words}, a backend here", frame(80), "peer-local")
                bench.untouched(f"{words}, a backend here, ipip", frame(82), "peer-local")
                bench.dropped(f"{words}, none here", frame(81), "peer-loop")
                bench.untouched(f"{words}, no service", frame(9999))
                own = frame(81, src=PEER[family])
                bench.check(f"{words}, the peer's own packet", own, TX, expected(own, 0, BACK), "forwarded")
                own = frame(80, src=PEER[family])
                bench.check(f"{words}, the peer's own packet, a backend here", own, TX, expected(own, 0, BACK), "forwarded")
        frame = on(link(dst=VRRP_MAC, src=PEER_MAC), l3(family) / tcp(dport=81))
        bench.dropped(f"by MAC: ip{family}, sent to a VRRP MAC", frame, "peer-loop")
        report = bytearray(error(family, quote(family, 81)))
        report[6:12] = bytes.fromhex(PEER_MAC.replace(":", ""))
        bench.dropped(f"by MAC: ip{family}, an ICMP error", bytes(report), "peer-loop")
        report = bytearray(error(family, quote(family, 81, dst=PEER[family])))
        report[6:12] = bytes.fromhex(PEER_MAC.replace(":", ""))
        bench.dropped(f"by MAC: ip{family}, an ICMP error about a flow of the peer's, from a router", bytes(report), "peer-loop")
        bench.dropped(f"by MAC: ip{family}, looked at after what is wrong with it",
                      on(link(src=PEER_MAC), l3(family) / tcp(dport=80, flags="SF")), "bad-flags")
        frame = on(link(src="02:00:00:00:01:ab"), l3(family) / tcp(dport=81))
        bench.check(f"by MAC: ip{family}, a MAC beside the peer's", frame, TX, expected(frame, 0, BACK), "forwarded")
        frame = on(link(), l3(family, src=PEER[family]) / tcp(dport=81))
        bench.check(f"by MAC: ip{family}, the peer's address by a router", frame, TX, expected(frame, 0, BACK), "forwarded")
    frame = on(link(src="00:00:00:00:00:00"), l3(4) / tcp(dport=81))
    bench.check("by MAC: a peer whose MAC is not known is not one of MAC 0", frame, TX, expected(frame, 0, BACK), "forwarded")
    bench.tell(slots(HERE, 0))
    bench.untouched("by MAC: a backend here, whatever the slots say", on(link(src=PEER_MAC), l3(4) / tcp(dport=80)), "peer-local")
    bench.tell(slots(HERE, BACK))


def tunnel(outer, inner, src=None, dst=None, **more):
    """Header and packet, as bytes."""
    proto = more.pop("proto", 4 if inner[0] >> 4 == 4 else 41)
    more = {"src": src or PEER[outer], "dst": dst or NODE[outer], **more}
    return raw((IP(proto=proto, **more) if outer == 4 else IPv6(nh=proto, **more)) / Raw(inner))


def by_tunnel(bench):
    for outer in (4, 6):
        for family in (4, 6):
            words = f"by tunnel: ip{family} in ip{outer}"
            for name, payload in (("tcp", tcp), ("udp", udp)):
                inner = {port: raw(l3(family) / payload(dport=port)) for port in (80, 81, 82, 9999)}
                for count, tags in TAGS.items():
                    for padding in (b"", b"\xee" * 30):
                        def frame(port, **more):
                            return framed(tunnel(outer, inner[port], **more), tags, padding)

                        more = f"{words} {name}, {count} tags, {len(padding)} bytes of padding"
                        for port in (80, 82):
                            stripped = framed(inner[port], tags, padding)
                            bench.check(f"{more}: stripped, service on port {port}", frame(port), PASS, stripped, "peer-local")
                        bench.dropped(f"{more}: no backend here", frame(81), "peer-loop")
                        bench.untouched(f"{more}: no service", frame(9999))
                        bench.untouched(f"{more}: from a stranger", frame(80, src=STRANGER[outer]))
                        bench.untouched(f"{more}: to another address", frame(80, dst=STRANGER[outer]))
            frame = framed(tunnel(outer, raw(l3(family) / tcp())), src=PEER_MAC)
            bench.check(f"{words}: from the peer's MAC", frame, PASS, framed(raw(l3(family) / tcp()), src=PEER_MAC), "peer-local")
            report = error(family, quote(family, 80))[14:]
            bench.check(f"{words}: an ICMP error", framed(tunnel(outer, report)), PASS, framed(report), "peer-local")
            bench.untouched(f"{words}: an echo request", framed(tunnel(outer, raw(l3(family) / echo(family)))))
            wrong = raw(l3(family, dst=STRANGER[family]) / tcp())
            bench.untouched(f"{words}: to an address that is none of ours", framed(tunnel(outer, wrong)))
            other = tunnel(outer, raw(l3(family) / tcp()), proto=41 if family == 4 else 4)
            bench.untouched(f"{words}: with the other protocol's number", framed(other))
            whole = framed(tunnel(outer, raw(l3(family) / tcp())))
            start = 14 + (20 if outer == 4 else 40)
            for size in (0, 1, (20 if family == 4 else 40) - 1, (20 if family == 4 else 40) + 3):
                bench.untouched(f"{words}: cut behind {size} bytes", whole[:start + size])


def odd_tunnels(bench):
    inner = raw(l3(4) / tcp())
    for words in (1, 10):
        frame = framed(tunnel(4, inner, options=[IPOption_NOP()] * (4 * words)))
        bench.check(f"by tunnel: {4 * words} bytes of options around", frame, PASS, framed(inner), "peer-local")
        with_options = raw(l3(4, options=[IPOption_NOP()] * (4 * words)) / tcp())
        frame = framed(tunnel(6, with_options))
        bench.check(f"by tunnel: {4 * words} bytes of options within", frame, PASS, framed(with_options), "peer-local")
    data = extension(HOPS, OPTIONS) + extension(OPTIONS, 4, size=24)
    around = raw(IPv6(src=PEER6, dst=NODE6, nh=HOPS, plen=len(data) + len(inner))) + data + inner
    bench.check("by tunnel: extension headers around", framed(around), PASS, framed(inner), "peer-local")
    for place, more in ((0, 1), (1, 1), (3, 0)):
        bench.untouched(f"by tunnel: outer fragment at {8 * place}, ip4", framed(tunnel(4, inner, frag=place, flags=more)))
        data = extension(FRAGMENT, 4, place=place, more=more)
        around = raw(IPv6(src=PEER6, dst=NODE6, nh=FRAGMENT, plen=len(data) + len(inner))) + data + inner
        bench.untouched(f"by tunnel: outer fragment at {8 * place}, ip6", framed(around))
        within = raw(l3(4, frag=place, flags=more) / tcp())
        bench.untouched(f"by tunnel: inner fragment at {8 * place}", framed(tunnel(4, within)))
    bench.untouched("by tunnel: not for this machine's MAC", framed(tunnel(4, inner), dst="02:00:00:00:77:77"))
    bench.untouched("by tunnel: two tunnels", framed(tunnel(4, tunnel(4, inner))))
    bench.untouched("a peer's ping to this node", on(link(src=PEER_MAC), l3(4, PEER4, NODE4) / echo(4)))
    bench.untouched("a peer's own connection to this node", on(link(src=PEER_MAC), l3(4, PEER4, NODE4) / tcp(dport=80)))
    bench.untouched("another tunnel's packet from a peer", framed(raw(l3(4, PEER4, NODE4, proto=47) / Raw(inner))))
    bench.untouched("a tunnel packet to a VIP", framed(tunnel(4, inner, dst=VIP4)))
    bench.untouched("an error about a tunnel to a peer", framed(raw(l3(4, CLIENT4, NODE4) / ICMP(type=3) / Raw(tunnel(4, inner)))))
    bench.tell(f"self {NODE4} 6:80-80:{ELSEWHERE}")
    bench.check("an own address that is a VIP too: tunnels are still told", framed(tunnel(4, inner)), PASS, framed(inner), "peer-local")
    frame = on(link(), l3(4, dst=NODE4) / tcp())
    bench.check("an own address that is a VIP too: and its service works", frame, TX, expected(frame, 0, BACK), "forwarded")
    bench.tell(f"self {NODE4}")


def full(bench):
    """All sixteen places for peers, and how many of them are looked at."""
    for index in range(16):
        bench.tell(f"peer {index} 10.0.1.{index} 02:00:00:00:02:{index:02x}")
    bench.tell("peers 16")
    frame = on(link(src="02:00:00:00:02:03"), l3(4, src="10.0.1.4") / tcp(dport=81))
    bench.dropped("one peer's MAC, another's address: sent on for that one", frame, "peer-loop")
    for count in (16, 5, 1, 0):
        bench.tell(f"peers {count}")
        wrong = ""
        for index in range(16):
            frame = raw(on(link(src=f"02:00:00:00:02:{index:02x}"), l3(4) / tcp(dport=80)))
            around = framed(tunnel(4, raw(l3(4) / tcp()), src=f"10.0.1.{index}"))
            known = index < count
            if bench.runner.run(frame) != ((PASS, frame) if known else (TX, expected(frame, 0, BACK))):
                wrong += f"peer {index} by MAC\n"
            if bench.runner.run(around) != (PASS, framed(raw(l3(4) / tcp())) if known else around):
                wrong += f"peer {index} by tunnel\n"
            frame = raw(on(link(src=f"02:00:00:00:02:{index:02x}"), l3(4, src=f"10.0.1.{index}") / tcp(dport=80)))
            if bench.runner.run(frame) != (TX, expected(frame, 0, BACK)):
                wrong += f"peer {index}, its own packet\n"
        bench.ok(not wrong, f"{count} peers of 16 are looked at", wrong)


def main():
    words = " ".join(f"{proto}:{port}-{port}:{index}" for proto in (6, 17) for index, port in PORTS.items())
    bench = make(f"vip {VIP4} {words}", f"vip {VIP6} {words}", f"self {NODE4}", f"self {NODE6}",
                 service(HERE, "dsr", "flow", "local"), service(ELSEWHERE), service(HERE_TUNNEL, "ipip", "flow", "local"),
                 *[slots(index, BACK) for index in PORTS], backend(BACK),
                 f"peer 0 {PEER4} {PEER_MAC}", f"peer 1 {PEER6} {PEER_MAC}", "peer 2 10.0.0.9 00:00:00:00:00:00", "peers 3")
    by_mac(bench)
    by_tunnel(bench)
    odd_tunnels(bench)
    full(bench)
    bench.end()


if __name__ == "__main__":
    main()
