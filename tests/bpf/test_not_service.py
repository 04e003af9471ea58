# SPDX-License-Identifier: BSD-2-Clause
"""10,000 packets that are for no service, half of them near misses, leave the program byte for byte as they came, passed, and counted as such.

    SEED=n    the same packets again; otherwise others each time
"""
import os
import random
from collections import Counter

from harness import ACTIONS, PASS, PORT, difference
from scapy.all import hexdump
from traffic import KINDS, Packet, Traffic, generate, is_near, traits, world
from world import make

PACKETS, AT_LEAST = 10000, 500
NEAR_KINDS = ("other-port", "other-protocol", "source", "inner", "quote", "one-bit")


def fault(packet, action, out):
    """What is wrong with what came of a packet, or ""."""
    why = "" if action == PASS else f"action {ACTIONS[action] if 0 <= action < len(ACTIONS) else action}, wanted pass\n"
    return why + difference("frame", packet.data, out)


def run(bench, packets):
    """The first packet that did not pass as it came, and how many there are."""
    bench.runner.reset()
    results = bench.runner.run_all([(packet.port, packet.data) for packet in packets])
    faults = [(number, why) for number, why in enumerate(fault(p, *result) for p, result in zip(packets, results)) if why]
    if not faults:
        return ""
    number, why = faults[0]
    packet = packets[number]
    return (f"{len(faults)} packets, the first of them number {number}: {packet.kind} {packet.near or 'far off'}, by port {packet.port}\n"
            f"in: {packet.data.hex()}\n{hexdump(packet.data, dump=True)}\n{why}")


def counted(bench):
    """What was counted beside the ports' actions."""
    return {key: numbers for key, numbers in bench.runner.counters().items() if key[0] != "port"}


def test_the_generator(bench, packets):
    has = Counter(trait for packet in packets for trait in traits(packet.data))
    has["garbage"] = sum(packet.kind == "garbage" for packet in packets)
    for trait in ("fragment", "options", "arp", "extension", "vlan", "icmp", "icmp6", "multicast", "garbage"):
        bench.ok(has[trait] >= AT_LEAST, f"generated: at least {AT_LEAST} packets of {trait}", f"{has[trait]}")
    kinds, near = Counter(packet.kind for packet in packets), Counter(packet.near for packet in packets if packet.near)
    bench.ok(kinds == {kind: sum(counts) for kind, counts in KINDS.items()}, "generated: every kind as often as it shall be", str(kinds))
    missed = [packet for packet in packets if packet.near and not is_near(packet.data)]
    bench.ok(2 * sum(near.values()) == len(packets) == PACKETS and not missed, "generated: half of all packets are near misses",
             f"{near}\n{len(missed)} have no VIP: {missed[:1]}")
    bench.ok(all(near[kind] >= 200 for kind in NEAR_KINDS), "generated: near misses of every kind", str(near))
    bench.note("kinds: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    bench.note("traits: " + ", ".join(f"{trait} {count}" for trait, count in sorted(has.items())))
    bench.note("near misses: " + ", ".join(f"{kind} {count}" for kind, count in sorted(near.items())))


def test_the_test(bench, traffic):
    """The comparison finds what it is there to find."""
    far = traffic.plain(False)
    action, out = bench.runner.run(far.data, port=far.port)
    bench.ok(fault(far, action, out) == "", "the comparison takes a packet that passed as it came")
    at = len(out) // 2
    bench.ok("differs at byte" in fault(far, action, out[:at] + bytes([out[at] ^ 1]) + out[at + 1:]), "the comparison finds a changed bit")
    bench.ok("differs at byte" in fault(far, action, out[:-1]), "the comparison finds a missing byte")
    bench.ok(all(fault(far, other, out) for other in range(-1, 7) if other != PASS), "the comparison finds any other verdict")
    found = 0
    for number in range(100):
        frame = traffic.frame("service", "", traffic.for_service(4 + 2 * (number % 2)))
        why = run(bench, [far, Packet("service", "", frame.port, frame.data), far])
        # one whose backend is this machine passes as it came: only the counters tell
        found += ("number 1: service" in why) or any(key[0] == "service" for key in counted(bench))
    bench.ok(found == 100, "the comparison, or the counters, find each of 100 packets that are for a service", f"{found}")


def main():
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    bench = make(*world())
    bench.note(f"SEED={seed}")
    packets = generate(seed)
    test_the_generator(bench, packets)
    why = run(bench, packets)
    bench.ok(not why, f"{PACKETS} packets for no service pass as they came (seed {seed})", f"SEED={seed}\n{why}")
    want = {("reason", "not-service"): [PACKETS]}
    bench.ok(counted(bench) == want, f"not-service is counted {PACKETS} times, and nothing for any service or backend", str(counted(bench)))
    ports = Counter(packet.port for packet in packets)
    passed = bench.runner.counters()["port", "0"]
    bench.ok(passed == [0, 0, ports[PORT], 0, 0], "the port's own count says passed, and nothing else", f"{passed}, sent {ports}")
    test_the_test(bench, Traffic(seed + 1))
    bench.end()


if __name__ == "__main__":
    main()
