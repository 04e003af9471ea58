/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In: the maps `openings` and `pins`, while packets write to them; the services in transition. Out: deletions, what
 * slots.c learns of its slots' flows, and counts.
 *
 * Openings come first: a flow that goes from the one map to the other meanwhile is then seen in one of them at least.
 * An element is deleted only if it is still as it was when it was judged.
 */
#include "scan.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/weir/flow.h"
#include "../lib/log.h"
#include "../lib/loop.h"

enum {
	END_SLOTS = 65536 /* slots whose scan ends in one call */,
	DELETES = 256 /* in one call: each is two system calls */
};

#define GAP_NS   1010000000ULL /* between two scans: slots.c's second, and what the clocks' rounding may take off */
#define PIECE_NS 1000000ULL    /* pause between two pieces of one */
#define RETRY_NS 10000000000ULL

int scan_load(struct scan *scan, struct turns *turns, const struct set *set)
{
	*scan = (struct scan){.turns = turns, .set = set};
	scan->of_service = calloc(turns->services, sizeof(struct tally));
	scan->next_service = calloc(turns->services, sizeof(struct tally));
	scan->of_backend = calloc(turns->backends, sizeof(struct tally));
	scan->next_backend = calloc(turns->backends, sizeof(struct tally));
	scan->found = calloc(turns->backends, sizeof(*scan->found));
	if (!scan->of_service || !scan->next_service || !scan->of_backend || !scan->next_backend || !scan->found)
		return -ENOMEM;
	return batch_open(&scan->batch, sizeof(struct weir_flow_key), sizeof(struct weir_opening));
}

void scan_free(struct scan *scan)
{
	free(scan->of_service);
	free(scan->next_service);
	free(scan->of_backend);
	free(scan->next_backend);
	free(scan->found);
	batch_close(&scan->batch);
	*scan = (struct scan){.turns = NULL};
}

void scan_forget_backend(struct scan *scan, uint16_t backend)
{
	scan->of_backend[backend] = scan->next_backend[backend] = (struct tally){.idle = 0};
	scan->found[backend] = scan->turns->scans;
}

bool scan_is_free(const struct scan *scan, uint16_t service, uint16_t backend)
{
	uint32_t named = scan->turns->mark[backend].named_scan, found = scan->found[backend];

	return !turns_name(scan->turns, service, backend) && scan->done >= named + 2 && scan->done >= found + 2;
}

/* ---- one element ---- */

struct element {
	const struct weir_flow_key *key;
	bool opening;
	union {
		struct weir_opening as_opening;
		struct weir_pin as_pin;
	};
	uint16_t backend;
	struct turn *turn; /* NULL: of no service that has anything in transition */
	uint32_t slot;     /* of the service */
};

static void read_element(const struct scan *scan, uint32_t i, struct element *element)
{
	uint32_t slot;

	element->key = batch_key(&scan->batch, i);
	element->opening = scan->step == SCAN_OPENINGS;
	if (element->opening) {
		memcpy(&element->as_opening, batch_value(&scan->batch, i), sizeof(element->as_opening));
		element->backend = element->as_opening.backend;
		slot = element->as_opening.slot;
	} else {
		memcpy(&element->as_pin, batch_value(&scan->batch, i), sizeof(element->as_pin));
		element->backend = element->as_pin.backend;
		slot = element->as_pin.slot;
	}
	element->turn =
		element->key->service < scan->turns->services ? &scan->turns->service[element->key->service] : NULL;
	if (!element->turn || !element->turn->slots.side || element->backend >= scan->turns->backends ||
	    slot - element->turn->base >= element->turn->slots.slots) {
		element->turn = NULL;
		return;
	}
	element->slot = slot - element->turn->base;
	if (element->opening)
		element->as_opening.slot = element->slot;
	else
		element->as_pin.slot = element->slot;
}

/* Does it stay? */
static bool judge(const struct scan *scan, const struct element *element, uint32_t now)
{
	union weir_service word;
	bool udp;

	if (!element->turn)
		return false;
	word = set_services(scan->set)[element->key->service];
	udp = element->key->proto == IPPROTO_UDP && word.affinity != WEIR_AFFINITY_CLIENT;
	if (element->opening)
		return slots_see_opening(&element->turn->slots, &element->as_opening, udp, now);
	return slots_see_pin(&element->turn->slots, &element->as_pin, udp, now);
}

/* True if it is gone. */
static bool delete (const struct scan *scan, const struct element *element, uint32_t i)
{
	int map = scan->set->fd[element->opening ? MAP_OPENINGS : MAP_PINS];
	char now[sizeof(struct weir_opening)];

	if (bpf_map_lookup_elem(map, element->key, now))
		return errno == ENOENT;
	if (memcmp(now, batch_value(&scan->batch, i), scan->batch.value_size) != 0)
		return false; /* a packet has made something else of it */
	return !bpf_map_delete_elem(map, element->key) || errno == ENOENT;
}

static void add_to(struct tally *tally, const struct element *element, uint32_t now)
{
	const struct weir_pin *pin = &element->as_pin;
	uint32_t idle;

	if (element->opening) {
		tally->flows.openings++;
		return;
	}
	tally->flows.pins++;
	tally->flows.closing += (pin->flags & WEIR_PIN_CLOSING) != 0;
	if (!(pin->flags & WEIR_PIN_CONFIRMED))
		return;
	tally->flows.confirmed++;
	idle = flow_age(now, pin->seen);
	if (idle >= tally->idle)
		tally->idle = idle ? idle : 1; /* 0 says that there is none */
}

