#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A test of the test: faults put into the rules on purpose, one at a time, must each be found: by walks, a trace or a check.

Each fault is a change of the product's source text (include/weir/flow.h, user/model/slots.c) or of the model's maps and
stream. The changed tree is built below $BUILD. A few walks come first; what those don't find, a trace (tests/model/traces:
walks that once found just that) or a check (test_slots.c) must. A change whose text is no longer in the source is a
failure too: then the fault has to be written anew.

    test_mutants.py [PATTERN...]     those faults alone whose names hold one of the patterns
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"), "mutants")
WALKS = 20000 # for each fault; most are found within 1,000
BY_WALKS = 20 # so many faults at least must be found by walks alone
FLOW, SLOTS = "include/weir/flow.h", "user/model/slots.c"
PATH, NODE, NEWS = "tests/model/path.c", "tests/model/node.c", "tests/model/news.c"
SHARED = ["path", "node", "news", "play", "clients", "walk"]
PROGRAMS = ["test_walks", "test_traces", "test_slots"]

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
    ("a pin that is needless is told to be gone", NODE, "entry->pin.seen > path_limit(entry))", "entry->pin.seen > LEARN_UDP)"),
    ("the peer's pin makes an opening of another backend needless", NEWS,
     "WEIR_PIN_CONFIRMED && opening->backend == pin->backend &&", "WEIR_PIN_CONFIRMED &&"),
    ("what was seen here at all is newer than what the peer tells", NEWS,
     "return own->pin.flags & WEIR_PIN_CONFIRMED; return is_later(", "return own->pin.flags & WEIR_PIN_CONFIRMED; return true || is_later("),
    ("a peer's pin lives no longer than its limit", SLOTS, "return peer ? 2 * limit + limit / 4 : limit;", "return limit;"),
    ("a pin binds a SYN though its backend drains", FLOW, "ask->of_pin.flags & WEIR_BACKEND_OPEN) {",
     "ask->of_pin.flags & WEIR_BACKEND_ANSWERS) {"),
    ("a promise outlives the peer", SLOTS, "side->flags &= (uint8_t) ~(SLOTS_PROMISED | SLOTS_PROMISED_UDP);", ";"),
    ("nothing is learned again after the peer's death", SLOTS,
     "if (lost && peer_step(slots, i) < SLOTS_STEP_OVER && phase_of(slots->word[i]) == WEIR_LEARNING) side->since = now;", ";"),
    ("scans before the peer's death count", SLOTS, "unclean(slots, i); if (lost)", "; if (lost)"),
    ("a scan that was under way as the slot went on counts", SLOTS, "if (slots->scanning) side->flags |= SLOTS_FOUND;", ";"),
    ("openings do not keep a slot from settling", SLOTS, "slots->side[opening->slot].flags |= SLOTS_FOUND;", ";"),
    ("what a scan could not delete does not either", SLOTS, "{ slots->side[slot].flags |= SLOTS_FOUND; }",
     "{ (void)slots; (void)slot; }"),
    ("pins are swept at their very limit", SLOTS, "idle_limit(limit, pin->flags & WEIR_PIN_PEER) + limits->grace)",
     "idle_limit(limit, pin->flags & WEIR_PIN_PEER))"),
    ("a dead backend stays previous over a start", SLOTS, ".version = 1}; forget(slots, i, now);", ".version = 1};"),
    ("a dead backend is taken as previous from the peer", SLOTS, "change(slots, slot); forget(slots, slot, now); }",
     "change(slots, slot); }"),
    ("a SYN that finds no backend drops an opening", FLOW, "give way */ verdict->todo = 0;", "give way */"),
    ("a window that is over begins again as the slot moves", SLOTS, "slots_tick(slots, slot, 1, now); /* a window", "/* a window"),
    ("the hold does not wait for the peer", SLOTS, "if (age < slots->limits.hold || !agreed)", "if (age < slots->limits.hold)"),
    ("the hold waits for a dumb peer", SLOTS, "!slots->peer || age >= slots->limits.hold_longest ||", "!slots->peer ||"),
    ("UDP's window is over without the peer", SLOTS, "(!slots->peer || side->peer & SLOTS_STEP_UDP_OVER)", "1"),
    ("a promise of UDP to the peer is not kept", SLOTS, "slots->peer && side->flags & SLOTS_PROMISED_UDP &&", "0 &&"),
    ("a settled slot does not wake", SLOTS, "wake(slots, note->slot, now);", ";"),
    ("a peer's other table counts as done", SLOTS, "note->backend != slots->word[note->slot].current)", "0)"),
    ("a previous that stops serving stays", SLOTS,
     "if (slots->word[i].previous == backend || slots->word[i].previous_udp == backend) forget(slots, i, now);", ";"),
    ("a SYN sent again is taken for another one", FLOW, "flow_is_known(ask) ? WEIR_BACKEND_ANSWERS : WEIR_BACKEND_OPEN;", "WEIR_BACKEND_OPEN;"),
    ("a SYN writes over an opening that stands for a pin", FLOW, "if (ask->opening->flags & WEIR_OPENING_CONFIRMED) { /* a live",
     "if (0) { /* a live"),
    ("every miss is pinned", FLOW, "} else if (rest.backend != ask->slot.current || rest.passing) {", "} else {"),
    ("QUIC: an Initial does not confirm", FLOW, "if (opens && ask->udp && flow_opening_holds(ask)) opens = !flow_confirms(ask);", ";"),
    ("changes come in any order", NEWS, "if (news->change < *changed) return;", ";"),
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
    sources = [SLOTS] + [f"tests/model/{name}.c" for name in SHARED + PROGRAMS] if path == FLOW else [path]
    if path != FLOW: # all else is as it is without a fault
        for name in [*SHARED, *PROGRAMS, "slots"]:
            shutil.copy(os.path.join(BUILD, "0", f"{name}.o"), tree)
    subprocess.run(["gcc", "-O1", "-w", "-std=gnu17", "-D_GNU_SOURCE", "-c"] + sources, cwd=tree, check=True)
    for program in PROGRAMS:
        subprocess.run(["gcc", "-o", program] + [f"{name}.o" for name in [program, "slots"] + SHARED], cwd=tree, check=True)
    return tree


