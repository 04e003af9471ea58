/* SPDX-License-Identifier: BSD-2-Clause */
/* The clients' and the spoofers' packets, and what must hold of them. */
#include <string.h>

#include "world.h"

static void check_syn(struct world *world, const struct node *node, const struct packet *packet,
		      const struct outcome *outcome)
{
	uint8_t role = node->role[outcome->backend];

	if (packet->udp && (packet->client || outcome->todo & FLOW_CONFIRMED))
		return;
	if (role == SLOTS_DOWN)
		world->finding = "a SYN goes to a backend that is down";
	if (role == SLOTS_DRAINING && !packet->client && !outcome->opening_full && !outcome->joined &&
	    outcome->phase != WEIR_HOLDING)
		world->finding = "a new flow goes to a backend that is draining";
}

/* Once the node's agent has acted, which packets that are under way may not know. */
static void check_target(struct world *world, const struct node *node, const struct packet *packet,
			 const struct outcome *outcome)
{
	if (packet->slow[0] || packet->slow[1] || outcome->backend == WEIR_BACKEND_NONE)
		return;
	if (node->role[outcome->backend] == SLOTS_GONE)
		world->finding = "a packet goes to a backend that does not serve";
	if (packet->kind == FLOW_LOOK && outcome->todo)
		world->finding = "an ICMP error changes pins";
	if (packet->kind == FLOW_SYN)
		check_syn(world, node, packet, outcome);
}

static void set_excuse(struct world *world, uint16_t key, const struct tuple *except, enum excuse excuse)
{
	for (uint32_t i = 0; i < TUPLES; i++) {
		struct tuple *tuple = &world->tuple[i];

		if (play_key(world, i) == key && tuple != except && tuple->state != TUPLE_CLOSED && !tuple->excuse)
			tuple->excuse = excuse;
	}
}

/* Where the node takes a client's packets. */
static uint16_t client_at(const struct world *world, struct node *node, uint32_t i)
{
	const union weir_slot *word = &node->word[play_slot(world, i)];
	const struct pin_entry *pin = path_pin(node, play_key(world, i));

	if (pin && pin->pin.epoch == flow_epoch(word) && !flow_is_settled(word) &&
	    pin->pin.generation == node->backend[pin->pin.backend].generation &&
	    node->role[pin->pin.backend] != SLOTS_GONE)
		return pin->pin.backend;
	return play_base(false, word);
}

/* A client whose connections use two nodes, which still differ on where it is. */
static bool is_torn(struct world *world, uint32_t i)
{
	bool both = false;

	for (uint32_t k = 0; k < TUPLES; k++)
		both |= play_key(world, k) == play_key(world, i) && world->tuple[k].state != TUPLE_CLOSED &&
			world->tuple[k].node != world->tuple[i].node;
	return both && client_at(world, &world->node[0], i) != client_at(world, &world->node[1], i);
}

static enum excuse torn_by(const struct world *world, uint8_t slot)
{
	return world->parted[slot] ? EXCUSE_PARTED : world->raced[slot] ? EXCUSE_RACED : EXCUSE_TICK;
}

/* Has the node said that the slot's window is over, or has the other one even taken it at its word? */
static bool said_over(struct world *world, const struct node *node, const struct packet *packet)
{
	const union weir_slot *word = &node_other(world, node)->word[packet->slot];
	uint8_t told = node->side[packet->slot].told;

	if (news_pending(world, node, packet->key, packet->slot)) /* it has taken its word back, too late */
		return true;
	if (packet->udp)
		return told & SLOTS_STEP_UDP_OVER || !word->previous_udp;
	return (told & SLOTS_STEP_MASK) == SLOTS_STEP_OVER || flow_phase(word) == WEIR_REMEMBERING;
}

/* Has what found no room come too late to start the window again? */
static bool is_late(struct world *world, const struct node *node, const struct packet *packet,
		    const struct outcome *outcome)
{
	return said_over(world, node, packet) ||
	       play_base(packet->udp && !packet->client, &node->word[packet->slot]) != outcome->backend;
}

