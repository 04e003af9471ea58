/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands that write and tell what slots in transition have: their words, what backends do, openings, pins, restarts. And `decide`, which says what
 * flow.h, compiled here, would do with the same entries: carried out in the order of its head comment, by other hands than the data path's.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <sys/mman.h>

#include "../../include/weir/flow.h"
#include "../../user/lib/addr.h"
#include "run.h"

enum { KEY_WORDS = 6, OPENING_WORDS = 9, PIN_WORDS = 7 };

static uint32_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint32_t)(((uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec) >> WEIR_CLOCK_SHIFT);
}

static uint16_t half(const char *word)
{
	return (uint16_t)number(word);
}

static uint32_t whole(const char *word)
{
	return (uint32_t)number(word);
}

/* FIRST COUNT PHASE EPOCH CURRENT PREVIOUS PREVIOUS-UDP */
static union weir_slot slot_word(char **word)
{
	return (union weir_slot){.state = (uint16_t)(number(word[0]) | number(word[1]) << WEIR_SLOT_EPOCH_SHIFT),
				 .current = half(word[2]),
				 .previous = half(word[3]),
				 .previous_udp = half(word[4])};
}

int do_transit(char **word, int words)
{
	union weir_slot slot = slot_word(word + 3);

	(void)words;
	for (uint32_t index = whole(word[1]); index < whole(word[1]) + whole(word[2]); index++)
		if (put(loaded.weir->maps.slots, &index, &slot))
			return -1;
	return 0;
}

int do_serves(char **word, int words)
{
	struct weir_backend backend;
	uint32_t index = whole(word[1]);

	(void)words;
	if (bpf_map_lookup_elem(bpf_map__fd(loaded.weir->maps.backends), &index, &backend))
		return -1;
	backend.generation = half(word[2]);
	backend.flags = half(word[3]);
	return put(loaded.weir->maps.backends, &index, &backend);
}

/* ---- entries as words ---- */

/* SERVICE PROTO SRC SPORT DST DPORT */
static bool read_key(char **word, struct weir_flow_key *key)
{
	memset(key, 0, sizeof(*key));
	key->service = half(word[0]);
	key->proto = (uint8_t)number(word[1]);
	key->sport = htons(half(word[3]));
	key->dport = htons(half(word[5]));
	return address(word[2], &key->src) && address(word[4], &key->dst);
}

static void print_key(const struct weir_flow_key *key)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];
	struct addr addr[2];

	memcpy(&addr[0], &key->src, sizeof(addr[0]));
	memcpy(&addr[1], &key->dst, sizeof(addr[1]));
	printf("%u %u %s %u %s %u", key->service, key->proto, addr_format(&addr[0], src), ntohs(key->sport),
	       addr_format(&addr[1], dst), ntohs(key->dport));
	if (key->pad)
		printf(" pad");
}

/* SLOT BACKEND EPOCH GENERATION FLAGS FIRST LATEST AIMED AGE */
static struct weir_opening read_opening(char **word, uint32_t at)
{
	return (struct weir_opening){.slot = whole(word[0]),
				     .backend = half(word[1]),
				     .epoch = half(word[2]),
				     .generation = half(word[3]),
				     .flags = half(word[4]),
				     .first = whole(word[5]),
				     .latest = whole(word[6]),
				     .aimed = whole(word[7]),
				     .seen = at - whole(word[8])};
}

static void print_opening(const struct weir_opening *opening, uint32_t at)
{
	printf("%u %u %u %u %u %u %u %u %u", opening->slot, opening->backend, opening->epoch, opening->generation,
	       opening->flags, opening->first, opening->latest, opening->aimed, at - opening->seen);
}

/* SLOT BACKEND EPOCH GENERATION FLAGS SEQUENCE AGE */
static struct weir_pin read_pin(char **word, uint32_t at)
{
	return (struct weir_pin){.slot = whole(word[0]),
				 .backend = half(word[1]),
				 .epoch = half(word[2]),
				 .generation = half(word[3]),
				 .flags = half(word[4]),
				 .sequence = whole(word[5]),
				 .seen = at - whole(word[6])};
}

