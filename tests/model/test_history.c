/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long histories: one node, 50 backends, short and hour-long flows, a change of the table every so often, for hours; in
 * some of them floods fill maps that are small. No live flow leaves its backend, pins and the packets that look at them
 * stay below bounds, and in the end all is settled and both maps are empty.
 *
 *   test_history [PACKETS]     of each history; environment: WEIR_PACKETS
 *
 * A change takes one backend out of the table (draining) or brings one back; flows end with FIN, most of them soon.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/weir/flow.h"
#include "../../include/weir/hash.h"
#include "../../user/model/slots.h"

enum {
	SLOT_COUNT = 4096,
	BACKEND_COUNT = 51,
	FLOW_COUNT = 5000,
	FLOOD_COUNT = 4000, /* tuples of floods */
	SECOND_MS = 1000,
	GAP_MS = 20 * SECOND_MS, /* between two packets of a flow, on average */
};

struct client { /* pin and opening of a flow lie with it: the maps' keys are the flows */
	bool open, confirmed, has_pin, has_opening;
	uint16_t backend, slot;
	uint32_t sequence, ends;
	struct weir_pin pin;
	struct weir_opening opening;
};

struct history {
	uint32_t now, learn;
	uint64_t state, packets, looked_up, broken, changes, floods, no_room;
	uint32_t pins, openings, pins_most, room;
	union weir_slot word[SLOT_COUNT];
	struct slots_side side[SLOT_COUNT];
	uint32_t restart[SLOT_COUNT];
	struct weir_backend backend[BACKEND_COUNT];
	uint8_t role[BACKEND_COUNT];
	struct slots slots;
	struct client client[FLOW_COUNT + FLOOD_COUNT];
};

static uint64_t next(struct history *history)
{
	return weir_mix(history->state += 0x9e3779b97f4a7c15ULL);
}

/* Rendezvous: of the backends that are up, the one with the least hash. */
static uint16_t owner(const struct history *history, uint32_t slot)
{
	uint64_t least = UINT64_MAX;
	uint16_t best = 0;

	for (uint16_t i = 1; i < BACKEND_COUNT; i++) {
		uint64_t score = weir_mix((uint64_t)slot << 32 | i);

		if (history->role[i] == SLOTS_UP && score < least) {
			least = score;
			best = i;
		}
	}
	return best;
}

static void change(struct history *history)
{
	uint16_t index = (uint16_t)(1 + next(history) % (BACKEND_COUNT - 1));
	bool up = history->role[index] == SLOTS_UP;

	history->role[index] = up ? SLOTS_DRAINING : SLOTS_UP;
	history->backend[index].flags =
		(uint16_t)(WEIR_BACKEND_SERVES | WEIR_BACKEND_ANSWERS | (up ? 0 : WEIR_BACKEND_OPEN));
	for (uint32_t i = 0; i < SLOT_COUNT; i++)
		slots_move(&history->slots, i, owner(history, i), history->now);
	history->changes++;
}

static struct flow_backend of(const struct history *history, uint16_t index)
{
	return (struct flow_backend){history->backend[index].generation, history->backend[index].flags};
}

static void write_entries(struct history *history, struct client *client, const struct flow_ask *ask,
			  struct flow_verdict *verdict)
{
	if (verdict->todo & FLOW_WRITE_OPENING) {
		if (client->has_opening || history->openings < history->room) {
			flow_make_opening(ask, verdict, &client->opening);
			history->openings += !client->has_opening;
			client->has_opening = true;
		} else {
			flow_opening_failed(ask, verdict);
			history->no_room++;
		}
	}
	if (verdict->todo & FLOW_WRITE_PIN) {
		if (client->has_pin || history->pins < history->room) {
			flow_make_pin(ask, verdict, &client->pin);
			history->pins += !client->has_pin;
			client->has_pin = true;
		} else {
			flow_pin_failed(ask, verdict);
			history->no_room++;
		}
	}
}

static void carry_out(struct history *history, struct client *client, const struct flow_ask *ask,
		      struct flow_verdict *verdict)
{
	write_entries(history, client, ask, verdict);
	if (verdict->todo & FLOW_DROP_OPENING && client->has_opening) {
		history->openings--;
		client->has_opening = false;
	}
	if (verdict->todo & FLOW_TOUCH_OPENING)
		flow_touch_opening(ask, verdict, &client->opening);
	if (verdict->todo & FLOW_TOUCH_PIN)
		flow_touch_pin(ask, verdict, &client->pin);
	if (verdict->todo & FLOW_RESTART)
		history->restart[client->slot] = history->now;
}

