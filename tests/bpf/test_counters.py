# SPDX-License-Identifier: BSD-2-Clause
"""Every counter, exactly, after each packet of a mix of outcomes and after all of them: what is counted, and that nothing else is."""
from harness import ABORTED, DROP, OTHER_PORT, PASS, PORT, REDIRECT, TX, UNKNOWN_PORT
from scapy.all import IP, IPOption_NOP, Raw, raw
from test_icmp import error, quote
from world import NODE4, OTHER_MAC, PEER4, PEER_MAC, SLOTS, SLOT_BITS, VIP4, VIP6, backend, echo, framed, l3, make, tcp, udp

# service 0 is used too: an index like any other
DSR, TUNNEL, LOCAL, UNRESOLVED, EMPTY, AWAY, NEVER = 0, 1, 2, 3, 63, 5, 7
SERVED = {DSR: 80, TUNNEL: 81, LOCAL: 82, UNRESOLVED: 83, EMPTY: 84, AWAY: 85, NEVER: 86}
BACK = {DSR: 1, TUNNEL: 2, LOCAL: 3, UNRESOLVED: 4, EMPTY: 0, AWAY: 255}
PORT_INDEX = {PORT: 0, OTHER_PORT: 1}
MOST = 1000 # bytes that the ways carry


def mix():
    """(name, frame, port's ifindex, action, reason, service or None, backend or None, bytes)"""
    found = []

    def add(name, packet, action, reason, carried=(None, None), port=PORT, padding=0, size=None, **link_words):
        mac = OTHER_MAC if port == OTHER_PORT else None
        words = {"dst": mac, **link_words} if mac else link_words
        data = raw(packet)
        frame = framed(data, padding=b"\0" * padding, **words)
        found.append((f"ip{data[0] >> 4}, {name}", frame, port, action, reason, *carried, size or len(data)))

    for family in (4, 6):
        def to(index, payload=tcp, data=b"some data", **more):
            return l3(family, **more) / payload(dport=SERVED[index], data=data)

        dsr, tunnel = (DSR, BACK[DSR]), (TUNNEL, BACK[TUNNEL])
        add("forwarded", to(DSR), TX, "forwarded", dsr)
        add("forwarded, udp", to(DSR, udp), TX, "forwarded", dsr)
        add("forwarded, no data", to(DSR, data=b""), TX, "forwarded", dsr)
        add("forwarded, padded", to(DSR, data=b"x"), TX, "forwarded", dsr, padding=31)
        add("forwarded, with tags", to(DSR), TX, "forwarded", dsr, tags=(5, 6))
        add("forwarded, as large as may be", to(DSR, data=b"x" * (MOST - (40 if family == 4 else 60))), TX, "forwarded", dsr)
        add("through a tunnel: the inner packet's bytes", to(TUNNEL), TX, "forwarded", tunnel)
        add("through a tunnel, padded and tagged", to(TUNNEL), TX, "forwarded", tunnel, padding=9, tags=(5,))
        add("by another port", to(AWAY), REDIRECT, "redirected", (AWAY, BACK[AWAY]))
        add("from another port", to(DSR), REDIRECT, "redirected", dsr, port=OTHER_PORT)
        add("from another port to there", to(AWAY), TX, "forwarded", (AWAY, BACK[AWAY]), port=OTHER_PORT)
        add("from a port that is not known", to(DSR), REDIRECT, "redirected", dsr, port=UNKNOWN_PORT)
        add("here", to(LOCAL), PASS, "local", (LOCAL, BACK[LOCAL]))
        add("here, by a peer", to(LOCAL), PASS, "peer-local", (LOCAL, None), src=PEER_MAC)
        add("a peer's, but not for here", to(DSR), DROP, "peer-loop", src=PEER_MAC)
        inner = raw(to(LOCAL))
        around = IP(src=PEER4, dst=NODE4, proto=4 if family == 4 else 41)
        add(f"here, by a peer's tunnel: the inner ip{family} packet's bytes", around / Raw(inner), PASS, "peer-local",
            (LOCAL, None), size=len(inner))
        add(f"a peer's tunnel with ip{family}, but not for here", around / Raw(raw(to(DSR))), DROP, "peer-loop")
        add("an error", error(family, quote(family, SERVED[DSR]))[14:], TX, "forwarded", dsr)
        add("an error for no flow", error(family, quote(family, 999))[14:], PASS, "not-service")
        add("no next hop", to(UNRESOLVED), DROP, "unresolved")
        add("no backend", to(EMPTY), DROP, "no-backend")
        add("a service that was never written", to(NEVER), DROP, "internal")
        add("a ping", l3(family) / echo(family), PASS, "not-service")
        add("no service", l3(family) / tcp(dport=999), PASS, "not-service")
        add("no service, another port", l3(family) / tcp(dport=999), PASS, "not-service", port=OTHER_PORT)
        add("no service, no known port", l3(family) / tcp(dport=999), PASS, "not-service", port=UNKNOWN_PORT)
        add("bad flags", l3(family) / tcp(flags="SF"), DROP, "bad-flags")
        add("bad source", to(DSR, src=VIP4 if family == 4 else VIP6), DROP, "bad-source")
        add("bad length", to(DSR, **{"len" if family == 4 else "plen": 2000}), DROP, "bad-length")
        add("bad header", l3(family) / tcp(dataofs=4), DROP, "bad-header")
        add("time to live", to(DSR, **{"ttl" if family == 4 else "hlim": 0}), DROP, "ttl")
        add("too big, answered", to(DSR, data=b"x" * MOST, **({"flags": "DF"} if family == 4 else {})), TX, "too-big-answered")
    add("forwarded, with options", l3(4, options=[IPOption_NOP()] * 12) / tcp(dport=80), TX, "forwarded", (DSR, BACK[DSR]))
    add("bad checksum", l3(4, chksum=1) / tcp(dport=80), DROP, "bad-checksum")
    add("a fragment", l3(4, flags="MF") / tcp(dport=80), DROP, "fragment")
    add("too big, no DF", l3(4) / tcp(dport=80, data=b"x" * MOST), DROP, "too-big")
    return found


