/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots in transition and their flows, as the agent sees them: driven by plane_turn, told of by the rest. In: the time, questions. Out: turns.c, scan.c; answers. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "../../include/weir/flow.h"
#include "../lib/loop.h"
#include "batch.h"
#include "percpu.h"
#include "plane.h"
#include "state.h"

/* ---- the time goes on ---- */

/* Does somebody wait for the flows of a backend to end? */
static bool any_drains(const struct plane *plane)
{
	const struct model *model = plane->model;

	for (size_t s = 0; model && s < model->services; s++) {
		const struct model_service *service = model->service[s];

		for (size_t i = 0; i < service->backends; i++)
			if (backend_is_draining(&service->backend[i]) &&
			    !scan_is_free(&plane->scan, service->index, service->backend[i].index))
				return true;
	}
	return false;
}

uint64_t plane_turn(struct plane *plane, uint64_t now_ns)
{
	uint64_t walk_ns, scan_ns;

	if (!plane->set)
		return 0;
	scan_ns = scan_go_on(&plane->scan, scan_is_needed(&plane->scan) || any_drains(plane), now_ns);
	walk_ns = turns_walk(&plane->turns, now_ns);
	return walk_ns && (!scan_ns || walk_ns < scan_ns) ? walk_ns : scan_ns;
}

/* ---- how things stand ---- */

void plane_service_state(const struct plane *plane, const struct model_service *service,
			 struct plane_service_state *out)
{
	*out = (struct plane_service_state){.flows = {0}};
	if (!plane->set || service->index >= plane->turns.services)
		return;
	memcpy(out->slots, plane->turns.service[service->index].phases, sizeof(out->slots));
	out->flows = plane->scan.of_service[service->index].flows;
}

void plane_backend_state(const struct plane *plane, const struct model_service *service, uint16_t index,
			 struct plane_backend_state *out)
{
	*out = (struct plane_backend_state){.holding = false};
	if (!plane->set || index >= plane->turns.backends)
		return;
	out->holding = turns_hold(&plane->turns, service->index, index);
	out->named = turns_name(&plane->turns, service->index, index);
	out->free = scan_is_free(&plane->scan, service->index, index);
	out->flows = plane->scan.of_backend[index].flows;
	out->idle_ns = (uint64_t)plane->scan.of_backend[index].idle << WEIR_CLOCK_SHIFT;
}

int plane_flow_counts(const struct plane *plane, struct weir_flow_counts *out)
{
	*out = (struct weir_flow_counts){0};
	if (!plane->set)
		return -ENOENT;
	return percpu_flows(plane->cpus, plane->set->fd[MAP_FLOW_COUNTERS], &set_info(plane->set)->flows, out);
}

/* ---- entries ---- */

enum { ENTRIES_READ = 32768 /* some 30 ms: whoever may ask must not keep the agent from its work */ };

struct listing {
	int service;
	struct plane_entry *out;
	size_t max, count, total;
	uint32_t read;
	uint32_t now;
};

static void list_one(struct listing *listing, const struct batch *batch, uint32_t i, bool opening)
{
	struct plane_entry *entry = &listing->out[listing->count];
	const struct weir_flow_key *key = batch_key(batch, i);
	uint32_t seen;

	if (listing->service >= 0 && key->service != listing->service)
		return;
	listing->total++;
	if (listing->count == listing->max)
		return;
	listing->count++;
	*entry = (struct plane_entry){.key = *key, .opening = opening};
	if (opening)
		memcpy(&entry->as_opening, batch_value(batch, i), sizeof(entry->as_opening));
	else
		memcpy(&entry->as_pin, batch_value(batch, i), sizeof(entry->as_pin));
	seen = opening ? entry->as_opening.seen : entry->as_pin.seen;
	entry->idle_ns = (uint64_t)flow_age(listing->now, seen) << WEIR_CLOCK_SHIFT;
}

static int list_map(const struct plane *plane, struct batch *batch, enum set_map map, struct listing *listing)
{
	int err = 0;

	batch_begin(batch, plane->set->value_size[map]);
	while (!err && !batch->ended && listing->read < ENTRIES_READ) {
		err = batch_next(batch, plane->set->fd[map]);
		listing->read += batch->count;
		for (uint32_t i = 0; i < batch->count; i++)
			list_one(listing, batch, i, map == MAP_OPENINGS);
	}
	return err;
}

/* As the last whole scan has it. */
static size_t entries_scanned(const struct plane *plane, int service)
{
	const struct plane_flows *flows;

	if (service < 0)
		return (size_t)plane->scan.entries[SCAN_OPENINGS] + plane->scan.entries[SCAN_PINS];
	flows = &plane->scan.of_service[service].flows;
	return (size_t)flows->openings + flows->pins;
}

