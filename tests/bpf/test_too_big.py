# SPDX-License-Identifier: BSD-2-Clause
"""What is larger than the way to the backend: the whole ICMP answer, for each family, mode and mix; who gets none; how many per second."""
import os
import time

from harness import OTHER_PORT, TX, UNKNOWN_PORT, mac_bytes
from scapy.all import Ether, ICMP, ICMPv6PacketTooBig, IP, IPOption_NOP, IPv6, Raw, raw
from test_extensions import HOPS, OPTIONS, chain
from test_icmp import CLIENT, VIP, error, quote
from world import (OTHER_MAC, PORT_MAC, ROUTER_MAC, VIP4, VIP6, VRRP_MAC, backend, client_flow, expected, framed, l3, make, service, slots,
                   tcp, udp)

DSR, TUNNEL = 1, 2
PORTS = {DSR: 80, TUNNEL: 81}
BACK = 7
ANSWERS_PER_SECOND = 100


def packet(family, length, port, proto=6, **fields):
    """An IP packet of this length for the VIP, DF set where there is such a bit."""
    if family == 4:
        fields = {"flags": "DF", **fields}
    payload = (tcp if proto == 6 else udp)(dport=port, data=b"")
    ip = l3(family, **fields) / payload
    filling = bytes(number % 251 for number in range(length - len(raw(ip))))
    return raw(l3(family, **fields) / (tcp if proto == 6 else udp)(dport=port, data=filling))


def answer(frame_link, data, mtu, own=PORT_MAC):
    """What scapy makes of "larger than mtu": from the VIP, quoting the packet within 576 (IPv6: 1280) bytes, in whole words."""
    family = data[0] >> 4
    quoted = data[:min(len(data) & ~3, 576 - 28 if family == 4 else 1280 - 48)]
    if family == 4:
        told = IP(src=VIP4, dst=CLIENT[4], tos=0xc0, id=0, flags=0, ttl=64) / ICMP(type=3, code=4, nexthopmtu=mtu) / Raw(quoted)
    else:
        told = IPv6(src=VIP6, dst=CLIENT[6], tc=0xc0, fl=0, hlim=64) / ICMPv6PacketTooBig(mtu=mtu) / Raw(quoted)
    return frame_link[6:12] + mac_bytes(own) + frame_link[12:] + raw(told)


def case(bench, name, family, service_index, outer, mtu, tags=(), proto=6, **fields):
    """At the limit it goes through, one byte (and up to four) above it is answered."""
    bench.tell(backend(BACK, mtu=mtu, outer=outer or 4))
    most = mtu - {0: 0, 4: 20, 6: 40}[outer]
    label = client_flow(family, 40000, PORTS[service_index], proto) & 0xfffff
    fits = framed(packet(family, most, PORTS[service_index], proto, **fields), tags)
    bench.check(f"{name}: {most} bytes go through", fits, TX, expected(fits, outer, BACK, label=label), "forwarded")
    for more in (1, 2, 3, 4):
        data = packet(family, most + more, PORTS[service_index], proto, **fields)
        frame = framed(data, tags)
        bench.check(f"{name}: {most + more} bytes are answered with {most}", frame, TX, answer(frame[:-len(data)], data, most),
                    "too-big-answered")


def answers(bench):
    for family in (4, 6):
        for service_index, outer in ((DSR, 0), (TUNNEL, 4), (TUNNEL, 6)):
            mode = f"ipip {family} in {outer}" if outer else f"dsr {family}"
            case(bench, mode, family, service_index, outer, 1500)
            case(bench, f"{mode}, udp", family, service_index, outer, 1400, proto=17)
            case(bench, f"{mode}, a tag", family, service_index, outer, 1500, tags=(100,))
            case(bench, f"{mode}, two tags", family, service_index, outer, 1500, tags=((0x88a8, 200), 100))
            case(bench, f"{mode}, quote shorter than may be", family, service_index, outer, 300)
            case(bench, f"{mode}, quote just as long as may be", family, service_index, outer, {4: 548, 6: 1232}[family])
            case(bench, f"{mode}, large", family, service_index, outer, 3000)
    case(bench, "dsr 4, with options", 4, DSR, 0, 1500, options=[IPOption_NOP()] * 40)
    case(bench, "ipip 4 in 6, with options and a traffic class", 4, TUNNEL, 6, 1500, options=[IPOption_NOP()] * 12, tos=0x2a)
    bench.tell(backend(BACK, mtu=1280))
    frame = chain([HOPS, OPTIONS], tcp(data=b"x" * 1400), tags=(5,))
    bench.check("dsr 6, with extension headers", frame, TX, answer(frame[:18], frame[18:], 1280), "too-big-answered")
    bench.tell(backend(BACK, mtu=500))
    data = packet(4, 501, 80)
    frame = framed(data, padding=b"\xee" * 600)
    bench.check("dsr 4, padding is not quoted", frame, TX, answer(frame[:14], data, 500), "too-big-answered")
    data = packet(4, 499, 80)
    frame = framed(data, padding=b"\xee" * 600)
    bench.check("dsr 4, padding does not make it too big", frame, TX, expected(frame, 0, BACK), "forwarded")


