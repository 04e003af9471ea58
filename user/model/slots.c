/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transitions of slots. In: the table's moves, roles, what scans and peers say, the clock. Out: slot words, each
 * written by one store; what a scan is to delete; what peers are to be told.
 *
 * What holds in each phase, and lets the next one begin:
 *   settled      every live flow is on current
 *   holding      every live flow without a pin or an opening is on previous, as are new ones
 *   learning     every live flow without a pin or an opening is on previous, where none begin but those that left no
 *                room for an opening; after a window without those, each has sent a packet and so has a pin
 *   remembering  every live flow without a pin or an opening is on current
 */
#include "slots.h"

#include "../../include/weir/flow.h"

static uint16_t phase_of(union weir_slot word)
{
	return word.state & WEIR_SLOT_PHASE;
}

static void set_phase(union weir_slot *word, enum weir_phase phase)
{
	word->state = (uint16_t)((word->state & (uint16_t)~WEIR_SLOT_PHASE) | (uint16_t)phase);
}

static void next_epoch(union weir_slot *word)
{
	word->state = (uint16_t)(word->state + (1u << WEIR_SLOT_EPOCH_SHIFT));
}

static void store(struct slots *slots, uint32_t slot, union weir_slot word)
{
	__atomic_store_n(&slots->word[slot].word, word.word, __ATOMIC_RELEASE);
}

/* The later one of a window's begin and the last time that something could not be written. */
static uint32_t window_age(const struct slots *slots, uint32_t slot, uint32_t since, uint32_t now)
{
	uint32_t restart = __atomic_load_n(&slots->restart[slot], __ATOMIC_RELAXED);
	uint32_t age = flow_age(now, since);

	if (restart && flow_age(now, restart) < age)
		age = flow_age(now, restart);
	return age;
}

static bool udp_is_over(const struct slots *slots, uint32_t slot, uint32_t now)
{
	union weir_slot word = slots->word[slot];

	return !word.previous_udp ||
	       (phase_of(word) != WEIR_HOLDING &&
		window_age(slots, slot, slots->side[slot].since_udp, now) >= slots->limits.learn_udp);
}

static uint8_t step_of(const struct slots *slots, uint32_t slot, uint32_t now)
{
	const struct slots_side *side = &slots->side[slot];
	union weir_slot word = slots->word[slot];

	switch (phase_of(word)) {
	case WEIR_HOLDING:
		return SLOTS_STEP_HOLDING;
	case WEIR_LEARNING:
		return window_age(slots, slot, side->since, now) < slots->limits.learn ? SLOTS_STEP_LEARNING
										       : SLOTS_STEP_OVER;
	case WEIR_REMEMBERING:
		return side->clean < 2 || word.previous_udp ? SLOTS_STEP_REMEMBERING : SLOTS_STEP_CLEAR;
	default:
		return SLOTS_STEP_SETTLED;
	}
}

static uint8_t told_of(const struct slots *slots, uint32_t slot, uint32_t now)
{
	uint8_t told = step_of(slots, slot, now);

	if (udp_is_over(slots, slot, now))
		told |= SLOTS_STEP_UDP_OVER;
	if (!slots->word[slot].previous_udp)
		told |= SLOTS_STEP_UDP_DONE;
	return told;
}

static uint8_t peer_step(const struct slots *slots, uint32_t slot)
{
	return slots->side[slot].peer & SLOTS_STEP_MASK;
}

/* What scans have seen of the slot, and what the one under way has seen so far, counts no longer. */
static void unclean(struct slots *slots, uint32_t slot)
{
	struct slots_side *side = &slots->side[slot];

	side->clean = 0;
	if (slots->scanning)
		side->flags |= SLOTS_FOUND;
}

/* The slot has changed in a way that the peer must have seen before it counts as agreeing. */
static void change(struct slots *slots, uint32_t slot)
{
	struct slots_side *side = &slots->side[slot];

	if (!++side->version)
		side->version = 1; /* 0 is what nobody has heard */
	side->peer = SLOTS_STEP_NONE;
	side->flags = SLOTS_TELL;
	unclean(slots, slot);
}

