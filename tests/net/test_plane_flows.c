/* SPDX-License-Identifier: BSD-2-Clause */
/* Transitions that outlive their agent, on the same maps and on others; and many pins, a piece at a time. See plane_lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../../include/weir/flow.h"
#include "../../user/lib/loop.h"
#include "plane_flows.h"
#include "plane_maps.h"

enum { PINS = 262144, BATCH_MOST = 1024, DELETES_MOST = 256, ALMOST_MS = FLOWS_HOLD_MS - 20 };

static const char two[] = FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.2;");
static const char three[] = FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.2; backend 10.0.0.3;");

/* ---- what the plane asks of the kernel, counted: the linker takes these, and they pass on to the real ones ---- */

static struct {
	uint32_t batches, elements, deletes;
	void (*between)(void); /* called once, when an element has been read and not yet judged */
	bool long_buckets;     /* the kernel has buckets that need more room than it is given at first */
	bool fails;            /* the next one, for want of memory */
} calls;

int bpf_map_lookup_batch(int fd, void *in, void *out, void *keys, void *values, __u32 *count,
			 const struct bpf_map_batch_opts *opts)
{
	int (*real)(int, void *, void *, void *, void *, __u32 *, const struct bpf_map_batch_opts *);
	int err;

	*(void **)&real = dlsym(RTLD_NEXT, "bpf_map_lookup_batch");
	if (calls.fails || (calls.long_buckets && *count < 3 * BATCH_MOST)) {
		*count = 0;
		errno = calls.fails ? ENOMEM : ENOSPC;
		calls.fails = false;
		return -errno;
	}
	err = real(fd, in, out, keys, values, count, opts);
	calls.batches++;
	calls.elements += *count;
	if (*count && calls.between) {
		calls.between();
		calls.between = NULL;
	}
	return err;
}

int bpf_map_delete_elem(int fd, const void *key)
{
	int (*real)(int, const void *);

	*(void **)&real = dlsym(RTLD_NEXT, "bpf_map_delete_elem");
	calls.deletes++;
	return real(fd, key);
}

static int clean(void **state)
{
	(void)state;
	memset(&calls, 0, sizeof(calls));
	if (flows_agent.plane)
		lab_agent_stop(&flows_agent);
	return 0;
}

/* ---- other agents ---- */

static union weir_slot before[FLOWS_SLOTS], after[FLOWS_SLOTS];

static bool none_learns(void)
{
	return !flows_state().slots[WEIR_LEARNING];
}

