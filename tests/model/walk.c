/* SPDX-License-Identifier: BSD-2-Clause */
/* Random walks: made from a seed, run, shrunk to the shortest trace that still finds the same, printed. */
#include <stdio.h>
#include <string.h>

#include "world.h"

const char *const excuse_text[EXCUSES] = {
	[EXCUSE_TICK] = "moved to a node that the stream had not told yet",
	[EXCUSE_PARTED] = "moved to a node that was cut off while the slot changed",
	[EXCUSE_RACED] = "slot changed on both nodes within one tick of the stream",
	[EXCUSE_SLOW_HANDSHAKE] = "handshake longer than an opening lives",
	[EXCUSE_LONG_HANDSHAKE] = "SYN sent again came to a second backend, the first one answered",
	[EXCUSE_IDLE] = "had been silent longer than its limit once",
	[EXCUSE_SPOOFED_PAIR] = "spoofed SYN and a packet that follows it",
	[EXCUSE_SPOOFED_HANDSHAKE] = "spoofed SYNs in the very handshake",
	[EXCUSE_SPOOFED_CLOSE] = "spoofed packet and a FIN that follows it",
	[EXCUSE_CLIENT_DOWN] = "affinity client, backend down: another of its connections moved it",
	[EXCUSE_FULL_THERE] = "moved to a node whose maps had no room for it",
	[EXCUSE_FULL_LATE] = "no room for its pin just as the nodes agreed that the window was over",
	[EXCUSE_FULL_DOWN] = "no room for its opening while the old backend was down",
};

static const char *const op_text[OPS] = {
	"data",    "syn",       "syn-lost",  "synack", "fin",    "rst",       "spoof-syn",  "spoof-data", "spoof-fin",
	"icmp",    "flood-syn", "flood-ack", "up",     "drain",  "down-keep", "down-reset", "remove",     "shift",
	"restart", "move",      "takeover",  "kill",   "revive", "cut",       "join",       "wait",
};

/* SplitMix64 (Steele, Lea, Flood 2014) */
static uint64_t next(uint64_t *state)
{
	return weir_mix(*state += 0x9e3779b97f4a7c15ULL);
}

/* What walks are about. */
enum theme {
	THEME_ALL,
	THEME_HANDSHAKES, /* sent again and answered late, around changes */
	THEME_NODES,      /* flows wander, nodes and the stream come and go */
	THEME_RETURNS,    /* tuples that are silent for long, and then used again while the slot moves on */
	THEMES,
};

static const uint8_t weights[THEMES][OPS] = {
	[THEME_ALL] =
		{[OP_DATA] = 60,      [OP_SYN] = 10,      [OP_SYN_LOST] = 14,  [OP_SYNACK] = 12,   [OP_FIN] = 6,
		 [OP_RST] = 2,        [OP_SPOOF_SYN] = 8, [OP_SPOOF_DATA] = 6, [OP_SPOOF_FIN] = 5, [OP_ICMP] = 4,
		 [OP_FLOOD_SYN] = 4,  [OP_FLOOD_ACK] = 4, [OP_UP] = 12,        [OP_DRAIN] = 7,     [OP_DOWN_KEEP] = 6,
		 [OP_DOWN_RESET] = 4, [OP_REMOVE] = 2,    [OP_SHIFT] = 16,     [OP_RESTART] = 3,   [OP_MOVE] = 6,
		 [OP_TAKEOVER] = 5,   [OP_KILL] = 2,      [OP_REVIVE] = 4,     [OP_CUT] = 2,       [OP_JOIN] = 4,
		 [OP_WAIT] = 8},
	[THEME_HANDSHAKES] = {[OP_DATA] = 30,
			      [OP_SYN] = 6,
			      [OP_SYN_LOST] = 60,
			      [OP_SYNACK] = 40,
			      [OP_RST] = 12,
			      [OP_SHIFT] = 20,
			      [OP_DRAIN] = 3,
			      [OP_UP] = 5,
			      [OP_RESTART] = 2,
			      [OP_MOVE] = 3,
			      [OP_WAIT] = 6},
	[THEME_NODES] = {[OP_DATA] = 60,
			 [OP_SYN] = 6,
			 [OP_SYN_LOST] = 3,
			 [OP_RST] = 10,
			 [OP_SHIFT] = 14,
			 [OP_DRAIN] = 3,
			 [OP_UP] = 5,
			 [OP_RESTART] = 4,
			 [OP_MOVE] = 20,
			 [OP_TAKEOVER] = 6,
			 [OP_KILL] = 6,
			 [OP_REVIVE] = 8,
			 [OP_CUT] = 7,
			 [OP_JOIN] = 10,
			 [OP_WAIT] = 12},
	[THEME_RETURNS] = {[OP_DATA] = 70,
			   [OP_SYN] = 6,
			   [OP_FIN] = 4,
			   [OP_RST] = 14,
			   [OP_FLOOD_ACK] = 2,
			   [OP_UP] = 8,
			   [OP_DRAIN] = 6,
			   [OP_DOWN_RESET] = 4,
			   [OP_SHIFT] = 24,
			   [OP_RESTART] = 3,
			   [OP_WAIT] = 20},
};

