/* SPDX-License-Identifier: BSD-2-Clause */
/* What another build, other limits, or a damaged set make of a start; under load, where packets must not notice. See plane_lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../../include/weir/flow.h"
#include "../../include/weir/hash.h"
#include "plane_lab.h"
#include "plane_maps.h"

enum { SLOTS = 4096 };

static const char larger[] =
	"interface e0 { xdp native; } limits { services 8; backends 128; }\n"
	"service web { listen 192.0.2.10 udp 80; forward dsr; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n";

static void assert_nothing_lost(void)
{
	uint64_t sent, received;

	wire_load_stop(&sent, &received);
	print_message("# %lu sent, %lu received\n", sent, received);
	assert_int_equal(received, sent);
	lab_start_once(lab_bpffs, lab_config); /* the counters tell the same, however many sets they went through */
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_outcome->web.packets, sent);
	assert_int_equal(lab_outcome->backend[0].packets + lab_outcome->backend[1].packets, sent);
	assert_int_equal(lab_outcome->forwarded, sent);
	assert_int_equal(lab_outcome->port[0].actions.packets[XDP_TX], sent);
}

/* ---- another build ---- */

static void other_program(void **state)
{
	uint32_t program;

	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	wire_load_start();
	for (int i = 0; i < 10; i++) {
		program = lab_outcome->info.program_id;
		maps_forge_object_digest("set-1-1");
		lab_start_once(lab_bpffs, lab_config);
		assert_string_equal(lab_outcome->text, "");
		assert_true(lab_outcome->info.maps_adopted);
		assert_false(lab_outcome->info.program_adopted);
		assert_int_not_equal(lab_outcome->info.program_id, program);
		assert_int_equal(lab_outcome->port[0].program_id, lab_outcome->info.program_id);
		assert_true(lab_outcome->port[0].adopted);
		assert_int_equal(lab_outcome->tables_built, 0);
		assert_false(lab_exists("set-1-1/prog-new"));
	}
	program = lab_outcome->info.program_id;
	lab_start_once(lab_bpffs, lab_config); /* now it is this build's again */
	assert_true(lab_outcome->info.program_adopted);
	assert_int_equal(lab_outcome->info.program_id, program);
	assert_nothing_lost();
}

/* ---- other limits ---- */

static void other_sizes(void **state)
{
	static union weir_slot before[SLOTS], after[SLOTS];
	struct weir_service_name name;

	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	maps_read_slots("set-1-1", 0, SLOTS, before);
	wire_load_start();
	for (uint32_t serial = 2; serial < 10; serial++) {
		char set[16], old[16];

		snprintf(set, sizeof(set), "set-1-%u", serial);
		snprintf(old, sizeof(old), "set-1-%u", serial - 1);
		lab_ways_unknown = serial % 2 == 0; /* the ways come from the set before, too */
		lab_start_once(lab_bpffs, serial % 2 ? lab_config : larger);
		lab_ways_unknown = false;
		assert_string_equal(lab_outcome->text, "");
		assert_false(lab_outcome->info.maps_adopted);
		assert_int_equal(lab_outcome->info.serial, serial);
		assert_true(lab_outcome->port[0].adopted);
		assert_int_equal(lab_outcome->tables_built, 0); /* converted, not built */
		assert_true(lab_exists(set));
		assert_false(lab_exists(old));
		maps_read_slots(set, 0, SLOTS, after);
		assert_memory_equal(before, after, sizeof(before));
	}
	maps_read("set-1-9", "service_names", 0, &name);
	assert_string_equal(name.name, "web");
	assert_true(name.carried.packets > 0);
	assert_nothing_lost();
}

static const char *only_web(char config[512], unsigned int services)
{
	snprintf(config, 512,
		 "interface e0 { xdp native; } limits { services %u; backends 64; }\n"
		 "service web { listen 192.0.2.10 udp 80; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n",
		 services);
	return config;
}

