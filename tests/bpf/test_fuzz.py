# SPDX-License-Identifier: BSD-2-Clause
"""Mutations of packets for services, of all kinds: no verdict but pass, tx, redirect and drop, no length that nothing makes, nothing changed in what
passes or is sent (tests/bpf/run_judge.c), no reason that means a fault in weir.

    SEED=n    the same mutations again; otherwise others each time
    RUNS=n    how many (400000)
"""
import os
import random
from socket import AF_INET, AF_INET6, inet_pton

from harness import ABORTED, ACTIONS, DROP, OTHER_PORT, PASS, PORT, REDIRECT, TX, UNKNOWN_PORT, mac_bytes
from scapy.all import hexdump
from traffic import ICMP, ICMP6, SERVED, TCP, UDP, Traffic, ip, ip4, ip6, vip, world
from world import CLIENT4, CLIENT6, NODE4, NODE6, PEER4, PEER6, PORT_MAC, SLOTS, backend, make

RUNS, SECONDS = int(os.environ.get("RUNS") or 400000), 30
REACHED = ("not-service", "local", "peer-local", "forwarded", "redirected", "too-big-answered", "too-big-limited", "too-big", "bad-length", "bad-header",
           "bad-checksum", "bad-source", "bad-flags", "ttl", "fragment", "no-backend", "unresolved", "peer-loop")
NEVER = ("go-on", "internal", "no-headroom")


def address(text):
    return inet_pton(AF_INET6 if ":" in text else AF_INET, text)


def corpus(traffic):
    """Packets for services as they come, in both families: one of each kind for each listener, and more."""
    frames = []
    for family, client, node, peer in ((4, CLIENT4, NODE4, PEER4), (6, CLIENT6, NODE6, PEER6)):
        client, node, peer = address(client), address(node), address(peer)

        def add(packet, count=0):
            frames.append(traffic.frame("", "", packet, tags=traffic.tags(count), dst=mac_bytes(PORT_MAC), padded=False).data)

        for last, (proto, port, _, _) in 2 * [(last, listener) for last in SERVED for listener in SERVED[last][:5]]:
            own, sport = vip(last, family), traffic.rng.randint(1024, 65535)
            small, large = (traffic.transport(proto, sport, port, traffic.bytes(size)) for size in (20, 1400))
            answer = ip(own, client, proto, traffic.transport(proto, port, sport))
            add(ip(client, own, proto, small), len(frames) % 3)
            add(ip(client, own, proto, large))
            add(ip4(client, own, proto, large, place=0x4000) if family == 4 else ip6(client, own, proto, large))
            add(ip(client, own, ICMP if family == 4 else ICMP6, traffic.message(3 if family == 4 else 1, answer)))
        own, proto, port = vip(10, family), TCP, 80
        small = traffic.transport(proto, 40000, port)
        for count in range(1, 6):
            if family == 4:
                add(ip4(client, own, proto, small, b"\x01" * 8 * count))
            else:
                add(ip6(client, own, *traffic.extension_chain(proto, small, count)))
        if family == 4:
            add(ip4(client, own, proto, small, place=0x2000))
        else:
            add(ip6(client, own, 44, bytes([proto, 0, 0, 1, 0, 0, 0, 9]) + small))
        for inner, inner_client in ((4, address(CLIENT4)), (6, address(CLIENT6))):
            for last, port in ((10, 80), (20, 53)):  # the service of one is this node's too
                inside = ip(inner_client, vip(last, inner), UDP if last == 20 else TCP, traffic.transport(UDP if last == 20 else TCP, 40000, port))
                add(ip(peer, node, 4 if inner == 4 else 41, inside))
                add(ip(peer, node, 4 if inner == 4 else 41, inside), 1)
    return frames


