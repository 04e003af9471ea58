/* SPDX-License-Identifier: BSD-2-Clause */
/* Backends that give their flows up: drained, removed, found down; what becomes of them after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "model_world.h"

static struct config config;

static int setup(void **state)
{
	config = world_config(2, 4);
	return world_setup(state);
}

static int teardown(void **state)
{
	world_free_config(&config);
	return world_teardown(state);
}

static enum backend_role role(unsigned int host)
{
	const struct model_backend *backend = world_backend(0, host);

	assert_non_null(backend);
	return backend->role;
}

static enum slots_role slots_role(unsigned int host)
{
	return model_slots_role(model.service[0], world_backend(0, host));
}

static void set_drained(unsigned int host)
{
	model_set_drained(&model, model.service[0], world_backend(0, host));
	model_settle(&model);
}

static void set_down(unsigned int host, bool down)
{
	model_set_down(&model, model.service[0], world_backend(0, host), down);
	model_settle(&model);
}

/* The config's first service names backend `host` no longer, or again as its last one. */
static void take_out(unsigned int host)
{
	struct addr addr = world_address(0, host);

	config_remove_backend(&config.service[0], &addr);
}

static void put_in(unsigned int host)
{
	const struct config_backend backend = {.addr = world_address(0, host), .weight = 1};

	assert_int_equal(config_add_backend(&config.service[0], &backend), 0);
}

/* The numbers are in the ledger of maps that other agents read. */
static void words_and_numbers(void **state)
{
	static const char *const word[] = {"disabled", "draining", "joining", "up",      "standby",
					   "fallback", "down",     "drained", "removing"};

	(void)state;
	assert_int_equal(ROLES, sizeof(word) / sizeof(word[0]));
	for (int i = 0; i < ROLES; i++)
		assert_string_equal(backend_role_word((enum backend_role)i), word[i]);
}

static void drains_until_it_is_drained(void **state)
{
	struct config_backend *backend = &config.service[0].backend[1];
	uint64_t since;

	(void)state;
	world_apply(&config);
	set_drained(2); /* it does not drain */
	assert_int_equal(role(2), ROLE_UP);
	backend->weight = 0;
	world_apply(&config);
	assert_int_equal(role(2), ROLE_DRAINING);
	assert_int_equal(slots_role(2), SLOTS_DRAINING);
	set_drained(2);
	assert_int_equal(role(2), ROLE_DRAINED);
	assert_int_equal(slots_role(2), SLOTS_GONE);
	assert_int_equal(world_told("backend-drained"), 1);
	since = world_backend(0, 2)->since_ns;
	backend->weight = 1;
	backend->state = BACKEND_DRAINING; /* still draining, in other words */
	world_apply(&config);
	assert_int_equal(role(2), ROLE_DRAINED);
	assert_true(world_backend(0, 2)->since_ns == since);
	backend->state = BACKEND_ENABLED;
	world_apply(&config);
	assert_int_equal(role(2), ROLE_UP);
	backend->state = BACKEND_DRAINING;
	world_apply(&config);
	assert_int_equal(role(2), ROLE_DRAINING);
	set_drained(2);
	backend->state = BACKEND_DISABLED;
	world_apply(&config);
	backend->state = BACKEND_DRAINING;
	world_apply(&config);
	assert_int_equal(role(2), ROLE_DRAINING);
}

