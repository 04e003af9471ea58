/* SPDX-License-Identifier: BSD-2-Clause */
/* The model's changes as they arrive in the maps, read back from the pins, and how long they take. See plane_lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../../include/weir/flow.h"
#include "../../user/lib/loop.h"
#include "plane_lab.h"
#include "plane_maps.h"

enum { OWN_MAX = 128, OWN_TOO_MANY = 140 }; /* SET_OWN_MAX, and more */

static struct lab_agent agent;

#define HEAD "interface e0 { xdp native; } limits { services 8; backends 64; vips 16; }\n"

static int look_up(const char *map, const void *key, void *value)
{
	int fd = maps_open("set-1-1", map), err = bpf_map_lookup_elem(fd, key, value) ? -errno : 0;

	close(fd);
	return err;
}

static int read_table(const char *text, struct weir_listener_table *table)
{
	struct addr addr = maps_address(text);

	return look_up("listeners", &addr, table);
}

static int clean(void **state)
{
	(void)state;
	if (agent.plane)
		lab_agent_stop(&agent);
	return 0;
}

/* ---- addresses ---- */

static void vip_grows_and_shrinks(void **state)
{
	static const char few[] = HEAD "service web { listen 192.0.2.10 udp 80; backend 10.0.0.1; slots 4096; }";
	static const char many[] =
		HEAD "service web { listen 192.0.2.10 udp 80 82 84 86 88 90 92 94; backend 10.0.0.1; slots 4096; }";
	static const char other[] =
		HEAD "service web { listen 192.0.2.10 udp 80 82 84 86 88 90 92 96; backend 10.0.0.1; slots 4096; }";
	struct weir_listener_table table;
	struct weir_vip vip;

	(void)state;
	maps_start(&agent, few);
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), 0);
	assert_int_equal(vip.listeners, 1);
	assert_int_equal(vip.listener[0].first, 80);
	assert_int_equal(read_table("192.0.2.10", &table), -ENOENT);
	maps_apply(&agent, many);
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), 0);
	assert_int_equal(vip.listeners, 8);
	assert_int_equal(read_table("192.0.2.10", &table), 0);
	assert_int_equal(table.listeners, 8);
	assert_int_equal(table.listener[7].first, 94);
	assert_int_equal(plane_map_entries(agent.plane, "listeners"), 1);
	wire_send(0, "192.0.2.10", 94, 0, 100);
	assert_int_equal(wire_received(0), 100);
	maps_apply(&agent, other); /* as many, but others */
	assert_int_equal(read_table("192.0.2.10", &table), 0);
	assert_int_equal(table.listener[7].first, 96);
	maps_apply(&agent, few);
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), 0);
	assert_int_equal(vip.listeners, 1);
	assert_int_equal(read_table("192.0.2.10", &table), -ENOENT);
	maps_apply(&agent, many);
	maps_apply(&agent, HEAD "service web { listen 192.0.2.11 udp 80; backend 10.0.0.1; slots 4096; }");
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), -ENOENT);
	assert_int_equal(read_table("192.0.2.10", &table), -ENOENT);
	assert_int_equal(plane_map_entries(agent.plane, "vips"), 1);
	assert_int_equal(plane_map_entries(agent.plane, "listeners"), 0);
}

/* One address, several services: each packet goes by the narrowest listener, whatever comes and goes. */
static void shared_vip(void **state)
{
	static const char both[] = HEAD "service all { listen 192.0.2.10 udp any; backend 10.0.0.1; slots 4096; }\n"
					"service dns { listen 192.0.2.10 udp 53; backend 10.0.0.2; slots 4096; }";
	static const char one[] = HEAD "service all { listen 192.0.2.10 udp any; backend 10.0.0.1; slots 4096; }";
	struct weir_count count;
	struct weir_vip vip;

	(void)state;
	maps_start(&agent, both);
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), 0);
	assert_int_equal(vip.listeners, 3);
	wire_send(0, "192.0.2.10", 53, 0, 100);
	wire_send(0, "192.0.2.10", 54, 0, 50);
	assert_int_equal(wire_received(0), 150);
	assert_int_equal(plane_service_count(agent.plane, model_service(&agent.model, "dns")->index, &count), 0);
	assert_int_equal(count.packets, 100);
	maps_apply(&agent, one);
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), 0);
	assert_int_equal(vip.listeners, 1);
	wire_send(0, "192.0.2.10", 53, 0, 100);
	assert_int_equal(wire_received(0), 100);
	maps_apply(&agent, both);
	assert_int_equal(plane_service_count(agent.plane, model_service(&agent.model, "dns")->index, &count), 0);
	assert_int_equal(count.packets, 0); /* its index counts from 0 again */
}

