# SPDX-License-Identifier: BSD-2-Clause
"""The world of the tests about slots in transition: one service of each kind, backends A, B and C, packets by kind, openings and pins as Python has them.

What the rules are is said twice here on purpose: by hand in test_flow.py, and by flow.h compiled for this machine in test_flow_random.py.
"""
import struct
from collections import namedtuple

from harness import DROP, TX, flow_hash, mix
from scapy.all import ICMP, ICMPv6DestUnreach, IP, IPv6, Raw, TCP, UDP, raw
from world import CLIENT4, CLIENT6, SLOT_BITS, SLOTS, VIP4, VIP6, backend, l3, link, make, on, service

SETTLED, HOLDING, LEARNING, REMEMBERING = range(4)
PHASES = ("settled", "holding", "learning", "remembering")
UP, DRAINING, DOWN, GONE = 7, 3, 1, 0  # what a backend's flags are in each role
A, B, C = 1, 2, 3                      # previous, current, and one that neither is
SPORT, PORTS = 40000, {"dsr": 80, "ipip": 81, "client": 82, "none": 83}
SERVICES = {"dsr": 1, "ipip": 2, "client": 3, "none": 4}
EPOCH, GENERATION = 9, 5
CONFIRMED_OPENING, PEER_OPENING = 1, 2
CLOSING, CONFIRMED, PEER_PIN, ALONE = 1, 2, 4, 8
TCP_PROTO, UDP_PROTO = 6, 17
GRACE = 1500  # in units of 1.05 ms: how much older than it was written an entry may be when it is read; the machine may be busy

Flow = namedtuple("Flow", "service family proto")
Opening = namedtuple("Opening", "backend first latest aimed flags epoch generation age", defaults=(0, 0, EPOCH, GENERATION, 0))
Pin = namedtuple("Pin", "backend sequence flags epoch generation age", defaults=(0, 0, EPOCH, GENERATION, 0))


def opening(owner, first, latest=None, **more):
    return Opening(owner, first, first if latest is None else latest, **more)


def world(room=(), tap=None):
    """The bench; room: of openings and pins; tap: goes on with the count of another bench."""
    words = [f"{proto}:{PORTS[name]}-{PORTS[name]}:{index}" for proto in (6, 17) for name, index in SERVICES.items()]
    bench = make(f"vip {VIP4} {' '.join(words)}", f"vip {VIP6} {' '.join(words)}", service(1), service(2, "ipip"), service(3, "dsr", "client"),
                 service(4, "dsr", "none"), *(backend(index) for index in (A, B, C)), room=room)
    if tap:
        bench.tap, bench.ok = tap, tap.ok
    return bench


def ends(flow):
    return (CLIENT4, VIP4) if flow.family == 4 else (CLIENT6, VIP6)


def slot_of(flow, sport=SPORT):
    src, dst = ends(flow)
    if flow.service == "client":
        h = flow_hash(src, None, 0, 0, 0)
    else:
        h = flow_hash(src, dst, sport, PORTS[flow.service], flow.proto)
    return SERVICES[flow.service] * SLOTS + (h >> (64 - SLOT_BITS))


def key_of(flow, sport=SPORT):
    """The words of its key."""
    src, dst = ends(flow)
    if flow.service == "client":
        return f"{SERVICES[flow.service]} 0 {src} 0 :: 0"
    return f"{SERVICES[flow.service]} {flow.proto} {src} {sport} {dst} {PORTS[flow.service]}"


# ---- packets ----

def tcp(flow, flags, seq, data=b"", sport=SPORT):
    return on(link(), l3(flow.family) / TCP(sport=sport, dport=PORTS[flow.service], flags=flags, seq=seq & 0xffffffff, ack=1) / Raw(data))


def udp(flow, data=b"hello", sport=SPORT):
    return on(link(), l3(flow.family) / UDP(sport=sport, dport=PORTS[flow.service]) / Raw(data))


def icmp(flow, sport=SPORT):
    """An error about a packet that the backend has sent to the client."""
    src, dst = ends(flow)
    inner = (TCP if flow.proto == TCP_PROTO else UDP)(sport=PORTS[flow.service], dport=sport)
    quoted = raw((IP if flow.family == 4 else IPv6)(src=dst, dst=src) / inner / Raw(b"some data"))
    if flow.family == 4:
        return on(link(), IP(src="198.51.100.99", dst=VIP4) / ICMP(type=3, code=1) / Raw(quoted))
    return on(link(), IPv6(src="2001:db8:9::9", dst=VIP6) / ICMPv6DestUnreach() / Raw(quoted))