/* True if that has taken a deletion. */
static bool see(struct scan *scan, uint32_t i, uint32_t now)
{
	struct element element;
	bool stays;

	read_element(scan, i, &element);
	stays = judge(scan, &element, now);
	if (!stays && delete (scan, &element, i))
		return true;
	scan->next_entries[scan->step]++;
	if (element.backend < scan->turns->backends)
		scan->found[element.backend] = scan->turns->scans;
	if (!element.turn)
		return !stays;
	if (!stays)
		slots_not_deleted(&element.turn->slots, element.slot);
	add_to(&scan->next_service[element.key->service], &element, now);
	add_to(&scan->next_backend[element.backend], &element, now);
	return !stays;
}

/* ---- a scan ---- */

static void begin(struct scan *scan, uint32_t now)
{
	struct turns *turns = scan->turns;

	turns->scans++;
	scan->under_way = true;
	scan->quiet = !turns->turning;
	scan->begun = turns->begun;
	scan->step = SCAN_OPENINGS;
	memset(scan->next_service, 0, turns->services * sizeof(*scan->next_service));
	memset(scan->next_backend, 0, turns->backends * sizeof(*scan->next_backend));
	memset(scan->next_entries, 0, sizeof(scan->next_entries));
	scan->at = 0;
	batch_begin(&scan->batch, sizeof(struct weir_opening));
	for (uint32_t i = 0; i < turns->services; i++)
		if (turns->service[i].slots.side)
			slots_scan_begin(&turns->service[i].slots, now);
}

/* It counts for nothing: what slots.c has seen of it is kept as found. */
static void give_up(struct scan *scan, int err, uint64_t now_ns)
{
	log_warn("%s: %s: cannot be read: %s", scan->set->path,
		 set_map_name(scan->step == SCAN_OPENINGS ? MAP_OPENINGS : MAP_PINS), strerror(-err));
	for (uint32_t i = 0; i < scan->turns->services; i++)
		scan->turns->service[i].slots.scanning = false;
	scan->turns->scans--; /* its number is the next one's: whoever counts scans counts whole ones */
	scan->under_way = false;
	scan->at_ns = now_ns + RETRY_NS;
}

static void publish(struct scan *scan, uint64_t now_ns)
{
	struct tally *service = scan->of_service, *backend = scan->of_backend;

	scan->of_service = scan->next_service;
	scan->of_backend = scan->next_backend;
	scan->next_service = service;
	scan->next_backend = backend;
	memcpy(scan->entries, scan->next_entries, sizeof(scan->entries));
	scan->empty = scan->quiet && scan->begun == scan->turns->begun && !scan->entries[SCAN_OPENINGS] &&
		      !scan->entries[SCAN_PINS];
	scan->done = scan->turns->scans;
	scan->under_way = false;
	scan->at_ns = now_ns + GAP_NS;
	scan->turns->at_ns = 0; /* slots that may settle now do so before anybody hears that a backend is free */
}

static void end_piece(struct scan *scan, uint64_t now_ns)
{
	uint32_t left = END_SLOTS;

	for (; scan->service < scan->turns->services; scan->service++) {
		struct slots *slots = &scan->turns->service[scan->service].slots;

		if (!slots->side || !slots->scanning)
			continue;
		if (left < slots->slots)
			return;
		left -= slots->slots;
		slots_scan_end(slots, turns_clock(now_ns));
	}
	publish(scan, now_ns);
}

static void next_step(struct scan *scan)
{
	scan->step = scan->step == SCAN_OPENINGS ? SCAN_PINS : SCAN_END;
	scan->service = 0;
	scan->at = 0;
	batch_begin(&scan->batch, sizeof(struct weir_pin));
}

/* The clock is read after the elements: what packets have touched while the agent was held up would else be far ahead of it. */
static int read_piece(struct scan *scan)
{
	enum set_map map = scan->step == SCAN_OPENINGS ? MAP_OPENINGS : MAP_PINS;
	uint32_t deletes = 0, now;
	int err = 0;

	if (scan->at == scan->batch.count) {
		err = batch_next(&scan->batch, scan->set->fd[map]);
		scan->at = 0;
	}
	now = turns_clock(loop_now_ns());
	while (scan->at < scan->batch.count && deletes < DELETES)
		deletes += see(scan, scan->at++, now);
	if (!err && scan->batch.ended && scan->at == scan->batch.count)
		next_step(scan);
	return err;
}

bool scan_is_needed(const struct scan *scan)
{
	return scan->under_way || scan->turns->turning || scan->begun != scan->turns->begun || !scan->empty;
}

uint64_t scan_go_on(struct scan *scan, bool wanted, uint64_t now_ns)
{
	int err = 0;

	if (!scan->under_way) {
		if (!wanted)
			return 0;
		if (now_ns < scan->at_ns)
			return scan->at_ns;
		begin(scan, turns_clock(now_ns));
	}
	if (scan->step == SCAN_END)
		end_piece(scan, now_ns);
	else
		err = read_piece(scan);
	if (err)
		give_up(scan, err, now_ns);
	return scan->under_way ? now_ns + PIECE_NS : scan->at_ns;
}