static void own_addresses(void **state)
{
	struct addr own[OWN_TOO_MANY];
	struct weir_vip vip;

	(void)state;
	maps_start(&agent, HEAD "service web { listen 192.0.2.10 udp 80; backend 10.0.0.1; slots 4096; }");
	own[0] = maps_address("192.0.2.1");
	own[1] = maps_address("192.0.2.10"); /* the VIP itself */
	assert_int_equal(plane_set_own(agent.plane, own, 2), 0);
	assert_int_equal(maps_read_vip("192.0.2.1", &vip), 0);
	assert_true(vip.flags == WEIR_VIP_SELF && vip.listeners == 0);
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), 0);
	assert_true(vip.flags == WEIR_VIP_SELF && vip.listeners == 1);
	assert_int_equal(lab_probe(), 200);
	maps_apply(&agent, HEAD
		   "service web { listen 192.0.2.10 udp 80; listen 192.0.2.11 udp 80; backend 10.0.0.1; slots 4096; }");
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), 0);
	assert_true(vip.flags == WEIR_VIP_SELF && vip.listeners == 1);
	maps_apply(&agent, HEAD "service web { listen 192.0.2.11 udp 80; backend 10.0.0.1; slots 4096; }");
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), 0);
	assert_true(vip.flags == WEIR_VIP_SELF && vip.listeners == 0);
	assert_int_equal(plane_set_own(agent.plane, own, 1), 0);
	assert_int_equal(maps_read_vip("192.0.2.10", &vip), -ENOENT);
	for (uint8_t i = 0; i < OWN_TOO_MANY; i++) /* too many: the first ones, and room for all VIPs is left */
		own[i] = (struct addr){.byte = {0x20, 1, [15] = i}};
	assert_int_equal(plane_set_own(agent.plane, own, OWN_TOO_MANY), 0);
	assert_int_equal(plane_map_entries(agent.plane, "vips"), 1 + OWN_MAX);
	assert_int_equal(plane_map_max_entries(agent.plane, "vips"), 2 * 16 + OWN_MAX);
	assert_int_equal(maps_read_vip("192.0.2.1", &vip), -ENOENT);
	for (char net = '2'; net < '5'; net++) { /* and all VIPs may be replaced at once */
		char config[1024] = HEAD "service web { backend 10.0.0.1; slots 4096;";

		for (int i = 0; i < 16; i++)
			sprintf(config + strlen(config), " listen 192.0.%c.%d udp 1 3 5 7 9 11 13;", net, 100 + i);
		strcat(config, " }");
		maps_apply(&agent, config);
		assert_int_equal(plane_map_entries(agent.plane, "vips"), 16 + OWN_MAX);
		assert_int_equal(plane_map_entries(agent.plane, "listeners"), 16);
		for (int i = 0; i < 16; i++) {
			sprintf(config, "192.0.%c.%d", net, 100 + i);
			assert_int_equal(maps_read_vip(config, &vip), 0);
			assert_int_equal(vip.listeners, 7);
		}
	}
	assert_int_equal(plane_set_own(agent.plane, NULL, 0), 0);
	assert_int_equal(plane_map_entries(agent.plane, "vips"), 16);
}

static void peers(void **state)
{
	struct weir_peer peer[2] = {{.addr.word = {1, 2, 3, 4}, .mac = {2, 0, 0, 0, 0, 1}},
				    {.addr.word = {5, 6, 7, 8}}};
	struct weir_node node;

	(void)state;
	maps_start(&agent, lab_config);
	plane_set_peers(agent.plane, peer, 2);
	maps_read("set-1-1", "node", 0, &node);
	assert_int_equal(node.peers, 2);
	assert_memory_equal(node.peer, peer, sizeof(peer));
	peer[0] = peer[1];
	peer[0].mac[5] = 9;
	plane_set_peers(agent.plane, peer, 1);
	maps_read("set-1-1", "node", 0, &node);
	assert_int_equal(node.peers, 1);
	assert_memory_equal(node.peer, peer, sizeof(peer[0]));
	plane_set_port_mac(agent.plane, "e0", (uint8_t[]){2, 3, 4, 5, 6, 7});
	maps_read("set-1-1", "node", 0, &node);
	assert_int_equal(node.port[0].ifindex, if_nametoindex("e0"));
	assert_memory_equal(node.port[0].mac, ((uint8_t[]){2, 3, 4, 5, 6, 7, 0, 0}), 8);
}

/* ---- backends ---- */

static const struct weir_backend *read_backend(const char *service, size_t position)
{
	static struct weir_backend backend;

	maps_read("set-1-1", "backends", model_service(&agent.model, service)->backend[position].index, &backend);
	return &backend;
}