/* Flows that are on a backend that does not serve are lost: nothing is to be learned of them. */
static void forget(struct slots *slots, uint32_t slot, uint32_t now)
{
	union weir_slot word = slots->word[slot];
	uint16_t phase = phase_of(word);

	if (word.previous_udp && slots->role[word.previous_udp] == SLOTS_GONE) {
		word.previous_udp = 0;
		slots->side[slot].since_udp = now;
	}
	if ((phase == WEIR_HOLDING || phase == WEIR_LEARNING) && slots->role[word.previous] == SLOTS_GONE) {
		word.previous = 0;
		set_phase(&word, WEIR_REMEMBERING);
		slots->side[slot].since = now;
		unclean(slots, slot);
	}
	if (word.word != slots->word[slot].word)
		store(slots, slot, word);
}

uint32_t slots_left(const struct slots *slots, uint32_t slot, bool udp, uint32_t now)
{
	const struct slots_limits *limits = &slots->limits;
	const struct slots_side *side = &slots->side[slot];
	union weir_slot word = slots->word[slot];
	uint32_t limit = 0, age = 0;

	if (phase_of(word) == WEIR_HOLDING) {
		limit = limits->hold;
		age = flow_age(now, side->since);
	} else if (udp && word.previous_udp) {
		limit = limits->learn_udp;
		age = window_age(slots, slot, side->since_udp, now);
	} else if (!udp && phase_of(word) == WEIR_LEARNING) {
		limit = limits->learn;
		age = window_age(slots, slot, side->since, now);
	}
	return age < limit ? limit - age : 0;
}

void slots_adopt(struct slots *slots, uint32_t now)
{
	slots->scanned = now;
	slots->scanning = false;
	for (uint32_t i = 0; i < slots->slots; i++) {
		slots->side[i] = (struct slots_side){.since = now, .since_udp = now, .version = 1};
		forget(slots, i, now);
	}
}

void slots_stop(struct slots *slots, uint16_t backend, uint32_t now)
{
	for (uint32_t i = 0; i < slots->slots; i++) {
		if (slots->word[i].previous == backend || slots->word[i].previous_udp == backend)
			forget(slots, i, now);
	}
}

static void end_hold(struct slots *slots, uint32_t slot, union weir_slot *word, uint32_t now)
{
	struct slots_side *side = &slots->side[slot];
	uint32_t age = flow_age(now, side->since);
	bool agreed = !slots->peer || age >= slots->limits.hold_longest ||
		      (peer_step(slots, slot) != SLOTS_STEP_NONE && peer_step(slots, slot) != SLOTS_STEP_SETTLED);

	if (age < slots->limits.hold || !agreed)
		return;
	set_phase(word, WEIR_LEARNING);
	side->since = now;
	if (word->previous_udp)
		side->since_udp = now;
}

static bool udp_ends(const struct slots *slots, uint32_t slot, uint32_t now)
{
	const struct slots_side *side = &slots->side[slot];

	if (!slots->word[slot].previous_udp)
		return false;
	if (slots->peer && side->flags & SLOTS_PROMISED_UDP && side->peer & SLOTS_STEP_UDP_DONE)
		return true;
	return udp_is_over(slots, slot, now) && (!slots->peer || side->peer & SLOTS_STEP_UDP_OVER);
}

static bool window_ends(const struct slots *slots, uint32_t slot, uint8_t own)
{
	uint8_t peer = peer_step(slots, slot);

	if (own == SLOTS_STEP_LEARNING)
		return slots->peer && slots->side[slot].flags & SLOTS_PROMISED && peer >= SLOTS_STEP_REMEMBERING;
	return own == SLOTS_STEP_OVER && (!slots->peer || peer >= SLOTS_STEP_OVER);
}

static void step(struct slots *slots, uint32_t slot, uint32_t now)
{
	struct slots_side *side = &slots->side[slot];
	union weir_slot word = slots->word[slot];
	uint8_t own = step_of(slots, slot, now);

	if (udp_ends(slots, slot, now)) {
		word.previous_udp = 0;
		side->since_udp = now;
		unclean(slots, slot);
	}
	if (own == SLOTS_STEP_HOLDING) {
		end_hold(slots, slot, &word, now);
	} else if (window_ends(slots, slot, own)) {
		set_phase(&word, WEIR_REMEMBERING);
		word.previous = 0;
		side->since = now;
		unclean(slots, slot);
	} else if (own == SLOTS_STEP_CLEAR && (!slots->peer || peer_step(slots, slot) >= SLOTS_STEP_CLEAR)) {
		set_phase(&word, WEIR_SETTLED);
	}
	if (word.word != slots->word[slot].word)
		store(slots, slot, word);
	if (told_of(slots, slot, now) != side->told)
		side->flags |= SLOTS_TELL;
}