def add_up(cases):
    """What the counters should show after these."""
    want = {}

    def count(kind, word, *numbers):
        have = want.setdefault((kind, str(word)), [0] * len(numbers))
        have[:] = [a + b for a, b in zip(have, numbers)]

    for _, _, port, action, reason, service_index, back, size in cases:
        count("reason", reason, 1)
        if service_index is not None:
            count("service", service_index, 1, size)
        if back is not None:
            count("backend", back, 1, size)
        if port in PORT_INDEX:
            count("port", PORT_INDEX[port], *[int(action == number) for number in range(ABORTED, REDIRECT + 1)])
    return want


def check(bench, name, cases):
    bench.runner.reset()
    actions = [action for action, _ in bench.runner.run_all([(case[2], case[1]) for case in cases])]
    got, want = bench.runner.counters(), add_up(cases)
    wrong = "".join(f"{key}: {got.get(key)}, wanted {want.get(key)}\n" for key in sorted({*got, *want}) if got.get(key) != want.get(key))
    bench.ok(not wrong and actions == [case[3] for case in cases], name, f"{wrong}actions {actions[:50]}")


def main():
    served = sorted((port, index) for index, port in SERVED.items())
    words = " ".join(f"{proto}:{port}-{port}:{index}" for proto in (6, 17) for port, index in served)
    bench = make(f"vip {VIP4} {words}", f"vip {VIP6} {words}", f"self {NODE4}", f"peer 0 {PEER4} {PEER_MAC}", "peers 1")
    for index, back in BACK.items():
        # the slots of service 63 are those of 6: it has none of its own
        bench.tell(f"service {index} {index % 57 * SLOTS} {SLOT_BITS} {'ipip' if index == TUNNEL else 'dsr'} flow "
                   f"{'local' if index == LOCAL else ''}\nslots {index % 57 * SLOTS} {SLOTS} {back}")
    bench.tell(backend(BACK[DSR], mtu=MOST))
    bench.tell(backend(BACK[TUNNEL], mtu=MOST, outer=6))
    bench.tell(backend(BACK[LOCAL], flags="resolved,local"))
    bench.tell(backend(BACK[UNRESOLVED], flags="0"))
    bench.tell(backend(BACK[AWAY], port=OTHER_PORT))
    cases = mix()
    for case in cases:
        check(bench, f"counted: {case[0]}", [case])
    check(bench, "counted: all of them", cases)
    check(bench, "counted: all of them five times over", cases * 5)
    reasons = {case[4] for case in cases}
    bench.ok(len(reasons) == 18, "these are of eighteen reasons", str(sorted(reasons)))
    frame = cases[0][1]
    for name, cut in (("no IP", frame[:12] + b"\x08\x06" + frame[14:]), ("a link layer alone", frame[:14])):
        check(bench, f"counted: {name}", [(name, cut, PORT, PASS, "not-service", None, None, 0)])
    bench.end()


if __name__ == "__main__":
    main()
