# SPDX-License-Identifier: BSD-2-Clause
"""Slots in transition: where each kind of packet goes in each phase, and what becomes of the flow's opening and pin, told by hand.

A row: what there is before, the packet, and what must come of it. The state of everything else (other entries, restarts, counters) must not change.
"""
from flows import (A, ALONE, B, C, CLOSING, CONFIRMED, CONFIRMED_OPENING, DOWN, DRAINING, EPOCH, GENERATION, GONE, HOLDING, LEARNING, PEER_OPENING,
                   PEER_PIN, PHASES, REMEMBERING, SERVICES, SETTLED, TCP_PROTO, UDP_PROTO, Flow, Flows, Pin, icmp, id_hash, opening, quic, same, tcp, udp, world)
from harness import PORT, TX
from scapy.all import raw
from world import SLOTS

ISN, SEQ = 1000, 5000
OLD = 3000  # an age that openings may well have, whose limit is 4,768 of these units, and that no entry has that has just been written
ALL_SLOTS = f"{SLOTS * SERVICES['dsr']} {SLOTS}"
ROOM = 4    # of maps that are soon full


class Rows:
    """Checks of one flow, with a prefix for their names."""

    def __init__(self, bench, flow, prefix):
        self.bench, self.flows, self.prefix = bench, Flows(bench, flow), prefix

    def row(self, name, frame, backend, opening=None, pin=None, before=None, restart=False, failed=(0, 0), **state):
        """before: (opening, pin); opening, pin: what must be there afterwards."""
        flows = self.flows
        flows.set(state.pop("phase"), *(before or (None, None)), **state)
        counted_before = self.counted()
        went = flows.send(frame)
        got_opening, got_pin = flows.entries()
        wrote, found_no_room = self.counted()[0] - counted_before[0], self.counted()[1:]
        why = ""
        if went != backend:
            why += f"went to {went}, wanted {backend}\n"
        if not same(opening, got_opening):
            why += f"opening {got_opening}, wanted {opening}\n"
        if not same(pin, got_pin):
            why += f"pin {got_pin}, wanted {pin}\n"
        if flows.restarted() != restart or (not restart and flows.ask("restarts")):
            why += f"restarts {flows.ask('restarts')!r}\n"
        if found_no_room != failed:
            why += f"no room for {found_no_room}, wanted {failed}\n"
        fresh = [entry for entry in (opening, pin) if entry and entry.age == 0]
        if wrote > len(fresh):
            why += f"{wrote} written\n"
        self.bench.ok(not why, f"{self.prefix}{name}", why)

    def counted(self):
        """(written, openings without room, pins without room)"""
        openings, openings_failed, pins, pins_failed = self.bench.runner.counters().get(("flows", "0"), [0] * 4)
        return openings + pins, openings_failed, pins_failed