static uint32_t packet(struct history *history, struct client *client, uint8_t kind)
{
	struct weir_opening opening = client->opening;
	struct flow_verdict verdict;
	struct flow_ask ask = {
		.slot = history->word[client->slot],
		.slot_index = client->slot,
		.kind = kind,
		.sequence = client->sequence,
		.now = history->now,
		.opening_limit = 5 * SECOND_MS,
	};

	history->packets++;
	if (flow_is_settled(&ask.slot))
		return ask.slot.current;
	history->looked_up++;
	ask.opening = client->has_opening ? &opening : NULL;
	ask.pin = client->has_pin ? &client->pin : NULL;
	ask.of_current = of(history, ask.slot.current);
	ask.of_previous = of(history, ask.slot.previous);
	ask.of_opening = of(history, client->has_opening ? client->opening.backend : 0);
	ask.of_pin = of(history, client->has_pin ? client->pin.backend : 0);
	flow_decide(&ask, &verdict);
	carry_out(history, client, &ask, &verdict);
	return verdict.backend;
}

static void play_client(struct history *history, struct client *client)
{
	uint64_t random = next(history);

	if (!client->open) { /* one in eight lives for an hour, the others for a minute */
		client->slot = (uint16_t)(random % SLOT_COUNT);
		if (client->has_pin || client->has_opening)
			client->slot = (uint16_t)(client->has_pin ? client->pin.slot : client->opening.slot);
		client->sequence = (uint32_t)(random >> 32);
		client->backend = (uint16_t)packet(history, client, FLOW_SYN);
		client->sequence++;
		client->open = client->backend != 0;
		client->ends = history->now + (random >> 20 & 7 ? 60U : 3600U) * SECOND_MS;
		if (!client->open)
			return;
	}
	history->broken += packet(history, client, FLOW_DATA) != client->backend;
	client->sequence += 1000;
	if ((int32_t)(history->now - client->ends) < 0)
		return;
	history->broken += packet(history, client, FLOW_END) != client->backend;
	client->open = false;
}

/* Half of them SYNs, half ACKs, with sequence numbers that mean nothing. */
static void flood(struct history *history, uint32_t packets)
{
	for (uint32_t i = 0; i < packets; i++) {
		uint64_t random = next(history);
		struct client *client = &history->client[FLOW_COUNT + random % FLOOD_COUNT];

		if (!client->has_pin && !client->has_opening)
			client->slot = (uint16_t)(random >> 16 & (SLOT_COUNT - 1));
		client->sequence = (uint32_t)(random >> 32);
		packet(history, client, i % 2 ? FLOW_SYN : FLOW_DATA);
	}
	history->floods += packets;
}

static void scan(struct history *history)
{
	if (!slots_scan_begin(&history->slots, history->now))
		return;
	history->pins = history->openings = 0;
	for (uint32_t i = 0; i < FLOW_COUNT + FLOOD_COUNT; i++) {
		struct client *client = &history->client[i];

		if (client->has_pin && !slots_see_pin(&history->slots, &client->pin, false, history->now))
			client->has_pin = false;
		if (client->has_opening && !slots_see_opening(&history->slots, &client->opening, false, history->now))
			client->has_opening = false;
		history->pins += client->has_pin;
		history->openings += client->has_opening;
	}
	slots_scan_end(&history->slots, history->now);
}

static void tick(struct history *history)
{
	slots_tick(&history->slots, 0, SLOT_COUNT, history->now);
	scan(history);
	if (history->pins > history->pins_most)
		history->pins_most = history->pins;
}