def run(tree, program, argument):
    """What the first `not ok` line says, or None."""
    output = subprocess.run([os.path.join(tree, program), argument], capture_output=True, text=True, check=False).stdout
    found = re.search(r"^not ok \d+ - (.*)$", output, re.M)
    return found and found.group(1)


def by_walks(tree):
    found = run(tree, "test_walks", str(WALKS))
    number, text = re.match(r"walk (\d+) of seed \d+: (.*)", found).groups() if found else (0, None)
    return f"found after {int(number) + 1} walks: {text}" if found else None


def by_rote(tree):
    """Which trace or check finds something, or None."""
    found = run(tree, "test_traces", os.path.join(TOP, "tests/model/traces"))
    if found:
        return f"found by the trace '{found.split(':')[0]}'"
    found = run(tree, "test_slots", "")
    return f"found by the check '{found}'" if found else None


def search(number, fault):
    """Is it found; by walks; and what to say."""
    name, path, old, new = fault
    tree = build(number, path, old, new)
    if not tree:
        return False, False, f"{name}: its text is not in {path}"
    walked = by_walks(tree)
    found = walked or by_rote(tree)
    return found, walked, f"{name}: {found or f'not found in {WALKS} walks, nor by a trace or a check'}"


def main(patterns):
    faults = [fault for fault in FAULTS if not patterns or any(pattern in fault[0] for pattern in patterns)]
    print(f"1..{len(faults) + 1 + (not patterns)}")
    tree = build(0, FLOW, "#ifndef WEIR_FLOW_H", "#ifndef WEIR_FLOW_H")
    found = by_walks(tree) or by_rote(tree)
    print(f"{'not ok' if found else 'ok'} 1 - without a fault nothing is found{f': {found}' if found else ''}")
    failed, walked = found is not None, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (found, by_walk, text) in enumerate(pool.map(search, range(1, len(faults) + 1), faults), 2):
            print(f"{'ok' if found else 'not ok'} {number} - {text}", flush=True)
            failed += not found
            walked += bool(by_walk)
    if not patterns:
        print(f"{'ok' if walked >= BY_WALKS else 'not ok'} {len(faults) + 2} - {walked} of {len(faults)} are found by walks")
        failed += walked < BY_WALKS
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