void slots_tick(struct slots *slots, uint32_t first, uint32_t count, uint32_t now)
{
	for (uint32_t i = first; i < first + count; i++) {
		if (phase_of(slots->word[i]) != WEIR_SETTLED)
			step(slots, i, now);
	}
}

static void move_udp(struct slots *slots, union weir_slot *word, uint32_t slot, uint32_t now)
{
	if (!word->previous_udp && slots->role[word->current] != SLOTS_GONE)
		word->previous_udp = word->current;
	slots->side[slot].since_udp = now;
}

bool slots_move(struct slots *slots, uint32_t slot, uint16_t to, uint32_t now)
{
	struct slots_side *side = &slots->side[slot];
	union weir_slot word;
	uint8_t role;
	uint16_t phase;

	if (slots->word[slot].current == to)
		return false;
	slots_tick(slots, slot, 1, now); /* a window that is over must not begin again: the peer may have gone on */
	word = slots->word[slot];
	role = word.current ? slots->role[word.current] : SLOTS_GONE;
	phase = phase_of(word);
	if (role != SLOTS_GONE || word.previous_udp)
		move_udp(slots, &word, slot, now);
	if (phase == WEIR_LEARNING) {
		side->since = now;
	} else if (phase != WEIR_HOLDING && role != SLOTS_GONE) {
		word.previous = word.current;
		if (phase == WEIR_SETTLED)
			next_epoch(&word);
		set_phase(&word, role == SLOTS_DOWN ? WEIR_LEARNING : WEIR_HOLDING);
		side->since = now;
	}
	word.current = to;
	store(slots, slot, word);
	change(slots, slot);
	return true;
}

/* ---- scans ---- */

bool slots_scan_begin(struct slots *slots, uint32_t now)
{
	if (slots->scanning || flow_age(now, slots->scanned) < slots->limits.scan_gap)
		return false;
	slots->scanning = true;
	return true;
}

/* A peer's flow: the peer sees its packets, and may die before it has told of the latest one. */
static uint32_t idle_limit(uint32_t limit, bool peer)
{
	return peer ? 2 * limit + limit / 4 : limit;
}

/* Does an entry of the slot mean anything still? */
static bool is_valid(const struct slots *slots, uint32_t slot, uint16_t epoch, uint16_t backend, uint16_t generation)
{
	union weir_slot word = slots->word[slot];

	return phase_of(word) != WEIR_SETTLED && epoch == word.state >> WEIR_SLOT_EPOCH_SHIFT &&
	       slots->role[backend] != SLOTS_GONE && generation == slots->backend[backend].generation;
}

bool slots_see_pin(struct slots *slots, const struct weir_pin *pin, bool udp, uint32_t now)
{
	const struct slots_limits *limits = &slots->limits;
	struct slots_side *side = &slots->side[pin->slot];
	union weir_slot word = slots->word[pin->slot];
	uint32_t limit = udp ? limits->learn_udp : pin->flags & WEIR_PIN_CLOSING ? limits->closing : limits->learn;
	bool needless = udp ? !word.previous_udp : phase_of(word) == WEIR_REMEMBERING;

	if (!is_valid(slots, pin->slot, pin->epoch, pin->backend, pin->generation) ||
	    flow_age(now, pin->seen) > idle_limit(limit, pin->flags & WEIR_PIN_PEER) + limits->grace)
		return false;
	if (needless && pin->backend == word.current &&
	    flow_age(now, udp ? side->since_udp : side->since) >= limits->grace)
		return false;
	side->flags |= SLOTS_FOUND;
	return true;
}

bool slots_see_opening(struct slots *slots, const struct weir_opening *opening, bool udp, uint32_t now)
{
	const struct slots_limits *limits = &slots->limits;
	uint32_t limit = udp ? limits->learn_udp : limits->learn;

	if (opening->flags & WEIR_OPENING_CONFIRMED)
		limit = idle_limit(limit, opening->flags & WEIR_OPENING_PEER);
	else
		limit = limits->opening;
	if (!is_valid(slots, opening->slot, opening->epoch, opening->backend, opening->generation) ||
	    flow_age(now, opening->seen) > limit + limits->grace)
		return false;
	slots->side[opening->slot].flags |= SLOTS_FOUND;
	return true;
}