static void goes_when_its_flows_have(void **state)
{
	uint16_t index;

	(void)state;
	world_apply(&config);
	index = world_backend(0, 2)->index;
	take_out(2);
	world_apply(&config);
	assert_int_equal(role(2), ROLE_REMOVING);
	assert_int_equal(slots_role(2), SLOTS_DRAINING);
	assert_int_equal(world_backend(0, 2)->index, index);
	assert_true(world_backend(0, 2)->since_ns > world_backend(0, 1)->since_ns);
	assert_ptr_equal(world_backend(0, 2), &model.service[0]->backend[3]); /* behind the others */
	assert_int_equal(model_wanted_backends(model.service[0]), 3);
	assert_true(maps.backend_used[index]);
	assert_int_equal(world_told("backend-removing"), 1);
	assert_int_equal(world_told("backend-removed"), 0);
	set_drained(2);
	assert_null(world_backend(0, 2));
	assert_false(maps.backend_used[index]);
	assert_int_equal(model.used.backend[index], 0);
	assert_int_equal(world_told("backend-removed"), 1);
	put_in(2);
	world_apply(&config);
	assert_int_equal(world_backend(0, 2)->index, index);
	assert_int_equal(world_told("backend-added"), 9);
}

/* What serves nobody has nothing to wait for. */
static void goes_at_once(void **state)
{
	struct config_backend *backend = config.service[0].backend;

	(void)state;
	maps.way[4] = WAY_UNKNOWN;
	backend[0].state = BACKEND_DISABLED;
	backend[1].state = BACKEND_DRAINING;
	world_apply(&config);
	set_drained(2);
	assert_int_equal(role(4), ROLE_JOINING);
	take_out(1);
	take_out(2);
	take_out(4);
	world_apply(&config);
	assert_int_equal(model.service[0]->backends, 1);
	assert_int_equal(world_told("backend-removed"), 3);
	assert_int_equal(world_told("backend-removing"), 0);
}

static void comes_back_while_it_goes(void **state)
{
	uint16_t index;

	(void)state;
	world_apply(&config);
	index = world_backend(0, 3)->index;
	take_out(3);
	world_apply(&config);
	take_out(1);
	world_apply(&config); /* another change meanwhile */
	assert_int_equal(role(3), ROLE_REMOVING);
	put_in(3);
	world_apply(&config);
	assert_int_equal(role(3), ROLE_UP);
	assert_int_equal(role(1), ROLE_REMOVING);
	assert_int_equal(world_backend(0, 3)->index, index);
	assert_true(world_backend(0, 3)->since_ns > world_backend(0, 1)->since_ns);
	set_drained(3);
	assert_int_equal(role(3), ROLE_UP);
	assert_int_equal(world_told("backend-added"), 9);
}

/* Ways come to a backend that is being removed, and to those behind one that has gone. */
static void ways_find_their_backends(void **state)
{
	struct addr addr = world_address(0, 4);

	(void)state;
	world_apply(&config);
	take_out(2);
	take_out(4);
	world_apply(&config);
	set_drained(2);
	maps.way[4] = WAY_DOWN;
	model_set_way(&model, &addr);
	assert_int_equal(world_backend(0, 4)->way.state, WAY_DOWN);
	assert_int_equal(model.places, 7);
	for (size_t i = 0; i < model.places; i++)
		assert_int_equal(addr_compare(&model.place[i].addr,
					      &model.place[i].service->backend[model.place[i].backend].config.addr),
				 0);
}

static void same_table_with_and_without(void **state)
{
	uint16_t table[4096];
	struct model_service *service;
	unsigned int told;
	uint64_t digest;

	(void)state;
	world_apply(&config);
	take_out(2);
	world_apply(&config);
	service = model.service[0];
	memcpy(table, service->table, sizeof(table));
	digest = service->digest;
	told = maps.services_told;
	world_apply(&config); /* it is no change that it is there */
	assert_int_equal(maps.services_told, told);
	set_drained(2);
	assert_true(service->digest == digest);
	assert_memory_equal(table, service->table, sizeof(table));
}

static void a_service_takes_all_with_it(void **state)
{
	(void)state;
	world_apply(&config);
	take_out(2);
	world_apply(&config);
	free(config.service[0].listener);
	free(config.service[0].backend);
	config.service[0] = config.service[1];
	config.services = 1;
	world_apply(&config);
	for (size_t i = 1; i < BACKENDS; i++)
		assert_int_equal(maps.backend_used[i], i >= 5 && i <= 8);
}

