/* SPDX-License-Identifier: BSD-2-Clause */
/* A node's data path: what bpf/pick.h does, on maps that are small arrays. */
#include <string.h>

#include "world.h"

struct pin_entry *path_pin(struct node *node, uint16_t key)
{
	for (uint32_t i = 0; i < node->pins; i++) {
		if (node->pin[i].key == key)
			return &node->pin[i];
	}
	return NULL;
}

struct opening_entry *path_opening(struct node *node, uint16_t key)
{
	for (uint32_t i = 0; i < node->openings; i++) {
		if (node->opening[i].key == key)
			return &node->opening[i];
	}
	return NULL;
}

bool path_has_own(struct node *node, uint16_t key)
{
	const struct pin_entry *pin = path_pin(node, key);
	const struct opening_entry *opening = path_opening(node, key);

	return (pin && !(pin->pin.flags & WEIR_PIN_PEER)) || (opening && !(opening->opening.flags & WEIR_OPENING_PEER));
}

uint32_t path_limit(const struct pin_entry *pin)
{
	return pin->udp ? LEARN_UDP : pin->pin.flags & WEIR_PIN_CLOSING ? CLOSING : LEARN;
}

bool path_is_far(const struct world *world, struct node *node, uint16_t key)
{
	const struct pin_entry *pin = path_pin(node, key);
	const struct opening_entry *opening = path_opening(node, key);

	return (pin && (pin->far || world->now - pin->pin.seen >= path_limit(pin))) || (opening && opening->far);
}

struct pin_entry *path_write_pin(const struct world *world, struct node *node, const struct pin_entry *entry)
{
	struct pin_entry *place = path_pin(node, entry->key);

	if (!place && node->pins >= world->rules.pins)
		return NULL;
	if (!place)
		place = &node->pin[node->pins++];
	*place = *entry;
	return place;
}

struct opening_entry *path_write_opening(const struct world *world, struct node *node,
					 const struct opening_entry *entry)
{
	struct opening_entry *place = path_opening(node, entry->key);

	if (!place && node->openings >= world->rules.openings)
		return NULL;
	if (!place)
		place = &node->opening[node->openings++];
	*place = *entry;
	return place;
}

void path_drop_pin(struct node *node, uint32_t i)
{
	node->pin[i] = node->pin[--node->pins];
}

void path_drop_opening(struct node *node, uint32_t i)
{
	node->opening[i] = node->opening[--node->openings];
}

static struct flow_backend backend_of(const struct node *node, uint32_t index)
{
	return (struct flow_backend){node->backend[index].generation, node->backend[index].flags};
}

/* The flow's entries, as a packet that goes on reading them sees them even if they are deleted meanwhile. */
struct entries {
	struct weir_opening opening;
	struct weir_pin pin;
};

static void ask_fill(const struct world *world, struct node *node, const struct packet *packet, union weir_slot slot,
		     struct entries *entries, struct flow_ask *ask)
{
	const struct opening_entry *opening = path_opening(node, packet->key);
	const struct pin_entry *pin = path_pin(node, packet->key);

	*ask = (struct flow_ask){
		.slot = slot,
		.slot_index = packet->slot,
		.kind = packet->kind,
		.udp = packet->udp,
		.client = packet->client,
		.sequence = packet->sequence,
		.other = packet->other,
		.now = world->now,
		.opening_limit = OPENING,
		.of_current = backend_of(node, slot.current),
		.of_previous = backend_of(node, slot.previous),
		.of_previous_udp = backend_of(node, slot.previous_udp),
	};
	if (opening) {
		entries->opening = opening->opening;
		ask->opening = &entries->opening;
		ask->of_opening = backend_of(node, opening->opening.backend);
	}
	if (pin) {
		entries->pin = pin->pin;
		ask->pin = &entries->pin;
		ask->of_pin = backend_of(node, pin->pin.backend);
	}
}

static void write_opening(struct world *world, struct node *node, const struct packet *packet,
			  const struct flow_ask *ask, struct flow_verdict *verdict, struct outcome *outcome)
{
	struct opening_entry entry = {
		.key = packet->key,
		.udp = packet->udp && !packet->client,
		.spoofed = packet->spoofed,
	};

	flow_make_opening(ask, verdict, &entry.opening);
	if (path_write_opening(world, node, &entry)) {
		news_opening(world, node, &entry, NEWS_OPENING);
		return;
	}
	outcome->opening_full = true;
	outcome->rest_down = verdict->instead != flow_rest(ask).backend;
	flow_opening_failed(ask, verdict);
}

static void write_pin(struct world *world, struct node *node, const struct packet *packet, const struct flow_ask *ask,
		      struct flow_verdict *verdict, struct outcome *outcome)
{
	const struct opening_entry *opening = path_opening(node, packet->key);
	struct pin_entry entry = {
		.key = packet->key,
		.udp = packet->udp && !packet->client,
		.spoofed = packet->spoofed,
	};

	flow_make_pin(ask, verdict, &entry.pin);
	if (opening && verdict->todo & FLOW_CONFIRMED) { /* what has stood for a pin */
		entry.overdue = opening->overdue;
		entry.far = opening->far;
	}
	outcome->spoofed_proof = verdict->todo & FLOW_CONFIRMED && opening && (packet->spoofed || opening->spoofed) &&
				 (packet->udp || ask->opening->flags & WEIR_OPENING_CONFIRMED ||
				  packet->sequence - ask->opening->first - 1 < 65536 ||
				  packet->sequence - ask->opening->latest - 1 < 65536);
	if (path_write_pin(world, node, &entry)) {
		news_pin(world, node, &entry, NEWS_PIN);
		return;
	}
	flow_pin_failed(ask, verdict);
}