void slots_not_deleted(struct slots *slots, uint32_t slot)
{
	slots->side[slot].flags |= SLOTS_FOUND;
}

void slots_scan_end(struct slots *slots, uint32_t now)
{
	for (uint32_t i = 0; i < slots->slots; i++) {
		struct slots_side *side = &slots->side[i];

		if (side->flags & SLOTS_FOUND || phase_of(slots->word[i]) != WEIR_REMEMBERING)
			side->clean = 0;
		else if (side->clean < 2)
			side->clean++;
		side->flags &= (uint8_t)~SLOTS_FOUND;
	}
	slots->scanning = false;
	slots->scanned = now;
}

/* ---- peers ---- */

bool slots_tell(struct slots *slots, uint32_t slot, uint32_t now, struct slots_note *note)
{
	struct slots_side *side = &slots->side[slot];

	if (!slots->peer || !(side->flags & SLOTS_TELL))
		return false;
	side->flags &= (uint8_t)~SLOTS_TELL;
	side->told = told_of(slots, slot, now);
	if ((side->told & SLOTS_STEP_MASK) == SLOTS_STEP_OVER)
		side->flags |= SLOTS_PROMISED;
	if (side->told & SLOTS_STEP_UDP_OVER)
		side->flags |= SLOTS_PROMISED_UDP;
	*note = (struct slots_note){
		.slot = slot,
		.backend = slots->word[slot].current,
		.version = side->version,
		.echo = side->heard,
		.step = side->told,
	};
	return true;
}

/* A slot that a peer may send pins for looks at them. */
static void wake(struct slots *slots, uint32_t slot, uint32_t now)
{
	union weir_slot word = slots->word[slot];

	next_epoch(&word);
	set_phase(&word, WEIR_REMEMBERING);
	slots->side[slot].since = now;
	slots->side[slot].since_udp = now;
	store(slots, slot, word);
	change(slots, slot);
}

void slots_take(struct slots *slots, const struct slots_note *note, uint32_t now)
{
	struct slots_side *side = &slots->side[note->slot];
	uint8_t theirs = note->step & SLOTS_STEP_MASK;

	if (side->heard != note->version)
		side->flags |= SLOTS_TELL;
	side->heard = note->version;
	if (phase_of(slots->word[note->slot]) == WEIR_SETTLED && theirs < SLOTS_STEP_CLEAR)
		wake(slots, note->slot, now);
	side->peer = note->echo == side->version ? note->step : SLOTS_STEP_NONE;
	if (side->peer && theirs >= SLOTS_STEP_CLEAR && note->backend != slots->word[note->slot].current)
		side->peer = SLOTS_STEP_REMEMBERING | (note->step & (SLOTS_STEP_UDP_OVER | SLOTS_STEP_UDP_DONE));
	slots_tick(slots, note->slot, 1, now); /* before anything that comes after the note */
}

void slots_meet(struct slots *slots, bool peer, uint32_t now)
{
	bool lost = slots->peer && !peer;

	for (uint32_t i = 0; i < slots->slots; i++) {
		struct slots_side *side = &slots->side[i];

		/* flows that had found no room on the peer are to be learned here */
		if (lost && peer_step(slots, i) < SLOTS_STEP_OVER && phase_of(slots->word[i]) == WEIR_LEARNING)
			side->since = now;
		if (lost && !(side->peer & SLOTS_STEP_UDP_OVER) && slots->word[i].previous_udp)
			side->since_udp = now;
		if (lost && peer_step(slots, i) < SLOTS_STEP_CLEAR) /* its last pins may have come after our scans */
			unclean(slots, i);
		if (lost) /* nobody waits for it; what finds no room from now on is learned by our own clock */
			side->flags &= (uint8_t) ~(SLOTS_PROMISED | SLOTS_PROMISED_UDP);
		side->peer = SLOTS_STEP_NONE;
		side->heard = 0;
		side->flags |= SLOTS_TELL;
	}
	slots->peer = peer;
}

void slots_copy(struct slots *slots, uint32_t slot, union weir_slot word, uint32_t now)
{
	slots->side[slot].since = now;
	slots->side[slot].since_udp = now;
	store(slots, slot, word);
	change(slots, slot);
	forget(slots, slot, now);
}