static void ways(void **state)
{
	struct weir_backend before, after;
	struct addr addr;

	(void)state;
	maps_start(&agent, lab_config);
	addr = model_service(&agent.model, "web")->backend[0].config.addr;
	before = *read_backend("web", 0);
	model_set_way(&agent.model, &addr); /* the same: nothing is written */
	after = *read_backend("web", 0);
	assert_memory_equal(&before, &after, sizeof(before));
	agent.mac_step = 1;
	model_set_way(&agent.model, &addr);
	after = *read_backend("web", 0);
	assert_int_equal(after.active, !before.active);
	assert_int_equal(after.generation, before.generation);
	assert_memory_equal(&after.way[before.active], &before.way[before.active],
			    sizeof(struct weir_way)); /* still whole */
	assert_int_equal(after.way[after.active].dst_mac[5], before.way[before.active].dst_mac[5] + 1);
	agent.mac_step = 2;
	model_set_way(&agent.model, &addr);
	after = *read_backend("web", 0);
	assert_int_equal(after.active, before.active);
	assert_int_equal(after.way[after.active].dst_mac[5], 3);
	assert_int_equal(lab_probe(), 200);
}

/* Is the index in any slot of "web"? */
static bool is_named(uint16_t index)
{
	static union weir_slot slot[4096];

	maps_read_slots("set-1-1", 0, 4096, slot);
	for (size_t i = 0; i < 4096; i++)
		if (slot[i].current == index || slot[i].previous == index || slot[i].previous_udp == index)
			return true;
	return false;
}

/* It keeps its index while it may have flows; cut, it is gone at once. */
static void backend_leaves(void **state)
{
	static const char less[] = "interface e0 { xdp native; } limits { services 4; backends 64; }\n"
				   "service web { listen 192.0.2.10 udp 80; slots 4096; backend 10.0.0.2; }";
	static const struct weir_way no_way;
	struct addr addr = maps_address("10.0.0.1");
	struct weir_backend_name name;
	struct weir_backend backend;
	struct model_service *web;
	uint16_t index;

	(void)state;
	maps_start(&agent, lab_config);
	assert_int_equal(lab_probe(), 200);
	index = model_service(&agent.model, "web")->backend[0].index;
	maps_read("set-1-1", "backends", index, &backend);
	assert_true(backend.generation == 1 && backend.flags == 7);
	maps_apply(&agent, less);
	maps_read("set-1-1", "backend_names", index, &name);
	maps_read("set-1-1", "backends", index, &backend);
	assert_true(name.used && backend.flags == (WEIR_BACKEND_SERVES | WEIR_BACKEND_ANSWERS));
	assert_true(is_named(index));
	web = model_service(&agent.model, "web");
	model_set_drained(&agent.model, web, model_backend(web, &addr));
	model_settle(&agent.model);
	maps_read("set-1-1", "backend_names", index, &name);
	maps_read("set-1-1", "backends", index, &backend);
	assert_true(!name.used && backend.generation == 1 && backend.flags == 0);
	assert_memory_equal(&backend.way[0], &no_way, sizeof(no_way));
	assert_memory_equal(&backend.way[1], &no_way, sizeof(no_way));
	assert_false(is_named(index));
	maps_apply(&agent, lab_config);
	maps_read("set-1-1", "backend_names", index, &name);
	maps_read("set-1-1", "backends", index, &backend);
	assert_true(name.used && backend.generation == 2);
	lab_tell(&agent, 0, &(struct error){0});
	assert_int_equal(lab_outcome->backend[0].packets, 0); /* it counts from 0 again */
	assert_int_not_equal(lab_outcome->backend[1].packets, 0);
}

static void nothing_is_lost_by_changes(void **state)
{
	static const char *const config[] = {
		HEAD "service web { listen 192.0.2.10 udp 80; slots 4096; backend 10.0.0.1; }",
		HEAD "service web { listen 192.0.2.10 udp 80; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }",
		HEAD
		"service web { listen 192.0.2.10 udp 80 81 83 85 87 89 91 93; slots 4096; backend 10.0.0.2; backend 10.0.0.3; }",
		HEAD
		"service web { listen 192.0.2.10 udp any; slots 4096; backend 10.0.0.3 { weight 5; } backend 10.0.0.1; }\n"
		"service dns { listen 192.0.2.10 udp 53; slots 4096; backend 10.0.0.9; }",
	};
	uint64_t sent, received;

	(void)state;
	maps_start(&agent, config[0]);
	wire_load_start();
	for (size_t i = 0; i < 200; i++) {
		maps_apply(&agent, config[i % 4]);
		if (i % 3 == 0) {
			const struct model_service *web = model_service(&agent.model, "web");

			agent.mac_step ^= 1;
			for (size_t b = 0; b < web->backends; b++)
				model_set_way(&agent.model, &web->backend[b].config.addr);
		}
	}
	wire_load_stop(&sent, &received);
	print_message("# 200 changes: %lu sent, %lu received\n", sent, received);
	assert_int_equal(received, sent);
}

