# SPDX-License-Identifier: BSD-2-Clause
"""ICMP errors about a service's flow reach that flow's backend, whatever else they quote; all other ICMP is passed up untouched."""
from harness import PASS, TX, flow_hash
from scapy.all import ICMP, ICMPv6Unknown, IP, IPOption_NOP, IPv6, Raw, TCP, UDP, raw
from test_extensions import FRAGMENT, HOPS, OPTIONS, extension
from world import (CLIENT4, CLIENT6, VIP4, VIP6, client_flow, echo, expected, l3, link, make, on, service, spread, spread_backend, tcp, udp)

# service: port, family of the outer header (0: dsr), affinity, first of its 50 backends
SERVICES = {1: (80, 0, "flow", 1), 2: (81, 4, "flow", 51), 3: (82, 6, "flow", 101), 4: (83, 0, "client", 151)}
COUNT = 50
ROUTER = {4: "203.0.113.1", 6: "2001:db8:f::1"}
ANOTHER = {4: "192.0.2.20", 6: "2001:db8:1::20"} # with the same services
VIP, CLIENT = {4: VIP4, 6: VIP6}, {4: CLIENT4, 6: CLIENT6}
ERRORS = {4: [(3, code) for code in range(16)] + [(11, 0), (11, 1), (12, 0), (12, 1), (12, 2)],
          6: [(1, code) for code in range(9)] + [(2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (4, 2), (4, 3)]}


def quoted_ip(family, **more):
    src, dst = more.pop("src", VIP[family]), more.pop("dst", CLIENT[family])
    return IP(src=src, dst=dst, **more) if family == 4 else IPv6(src=src, dst=dst, **more)


def quoted_l4(sport, dport, proto=6, size=8):
    segment = TCP(sport=sport, dport=dport, seq=0x01020304) if proto == 6 else UDP(sport=sport, dport=dport)
    return raw(segment / Raw(b"q" * 1400))[:size]


def quote(family, sport, dport=40000, proto=6, size=8, **more):
    """What an error quotes: the VIP's packet to the client, cut `size` bytes into the transport header; its length is that of the whole."""
    field, header = ("len", 20) if family == 4 else ("plen", 0)
    return raw(quoted_ip(family, **{"proto" if family == 4 else "nh": proto, field: header + 1420, **more})) + \
        quoted_l4(sport, dport, proto, size)


def error(family, quoted, kind=None, code=None, tags=(), src=None):
    """The frame of an error from a router; checksum by scapy."""
    kind, code = (kind, code) if kind is not None else ERRORS[family][4 if family == 4 else 9]
    ip = l3(family, src=src or ROUTER[family], dst=VIP[family])
    if family == 4:
        message = ip / ICMP(type=kind, code=code) / Raw(quoted)
    else:
        message = ip / ICMPv6Unknown(type=kind, code=code, msgbody=b"\0\0\x05\0" + quoted)
    return raw(on(link(tags=tags), message))


def reaches(bench, name, frame, family, index, sport=40000, proto=6, client=None):
    """The frame goes to the backend of the flow client:sport -> service."""
    port, outer, affinity, first = SERVICES[index]
    h = client_flow(family, sport, port, proto, client)
    if affinity == "client":
        h = flow_hash(client or CLIENT[family], None, 0, 0, 0)
    want = expected(frame, outer, spread_backend(h, first, COUNT), label=h & 0xfffff)
    return bench.check(name, frame, TX, want, "forwarded")


def kinds(bench):
    for family in (4, 6):
        for kind, code in ERRORS[family]:
            reaches(bench, f"ip{family} type {kind} code {code}", error(family, quote(family, 80), kind, code), family, 1)
        others = set(range(256)) - {kind for kind, _ in ERRORS[family]}
        wrong = [kind for kind in others for frame in [error(family, quote(family, 80), kind, 0)]
                 if bench.runner.run(frame) != (PASS, frame)]
        bench.ok(not wrong, f"ip{family}: all {len(others)} other types are passed up", str(wrong))
        bench.untouched(f"ip{family}: echo request", on(link(), l3(family) / echo(family)))
    bench.untouched("ICMP in an IPv6 packet", raw(on(link(), l3(6, src=ROUTER[6], nh=1) / Raw(raw(ICMP(type=3, code=4)) + quote(6, 80)))))
    bench.untouched("ICMPv6 in an IPv4 packet", raw(on(link(), l3(4, src=ROUTER[4], proto=58) / Raw(b"\1\0\0\0\0\0\0\0" + quote(4, 80)))))


def flows(bench):
    """Many flows, each to its own backend, for each service."""
    for family in (4, 6):
        for index, (port, outer, affinity, first) in SERVICES.items():
            wrong, used = "", set()
            for number in range(60):
                client = f"198.51.100.{number + 1}" if family == 4 else f"2001:db8:c:{number:x}::7"
                sport, proto = 1024 + 97 * number, (6, 17)[number % 2]
                h = flow_hash(client, None, 0, 0, 0) if affinity == "client" else client_flow(family, sport, port, proto, client)
                back = spread_backend(h, first, COUNT)
                used.add(back)
                frame = error(family, quote(family, port, sport, proto, dst=client))
                if bench.runner.run(frame) != (TX, expected(frame, outer, back, label=h & 0xfffff)):
                    wrong += f"{client}:{sport}\n"
                # and the flow itself goes there too: that is what this is all about
                frame = raw(on(link(), l3(family, src=client) / (tcp, udp)[number % 2](sport, port)))
                if bench.runner.run(frame) != (TX, expected(frame, outer, back, label=h & 0xfffff)):
                    wrong += f"{client}:{sport}, the flow itself\n"
            mode = f"ipip in {outer}" if outer else "dsr"
            bench.ok(not wrong and len(used) > 20, f"ip{family} {mode}, affinity {affinity}: 60 errors go the way of their flows",
                     f"{wrong}{len(used)} backends")


def sizes(bench):
    for family in (4, 6):
        for index in SERVICES:
            port = SERVICES[index][0]
            for size in (4, 8, 20, 500, 1100):
                for proto in (6, 17):
                    frame = error(family, quote(family, port, proto=proto, size=size))
                    reaches(bench, f"ip{family} service {index} protocol {proto}, {size} bytes quoted", frame, family, index, proto=proto)
            for size in range(4):
                frame = error(family, quote(family, port, size=size))
                bench.untouched(f"ip{family} service {index}: {size} bytes quoted are too few", frame)
            for tags in ((100,), ((0x88a8, 200), 100)):
                frame = error(family, quote(family, port), tags=tags)
                reaches(bench, f"ip{family} service {index}, {len(tags)} tags", frame, family, index)
        whole = quote(family, 80, size=0)
        for cut in (0, 1, 19, 20 if family == 6 else 12, len(whole) - 1):
            bench.untouched(f"ip{family}: {cut} bytes quoted of the IP header", error(family, whole[:cut]))
        bench.untouched(f"ip{family}: nothing behind the type", error(family, b"")[:14 + (20 if family == 4 else 40) + 1])


def headers(bench):
    """What may stand between."""
    for words in (1, 3, 10):
        some = [IPOption_NOP()] * (4 * words)
        for index in (1, 2, 3):
            frame = error(4, quote(4, SERVICES[index][0], options=some))
            reaches(bench, f"ip4 service {index}: {4 * words} bytes of options quoted", frame, 4, index)
        bench.untouched(f"ip4: {4 * words} bytes of options quoted, ports cut", error(4, quote(4, 80, size=3, options=some)))
        outer = l3(4, src=ROUTER[4], options=some) / ICMP(type=3, code=4) / Raw(quote(4, 80))
        reaches(bench, f"ip4: {4 * words} bytes of options of its own", raw(on(link(), outer)), 4, 1)
    for name, kinds6 in (("hop-by-hop", [HOPS]), ("atomic fragment", [FRAGMENT]),
                         ("six", [HOPS, OPTIONS, OPTIONS, FRAGMENT, OPTIONS, OPTIONS])):
        data = b"".join(extension(kind, after) for kind, after in zip(kinds6, kinds6[1:] + [6]))
        for index in (1, 2, 3):
            quoted = quote(6, SERVICES[index][0], size=0, nh=kinds6[0]) + data
            frame = error(6, quoted + quoted_l4(SERVICES[index][0], 40000))
            reaches(bench, f"ip6 service {index}: quoted extension headers, {name}", frame, 6, index)
        bench.untouched(f"ip6: quoted extension headers, {name}, ports cut", error(6, quoted + b"\0\x50\0"))
        bench.untouched(f"ip6: quoted extension headers, {name}, cut within", error(6, quoted[:-1]))
        frame = raw(on(link(), l3(6, src=ROUTER[6], nh=kinds6[0], plen=len(data) + 8 + 48)))
        frame += b"".join(extension(kind, after) for kind, after in zip(kinds6, kinds6[1:] + [58]))
        frame += b"\2\0\0\0\0\0\5\0" + quote(6, 80)
        reaches(bench, f"ip6: extension headers of its own, {name}", frame, 6, 1)


def not_ours(bench, listeners):
    for family in (4, 6):
        for name, other in (("is no VIP", {4: "192.0.2.99", 6: "2001:db8:1::99"}), ("is another VIP", ANOTHER)):
            bench.untouched(f"ip{family}: quoted source {name}, {listeners}", error(family, quote(family, 80, src=other[family])))
        turned = quote(family, 80, src=CLIENT[family], dst=VIP[family])
        bench.untouched(f"ip{family}: quoted packet goes to the VIP, not from it", error(family, turned))
        bench.untouched(f"ip{family}: quoted port is no listener's", error(family, quote(family, 79)))
        bench.untouched(f"ip{family}: quoted destination port is, source port is not", error(family, quote(family, 40000, 80)))
        field = "proto" if family == 4 else "nh"
        bench.untouched(f"ip{family}: quoted protocol is neither", error(family, quote(family, 80, **{field: 132})))
        bench.untouched(f"ip{family}: quoted echo reply", error(family, quote(family, 80, **{field: 1 if family == 4 else 58})))
        for version in (0, 5, 10 - family):
            bench.untouched(f"ip{family}: quoted version {version}", error(family, quote(family, 80, version=version)))
    for ihl in range(5):
        bench.untouched(f"ip4: quoted header of {ihl} words", error(4, quote(4, 80, ihl=ihl)))
    for place, more in ((1, 0), (1, 1), (185, 1)):
        bench.untouched(f"ip4: quoted fragment at {8 * place}", error(4, quote(4, 80, frag=place, flags=more)))
        quoted = quote(6, 80, size=0, nh=FRAGMENT) + extension(FRAGMENT, 6, place=place, more=more)
        bench.untouched(f"ip6: quoted fragment at {8 * place}", error(6, quoted + quoted_l4(80, 40000)))
    reaches(bench, "ip4: quoted first fragment", error(4, quote(4, 80, flags="MF")), 4, 1)
    reaches(bench, "ip4: quoted with DF", error(4, quote(4, 80, flags="DF")), 4, 1)
    quoted = quote(6, 80, size=0, nh=FRAGMENT) + extension(FRAGMENT, 6, more=1)
    reaches(bench, "ip6: quoted first fragment", error(6, quoted + quoted_l4(80, 40000)), 6, 1)


def ends_at(family, length):
    """An error whose header says that it has this length; what is behind is padding."""
    header = l3(4, src=ROUTER[4], proto=1, len=length) if family == 4 else l3(6, src=ROUTER[6], nh=58, plen=length)
    return raw(on(link(), header)) + error(family, quote(family, 80))[14 + (20 if family == 4 else 40):]


def judged(bench):
    """An error is a packet for a service like any other: what is wrong with it, or comes in pieces, is dropped."""
    good = error(4, quote(4, 80))
    bench.dropped("ip4: wrong header checksum", good[:24] + b"\0\0" + good[26:], "bad-checksum")
    bench.dropped("ip4: source is the VIP", error(4, quote(4, 80), src=VIP4), "bad-source")
    bench.dropped("ip6: source is the VIP", error(6, quote(6, 80), src=VIP6), "bad-source")
    bench.dropped("ip6: source is loopback", error(6, quote(6, 80), src="::1"), "bad-source")
    bench.dropped("ip4: time to live 0", raw(on(link(), l3(4, src=ROUTER[4], ttl=0) / ICMP(type=3, code=4) / Raw(quote(4, 80)))), "ttl")
    longer = raw(on(link(), l3(4, src=ROUTER[4], len=57) / ICMP(type=3) / Raw(quote(4, 80))))
    bench.dropped("ip4: longer than the frame", longer, "bad-length")
    for family in (4, 6):  # 20 + 8 + 20 + 4 bytes in all, or 8 + 40 + 4 behind the header
        bench.dropped(f"ip{family}: the quoted ports lie in the padding", ends_at(family, 51), "bad-length")
        reaches(bench, f"ip{family}: what is behind the quoted ports lies in the padding", ends_at(family, 52), family, 1)
    pieces = {name: raw(on(link(), l3(4, src=ROUTER[4], frag=place, flags=more) / ICMP(type=3, code=4) / Raw(quote(4, 80))))
              for name, place, more in (("first", 0, 1), ("later", 3, 0))}
    bench.dropped("ip4: first fragment of an error", pieces["first"], "fragment")
    bench.untouched("ip4: later fragment of an error", pieces["later"])
    other = error(4, quote(4, 79))
    bench.untouched("ip4: wrong header checksum, but no service quoted", other[:24] + b"\0\0" + other[26:])


def main():
    words = " ".join(f"{proto}:{port[0]}-{port[0]}:{index}" for proto in (6, 17) for index, port in SERVICES.items())
    few = " ".join(f"6:{port[0]}-{port[0]}:{index}" for index, port in SERVICES.items())
    bench = make(*[f"vip {address} {words}" for address in (VIP4, VIP6, ANOTHER[4], ANOTHER[6])])
    for index, (_, outer, affinity, first) in SERVICES.items():
        bench.tell(service(index, "ipip" if outer else "dsr", affinity))
        bench.tell("\n".join(spread(index, first, COUNT, outer=outer or 4)))
    kinds(bench)
    flows(bench)
    sizes(bench)
    headers(bench)
    not_ours(bench, "a table of listeners")
    bench.tell("\n".join(f"vip {address} {few}" for address in (VIP4, VIP6, ANOTHER[4], ANOTHER[6])))
    not_ours(bench, "a list of listeners")
    judged(bench)
    bench.end()


if __name__ == "__main__":
    main()