static uint8_t pick_op(enum theme theme, uint32_t random)
{
	static uint8_t table[THEMES][256];
	static uint32_t total[THEMES];

	if (!total[theme]) {
		for (uint32_t op = 0; op < OPS; op++) {
			for (uint32_t i = 0; i < weights[theme][op]; i++)
				table[theme][total[theme]++] = (uint8_t)op;
		}
	}
	return table[theme][random % total[theme]];
}

static uint32_t pick_wait(uint64_t random)
{
	static const uint32_t wait[] = {
		0,
		0,
		0,
		1,
		1,
		5,
		12,
		20,
		20,
		60,
		300,
		300,
		1000,
		1000,
		1100,
		1500,
		2500,
		3500,
		4600,
		6000,
		6000,
		12000,
		29 * SECOND,
		31 * SECOND,
		31 * SECOND,
		299 * SECOND,
		310 * SECOND,
		460 * SECOND,
		890 * SECOND,
		899 * SECOND,
		901 * SECOND,
		1400 * SECOND,
	};

	return wait[random % (sizeof(wait) / sizeof(wait[0]))];
}

static struct rules make_rules(uint64_t r)
{
	static const uint8_t size[] = {1, 2, 3, 5, 12, 12, 12, 12};
	struct rules rules = {
		.slots = (uint8_t)(1 + r % SLOTS),
		.pins = size[r >> 4 & 7],
		.openings = size[r >> 8 & 7],
		.deletes = (r >> 12 & 3) ? 24 : 1,
		.client = (r >> 16) % 8 == 0,
		.overlooks = (r >> 14 & 3) == 0,
		.piece = (r >> 54 & 1) ? PINS + OPENINGS + 1 : (uint8_t)(1 + (r >> 55) % 7),
		.lag = (r >> 58 & 3) ? 0 : 3,
		.udp = (r >> 24 & 3) ? 0 : (uint8_t)(r >> 32),
		.quic = (r >> 26 & 3) ? 0 : (uint8_t)(r >> 40),
		.epoch = (r >> 60 & 1) ? 0x3fff : 0,
		.generation = (r >> 61 & 1) ? 0xffff : 0,
	};

	if (rules.overlooks)
		rules.deletes = r >> 12 & 1;
	if (rules.client)
		rules.quic = 0;
	return rules;
}

void walk_make(struct walk *walk, uint64_t seed, uint32_t events)
{
	uint64_t state = seed;
	uint64_t r = next(&state);
	uint8_t backend = 0;
	uint32_t tuples = 1 + (uint32_t)(r >> 20) % TUPLES;
	uint32_t calm = (uint32_t)(r >> 50) % 3; /* few long silences: more happens within one window */
	enum theme theme;

	walk->rules = make_rules(r);
	r = next(&state);
	theme = r & 1 ? THEME_ALL : (enum theme)(r >> 1 & 3);
	if (theme != THEME_ALL) { /* few flows, so that much happens to each */
		walk->rules.slots = (uint8_t)(1 + (r >> 8 & 1));
		tuples = 1 + (uint32_t)(r >> 16) % 2;
		calm = theme == THEME_HANDSHAKES ? 3 : calm;
	}
	walk->events = events;
	for (uint32_t i = 0; i < events; i++) {
		struct event *event = &walk->event[i];

		r = next(&state);
		event->op = pick_op(theme, r & 0xffff);
		event->a = (uint8_t)((r >> 16 & 0xff) % tuples);
		event->b = (uint8_t)(r >> 24 & 7);
		event->random = (uint32_t)(r >> 32);
		r = next(&state);
		event->wait = pick_wait(r & 0xffff);
		if (event->wait > 12000 && (r >> 32) % 3 < calm)
			event->wait = 5;
		if (event->op >= OP_UP && event->op <= OP_SHIFT)
			event->a = event->op == OP_UP && (r >> 50 & 1) ? backend : (uint8_t)(r >> 48 & 3);
		if (event->op > OP_UP && event->op < OP_SHIFT)
			backend = event->a; /* often the next one that comes up */
	}
}

static void print_maps(const struct node *node)
{
	uint32_t floods = 0;

	for (uint32_t k = 0; k < node->pins; k++) {
		const struct pin_entry *entry = &node->pin[k];

		if (entry->key < FLOOD_KEYS)
			printf(" pin %u:%u/e%u/g%u/f%u", entry->key, entry->pin.backend, entry->pin.epoch,
			       entry->pin.generation, entry->pin.flags);
		floods += entry->key >= FLOOD_KEYS;
	}
	printf(" +%u", floods);
	floods = 0;
	for (uint32_t k = 0; k < node->openings; k++) {
		const struct opening_entry *entry = &node->opening[k];

		if (entry->key < FLOOD_KEYS)
			printf(" opening %u:%u/e%u/g%u/f%u/%x", entry->key, entry->opening.backend,
			       entry->opening.epoch, entry->opening.generation, entry->opening.flags,
			       entry->opening.first);
		floods += entry->key >= FLOOD_KEYS;
	}
	printf(" +%u", floods);
}

