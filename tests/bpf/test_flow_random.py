# SPDX-License-Identifier: BSD-2-Clause
"""Slots in transition at random: the loaded program does with its maps what flow.h, compiled for this machine, says of the same slot, entries and packet.

    SEED=n    the same cases again; otherwise others each time
    RUNS=n    how many (4000), a quarter of them where the maps have no room
"""
import os
import random
from collections import Counter

from flows import (ALONE, CLOSING, DOWN, DRAINING, EPOCH, GENERATION, GONE, PHASES, TCP_PROTO, UDP_PROTO, UP, Flow, Flows, Opening, Pin, icmp, id_hash,
                   quic, same, tcp, udp, world)

RUNS = int(os.environ.get("RUNS") or 4000)
DATA, SYN, END, LONG, LOOK = range(5)
KINDS = ("data", "SYN", "end", "long header", "look")
IDS = (b"", b"a", b"client", b"server-id", b"x" * 20)


class Case:
    """One packet in a slot, and all that there is beside it."""

    def __init__(self, rng):
        self.rng, pick = rng, rng.choice
        self.flow = Flow(pick(("dsr", "ipip", "client")), pick((4, 6)), pick((TCP_PROTO, TCP_PROTO, UDP_PROTO)))
        self.roles = {name: pick((UP, UP, UP, DRAINING, DOWN, GONE)) for name in "abc"}
        self.current, self.previous, self.previous_udp = pick((1, 2, 3, 0)), pick((1, 2, 3)), pick((0, 1, 2, 3))
        self.phase = rng.randrange(4)
        self.sequences = [id_hash(name) for name in IDS] if self.flow.proto == UDP_PROTO else [rng.randrange(1 << 32) for _ in range(3)]
        self.opening = self.random_opening() if rng.randrange(2) else None
        self.pin = self.random_pin() if rng.randrange(2) else None
        if self.pin and not self.opening and rng.randrange(2):
            self.pin = self.pin._replace(flags=self.pin.flags | ALONE)
        self.kind, self.sequence, self.other, self.frame = self.packet()

    def mostly(self, usual, *others):
        return usual if self.rng.randrange(6) else self.rng.choice(others)

    def random_opening(self):
        pick = self.rng.choice
        return Opening(pick((1, 2, 3, 0)), pick(self.sequences), pick(self.sequences), pick([0] + [id_hash(name) for name in IDS]), pick((0, 0, 0, 1, 2, 3)),
                       self.mostly(EPOCH, 0, 1, EPOCH + 1), self.mostly(GENERATION, 0, GENERATION + 1), pick((0, 2000, 3000, 8000, 100000)))

    def random_pin(self):
        pick = self.rng.choice
        return Pin(pick((1, 2, 3, 0)), pick(self.sequences), pick((0, 2, 4, 6, CLOSING, CLOSING | 2)), self.mostly(EPOCH, 0, 1, EPOCH + 1),
                   self.mostly(GENERATION, 0, GENERATION + 1), pick((0, 2000, 8000, 100000)))

    def packet(self):
        """(kind, sequence, other, frame)"""
        pick, flow = self.rng.choice, self.flow
        if self.rng.randrange(8) == 0:
            return LOOK, 0, 0, icmp(flow)
        if flow.proto == TCP_PROTO:
            seq = (pick(self.sequences) + pick((0, 0, 1, 2, 1000, 65535, 65536, 65537, -1, -65535, -65536, -65537))) & 0xffffffff
            flags = pick(("S", "S", "SE", "A", "A", "PA", "SA", "FA", "R", "RA"))
            kind = SYN if "S" in flags and "A" not in flags else END if set(flags) & set("FR") else DATA
            return kind, seq, 0, tcp(flow, flags, seq, b"x" * pick((0, 10)))
        if self.rng.randrange(2):
            return DATA, 0, 0, udp(flow)
        to, source, kind, version = pick(IDS), pick(IDS), self.rng.randrange(4), pick((1, 0x6b3343cf))
        size = pick((100, 1200)) if kind else 1200
        return SYN if kind == 0 else LONG, id_hash(source), id_hash(to), udp(flow, quic(to, source, kind, version, size))

    def set(self, flows, full):
        flows.set(self.phase, self.opening, self.pin, **self.roles, current=self.current, previous=self.previous, previous_udp=self.previous_udp,
                  full=("opening", "pin") if full else ())

    def decide(self, flows, full):
        """(backend, whether the window begins again, opening, pin) by flow.h"""
        # an update of what is there already needs no room
        words = [self.phase, EPOCH, self.current, self.previous, self.previous_udp, flows.slot, self.kind, int(self.flow.proto == UDP_PROTO),
                 int(self.flow.service == "client"), self.sequence, self.other, int(not full or self.opening is not None),
                 int(not full or self.pin is not None)]
        line = f"decide {' '.join(map(str, words))}"
        line += f" opening {flows.slot} {flows.opening_words(self.opening)}" if self.opening else ""
        line += f" pin {flows.slot} {flows.pin_words(self.pin)}" if self.pin else ""
        head, pin = flows.ask(line).split(",")
        backend, restart, _, *numbers = head.split()
        return int(backend) or "drop", restart == "1", entry(Opening, numbers), entry(Pin, pin.split()[1:])

    def text(self):
        return (f"{self.flow} {PHASES[self.phase]}, current {self.current}, previous {self.previous}, previous_udp {self.previous_udp}, roles {self.roles}; "
                f"{KINDS[self.kind]} {self.sequence} {self.other}; {self.opening}, {self.pin}")


def entry(kind, words):
    """From the words of an answer, slot first."""
    if not words:
        return None
    backend, epoch, generation, flags, *more, age = [int(word) for word in words[1:]]
    return kind(backend, *more, flags, epoch, generation, age)


def compare(bench, rng, full, seen):
    """What is wrong, "" if nothing is."""
    case = Case(rng)
    flows = Flows(bench, case.flow)
    case.set(flows, full)
    want = case.decide(flows, full)
    went = flows.send(case.frame)
    opening, pin = flows.entries()
    restart = flows.restarted()
    seen[case.kind, case.phase] += 1
    seen["opening", case.opening is None, want[2] is None] += 1
    seen["pin", case.pin is None, want[3] is None] += 1
    seen["restart", want[1]] += 1
    if went == want[0] and restart == want[1] and same(want[2], opening) and same(want[3], pin):
        return ""
    return f"{case.text()}\nwanted {want}\ncame {(went, restart, opening, pin)}"


def run(bench, rng, runs, full, seen, name):
    for number in range(runs):
        wrong = compare(bench, rng, full, seen)
        if wrong:
            bench.ok(False, name, f"run {number}: {wrong}")
            return
    bench.ok(True, name)


def main():
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    rng, seen, bench = random.Random(seed), Counter(), world()
    bench.note(f"SEED={seed}")
    run(bench, rng, RUNS - RUNS // 4, False, seen, f"{RUNS - RUNS // 4} packets, as flow.h has it")
    small = world((2, 2), bench.tap)
    run(small, rng, RUNS // 4, True, seen, f"{RUNS // 4} packets where there is no room, as flow.h has it")
    wanted = ([(kind, phase) for kind in range(5) for phase in range(4)] + [("restart", True), ("restart", False)] +
              [(what, *some) for what in ("opening", "pin") for some in ((False, True), (True, False), (False, False), (True, True))
               if (what, some) != ("pin", (False, True))])  # no packet deletes a pin
    bench.ok(all(seen[what] for what in wanted), "every kind in every phase, entries made, kept and dropped", str(seen))
    bench.end()


if __name__ == "__main__":
    main()
