/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of include/weir/flow.h and user/model/slots.c that walks hardly ever need, checked one by one: each check takes
 * a slot to the moment in question and looks at what the rule makes of it.
 */
#include <stdio.h>
#include <string.h>

#include "world.h"

struct one { /* a service of one slot, on a node without a peer */
	uint32_t now;
	union weir_slot word;
	struct slots_side side;
	uint32_t restart;
	struct weir_backend backend[BACKENDS];
	uint8_t role[BACKENDS];
	struct slots slots;
};

static void start(struct one *one)
{
	one->slots = (struct slots){
		.word = &one->word,
		.side = &one->side,
		.restart = &one->restart,
		.backend = one->backend,
		.role = one->role,
		.slots = 1,
		.limits = {HOLD, 3 * HOLD, LEARN, LEARN_UDP, CLOSING, OPENING, GRACE, SECOND},
	};
	slots_adopt(&one->slots, one->now);
}

/* Settled on backend 1, all are up. */
static void begin(struct one *one)
{
	*one = (struct one){.now = 1000 * SECOND, .word.current = 1};
	for (uint32_t i = 1; i < BACKENDS; i++)
		one->role[i] = SLOTS_UP;
	start(one);
}

static void pass(struct one *one, uint32_t time)
{
	one->now += time;
	slots_tick(&one->slots, 0, 1, one->now);
}

/* Learning: its flows are on 1, new ones go to 2. */
static void learn(struct one *one)
{
	begin(one);
	slots_move(&one->slots, 0, 2, one->now);
	pass(one, HOLD);
}

static enum weir_phase phase(const struct one *one)
{
	return (enum weir_phase)flow_phase(&one->word);
}

/* A whole scan, two seconds after the last one, of maps that hold `opening` (or NULL); `stuck` cannot be deleted. */
static void scan(struct one *one, const struct weir_opening *opening, bool stuck)
{
	pass(one, 2 * SECOND);
	slots_scan_begin(&one->slots, one->now);
	if (opening && !slots_see_opening(&one->slots, opening, false, one->now) && stuck)
		slots_not_deleted(&one->slots, 0);
	slots_scan_end(&one->slots, one->now);
	slots_tick(&one->slots, 0, 1, one->now);
}

static bool scan_under_way(void)
{
	struct one one;

	learn(&one);
	one.now += LEARN;
	slots_scan_begin(&one.slots, one.now);
	pass(&one, 0);
	slots_scan_end(&one.slots, one.now);
	scan(&one, NULL, false);
	if (phase(&one) != WEIR_REMEMBERING)
		return false;
	scan(&one, NULL, false);
	return phase(&one) == WEIR_SETTLED;
}

static bool openings_are_waited_for(void)
{
	struct weir_opening opening = {.backend = 1, .flags = WEIR_OPENING_CONFIRMED};
	struct one one;

	learn(&one);
	pass(&one, LEARN);
	opening.epoch = (uint16_t)flow_epoch(&one.word);
	opening.seen = one.now;
	for (uint32_t i = 0; i < 3; i++)
		scan(&one, &opening, false);
	if (phase(&one) != WEIR_REMEMBERING)
		return false;
	pass(&one, LEARN + GRACE);
	for (uint32_t i = 0; i < 2; i++)
		scan(&one, &opening, false);
	return phase(&one) == WEIR_SETTLED;
}

static bool what_is_stuck_is_waited_for(void)
{
	struct weir_opening opening = {.backend = 1, .epoch = 77};
	struct one one;

	learn(&one);
	pass(&one, LEARN);
	for (uint32_t i = 0; i < 3; i++)
		scan(&one, &opening, true);
	return phase(&one) == WEIR_REMEMBERING;
}

static bool a_second_after_its_limit(void)
{
	struct weir_pin pin = {.backend = 1};
	struct one one;

	learn(&one);
	pin.epoch = (uint16_t)flow_epoch(&one.word);
	pin.seen = one.now;
	pass(&one, LEARN + GRACE);
	if (!slots_see_pin(&one.slots, &pin, false, one.now))
		return false;
	return !slots_see_pin(&one.slots, &pin, false, one.now + 1);
}

static bool is_forgotten(const struct one *one)
{
	return phase(one) == WEIR_REMEMBERING && !one->word.previous && !one->word.previous_udp;
}

static bool start_forgets(void)
{
	struct one one;

	learn(&one);
	one.role[1] = SLOTS_GONE;
	start(&one);
	return is_forgotten(&one);
}

static bool copy_forgets(void)
{
	union weir_slot theirs;
	struct one one;

	learn(&one);
	theirs = one.word;
	begin(&one);
	one.role[1] = SLOTS_GONE;
	slots_copy(&one.slots, 0, theirs, one.now);
	return is_forgotten(&one);
}

static bool syn_without_backend(void)
{
	struct weir_opening opening = {.backend = 1, .first = 1000, .latest = 1000};
	struct flow_ask ask = {
		.slot.state = WEIR_REMEMBERING,
		.kind = FLOW_SYN,
		.sequence = 5000,
		.opening_limit = OPENING,
		.opening = &opening,
		.of_opening = {.flags = WEIR_BACKEND_SERVES | WEIR_BACKEND_ANSWERS}, /* drains */
	};
	struct flow_verdict verdict;

	flow_decide(&ask, &verdict);
	if (verdict.backend || verdict.todo)
		return false;
	ask.sequence = 1000; /* the one that it knows */
	flow_decide(&ask, &verdict);
	return verdict.backend == 1 && verdict.todo & FLOW_TOUCH_OPENING;
}

static const struct {
	const char *text;
	bool (*holds)(void);
} checks[] = {
	{"a scan that was under way as the slot went on counts for nothing", scan_under_way},
	{"a slot does not settle while there are openings", openings_are_waited_for},
	{"nor while there is something that a scan could not delete", what_is_stuck_is_waited_for},
	{"a pin is swept a second after its limit", a_second_after_its_limit},
	{"a start forgets a previous that serves no longer", start_forgets},
	{"so does a node that takes a peer's words", copy_forgets},
	{"a SYN that finds no backend changes nothing", syn_without_backend},
};

int main(void)
{
	uint32_t count = sizeof(checks) / sizeof(checks[0]), failed = 0;

	printf("1..%u\n", count);
	for (uint32_t i = 0; i < count; i++) {
		bool holds = checks[i].holds();

		printf("%sok %u - %s\n", holds ? "" : "not ", i + 1, checks[i].text);
		failed += !holds;
	}
	return failed > 0;
}
