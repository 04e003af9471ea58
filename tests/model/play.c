/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens in the world, event by event: time, backends, operators, nodes. */
#include <string.h>

#include "world.h"

uint16_t play_key(const struct world *world, uint32_t tuple)
{
	return (uint16_t)(world->rules.client ? CLIENT_KEYS + tuple % 2 : tuple);
}

uint8_t play_slot(const struct world *world, uint32_t tuple)
{
	return (uint8_t)((world->rules.client ? tuple % 2 : tuple) % world->rules.slots);
}

void play_init(struct world *world, const struct rules *rules, uint64_t *used)
{
	memset(world, 0, sizeof(*world));
	world->rules = *rules;
	world->now = 1000 * SECOND;
	world->used = used;
	for (uint32_t i = 1; i < BACKENDS; i++)
		world->role[i] = SLOTS_UP;
	for (uint32_t i = 0; i < TUPLES; i++) {
		world->tuple[i].quic = rules->quic >> i & 1;
		world->tuple[i].udp = world->tuple[i].quic || (rules->udp >> i & 1);
	}
	for (uint32_t i = 0; i < NODES; i++)
		node_start(world, &world->node[i]);
	node_link(world, true);
	world->node[0].fresh = world->node[1].fresh = false;
}

/* ---- time ---- */

void play_pass(struct world *world, uint32_t time)
{
	world->now += time;
	for (uint32_t i = 0; i < NODES; i++)
		news_deliver(world, &world->node[i]);
	for (uint32_t i = 0; i < NODES; i++)
		node_tick(world, &world->node[i], time > 2 * SECOND);
}

/* In steps, so that what is under way arrives before a long silence, and that agents can act during it. */
static void advance(struct world *world, uint32_t time)
{
	if (time >= 100) {
		play_pass(world, 20);
		play_pass(world, 20);
		time -= 40;
	}
	if (time > 4 * SECOND) {
		play_pass(world, time - 2300);
		play_pass(world, 1100);
		time = 1200;
	}
	if (time)
		play_pass(world, time);
}

/* Slots of which two nodes that are, or have been, apart may hold different things. */
static void mark_parted(struct world *world)
{
	struct node *a = &world->node[0], *b = &world->node[1];
	bool synced = world->linked && a->out.from == a->out.to && b->out.from == b->out.to;

	if (!a->alive || !b->alive) {
		memset(world->raced, 0, sizeof(world->raced));
		return;
	}
	for (uint32_t i = 0; i < world->rules.slots; i++) {
		bool same = flow_is_settled(&a->word[i]) && flow_is_settled(&b->word[i]) &&
			    a->word[i].current == b->word[i].current;

		if (!world->linked && !same)
			world->parted[i] = true;
		else if (synced && same)
			world->parted[i] = world->raced[i] = false;
	}
}

/* ---- backends and nodes ---- */

/* A change here while one is on its way from the other node. */
static void mark_raced(struct world *world, const struct node *origin)
{
	if (!news_changes(node_other(world, origin)))
		return;
	for (uint32_t i = 0; i < world->rules.slots; i++)
		world->raced[i] = true;
}

static void play_role(struct world *world, const struct event *event)
{
	static const uint8_t role[] = {
		[OP_UP] = SLOTS_UP,           [OP_DRAIN] = SLOTS_DRAINING, [OP_DOWN_KEEP] = SLOTS_DOWN,
		[OP_DOWN_RESET] = SLOTS_GONE, [OP_REMOVE] = SLOTS_GONE,
	};
	uint16_t index = (uint16_t)(1 + event->a % (BACKENDS - 1));
	struct node *origin = &world->node[event->b & 1], *other = node_other(world, origin);

	if (!origin->alive) {
		other = origin;
		origin = node_other(world, origin);
	}
	mark_raced(world, origin);
	if (role[event->op] == SLOTS_DRAINING && world->role[index] == SLOTS_GONE)
		return;
	if (role[event->op] == SLOTS_GONE && world->role[index] != SLOTS_GONE) {
		world->life[index]++;
		for (uint32_t i = 0; i < TUPLES; i++)
			world->tuple[i].answered &= (uint8_t) ~(1u << index);
	}
	world->role[index] = role[event->op];
	node_set_role(world, origin, index, world->role[index], world->life[index]);
	if (world->linked)
		news_config(world, origin, NEWS_ROLE, index);
	else if (other->alive && event->op != OP_DRAIN) /* each node has checks of its own */
		node_set_role(world, other, index, world->role[index], world->life[index]);
}

static void play_shift(struct world *world, const struct event *event)
{
	uint16_t slot = event->a % world->rules.slots;
	struct node *origin = &world->node[event->b & 1];

	if (!origin->alive)
		origin = node_other(world, origin);
	mark_raced(world, origin);
	world->shift[slot] = (uint8_t)((world->shift[slot] + 1 + event->b / 2 % 3) & 3);
	node_set_shift(world, origin, slot, world->shift[slot]);
	news_config(world, origin, NEWS_SHIFT, slot);
}

