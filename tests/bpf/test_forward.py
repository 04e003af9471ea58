# SPDX-License-Identifier: BSD-2-Clause
"""Forwarding: every mode, family, transport and affinity, VLAN tags kept, replaced and stripped, padding, ways out and ways that are not."""
from harness import OTHER_PORT, REDIRECT, TX, UNKNOWN_PORT, flow_hash, sent_dsr
from scapy.all import Raw, raw
from world import (BROADCAST_MAC, OTHER_MAC, PORT_MAC, SLOTS, SLOT_BITS, VIP4, VIP6, VRRP6_MAC, VRRP_MAC, backend, backend_mac,
                   client_flow, expected, l3, link, make, on, service, slots, tcp, udp)

DSR, IPIP, IPIP6, CLIENT_DSR, NONE_DSR = 1, 2, 3, 4, 5
PORTS = {DSR: 80, IPIP: 81, IPIP6: 82, CLIENT_DSR: 83, NONE_DSR: 53}
TAG = {0: (), 1: (100,), 2: ((0x88a8, 200), 100)}


def vip(*services):
    """The commands by which both VIPs serve these, by TCP and UDP."""
    ports = sorted((PORTS[index], index) for index in services)
    words = " ".join(f"{proto}:{port}-{port}:{index}" for proto in (6, 17) for port, index in ports)
    return f"vip {VIP4} {words}\nvip {VIP6} {words}"


def modes(bench):
    """dsr and all four mixes of inner and outer family, TCP and UDP, 0 to 2 tags, with a traffic class."""
    for index, outer in ((DSR, 0), (IPIP, 4), (IPIP6, 6)):
        bench.tell(backend(7, outer=outer or 4))
        bench.tell(slots(index, 7))
        for family in (4, 6):
            for name, proto, payload in (("tcp", 6, tcp(dport=PORTS[index])), ("udp", 17, udp(dport=PORTS[index]))):
                for tags in (0, 1, 2):
                    ip = l3(family, tos=0x2a) if family == 4 else l3(family, tc=0x2a, fl=0x12345)
                    frame = on(link(tags=TAG[tags]), ip / payload)
                    want = expected(frame, outer, 7, label=0xfffff & client_flow(family, 40000, PORTS[index], proto))
                    mode = "dsr" if outer == 0 else f"ipip {family} in {outer}"
                    bench.check(f"{mode}, ip{family} {name}, {tags} tags kept", frame, TX, want, "forwarded")


def table_cases(bench, index, affinity):
    """127 backends, 32 slots each: the flow's slot, by our own hash, says which one."""
    for slot in range(0, SLOTS, 32):
        bench.tell(f"slots {index * SLOTS + slot} 32 {1 + slot // 32 % 127}")
    for back in range(1, 128):
        bench.tell(backend(back))
    for family in (4, 6):
        wrong, used = "", set()
        for number in range(100):
            sport = 1024 + 17 * number
            client = f"198.51.100.{number}" if family == 4 else f"2001:db8:c:{number:x}::7"
            payload = udp(sport, PORTS[index]) if affinity == "none" else tcp(sport, PORTS[index])
            frame = on(link(), l3(family, src=client) / payload)
            if affinity == "client":
                h = flow_hash(client, None, 0, 0, 0)
            else:
                h = flow_hash(client, VIP4 if family == 4 else VIP6, sport, PORTS[index], 17 if affinity == "none" else 6)
            back = 1 + (h >> (64 - SLOT_BITS)) // 32 % 127
            used.add(back)
            action, out = bench.runner.run(frame)
            if (action, out) != (TX, sent_dsr(frame, backend_mac(back), PORT_MAC)):
                wrong += f"{client}:{sport}: action {action}, MAC {out[:6].hex()}, wanted {backend_mac(back)}\n"
        bench.ok(not wrong and len(used) > 40, f"affinity {affinity}, ip{family}: 100 flows go to the backends of their slots",
                 wrong + f"{len(used)} backends used")


def affinity(bench):
    table_cases(bench, DSR, "flow")
    table_cases(bench, CLIENT_DSR, "client")
    table_cases(bench, NONE_DSR, "none")
    backs = set()
    for sport in range(1024, 1124):
        frame = on(link(), l3(4) / tcp(sport, PORTS[CLIENT_DSR]))
        backs.add(bench.runner.run(frame)[1][:6])
    bench.ok(len(backs) == 1, "affinity client: 100 ports of one client go to one backend", str(backs))


def vlan(bench):
    """What came with 0, 1, 2 tags goes out with 0, 1, 2 others."""
    ways = {"0": b"", "8100.2064": bytes.fromhex("81002064"), "88a8.0064,8100.a00a": bytes.fromhex("88a800648100a00a")}
    for words, tags in ways.items():
        for index, outer in ((DSR, 0), (IPIP, 4), (IPIP6, 6)):
            bench.tell(backend(7, tags=words, outer=outer or 4))
            bench.tell(slots(index, 7))
            for count in (0, 1, 2):
                for family in (4, 6):
                    frame = on(link(tags=TAG[count]), l3(family) / tcp(dport=PORTS[index]))
                    want = expected(frame, outer, 7, tags, label=0xfffff & client_flow(family, 40000, PORTS[index], 6))
                    mode = "dsr" if outer == 0 else f"ipip {family} in {outer}"
                    bench.check(f"vlan, {mode}, ip{family}: {count} tags replaced by {len(tags) // 4}", frame, TX, want, "forwarded")
    bench.untouched("vlan: three tags are nobody's service", on(link(tags=(1, 2, 3)), l3(4) / tcp()))