def tcp_rows(rows, flow):
    def data(seq=SEQ, **more):
        return tcp(flow, "A", seq, b"some data", **more)

    def end(flags, seq=SEQ):
        return tcp(flow, flags, seq)

    syn, old_pin, closing = tcp(flow, "S", ISN), Pin(C, SEQ - 10, CONFIRMED, age=OLD), Pin(C, SEQ, CONFIRMED | CLOSING, age=OLD)
    syn_data = tcp(flow, "S", ISN, b"early data")
    row = rows.row

    for name, frame in (("SYN", syn), ("data", data()), ("FIN", end("FA")), ("RST", end("R")), ("SYN-ACK", tcp(flow, "SA", ISN)), ("ICMP", icmp(flow))):
        row(f"settled, {name}: current", frame, B, phase=SETTLED)
        row(f"settled, {name}: no map is looked at", frame, B, opening(C, ISN, age=OLD), old_pin, (opening(C, ISN, age=OLD), old_pin), phase=SETTLED)

    for phase in (HOLDING, LEARNING):
        name = PHASES[phase]
        row(f"{name}, data: previous, and pinned there", data(), A, None, Pin(A, SEQ), phase=phase)
        row(f"{name}, FIN: the same", end("FA"), A, None, Pin(A, SEQ), phase=phase)
        row(f"{name}, RST: the same", end("R"), A, None, Pin(A, SEQ), phase=phase)
        row(f"{name}, ICMP: previous, and nothing is written", icmp(flow), A, phase=phase)
        row(f"{name}, data: previous has just gone: current, and pinned there", data(), B, None, Pin(B, SEQ), phase=phase, a=GONE)
        row(f"{name}, data: previous is down, but serves", data(), A, None, Pin(A, SEQ), phase=phase, a=DOWN)
    row("holding, SYN: previous, and an opening for it", syn, A, opening(A, ISN), phase=HOLDING)
    row("holding, SYN with data: the same", syn_data, A, opening(A, ISN), phase=HOLDING)
    row("holding, SYN: previous is down: current", syn, B, opening(B, ISN), phase=HOLDING, a=DOWN)
    row("learning, SYN: current, and an opening", syn, B, opening(B, ISN), phase=LEARNING)
    row("learning, SYN with data: the same", syn_data, B, opening(B, ISN), phase=LEARNING)
    row("learning, SYN: previous has just gone: current, and an opening, for the slot is about to change", syn, B, opening(B, ISN), phase=LEARNING, a=GONE)
    row("remembering, SYN: current, and no opening", syn, B, phase=REMEMBERING)
    for name, frame in (("data", data()), ("FIN", end("FA")), ("RST", end("R")), ("ICMP", icmp(flow))):
        row(f"remembering, {name}, no pin: current, not pinned", frame, B, phase=REMEMBERING)

    for phase in (HOLDING, LEARNING, REMEMBERING):
        name = PHASES[phase]
        both = (None, old_pin)
        row(f"{name}, a pin, data: its backend; time and sequence", data(), C, None, Pin(C, SEQ, CONFIRMED), both, phase=phase)
        row(f"{name}, a pin, SYN: its backend; time", syn, C, None, old_pin._replace(age=0), both, phase=phase)
        row(f"{name}, a pin, FIN at its sequence: closing", end("FA"), C, None, Pin(C, SEQ, CONFIRMED | CLOSING), both, phase=phase)
        row(f"{name}, a pin, RST at its sequence: closing", end("R"), C, None, Pin(C, SEQ, CONFIRMED | CLOSING), both, phase=phase)
        row(f"{name}, a pin, FIN far off: time only", end("FA", SEQ + 200000), C, None, old_pin._replace(age=0), both, phase=phase)
        row(f"{name}, a pin, ICMP: its backend, nothing is touched", icmp(flow), C, None, old_pin, both, phase=phase)
        row(f"{name}, a pin of a backend that drains, data", data(), C, None, Pin(C, SEQ, CONFIRMED), both, phase=phase, c=DRAINING)
        row(f"{name}, a pin of a backend that is down, but serves, data", data(), C, None, Pin(C, SEQ, CONFIRMED), both, phase=phase, c=DOWN)
        row(f"{name}, a peer's pin: it is ours now", data(), C, None, Pin(C, SEQ, CONFIRMED),
            (None, old_pin._replace(flags=CONFIRMED | PEER_PIN)), phase=phase)
        row(f"{name}, a closing pin, data: stays closing", data(), C, None, Pin(C, SEQ, CONFIRMED | CLOSING), (None, closing), phase=phase)
        for what, pin, state in (("of another epoch", old_pin._replace(epoch=EPOCH - 1), {}),
                                 ("of another generation", old_pin._replace(generation=GENERATION - 1), {}),
                                 ("of a backend that is gone", old_pin, {"c": GONE})):
            gone = pin if phase == REMEMBERING else Pin(A, SEQ)
            row(f"{name}, a pin {what} is none, data", data(), B if phase == REMEMBERING else A, None, gone, (None, pin), phase=phase, **state)
            row(f"{name}, a pin {what} is none, ICMP", icmp(flow), B if phase == REMEMBERING else A, None, pin, (None, pin), phase=phase, **state)

    for phase in (LEARNING, REMEMBERING):
        name = PHASES[phase]
        row(f"{name}, a closing pin, SYN: current, an opening, the pin stays", syn, B, opening(B, ISN), closing, (None, closing), phase=phase)
        row(f"{name}, a pin of a backend that drains, SYN: current, an opening", syn, B, opening(B, ISN), old_pin, (None, old_pin), phase=phase, c=DRAINING)
        row(f"{name}, a closing pin to current, SYN: open again", syn, B, None, Pin(B, ISN, CONFIRMED), (None, closing._replace(backend=B)), phase=phase)
    opening_rows(rows, flow)