static void down_and_up(void **state)
{
	(void)state;
	config.service[0].backend[3].fallback = true;
	world_apply(&config);
	set_down(1, true);
	assert_int_equal(role(1), ROLE_DOWN);
	assert_int_equal(slots_role(1), SLOTS_DOWN);
	assert_int_equal(world_backend(0, 2)->slots_owned, 2048);
	set_down(2, true);
	set_down(3, true);
	assert_int_equal(role(4), ROLE_FALLBACK);
	assert_int_equal(world_backend(0, 4)->slots_owned, 4096);
	set_down(4, true);
	assert_int_equal(role(4), ROLE_DOWN);
	assert_false(model_service_up(model.service[0]));
	set_down(4, false);
	assert_int_equal(role(4), ROLE_FALLBACK);
	set_down(2, false);
	assert_int_equal(role(4), ROLE_STANDBY);
	assert_int_equal(slots_role(4), SLOTS_DRAINING);
	assert_int_equal(world_backend(0, 2)->slots_owned, 4096);
	config.service[0].on_down = ON_DOWN_RESET;
	world_apply(&config);
	assert_int_equal(role(1), ROLE_DOWN);
	assert_int_equal(slots_role(1), SLOTS_GONE);
	take_out(1);
	world_apply(&config);
	assert_null(world_backend(0, 1));
}

/* What checks say of one that drains: no new flows anyhow, but where those go that it has. */
static void down_while_it_drains(void **state)
{
	(void)state;
	world_apply(&config);
	set_down(1, true);
	set_down(2, true);
	take_out(1);
	config.service[0].backend[0].state = BACKEND_DRAINING;
	world_apply(&config);
	assert_int_equal(role(1), ROLE_REMOVING);
	assert_int_equal(slots_role(1), SLOTS_DOWN);
	assert_int_equal(role(2), ROLE_DRAINING);
	assert_int_equal(slots_role(2), SLOTS_DOWN);
	set_down(2, false);
	assert_int_equal(slots_role(2), SLOTS_DRAINING);
}

/* ---- restarts ---- */

static void restart_goes_on_removing(void **state)
{
	uint64_t since;
	unsigned int told;
	uint16_t index;

	(void)state;
	world_apply(&config);
	take_out(2);
	config.service[0].backend[2].state = BACKEND_DRAINING;
	world_apply(&config);
	since = world_backend(0, 2)->since_ns;
	index = world_backend(0, 2)->index;
	told = maps.events;
	world_restart();
	world_apply(&config);
	assert_int_equal(maps.tables_adopted, 2);
	assert_int_equal(maps.events, told);
	assert_int_equal(role(2), ROLE_REMOVING);
	assert_int_equal(world_backend(0, 2)->index, index);
	assert_true(world_backend(0, 2)->since_ns == since);
	world_restart();
	put_in(2);
	world_apply(&config);
	assert_int_equal(role(2), ROLE_UP);
	assert_int_equal(world_backend(0, 2)->index, index);
}

static void restart_keeps_drained_and_down(void **state)
{
	struct config_backend *backend = config.service[0].backend;
	struct model_restored_backend before[3];

	(void)state;
	backend[0].state = BACKEND_DRAINING;
	backend[1].state = BACKEND_DRAINING;
	world_apply(&config);
	set_drained(2);
	set_down(3, true);
	memcpy(before, &maps.backend[1], sizeof(before));
	world_restart();
	world_apply(&config);
	assert_int_equal(maps.tables_adopted, 2);
	assert_int_equal(role(1), ROLE_DRAINING);
	assert_int_equal(role(2), ROLE_DRAINED);
	assert_int_equal(role(3), ROLE_DOWN);
	assert_memory_equal(before, &maps.backend[1], sizeof(before));
	set_down(3, false);
	assert_int_equal(role(3), ROLE_UP);
	world_restart();
	backend[1].state = BACKEND_ENABLED;
	world_apply(&config);
	assert_int_equal(role(2), ROLE_UP);
}