/* ---- many ---- */

static char *many_services(void)
{
	char *text = malloc(1 << 20), *at = text;

	at += sprintf(at, "interface e0 { xdp native; } limits { services 256; backends 4096; }\n");
	for (int s = 0; s < 200; s++) {
		at += sprintf(at, "service s%d { listen 192.0.2.%d udp %d; slots 4096;", s, 1 + s % 50, 80 + s);
		for (int b = 0; b < 20; b++)
			at += sprintf(at, " backend 10.1.%d.%d;", s, b + 1);
		at += sprintf(at, " }\n");
	}
	return text;
}

static double since_ms(uint64_t begin_ns)
{
	return (double)(loop_now_ns() - begin_ns) / 1e6;
}

/* An agent was killed while it took the service out: its name is gone, and its slots are as they were. They are nobody's when it comes again. */
static void left_behind(void **state)
{
	static const struct weir_service_name no_name;
	static const union weir_service no_service;
	static const char config[] =
		HEAD "service web { listen 192.0.2.10 tcp 80; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n";
	union weir_slot slot;

	(void)state;
	maps_start(&agent, config);
	lab_agent_stop(&agent);
	maps_read("set-1-1", "slots", 5, &slot);
	slot.state = 1 << WEIR_SLOT_EPOCH_SHIFT | WEIR_LEARNING;
	slot.previous = 3;
	maps_write("set-1-1", "slots", 5, &slot);
	maps_write("set-1-1", "services", 0, &no_service);
	maps_write("set-1-1", "service_names", 0, &no_name);
	maps_start(&agent, config);
	assert_int_equal(agent.model.service[0]->slot_base, 0);
	maps_read("set-1-1", "slots", 5, &slot);
	assert_true(flow_is_settled(&slot) && slot.previous == 0 && flow_epoch(&slot) == 1);
}

static void many(void **state)
{
	char *config = many_services();
	struct plane_info info;
	uint64_t begin_ns = loop_now_ns();
	double first, again, burst, one;

	(void)state;
	maps_start(&agent, config);
	first = since_ms(begin_ns);
	assert_int_equal(plane_map_entries(agent.plane, "vips"), 50);
	plane_info(agent.plane, &info);
	wire_send(0, "192.0.2.50", 80 + 199, 0, 100);
	assert_int_equal(wire_received(0), 100);
	begin_ns = loop_now_ns();
	agent.mac_step = 1; /* a router has gone: every way changes */
	for (size_t s = 0; s < agent.model.services; s++)
		for (size_t b = 0; b < 20; b++)
			model_set_way(&agent.model, &agent.model.service[s]->backend[b].config.addr);
	burst = since_ms(begin_ns);
	begin_ns = loop_now_ns();
	agent.mac_step = 2; /* and again: now every old way was in force a moment ago */
	for (size_t s = 0; s < agent.model.services; s++)
		for (size_t b = 0; b < 20; b++)
			model_set_way(&agent.model, &agent.model.service[s]->backend[b].config.addr);
	one = since_ms(begin_ns);
	lab_agent_stop(&agent);
	begin_ns = loop_now_ns();
	maps_start(&agent, config);
	again = since_ms(begin_ns);
	for (size_t s = 0; s < agent.model.services; s++)
		assert_false(agent.model.service[s]->built);
	print_message(
		"# 200 services x 20 backends, 4096 slots: start %.0f ms, adopt %.0f ms; 4000 ways %.0f ms, again %.0f ms; maps %lu KiB\n",
		first, again, burst, one, info.memory_bytes / 1024);
	free(config);
	assert_true(first < 5000 && again < 3000 && burst < 3000 &&
		    one < 3000); /* a busy machine's; tools/bench tells the truth */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vip_grows_and_shrinks, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(shared_vip, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(own_addresses, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(peers, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(ways, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(backend_leaves, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(nothing_is_lost_by_changes, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(left_behind, lab_cmocka_reset, clean),
		cmocka_unit_test_setup_teardown(many, lab_cmocka_reset, clean),
	};
	int failed;

	lab_up();
	failed = cmocka_run_group_tests_name("plane: sync", tests, NULL, NULL);
	lab_reset();
	return failed;
}