static void print_pin(const struct weir_pin *pin, uint32_t at)
{
	printf("%u %u %u %u %u %u %u", pin->slot, pin->backend, pin->epoch, pin->generation, pin->flags, pin->sequence,
	       at - pin->seen);
}

/* ---- the maps ---- */

int do_opening(char **word, int words)
{
	struct weir_opening opening = read_opening(word + 1 + KEY_WORDS, now());
	struct weir_flow_key key;

	(void)words;
	return read_key(word + 1, &key) ? put(loaded.weir->maps.openings, &key, &opening) : -1;
}

int do_pin(char **word, int words)
{
	struct weir_pin pin = read_pin(word + 1 + KEY_WORDS, now());
	struct weir_flow_key key;

	(void)words;
	return read_key(word + 1, &key) ? put(loaded.weir->maps.pins, &key, &pin) : -1;
}

/* The key after *key, or the first one; false at the end. */
static bool next_key(struct bpf_map *map, struct weir_flow_key *key, bool first)
{
	return bpf_map_get_next_key(bpf_map__fd(map), first ? NULL : key, key) == 0;
}

int do_flows(char **word, int words)
{
	struct weir_flow_key key;
	struct weir_opening opening;
	struct weir_pin pin;
	uint32_t at = now();

	(void)word;
	(void)words;
	printf("ok");
	for (bool more = next_key(loaded.weir->maps.openings, &key, true); more;
	     more = next_key(loaded.weir->maps.openings, &key, false)) {
		if (bpf_map_lookup_elem(bpf_map__fd(loaded.weir->maps.openings), &key, &opening))
			continue;
		printf(" opening ");
		print_key(&key);
		putchar(' ');
		print_opening(&opening, at);
		putchar(',');
	}
	for (bool more = next_key(loaded.weir->maps.pins, &key, true); more;
	     more = next_key(loaded.weir->maps.pins, &key, false)) {
		if (bpf_map_lookup_elem(bpf_map__fd(loaded.weir->maps.pins), &key, &pin))
			continue;
		printf(" pin ");
		print_key(&key);
		putchar(' ');
		print_pin(&pin, at);
		putchar(',');
	}
	putchar('\n');
	return 1;
}

static uint32_t *restart_memory(size_t *count)
{
	static uint32_t *memory;
	size_t size = bpf_map__max_entries(loaded.weir->maps.restarts) * sizeof(struct weir_restarts);

	*count = size / sizeof(*memory);
	if (!memory) {
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(loaded.weir->maps.restarts),
			      0);
		if (memory == MAP_FAILED)
			memory = NULL;
	}
	return memory;
}

/* -> ok SLOT AGE, ... of all slots that something has found no room for */
int do_restarts(char **word, int words)
{
	size_t count;
	const uint32_t *memory = restart_memory(&count);

	(void)word;
	(void)words;
	printf("ok");
	for (size_t i = 0; memory && i < count; i++)
		if (memory[i])
			printf(" %zu %u,", i, now() - memory[i]);
	putchar('\n');
	return memory ? 1 : -1;
}

static void forget_all(struct bpf_map *map)
{
	struct weir_flow_key key;

	while (next_key(map, &key, true))
		if (bpf_map_delete_elem(bpf_map__fd(map), &key))
			return;
}

int do_forget(char **word, int words)
{
	size_t count;
	uint32_t *memory = restart_memory(&count);

	(void)word;
	(void)words;
	forget_all(loaded.weir->maps.openings);
	forget_all(loaded.weir->maps.pins);
	if (!memory)
		return -1;
	memset(memory, 0, count * sizeof(*memory));
	return 0;
}

/* ---- the same by flow.h ---- */

struct native {
	struct weir_opening opening, new_opening;
	struct weir_pin pin, new_pin;
	bool has_opening, has_pin; /* afterwards */
	bool opening_room, pin_room;
};

static struct flow_backend state_of(uint32_t index)
{
	struct weir_backend backend;