int plane_entries(const struct plane *plane, int service, struct plane_entry *out, size_t max, size_t *count,
		  size_t *total)
{
	struct listing listing = {.service = service, .out = out, .max = max, .now = turns_clock(loop_now_ns())};
	struct batch batch;
	int err = -ENOENT;

	*count = *total = 0;
	if (!plane->set || service >= (int)plane->turns.services)
		return err;
	err = batch_open(&batch, sizeof(struct weir_flow_key), sizeof(struct weir_opening));
	if (!err)
		err = list_map(plane, &batch, MAP_OPENINGS, &listing);
	if (!err)
		err = list_map(plane, &batch, MAP_PINS, &listing);
	batch_close(&batch);
	*count = listing.count;
	*total = listing.total;
	if (listing.read >= ENTRIES_READ && entries_scanned(plane, service) > listing.total)
		*total = entries_scanned(plane, service);
	return err;
}

/* ---- one flow ---- */

static struct flow_backend backend_of(const struct plane *plane, uint16_t index)
{
	const struct weir_backend *backend = set_backends(plane->set);

	if (index >= plane->turns.backends)
		return (struct flow_backend){0};
	return (struct flow_backend){.generation = backend[index].generation, .flags = backend[index].flags};
}

static struct flow_ask make_ask(const struct plane *plane, const struct model_service *service,
				const struct weir_flow_key *key, uint32_t slot, const struct plane_flow *flow)
{
	struct flow_ask ask = {
		.slot = flow->slot,
		.slot_index = slot,
		.udp = key->proto == IPPROTO_UDP,
		.client = service->config.affinity == WEIR_AFFINITY_CLIENT,
		.now = turns_clock(loop_now_ns()),
		.opening_limit = turns_clock_ms(WEIR_OPENING_LIVES_MS),
		.of_current = backend_of(plane, flow->slot.current),
		.of_previous = backend_of(plane, flow->slot.previous),
		.of_previous_udp = backend_of(plane, flow->slot.previous_udp),
	};

	if (flow->has_opening) {
		ask.opening = &flow->opening;
		ask.of_opening = backend_of(plane, flow->opening.backend);
	}
	if (flow->has_pin) {
		ask.pin = &flow->pin;
		ask.of_pin = backend_of(plane, flow->pin.backend);
	}
	return ask;
}

/* The packet that a flow's own next one would be: it follows the latest SYN, or the pin's last packet. */
static uint16_t ask_next(struct flow_ask ask)
{
	struct flow_verdict verdict;

	ask.kind = FLOW_DATA;
	ask.sequence = ask.opening ? ask.opening->latest + 1 : ask.pin ? ask.pin->sequence : 0;
	flow_decide(&ask, &verdict);
	return (uint16_t)verdict.backend;
}

/* A SYN that is none of those seen before. */
static uint16_t ask_first(struct flow_ask ask)
{
	struct flow_verdict verdict;

	ask.kind = FLOW_SYN;
	ask.sequence = ask.opening ? ask.opening->latest + 1 : 0;
	if (ask.opening && ask.sequence == ask.opening->first)
		ask.sequence++;
	flow_decide(&ask, &verdict);
	return (uint16_t)verdict.backend;
}

int plane_flow(const struct plane *plane, const struct model_service *service, const struct weir_flow_key *key,
	       uint32_t slot, struct plane_flow *out)
{
	const struct turn *turn;
	struct flow_ask ask;
	bool udp = key->proto == IPPROTO_UDP && service->config.affinity != WEIR_AFFINITY_CLIENT;

	*out = (struct plane_flow){.slot = {.word = 0}};
	if (!plane->set || service->index >= plane->turns.services)
		return -ENOENT;
	turn = &plane->turns.service[service->index];
	if (slot - turn->base >= turn->slots.slots)
		return -ENOENT;
	out->slot = plane_slot(plane, slot);
	out->next = out->first = out->slot.current;
	if (flow_is_settled(&out->slot) || service->config.affinity == WEIR_AFFINITY_NONE)
		return 0;
	out->has_opening = !bpf_map_lookup_elem(plane->set->fd[MAP_OPENINGS], key, &out->opening);
	out->has_pin = !bpf_map_lookup_elem(plane->set->fd[MAP_PINS], key, &out->pin);
	ask = make_ask(plane, service, key, slot, out);
	out->opening_holds = flow_opening_holds(&ask);
	out->pin_holds = flow_pin_holds(&ask);
	if (turn->slots.side)
		out->left_ns = (uint64_t)slots_left(&turn->slots, slot - turn->base, udp, ask.now) << WEIR_CLOCK_SHIFT;
	out->next = ask_next(ask);
	out->first = ask_first(ask);
	return 0;
}
