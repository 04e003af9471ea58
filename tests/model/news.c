/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream from node to node: in order, late, and lost with the link. Backends are named so that indexes don't matter. */
#include <string.h>

#include "world.h"

static void set_missed(struct node *node, uint16_t key, bool missed)
{
	if (key < FLOOD_KEYS)
		node->missed[key] = missed;
}

static struct news *put(struct world *world, struct node *node, enum news_kind kind)
{
	struct queue *queue = &node->out;
	struct news *news;

	if (!world->linked)
		return NULL;
	if (queue->to - queue->from == QUEUE) {
		queue->from++;
		world->overflow = true;
	}
	news = &queue->item[queue->to++ % QUEUE];
	news->kind = kind;
	news->sent = world->now;
	return news;
}

void news_pin(struct world *world, struct node *node, const struct pin_entry *entry, enum news_kind kind)
{
	struct news *news = put(world, node, kind);

	if (!news)
		return;
	news->key = entry->key;
	news->udp = entry->udp;
	news->spoofed = entry->spoofed;
	news->index = entry->pin.backend;
	news->life = node->life[entry->pin.backend];
	if (node->role[entry->pin.backend] == SLOTS_GONE ||
	    entry->pin.generation != node->backend[entry->pin.backend].generation ||
	    entry->pin.epoch != flow_epoch(&node->word[entry->pin.slot]))
		news->life = UINT32_MAX; /* it is no pin */
	news->age = world->now - entry->pin.seen;
	news->pin = entry->pin;
}

void news_opening(struct world *world, struct node *node, const struct opening_entry *entry, enum news_kind kind)
{
	struct news *news = put(world, node, kind);

	if (!news)
		return;
	news->key = entry->key;
	news->udp = entry->udp;
	news->spoofed = entry->spoofed;
	news->index = entry->opening.backend;
	news->life = node->life[entry->opening.backend];
	if (node->role[entry->opening.backend] == SLOTS_GONE ||
	    entry->opening.generation != node->backend[entry->opening.backend].generation ||
	    entry->opening.epoch != flow_epoch(&node->word[entry->opening.slot]))
		news->life = UINT32_MAX;
	news->age = world->now - entry->opening.seen;
	news->opening = entry->opening;
}

void news_notes(struct world *world, struct node *node)
{
	struct slots_note note;

	for (uint32_t i = 0; i < world->rules.slots; i++) {
		struct news *news;

		if (!slots_tell(&node->slots, i, node_clock(world), &note))
			continue;
		news = put(world, node, NEWS_NOTE);
		if (news) {
			news->key = (uint16_t)i;
			news->note = note;
		}
	}
}

/* The latest change wins: the peer takes what is true when this comes. */
void news_config(struct world *world, struct node *node, enum news_kind kind, uint16_t index)
{
	struct news *news = put(world, node, kind);

	if (!news)
		return;
	news->index = index;
}

/* Seen here after the peer has seen what it tells: the stream may be as late as INFLIGHT. */
static bool is_newer(const struct world *world, uint32_t seen, const struct news *news)
{
	return world->now - seen <= news->age + INFLIGHT;
}

/* Whether what is known here is worth more than what the peer tells. */
static bool keep_own(const struct world *world, const struct node *node, const struct pin_entry *own,
		     const struct news *news)
{
	bool valid = node->role[own->pin.backend] != SLOTS_GONE &&
		     own->pin.generation == node->backend[own->pin.backend].generation &&
		     own->pin.epoch == flow_epoch(&node->word[own->pin.slot]);

	if (!valid || own->pin.flags & WEIR_PIN_PEER)
		return false;
	if (own->pin.backend == news->pin.backend)
		return false;
	if ((own->pin.flags ^ news->pin.flags) & WEIR_PIN_CONFIRMED)
		return own->pin.flags & WEIR_PIN_CONFIRMED;
	return is_newer(world, own->pin.seen, news);
}

/* Is what the peer tells of the flow of no use here? */
static bool is_old_news(const struct world *world, const struct node *node, const struct pin_entry *own,
			const struct weir_pin *pin, const struct news *news)
{
	if (keep_own(world, node, own, news))
		return true;
	if (own->pin.backend == pin->backend && own->pin.epoch == pin->epoch && own->pin.generation == pin->generation)
		return news->pin.flags & WEIR_PIN_PEER || world->now - own->pin.seen <= news->age; /* an echo */
	return news->kind == NEWS_REFRESH && own->pin.backend != pin->backend;
}