	if (bpf_map_lookup_elem(bpf_map__fd(loaded.weir->maps.backends), &index, &backend))
		memset(&backend, 0, sizeof(backend));
	return (struct flow_backend){backend.generation, backend.flags};
}

static void fill_backends(struct flow_ask *ask)
{
	ask->of_current = state_of(ask->slot.current);
	ask->of_previous = state_of(ask->slot.previous);
	ask->of_previous_udp = state_of(ask->slot.previous_udp);
	if (ask->opening)
		ask->of_opening = state_of(ask->opening->backend);
	if (ask->pin)
		ask->of_pin = state_of(ask->pin->backend);
}

static void carry_out(const struct flow_ask *ask, struct flow_verdict *verdict, struct native *native)
{
	if (verdict->todo & FLOW_WRITE_OPENING) {
		if (native->opening_room) {
			flow_make_opening(ask, verdict, &native->new_opening);
			native->has_opening = true;
		} else {
			flow_opening_failed(ask, verdict);
		}
	}
	if (verdict->todo & FLOW_WRITE_PIN) {
		if (native->pin_room) {
			flow_make_pin(ask, verdict, &native->new_pin);
			native->has_pin = true;
		} else {
			flow_pin_failed(ask, verdict);
		}
	}
	if (verdict->todo & FLOW_DROP_OPENING)
		native->has_opening = false;
	if (verdict->todo & FLOW_TOUCH_OPENING && native->has_opening)
		flow_touch_opening(ask, verdict, &native->new_opening);
	if (verdict->todo & FLOW_TOUCH_PIN && native->has_pin)
		flow_touch_pin(ask, verdict, &native->new_pin);
}

static void print_native(const struct flow_verdict *verdict, const struct native *native, uint32_t at)
{
	printf("ok %u %d opening ", verdict->backend, (verdict->todo & FLOW_RESTART) != 0);
	if (native->has_opening)
		print_opening(&native->new_opening, at);
	printf(", pin ");
	if (native->has_pin)
		print_pin(&native->new_pin, at);
	putchar('\n');
}

/* PHASE EPOCH CURRENT PREVIOUS PREVIOUS-UDP SLOT KIND UDP CLIENT SEQUENCE OTHER OPENING-ROOM PIN-ROOM [opening 9 WORDS] [pin 7 WORDS] */
int do_decide(char **word, int words)
{
	struct native native = {.opening_room = number(word[12]) != 0, .pin_room = number(word[13]) != 0};
	struct flow_ask ask = {.slot = slot_word(word + 1),
			       .slot_index = whole(word[6]),
			       .kind = (uint8_t)number(word[7]),
			       .udp = (uint8_t)number(word[8]),
			       .client = (uint8_t)number(word[9]),
			       .sequence = whole(word[10]),
			       .other = whole(word[11]),
			       .now = 1 << 20,
			       .opening_limit = (uint32_t)(WEIR_OPENING_LIVES_MS * 1000000ULL >> WEIR_CLOCK_SHIFT)};
	struct flow_verdict verdict;

	for (int at = 14; at < words;) {
		bool opening = strcmp(word[at], "opening") == 0;

		if (at + (opening ? OPENING_WORDS : PIN_WORDS) >= words)
			return -1;
		if (opening) {
			native.opening = native.new_opening = read_opening(word + at + 1, ask.now);
			ask.opening = &native.opening;
		} else {
			native.pin = native.new_pin = read_pin(word + at + 1, ask.now);
			ask.pin = &native.pin;
		}
		at += 1 + (opening ? OPENING_WORDS : PIN_WORDS);
	}
	native.has_opening = ask.opening;
	native.has_pin = ask.pin;
	fill_backends(&ask);
	verdict.backend = ask.slot.current;
	verdict.todo = 0;
	if (!flow_is_settled(&ask.slot))
		flow_decide(&ask, &verdict);
	carry_out(&ask, &verdict, &native);
	print_native(&verdict, &native, ask.now);
	return 1;
}