/* The file has changed while no agent ran. The flows of one that is wanted again do not wait for its way. */
static void restart_with_another_file(void **state)
{
	struct config_backend *backend = config.service[0].backend;

	(void)state;
	backend[0].state = BACKEND_DRAINING;
	backend[3].state = BACKEND_DISABLED;
	world_apply(&config);
	world_restart();
	maps.way[1] = maps.way[2] = WAY_UNRESOLVED;
	backend[0].state = BACKEND_ENABLED;
	take_out(2);
	take_out(4);
	world_apply(&config);
	assert_int_equal(role(1), ROLE_UP);
	assert_int_equal(role(2), ROLE_REMOVING);
	assert_int_equal(world_backend(0, 2)->way.state, WAY_UNKNOWN);
	assert_null(world_backend(0, 4));
	assert_int_equal(world_told("backend-removing"), 1);
	assert_int_equal(world_told("backend-removed"), 1);
	set_drained(2);
	assert_null(world_backend(0, 2));
}

/* ---- room ---- */

static void removing_ones_take_room(void **state)
{
	struct config full = world_config(1, BACKENDS - 1);
	struct error error = {0};

	(void)state;
	world_apply(&full);
	for (unsigned int i = 0; i < 3; i++)
		full.service[0].backend[i].addr = world_address(0, 100 + i);
	assert_int_equal(model_apply(&model, &full, &error), -1);
	assert_string_equal(
		error.text,
		"service s0: no room for it: limits { backends 64; } are all taken, 3 of them by backends that are being removed");
	for (unsigned int i = 0; i < 2; i++)
		full.service[0].backend[i].addr = world_address(0, 1 + i);
	world_apply(&full);
	assert_int_equal(model.service[0]->backends, BACKENDS);
	world_free_config(&full);
}

/* With new maps there is room; what need not go for it keeps its index. */
static void restart_makes_room(void **state)
{
	struct config full = world_config(2, BACKENDS / 2 - 1);

	(void)state;
	world_apply(&full);
	world_restart();
	free(full.service[0].listener);
	free(full.service[0].backend);
	full.service[0] = world_service(2, BACKENDS / 2 - 3);
	full.service[1].backend[0].addr = world_address(1, 100);
	full.service[1].backend[1].addr = world_address(1, 101);
	assert_false(model_make_room(&model, &full));
	assert_int_equal(model.restored_services, 1);
	assert_int_equal(model.restored_backends, BACKENDS / 2 - 1);
	full.service[1].backend[2].addr = world_address(1, 102);
	full.service[0].backends += 2;
	full.service[0].backend = realloc(full.service[0].backend, (BACKENDS / 2) * sizeof(struct config_backend));
	for (unsigned int i = BACKENDS / 2 - 3; i < BACKENDS / 2 - 1; i++)
		full.service[0].backend[i] = (struct config_backend){.addr = world_address(2, i + 1), .weight = 1};
	assert_false(model_make_room(&model, &full));
	assert_int_equal(model.restored_backends, BACKENDS / 2 - 4);
	world_free_config(&full);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {TEST(words_and_numbers),
					   TEST(drains_until_it_is_drained),
					   TEST(goes_when_its_flows_have),
					   TEST(goes_at_once),
					   TEST(comes_back_while_it_goes),
					   TEST(ways_find_their_backends),
					   TEST(same_table_with_and_without),
					   TEST(a_service_takes_all_with_it),
					   TEST(down_and_up),
					   TEST(down_while_it_drains),
					   TEST(restart_goes_on_removing),
					   TEST(restart_keeps_drained_and_down),
					   TEST(restart_with_another_file),
					   TEST(removing_ones_take_room),
					   TEST(restart_makes_room)};

	return cmocka_run_group_tests_name("model roles", tests, NULL, NULL);
}