static void take_pin(struct world *world, struct node *node, const struct news *news)
{
	union weir_slot word = node->word[news->pin.slot];
	struct pin_entry *own = path_pin(node, news->key);
	struct opening_entry *opening = path_opening(node, news->key);
	struct pin_entry entry = {.key = news->key, .udp = news->udp, .spoofed = news->spoofed, .pin = news->pin};

	if (flow_is_settled(&word) || node->life[news->index] != news->life || node->role[news->index] == SLOTS_GONE)
		return;
	entry.pin.epoch = (uint16_t)flow_epoch(&word);
	entry.pin.generation = node->backend[news->index].generation;
	entry.pin.seen = world->now - news->age;
	entry.pin.flags |= WEIR_PIN_PEER;
	if (own && is_old_news(world, node, own, &entry.pin, news))
		return;
	set_missed(node, news->key, !path_write_pin(world, node, &entry));
	if (opening && opening->opening.flags & WEIR_OPENING_PEER && entry.pin.flags & WEIR_PIN_CONFIRMED &&
	    news->kind == NEWS_PIN)
		path_drop_opening(node, (uint32_t)(opening - node->opening));
}

static bool keep_own_opening(const struct world *world, const struct node *node, const struct opening_entry *own,
			     const struct news *news)
{
	bool valid = node->role[own->opening.backend] != SLOTS_GONE &&
		     own->opening.generation == node->backend[own->opening.backend].generation &&
		     own->opening.epoch == flow_epoch(&node->word[own->opening.slot]);

	if (!valid || own->opening.flags & WEIR_OPENING_PEER)
		return false;
	if ((own->opening.flags ^ news->opening.flags) & WEIR_OPENING_CONFIRMED)
		return own->opening.flags & WEIR_OPENING_CONFIRMED;
	return is_newer(world, own->opening.seen, news);
}

static void take_opening(struct world *world, struct node *node, const struct news *news)
{
	union weir_slot word = node->word[news->opening.slot];
	struct weir_opening opening = news->opening;
	struct opening_entry *own = path_opening(node, news->key);
	struct opening_entry entry;

	if (flow_is_settled(&word) || node->life[news->index] != news->life || node->role[news->index] == SLOTS_GONE)
		return;
	opening.epoch = (uint16_t)flow_epoch(&word);
	opening.generation = node->backend[news->index].generation;
	opening.seen = world->now - news->age;
	opening.flags |= WEIR_OPENING_PEER;
	if (own && keep_own_opening(world, node, own, news))
		return;
	entry = (struct opening_entry){
		.key = news->key,
		.udp = news->udp,
		.spoofed = news->spoofed,
		.opening = opening,
	};
	if (!path_write_opening(world, node, &entry))
		set_missed(node, news->key, true);
}

static void take_removal(struct node *node, const struct news *news)
{
	struct pin_entry *own = path_pin(node, news->key);

	if (own && own->pin.flags & WEIR_PIN_PEER && own->pin.backend == news->index)
		path_drop_pin(node, (uint32_t)(own - node->pin));
}

static void take_opening_removal(struct node *node, const struct news *news)
{
	struct opening_entry *own = path_opening(node, news->key);

	if (own && own->opening.flags & WEIR_OPENING_PEER && own->opening.backend == news->index)
		path_drop_opening(node, (uint32_t)(own - node->opening));
}

static void take(struct world *world, struct node *node, const struct news *news)
{
	switch (news->kind) {
	case NEWS_PIN:
	case NEWS_REFRESH:
		take_pin(world, node, news);
		break;
	case NEWS_REMOVE:
		take_removal(node, news);
		break;
	case NEWS_OPENING:
		take_opening(world, node, news);
		break;
	case NEWS_REMOVE_OPENING:
		take_opening_removal(node, news);
		break;
	case NEWS_NOTE:
		slots_take(&node->slots, &news->note, node_clock(world));
		news_notes(world, node);
		break;
	case NEWS_ROLE:
		node_set_role(world, node, news->index, world->role[news->index], world->life[news->index]);
		break;
	case NEWS_SHIFT:
		node_set_shift(world, node, news->index, world->shift[news->index]);
		break;
	}
}

void news_deliver(struct world *world, struct node *from)
{
	struct queue *queue = &from->out;
	struct node *to = node_other(world, from);

	while (world->linked && queue->from != queue->to) {
		struct news news = queue->item[queue->from % QUEUE];

		if (world->now - news.sent < STREAM_DELAY)
			return;
		queue->from++;
		take(world, to, &news);
	}
}

bool news_pending(const struct world *world, const struct node *node, uint16_t key, uint16_t slot)
{
	const struct queue *queue = &node->out;

	(void)world;
	for (uint32_t i = queue->from; i != queue->to; i++) {
		const struct news *news = &queue->item[i % QUEUE];

		switch (news->kind) {
		case NEWS_PIN:
		case NEWS_REMOVE:
		case NEWS_OPENING:
		case NEWS_REMOVE_OPENING:
			if (news->key == key)
				return true;
			break;
		case NEWS_NOTE:
			if (news->key == slot)
				return true;
			break;
		case NEWS_ROLE:
		case NEWS_SHIFT:
			if (slot < SLOTS)
				return true;
			break;
		default:
			break;
		}
	}
	return false;
}

bool news_changes(const struct node *node)
{
	for (uint32_t i = node->out.from; i != node->out.to; i++) {
		if (node->out.item[i % QUEUE].kind == NEWS_ROLE || node->out.item[i % QUEUE].kind == NEWS_SHIFT)
			return true;
	}
	return false;
}
