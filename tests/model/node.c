/* SPDX-License-Identifier: BSD-2-Clause */
/* A node's agent: makes its table, drives the slots, scans the maps. */
#include <string.h>

#include "world.h"

static const struct slots_limits limits = {
	.hold = HOLD,
	.hold_longest = 3 * HOLD,
	.learn = LEARN,
	.learn_udp = LEARN_UDP,
	.closing = CLOSING,
	.opening = OPENING,
	.grace = GRACE,
	.scan_gap = SECOND,
};

static uint16_t table(const struct node *node, uint32_t slot)
{
	for (uint32_t i = 0; i < BACKENDS - 1; i++) {
		uint16_t backend = (uint16_t)(1 + (slot + node->shift[slot] + i) % (BACKENDS - 1));

		if (node->role[backend] == SLOTS_UP)
			return backend;
	}
	return 0;
}

/* The other one may take this node at its word just now: a change here is the same as a change on both. */
static bool has_said_over(const struct world *world, const struct node *node, uint32_t slot)
{
	uint8_t flags = node->side[slot].flags;
	const union weir_slot *word = &node->word[slot];

	return world->linked && ((flags & SLOTS_PROMISED && flow_phase(word) == WEIR_LEARNING) ||
				 (flags & SLOTS_PROMISED_UDP && word->previous_udp));
}

static void move_slots(struct world *world, struct node *node)
{
	for (uint32_t i = 0; i < world->rules.slots; i++) {
		bool over = has_said_over(world, node, i);

		if (slots_move(&node->slots, i, table(node, i), node_clock(world)) && over)
			world->raced[i] = true;
	}
	news_notes(world, node);
}

static uint16_t flags_of(uint8_t role)
{
	return (uint16_t)((role >= SLOTS_DOWN ? WEIR_BACKEND_SERVES : 0) |
			  (role >= SLOTS_DRAINING ? WEIR_BACKEND_ANSWERS : 0) |
			  (role == SLOTS_UP ? WEIR_BACKEND_OPEN : 0));
}

static void change_role(struct node *node, uint16_t index, uint8_t role)
{
	if (node->role[index] == SLOTS_GONE && role != SLOTS_GONE)
		node->backend[index].generation++;
	node->role[index] = role;
	node->backend[index].flags = flags_of(role);
}

/* True if the backend has stopped serving, if only for a moment. */
static bool stop_role(struct world *world, struct node *node, uint16_t backend, uint8_t role, uint32_t life)
{
	bool stops = node->role[backend] != SLOTS_GONE && (role == SLOTS_GONE || life != node->life[backend]);

	if (stops) {
		change_role(node, backend, SLOTS_GONE);
		node->stopped[backend] = world->now;
		slots_stop(&node->slots, backend, node_clock(world));
	}
	return stops;
}

void node_set_role(struct world *world, struct node *node, uint16_t backend, uint8_t role, uint32_t life)
{
	if (stop_role(world, node, backend, role, life))
		move_slots(world, node);
	node->life[backend] = life;
	change_role(node, backend, role);
	move_slots(world, node);
}

void node_set_all(struct world *world, struct node *node)
{
	for (uint16_t i = 1; i < BACKENDS; i++)
		stop_role(world, node, i, world->role[i], world->life[i]);
	memcpy(node->shift, world->shift, sizeof(node->shift));
	for (uint16_t i = 1; i < BACKENDS; i++) {
		node->life[i] = world->life[i];
		change_role(node, i, world->role[i]);
	}
	for (uint32_t i = 0; i < BACKENDS + SLOTS; i++)
		node->changed[i] = world->changes;
	move_slots(world, node);
}

void node_set_shift(struct world *world, struct node *node, uint16_t slot, uint8_t shift)
{
	node->shift[slot] = shift;
	move_slots(world, node);
}

static bool may_delete(struct world *world, struct node *node, uint32_t slot)
{
	if (node->deletes) {
		--node->deletes;
		return true;
	}
	if (!world->rules.overlooks)
		slots_not_deleted(&node->slots, slot);
	return false;
}

static void scan_pin(struct world *world, struct node *node, uint32_t i)
{
	struct pin_entry *entry = &node->pin[i];

	if (slots_see_pin(&node->slots, &entry->pin, entry->udp, node_clock(world))) {
		entry->overdue = false;
		return;
	}
	if (!may_delete(world, node, entry->pin.slot))
		return;
	if (!(entry->pin.flags & WEIR_PIN_PEER) && world->now - entry->pin.seen > path_limit(entry))
		news_pin(world, node, entry, NEWS_REMOVE); /* its time is over, not its use */
	path_drop_pin(node, i);
}

static void scan_opening(struct world *world, struct node *node, uint32_t i)
{
	struct opening_entry *entry = &node->opening[i];

	if (slots_see_opening(&node->slots, &entry->opening, entry->udp, node_clock(world))) {
		entry->overdue = false;
		return;
	}
	if (!may_delete(world, node, entry->opening.slot))
		return;
	if (entry->opening.flags == WEIR_OPENING_CONFIRMED)
		news_opening(world, node, entry, NEWS_REMOVE_OPENING);
	path_drop_opening(node, i);
}

