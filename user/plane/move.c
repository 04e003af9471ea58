/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Openings and pins go on in another set. In: the old set's maps, in which packets may still write; both ledgers, which
 * say where services, slots and backends are now. Out: the new set's maps, where packets may write already.
 */
#include "move.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "../../include/weir/flow.h"
#include "../lib/log.h"
#include "../lib/loop.h"
#include "batch.h"
#include "turns.h"

struct move {
	const struct old_set *old;
	struct set *set;
	struct moved moved;
	uint32_t now;
	uint32_t lost; /* found no room */
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

/* `seen` of what is in the new set by that key. */
static bool is_later(const struct move *move, uint32_t seen, uint32_t seen_there)
{
	return flow_age(move->now, seen) < flow_age(move->now, seen_there);
}

static void put(struct move *move, enum set_map map, const struct weir_flow_key *key, const void *value)
{
	int fd = move->set->fd[map];
	union {
		struct weir_opening opening;
		struct weir_pin pin;
	} there;
	bool later;

	if (!bpf_map_update_elem(fd, key, value, BPF_NOEXIST))
		return;
	if (errno != EEXIST) {
		move->lost++;
		return;
	}
	if (bpf_map_lookup_elem(fd, key, &there))
		return;
	later = map == MAP_OPENINGS ? is_later(move, ((const struct weir_opening *)value)->seen, there.opening.seen)
				    : is_later(move, ((const struct weir_pin *)value)->seen, there.pin.seen);
	if (later)
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
	if (!translate(move, &key, &opening.backend, &opening.slot))
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
	if (translate(move, &key, &pin.backend, &pin.slot))
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

/* Openings first: one that becomes a pin meanwhile is then seen as one of them. */
static void move_maps(struct move *move)
{
	static const enum set_map map[] = {MAP_OPENINGS, MAP_PINS};
	const char *path = move->set->path;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		int err = move_map(move, map[i]);

		if (err)
			log_warn("%s: %s of the set before cannot be read: %s", path, set_map_name(map[i]),
				 strerror(-err));
	}
	if (move->lost)
		log_warn("%s: no room for %u flows of the set before", path, move->lost);
}

static int open_move(struct move *move, const struct old_set *old, struct set *set)
{
	*move = (struct move){.old = old, .set = set, .now = turns_clock(loop_now_ns())};
	return adopt_find_moved(old, set, &move->moved);
}

void move_flows(const struct old_set *old, struct set *set)
{
	struct move move;
	int err = open_move(&move, old, set);

	if (!err)
		move_maps(&move);
	else
		log_warn("%s: the flows of the set before are not taken over: %s", set->path, strerror(-err));
	adopt_free_moved(&move.moved);
}

void move_rest(const struct old_set *old, struct set *set, unsigned int cpus)
{
	struct move move;
	int err = open_move(&move, old, set);

	if (!err) {
		move_maps(&move);
		err = adopt_carry(old, set, &move.moved, cpus);
	}
	if (err)
		log_warn("%s: its counters are lost: %s", old->set->path, strerror(-err));
	adopt_free_moved(&move.moved);
}
