/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots in transition on real maps, from a change to rest: phases, pins that keep a slot, backends that drain, indexes. See plane_lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "../../include/weir/flow.h"
#include "../../user/lib/loop.h"
#include "plane_flows.h"
#include "plane_maps.h"

enum { LATE_MS = 1500 /* what a busy machine may add to a second */, ALMOST_MS = FLOWS_HOLD_MS - 20 };

static const char one[] = FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.1;");
static const char two[] = FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.2;");
static const char three[] = FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.2; backend 10.0.0.3;");
static const char draining[] = FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.2 { draining; }");
static const char disabled[] = FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.2 { disabled; }");

static int clean(void **state)
{
	(void)state;
	if (flows_agent.plane)
		lab_agent_stop(&flows_agent);
	return 0;
}

static struct weir_backend read_backend(const char *addr)
{
	struct weir_backend backend;

	maps_read("set-1-1", "backends", flows_backend(addr)->index, &backend);
	return backend;
}

/* ---- phases ---- */

static union weir_slot before[FLOWS_SLOTS], after[FLOWS_SLOTS];

/* The words after a change that has moved `moved` slots, all in this phase. */
static void assert_words(enum weir_phase phase, bool previous, uint32_t moved)
{
	maps_read_slots("set-1-1", flows_web()->slot_base, FLOWS_SLOTS, after);
	for (uint32_t i = 0; i < FLOWS_SLOTS; i++) {
		bool turned = before[i].current != after[i].current;

		assert_int_equal(after[i].current, flows_web()->table[i]);
		assert_int_equal(flow_phase(&after[i]), turned ? phase : WEIR_SETTLED);
		assert_int_equal(flow_epoch(&after[i]), turned);
		assert_int_equal(after[i].previous, turned && previous ? before[i].current : 0);
		moved -= turned;
	}
	assert_int_equal(moved, 0);
}

static bool all_over(void)
{
	return flows_all_learning() && !flows_state().slots[WEIR_LEARNING];
}

/* Since then, which is now from now on. */
static void assert_about_a_second(uint64_t *then_ns)
{
	uint64_t ms = flows_ms_since(*then_ns);

	*then_ns = loop_now_ns();
	if (ms < ALMOST_MS || ms > FLOWS_HOLD_MS + LATE_MS)
		fail_msg("%lu ms", ms);
}

static void a_change(void **state)
{
	uint32_t moved;
	uint64_t began_ns;

	(void)state;
	maps_start(&flows_agent, two);
	assert_true(flows_all_settled());
	flows_turn_to_rest();
	maps_read_slots("set-1-1", flows_web()->slot_base, FLOWS_SLOTS, before);
	began_ns = loop_now_ns();
	maps_apply(&flows_agent, three);
	moved = flows_state().slots[WEIR_HOLDING];
	assert_true(moved > FLOWS_SLOTS / 4 && moved < FLOWS_SLOTS / 2);
	assert_int_equal(flows_state().slots[WEIR_SETTLED], FLOWS_SLOTS - moved);
	assert_words(WEIR_HOLDING, true, moved);
	assert_true(flows_backend_state("10.0.0.1").holding && !flows_backend_state("10.0.0.3").holding);
	assert_true(plane_turn(flows_agent.plane, loop_now_ns()) != 0);

	flows_turn_until(flows_all_learning);
	assert_about_a_second(&began_ns);
	assert_int_equal(flows_state().slots[WEIR_LEARNING], moved);
	assert_words(WEIR_LEARNING, true, moved);
	assert_false(flows_backend_state("10.0.0.1").holding);

	flows_turn_until(all_over);
	assert_about_a_second(&began_ns);
	flows_turn_until(flows_all_settled); /* two scans, a second apart */
	assert_true(flows_ms_since(began_ns) >= ALMOST_MS);
	print_message("# settled %lu ms after its windows were over\n", flows_ms_since(began_ns));
	assert_words(WEIR_SETTLED, false, moved);
	flows_turn_to_rest();
	assert_int_equal(flows_entries(), 0);
	assert_int_equal(plane_turn(flows_agent.plane, loop_now_ns()), 0);
}

