/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives model/slots.c. In: the model's services (sync.c), the time (plane_turn). Out: slot words in the map, and what
 * walks over them have seen: how many slots are in which phase, which backends are named.
 *
 * A walk looks at every slot of a service, in stretches; whatever changes the words by a table makes a whole one at once.
 */
#include "turns.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/weir/flow.h"
#include "../lib/loop.h"

enum {
	STRETCH = 16384, /* slots in a call: a fraction of a millisecond */
	HOLD_MS = 1000,
	HOLD_LONGEST_MS = 3000,
	GRACE_MS = 1000,
	SCAN_GAP_MS = 1000,
	CLOSING_MS = 5 * 60 * 1000,
	FIRST_WALK = 2, /* so that a backend that has never been named is named by no walk */
};

#define PIECE_NS   1000000ULL   /* pause between two stretches */
#define HOLDING_NS 20000000ULL  /* between two rounds while a hold may be over soon */
#define ROUND_NS   100000000ULL /* else */

enum slots_role turns_role_of(uint16_t flags)
{
	if (!(flags & WEIR_BACKEND_SERVES))
		return SLOTS_GONE;
	if (!(flags & WEIR_BACKEND_ANSWERS))
		return SLOTS_DOWN;
	return flags & WEIR_BACKEND_OPEN ? SLOTS_UP : SLOTS_DRAINING;
}

int turns_load(struct turns *turns, const struct set *set)
{
	const struct weir_backend *backend = set_backends(set);

	*turns = (struct turns){.services = set->entries[MAP_SERVICES], .backends = set->entries[MAP_BACKENDS]};
	turns->service = calloc(turns->services, sizeof(*turns->service));
	turns->role = calloc(turns->backends, sizeof(*turns->role));
	turns->mark = calloc(turns->backends, sizeof(*turns->mark));
	if (!turns->service || !turns->role || !turns->mark)
		return -ENOMEM;
	for (uint32_t i = 1; i < turns->backends; i++)
		turns->role[i] = (uint8_t)turns_role_of(backend[i].flags);
	return 0;
}

void turns_free(struct turns *turns)
{
	for (uint32_t i = 0; turns->service && i < turns->services; i++)
		free(turns->service[i].slots.side);
	free(turns->service);
	free(turns->role);
	free(turns->mark);
	*turns = (struct turns){.service = NULL};
}

/* ---- what is seen ---- */

static bool is_settled(union weir_slot word)
{
	return flow_is_settled(&word);
}

/* Before the word may change: scans that have begun till now do not count for the backends in it. */
static void mark_scan(struct turns *turns, union weir_slot word)
{
	turns->mark[word.current].named_scan = turns->scans;
	turns->mark[word.previous].named_scan = turns->scans;
	turns->mark[word.previous_udp].named_scan = turns->scans;
}

static void mark_all(struct turns *turns, const struct turn *turn)
{
	for (uint32_t i = 0; i < turn->slots.slots; i++)
		mark_scan(turns, turn->slots.word[i]);
}

static void look(struct turns *turns, struct turn *turn, union weir_slot word)
{
	turns->mark[word.current].named_walk = turn->walk;
	turns->mark[word.previous].named_walk = turn->walk;
	turns->mark[word.previous_udp].named_walk = turn->walk;
	if (flow_phase(&word) == WEIR_HOLDING && word.previous != word.current)
		turns->mark[word.previous].holding_walk = turn->walk;
	turn->next_phases[flow_phase(&word)]++;
}

static void restart_walk(struct turn *turn)
{
	memset(turn->next_phases, 0, sizeof(turn->next_phases));
	turn->next = 0;
	turn->walk++;
}

/* Nothing of the service is in transition any more. */
static void rest(struct turns *turns, struct turn *turn)
{
	uint32_t *restart = (uint32_t *)(uintptr_t)turn->slots.restart; /* const for slots.c alone */

	if (!turn->slots.side)
		return;
	free(turn->slots.side);
	turn->slots.side = NULL;
	turn->slots.scanning = false;
	turns->turning--;
	for (uint32_t i = 0; i < turn->slots.slots; i++)
		if (restart[i])
			__atomic_store_n(&restart[i], 0, __ATOMIC_RELAXED);
}