static void print_world(const struct world *world)
{
	for (uint32_t n = 0; n < NODES; n++) {
		const struct node *node = &world->node[n];

		printf("#        node %u%s:", n, node->alive ? "" : " (dead)");
		if (world->verbose == 2)
			for (uint32_t i = 0; i < world->rules.slots; i++)
				printf(" (v%u heard %u peer %x told %x clean %u)", node->side[i].version,
				       node->side[i].heard, node->side[i].peer, node->side[i].told,
				       node->side[i].clean);
		for (uint32_t s = 0; s < world->rules.slots; s++)
			printf(" [%c %u<%u/%u e%u]", "SHLR"[flow_phase(&node->word[s])], node -> word[s].current,
			       node->word[s].previous, node->word[s].previous_udp, flow_epoch(&node->word[s]));
		print_maps(node);
		printf("\n");
	}
	for (uint32_t k = 0; k < TUPLES; k++) {
		const struct tuple *tuple = &world->tuple[k];

		if (tuple->state)
			printf("#        tuple %u%s: %s home %u at node %u%s\n", k, tuple->udp ? " udp" : "",
			       tuple->state == TUPLE_OPEN ? "open" : "opening", tuple->home, tuple->node,
			       tuple->excuse ? " (excused)" : "");
	}
}

static void print_event(const struct event *event)
{
	printf("# +%u.%03us %s %u %u %08x\n", event->wait / SECOND, event->wait % SECOND, op_text[event->op], event->a,
	       event->b, event->random);
}

const char *walk_run(const struct walk *walk, uint64_t *used, int verbose)
{
	struct world world;
	const char *finding = NULL;

	play_init(&world, &walk->rules, used);
	world.verbose = verbose;
	for (uint32_t i = 0; i < walk->events && !finding; i++) {
		finding = play_event(&world, &walk->event[i]);
		if (verbose) {
			print_event(&walk->event[i]);
			print_world(&world);
		}
	}
	if (!finding)
		finding = play_end(&world);
	world.verbose = 2;
	if (verbose)
		print_world(&world);
	return finding;
}

static bool finds(const struct walk *walk, const char *finding)
{
	uint64_t used[EXCUSES];

	return walk_run(walk, used, 0) == finding;
}

/* Takes out stretches of events, long ones first, then shortens waits, as long as the finding stays. */
void walk_shrink(struct walk *walk)
{
	uint64_t used[EXCUSES];
	const char *finding = walk_run(walk, used, 0);
	static const uint32_t shorter[] = {0, 20, 300, 1100, 6000, 31 * SECOND};

	for (uint32_t part = walk->events; part > 0; part = part > 1 ? part / 2 : 0) {
		for (uint32_t from = 0; from + part <= walk->events;) {
			struct walk less = *walk;

			less.events -= part;
			memmove(&less.event[from], &less.event[from + part],
				(less.events - from) * sizeof(less.event[0]));
			if (finds(&less, finding))
				*walk = less;
			else
				from++;
		}
	}
	for (uint32_t i = 0; i < walk->events; i++) {
		for (uint32_t k = 0; k < sizeof(shorter) / sizeof(shorter[0]); k++) {
			struct walk less = *walk;

			if (less.event[i].wait <= shorter[k])
				break;
			less.event[i].wait = shorter[k];
			if (!finds(&less, finding))
				continue;
			*walk = less;
			break;
		}
	}
}

void walk_print(const struct walk *walk)
{
	const struct rules *rules = &walk->rules;
	uint64_t used[EXCUSES];

	printf("# rules %u %u %u %u %u %u %u %u %02x %02x %x %x\n", rules->slots, rules->pins, rules->openings,
	       rules->deletes, rules->overlooks, rules->piece, rules->lag, rules->client, rules->udp, rules->quic,
	       rules->epoch, rules->generation);
	walk_run(walk, used, 1);
}

bool walk_read_event(const char *line, struct event *event)
{
	unsigned int seconds, ms, a, b, random;
	char word[20];

	if (sscanf(line, "+%u.%us %19s %u %u %x", &seconds, &ms, word, &a, &b, &random) != 6)
		return false;
	*event = (struct event){.a = (uint8_t)a, .b = (uint8_t)b, .wait = seconds * SECOND + ms, .random = random};
	for (event->op = 0; event->op < OPS && strcmp(op_text[event->op], word) != 0;)
		event->op++;
	return event->op < OPS && a < TUPLES;
}
