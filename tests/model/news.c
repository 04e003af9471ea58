/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream from node to node: in order, late, and lost with the link. Backends are named so that indexes don't matter. */
#include <string.h>

#include "world.h"

bool news_missed(const struct node *node, uint16_t key)
{
	return key < FLOOD_KEYS && (node->missed_pin[key] || node->missed_opening[key]);
}

static void miss_pin(struct node *node, uint16_t key, bool missed)
{
	if (key < FLOOD_KEYS)
		node->missed_pin[key] = missed;
}

static void miss_opening(struct node *node, uint16_t key, uint16_t backend)
{
	if (key < FLOOD_KEYS)
		node->missed_opening[key] = (uint8_t)backend;
}

/* A confirmed pin has come in: it is what an opening of its backend has become. */
static void miss_nothing(struct node *node, uint16_t key, uint16_t backend)
{
	miss_pin(node, key, false);
	if (key < FLOOD_KEYS && node->missed_opening[key] == backend)
		miss_opening(node, key, 0);
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

/* The life that the backend of an entry of the node has; an entry that means nothing there any more has one that no node knows. */
static uint32_t life_of(const struct node *node, uint16_t backend, uint16_t generation, uint16_t epoch, uint32_t slot)
{
	if (node->role[backend] == SLOTS_GONE || generation != node->backend[backend].generation ||
	    epoch != flow_epoch(&node->word[slot]) || flow_is_settled(&node->word[slot]))
		return UINT32_MAX;
	return node->life[backend];
}

void news_pin(struct world *world, struct node *node, const struct pin_entry *entry, enum news_kind kind)
{
	struct news *news = put(world, node, kind);
	const struct weir_pin *pin = &entry->pin;

	if (!news)
		return;
	news->key = entry->key;
	news->udp = entry->udp;
	news->spoofed = entry->spoofed;
	news->overdue = entry->overdue;
	news->index = pin->backend;
	news->life = life_of(node, pin->backend, pin->generation, pin->epoch, pin->slot);
	news->age = world->now - pin->seen;
	news->pin = *pin;
}

void news_opening(struct world *world, struct node *node, const struct opening_entry *entry, enum news_kind kind)
{
	struct news *news = put(world, node, kind);
	const struct weir_opening *opening = &entry->opening;

	if (!news)
		return;
	news->key = entry->key;
	news->udp = entry->udp;
	news->spoofed = entry->spoofed;
	news->overdue = entry->overdue;
	news->index = opening->backend;
	news->life = life_of(node, opening->backend, opening->generation, opening->epoch, opening->slot);
	news->age = world->now - opening->seen;
	news->opening = *opening;
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

void news_config(struct world *world, struct node *node, enum news_kind kind, uint16_t index)
{
	struct news *news = put(world, node, kind);

	node->changed[kind == NEWS_ROLE ? index : BACKENDS + index] = ++world->changes;
	if (!news)
		return;
	news->index = index;
	news->value = kind == NEWS_ROLE ? world->role[index] : world->shift[index];
	news->life = kind == NEWS_ROLE ? world->life[index] : 0;
	news->change = world->changes;
}

static void take_config(struct world *world, struct node *node, const struct news *news)
{
	uint32_t *changed = &node->changed[news->kind == NEWS_ROLE ? news->index : BACKENDS + news->index];

	if (news->change < *changed)
		return;
	*changed = news->change;
	if (news->kind == NEWS_ROLE)
		node_set_role(world, node, news->index, news->value, news->life);
	else
		node_set_shift(world, node, news->index, news->value);
}

/*
 * When the peer's packet was seen, in this node's clock. The stream tells how far apart the clocks are, but for less than
 * news take: so what a node does knowing what it was told is later, in both clocks, than what it was told.
 */
static uint32_t seen_at(const struct world *world, const struct node *node, const struct news *news)
{
	uint32_t seen = news->sent - news->age;

	return node == &world->node[0] ? seen + world->rules.lag : seen - world->rules.lag;
}

static bool is_later(uint32_t seen, uint32_t than)
{
	return (int32_t)(seen - than) > 0;
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
	return is_later(own->pin.seen, seen_at(world, node, news));
}

/* Is what the peer tells of the flow of no use here? */
static bool is_old_news(const struct world *world, const struct node *node, const struct pin_entry *own,
			const struct weir_pin *pin, const struct news *news)
{
	if (keep_own(world, node, own, news))
		return true;
	if (own->pin.backend == pin->backend && own->pin.epoch == pin->epoch && own->pin.generation == pin->generation)
		return !(own->pin.flags & WEIR_PIN_PEER) && is_later(own->pin.seen, pin->seen);
	return news->kind == NEWS_REFRESH && own->pin.backend != pin->backend;
}

/*
 * What the peer has from here is of use only to a node that has lost it: else it may be long out of date, and would come
 * back from the dead. But it says that the peer has not deleted the flow.
 */
static bool is_copy(const struct node *node, bool peer)
{
	return peer && !node->fresh;
}

/* Does the pin make the opening needless? It is what the opening has become, or what it has stood for. */
static bool is_done(const struct weir_opening *opening, const struct weir_pin *pin)
{
	return pin->flags & WEIR_PIN_CONFIRMED && opening->backend == pin->backend &&
	       opening->flags & (WEIR_OPENING_PEER | WEIR_OPENING_CONFIRMED);
}

/* A pin that means something here; an opening that it makes needless goes. */
static void write_pin(struct world *world, struct node *node, const struct news *news, const struct pin_entry *entry)
{
	struct opening_entry *opening = path_opening(node, news->key);

	if (!path_write_pin(world, node, entry))
		miss_pin(node, news->key, true);
	else if (entry->pin.flags & WEIR_PIN_CONFIRMED)
		miss_nothing(node, news->key, entry->pin.backend);
	if (news->kind == NEWS_PIN && opening && !news_missed(node, news->key) &&
	    is_done(&opening->opening, &entry->pin))
		path_drop_opening(node, (uint32_t)(opening - node->opening));
}

static void take_pin(struct world *world, struct node *node, const struct news *news)
{
	union weir_slot word = node->word[news->pin.slot];
	struct pin_entry *own = path_pin(node, news->key), *theirs = path_pin(node_other(world, node), news->key);
	struct pin_entry entry = {.key = news->key,
				  .udp = news->udp,
				  .spoofed = news->spoofed,
				  .overdue = news->overdue,
				  .link = world->links,
				  .pin = news->pin};

	if (flow_is_settled(&word))
		return;
	if (node->life[news->index] != news->life || node->role[news->index] == SLOTS_GONE) {
		if (own && own->pin.flags & WEIR_PIN_PEER && news->kind == NEWS_PIN)
			path_drop_pin(node, (uint32_t)(own - node->pin)); /* it is overwritten there, by nothing */
		return;
	}
	entry.pin.epoch = (uint16_t)flow_epoch(&word);
	entry.pin.generation = node->backend[news->index].generation;
	entry.pin.seen = seen_at(world, node, news);
	entry.pin.flags |= WEIR_PIN_PEER;
	if (theirs)
		theirs->far = false;
	if (own)
		own->link = world->links;
	if (!is_copy(node, news->pin.flags & WEIR_PIN_PEER) &&
	    !(own && is_old_news(world, node, own, &entry.pin, news)))
		write_pin(world, node, news, &entry);
}

static bool keep_own_opening(const struct world *world, const struct node *node, const struct opening_entry *own,
			     const struct news *news)
{
	bool valid = node->role[own->opening.backend] != SLOTS_GONE &&
		     own->opening.generation == node->backend[own->opening.backend].generation &&
		     own->opening.epoch == flow_epoch(&node->word[own->opening.slot]);

	if (!valid || own->opening.flags & WEIR_OPENING_PEER)
		return false;
	if (own->opening.flags & news->opening.flags & WEIR_OPENING_CONFIRMED &&
	    own->opening.backend == news->opening.backend)
		return is_later(own->opening.seen, seen_at(world, node, news));
	if ((own->opening.flags ^ news->opening.flags) & WEIR_OPENING_CONFIRMED)
		return own->opening.flags & WEIR_OPENING_CONFIRMED;
	return is_later(own->opening.seen, seen_at(world, node, news));
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
	opening.seen = seen_at(world, node, news);
	opening.flags |= WEIR_OPENING_PEER;
	if (own)
		own->link = world->links;
	if (is_copy(node, news->opening.flags & WEIR_OPENING_PEER) || (own && keep_own_opening(world, node, own, news)))
		return;
	entry = (struct opening_entry){
		.key = news->key,
		.udp = news->udp,
		.spoofed = news->spoofed,
		.overdue = news->overdue,
		.link = world->links,
		.opening = opening,
	};
	miss_opening(node, news->key, path_write_opening(world, node, &entry) ? 0 : opening.backend);
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

void news_synced(struct world *world, struct node *node)
{
	put(world, node, NEWS_SYNCED);
}

static void take_synced(const struct world *world, struct node *node)
{
	for (uint32_t i = node->pins; i-- > 0;) {
		if (node->pin[i].pin.flags & WEIR_PIN_PEER && node->pin[i].link != world->links)
			path_drop_pin(node, i);
	}
	for (uint32_t i = node->openings; i-- > 0;) {
		if (node->opening[i].opening.flags & WEIR_OPENING_PEER && node->opening[i].link != world->links)
			path_drop_opening(node, i);
	}
	node->fresh = false;
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
	case NEWS_SYNCED:
		take_synced(world, node);
		break;
	case NEWS_NOTE:
		slots_take(&node->slots, &news->note, node_clock(world));
		news_notes(world, node);
		break;
	case NEWS_ROLE:
	case NEWS_SHIFT:
		take_config(world, node, news);
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