static void end_walk(struct turns *turns, struct turn *turn)
{
	memcpy(turn->phases, turn->next_phases, sizeof(turn->phases));
	restart_walk(turn);
	if (turn->phases[WEIR_SETTLED] == turn->slots.slots)
		rest(turns, turn);
}

static void look_at_all(struct turns *turns, struct turn *turn)
{
	restart_walk(turn);
	for (uint32_t i = 0; i < turn->slots.slots; i++)
		look(turns, turn, turn->slots.word[i]);
	end_walk(turns, turn);
}

bool turns_name(const struct turns *turns, uint16_t service, uint16_t backend)
{
	return turns->mark[backend].named_walk + 1 >= turns->service[service].walk;
}

bool turns_hold(const struct turns *turns, uint16_t service, uint16_t backend)
{
	return turns->mark[backend].holding_walk + 1 >= turns->service[service].walk;
}

/* ---- a service ---- */

static bool serves(const struct config_service *config, uint8_t proto)
{
	for (size_t i = 0; i < config->listeners; i++)
		if (config->listener[i].proto == proto)
			return true;
	return false;
}

/* The window of flows that the service cannot have keeps nobody waiting. */
static struct slots_limits limits_of(const struct config_service *config)
{
	bool client = config->affinity == WEIR_AFFINITY_CLIENT; /* then all flows go by the same window */
	uint32_t learn_ms = config->learn_ms, learn_udp_ms = config->learn_udp_ms;

	if (!client && !serves(config, IPPROTO_TCP) && learn_udp_ms < learn_ms)
		learn_ms = learn_udp_ms;
	if ((client || !serves(config, IPPROTO_UDP)) && learn_ms < learn_udp_ms)
		learn_udp_ms = learn_ms;
	return (struct slots_limits){
		.hold = turns_clock_ms(HOLD_MS),
		.hold_longest = turns_clock_ms(HOLD_LONGEST_MS),
		.learn = turns_clock_ms(learn_ms),
		.learn_udp = turns_clock_ms(learn_udp_ms),
		.closing = turns_clock_ms(learn_ms < CLOSING_MS ? learn_ms : CLOSING_MS),
		.opening = turns_clock_ms(WEIR_OPENING_LIVES_MS),
		.grace = turns_clock_ms(GRACE_MS),
		.scan_gap = turns_clock_ms(SCAN_GAP_MS),
	};
}

static int begin(struct turns *turns, struct turn *turn, uint32_t now)
{
	if (turn->slots.side)
		return 0;
	turn->slots.side = calloc(turn->slots.slots, sizeof(*turn->slots.side));
	if (!turn->slots.side)
		return -ENOMEM;
	turns->turning++;
	turns->begun++;
	slots_adopt(&turn->slots, now);
	return 0;
}

/* What an agent before has left. An index that the map does not have was never written there: it is taken out. */
static int adopt(struct turns *turns, struct turn *turn, uint32_t now)
{
	bool settled = true;

	for (uint32_t i = 0; i < turn->slots.slots; i++) {
		union weir_slot word = turn->slots.word[i];

		word.current = word.current < turns->backends ? word.current : WEIR_BACKEND_NONE;
		word.previous = word.previous < turns->backends ? word.previous : WEIR_BACKEND_NONE;
		word.previous_udp = word.previous_udp < turns->backends ? word.previous_udp : WEIR_BACKEND_NONE;
		if (word.word != turn->slots.word[i].word)
			__atomic_store_n(&turn->slots.word[i].word, word.word, __ATOMIC_RELEASE);
		settled = settled && is_settled(word);
	}
	return settled ? 0 : begin(turns, turn, now);
}

int turns_open(struct turns *turns, const struct set *set, const struct model_service *service, uint32_t now)
{
	struct turn *turn = &turns->service[service->index];
	int err = 0;

	turn->slots.limits = limits_of(&service->config);
	if (turn->slots.word)
		return 0;
	turn->base = service->slot_base;
	turn->walk = FIRST_WALK;
	turn->slots.word = set_slots(set) + turn->base;
	turn->slots.restart = set_restarts(set) + turn->base;
	turn->slots.backend = set_backends(set);
	turn->slots.role = turns->role;
	turn->slots.slots = service->config.slots;
	err = adopt(turns, turn, now);
	if (err)
		turn->slots.word = NULL;
	else
		look_at_all(turns, turn);
	return err;
}