def quic(to, source, kind=0, version=1, size=1200, first=0xc0):
    """The bytes of a long header: kind 0 to 3, as version 1 numbers them."""
    kind = (kind + 1) & 3 if version == 0x6b3343cf else kind
    head = bytes([first | kind << 4]) + struct.pack("!I", version) + bytes([len(to)]) + to + bytes([len(source)]) + source
    return head + bytes(max(size - len(head), 0))


def id_hash(data):
    """The hash of a connection id, by its definition in bpf/quic.h."""
    padded = data + bytes(20 - len(data))
    h = mix(len(data) + 1)
    for word in struct.unpack("<QQI", padded):
        h = mix(h ^ word)
    return h >> 32 | 1


# ---- the maps ----

class Flows:
    """One flow in its slot: `set` says how it stands, `send` what comes of a packet."""

    def __init__(self, bench, flow):
        self.bench, self.flow, self.slot, self.key = bench, flow, slot_of(flow), key_of(flow)
        self.ask, self.others = bench.runner.ask, set()

    def set(self, phase, opening=None, pin=None, a=UP, b=UP, c=UP, previous=A, previous_udp=A, current=B, epoch=EPOCH, full=()):
        """full: which maps have no room left, because of other flows."""
        self.ask("forget")
        self.bench.runner.reset()
        for index, flags in ((A, a), (B, b), (C, c)):
            self.ask(f"serves {index} {GENERATION} {flags}")
        self.ask(f"transit {self.slot} 1 {phase} {epoch} {current} {previous} {previous_udp}")
        if opening:
            self.ask(f"opening {self.key} {self.slot} {self.opening_words(opening)}")
        if pin:
            self.ask(f"pin {self.key} {self.slot} {self.pin_words(pin)}")
        self.others = {entry for what in full for entry in self.fill(what)}

    def fill(self, what):
        """Other flows' entries, until one finds no room; the beginnings of their words."""
        words = self.opening_words(opening(C, 0)) if what == "opening" else self.pin_words(Pin(C))
        flow = self.flow._replace(service="dsr")
        for sport in range(1, 100):
            entry = f"{what} {key_of(flow, sport)} {slot_of(flow, sport)}"
            if not self.bench.runner.accepts(f"{entry} {words}"):
                return
            yield entry
        raise AssertionError("there is always room")

    @staticmethod
    def opening_words(o):
        return f"{o.backend} {o.epoch} {o.generation} {o.flags} {o.first} {o.latest} {o.aimed} {o.age}"

    @staticmethod
    def pin_words(p):
        return f"{p.backend} {p.epoch} {p.generation} {p.flags} {p.sequence} {p.age}"

    def send(self, frame):
        """The backend that it goes to: by its MAC; "drop" for none."""
        action, out = self.bench.runner.run(frame)
        if action == DROP:
            return "drop"
        return out[5] if action == TX and out[:5] == b"\x02\0\0\0\x0b" else f"action {action}"

    def entries(self):
        """(opening or None, pin or None) of this flow; anything else that is in the maps, or is no longer, comes as text."""
        found, strange, missed = {"opening": None, "pin": None}, "", set(self.others)
        for entry in self.ask("flows").split(","):
            words = entry.split()
            if not words:
                continue
            if " ".join(words[:8]) in missed:
                missed.remove(" ".join(words[:8]))
                continue
            key, slot, numbers = " ".join(words[1:7]), int(words[7]), [int(word) for word in words[8:]]
            if key != self.key or slot != self.slot or found[words[0]]:
                strange += entry
            elif words[0] == "opening":
                owner, epoch, generation, flags, first, latest, aimed, age = numbers
                found["opening"] = Opening(owner, first, latest, aimed, flags, epoch, generation, age)
            else:
                owner, epoch, generation, flags, sequence, age = numbers
                found["pin"] = Pin(owner, sequence, flags, epoch, generation, age)
        strange += f" pushed out: {missed}" if missed else ""
        strange += " alone, but beside an opening" if found["opening"] and found["pin"] and found["pin"].flags & ALONE else ""
        return (strange, strange) if strange else (found["opening"], found["pin"])

    def restarted(self):
        """Has this slot's window begun again, and no other's?"""
        words = self.ask("restarts").rstrip(",").split()
        return len(words) == 2 and words[0] == str(self.slot) and int(words[1]) <= GRACE


def same(want, got):
    """Entries are equal but for the milliseconds that a run takes, and for what a pin says of openings."""
    if want is None or got is None or isinstance(got, str):
        return want is got
    if isinstance(want, Pin):
        want, got = want._replace(flags=want.flags & ~ALONE), got._replace(flags=got.flags & ~ALONE)
    return want._replace(age=0) == got._replace(age=0) and want.age <= got.age <= want.age + GRACE


