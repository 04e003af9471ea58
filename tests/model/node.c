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

static void move_slots(struct world *world, struct node *node)
{
	for (uint32_t i = 0; i < world->rules.slots; i++) {
		/* the other one may take this node at its word: that is the same as a change on both */
		uint8_t told = node->side[i].told;
		bool over = world->linked && ((told & SLOTS_STEP_MASK) == SLOTS_STEP_OVER ||
					      (told & SLOTS_STEP_UDP_OVER && node->word[i].previous_udp));

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

void node_set_role(struct world *world, struct node *node, uint16_t backend, uint8_t role, uint32_t life)
{
	if (node->role[backend] != SLOTS_GONE && (role == SLOTS_GONE || life != node->life[backend])) {
		change_role(node, backend, SLOTS_GONE);
		node->stopped[backend] = world->now;
		slots_stop(&node->slots, backend, node_clock(world));
		move_slots(world, node);
	}
	node->life[backend] = life;
	change_role(node, backend, role);
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
	if (!(entry->pin.flags & WEIR_PIN_PEER) && world->now - entry->pin.seen > LEARN_UDP)
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
static void scan(struct world *world, struct node *node)
{
	if (slots_scan_begin(&node->slots, node_clock(world))) {
		node->scan_pins = node->pins;
		node->scan_openings = OPENINGS;
		node->deletes = world->rules.deletes;
	}
	for (uint32_t i = 0; i < world->rules.piece && node->slots.scanning; i++) {
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

		if (!(entry->pin.flags & WEIR_PIN_PEER) && world->now - entry->pin.seen <= since)
			news_pin(world, node, entry, NEWS_REFRESH);
	}
	for (uint32_t i = 0; i < node->openings; i++) {
		struct opening_entry *entry = &node->opening[i];

		if (entry->opening.flags & WEIR_OPENING_CONFIRMED && world->now - entry->opening.seen <= since)
			news_opening(world, node, entry, NEWS_OPENING);
	}
	node->refreshed = world->now;
}

void node_tick(struct world *world, struct node *node)
{
	if (!node->alive)
		return;
	refresh(world, node);
	slots_tick(&node->slots, 0, world->rules.slots, node_clock(world));
	scan(world, node);
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

/*
 * All that is known here first-hand. What the peer itself has told is of use only to one that has lost it: else it may be
 * long out of date there, and would come back from the dead.
 */
static void send_all(struct world *world, struct node *node)
{
	bool fresh = node_other(world, node)->fresh;

	news_notes(world, node);
	for (uint32_t i = 0; i < node->pins; i++) {
		if (fresh || !(node->pin[i].pin.flags & WEIR_PIN_PEER))
			news_pin(world, node, &node->pin[i], NEWS_PIN);
	}
	for (uint32_t i = 0; i < node->openings; i++) {
		if (fresh || !(node->opening[i].opening.flags & WEIR_OPENING_PEER))
			news_opening(world, node, &node->opening[i], NEWS_OPENING);
	}
}

/* The stream between the nodes begins, with all that there is; or ends, and what was under way is lost. */
void node_link(struct world *world, bool linked)
{
	world->linked = linked;
	for (uint32_t i = 0; i < NODES; i++) {
		struct node *node = &world->node[i];

		node->out.from = node->out.to = 0;
		if (node->alive)
			slots_meet(&node->slots, linked, node_clock(world));
	}
	for (uint32_t i = 0; linked && i < NODES; i++) {
		struct node *node = &world->node[i];

		for (uint16_t k = 1; k < BACKENDS; k++)
			node_set_role(world, node, k, world->role[k], world->life[k]);
		for (uint16_t s = 0; s < world->rules.slots; s++)
			node_set_shift(world, node, s, world->shift[s]);
		send_all(world, node);
	}
	world->node[0].fresh = world->node[1].fresh = false;
}

/* The agent alone: its memory is lost, the maps are not. */
void node_restart(struct world *world, struct node *node)
{
	bind_slots(world, node);
	move_slots(world, node);
	if (world->linked)
		node_link(world, true);
}