static void settle(union weir_slot *slot, uint16_t current)
{
	union weir_slot word = *slot;

	word.current = current;
	word.previous = word.previous_udp = WEIR_BACKEND_NONE;
	word.state = (uint16_t)(word.state & ~WEIR_SLOT_PHASE); /* WEIR_SETTLED is 0; the epoch stays */
	if (slot->word != word.word)
		__atomic_store_n(&slot->word, word.word, __ATOMIC_RELEASE);
}

void turns_clear(const struct set *set, const struct model_service *service)
{
	for (uint32_t i = 0; i < service->config.slots; i++)
		settle(&set_slots(set)[service->slot_base + i], WEIR_BACKEND_NONE);
}

void turns_close(struct turns *turns, uint16_t service)
{
	struct turn *turn = &turns->service[service];

	rest(turns, turn);
	*turn = (struct turn){.walk = FIRST_WALK};
}

void turns_forget_backend(struct turns *turns, uint16_t backend)
{
	turns->mark[backend] = (struct turn_mark){.named_scan = turns->scans};
}

bool turns_differ(const struct turns *turns, const struct model_service *service)
{
	const union weir_slot *word = turns->service[service->index].slots.word;

	for (uint32_t i = 0; i < service->config.slots; i++)
		if (word[i].current != service->table[i])
			return true;
	return false;
}

void turns_set(struct turns *turns, const struct model_service *service)
{
	struct turn *turn = &turns->service[service->index];

	for (uint32_t i = 0; i < turn->slots.slots; i++)
		settle(&turn->slots.word[i], service->table[i]);
	look_at_all(turns, turn);
}

int turns_move(struct turns *turns, const struct model_service *service, uint32_t now)
{
	struct turn *turn = &turns->service[service->index];
	int err = begin(turns, turn, now);

	if (err)
		return err;
	mark_all(turns, turn);
	for (uint32_t i = 0; i < turn->slots.slots; i++)
		slots_move(&turn->slots, i, service->table[i], now);
	look_at_all(turns, turn);
	return 0;
}

void turns_stop(struct turns *turns, uint16_t service, uint16_t backend, uint32_t now)
{
	struct turn *turn = &turns->service[service];

	if (!turn->slots.side)
		return; /* settled: no slot keeps flows on it */
	mark_all(turns, turn);
	slots_stop(&turn->slots, backend, now);
	look_at_all(turns, turn);
}

/* ---- the walk ---- */

/* By a clock that is read now: a slot may have moved since the agent's turn began. */
static uint32_t walk_stretch(struct turns *turns, struct turn *turn, uint32_t most)
{
	struct slots *slots = &turn->slots;
	uint32_t now = turns_clock(loop_now_ns());
	uint32_t first = turn->next, left = slots->slots - first, count = left < most ? left : most;

	for (uint32_t i = first; i < first + count; i++) {
		if (!is_settled(slots->word[i])) {
			mark_scan(turns, slots->word[i]);
			slots_tick(slots, i, 1, now);
		}
		look(turns, turn, slots->word[i]);
	}
	turn->next += count;
	if (turn->next == slots->slots)
		end_walk(turns, turn);
	return count;
}

static bool any_holds(const struct turns *turns)
{
	for (uint32_t i = 0; i < turns->services; i++)
		if (turns->service[i].slots.side && turns->service[i].phases[WEIR_HOLDING])
			return true;
	return false;
}

uint64_t turns_walk(struct turns *turns, uint64_t now_ns)
{
	uint32_t left = STRETCH;

	if (!turns->turning)
		return 0;
	if (now_ns < turns->at_ns)
		return turns->at_ns;
	while (turns->at < turns->services) {
		struct turn *turn = &turns->service[turns->at];

		if (turn->slots.side && !left)
			return now_ns + PIECE_NS;
		if (turn->slots.side)
			left -= walk_stretch(turns, turn, left);
		if (turn->next == 0)
			turns->at++;
	}
	turns->at = 0;
	turns->at_ns = now_ns + (any_holds(turns) ? HOLDING_NS : ROUND_NS);
	return turns->turning ? turns->at_ns : 0;
}