/* Phases, epochs and pins are found again; windows start again. */
static void restart(void **state)
{
	struct weir_flow_key key;
	struct weir_pin pin, found;
	uint32_t held, slot;
	uint64_t began_ns;

	(void)state;
	maps_start(&flows_agent, two);
	maps_apply(&flows_agent, three);
	held = flows_state().slots[WEIR_HOLDING];
	usleep(700000);
	lab_agent_stop(&flows_agent);
	began_ns = loop_now_ns();
	maps_start(&flows_agent, three);
	assert_false(flows_web()->built);
	assert_int_equal(flows_state().slots[WEIR_HOLDING], held);
	flows_turn_until(flows_all_learning);
	assert_true(flows_ms_since(began_ns) >= ALMOST_MS);

	slot = flows_find_slot(WEIR_LEARNING);
	key = flows_key(1);
	pin = flows_pin(slot, "10.0.0.1");
	flows_put_pin("set-1-1", &key, &pin);
	maps_read_slots("set-1-1", flows_web()->slot_base, FLOWS_SLOTS, before);
	usleep(700000);
	lab_agent_stop(&flows_agent);
	began_ns = loop_now_ns();
	maps_start(&flows_agent, three);
	maps_read_slots("set-1-1", flows_web()->slot_base, FLOWS_SLOTS, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_true(flows_get_pin("set-1-1", &key, &found));
	assert_int_equal(flows_state().slots[WEIR_LEARNING], held);
	flows_turn_until(none_learns);
	assert_true(flows_ms_since(began_ns) >= ALMOST_MS);
	flows_turn_to_rest();
	assert_true(flows_all_settled());
	assert_int_equal(flows_entries(), 0);
	lab_agent_stop(&flows_agent);
	maps_start(&flows_agent, three);
	assert_true(flows_all_settled());
}

/* A flow in each map of the set, on 10.0.0.1, in a slot that had it. */
static uint32_t put_flows(const char *set)
{
	struct weir_flow_key key = flows_key(1);
	uint32_t slot = flows_find_slot(WEIR_LEARNING);
	struct weir_pin pin = flows_pin(slot, "10.0.0.1");
	struct weir_opening opening = {.backend = pin.backend,
				       .epoch = pin.epoch,
				       .generation = pin.generation,
				       .slot = slot,
				       .seen = pin.seen};

	flows_put_pin(set, &key, &pin);
	key = flows_key(2);
	flows_put_opening(set, &key, &opening);
	return slot;
}

static void assert_flows(uint32_t slot)
{
	struct weir_flow_key key = flows_key(1);
	struct plane_flow flow;

	assert_int_equal(plane_flow(flows_agent.plane, flows_web(), &key, slot, &flow), 0);
	assert_true(flow.pin_holds && flow.pin.slot == slot && flow.pin.sequence == 77);
	assert_int_equal(flow.next, flows_backend("10.0.0.1")->index);
	key = flows_key(2);
	assert_int_equal(plane_flow(flows_agent.plane, flows_web(), &key, slot, &flow), 0);
	assert_true(flow.opening_holds && flow.opening.slot == slot);
	assert_int_equal(flow.next, flows_backend("10.0.0.1")->index);
	assert_int_equal(flows_entries(), 2);
}

/* Other limits, so other maps: the transition goes on there, also with another change at the same time. */
static void other_set(void **state)
{
	static const char larger[] =
		"interface e0 { xdp native; } limits { services 8; backends 128; vips 16; pins 8192; openings 1024; }\n" FLOWS_WEB(
			"backend 10.0.0.1; backend 10.0.0.2; backend 10.0.0.3;");
	static const char fourth[] =
		FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.2; backend 10.0.0.3; backend 10.0.0.4;");
	struct weir_backend backend[2];
	uint32_t slot, learning;

	(void)state;
	maps_start(&flows_agent, two);
	maps_apply(&flows_agent, three);
	flows_turn_until(flows_all_learning);
	learning = flows_state().slots[WEIR_LEARNING];
	slot = put_flows("set-1-1");
	maps_read_slots("set-1-1", flows_web()->slot_base, FLOWS_SLOTS, before);
	maps_read("set-1-1", "backends", 1, &backend[0]);
	lab_agent_stop(&flows_agent);
	maps_start(&flows_agent, larger);
	assert_false(lab_exists("set-1-1"));
	maps_read_slots("set-1-2", flows_web()->slot_base, FLOWS_SLOTS, after);
	maps_read("set-1-2", "backends", 1, &backend[1]);
	assert_memory_equal(before, after, sizeof(before));
	assert_memory_equal(&backend[0].generation, &backend[1].generation, 4); /* and the flags */
	assert_flows(slot);
	assert_int_equal(flows_state().slots[WEIR_LEARNING], learning);
	lab_agent_stop(&flows_agent);

	maps_start(&flows_agent, fourth);
	maps_read_slots("set-1-3", flows_web()->slot_base, FLOWS_SLOTS, after);
	assert_true(flows_state().slots[WEIR_HOLDING] > 0 && flows_state().slots[WEIR_LEARNING] > 0);
	for (uint32_t i = 0; i < FLOWS_SLOTS; i++) { /* what was learning keeps its older previous */
		bool learns = flow_phase(&before[i]) == WEIR_LEARNING;

		assert_true(!learns || (after[i].previous == before[i].previous && after[i].state == before[i].state));
	}
	assert_flows(slot);
	flows_turn_to_rest();
	assert_true(flows_all_settled());
	assert_int_equal(flows_entries(), 0);
}

/* A service, its backends and its slots get other places: so do its flows. */
static void other_places(void **state)
{
	static const char many[] =
		"interface e0 { xdp native; } limits { services 3; backends 64; vips 16; pins 4096; openings 1024; }\n"
		"service a { listen 192.0.2.20 udp 80; slots 4096; backend 10.0.0.1; }\n"
		"service b { listen 192.0.2.21 udp 80; slots 4096; backend 10.0.0.1; }\n" FLOWS_WEB(
			"backend 10.0.0.1; backend 10.0.0.2;");
	static const char web[] =
		"interface e0 { xdp native; } limits { services 3; backends 64; vips 16; pins 4096; openings 1024; }\n" FLOWS_WEB(
			"backend 10.0.0.1; backend 10.0.0.2; backend 10.0.0.3;");
	static const char smaller[] =
		"interface e0 { xdp native; } limits { services 2; backends 64; vips 16; pins 4096; openings 1024; }\n" FLOWS_WEB(
			"backend 10.0.0.1; backend 10.0.0.2; backend 10.0.0.3;");
	uint32_t slot, base;
	uint16_t index;

	(void)state;
	maps_start(&flows_agent, many);
	maps_apply(&flows_agent, web);
	flows_turn_until(flows_all_learning);
	slot = put_flows("set-1-1");
	base = flows_web()->slot_base;
	index = flows_backend("10.0.0.1")->index;
	lab_agent_stop(&flows_agent);
	maps_start(&flows_agent, smaller);
	assert_int_not_equal(flows_web()->slot_base, base);
	assert_int_not_equal(flows_backend("10.0.0.1")->index, index);
	assert_true(flows_state().slots[WEIR_LEARNING] > 0 && !flows_state().slots[WEIR_HOLDING]);
	assert_flows(slot - base + flows_web()->slot_base);
}

/* ---- scans ---- */

static struct weir_flow_key raced_key;
static struct weir_pin raced_pin;

static void touch_raced(void)
{
	raced_pin.seen = flows_clock();
	flows_put_pin("set-1-1", &raced_key, &raced_pin);
}

static bool one_pin_counted(void)
{
	return plane_map_entries(flows_agent.plane, "pins") == 1;
}

/* A pin is read, too old; before it is deleted, a packet of its flow comes. */
static void raced(void **state)
{
	(void)state;
	maps_start(&flows_agent, two);
	maps_apply(&flows_agent, three);
	flows_turn_until(flows_all_learning);
	raced_key = flows_key(1);
	raced_pin = flows_pin(flows_find_slot(WEIR_LEARNING), "10.0.0.1");
	raced_pin.seen -= 10000;
	flows_put_pin("set-1-1", &raced_key, &raced_pin);
	calls.between = touch_raced;
	flows_turn_until(one_pin_counted);
	assert_null(calls.between);
	assert_true(flows_get_pin("set-1-1", &raced_key, &raced_pin));
	flows_turn_to_rest();
	assert_int_equal(flows_entries(), 0);
}

/* The agent has read the clock, and is held up for longer than clocks may differ (stopped, a disk, a busy machine) before it goes on. */
static void held_up(void **state)
{
	const uint64_t for_ns = (uint64_t)(2 * FLOW_AHEAD) << WEIR_CLOCK_SHIFT;

	(void)state;
	maps_start(&flows_agent, two);
	maps_apply(&flows_agent, three);
	(void)plane_turn(flows_agent.plane, loop_now_ns() - for_ns);
	assert_true(flows_state().slots[WEIR_HOLDING] > 0 && !flows_state().slots[WEIR_LEARNING]);

	flows_turn_until(flows_all_learning);
	raced_key = flows_key(1);
	raced_pin = flows_pin(flows_find_slot(WEIR_LEARNING), "10.0.0.1");
	touch_raced();
	flows_turn_until(one_pin_counted); /* a scan has ended */
	calls.batches = calls.elements = 0;
	while (!calls.batches) /* the next one has begun, with the openings */
		(void)plane_turn(flows_agent.plane, loop_now_ns());
	touch_raced();
	while (calls.batches < 2)
		(void)plane_turn(flows_agent.plane, loop_now_ns() - for_ns);
	assert_int_equal(calls.elements, 1);
	assert_true(flows_get_pin("set-1-1", &raced_key, &raced_pin));
}

static bool second_is_not_named(void)
{
	return !flows_backend_state("10.0.0.2").named;
}

static bool second_is_free(void)
{
	return flows_backend_state("10.0.0.2").free;
}

/* A scan that could not be read to its end is none. */
static void failing(void **state)
{
	static const char draining[] = FLOWS_LIMITS FLOWS_WEB("backend 10.0.0.1; backend 10.0.0.2 { draining; }");

	(void)state;
	maps_start(&flows_agent, two);
	maps_apply(&flows_agent, draining);
	flows_turn_until(second_is_not_named);
	calls.fails = true;
	while (calls.fails)
		(void)plane_turn(flows_agent.plane, loop_now_ns());
	calls.batches = 0;
	flows_turn_until(second_is_free);
	assert_int_equal(calls.batches, 4); /* two scans of two maps */
}

static void put_many_pins(void)
{
	struct weir_pin pin = flows_pin(flows_find_slot(WEIR_LEARNING), "10.0.0.1"),
			*pins = calloc(PINS, sizeof(*pins));
	struct weir_flow_key *keys = calloc(PINS, sizeof(*keys));
	uint32_t base = flows_web()->slot_base, count = PINS;
	int fd = maps_open("set-1-1", "pins");

	assert_true(pins && keys);
	for (uint32_t i = 0; i < PINS; i++) {
		keys[i] = flows_key((uint16_t)i);
		keys[i].src.word[3] = i;
		pins[i] = pin;
		pins[i].slot = base + i % FLOWS_SLOTS;
	}
	assert_int_equal(bpf_map_update_batch(fd, keys, pins, &count, NULL), 0);
	assert_int_equal(count, PINS);
	close(fd);
	free(keys);
	free(pins);
}

static struct {
	uint32_t turns, elements, deletes;
	uint64_t longest_ns, all_ns;
} work;

static uint64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* The time goes on until `done`; each call does its piece, and no more. */
static void work_until(bool (*done)(void))
{
	memset(&work, 0, sizeof(work));
	while (!done()) {
		uint64_t begin_ns = cpu_ns(), next_ns, now_ns;

		memset(&calls, 0, sizeof(calls));
		next_ns = plane_turn(flows_agent.plane, loop_now_ns());
		if (cpu_ns() - begin_ns > work.longest_ns)
			work.longest_ns = cpu_ns() - begin_ns;
		now_ns = loop_now_ns();
		work.all_ns += cpu_ns() - begin_ns;
		assert_true(next_ns);
		assert_true(calls.batches <= 1 && calls.elements <= BATCH_MOST && calls.deletes <= DELETES_MOST);
		work.turns += calls.elements > 0 || calls.deletes > 0;
		work.elements += calls.elements;
		work.deletes += calls.deletes;
		if (next_ns > now_ns)
			usleep((useconds_t)((next_ns - now_ns) / 1000));
	}
	print_message("# %u elements in %u pieces, %u deleted, CPU %lu ms, longest call %lu us\n", work.elements,
		      work.turns, work.deletes, work.all_ns / 1000000, work.longest_ns / 1000);
}

static bool all_seen(void)
{
	return flows_state().flows.pins > 0;
}

static bool none_left(void)
{
	return work.elements > 0 && plane_map_entries(flows_agent.plane, "pins") == 0;
}

static void many_pins(void **state)
{
	static const char before_that[] = FLOWS_LIMITS
		"service web { listen 192.0.2.10 udp 80; slots 4096; learn 1h; learn-udp 1h; backend 10.0.0.1; }\n";
	static const char learning[] = FLOWS_LIMITS
		"service web { listen 192.0.2.10 udp 80; slots 4096; learn 1h; learn-udp 1h; backend 10.0.0.1; backend 10.0.0.2; }\n";
	static const char other[] =
		FLOWS_LIMITS "service other { listen 192.0.2.11 udp 80; slots 4096; backend 10.0.0.1; }\n";
	uint32_t valid = 0;

	(void)state;
	maps_start(&flows_agent, before_that);
	maps_apply(&flows_agent, learning);
	flows_turn_until(flows_all_learning);
	put_many_pins();
	for (uint32_t i = 0; i < PINS; i++) {
		union weir_slot word = plane_slot(flows_agent.plane, flows_web()->slot_base + i % FLOWS_SLOTS);

		valid += !flow_is_settled(&word);
	}
	work_until(all_seen);
	assert_int_equal(flows_state().flows.pins, valid);
	assert_int_equal(flows_state().flows.confirmed, valid);
	assert_true(work.elements >= PINS && work.deletes == PINS - valid && work.turns >= PINS / BATCH_MOST);
	assert_int_equal(flows_entries(), valid);

	calls.long_buckets = true; /* a larger piece then, but all is seen */
	assert_int_equal(flows_entries(), valid);
	calls.long_buckets = false;
	maps_apply(&flows_agent, other); /* the service goes, and with it its pins */
	work_until(none_left);
	assert_int_equal(work.deletes, valid);
	assert_int_equal(flows_entries(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(restart, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(other_set, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(other_places, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(raced, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(held_up, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(failing, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(many_pins, lab_cmocka_reset, clean),
	};
	int failed;

	lab_up();
	failed = cmocka_run_group_tests_name("plane: flows", tests, NULL, NULL);
	lab_reset();
	return failed;
}
