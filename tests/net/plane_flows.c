/* SPDX-License-Identifier: BSD-2-Clause */
/* See plane_flows.h. */
#include "plane_flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../../include/weir/flow.h"
#include "../../user/lib/loop.h"
#include "plane_maps.h"

struct lab_agent flows_agent;

uint32_t flows_clock(void)
{
	return (uint32_t)(loop_now_ns() >> WEIR_CLOCK_SHIFT);
}

struct model_service *flows_web(void)
{
	struct model_service *web = model_service(&flows_agent.model, "web");

	assert_non_null(web);
	return web;
}

struct model_backend *flows_backend(const char *text)
{
	struct addr addr = maps_address(text);
	struct model_backend *backend = model_backend(flows_web(), &addr);

	assert_non_null(backend);
	return backend;
}

struct plane_service_state flows_state(void)
{
	struct plane_service_state state;

	plane_service_state(flows_agent.plane, flows_web(), &state);
	return state;
}

struct plane_backend_state flows_backend_state(const char *addr)
{
	struct plane_backend_state state;

	plane_backend_state(flows_agent.plane, flows_web(), flows_backend(addr)->index, &state);
	return state;
}

/* ---- time ---- */

uint64_t flows_ms_since(uint64_t then_ns)
{
	return (loop_now_ns() - then_ns) / 1000000;
}

/* NULL: until it wants not to be called any more */
static void turn_until(bool (*done)(void))
{
	uint64_t begin_ns = loop_now_ns(), now_ns = begin_ns, next_ns;

	for (;;) {
		next_ns = plane_turn(flows_agent.plane, now_ns);
		now_ns = loop_now_ns();
		if (done ? done() : !next_ns)
			return;
		if (now_ns - begin_ns > FLOWS_PATIENCE_MS * 1000000ULL)
			fail_msg("not within %d ms", FLOWS_PATIENCE_MS);
		if (!next_ns)
			fail_msg("it rests though it is not done");
		if (next_ns > now_ns)
			usleep((useconds_t)((next_ns - now_ns) / 1000));
		now_ns = loop_now_ns();
	}
}

void flows_turn_until(bool (*done)(void))
{
	turn_until(done);
}

void flows_turn_to_rest(void)
{
	turn_until(NULL);
}

bool flows_all_learning(void)
{
	return !flows_state().slots[WEIR_HOLDING];
}

bool flows_all_settled(void)
{
	return flows_state().slots[WEIR_SETTLED] == FLOWS_SLOTS;
}

/* ---- flows ---- */

uint32_t flows_find_slot(enum weir_phase phase)
{
	uint32_t base = flows_web()->slot_base;

	for (uint32_t slot = base; slot < base + FLOWS_SLOTS; slot++) {
		union weir_slot word = plane_slot(flows_agent.plane, slot);

		if (flow_phase(&word) == phase)
			return slot;
	}
	fail_msg("no slot is in phase %d", phase);
	return 0;
}

struct weir_flow_key flows_key(uint16_t flow)
{
	struct weir_flow_key key = {
		.src.word = {0, 0, 0xffff0000, flow},
		.dst.word = {0, 0, 0xffff0000, 0x0a0200c0},
		.sport = htons(flow),
		.dport = htons(80),
		.service = flows_web()->index,
		.proto = IPPROTO_TCP,
	};

	return key;
}

struct weir_pin flows_pin(uint32_t slot, const char *addr)
{
	union weir_slot word = plane_slot(flows_agent.plane, slot);
	uint16_t index = flows_backend(addr)->index;
	struct weir_backend backend;
	struct plane_info info;
	char set[32];

	plane_info(flows_agent.plane, &info);
	snprintf(set, sizeof(set), "set-%u-%u", info.layout, info.serial);
	maps_read(set, "backends", index, &backend);
	return (struct weir_pin){
		.backend = index,
		.epoch = (uint16_t)flow_epoch(&word),
		.generation = backend.generation,
		.flags = WEIR_PIN_CONFIRMED,
		.slot = slot,
		.sequence = 77,
		.seen = flows_clock(),
	};
}

static void put(const char *set, const char *map, const void *key, const void *value)
{
	int fd = maps_open(set, map);

	assert_int_equal(bpf_map_update_elem(fd, key, value, BPF_ANY), 0);
	close(fd);
}

void flows_put_pin(const char *set, const struct weir_flow_key *key, const struct weir_pin *pin)
{
	put(set, "pins", key, pin);
}

void flows_put_opening(const char *set, const struct weir_flow_key *key, const struct weir_opening *opening)
{
	put(set, "openings", key, opening);
}

bool flows_get_pin(const char *set, const struct weir_flow_key *key, struct weir_pin *pin)
{
	int fd = maps_open(set, "pins");
	bool found = !bpf_map_lookup_elem(fd, key, pin);

	close(fd);
	return found;
}

size_t flows_entries(void)
{
	size_t count, total;

	assert_int_equal(plane_entries(flows_agent.plane, -1, NULL, 0, &count, &total), 0);
	return total;
}