/* What the packet means for the flows of its key. */
static void set_excuses(struct world *world, uint32_t i, const struct packet *packet, const struct outcome *outcome)
{
	struct tuple *tuple = &world->tuple[i];
	struct node *node = &world->node[tuple->node];
	uint32_t opens = FLOW_WRITE_OPENING | FLOW_TOUCH_OPENING | FLOW_DROP_OPENING;

	if (outcome->todo & FLOW_RESTART && !packet->spoofed && is_late(world, node, packet, outcome)) {
		tuple->excuse = tuple->excuse ? tuple->excuse : EXCUSE_FULL_LATE;
		set_excuse(world, packet->key, NULL, EXCUSE_FULL_LATE);
	}
	if (outcome->spoofed_proof)
		set_excuse(world, packet->key, NULL, EXCUSE_SPOOFED_PAIR);
	if (outcome->overdue) {
		set_excuse(world, packet->key, NULL, EXCUSE_IDLE);
		for (uint32_t k = 0; k < TUPLES; k++)
			world->tuple[k].stale |= world->rules.overlooks && play_key(world, k) == packet->key;
	}
	if (outcome->spoofed_close)
		set_excuse(world, packet->key, NULL, EXCUSE_SPOOFED_CLOSE);
	if (packet->client && (outcome->todo & FLOW_CONFIRMED || (packet->kind == FLOW_SYN && outcome->todo & opens)))
		set_excuse(world, packet->key, packet->spoofed ? NULL : tuple, EXCUSE_CLIENT_DOWN);
}

static struct outcome send(struct world *world, uint32_t i, struct packet packet, uint32_t random)
{
	static const uint8_t slow[] = {0, 0, 0, 1, 5, 12, 12, 20}; /* in all at most INFLIGHT */
	struct tuple *tuple = &world->tuple[i];
	struct node *node = &world->node[tuple->node];
	struct outcome outcome;

	packet.key = play_key(world, i);
	packet.slot = play_slot(world, i);
	packet.client = world->rules.client;
	packet.udp = tuple->udp;
	if (packet.client && is_torn(world, i))
		set_excuse(world, packet.key, NULL, torn_by(world, packet.slot));
	if (random >> 30 == 0)
		memcpy(packet.slow, (const uint8_t[2]){slow[random >> 27 & 7], slow[random >> 24 & 7]}, 2);
	outcome = path_packet(world, node, &packet);
	check_target(world, node, &packet, &outcome);
	set_excuses(world, i, &packet, &outcome);
	return outcome;
}

static uint32_t limit_of(const struct tuple *tuple)
{
	return tuple->udp ? LEARN_UDP : tuple->closing ? CLOSING : LEARN;
}

/* A packet of an open flow has come to `backend`. */
static void judge(struct world *world, struct tuple *tuple, uint32_t backend)
{
	bool live = world->now - tuple->last < limit_of(tuple);

	if (world->life[tuple->home] != tuple->home_life) {
		tuple->state = TUPLE_CLOSED;
	} else if (backend == tuple->home) {
		tuple->last = world->now;
		if (!live && !tuple->excuse)
			tuple->excuse = EXCUSE_IDLE;
	} else {
		tuple->state = TUPLE_CLOSED;
		if (live && tuple->excuse)
			world->used[tuple->excuse]++;
		else if (live)
			world->finding = "a live flow has left a backend that serves";
	}
}

/* One that has just been reset and is back has not had what was sent to the one before it. */
static bool answers(const struct world *world, const struct tuple *tuple, uint32_t backend)
{
	const struct node *node = &world->node[tuple->node];

	return backend && world->role[backend] != SLOTS_GONE && node->role[backend] != SLOTS_GONE &&
	       (!node->stopped[backend] || world->now - node->stopped[backend] > INFLIGHT);
}

static void establish(struct tuple *tuple, uint8_t backend)
{
	tuple->state = TUPLE_OPEN;
	tuple->home = backend;
	tuple->home_life = tuple->life[backend];
	tuple->last = tuple->opened;
	tuple->acked = tuple->udp && !tuple->quic;
	tuple->closing = false;
	tuple->sequence = tuple->isn + 1;
}

/* A new flow; it has no excuse, unless the other node knows another one of the tuple, and tells of it just now or never. */
static void begin(struct world *world, uint32_t i)
{
	struct tuple *tuple = &world->tuple[i];
	struct node *other = &world->node[!tuple->node];
	uint16_t key = play_key(world, i);
	const struct pin_entry *pin = path_pin(other, key);

	tuple->torn &= path_has_own(other, key);
	tuple->stale &= pin || path_opening(other, key);
	tuple->excuse = EXCUSE_NONE;
	if (tuple->torn || news_pending(world, other, key, SLOTS))
		tuple->excuse = EXCUSE_TICK;
	else if (world->parted[play_slot(world, i)] &&
		 (path_has_own(other, key) || (pin && world->node[tuple->node].fresh)))
		tuple->excuse = EXCUSE_PARTED;
	else if (tuple->stale || path_is_far(world, other, key))
		tuple->excuse = EXCUSE_IDLE;
	else if (news_missed(&world->node[tuple->node], key) && pin)
		tuple->excuse = EXCUSE_FULL_THERE;
}