def opening_rows(rows, flow):
    """A handshake under way."""
    row, was = rows.row, opening(B, ISN, ISN + 77, age=OLD)

    def data(seq):
        return tcp(flow, "A", seq, b"some data")

    for phase in (LEARNING, REMEMBERING):
        name = PHASES[phase]
        miss = (B, None) if phase == REMEMBERING else (A, lambda seq: Pin(A, seq))
        for what, seq in (("its first ISN", ISN + 1), ("its latest ISN", ISN + 78), ("it by 65,536", ISN + 65536)):
            row(f"{name}, an opening, data that follows {what}: pinned, and the opening goes", data(seq), B, None, Pin(B, seq, CONFIRMED),
                (was, None), phase=phase)
        row(f"{name}, an opening, FIN that follows: pinned", tcp(flow, "FA", ISN + 1), B, None, Pin(B, ISN + 1, CONFIRMED), (was, None), phase=phase)
        for what, seq in (("its ISN itself", ISN), ("nothing near", ISN + 70000 + 78), ("what is before", ISN - 5)):
            row(f"{name}, an opening, data at {what}: as if there were none", data(seq), miss[0], was, miss[1] and miss[1](seq), (was, None), phase=phase)
        row(f"{name}, an opening, ICMP: not its business yet", icmp(flow), miss[0], was, None, (was, None), phase=phase)
        row(f"{name}, an opening, SYN again: joins it", tcp(flow, "S", ISN), B, opening(B, ISN, ISN), None, (was, None), phase=phase)
        row(f"{name}, an opening, another SYN: joins it, as the latest", tcp(flow, "S", 7), B, opening(B, ISN, 7), None, (was, None), phase=phase)
        peers = was._replace(flags=PEER_OPENING)
        row(f"{name}, a peer's opening, SYN again: it is ours now", tcp(flow, "S", ISN), B, opening(B, ISN, ISN), None, (peers, None), phase=phase)
    to_c = was._replace(backend=C)
    spoilt = Pin(A, 3, age=OLD)
    row("learning, an opening and a pin, data that follows: the opening has the word", data(ISN + 1), C, None, Pin(C, ISN + 1, CONFIRMED),
        (to_c, spoilt), phase=LEARNING)
    row("learning, an opening of a backend that drains, SYN again: joins it", tcp(flow, "S", ISN), C, to_c._replace(latest=ISN, age=0), None, (to_c, None),
        phase=LEARNING, c=DRAINING)
    row("learning, an opening of a backend that drains, another SYN: begins anew", tcp(flow, "S", 7), B, opening(B, 7), None, (to_c, None),
        phase=LEARNING, c=DRAINING)
    row("remembering, an opening of a backend that drains, another SYN: current, the opening goes", tcp(flow, "S", 7), B, None, None, (to_c, None),
        phase=REMEMBERING, c=DRAINING)
    for what, stale, state in (("older than 5 s", to_c._replace(age=5000), {}), ("of another epoch", to_c._replace(epoch=EPOCH + 1), {}),
                               ("of another generation", to_c._replace(generation=GENERATION + 1), {}), ("of a backend that is gone", to_c, {"c": GONE})):
        row(f"learning, an opening {what} is none, data that follows", data(ISN + 1), A, stale, Pin(A, ISN + 1), (stale, None), phase=LEARNING, **state)
        row(f"learning, an opening {what} is none, SYN again", tcp(flow, "S", ISN), B, opening(B, ISN), None, (stale, None), phase=LEARNING, **state)
    stands = to_c._replace(flags=CONFIRMED_OPENING, age=60000)
    row("learning, an opening that stands for its pin, data: its backend, now a pin", data(99), C, None, Pin(C, 99, CONFIRMED), (stands, None), phase=LEARNING)
    row("learning, an opening that stands for its pin, ICMP: its backend, as it is", icmp(flow), C, stands, None, (stands, None), phase=LEARNING)
    row("learning, an opening that stands for its pin, SYN: its backend; time", tcp(flow, "S", 7), C, stands._replace(age=0), None, (stands, None), phase=LEARNING)