def macs(bench):
    """The answer comes from the port's own MAC, whatever the frame was sent to."""
    bench.tell(backend(BACK, mtu=1000))
    data = packet(4, 1001, 80)
    frame = framed(data, dst=VRRP_MAC)
    bench.check("sent to a VRRP MAC, answered from the port's own", frame, TX, answer(frame[:14], data, 1000), "too-big-answered")
    frame = framed(data, dst=OTHER_MAC)
    bench.check("answered from the other port's, there", frame, TX, answer(frame[:14], data, 1000, OTHER_MAC), "too-big-answered",
                port=OTHER_PORT)
    frame = framed(data, dst="02:00:00:00:77:77")
    bench.check("answered from the MAC it was sent to where the port is not known", frame, TX,
                answer(frame[:14], data, 1000, "02:00:00:00:77:77"), "too-big-answered", port=UNKNOWN_PORT)
    bench.tell(backend(BACK, mtu=1000, port=OTHER_PORT))
    frame = framed(data)
    bench.check("a way out by another port: answered by the one it came in by", frame, TX, answer(frame[:14], data, 1000),
                "too-big-answered")
    bench.tell(backend(BACK, mtu=1000, tags="8100.0005"))
    frame = framed(data, tags=(100,))
    bench.check("a way with other tags: answered with those it came with", frame, TX, answer(frame[:18], data, 1000), "too-big-answered")
    told = Ether(bench.runner.run(frame)[1])
    bench.ok((told.src, told.dst, told[IP].src, told[IP].dst) == (PORT_MAC, ROUTER_MAC, VIP4, CLIENT[4]), "which is from VIP to client")


def not_answered(bench):
    for index, outer in ((DSR, 4), (TUNNEL, 4), (TUNNEL, 6)):
        bench.tell(backend(BACK, mtu=1000, outer=outer))
        mode = "dsr" if index == DSR else f"ipip in {outer}"
        for flags in (0, "evil"):
            bench.dropped(f"{mode}: without DF ({flags}) it is dropped", framed(packet(4, 1001, PORTS[index], flags=flags)), "too-big")
        for family in (4, 6):
            frame = error(family, quote(family, PORTS[index], size=1000))
            bench.dropped(f"{mode}: an ip{family} error gets no answer", frame, "too-big")
        with_df = l3(4, src="203.0.113.1", flags="DF") / ICMP(type=11) / Raw(quote(4, PORTS[index], size=1000))
        bench.dropped(f"{mode}: not even with DF", framed(raw(with_df)), "too-big")
    bench.tell(backend(BACK, flags="resolved,local", mtu=1000))
    bench.untouched("nothing is too big for this machine itself", framed(packet(4, 1001, 80)), "local")
    bench.tell(backend(BACK, flags="0", mtu=1000))
    bench.dropped("nor for a way that is not known", framed(packet(4, 1001, 80)), "unresolved")


def rate(bench):
    """On one CPU: a hundred at once, and then a hundred per second."""
    bench.tell(backend(BACK, mtu=1000))
    os.sched_setaffinity(bench.runner.process.pid, {min(os.sched_getaffinity(0))})
    frames = [framed(packet(family, 1001, 80)) for family in (4, 6)]
    bench.runner.reset()

    def burst(count):
        before = reasons()
        start = time.monotonic()
        outs = [bench.runner.run(frames[number % 2]) for number in range(count)]
        spent = time.monotonic() - start
        after = reasons()
        got = [after[word] - before[word] for word in after]
        told = sum(action == TX for action, _ in outs)
        whole = all(action == TX or out == frames[number % 2] for number, (action, out) in enumerate(outs))
        return got, told, whole, spent

    def reasons():
        counted = bench.runner.counters()
        return {word: counted.get(("reason", word), [0])[0] for word in ("too-big-answered", "too-big-limited")}

    got, told, whole, spent = burst(400)
    most = ANSWERS_PER_SECOND * (1 + spent) + 2
    bench.ok(ANSWERS_PER_SECOND <= told <= most and got == [told, 400 - told], "400 at once: a hundred are answered, the rest are limited",
             f"{told} answered, at most {most} allowed in {spent} s, counted {got}")
    bench.ok(whole, "what is not answered is left as it came")
    rested = time.monotonic()
    time.sleep(0.3)
    got, told, _, spent = burst(200)
    rested = time.monotonic() - rested
    bench.ok(25 <= told <= ANSWERS_PER_SECOND * rested + 2 and got == [told, 200 - told], "a third of a second later: some thirty more",
             f"{told} answered after {rested} s, counted {got}")
    time.sleep(1.7)
    got, told, _, spent = burst(400)
    bench.ok(ANSWERS_PER_SECOND <= told <= ANSWERS_PER_SECOND * (1 + spent) + 2 and got == [told, 400 - told],
             "after more than a second: a hundred again, not what two seconds would allow", f"{told} answered, counted {got}")
    small = framed(packet(4, 1000, 80))
    bench.runner.run(frames[0])
    bench.ok(bench.runner.run(small) == (TX, expected(small, 0, BACK)), "the limit is none for what fits")


def main():
    words = " ".join(f"{proto}:{port}-{port}:{index}" for proto in (6, 17) for index, port in PORTS.items())
    bench = make(f"vip {VIP[4]} {words}", f"vip {VIP[6]} {words}", service(DSR), service(TUNNEL, "ipip"), slots(DSR, BACK),
                 slots(TUNNEL, BACK))
    answers(bench)
    macs(bench)
    not_answered(bench)
    rate(bench)
    bench.end()


if __name__ == "__main__":
    main()
