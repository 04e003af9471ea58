# SPDX-License-Identifier: BSD-2-Clause
"""Which service a port belongs to: every border of every stretch, by the short list in `vips` and the table in `listeners`."""
import random

from harness import PASS, PORT, TX, sent_dsr
from scapy.all import raw
from world import PORT_MAC, VIP4, VIP6, backend, backend_mac, l3, link, make, on, service, slots, tcp, udp

SERVICES = 32 # service n goes to backend n + 1: the MAC says which it was
SAMPLE = 400 # ports of a large table that the second family looks at: the search is the same


def disjoint(dice, count):
    """`count` stretches of one protocol, ascending, some of them one port wide, some adjacent, from port 0 to port 65535."""
    cuts = sorted(dice.sample(range(1, 65535), 2 * count - 2)) if count > 1 else []
    cuts = [0] + cuts + [65535]
    found = [[cuts[2 * number], cuts[2 * number + 1]] for number in range(count)]
    for number in range(count):
        kind = dice.randrange(4)
        if kind == 0 and number > 0:
            found[number][0] = found[number - 1][1] + 1
        elif kind == 1 and 0 < number < count - 1:
            found[number][1] = found[number][0]
    return [tuple(pair) for pair in found]


def table(seed, tcp_count, udp_count):
    """(protocol, first, last, service) of each stretch, in the order that the data path is given: protocol, first."""
    dice = random.Random(seed)
    rows = [(proto, first, last) for proto, count in ((6, tcp_count), (17, udp_count)) if count for first, last in disjoint(dice, count)]
    return [(proto, first, last, (number * 7 + seed) % SERVICES) for number, (proto, first, last) in enumerate(rows)]


class Ports:
    """Frames to any port, made by putting it into one that scapy has built."""

    def __init__(self):
        self.frame = {(family, proto): raw(on(link(), l3(family) / payload()))
                      for family in (4, 6) for proto, payload in ((6, tcp), (17, udp))}

    def to(self, family, proto, port):
        frame, at = self.frame[family, proto], 14 + (20 if family == 4 else 40) + 2
        return frame[:at] + port.to_bytes(2, "big") + frame[at + 2:]


def check(bench, ports, name, rows, borders=None):
    words = " ".join(f"{proto}:{first}-{last}:{index}" for proto, first, last, index in rows)
    bench.tell(f"vip {VIP4} {words}\nvip {VIP6} {words}")
    borders = borders or sorted({port for _, first, last, _ in rows for port in (first - 1, first, last, last + 1) if 0 <= port < 65536} |
                                {0, 1, 65534, 65535})
    bench.runner.reset()
    for family in (4, 6):
        asked = [(proto, port) for proto in (6, 17) for port in borders]
        if family == 6 and len(asked) > SAMPLE:
            asked = random.Random(1).sample(asked, SAMPLE)
        frames = [ports.to(family, proto, port) for proto, port in asked]
        wrong, hits = "", 0
        for (proto, port), frame, got in zip(asked, frames, bench.runner.run_all([(PORT, frame) for frame in frames])):
            owners = [index for row_proto, first, last, index in rows if row_proto == proto and first <= port <= last]
            want = (TX, sent_dsr(frame, backend_mac(owners[0] + 1), PORT_MAC)) if owners else (PASS, frame)
            hits += bool(owners)
            if got != want:
                wrong += f"{proto}:{port}: action {got[0]}, MAC {got[1][:6].hex()}, wanted service {owners}\n"
        counted = bench.runner.counters()
        bench.runner.reset()
        got = [counted.get(("reason", word), [0])[0] for word in ("forwarded", "not-service")]
        bench.ok(not wrong and hits and got == [hits, len(asked) - hits],
                 f"ip{family}, {name}: {len(asked)} ports, {hits} of them served", f"{wrong[:3000]}counted {got}")


def main():
    bench = make(*[command for index in range(SERVICES) for command in (service(index), slots(index, index + 1), backend(index + 1))])
    ports = Ports()
    for port in (0, 1, 80, 65534, 65535):
        for proto in (6, 17):
            check(bench, ports, f"port {port} of protocol {proto} alone", [(proto, port, port, 5)], [0, 1, 79, 80, 81, 65534, 65535])
    check(bench, ports, "all ports of tcp", [(6, 0, 65535, 31)])
    check(bench, ports, "all ports of udp", [(17, 0, 65535, 0)])
    check(bench, ports, "all ports of both, two services", [(6, 0, 65535, 3), (17, 0, 65535, 4)])
    check(bench, ports, "one port cut out of all", [(6, 0, 442, 1), (6, 443, 443, 2), (6, 444, 65535, 1)])
    for count in range(2, 7):
        for tcp_count in range(count + 1):
            check(bench, ports, f"{tcp_count} tcp and {count - tcp_count} udp stretches in the list",
                  table(count, tcp_count, count - tcp_count))
    for count in (7, 8, 9, 100, 255, 256, 257, 511, 512):
        for tcp_count in (0, 1, count // 2, count):
            if count < 200 or tcp_count == count // 2 or count == 512:
                check(bench, ports, f"{tcp_count} tcp and {count - tcp_count} udp stretches in the table",
                      table(count, tcp_count, count - tcp_count))
    check(bench, ports, "512 single ports", [(6, 2 * number + 1, 2 * number + 1, number % SERVICES) for number in range(512)])
    check(bench, ports, "512 adjacent stretches", [(17, 128 * number, 128 * number + 127, number % SERVICES) for number in range(512)])
    check(bench, ports, "from the table back to the list", table(3, 3, 3))
    bench.tell(f"vip {VIP4}\nvip {VIP6}")
    for family in (4, 6):
        bench.untouched(f"ip{family}, a VIP of no listener", ports.to(family, 6, 0))
    bench.end()


if __name__ == "__main__":
    main()