def udp_rows(rows, flow):
    row, pin = rows.row, Pin(C, 0, age=OLD)
    row("settled, UDP: current", udp(flow), B, phase=SETTLED)
    row("settled, UDP: no map is looked at", udp(flow), B, None, pin, (None, pin), phase=SETTLED)
    for phase in (HOLDING, LEARNING, REMEMBERING):
        name = PHASES[phase]
        row(f"{name}, UDP: previous_udp, and pinned there", udp(flow), A, None, Pin(A), phase=phase)
        row(f"{name}, UDP, its window is over: current, not pinned", udp(flow), B, phase=phase, previous_udp=0)
        row(f"{name}, UDP, previous_udp has just gone: current, and pinned there", udp(flow), B, None, Pin(B), phase=phase, a=GONE)
        row(f"{name}, UDP, previous is no concern", udp(flow), C, None, Pin(C), phase=phase, previous_udp=C)
        row(f"{name}, UDP, a pin: its backend; time", udp(flow), C, None, Pin(C), (None, pin), phase=phase)
        row(f"{name}, UDP, a pin of another epoch", udp(flow), A, None, Pin(A), (None, pin._replace(epoch=1)), phase=phase)
        row(f"{name}, UDP, ICMP: previous_udp, nothing is written", icmp(flow), A, phase=phase)
        row(f"{name}, UDP, a pin, ICMP: its backend, nothing is touched", icmp(flow), C, None, pin, (None, pin), phase=phase)


IDS = [(bytes(range(8)), b"", b"chosen"), (b"first-id", b"client", b""), (bytes(range(20)), b"c" * 20, b"d" * 20), (b"x" * 17, b"y" * 9, b"z")]


def quic_rows(rows, flow):
    for first, client, chosen in IDS:
        for version in (1, 0x6b3343cf):
            quic_handshake(rows, flow, first, client, chosen, version)
    row, to = rows.row, b"first-id"
    for what, data in (("an Initial in a small datagram", quic(to, b"client", size=1199)), ("an unknown version", quic(to, b"client", version=0x0a0a0a0a)),
                       ("a version negotiation", quic(to, b"client", version=0)), ("a connection id that is too long", quic(b"a" * 21, b"client")),
                       ("a client's id that is too long", quic(to, b"b" * 21)), ("a short header", b"\x40" + bytes(1300)),
                       ("no fixed bit", quic(to, b"client", first=0x80)), ("DNS with such an id", b"\xc0\x00\x01\x00" + bytes(40)),
                       ("four bytes", b"\xc0\0\0\0"), ("nothing", b""), ("a long header that is cut off", quic(to, b"client", size=0)),
                       ("a long header without its ids", b"\xc0\0\0\0\1"), ("one with a long first id and no second", b"\xc0\0\0\0\1\x14" + b"a" * 20),
                       ("a second id that is beyond the end", b"\xe0\0\0\0\1\x01a\x14" + b"a" * 19)):
        row(f"learning, UDP, {what}: is data", udp(flow, data), A, None, Pin(A), phase=LEARNING)
    padded = raw(udp(flow, b"\xe0\0\0\0\1\x01a\x14" + b"a" * 19)) + b"a" * 30
    row("learning, UDP, a second id that is in the padding: is data", padded, A, None, Pin(A), phase=LEARNING)


def quic_handshake(rows, flow, first, client, chosen, version):
    """From the first Initial to the pin."""
    row, name = rows.row, f"QUIC {version:x}, ids of {len(first)}, {len(client)}, {len(chosen)}"
    begun = opening(B, id_hash(client), aimed=id_hash(first))
    was, pinned = begun._replace(age=OLD), Pin(B, id_hash(client), CONFIRMED)

    def packet(to, source=client, kind=0, **more):
        return udp(flow, quic(to, source, kind, version, **more))

    row(f"settled, {name}, Initial: current", packet(first), B, phase=SETTLED)
    row(f"holding, {name}, Initial: previous, and an opening", packet(first), A, begun._replace(backend=A), phase=HOLDING)
    row(f"learning, {name}, Initial: current, and an opening", packet(first), B, begun, phase=LEARNING)
    row(f"learning, {name}, Initial again", packet(first), B, begun, None, (was, None), phase=LEARNING)
    row(f"learning, {name}, 0-RTT: with its Initial", packet(first, kind=1, size=300), B, was, None, (was, None), phase=LEARNING)
    row(f"learning, {name}, 0-RTT of nobody: is data", packet(first, kind=1), A, None, Pin(A, id_hash(client)), phase=LEARNING)
    row(f"learning, {name}, Initial to the server's id: pinned", packet(chosen), B, None, pinned, (was, None), phase=LEARNING)
    row(f"learning, {name}, Handshake to the server's id: pinned", packet(chosen, kind=2, size=80), B, None, pinned, (was, None), phase=LEARNING)
    row(f"learning, {name}, a stranger's Handshake: as if there were no opening", packet(chosen, b"stranger", kind=2), A, was, Pin(A, id_hash(b"stranger")),
        (was, None), phase=LEARNING)
    row(f"learning, {name}, a short header proves nothing", udp(flow, b"\x40" + bytes(60)), A, was, Pin(A), (was, None), phase=LEARNING)
    row(f"remembering, {name}, Initial: current, and no opening", packet(first), B, phase=REMEMBERING, previous_udp=0)
    row(f"learning, {name}, a pin, Initial: its backend", packet(first), C, None, Pin(C), (None, Pin(C, age=OLD)), phase=LEARNING)