/* Where no flow can be, nothing is held: a service that packets do not see yet, and slots that named nothing. */
static void no_hold(void **state)
{
	(void)state;
	maps_start(&flows_agent, FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.2 { disabled; }"));
	assert_true(flows_all_settled() && !flows_web()->table[0]);
	assert_int_equal(read_backend("10.0.0.2").generation, 0);
	maps_apply(&flows_agent, two);
	assert_true(flows_all_settled() && flows_web()->table[0]);
	maps_read_slots("set-1-1", flows_web()->slot_base, FLOWS_SLOTS, after);
	for (uint32_t i = 0; i < FLOWS_SLOTS; i++)
		assert_true(after[i].previous_udp == 0 && after[i].state == 0);
	flows_turn_to_rest();
}

/* Nor where no flow is kept; a window that no flow can need keeps nobody waiting. */
static void no_window(void **state)
{
	static const char none[] =
		FLOWS_LIMITS "service web { listen 192.0.2.10 udp 80; affinity none; slots 4096; backend 10.0.0.1; }\n";
	static const char none_two[] = FLOWS_LIMITS
		"service web { listen 192.0.2.10 udp 80; affinity none; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n";
	static const char *const only[][2] = {
		{FLOWS_LIMITS "service tcp { listen 192.0.2.10 tcp 80; learn 1s; slots 4096; backend 10.0.0.1; }\n",
		 FLOWS_LIMITS
		 "service tcp { listen 192.0.2.10 tcp 80; learn 1s; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n"},
		{FLOWS_LIMITS "service udp { listen 192.0.2.10 udp 80; learn-udp 1s; slots 4096; backend 10.0.0.1; }\n",
		 FLOWS_LIMITS
		 "service udp { listen 192.0.2.10 udp 80; learn-udp 1s; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n"},
	};

	(void)state;
	maps_start(&flows_agent, none);
	maps_apply(&flows_agent, none_two);
	assert_true(flows_all_settled() && flows_backend("10.0.0.2")->slots_owned > 0);
	assert_int_equal(plane_slot(flows_agent.plane, 0).current, flows_web()->table[0]);
	for (size_t i = 0; i < 2; i++) {
		lab_agent_stop(&flows_agent);
		lab_reset();
		maps_start(&flows_agent, only[i][0]);
		maps_apply(&flows_agent, only[i][1]);
		flows_turn_to_rest(); /* not 30 s, nor 15 min */
	}
}

/* The backend that is cut is no slot's previous, and what stays is not disturbed. */
static void cut(void **state)
{
	uint16_t index;

	(void)state;
	maps_start(&flows_agent, two);
	index = flows_backend("10.0.0.2")->index;
	maps_apply(&flows_agent, disabled);
	assert_int_equal(read_backend("10.0.0.2").flags, 0);
	assert_false(flows_backend_state("10.0.0.2").named);
	assert_true(flows_all_settled()); /* nobody is at risk that could be kept */
	maps_apply(&flows_agent, two);
	assert_true(read_backend("10.0.0.2").flags == 7 && read_backend("10.0.0.2").generation == 2);
	assert_true(flows_state().slots[WEIR_HOLDING] > 0); /* those of 10.0.0.1 */
	maps_apply(&flows_agent, draining);
	assert_int_equal(read_backend("10.0.0.2").flags, WEIR_BACKEND_SERVES | WEIR_BACKEND_ANSWERS);
	maps_apply(&flows_agent, three);
	assert_int_equal(read_backend("10.0.0.2").generation, 2); /* it never ceased to serve */
	maps_apply(&flows_agent, disabled);
	maps_read_slots("set-1-1", flows_web()->slot_base, FLOWS_SLOTS, after);
	for (uint32_t i = 0; i < FLOWS_SLOTS; i++)
		assert_true(after[i].current != index && after[i].previous != index && after[i].previous_udp != index);
}

/* ---- flows ---- */

enum { JUNK = 7 };

/* Pins that mean nothing: each differs from a good one in one thing. */
static void put_junk(uint32_t slot, uint32_t settled)
{
	struct weir_flow_key key;
	struct weir_pin pin[JUNK];
	uint16_t service[JUNK];

	for (uint16_t i = 0; i < JUNK; i++) {
		pin[i] = flows_pin(slot, "10.0.0.1");
		service[i] = flows_web()->index;
	}
	pin[0].epoch++;
	pin[1].generation++;
	pin[2].slot = flows_web()->slot_base + FLOWS_SLOTS;
	pin[3].backend = UINT16_MAX;
	pin[4].slot = settled;
	service[5] = 3;
	service[6] = UINT16_MAX;
	for (uint16_t i = 0; i < JUNK; i++) {
		key = flows_key((uint16_t)(1000 + i));
		key.service = service[i];
		flows_put_pin("set-1-1", &key, &pin[i]);
	}
}

static struct weir_flow_key kept_key;
static struct weir_pin kept_pin;

static void put_opening(uint32_t slot)
{
	struct weir_flow_key key = flows_key(2000);
	struct weir_opening opening = {
		.backend = kept_pin.backend,
		.epoch = kept_pin.epoch,
		.generation = kept_pin.generation,
		.slot = slot,
		.seen = flows_clock() - (WEIR_OPENING_LIVES_MS - 1000),
	};

	flows_put_opening("set-1-1", &key, &opening);
}

/* A packet of the flow: it goes on while the others end. */
static void touch(void)
{
	kept_pin.seen = flows_clock();
	flows_put_pin("set-1-1", &kept_key, &kept_pin);
}

static bool one_is_left(void)
{
	touch();
	return flows_state().slots[WEIR_REMEMBERING] == 1 && flows_state().slots[WEIR_SETTLED] == FLOWS_SLOTS - 1 &&
	       flows_state().flows.pins == 1 && !flows_state().flows.openings;
}

static void assert_told(uint32_t slot)
{
	struct plane_backend_state backend = flows_backend_state("10.0.0.1");
	struct plane_entry entry;
	struct plane_flow flow;
	size_t count, total;

	assert_true(backend.flows.pins == 1 && backend.flows.confirmed == 1 && !backend.flows.closing);
	assert_true(backend.idle_ns > 0 && backend.idle_ns < 2000000000);
	assert_int_equal(plane_map_entries(flows_agent.plane, "pins"), 1);
	assert_int_equal(plane_map_entries(flows_agent.plane, "openings"), 0);
	assert_int_equal(plane_map_max_entries(flows_agent.plane, "pins"), 262144);
	assert_int_equal(plane_map_max_entries(flows_agent.plane, "openings"), 1024);
	assert_int_equal(plane_entries(flows_agent.plane, flows_web()->index, &entry, 1, &count, &total), 0);
	assert_true(count == 1 && total == 1 && !entry.opening);
	assert_memory_equal(&entry.key, &kept_key, sizeof(kept_key));
	assert_int_equal(plane_entries(flows_agent.plane, 3, &entry, 1, &count, &total), 0);
	assert_int_equal(total, 0);
	assert_int_equal(plane_flow(flows_agent.plane, flows_web(), &kept_key, slot, &flow), 0);
	assert_true(flow.has_pin && flow.pin_holds && !flow.has_opening && flow.next == kept_pin.backend &&
		    flow.first == kept_pin.backend && flow.slot.current != kept_pin.backend);
	kept_key.sport++; /* another flow */
	assert_int_equal(plane_flow(flows_agent.plane, flows_web(), &kept_key, slot, &flow), 0);
	assert_true(!flow.has_pin && !flow.pin_holds && flow.next == flow.slot.current);
	kept_key.sport--;
	assert_int_equal(plane_flow(flows_agent.plane, flows_web(), &kept_key, FLOWS_SLOTS * 10, &flow), -ENOENT);
}

static uint32_t slot_of_first(void)
{
	for (uint32_t i = 0; i < FLOWS_SLOTS; i++) {
		union weir_slot word = plane_slot(flows_agent.plane, flows_web()->slot_base + i);

		if (word.previous == flows_backend("10.0.0.1")->index)
			return flows_web()->slot_base + i;
	}
	fail_msg("no slot had it");
	return 0;
}

static void pin_keeps_its_slot(void **state)
{
	struct plane_flow flow;
	uint32_t slot;

	(void)state;
	maps_start(&flows_agent, two);
	maps_apply(&flows_agent, three);
	flows_turn_until(flows_all_learning);
	slot = slot_of_first();
	kept_key = flows_key(1);
	kept_pin = flows_pin(slot, "10.0.0.1");
	touch();
	put_opening(slot);
	put_junk(slot, flows_find_slot(WEIR_SETTLED));
	assert_int_equal(flows_entries(), 2 + JUNK);
	assert_int_equal(plane_flow(flows_agent.plane, flows_web(), &kept_key, slot, &flow), 0);
	assert_true(flow.left_ns > 0 && flow.left_ns <= 1000000000);
	flows_turn_until(one_is_left);
	assert_int_equal(flows_entries(), 1);
	assert_told(slot);
	flows_turn_to_rest(); /* it falls silent: its time is over, then it goes */
	assert_true(flows_all_settled());
	assert_int_equal(flows_entries(), 0);
	assert_false(flows_get_pin("set-1-1", &kept_key, &kept_pin));
}

/* ---- backends that go ---- */

static bool is_free(void)
{
	return flows_backend_state("10.0.0.2").free;
}

static bool is_not_named(void)
{
	return !flows_backend_state("10.0.0.2").named;
}

static bool settled_but_one(void)
{
	touch();
	return flows_state().slots[WEIR_SETTLED] == FLOWS_SLOTS - 1 && !flows_backend_state("10.0.0.2").named;
}

static void drained(void **state)
{
	struct plane_backend_state now;

	(void)state;
	maps_start(&flows_agent, two);
	maps_apply(&flows_agent, draining);
	now = flows_backend_state("10.0.0.2");
	assert_true(now.holding && now.named && !now.free);
	assert_int_equal(read_backend("10.0.0.2").flags, WEIR_BACKEND_SERVES | WEIR_BACKEND_ANSWERS);
	flows_turn_until(flows_all_learning);
	now = flows_backend_state("10.0.0.2");
	assert_true(!now.holding && now.named && !now.free);
	kept_key = flows_key(2);
	kept_pin = flows_pin(flows_find_slot(WEIR_LEARNING), "10.0.0.2");
	flows_turn_until(settled_but_one);
	usleep(1100000);
	touch();
	(void)plane_turn(flows_agent.plane, loop_now_ns());
	assert_false(is_free()); /* nothing names it, but it has a flow */
	assert_int_equal(flows_backend_state("10.0.0.2").flows.confirmed, 1);
	flows_turn_until(is_free);
	assert_false(flows_get_pin("set-1-1", &kept_key, &kept_pin));
	model_set_drained(&flows_agent.model, flows_web(), flows_backend("10.0.0.2"));
	model_settle(&flows_agent.model);
	assert_int_equal(flows_backend("10.0.0.2")->role, ROLE_DRAINED);
	assert_int_equal(read_backend("10.0.0.2").flags, 0);
	flows_turn_to_rest();
	maps_apply(&flows_agent, two);
	assert_int_equal(read_backend("10.0.0.2").generation, 2);
}

#define SMALL "interface e0 { xdp native; } limits { services 4; backends 3; pins 4096; openings 1024; }\n"

/* Its index is nobody else's before its flows have ended. */
static void removed(void **state)
{
	static const char before_that[] = SMALL FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.2;");
	static const char third[] = SMALL FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.3;");
	static const char fourth[] = SMALL FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.3; backend 10.0.0.4;");
	struct error error = {.code = ERROR_NONE};
	uint64_t left_ns;
	uint16_t index;

	(void)state;
	maps_start(&flows_agent, before_that);
	index = flows_backend("10.0.0.2")->index;
	maps_apply(&flows_agent, third);
	assert_int_not_equal(flows_backend("10.0.0.3")->index, index);
	assert_int_equal(flows_backend("10.0.0.2")->role, ROLE_REMOVING);
	assert_int_equal(lab_agent_apply(&flows_agent, fourth, &error), -1);
	lab_assert_has(error.text, "backends");
	flows_turn_until(is_not_named);
	left_ns = loop_now_ns();
	assert_false(is_free()); /* before two more scans, a second apart */
	flows_turn_until(is_free);
	assert_true(flows_ms_since(left_ns) >= ALMOST_MS);
	model_set_drained(&flows_agent.model, flows_web(), flows_backend("10.0.0.2"));
	model_settle(&flows_agent.model);
	maps_apply(&flows_agent, fourth);
	assert_int_equal(flows_backend("10.0.0.4")->index, index);
	assert_int_equal(read_backend("10.0.0.4").generation, 2);
	assert_false(flows_backend_state("10.0.0.4").free);
}

/* Back before it was gone: the same index, and its flows have never been left alone. */
static void removed_and_back(void **state)
{
	uint16_t index;

	(void)state;
	maps_start(&flows_agent, two);
	index = flows_backend("10.0.0.2")->index;
	maps_apply(&flows_agent, one);
	assert_true(flows_backend_state("10.0.0.2").named);
	maps_apply(&flows_agent, two);
	assert_int_equal(flows_backend("10.0.0.2")->index, index);
	assert_true(read_backend("10.0.0.2").flags == 7 && read_backend("10.0.0.2").generation == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_change, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(no_hold, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(no_window, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(cut, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(pin_keeps_its_slot, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(drained, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(removed, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(removed_and_back, lab_cmocka_reset, clean),
	};
	int failed;

	lab_up();
	failed = cmocka_run_group_tests_name("plane: slots in transition", tests, NULL, NULL);
	lab_reset();
	return failed;
}