static void smaller_than_needed(void **state)
{
	static const char many[] =
		"interface e0 { xdp native; } limits { services %u; backends 64; }\n"
		"service a { listen 192.0.2.20 udp 80; slots 4096; backend 10.0.0.1; }\n"
		"service b { listen 192.0.2.21 udp 80; slots 4096; backend 10.0.0.1; }\n"
		"service web { listen 192.0.2.10 udp 80; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n";
	char config[512];

	(void)state;
	snprintf(config, sizeof(config), many, 3u);
	lab_start_once(lab_bpffs, config);
	assert_string_equal(lab_outcome->text, "");
	wire_load_start();
	snprintf(config, sizeof(config), many, 2u);
	lab_start_once(lab_bpffs, config);
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "services 2");
	assert_true(lab_exists("set-1-1"));
	assert_false(lab_exists("set-1-2"));
	/* in two steps it goes: web's place does not fit then, it gets another, and the flows stay with their backends */
	lab_start_once(lab_bpffs, only_web(config, 3));
	assert_string_equal(lab_outcome->text, "");
	lab_start_once(lab_bpffs, only_web(config, 2));
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_outcome->info.serial, 2);
	assert_nothing_lost();
}

/* ---- other layouts ---- */

static void newer_layout(void **state)
{
	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	wire_load_start();
	lab_run("mv %s/set-1-1 %s/set-%d-1", lab_bpffs, lab_bpffs, WEIR_LAYOUT + 1);
	lab_start_once(lab_bpffs, lab_config);
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "has map layout 2");
	lab_assert_has(lab_outcome->text, "up to 1");
	lab_assert_has(lab_outcome->text, "--unload");
	lab_run("mv %s/set-%d-1 %s/set-1-1", lab_bpffs, WEIR_LAYOUT + 1, lab_bpffs);
	assert_nothing_lost();
	lab_run("mv %s/set-1-1 %s/set-%d-1", lab_bpffs, lab_bpffs, WEIR_LAYOUT + 1);
	lab_unload_once(lab_bpffs); /* the way out that was named */
	assert_int_equal(lab_outcome->code, 0);
	lab_start_once(lab_bpffs, lab_config);
	assert_int_equal(lab_outcome->code, 0);
}

/* ---- damage ---- */

/* A live set that cannot be read is replaced; tables are a pure function of the config, so even then no flow moves. */
static void unreadable(void **state)
{
	static union weir_slot before[SLOTS], after[SLOTS];
	uint64_t sent, received;

	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	maps_read_slots("set-1-1", 0, SLOTS, before);
	wire_load_start();
	lab_run("rm %s/set-1-1/slots", lab_bpffs);
	lab_start_once(lab_bpffs, lab_config);
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_outcome->info.serial, 2);
	assert_int_equal(lab_outcome->tables_built, 1);
	assert_false(lab_exists("set-1-1"));
	maps_read_slots("set-1-2", 0, SLOTS, after);
	assert_memory_equal(before, after, sizeof(before));
	wire_load_stop(&sent, &received);
	assert_int_equal(received, sent);
	lab_run("rm %s/set-1-2/prog", lab_bpffs); /* nothing tells any more that the link runs this set */
	lab_start_once(lab_bpffs, lab_config);
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_probe(), 200);
}

static void broken_table(void **state)
{
	static union weir_slot before[SLOTS], after[SLOTS];
	union weir_slot wrong = {.current = 60};

	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	maps_read_slots("set-1-1", 0, SLOTS, before);
	maps_write("set-1-1", "slots", 7, &wrong);
	wire_load_start();
	lab_start_once(lab_bpffs, lab_config);
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_outcome->tables_built, 1);
	maps_read_slots("set-1-1", 0, SLOTS, after);
	assert_memory_equal(before, after, sizeof(before));
	wire_load_stop(&(uint64_t){0}, &(uint64_t){0}); /* slot 7 had no backend for a moment */
}

static void assert_same_table(const union weir_slot a[SLOTS], const union weir_slot b[SLOTS])
{
	for (size_t i = 0; i < SLOTS; i++)
		assert_int_equal(a[i].current, b[i].current);
}