def judged(bench):
    """The judge of the runs finds what it is there to find."""
    frame = bytes.fromhex("020000000002020000000101" "0800" "4500001cabcd000040110000c6336407c000020a" "9c400035000800000000000000")
    sent = frame[12:].join((b"\x02" * 12, b""))

    def finds(name, program, action, out, good=False, frame=frame):
        says = bench.runner.ask(f"judge {program} {action} {frame.hex()} {out.hex()}")
        bench.ok((says == "good") == good, f"judge: {name}", says)

    finds("passed as it came", "weir", PASS, frame, True)
    finds("passed, one bit changed", "weir", PASS, frame[:30] + bytes([frame[30] ^ 1]) + frame[31:])
    finds("passed, cut", "weir", PASS, frame[:-1])
    finds("dropped", "weir", DROP, frame, True)
    finds("dropped by decap", "decap", DROP, frame)
    finds("aborted", "weir", ABORTED, frame)
    finds("a verdict of 5", "weir", 5, frame)
    finds("a negative verdict", "weir", -1, frame)
    finds("other MACs, sent", "weir", TX, sent, True)
    finds("other MACs, redirected", "weir", REDIRECT, sent, True)
    finds("sent, a bit of the packet changed", "weir", TX, sent[:40] + bytes([sent[40] ^ 1]) + sent[41:])
    finds("48 bytes more", "weir", TX, sent[:14] + bytes(48) + sent[14:], True)
    finds("49 bytes more", "weir", TX, sent[:14] + bytes(49) + sent[14:])
    finds("13 bytes left", "weir", DROP, frame[:13])
    for who, good in ((PEER4, True), (CLIENT4, False)):
        tunnel = frame[:14] + ip4(address(who), address(NODE4), 4, frame[14:])
        finds(f"stripped, from {'a peer' if good else 'somebody'}", "weir", PASS, frame, good, tunnel)
        finds("stripped by decap", "decap", PASS, frame, True, tunnel)
        finds("stripped too far", "weir", PASS, frame[:14] + frame[18:], False, tunnel)


def fuzz(bench, program, port, seed, runs):
    answer = bench.runner.ask(f"fuzz {program} {port} {seed} {runs} {SECONDS}").split()
    name = f"{program}, port {port}: {runs} mutations (seed {seed})"
    if answer[0] == "fault":
        run, action, frame, out = int(answer[1]), int(answer[2]), bytes.fromhex(answer[3]), bytes.fromhex(answer[4])
        bench.ok(False, name, f"SEED={seed}, run {run}: {' '.join(answer[5:])}; action {ACTIONS[action] if 0 <= action < 5 else action}\n"
                 f"in: {frame.hex()}\n{hexdump(frame, dump=True)}\nout: {out.hex()}\n{hexdump(out, dump=True)}")
        return [0] * len(ACTIONS)
    counts = [int(word) for word in answer[1:]]
    bench.ok(int(answer[0]) == runs, name, f"only {answer[0]} in {SECONDS} s")
    bench.note(f"{program}, port {port}: " + ", ".join(f"{action} {count}" for action, count in zip(ACTIONS, counts)))
    return counts


def main():
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    bench = make(*world())
    bench.note(f"SEED={seed}")
    judged(bench)
    # parts of the tables lead to ways that are narrow, tagged, not known, or not at all
    bench.tell("\n".join((backend(6, mtu=600), backend(7, tags="8100.2064"), backend(8, tags="0", mtu=1280, port=OTHER_PORT), backend(9, flags="0"))))
    for index in range(1, 6):
        for nr, start in enumerate(range(0, SLOTS, SLOTS // 32)):
            current = (index, 6, 7, index, 6, 8, 9, 0)[nr % 8]
            bench.tell(f"slots {index * SLOTS + start} {SLOTS // 32} {current}")
            bench.tell(f"transit {index * SLOTS + start} {SLOTS // 64} {1 + nr % 3} 1 {current} {index} {index}")  # and half of each is not settled
    for index in range(1, 10):
        bench.tell(f"serves {index} 1 7")
    bench.tell(f"decap {NODE4}\ndecap {NODE6}")
    for frame in corpus(Traffic(seed)):
        bench.tell(f"corpus {frame.hex()}")
    known = fuzz(bench, "weir", PORT, seed, RUNS)
    bench.ok(all(known[action] >= RUNS // 200 for action in (DROP, PASS, TX, REDIRECT)), "every verdict came up", str(known))
    fuzz(bench, "weir", UNKNOWN_PORT, seed + 1, RUNS // 4)
    fuzz(bench, "decap", PORT, seed + 2, RUNS // 4)
    counters = bench.runner.counters()
    missed = [word for word in REACHED if ("reason", word) not in counters]
    bench.ok(not missed, "every reason came up", f"not {missed}")
    bench.ok(not any(("reason", word) in counters for word in NEVER), "no reason that means a fault", str(counters))
    stripped = counters.get(("decap", "stripped"), [0])[0]
    bench.ok(stripped >= RUNS // 400, "decap stripped", str(stripped))
    bench.end()


if __name__ == "__main__":
    main()