def client_rows(rows, flow):
    """affinity client: the flow is the client."""
    row, syn, data = rows.row, tcp(flow, "S", ISN), tcp(flow, "A", SEQ, b"data")
    other, pin = tcp(flow, "A", 77, b"data", sport=41111), Pin(C, SEQ, age=OLD)
    row("settled: current", syn, B, phase=SETTLED)
    for phase in (HOLDING, LEARNING):
        name = PHASES[phase]
        row(f"{name}, SYN: previous, and pinned there", syn, A, None, Pin(A, ISN), phase=phase)
        row(f"{name}, data: previous, and pinned there", data, A, None, Pin(A, SEQ), phase=phase)
        row(f"{name}, UDP: the same window, the same pin", udp(flow), A, None, Pin(A, 0), phase=phase, previous_udp=0)
        row(f"{name}, SYN, previous drains: stays", syn, A, None, Pin(A, ISN), phase=phase, a=DRAINING)
    row("learning, SYN, previous is down: a new client", syn, B, opening(B, ISN), phase=LEARNING, a=DOWN)
    row("remembering, SYN: current", syn, B, phase=REMEMBERING)
    for phase in (HOLDING, LEARNING, REMEMBERING):
        name = PHASES[phase]
        row(f"{name}, a pin, SYN: its backend; time", syn, C, None, pin._replace(age=0), (None, pin), phase=phase)
        row(f"{name}, a pin, another connection", other, C, None, Pin(C, 77), (None, pin), phase=phase)
        row(f"{name}, a pin, FIN closes nothing", tcp(flow, "FA", SEQ), C, None, pin._replace(age=0), (None, pin), phase=phase)
        row(f"{name}, a pin, ICMP: its backend, nothing is touched", icmp(flow), C, None, pin, (None, pin), phase=phase)


def none_rows(rows, flow):
    """affinity none: current, whatever there is."""
    pin, was = Pin(C, SEQ, age=OLD), opening(C, ISN, age=OLD)
    for phase in (SETTLED, HOLDING, LEARNING, REMEMBERING):
        for name, frame in (("SYN", tcp(flow, "S", ISN)), ("data", tcp(flow, "A", SEQ)), ("ICMP", icmp(flow))):
            rows.row(f"{PHASES[phase]}, {name}: current, no pins", frame, B, phase=phase)
            rows.row(f"{PHASES[phase]}, {name}: no map is looked at", frame, B, was, pin, (was, pin), phase=phase)


def none_udp_rows(rows, flow):
    for phase in (SETTLED, HOLDING, LEARNING, REMEMBERING):
        rows.row(f"{PHASES[phase]}, UDP: current, no pins", udp(flow), B, phase=phase)
        rows.row(f"{PHASES[phase]}, QUIC's Initial: current, no opening", udp(flow, quic(b"first-id", b"client")), B, phase=phase)


