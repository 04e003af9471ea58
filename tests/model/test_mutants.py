#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A test of the test: faults that are put into the rules on purpose, one at a time, must each be found by the walks, or by a trace.

Each fault is a change of the product's source text (include/weir/flow.h, user/model/slots.c) or of the model's maps. The
changed tree is built below $BUILD and walks until it finds something. A change whose text is no longer in the source is
a failure too: then the fault has to be written anew.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"), "mutants")
WALKS = 1000000 # for each fault; most are found within 1,000
FIRST = CLEAN = 100000
FLOW, SLOTS = "include/weir/flow.h", "user/model/slots.c"
PATH, NODE, NEWS = "tests/model/path.c", "tests/model/node.c", "tests/model/news.c"

FAULTS = [
    ("no generation", NODE, "node->backend[index].generation++;", ";"),
    ("no epoch", FLOW, "return ask->pin && ask->pin->epoch == flow_epoch(&ask->slot) &&", "return ask->pin &&"),
    ("no check of the ISN", FLOW, "return sequence - isn - 1 < FLOW_FOLLOWS;", "return sequence != isn + 1 || 1;"),
    ("no hold", SLOTS, "role == SLOTS_DOWN ? WEIR_LEARNING : WEIR_HOLDING", "WEIR_LEARNING"),
    ("SYNs during the hold leave no opening", FLOW, "&& !holding && !rest.passing", "&& !rest.passing"),
    ("LRU instead of hash", PATH, "if (!place && node->pins >= world->rules.pins) return NULL;",
     "if (!place && node->pins >= world->rules.pins) place = &node->pin[entry->key % node->pins];"),
    ("pin before confirmation", FLOW, "if (stands || flow_confirms(ask)) {",
     "if (!flow_pin_holds(ask) && (stands || flow_confirms(ask))) {"),
    ("the newest previous is kept, not the oldest", SLOTS, "if (phase == WEIR_LEARNING) { side->since = now;",
     "if (phase == WEIR_LEARNING) { side->since = now; word.previous = word.current;"),
    ("a closing pin binds a SYN", FLOW, "!(ask->pin->flags & WEIR_PIN_CLOSING) && ask->of_pin.flags", "ask->of_pin.flags"),
    ("swept too early", SLOTS, "limits->closing : limits->learn;", "limits->closing : limits->learn / 2;"),
    ("FIN with any sequence closes", FLOW,
     "&& !ask->client && ask->sequence - ask->pin->sequence + FLOW_FOLLOWS < 2 * FLOW_FOLLOWS", "&& !ask->client"),
    ("FIN closes a client's pin", FLOW, "ask->kind == FLOW_END && !ask->client &&", "ask->kind == FLOW_END &&"),
    ("SYN goes to previous in learning", FLOW, "if (holding && ask->of_previous.flags", "if (ask->of_previous.flags"),
    ("settled without scans", SLOTS, "side->clean < 2 || word.previous_udp", "word.previous_udp"),
    ("one scan is enough", SLOTS, "side->clean < 2 || word.previous_udp", "side->clean < 1 || word.previous_udp"),
    ("window over without the peer", SLOTS, "own == SLOTS_STEP_OVER && (!slots->peer || peer >= SLOTS_STEP_OVER)",
     "own == SLOTS_STEP_OVER"),
    ("settled without the peer", SLOTS,
     "own == SLOTS_STEP_CLEAR && (!slots->peer || peer_step(slots, slot) >= SLOTS_STEP_CLEAR)", "own == SLOTS_STEP_CLEAR"),
    ("a promise to the peer is not kept", SLOTS,
     "return slots->peer && slots->side[slot].flags & SLOTS_PROMISED && peer >= SLOTS_STEP_REMEMBERING;", "return false;"),
    ("window does not start again", FLOW, "verdict->todo = FLOW_RESTART;", "verdict->todo = 0;"),
    ("a confirmed opening is lost when there is no room", FLOW,
     "verdict->todo = FLOW_TOUCH_OPENING | FLOW_CONFIRMED | FLOW_TELL;", "verdict->todo = FLOW_DROP_OPENING;"),
    ("no opening beside a closing pin in remembering", FLOW, "(verdict->backend == rest.backend && !holding &&",
     "((verdict->backend == rest.backend || flow_phase(&ask->slot) == WEIR_REMEMBERING) && !holding &&"),
    ("a new connection leaves its pin closing", FLOW, "pin->flags &= (__u16)~WEIR_PIN_CLOSING;", ";"),
    ("UDP has no previous of its own when the slot moves again", SLOTS, "if (!word->previous_udp && slots->role",
     "if (phase_of(*word) == WEIR_SETTLED && slots->role"),
    ("pins that equal current go at once", SLOTS, "flow_age(now, udp ? side->since_udp : side->since) >= limits->grace", "1"),
    ("a word that is about to change is taken for good", FLOW,
     "place.passing = previous.backend != WEIR_BACKEND_NONE && place.backend != WEIR_BACKEND_NONE;", ";"),
    ("what is newer than our clock is oldest", FLOW, "return then - now < FLOW_AHEAD ? 0 : now - then;", "return now - then;"),
    ("a SYN goes to a backend that is down", FLOW,
     "verdict->instead = rest.of.flags & WEIR_BACKEND_ANSWERS ? rest.backend : verdict->backend;", "verdict->instead = rest.backend;"),
    ("an ICMP error makes a pin", FLOW, "if (ask->kind == FLOW_LOOK) return;", ";"),
    ("a takeover is not told at once", FLOW, "(ask->pin->flags & WEIR_PIN_PEER ? FLOW_TELL : 0)", "0"),
    ("old copies come back from the peer", NEWS, "return peer && !node->fresh;", "return false;"),
]


