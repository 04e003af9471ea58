/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Openings and pins go on in another set. In: the old set's maps, in which packets may still write; both ledgers, which
 * say where services, slots and backends are now. Out: the new set's maps, where packets may write already.
 */
#include "move.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/weir/flow.h"
#include "../lib/log.h"
#include "../lib/loop.h"
#include "batch.h"
#include "turns.h"

enum {
	PASSES = 4,      /* before the turn, at most */
	SHORT_MS = 10,   /* a pass that takes no longer leaves little to the next one */
	MARGIN_MS = 200, /* an element may be written that much later than the packet came that it is of */
};

struct move {
	const struct old_set *old;
	struct set *set;
	struct moved moved;
	bool all;       /* also what the last pass has seen already */
	uint32_t since; /* the last pass began; weir clock */
	uint32_t now;   /* this one did */
	uint32_t lost;  /* in this pass: found no room */
	uint32_t most_lost;
	pthread_t mover;
	bool moving; /* there is a mover */
	atomic_bool turned;
};

/* Where the slot is now, or -1. */
static int64_t move_slot(const struct move *move, uint16_t from, uint16_t to, uint32_t slot)
{
	struct weir_service_name name;
	union weir_service old, new = set_services(move->set)[to];

	move->old->reader->service(move->old->set, from, &name, &old);
	if (old.slot_bits != new.slot_bits || slot - old.slot_base >= 1u << old.slot_bits)
		return -1;
	return (int64_t)slot - old.slot_base + new.slot_base;
}

/* What the element names, by the new set's indexes. False: it is of nothing that is there. */
static bool translate(const struct move *move, struct weir_flow_key *key, uint16_t *backend, uint32_t *slot)
{
	const uint32_t *entries = move->old->set->entries;
	uint16_t from = key->service;
	int64_t to;

	if (from >= entries[MAP_SERVICES] || *backend >= entries[MAP_BACKENDS] ||
	    move->moved.service[from] == UINT16_MAX || move->moved.backend[*backend] == WEIR_BACKEND_NONE)
		return false;
	key->service = move->moved.service[from];
	*backend = move->moved.backend[*backend];
	to = move_slot(move, from, key->service, *slot);
	*slot = (uint32_t)to;
	return to >= 0;
}

/* What no packet has met since the last pass began is in the new set already. */
static bool is_news(const struct move *move, uint32_t seen)
{
	return move->all || flow_age(move->now, seen) <= move->now - move->since + turns_clock_ms(MARGIN_MS);
}

static bool is_later(const struct move *move, uint32_t seen, uint32_t seen_there)
{
	return flow_age(move->now, seen) < flow_age(move->now, seen_there);
}

/*
 * May the pin replace the one that is in the new set by that key? An opening's word stands against that of a packet which
 * has met none because it was not moved yet.
 */
static bool pin_wins(const struct move *move, const struct weir_pin *pin, const struct weir_pin *there)
{
	if (pin->flags & ~there->flags & WEIR_PIN_CONFIRMED && pin->epoch == there->epoch)
		return true;
	return is_later(move, pin->seen, there->seen);
}

static void put(struct move *move, enum set_map map, const struct weir_flow_key *key, const void *value)
{
	int fd = move->set->fd[map];
	union {
		struct weir_opening opening;
		struct weir_pin pin;
	} there;

	if (!bpf_map_update_elem(fd, key, value, BPF_NOEXIST))
		return;
	if (errno != EEXIST) {
		move->lost++;
		return;
	}
	if (bpf_map_lookup_elem(fd, key, &there))
		return;
	if (map == MAP_OPENINGS ? is_later(move, ((const struct weir_opening *)value)->seen, there.opening.seen)
				: pin_wins(move, value, &there.pin))
		(void)bpf_map_update_elem(fd, key, value, BPF_EXIST);
}

/* There is an opening beside the pin now, if there is a pin: packets are to look for it. */
static void not_alone(const struct move *move, const struct weir_flow_key *key)
{
	struct weir_pin pin;

	if (bpf_map_lookup_elem(move->set->fd[MAP_PINS], key, &pin) || !(pin.flags & WEIR_PIN_ALONE))
		return;
	pin.flags &= (uint16_t)~WEIR_PIN_ALONE;
	(void)bpf_map_update_elem(move->set->fd[MAP_PINS], key, &pin, BPF_EXIST);
}

