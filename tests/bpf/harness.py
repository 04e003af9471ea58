# SPDX-License-Identifier: BSD-2-Clause
"""Frames in, frames out: the runner of tests/bpf/run.c as an object, whole-frame comparison, TAP.

What a frame should come out as is built here by scapy and by slicing bytes, checksums by scapy, the flow hash by a second
implementation of its definition: nothing of the data path's own code says what is right.
"""
import logging
import os
import socket
import subprocess
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import Ether, IP, IPv6, Raw, hexdump, raw  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
ABORTED, DROP, PASS, TX, REDIRECT = range(5)
ACTIONS = ("aborted", "drop", "pass", "tx", "redirect")

# The ports exist in the namespace that the runner has of its own; tests/bpf/run looks them up there.
PORT, OTHER_PORT, UNKNOWN_PORT = 2, 3, 4
PORTS = f"""
ip link add p{PORT} index {PORT} type veth peer name p{OTHER_PORT} index {OTHER_PORT} &&
ip link add p{UNKNOWN_PORT} index {UNKNOWN_PORT} type veth peer name p5 index 5 &&
exec "$0" "$@"
"""


class Runner:
    """One loaded pair of programs."""

    def __init__(self, *room):
        """room: for how many openings and pins there is any."""
        command = ["unshare", "--net", "sh", "-c", PORTS, os.path.join(BUILD, "tests/bpf/run"), *map(str, room)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1 << 16)

    def ask(self, line):
        """The words of the answer; whatever is not ok ends the test."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer(line)

    def accepts(self, line):
        """Is the command done, rather than refused?"""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().startswith("ok")

    def answer(self, line):
        words = self.process.stdout.readline().split(None, 1)
        if not words or words[0] != "ok":
            rest = "".join(self.process.stdout) if not words or "load" in words[1] else ""
            sys.exit(f"Bail out! runner: {line[:200]}: {' '.join(words)} {rest}")
        return words[1].strip() if len(words) > 1 else ""

    def tell(self, text):
        for line in text.strip().splitlines():
            self.ask(line.strip())

    def run(self, frame, program="weir", port=PORT):
        """(action, bytes) that come of the frame."""
        action, out = self.ask(f"run {program} {port} {raw(frame).hex()}").split()
        return int(action), bytes.fromhex(out)

    def run_all(self, frames, program="weir"):
        """[(action, bytes), ...] of [(port, frame), ...]; many are under way at once, as few as fit the pipes."""
        results, lines, waiting = [], [], 0
        for port, frame in frames:
            line = f"run {program} {port} {raw(frame).hex()}\n"
            if waiting + len(line) > 30000:
                results += self.send(lines)
                lines, waiting = [], 0
            lines.append(line)
            waiting += len(line)
        results += self.send(lines)
        return results

    def send(self, lines):
        self.process.stdin.write("".join(lines))
        self.process.stdin.flush()
        answers = (self.answer(line).split() for line in lines)
        return [(int(action), bytes.fromhex(out)) for action, out in answers]

    def counters(self):
        """{("reason", "not-service"): [n], ("service", "0"): [packets, bytes], ...} of all that are not 0."""
        found = {}
        for entry in self.ask("counters").split(","):
            words = entry.split()
            if words:
                found[words[0], words[1]] = [int(number) for number in words[2:]]
        return found

    def reset(self):
        self.ask("reset")


class Tap:
    """Test Anything Protocol on standard output; the plan comes last, so that a run that dies has none."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, why=""):
        self.count += 1
        if not good:
            self.failed += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good and why:
            print("".join(f"# {line}\n" for line in why.splitlines()), end="", flush=True)
        return good

    def note(self, text):
        print(f"# {text}", flush=True)

    def end(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def difference(what, want, got):
    """Both frames in hex, and where they part, or "" if they are equal."""
    if want == got:
        return ""
    at = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
    return (f"{what}: differs at byte {at}; {len(want)} bytes wanted, {len(got)} came\n"
            f"wanted:\n{hexdump(want, dump=True)}\ncame:\n{hexdump(got, dump=True)}")


class Bench:
    """The runner and its TAP: `check` is one case."""

    def __init__(self, *room):
        self.runner = Runner(*room)
        self.tap = Tap()
        self.tell, self.note, self.end, self.ok = self.runner.tell, self.tap.note, self.tap.end, self.tap.ok

    def check(self, name, frame, action, want, reason=None, program="weir", port=PORT):
        """Runs the frame: action, every byte of what comes out, and the reason that was counted."""
        self.runner.reset()
        got_action, got = self.runner.run(frame, program, port)
        why = ""
        if got_action != action:
            why += f"action {ACTIONS[got_action]}, wanted {ACTIONS[action]}\n"
        if want is not None:
            why += difference("frame", raw(want), got)
        counted = self.runner.counters()
        kind = "decap" if program == "decap" else "reason"
        reasons = {word: numbers[0] for (what, word), numbers in counted.items() if what == kind}
        if reason and reasons != {reason: 1}:
            why += f"reasons {reasons}, wanted {reason}\n"
        return self.ok(not why, name, why + (f"in:\n{hexdump(raw(frame), dump=True)}" if why else ""))

    def untouched(self, name, frame, reason="not-service", **more):
        return self.check(name, frame, PASS, frame, reason, **more)

    def dropped(self, name, frame, reason, **more):
        return self.check(name, frame, DROP, None, reason, **more)


# ---- the flow hash, by its definition ----

MASK = (1 << 64) - 1


def mix(x):
    x ^= x >> 30
    x = x * 0xbf58476d1ce4e5b9 & MASK
    x ^= x >> 27
    x = x * 0x94d049bb133111eb & MASK
    return x ^ x >> 31


def address_bytes(text):
    """16 bytes, IPv4 mapped."""
    if ":" in text:
        return socket.inet_pton(socket.AF_INET6, text)
    return b"\0" * 10 + b"\xff\xff" + socket.inet_pton(socket.AF_INET, text)


def flow_hash(src, dst, sport, dport, proto):
    """Addresses as text, None = all zero; ports in host order."""
    def words(text):
        data = address_bytes(text) if text else b"\0" * 16
        return [int.from_bytes(data[i:i + 4], "little") for i in range(0, 16, 4)]

    def port(number):
        return (number & 0xff) << 8 | number >> 8

    golden = 0x9e3779b97f4a7c15
    src, dst = words(src), words(dst)
    h = golden
    if src[0] | src[1]:
        h = mix(h ^ (src[0] << 32 | src[1]))
    h = mix(h ^ (src[2] << 32 | src[3]))
    if dst[0] | dst[1]:
        h = mix(h ^ (dst[0] << 32 | dst[1]) * golden & MASK)
    return mix(h ^ (dst[2] << 32 | dst[3]) ^ ((proto << 32 | port(sport) << 16 | port(dport)) << 24) & MASK)


# ---- what should come out ----

def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def split(frame):
    """(link layer's MACs, tags, ethertype, IP packet by its own length, padding) of a frame."""
    data = raw(frame)
    at = 12
    while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    packet = data[at + 2:]
    length = 40 + int.from_bytes(packet[4:6], "big") if packet[0] >> 4 == 6 else int.from_bytes(packet[2:4], "big")
    return data[:12], data[12:at], data[at:at + 2], packet[:length], packet[length:]


def traffic_class(packet):
    return (packet[0] << 4 | packet[1] >> 4) & 0xff if packet[0] >> 4 == 6 else packet[1]


def sent_dsr(frame, dst_mac, src_mac, tags=None):
    """The frame with other MACs (and tags: bytes, None = as they were)."""
    _, own_tags, ethertype, packet, padding = split(frame)
    return mac_bytes(dst_mac) + mac_bytes(src_mac) + (own_tags if tags is None else tags) + ethertype + packet + padding


def sent_ipip(frame, dst_mac, src_mac, outer_src, outer_dst, label=0, tags=None):
    """The packet in an outer header made by scapy; padding is not carried along."""
    _, own_tags, _, packet, _ = split(frame)
    proto = 41 if packet[0] >> 4 == 6 else 4
    tos = traffic_class(packet)
    if ":" in outer_dst:
        outer = raw(IPv6(src=outer_src, dst=outer_dst, tc=tos, fl=label, nh=proto, hlim=64) / Raw(packet))
        ethertype = b"\x86\xdd"
    else:
        outer = raw(IP(src=outer_src, dst=outer_dst, tos=tos, id=0, flags="DF", ttl=64, proto=proto) / Raw(packet))
        ethertype = b"\x08\x00"
    return mac_bytes(dst_mac) + mac_bytes(src_mac) + (own_tags if tags is None else tags) + ethertype + outer


def reparsed(frame):
    """A frame with every length and checksum worked out again by scapy."""
    return Ether(raw(frame))
