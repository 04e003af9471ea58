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

static bool window_does_not_begin_again(void)
{
	struct one one;

	learn(&one);
	one.now += LEARN;
	slots_move(&one.slots, 0, 3, one.now);
	return phase(&one) == WEIR_HOLDING && one.word.previous == 2;
}

/* The peer, which has seen our latest change, stands at `step` with `backend` as its current. */
static void hear(struct one *one, uint8_t step, uint16_t backend)
{
	struct slots_note note = {.backend = backend, .version = 1, .echo = one->side.version, .step = step};

	slots_take(&one->slots, &note, one->now);
}

static void meet(struct one *one)
{
	begin(one);
	slots_meet(&one->slots, true, one->now);
	slots_move(&one->slots, 0, 2, one->now);
}

static bool hold_waits(void)
{
	struct one one;
	bool waits;

	meet(&one);
	pass(&one, HOLD);
	waits = phase(&one) == WEIR_HOLDING;
	hear(&one, SLOTS_STEP_SETTLED, 2); /* it looks at no openings */
	waits &= phase(&one) == WEIR_HOLDING;
	hear(&one, SLOTS_STEP_HOLDING, 2);
	waits &= phase(&one) == WEIR_LEARNING;
	meet(&one);
	pass(&one, 3 * HOLD);
	return waits && phase(&one) == WEIR_LEARNING;
}

static bool udp_waits(void)
{
	struct slots_note told;
	struct one one;
	bool waits;

	meet(&one);
	pass(&one, HOLD);
	hear(&one, SLOTS_STEP_LEARNING, 2);
	pass(&one, LEARN_UDP);
	waits = one.word.previous_udp == 1;
	hear(&one, SLOTS_STEP_LEARNING | SLOTS_STEP_UDP_OVER, 2);
	waits &= one.word.previous_udp == 0;

	meet(&one);
	pass(&one, HOLD);
	hear(&one, SLOTS_STEP_LEARNING, 2);
	pass(&one, LEARN_UDP);
	slots_tell(&one.slots, 0, one.now, &told); /* that it is over, a promise */
	one.restart = one.now;                     /* something finds no room */
	hear(&one, SLOTS_STEP_LEARNING | SLOTS_STEP_UDP_OVER | SLOTS_STEP_UDP_DONE, 2);
	return waits && told.step & SLOTS_STEP_UDP_OVER && one.word.previous_udp == 0;
}

static bool settled_wakes(void)
{
	struct one one;
	uint32_t epoch;

	begin(&one);
	epoch = flow_epoch(&one.word);
	slots_meet(&one.slots, true, one.now);
	hear(&one, SLOTS_STEP_CLEAR, 1);
	if (phase(&one) != WEIR_SETTLED)
		return false;
	hear(&one, SLOTS_STEP_LEARNING, 1);
	return phase(&one) == WEIR_REMEMBERING && flow_epoch(&one.word) == epoch + 1;
}

static bool other_table_waits(void)
{
	struct one one;

	begin(&one);
	slots_meet(&one.slots, true, one.now);
	hear(&one, SLOTS_STEP_LEARNING, 1);
	for (uint32_t i = 0; i < 3; i++)
		scan(&one, NULL, false);
	hear(&one, SLOTS_STEP_CLEAR, 3); /* its change is on its way, or ours to it */
	if (phase(&one) != WEIR_REMEMBERING)
		return false;
	hear(&one, SLOTS_STEP_CLEAR, 1);
	return phase(&one) == WEIR_SETTLED;
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

static bool stop_forgets(void)
{
	struct one one;

	learn(&one);
	one.role[1] = SLOTS_GONE;
	slots_stop(&one.slots, 1, one.now);
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

static bool syn_beside_a_pin_that_had_no_room(void)
{
	struct weir_opening opening = {.backend = 1, .first = 1000, .latest = 1000, .flags = WEIR_OPENING_CONFIRMED};
	struct flow_ask ask = {
		.slot = {.current = 2, .previous = 1, .state = WEIR_LEARNING},
		.kind = FLOW_SYN,
		.sequence = 5000,
		.opening = &opening,
		.of_current = {.flags = WEIR_BACKEND_SERVES | WEIR_BACKEND_ANSWERS | WEIR_BACKEND_OPEN},
		.of_opening = {.flags = WEIR_BACKEND_SERVES}, /* down, and keeps its flows */
	};
	struct flow_verdict verdict;

	flow_decide(&ask, &verdict);
	return verdict.backend == 2 && !verdict.todo;
}

static bool miss_that_leads_to_current(void)
{
	struct flow_ask ask = {
		.slot = {.current = 2, .previous = 2, .state = WEIR_LEARNING}, /* has moved away and back */
		.kind = FLOW_DATA,
		.of_current = {.flags = WEIR_BACKEND_SERVES},
		.of_previous = {.flags = WEIR_BACKEND_SERVES},
	};
	struct flow_verdict verdict;

	flow_decide(&ask, &verdict);
	return verdict.backend == 2 && !verdict.todo;
}

static bool initial_confirms(void)
{
	struct weir_opening opening = {.backend = 2, .first = 1000, .latest = 1000, .aimed = 7};
	struct flow_ask ask = {
		.slot = {.current = 2, .previous_udp = 1, .state = WEIR_REMEMBERING},
		.kind = FLOW_SYN,
		.udp = 1,
		.sequence = 1000, /* the client's connection id is the same, it has got the server's */
		.other = 8,
		.opening_limit = OPENING,
		.opening = &opening,
		.of_opening = {.flags = WEIR_BACKEND_SERVES | WEIR_BACKEND_ANSWERS | WEIR_BACKEND_OPEN},
	};
	struct flow_verdict verdict;

	flow_decide(&ask, &verdict);
	return verdict.backend == 2 && verdict.todo & FLOW_WRITE_PIN && verdict.todo & FLOW_CONFIRMED;
}

static const struct {
	const char *text;
	bool (*holds)(void);
} checks[] = {
	{"a scan that was under way as the slot went on counts for nothing", scan_under_way},
	{"a slot does not settle while there are openings", openings_are_waited_for},
	{"nor while there is something that a scan could not delete", what_is_stuck_is_waited_for},
	{"a pin is swept a second after its limit", a_second_after_its_limit},
	{"a window that is over does not begin again as the slot moves", window_does_not_begin_again},
	{"a hold waits for the peer, but for no more than 3 s", hold_waits},
	{"UDP waits for the peer, and keeps its promise", udp_waits},
	{"a settled slot wakes when the peer's has moved", settled_wakes},
	{"a peer whose table has another backend has not done yet", other_table_waits},
	{"a previous that stops serving is forgotten", stop_forgets},
	{"a start forgets one that serves no longer", start_forgets},
	{"so does a node that takes a peer's words", copy_forgets},
	{"a SYN that finds no backend changes nothing", syn_without_backend},
	{"no SYN writes over an opening that stands for a pin", syn_beside_a_pin_that_had_no_room},
	{"a packet without a pin that goes to current makes none", miss_that_leads_to_current},
	{"QUIC: an Initial that aims at the server's connection id confirms", initial_confirms},
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