def loose(text):
    """A pattern for the text, however it is wrapped."""
    return re.compile(r"\s+".join(re.escape(word) for word in text.split()))


def build(number, path, old, new):
    """A tree with the fault and its programs, or None if the text is not there."""
    tree = os.path.join(BUILD, str(number))
    shutil.rmtree(tree, ignore_errors=True)
    for folder in ("include/weir", "user/model", "tests/model"):
        os.makedirs(os.path.join(tree, folder))
    for name in ("include/weir/abi.h", "include/weir/hash.h", FLOW, SLOTS, "user/model/slots.h"):
        shutil.copy(os.path.join(TOP, name), os.path.join(tree, name))
    for name in os.listdir(os.path.join(TOP, "tests/model")):
        if name.endswith((".c", ".h")):
            shutil.copy(os.path.join(TOP, "tests/model", name), os.path.join(tree, "tests/model", name))
    with open(os.path.join(tree, path), encoding="utf-8") as file:
        text, count = loose(old).subn(lambda _: new, file.read())
    if not count:
        return None
    with open(os.path.join(tree, path), "w", encoding="utf-8") as file:
        file.write(text)
    shared = [os.path.join(tree, "tests/model", name) for name in
              ("path.c", "node.c", "news.c", "play.c", "clients.c", "walk.c")] + [os.path.join(tree, SLOTS)]
    for program in ("test_walks", "test_traces"):
        subprocess.run(["gcc", "-O1", "-w", "-std=gnu17", "-D_GNU_SOURCE", "-o", os.path.join(tree, program),
                        os.path.join(tree, "tests/model", program + ".c")] + shared, check=True)
    return tree


def walks(tree, count):
    """What so many walks find, or None."""
    output = subprocess.run([os.path.join(tree, "test_walks"), str(count)], capture_output=True, text=True, check=False).stdout
    found = re.search(r"^not ok 1 - walk (\d+) of seed \d+: (.*)$", output, re.M)
    return f"found after {int(found.group(1)) + 1} walks: {found.group(2)}" if found else None


def traces(tree):
    """Which trace finds something, or None."""
    output = subprocess.run([os.path.join(tree, "test_traces"), os.path.join(TOP, "tests/model/traces")],
                            capture_output=True, text=True, check=False).stdout
    found = re.search(r"^not ok \d+ - ([^:]*)", output, re.M)
    return f"found by the trace '{found.group(1)}'" if found else None


def search(number, fault):
    """How the fault is found, if it is; and what to say."""
    name, path, old, new = fault
    tree = build(number, path, old, new)
    if not tree:
        return False, f"{name}: its text is not in {path}"
    found = walks(tree, FIRST) or traces(tree) or walks(tree, WALKS)
    return found, f"{name}: {found or f'not found in {WALKS} walks'}"


def main(patterns):
    failed = 0
    faults = [fault for fault in FAULTS if not patterns or any(pattern in fault[0] for pattern in patterns)]
    print(f"1..{len(faults) + 1}")
    found = walks(build(0, FLOW, "#ifndef WEIR_FLOW_H", "#ifndef WEIR_FLOW_H"), CLEAN)
    print(f"{'not ok' if found else 'ok'} {len(faults) + 1} - without a fault {CLEAN} walks find nothing")
    failed += found is not None
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (found, text) in enumerate(pool.map(search, range(1, len(faults) + 1), faults), 1):
            print(f"{'ok' if found else 'not ok'} {number} - {text}", flush=True)
            failed += not found
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
