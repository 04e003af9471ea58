#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The programs' sizes, and how many instructions packets make them execute, against those written down in tests/bpf/budget: more than 5 % more is
a failure, more than 5 % less a hint.

    BUDGET=update tests/bpf/test_budget.py    writes the sizes as they are now, for this kernel and this clang; the rest of the file stays

A size is compared with one of the same clang and kernel, since it depends on both: instructions as clang made them on clang alone. So those are
compared on any kernel, and a kernel or a clang that the file does not know is skipped, by name.
"""
import os
import platform
import re

from flows import A, B, EPOCH, GENERATION, LEARNING, SETTLED, TCP_PROTO, UDP_PROTO, Flow, slot_of, tcp, udp, world
from harness import BUILD, PORT, TX, Runner, Tap
from scapy.all import raw

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "budget")
HEADER = """# SPDX-License-Identifier: BSD-2-Clause
# What the programs cost (tests/bpf/test_budget.py); BUDGET=update tests/bpf/test_budget.py writes it.
# program  what  clang  kernel and machine ("any": depends on clang alone)  size
"""
MORE, LESS = 1.05, 0.95
HOW = "BUDGET=update tests/bpf/test_budget.py writes it as it is now"


def read():
    """{(program, what, clang, kernel): size}"""
    if not os.path.exists(FILE):
        return {}
    with open(FILE, encoding="ascii") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {tuple(words[:4]): int(words[4]) for words in lines}


def write(sizes):
    with open(FILE, "w", encoding="ascii") as file:
        file.write(HEADER + "".join(" ".join(key) + f" {size}\n" for key, size in sorted(sizes.items())))


def compiler(program):
    """Which clang made the object: it says so itself."""
    with open(os.path.join(BUILD, f"bpf/{program}.bpf.o"), "rb") as file:
        return "clang-" + re.search(rb"clang version ([0-9.]+)", file.read()).group(1).decode()


def measured():
    kernel = "linux-" + ".".join(platform.release().split(".")[:2]) + "-" + platform.machine()
    runner, sizes = Runner(), {}
    for program in ("weir", "decap"):
        made, translated, verified, jited = (int(word) for word in runner.ask(f"info {program}").split())
        clang = compiler(program)
        sizes[program, "instructions", clang, "any"] = made
        sizes[program, "translated-instructions", clang, kernel] = translated
        sizes[program, "verified-instructions", clang, kernel] = verified
        sizes[program, "jited-bytes", clang, kernel] = jited
    for path, steps in paths().items():
        sizes["weir", path, compiler("weir"), "any"] = steps
    return sizes


def paths():
    """Instructions that a packet makes the program execute, as clang made them: {what: number}"""
    bench, found = world(), {}
    for index in (A, B):
        bench.tell(f"serves {index} {GENERATION} 7")
    for family in (4, 6):
        for service, proto in (("dsr", TCP_PROTO), ("ipip", TCP_PROTO), ("dsr", UDP_PROTO)):
            flow = Flow(service, family, proto)
            frame = raw(tcp(flow, "A", 1000) if proto == TCP_PROTO else udp(flow)).hex()
            for phase, name in ((SETTLED, "settled"), (LEARNING, "learning")):
                bench.tell(f"transit {slot_of(flow)} 1 {phase} {EPOCH} {B} {A} {A}")
                action, steps, _ = (int(word) for word in bench.runner.ask(f"steps {PORT} {frame}").split())
                if action != TX:
                    raise AssertionError(f"{flow}: action {action}")
                found[f"{name}-v{family}-{'tcp' if proto == TCP_PROTO else 'udp'}-{service}"] = steps
    return found


def judge(size, budget):
    """(good, hint)"""
    change = f"{size}, budget {budget}: {100 * (size - budget) / budget:+.1f} %"
    if size > budget * MORE:
        return False, f"{change}; if it is worth it, {HOW}, to be committed with the reason"
    if size < budget * LESS:
        return True, f"{change}; smaller: {HOW}, and so keeps it"
    return True, change


def main():
    sizes, budget, tap = measured(), read(), Tap()
    if os.environ.get("BUDGET") == "update":
        write({**budget, **sizes})
        budget = read()
    for key, size in sizes.items():
        name = f"{' '.join(key)}: {size}"
        if key not in budget:
            tap.ok(True, f"{name} # SKIP not in tests/bpf/budget; {HOW}")
            continue
        good, hint = judge(size, budget[key])
        tap.ok(good, name)
        tap.note(hint)
    tap.ok(not judge(1051, 1000)[0] and judge(1050, 1000)[0], "the gate: 5 % more is taken, more than that is not")
    tap.ok("smaller" in judge(949, 1000)[1] and "smaller" not in judge(950, 1000)[1], "the gate: more than 5 % less is told")
    tap.end()


if __name__ == "__main__":
    main()