/* What a verdict says about an entry that is there already. */
static void change_entries(struct world *world, struct node *node, const struct packet *packet,
			   const struct flow_ask *ask, const struct flow_verdict *verdict, struct outcome *outcome)
{
	struct opening_entry *opening = path_opening(node, packet->key);
	struct pin_entry *pin = path_pin(node, packet->key);

	if (verdict->todo & FLOW_DROP_OPENING && opening) {
		if (!(verdict->todo & FLOW_WRITE_PIN))
			news_opening(world, node, opening, NEWS_REMOVE_OPENING);
		path_drop_opening(node, (uint32_t)(opening - node->opening));
	}
	if (verdict->todo & FLOW_TOUCH_OPENING && opening) {
		flow_touch_opening(ask, verdict, &opening->opening);
		if (!packet->spoofed && packet->kind == FLOW_SYN)
			opening->spoofed = false;
		if (verdict->todo & FLOW_TELL)
			news_opening(world, node, opening, NEWS_OPENING);
	}
	if (verdict->todo & FLOW_TOUCH_PIN && pin) {
		outcome->spoofed_close = verdict->todo & FLOW_CLOSE_PIN && packet->spoofed &&
					 packet->sequence - pin->pin.sequence + 65536 < 131072;
		flow_touch_pin(ask, verdict, &pin->pin);
		pin->spoofed = packet->spoofed;
		if (verdict->todo & FLOW_TELL)
			news_pin(world, node, pin, NEWS_PIN);
	}
}

/*
 * Has the flow's pin or opening outlived its limit, and no scan has seen it yet? `far`: by more than the time in which
 * an agent scans, and tells the other node of packets.
 */
static bool meet_overdue(const struct world *world, struct node *node, const struct packet *packet,
			 union weir_slot slot, bool *far)
{
	struct opening_entry *opening = path_opening(node, packet->key);
	struct pin_entry *pin = path_pin(node, packet->key);
	uint16_t epoch = (uint16_t)flow_epoch(&slot);
	bool overdue = false;

	if (pin && pin->pin.epoch == epoch) {
		uint32_t limit = path_limit(pin);

		pin->overdue |= world->now - pin->pin.seen >= limit;
		pin->far |= world->now - pin->pin.seen >= limit + limit / 4;
		overdue = pin->overdue;
		*far = pin->far;
	}
	if (opening && opening->opening.epoch == epoch && opening->opening.flags & WEIR_OPENING_CONFIRMED) {
		uint32_t limit = opening->udp ? LEARN_UDP : LEARN;

		opening->overdue |= world->now - opening->opening.seen >= limit;
		opening->far |= world->now - opening->opening.seen >= limit + limit / 4;
		overdue |= opening->overdue;
		*far |= opening->far;
	}
	return overdue;
}

/* How the SYN fared with an opening that was there already. */
static void meet_opening(const struct flow_ask *ask, const struct flow_verdict *verdict, struct outcome *outcome)
{
	bool same = verdict->backend == ask->opening->backend;

	if (ask->kind != FLOW_SYN || !flow_opening_holds(ask))
		return;
	outcome->joined = same && !(verdict->todo & FLOW_WRITE_OPENING);
	if (!same && !verdict->todo) /* it stands for a pin that found no room */
		outcome->opening_full = outcome->rest_down = true;
}

/*
 * Has the flow's entry gone as the packet went by it, and been one that does not last: past its limit, or one that the
 * other node has told of and tells to be gone?
 */
static bool has_gone(struct node *node, const struct packet *packet, const struct flow_ask *ask,
		     const struct flow_verdict *verdict, bool overdue)
{
	bool gone = (ask->pin && !path_pin(node, packet->key)) || (ask->opening && !path_opening(node, packet->key));
	bool copy = (verdict->todo & FLOW_TOUCH_PIN && ask->pin->flags & WEIR_PIN_PEER) ||
		    (verdict->todo & FLOW_TOUCH_OPENING && ask->opening->flags & WEIR_OPENING_PEER);

	return gone && (overdue || copy);
}

struct outcome path_packet(struct world *world, struct node *node, const struct packet *packet)
{
	struct outcome outcome = {.backend = 0};
	union weir_slot slot = node->word[packet->slot];
	struct flow_verdict verdict;
	struct entries entries;
	struct flow_ask ask;
	bool overdue, far = false;

	if (packet->slow[0])
		play_pass(world, packet->slow[0]);
	outcome.backend = slot.current;
	if (flow_is_settled(&slot))
		return outcome;
	overdue = meet_overdue(world, node, packet, slot, &far);
	ask_fill(world, node, packet, slot, &entries, &ask);
	flow_decide(&ask, &verdict);
	outcome.phase = (uint8_t)flow_phase(&slot);
	if (ask.opening)
		meet_opening(&ask, &verdict, &outcome);
	if (packet->slow[1])
		play_pass(world, packet->slow[1]);
	/* it may be swept just now, or the slot may settle over what scans overlook */
	outcome.overdue = far || (overdue && world->rules.overlooks) || has_gone(node, packet, &ask, &verdict, overdue);
	if (verdict.todo & FLOW_WRITE_OPENING)
		write_opening(world, node, packet, &ask, &verdict, &outcome);
	if (verdict.todo & FLOW_WRITE_PIN)
		write_pin(world, node, packet, &ask, &verdict, &outcome);
	change_entries(world, node, packet, &ask, &verdict, &outcome);
	if (verdict.todo & FLOW_RESTART)
		node->restart[packet->slot] = world->now;
	outcome.backend = verdict.backend;
	outcome.todo = verdict.todo;
	return outcome;
}