def padding(bench):
    """Ethernet pads short frames: dsr leaves that alone, a tunnel does not carry it."""
    for index, outer in ((DSR, 0), (IPIP, 4), (IPIP6, 6)):
        bench.tell(backend(7, outer=outer or 4))
        bench.tell(slots(index, 7))
        for count in (0, 2):
            frame = on(link(tags=TAG[count]), l3(4) / tcp(dport=PORTS[index], data=b""))
            frame = frame / Raw(b"\xaa" * (6 if outer != 6 else 200))
            frame = raw(frame)
            frame = frame[:len(raw(link(tags=TAG[count]))) + 2] + (40).to_bytes(2, "big") + frame[len(raw(link(tags=TAG[count]))) + 4:]
            frame = fixed_checksums(frame, 14 + 4 * count)
            want = expected(frame, outer, 7, label=0xfffff & client_flow(4, 40000, PORTS[index], 6))
            bench.check(f"padding, {'dsr' if not outer else f'ipip 4 in {outer}'}, {count} tags", frame, TX, want, "forwarded")


def fixed_checksums(data, at):
    """The IPv4 header's checksum (and nothing else) worked out again by scapy."""
    from scapy.all import IP
    ip = IP(data[at:])
    del ip.chksum
    return data[:at] + raw(ip)[:20] + data[at + 20:]


def ways(bench):
    bench.tell(slots(DSR, 7))
    bench.tell(slots(IPIP, 7))
    frame, tunnel = on(link(), l3(4) / tcp(dport=80)), on(link(), l3(4) / tcp(dport=81))
    bench.tell(backend(7, port=OTHER_PORT))
    bench.check("dsr by another port is redirected", frame, REDIRECT, sent_dsr(frame, backend_mac(7), OTHER_MAC), "redirected")
    bench.check("ipip by another port is redirected", tunnel, REDIRECT, expected(tunnel, 4, 7, own=OTHER_MAC), "redirected")
    there = on(link(dst=OTHER_MAC), l3(4) / tcp(dport=80))
    bench.check("what comes in by that port is sent back by it", there, TX, sent_dsr(there, backend_mac(7), OTHER_MAC), "forwarded",
                port=OTHER_PORT)
    bench.tell(backend(7, flags="resolved,local"))
    bench.untouched("a backend on this machine is passed up (dsr)", frame, "local")
    bench.untouched("a backend on this machine is passed up (ipip: no tunnel)", tunnel, "local")
    bench.tell(backend(7, flags="0"))
    bench.dropped("unresolved next hop", frame, "unresolved")
    bench.tell(slots(DSR, 0))
    bench.dropped("no backend in the slot", frame, "no-backend")
    bench.tell(slots(DSR, 255))
    bench.dropped("a backend that was never written is unresolved", frame, "unresolved")
    bench.tell(slots(DSR, 4000))
    bench.dropped("a backend beyond the map is a fault", frame, "internal")
    bench.tell(f"service {DSR} 131000 16 dsr flow")
    bench.dropped("a slot beyond the map is a fault", frame, "internal")
    bench.tell(f"service {DSR} 0 0 dsr flow")
    bench.dropped("a service that was never written is a fault", frame, "internal")
    bench.tell(service(DSR))


def destination_mac(bench):
    """Frames that a promiscuous port or a flooding switch shows are another machine's."""
    bench.tell(backend(7))
    bench.tell(slots(DSR, 7))
    for name, mac, ours in (("the port's own", PORT_MAC, True), ("a VRRP MAC", VRRP_MAC, True), ("an IPv6 VRRP MAC", VRRP6_MAC, True),
                            ("another machine's", "02:00:00:00:77:77", False), ("broadcast", BROADCAST_MAC, False),
                            ("multicast", "01:00:5e:00:00:0a", False), ("one beside VRRP's", "00:00:5e:00:03:33", False),
                            ("the other port's", OTHER_MAC, False)):
        frame = on(link(dst=mac), l3(4) / tcp())
        if ours:
            bench.check(f"destination MAC: {name} is ours", frame, TX, sent_dsr(frame, backend_mac(7), PORT_MAC), "forwarded")
        else:
            bench.untouched(f"destination MAC: {name} is not", frame)
    frame = on(link(dst="02:00:00:00:77:77"), l3(4) / tcp())
    bench.check("destination MAC: a port that the agent does not know takes any", frame, REDIRECT,
                sent_dsr(frame, backend_mac(7), PORT_MAC), "redirected", port=UNKNOWN_PORT)
    bench.untouched("destination MAC: but no broadcast", on(link(dst=BROADCAST_MAC), l3(4) / tcp()), port=UNKNOWN_PORT)


def main():
    bench = make(vip(DSR, IPIP, IPIP6), service(DSR), service(IPIP, "ipip"), service(IPIP6, "ipip"),
                 service(CLIENT_DSR, "dsr", "client"), service(NONE_DSR, "dsr", "none"))
    modes(bench)
    bench.tell(vip(DSR, CLIENT_DSR, NONE_DSR))
    affinity(bench)
    bench.tell(vip(DSR, IPIP, IPIP6))
    vlan(bench)
    padding(bench)
    ways(bench)
    destination_mac(bench)
    bench.end()


if __name__ == "__main__":
    main()