static void start(struct history *history, uint32_t learn, uint32_t room)
{
	memset(history, 0, sizeof(*history));
	history->now = 1000 * SECOND_MS;
	history->state = 1;
	history->learn = learn;
	history->room = room;
	for (uint16_t i = 1; i < BACKEND_COUNT; i++) {
		history->role[i] = SLOTS_UP;
		history->backend[i].flags = WEIR_BACKEND_SERVES | WEIR_BACKEND_ANSWERS | WEIR_BACKEND_OPEN;
	}
	for (uint32_t i = 0; i < SLOT_COUNT; i++)
		history->word[i].current = owner(history, i);
	history->slots = (struct slots){
		.word = history->word,
		.side = history->side,
		.restart = history->restart,
		.backend = history->backend,
		.role = history->role,
		.slots = SLOT_COUNT,
		.limits = {.hold = SECOND_MS,
			   .hold_longest = 3 * SECOND_MS,
			   .learn = learn,
			   .learn_udp = 30 * SECOND_MS,
			   .closing = learn < 300 * SECOND_MS ? learn : 300 * SECOND_MS,
			   .opening = 5 * SECOND_MS,
			   .grace = SECOND_MS,
			   .scan_gap = 10 * SECOND_MS},
	};
	slots_adopt(&history->slots, history->now);
}

static bool settles(struct history *history)
{
	for (uint32_t i = 0; i < 400; i++) {
		history->now += history->learn / 100 + 11 * SECOND_MS;
		tick(history);
	}
	for (uint32_t i = 0; i < FLOW_COUNT + FLOOD_COUNT; i++) {
		if (history->client[i].has_pin || history->client[i].has_opening)
			return false;
	}
	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		if (!flow_is_settled(&history->word[i]))
			return false;
	}
	return true;
}

struct course {
	uint32_t every_s, learn_s; /* a change every so often; the window */
	uint32_t room;             /* of each map */
	uint32_t flood;            /* packets a second, every other quarter of an hour */
	uint32_t pins_percent;  /* of the flows, that may be pinned at the same time; 0 = each may, or the room says */
	uint32_t looks_percent; /* of packets that may look at pins */
};

/* Packets come at random, each flow's on average every GAP_MS. */
static bool play(struct history *history, const struct course *course, uint64_t packets)
{
	uint32_t per_tick = FLOW_COUNT / (GAP_MS / SECOND_MS), every = course->every_s * SECOND_MS, due = every;
	double looks;
	bool rest;

	start(history, course->learn_s * SECOND_MS, course->room);
	while (history->packets < packets) {
		history->now += SECOND_MS;
		if (due <= SECOND_MS) {
			change(history);
			due += every;
		}
		due -= SECOND_MS;
		if (course->flood && history->now / (900 * SECOND_MS) % 2)
			flood(history, course->flood);
		for (uint32_t i = 0; i < per_tick; i++)
			play_client(history, &history->client[next(history) % FLOW_COUNT]);
		tick(history);
	}
	rest = settles(history);
	looks = 100.0 * (double)history->looked_up / (double)history->packets;
	printf("# a change every %u s, window %u s, room for %u%s: %" PRIu64 " packets, %" PRIu64 " changes, %" PRIu64
	       " flows broken, %" PRIu64 " times no room, %.1f %% looked at pins, at most %u pins for %d flows, %s\n",
	       course->every_s, course->learn_s, course->room, course->flood ? ", floods" : "", history->packets,
	       history->changes, history->broken, history->no_room, looks, history->pins_most, FLOW_COUNT,
	       rest ? "settled" : "NOT settled");
	return rest && !history->broken && !history->no_room == !course->flood && looks <= course->looks_percent &&
	       (!course->pins_percent || history->pins_most * 100 <= course->pins_percent * FLOW_COUNT);
}

int main(int argc, char **argv)
{
	static const struct course courses[] = {
		{3600, 300, 10000, 0, 6, 4}, {600, 900, 10000, 0, 20, 16}, {60, 300, 10000, 0, 70, 60},
		{10, 900, 10000, 0, 0, 97},  {600, 300, 400, 400, 0, 12},  {60, 300, 400, 400, 0, 60},
	};
	const char *text = argc > 1 ? argv[1] : getenv("WEIR_PACKETS");
	uint64_t packets = text ? strtoull(text, NULL, 0) : 3000000;
	struct history *history = calloc(1, sizeof(*history));
	size_t count = sizeof(courses) / sizeof(courses[0]);
	int failed = !history;

	printf("1..%zu\n", count);
	for (size_t i = 0; history && i < count; i++) {
		bool good = play(history, &courses[i], packets);

		printf("%sok %zu - a change every %u s%s\n", good ? "" : "not ", i + 1, courses[i].every_s,
		       courses[i].flood ? ", floods" : "");
		failed |= !good;
	}
	free(history);
	return failed;
}