def alone(bench, flow):
    """A pin says whether there may be an opening beside it."""
    flows, data, confirms, syn = Flows(bench, flow), tcp(flow, "A", SEQ, b"data"), tcp(flow, "A", ISN + 1, b"data"), tcp(flow, "S", ISN)
    was = opening(B, ISN, age=OLD)

    def check(name, frame, says, before_opening=None, before_pin=None, backend=None):
        flows.set(LEARNING, before_opening, before_pin)
        went, (_, pin) = flows.send(frame), flows.entries()
        bench.ok(isinstance(pin, Pin) and bool(pin.flags & ALONE) == says and backend in (None, went), f"a pin alone: {name}", f"{went}, {pin}")

    check("written where there is no opening", data, True)
    check("written where there is one, that it does not confirm", tcp(flow, "A", ISN - 5, b"data"), False, was)
    check("written in its place", confirms, True, was)
    check("no more, once a SYN has left one", syn, False, None, Pin(C, SEQ, CLOSING | ALONE))
    check("still so after a SYN that left none", syn, True, None, Pin(C, SEQ, ALONE))
    check("still so after data", data, True, None, Pin(C, SEQ, ALONE), C)
    check("one that does not say so is not made to", data, False, None, Pin(C, SEQ), C)


def nowhere_rows(rows, flow):
    syn, data = tcp(flow, "S", ISN), tcp(flow, "A", SEQ)
    for phase in (HOLDING, LEARNING, REMEMBERING):
        rows.row(f"{PHASES[phase]}, SYN, no backend at all", syn, "drop", phase=phase, current=0, previous=0)
        rows.row(f"{PHASES[phase]}, data, no backend at all", data, "drop", phase=phase, current=0, previous=0)


def all_rows(bench):
    for family in (4, 6):
        for name in ("dsr", "ipip"):
            flow = Flow(name, family, TCP_PROTO)
            tcp_rows(Rows(bench, flow, f"ip{family} {name}: "), flow)
        flow = Flow("dsr", family, TCP_PROTO)
        nowhere_rows(Rows(bench, flow, f"ip{family} dsr: "), flow)
        alone(bench, flow)
        flow = Flow("dsr", family, UDP_PROTO)
        udp_rows(Rows(bench, flow, f"ip{family} dsr: "), flow)
        quic_rows(Rows(bench, flow, f"ip{family} dsr: "), flow)
        flow = Flow("client", family, TCP_PROTO)
        client_rows(Rows(bench, flow, f"ip{family} affinity client: "), flow)
        flow = Flow("none", family, TCP_PROTO)
        none_rows(Rows(bench, flow, f"ip{family} affinity none: "), flow)
        flow = Flow("none", family, UDP_PROTO)
        none_udp_rows(Rows(bench, flow, f"ip{family} affinity none: "), flow)


def settled_flood(bench):
    """A hundred thousand connections begin where nothing changes: nothing is written."""
    flow = Flow("dsr", 4, TCP_PROTO)
    flows = Flows(bench, flow)
    flows.set(SETTLED)
    bench.tell(f"transit {ALL_SLOTS} {SETTLED} {EPOCH} {B} {A} {A}")
    sent = bench.runner.ask(f"flood {PORT} {raw(tcp(flow, 'S', ISN)).hex()} 100000").split()
    bench.ok(sent[TX] == "100000", "settled: 100,000 SYNs are sent on", str(sent))
    bench.ok(flows.ask("flows") == "" and flows.ask("restarts") == "" and ("flows", "0") not in bench.runner.counters(),
             "settled: 100,000 SYNs write nothing", flows.ask("flows")[:300])


def full_flood(bench):
    """A flood of SYNs, then one of data, where all slots learn: what finds room keeps it, and the others' slots begin their windows again."""
    flow = Flow("dsr", 4, TCP_PROTO)
    flows, count = Flows(bench, flow), 3000
    flows.set(LEARNING)
    bench.tell(f"transit {ALL_SLOTS} {LEARNING} {EPOCH} {B} {A} {A}")
    sent = bench.runner.ask(f"flood {PORT} {raw(tcp(flow, 'S', ISN)).hex()} {count}").split()
    written, failed, _, _ = bench.runner.counters()["flows", "0"]
    before = flows.ask("flows").split(",")
    bench.ok(int(sent[TX]) == count and written == len(before) - 1 == ROOM and failed == count - ROOM,
             f"full maps: of {count} SYNs {ROOM} leave openings, all are sent on", f"{sent}, {written} written, {failed} failed, {before}")
    restarts = flows.ask("restarts").count(",")
    bench.ok(restarts > count / 3, "full maps: the slots of the others begin their windows again", str(restarts))
    sent = bench.runner.ask(f"flood {PORT} {raw(tcp(flow, 'A', 10 * SEQ * SEQ)).hex()} {count}").split()
    _, _, written, failed = bench.runner.counters()["flows", "0"]
    after = flows.ask("flows").split(",")
    bench.ok(int(sent[TX]) == count and written == ROOM and failed == count - ROOM and len(after) - 1 == 2 * ROOM,
             f"full maps: of {count} flows {ROOM} are pinned, all are sent on", f"{sent}, {written} written, {failed} failed, {after}")
    held = [[entry.split()[:9] for entry in entries if "opening" in entry] for entries in (before, after)]
    bench.ok(held[0] == held[1], "full maps: no opening has gone", f"{held}")