/* Where flows without a pin are. */
uint16_t play_base(bool udp, const union weir_slot *word)
{
	if (udp)
		return word->previous_udp ? word->previous_udp : word->current;
	return flow_phase(word) == WEIR_HOLDING || flow_phase(word) == WEIR_LEARNING ? word->previous : word->current;
}

/* Why the node that the flow moves to may not know what the one that it leaves does. */
static enum excuse ignorance(const struct world *world, uint32_t i, uint8_t to)
{
	const struct tuple *tuple = &world->tuple[i];
	const struct node *from = &world->node[tuple->node], *other = &world->node[to];
	bool udp = tuple->udp && !world->rules.client;
	uint16_t key = play_key(world, i);
	uint8_t slot = play_slot(world, i);

	if (world->parted[slot])
		return EXCUSE_PARTED;
	if (world->raced[slot] && play_base(udp, &from->word[slot]) != play_base(udp, &other->word[slot]))
		return EXCUSE_RACED;
	if (news_pending(world, from, key, slot))
		return EXCUSE_TICK;
	return news_missed(other, key) ? EXCUSE_FULL_THERE : EXCUSE_NONE;
}

static void move(struct world *world, uint32_t i, uint8_t to)
{
	struct tuple *tuple = &world->tuple[i];
	uint32_t phase = flow_phase(&world->node[to].word[play_slot(world, i)]);
	enum excuse why;

	if (tuple->node == to || !world->node[to].alive)
		return;
	why = ignorance(world, i, to);
	tuple->node = to;
	tuple->unheld |= phase == WEIR_HOLDING || phase == WEIR_LEARNING;
	tuple->torn |= why != EXCUSE_NONE;
	if (tuple->state != TUPLE_CLOSED && !tuple->excuse)
		tuple->excuse = why;
}

static void move_all(struct world *world, uint8_t to)
{
	for (uint32_t i = 0; i < TUPLES; i++)
		move(world, i, to);
}

static void play_kill(struct world *world, uint8_t index)
{
	struct node *node = &world->node[index];

	if (!node_other(world, node)->alive || !node->alive)
		return;
	move_all(world, !index);
	node->alive = false;
	node_link(world, false);
}

/* A node that starts takes the words of the other one before it takes part. */
static void play_revive(struct world *world)
{
	for (uint32_t i = 0; i < NODES; i++) {
		struct node *node = &world->node[i], *other = node_other(world, node);

		if (node->alive)
			continue;
		node_start(world, node);
		for (uint32_t s = 0; s < world->rules.slots; s++) {
			slots_copy(&node->slots, s, other->word[s], node_clock(world));
			world->parted[s] = false;
		}
		node_link(world, true);
	}
}

static void play_link(struct world *world, bool linked)
{
	if (!world->node[0].alive || !world->node[1].alive || world->linked == linked)
		return;
	for (uint32_t i = 0; linked && i < TUPLES; i++) { /* what was made there for an earlier flow of the tuple */
		struct tuple *tuple = &world->tuple[i];

		if (world->parted[play_slot(world, i)] && tuple->state != TUPLE_CLOSED && !tuple->excuse &&
		    path_has_own(&world->node[!tuple->node], play_key(world, i)))
			tuple->excuse = EXCUSE_PARTED;
	}
	node_link(world, linked);
}

static void play_nodes(struct world *world, const struct event *event)
{
	switch (event->op) {
	case OP_RESTART:
		if (world->node[event->a & 1].alive)
			node_restart(world, &world->node[event->a & 1]);
		break;
	case OP_MOVE:
		move(world, event->a, event->b & 1);
		break;
	case OP_TAKEOVER:
		move_all(world, event->a & 1);
		break;
	case OP_KILL:
		play_kill(world, event->a & 1);
		break;
	case OP_REVIVE:
		play_revive(world);
		break;
	case OP_CUT:
	case OP_JOIN:
		play_link(world, event->op == OP_JOIN);
		break;
	default:
		break;
	}
}

const char *play_event(struct world *world, const struct event *event)
{
	advance(world, event->wait);
	if (event->op <= OP_FLOOD_ACK)
		clients_play(world, event);
	else if (event->op <= OP_REMOVE)
		play_role(world, event);
	else if (event->op == OP_SHIFT)
		play_shift(world, event);
	else
		play_nodes(world, event);
	if (world->overflow) {
		world->overflow = false;
		play_link(world, false);
	}
	mark_parted(world);
	return world->finding;
}

static bool at_rest(const struct world *world)
{
	for (uint32_t n = 0; n < NODES; n++) {
		const struct node *node = &world->node[n];

		for (uint32_t i = 0; i < world->rules.slots; i++) {
			if (!flow_is_settled(&node->word[i]) || node->word[i].current != world->node[0].word[i].current)
				return false;
		}
		if (node->pins || node->openings)
			return false;
	}
	return true;
}

const char *play_end(struct world *world)
{
	world->rules.deletes = world->rules.piece = PINS + OPENINGS + 1;
	play_revive(world);
	play_link(world, true);
	for (uint32_t i = 0; i < 60 && !at_rest(world) && !world->finding; i++)
		advance(world, i == 2 ? LEARN : i == 5 ? LEARN * 9 / 4 : 1100);
	if (!world->finding && !at_rest(world))
		world->finding = "it does not settle";
	return world->finding;
}