/* A piece of a scan: pins first, then openings. From the last one down: what comes in meanwhile may be missed. */
static void scan(struct world *world, struct node *node, uint32_t piece)
{
	if (slots_scan_begin(&node->slots, node_clock(world))) {
		node->scan_pins = node->pins;
		node->scan_openings = OPENINGS;
		node->deletes = world->rules.deletes;
	}
	for (uint32_t i = 0; i < piece && node->slots.scanning; i++) {
		if (node->scan_pins) {
			if (--node->scan_pins < node->pins)
				scan_pin(world, node, node->scan_pins);
			continue;
		}
		if (node->scan_openings > node->openings)
			node->scan_openings = node->openings;
		if (node->scan_openings)
			scan_opening(world, node, --node->scan_openings);
		else
			slots_scan_end(&node->slots, node_clock(world));
	}
}

/* Every quarter of the shortest idle limit: pins that had packets since. */
static void refresh(struct world *world, struct node *node)
{
	uint32_t since = world->now - node->refreshed;

	if (since < LEARN_UDP / 4)
		return;
	for (uint32_t i = 0; i < node->pins; i++) {
		struct pin_entry *entry = &node->pin[i];

		if (entry->pin.flags & WEIR_PIN_PEER || world->now - entry->pin.seen > since)
			continue;
		news_pin(world, node, entry, NEWS_REFRESH);
	}
	for (uint32_t i = 0; i < node->openings; i++) {
		struct opening_entry *entry = &node->opening[i];

		if (entry->opening.flags != WEIR_OPENING_CONFIRMED || world->now - entry->opening.seen > since)
			continue;
		news_opening(world, node, entry, NEWS_OPENING);
	}
	node->refreshed = world->now;
}

void node_tick(struct world *world, struct node *node, bool whole)
{
	if (!node->alive)
		return;
	refresh(world, node);
	slots_tick(&node->slots, 0, world->rules.slots, node_clock(world));
	scan(world, node, whole ? PINS + OPENINGS + 1 : world->rules.piece);
	news_notes(world, node);
}

static void bind_slots(struct world *world, struct node *node)
{
	node->slots = (struct slots){
		.word = node->word,
		.side = node->side,
		.restart = node->restart,
		.backend = node->backend,
		.role = node->role,
		.slots = world->rules.slots,
		.limits = limits,
	};
	slots_adopt(&node->slots, node_clock(world));
}

/* From nothing: maps are empty, and the table is what the world's state makes it. */
void node_start(struct world *world, struct node *node)
{
	memset(node, 0, sizeof(*node));
	node->alive = node->fresh = true;
	node->refreshed = world->now;
	for (uint16_t i = 1; i < BACKENDS; i++) {
		node->role[i] = world->role[i];
		node->life[i] = world->life[i];
		node->backend[i].generation = (uint16_t)(world->rules.generation + (node == world->node ? i : 7 * i));
		node->backend[i].flags = flags_of(world->role[i]);
	}
	for (uint32_t i = 0; i < world->rules.slots; i++) {
		node->shift[i] = world->shift[i];
		node->word[i].state = (uint16_t)(world->rules.epoch << WEIR_SLOT_EPOCH_SHIFT);
		node->word[i].current = table(node, i);
	}
	bind_slots(world, node);
}

/* All that is known here. */
static void send_all(struct world *world, struct node *node)
{
	news_notes(world, node);
	for (uint32_t i = 0; i < node->pins; i++)
		news_pin(world, node, &node->pin[i], NEWS_PIN);
	for (uint32_t i = 0; i < node->openings; i++)
		news_opening(world, node, &node->opening[i], NEWS_OPENING);
	if (!node->fresh)
		news_synced(world, node);
}

/* The stream between the nodes begins, with all that there is; or ends, and what was under way is lost. */
void node_link(struct world *world, bool linked)
{
	world->linked = linked;
	world->links++;
	for (uint32_t i = 0; i < NODES; i++) {
		struct node *node = &world->node[i];

		for (uint32_t k = 0; k < world->rules.slots; k++)
			world->raced[k] |= news_changes(node); /* only what comes of them will be told */
		node->out.from = node->out.to = 0;
		if (node->alive)
			slots_meet(&node->slots, linked, node_clock(world));
	}
	for (uint32_t i = 0; linked && i < NODES; i++) {
		struct node *node = &world->node[i];

		node_set_all(world, node);
		send_all(world, node);
	}
}

/* The agent alone: its memory is lost, the maps are not. */
void node_restart(struct world *world, struct node *node)
{
	for (uint32_t i = 0; i < world->rules.slots; i++)
		world->raced[i] |= has_said_over(world, node, i);
	for (uint16_t i = 1; i < BACKENDS && world->linked; i++) { /* as it finds them now */
		if (world->role[i] == SLOTS_GONE || world->life[i] != node->life[i])
			change_role(node, i, SLOTS_GONE);
		if (node->role[i] == SLOTS_GONE)
			node->stopped[i] = world->now;
		node->life[i] = world->life[i];
		change_role(node, i, world->role[i]);
	}
	bind_slots(world, node);
	move_slots(world, node);
	if (world->linked)
		node_link(world, true);
}