static void move_opening(struct move *move, const struct batch *batch, uint32_t i)
{
	struct weir_opening opening;
	struct weir_flow_key key;

	move->old->reader->key(batch_key(batch, i), &key);
	move->old->reader->opening(batch_value(batch, i), &opening);
	if (!is_news(move, opening.seen) || !translate(move, &key, &opening.backend, &opening.slot))
		return;
	put(move, MAP_OPENINGS, &key, &opening);
	not_alone(move, &key);
}

static void move_pin(struct move *move, const struct batch *batch, uint32_t i)
{
	struct weir_flow_key key;
	struct weir_pin pin;

	move->old->reader->key(batch_key(batch, i), &key);
	move->old->reader->pin(batch_value(batch, i), &pin);
	pin.flags &= (uint16_t)~WEIR_PIN_ALONE; /* its opening may be written at this moment, there or here */
	if (is_news(move, pin.seen) && translate(move, &key, &pin.backend, &pin.slot))
		put(move, MAP_PINS, &key, &pin);
}

static int move_map(struct move *move, enum set_map map)
{
	const struct set *old = move->old->set;
	struct batch batch;
	int err = batch_open(&batch, old->key_size[map], old->value_size[map]);

	while (!err && !batch.ended) {
		err = batch_next(&batch, old->fd[map]);
		for (uint32_t i = 0; i < batch.count; i++) {
			if (map == MAP_OPENINGS)
				move_opening(move, &batch, i);
			else
				move_pin(move, &batch, i);
		}
	}
	batch_close(&batch);
	return err;
}

/* Openings first: one that becomes a pin meanwhile is then seen as one of them. Returns how long it took, in ns. */
static uint64_t move_maps(struct move *move)
{
	static const enum set_map map[] = {MAP_OPENINGS, MAP_PINS};
	const char *path = move->set->path;
	uint64_t began_ns = loop_now_ns();

	move->now = turns_clock(began_ns);
	move->lost = 0;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		int err = move_map(move, map[i]);

		if (err)
			log_warn("%s: %s of the set before cannot be read: %s", path, set_map_name(map[i]),
				 strerror(-err));
	}
	if (move->lost > move->most_lost)
		move->most_lost = move->lost;
	move->since = move->now;
	move->all = false;
	return loop_now_ns() - began_ns;
}

struct move *move_begin(const struct old_set *old, struct set *set)
{
	struct move *move = calloc(1, sizeof(*move));
	int err = move ? adopt_find_moved(old, set, &move->moved) : -ENOMEM;

	if (err) {
		log_warn("%s: nothing of the set before is taken over: %s", set->path, strerror(-err));
		free(move);
		return NULL;
	}
	move->old = old;
	move->set = set;
	move->all = true;
	return move;
}

static void *keep_moving(void *arg)
{
	struct move *move = arg;

	do
		(void)move_maps(move);
	while (!atomic_load(&move->turned));
	return NULL;
}

/* A turn lasts about ten ms, as the kernel waits until no packet is in the old program, but the new one runs at once. */
void move_flows(struct move *move)
{
	if (!move)
		return;
	for (int i = 0; i < PASSES && move_maps(move) > SHORT_MS * 1000000ull; i++)
		;
	move->moving = !pthread_create(&move->mover, NULL, keep_moving, move);
}

void move_turned(struct move *move)
{
	if (!move)
		return;
	if (move->moving) {
		atomic_store(&move->turned, true);
		(void)pthread_join(move->mover, NULL);
		move->moving = false;
	}
	(void)move_maps(move);
}

void move_free(struct move *move)
{
	if (!move)
		return;
	adopt_free_moved(&move->moved);
	free(move);
}

void move_end(struct move *move, unsigned int cpus)
{
	int err;

	if (!move)
		return;
	(void)move_maps(move);
	if (move->most_lost)
		log_warn("%s: no room for %u flows of the set before", move->set->path, move->most_lost);
	err = adopt_carry(move->old, move->set, &move->moved, cpus);
	if (err)
		log_warn("%s: its counters are lost: %s", move->old->set->path, strerror(-err));
	move_free(move);
}