/* May a SYN that is sent again come to another backend? Not within the hold, nor while an opening knows of it. */
static bool is_long(const struct world *world, const struct tuple *tuple)
{
	uint32_t age = world->now - tuple->opened;

	for (uint32_t i = 1; i < BACKENDS; i++) {
		if (tuple->answered & 1u << i &&
		    world->node[tuple->node].role[i] < (tuple->by_pin ? SLOTS_UP : SLOTS_DRAINING))
			return true;
	}
	return age > OPENING - INFLIGHT || (!tuple->noted && (tuple->unheld || age >= HOLD - 2 * INFLIGHT));
}

static void send_syn(struct world *world, uint32_t i, bool fresh, bool answered, uint32_t random)
{
	struct tuple *tuple = &world->tuple[i];
	struct packet packet = {.kind = FLOW_SYN};
	struct outcome outcome;

	if (fresh) {
		tuple->state = TUPLE_OPENING;
		tuple->isn = random & 0xfffff000;
		tuple->acked = false;
		tuple->answered = 0;
		begin(world, i);
		tuple->noted = true;
	}
	packet.sequence = tuple->isn;
	packet.other = ~tuple->isn;
	outcome = send(world, i, packet, random << 1);
	/* an opening that knew of the SYN before should have brought this one to the same backend */
	if (tuple->answered & ~(1u << outcome.backend) && !tuple->excuse && is_long(world, tuple))
		tuple->excuse = EXCUSE_LONG_HANDSHAKE;
	tuple->noted = outcome.joined || outcome.todo & FLOW_WRITE_OPENING ||
		       (outcome.phase == WEIR_HOLDING && !outcome.opening_full);
	tuple->unheld = outcome.phase == WEIR_LEARNING || outcome.phase == WEIR_HOLDING;
	tuple->by_pin = outcome.todo & FLOW_TOUCH_PIN && !outcome.joined;
	tuple->opened = world->now;
	if (outcome.opening_full && outcome.rest_down && !tuple->excuse)
		tuple->excuse = EXCUSE_FULL_DOWN;
	if (answers(world, tuple, outcome.backend)) {
		tuple->answered |= (uint8_t)(1u << outcome.backend);
		tuple->life[outcome.backend] = world->node[tuple->node].life[outcome.backend];
		if (answered)
			establish(tuple, (uint8_t)outcome.backend);
	}
}

static void send_data(struct world *world, uint32_t i, uint8_t kind, uint32_t random)
{
	struct tuple *tuple = &world->tuple[i];
	struct packet packet = {.kind = kind, .sequence = tuple->sequence};
	struct outcome outcome;

	if (tuple->udp) {
		packet.kind = tuple->quic && !tuple->acked ? FLOW_LONG : FLOW_DATA;
		packet.sequence = tuple->isn;
		packet.other = random;
	}
	if (!tuple->acked && tuple->noted && world->now - tuple->opened >= OPENING - INFLIGHT && !tuple->excuse)
		tuple->excuse = EXCUSE_SLOW_HANDSHAKE;
	tuple->acked = true;
	outcome = send(world, i, packet, random);
	tuple->sequence += random % 7 ? 1000 : 200000;
	judge(world, tuple, outcome.backend);
	if (kind == FLOW_END && !tuple->udp && tuple->state == TUPLE_OPEN)
		tuple->closing = true;
}

static void send_first_datagram(struct world *world, uint32_t i, uint32_t random)
{
	struct tuple *tuple = &world->tuple[i];
	struct packet packet = {.kind = FLOW_DATA};
	struct outcome outcome;

	begin(world, i);
	outcome = send(world, i, packet, random);
	tuple->opened = world->now;
	if (outcome.overdue && !tuple->excuse)
		tuple->excuse = EXCUSE_IDLE;
	tuple->life[outcome.backend] = world->node[tuple->node].life[outcome.backend];
	if (answers(world, tuple, outcome.backend))
		establish(tuple, (uint8_t)outcome.backend);
}

static void play_data(struct world *world, const struct event *event)
{
	struct tuple *tuple = &world->tuple[event->a];
	bool plain = tuple->udp && !tuple->quic;

	if (plain && tuple->state == TUPLE_CLOSED)
		send_first_datagram(world, event->a, event->random);
	else if (tuple->state == TUPLE_OPEN)
		send_data(world, event->a, FLOW_DATA, event->random);
	else
		send_syn(world, event->a, tuple->state == TUPLE_CLOSED, true, event->random);
}