def full_rows(rows, flow):
    row, openings, pins, both = rows.row, {"full": ("opening",)}, {"full": ("pin",)}, {"full": ("opening", "pin")}
    syn, data, end, old_pin = tcp(flow, "S", ISN), tcp(flow, "A", SEQ, b"data"), tcp(flow, "FA", SEQ), Pin(C, SEQ - 10, CONFIRMED, age=OLD)
    was = opening(B, ISN, age=OLD)
    row("learning, SYN: previous, where the next packet will go", syn, A, phase=LEARNING, restart=True, failed=(1, 0), **openings)
    row("learning, SYN, previous is down: current", syn, B, phase=LEARNING, restart=True, failed=(1, 0), a=DOWN, **openings)
    row("learning, SYN, previous drains: previous", syn, A, phase=LEARNING, restart=True, failed=(1, 0), a=DRAINING, **openings)
    row("holding, SYN: previous", syn, A, phase=HOLDING, restart=True, failed=(1, 0), **openings)
    closing = old_pin._replace(flags=CONFIRMED | CLOSING)
    row("learning, SYN, a closing pin: its backend, open again", syn, C, None, Pin(C, ISN, CONFIRMED), (None, closing), phase=LEARNING, failed=(1, 0), **openings)
    row("learning, SYN, an opening is there already: no room is needed", syn, B, opening(B, ISN), None, (was, None), phase=LEARNING, **openings)
    for name, frame in (("data", data), ("FIN", end)):
        row(f"learning, {name}: previous, not pinned", frame, A, phase=LEARNING, restart=True, failed=(0, 1), **pins)
        row(f"learning, {name}, a pin is there already: no room is needed", frame, C, None,
            Pin(C, SEQ, CONFIRMED | (CLOSING if frame is end else 0)), (None, old_pin), phase=LEARNING, **both)
        row(f"remembering, {name}: current, no room is needed", frame, B, phase=REMEMBERING, **both)
    row("learning, data, a stale pin is there: its room is taken", data, A, None, Pin(A, SEQ), (None, old_pin._replace(epoch=1)), phase=LEARNING, **both)
    stands = was._replace(flags=CONFIRMED_OPENING, age=0)
    confirms = tcp(flow, "A", ISN + 1, b"data")
    row("learning, data that confirms: the opening stands for the pin", confirms, B, stands, None, (was, None), phase=LEARNING, failed=(0, 1), **both)
    row("learning, data of a flow whose opening stands for its pin", data, B, stands, None, (stands._replace(age=OLD), None), phase=LEARNING,
        failed=(0, 1), **both)
    row("learning, ICMP: nothing is tried", icmp(flow), A, phase=LEARNING, **both)
    for phase in (SETTLED, REMEMBERING):
        row(f"{PHASES[phase]}, SYN: current, no room is needed", syn, B, phase=phase, **both)


def full_udp_rows(rows, flow):
    rows.row("learning, UDP: previous_udp, not pinned", udp(flow), A, phase=LEARNING, restart=True, failed=(0, 1), full=("pin",))
    rows.row("learning, QUIC's Initial: previous_udp", udp(flow, quic(b"first-id", b"client")), A, phase=LEARNING, restart=True, failed=(1, 0),
             full=("opening",))


def full_maps(tap):
    bench = world((ROOM, ROOM), tap)
    full_flood(bench)
    flow = Flow("dsr", 4, TCP_PROTO)
    full_rows(Rows(bench, flow, "full maps: "), flow)
    flow = Flow("dsr", 6, UDP_PROTO)
    full_udp_rows(Rows(bench, flow, "full maps: "), flow)


def main():
    bench = world()
    all_rows(bench)
    settled_flood(bench)
    full_maps(bench.tap)
    bench.end()


if __name__ == "__main__":
    main()