/* An agent that was killed while it moved slots has left a digest of 0: the next one moves the rest. Slots that have turned keep their flows all the same. */
static void half_a_table(void **state)
{
	static union weir_slot before[SLOTS], after[SLOTS];
	struct weir_service_name name;

	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	maps_read_slots("set-1-1", 0, SLOTS, before);
	maps_read("set-1-1", "service_names", 0, &name);
	name.digest = 0;
	maps_write("set-1-1", "service_names", 0, &name);
	for (uint32_t i = 0; i < SLOTS / 2; i++)
		maps_write("set-1-1", "slots", i, &before[SLOTS - 1 - i]);
	wire_load_start();
	lab_start_once(lab_bpffs, lab_config);
	assert_int_equal(lab_outcome->tables_built, 1);
	maps_read_slots("set-1-1", 0, SLOTS, after);
	assert_same_table(before, after);
	for (uint32_t i = 0; i < SLOTS; i++) {
		bool turned = i < SLOTS / 2 && before[i].current != before[SLOTS - 1 - i].current;

		assert_int_equal(flow_phase(&after[i]), turned ? WEIR_HOLDING : WEIR_SETTLED);
		assert_int_equal(after[i].previous, turned ? before[SLOTS - 1 - i].current : WEIR_BACKEND_NONE);
	}
	assert_nothing_lost();
}

/* Entries that no config knows: services, backends, addresses of an agent that was killed. */
static void strangers_in_the_maps(void **state)
{
	struct weir_service_name service = {.name = "ghost", .digest = 77};
	struct weir_backend_name backend = {.addr.word = {1, 2, 3, 4}, .service = 2, .used = 1};
	union weir_service word = {.slot_base = 4096, .slot_bits = 12};
	struct weir_vip vip = {.addr.word = {9, 9, 9, 9},
			       .listeners = 1,
			       .listener[0] = {.first = 9, .last = 9, .service = 2, .proto = 17}};
	struct weir_vip_bucket bucket = {.first = 5};
	struct weir_backend ways;

	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	maps_write("set-1-1", "service_names", 2, &service);
	maps_write("set-1-1", "services", 2, &word);
	maps_write("set-1-1", "backend_names", 33, &backend);
	backend.service = 3;
	maps_write("set-1-1", "backend_names", 34, &backend); /* of a service that is none */
	maps_read("set-1-1", "backends", 1, &ways);
	maps_write("set-1-1", "backends", 33, &ways);
	maps_write("set-1-1", "vips", bucket.first, &vip);
	maps_write("set-1-1", "vip_buckets", weir_addr_bucket(&vip.addr), &bucket);
	wire_load_start();
	lab_start_once(lab_bpffs, lab_config);
	assert_string_equal(lab_outcome->text, "");
	maps_read("set-1-1", "vip_buckets", weir_addr_bucket(&vip.addr), &bucket);
	assert_int_equal(bucket.first, WEIR_VIP_NONE);
	maps_read("set-1-1", "service_names", 2, &service);
	maps_read("set-1-1", "services", 2, &word);
	assert_true(service.name[0] == 0 && service.digest == 0 && word.word == 0);
	for (uint32_t i = 33; i < 35; i++) {
		maps_read("set-1-1", "backend_names", i, &backend);
		maps_read("set-1-1", "backends", i, &ways);
		assert_true(!backend.used && ways.way[0].flags == 0 && ways.way[1].flags == 0);
	}
	assert_nothing_lost();
}

static void unborn_sets(void **state)
{
	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	lab_run("mkdir %s/set-1-7 %s/set-9-8", lab_bpffs,
		lab_bpffs); /* killed while it made them; one was a newer version */
	wire_load_start();
	lab_start_once(lab_bpffs, lab_config);
	assert_string_equal(lab_outcome->text, "");
	assert_true(lab_outcome->info.program_adopted);
	assert_false(lab_exists("set-1-7") || lab_exists("set-9-8"));
	assert_nothing_lost();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(other_program, lab_cmocka_reset),
		cmocka_unit_test_setup(other_sizes, lab_cmocka_reset),
		cmocka_unit_test_setup(smaller_than_needed, lab_cmocka_reset),
		cmocka_unit_test_setup(newer_layout, lab_cmocka_reset),
		cmocka_unit_test_setup(unreadable, lab_cmocka_reset),
		cmocka_unit_test_setup(broken_table, lab_cmocka_reset),
		cmocka_unit_test_setup(half_a_table, lab_cmocka_reset),
		cmocka_unit_test_setup(strangers_in_the_maps, lab_cmocka_reset),
		cmocka_unit_test_setup(unborn_sets, lab_cmocka_reset),
	};
	int failed;

	lab_up();
	failed = cmocka_run_group_tests_name("plane: upgrades", tests, NULL, NULL);
	lab_reset();
	return failed;
}