static void play_syn(struct world *world, const struct event *event, bool answered)
{
	struct tuple *tuple = &world->tuple[event->a];

	if (tuple->udp && !tuple->quic)
		return;
	send_syn(world, event->a, tuple->state != TUPLE_OPENING || event->b == 0, answered, event->random);
}

/* A SYN-ACK, late or sent again by any of the backends that had the SYN. */
static void play_synack(struct world *world, const struct event *event)
{
	struct tuple *tuple = &world->tuple[event->a];
	uint8_t backend = event->b & 1 ? 1 : BACKENDS - 1;

	while (backend && backend < BACKENDS && !(tuple->answered & 1u << backend))
		backend = (uint8_t)(event->b & 1 ? backend + 1 : backend - 1);
	if (tuple->state == TUPLE_OPENING && backend && backend < BACKENDS && world->role[backend] != SLOTS_GONE)
		establish(tuple, backend);
}

static void play_end_of_flow(struct world *world, const struct event *event)
{
	struct tuple *tuple = &world->tuple[event->a];

	if (tuple->state != TUPLE_OPEN || tuple->udp)
		return;
	send_data(world, event->a, FLOW_END, event->random);
	if (event->op == OP_RST)
		tuple->state = TUPLE_CLOSED;
}

/* Does an opening know of the tuple's latest SYN? */
static bool knows_handshake(struct world *world, uint32_t i)
{
	struct tuple *tuple = &world->tuple[i];
	const struct opening_entry *entry = path_opening(&world->node[tuple->node], play_key(world, i));

	return entry && (entry->opening.first == tuple->isn || entry->opening.latest == tuple->isn);
}

static void play_spoof(struct world *world, const struct event *event)
{
	static const uint8_t kind[] = {
		[OP_SPOOF_SYN] = FLOW_SYN, [OP_SPOOF_DATA] = FLOW_DATA, [OP_SPOOF_FIN] = FLOW_END};
	bool knew[TUPLES];
	struct packet packet = {.kind = kind[event->op], .spoofed = true, .sequence = event->random};

	if (world->tuple[event->a].udp && !world->tuple[event->a].quic)
		packet.kind = FLOW_DATA;
	packet.other = event->random * 3;
	for (uint32_t i = 0; i < TUPLES; i++)
		knew[i] = knows_handshake(world, i);
	send(world, event->a, packet, event->random);
	for (uint32_t i = 0; i < TUPLES; i++) {
		struct tuple *tuple = &world->tuple[i];

		if (packet.kind == FLOW_SYN && tuple->state != TUPLE_CLOSED && !tuple->acked && !tuple->excuse &&
		    knew[i] && !knows_handshake(world, i))
			tuple->excuse = EXCUSE_SPOOFED_HANDSHAKE;
	}
}

static void play_icmp(struct world *world, const struct event *event)
{
	struct tuple *tuple = &world->tuple[event->a];
	struct outcome outcome;

	outcome = send(world, event->a, (struct packet){.kind = FLOW_LOOK}, event->random);
	if (tuple->state == TUPLE_OPEN && tuple->acked && !tuple->excuse &&
	    world->now - tuple->last < limit_of(tuple) && world->life[tuple->home] == tuple->home_life &&
	    outcome.backend != tuple->home)
		world->finding = "an ICMP error does not follow its flow";
}

static void play_flood(struct world *world, const struct event *event)
{
	struct node *node = &world->node[event->b & 1];
	struct packet packet = {
		.slot = event->a % world->rules.slots,
		.kind = event->op == OP_FLOOD_SYN ? FLOW_SYN : FLOW_DATA,
		.spoofed = true,
		.client = world->rules.client,
		.sequence = event->random,
	};

	for (uint32_t i = 0; node->alive && i < 12; i++) {
		struct outcome outcome;

		packet.key = (uint16_t)(FLOOD_KEYS + (event->random + i) % 5000);
		packet.sequence += 12345;
		outcome = path_packet(world, node, &packet);
		check_target(world, node, &packet, &outcome);
	}
}

void clients_play(struct world *world, const struct event *event)
{
	switch (event->op) {
	case OP_DATA:
		play_data(world, event);
		break;
	case OP_SYN:
	case OP_SYN_LOST:
		play_syn(world, event, event->op == OP_SYN);
		break;
	case OP_SYNACK:
		play_synack(world, event);
		break;
	case OP_FIN:
	case OP_RST:
		play_end_of_flow(world, event);
		break;
	case OP_ICMP:
		play_icmp(world, event);
		break;
	case OP_FLOOD_SYN:
	case OP_FLOOD_ACK:
		play_flood(world, event);
		break;
	default:
		play_spoof(world, event);
	}
}
