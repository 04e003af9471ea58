/* SPDX-License-Identifier: BSD-2-Clause */
/* The model, change by change: what is kept, what is built, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "model_world.h"

static void same_config_changes_nothing(void **state)
{
	struct config config = world_config(3, 4);
	struct world_maps before;

	(void)state;
	world_apply(&config);
	assert_int_equal(maps.tables_written, 3);
	before = maps;
	world_apply(&config);
	assert_memory_equal(&maps, &before, sizeof(maps));
	world_free_config(&config);
}

static void restart_adopts(void **state)
{
	struct config config = world_config(3, 4);
	struct world_maps before;

	(void)state;
	world_apply(&config);
	before = maps;
	world_restart();
	world_apply(&config);
	assert_int_equal(maps.tables_adopted, 3);
	assert_int_equal(maps.events, before.events);
	assert_memory_equal(maps.slot, before.slot, sizeof(maps.slot));
	assert_memory_equal(maps.service, before.service, sizeof(maps.service));
	assert_memory_equal(maps.backend, before.backend, sizeof(maps.backend));
	assert_int_equal(model.service[0]->backend[0].slots_owned, 1024);
	world_free_config(&config);
}

/* A service goes at once with all that it had. */
static void restart_removes_what_is_gone(void **state)
{
	struct config config = world_config(3, 4);

	(void)state;
	config.service[1].backend[3].state = BACKEND_DISABLED;
	world_apply(&config);
	world_restart();
	config.service[1].backends = 3;
	free(config.service[2].listener);
	free(config.service[2].backend);
	config.services = 2;
	world_apply(&config);
	assert_int_equal(maps.tables_adopted, 1);
	assert_false(maps.service_used[2]);
	for (size_t i = 1; i < BACKENDS; i++)
		assert_int_equal(maps.backend_used[i], i <= 7);
	world_free_config(&config);
}

/* As many services as there may be, and another one in the place of one of them: with new maps there is room for it. */
static void restart_makes_room(void **state)
{
	struct config config = world_config(SERVICES, 4), other = world_config(SERVICES, 4);
	struct error error = {0};
	uint16_t kept;

	(void)state;
	world_apply(&config);
	kept = model.service[2]->backend[1].index;
	snprintf(other.service[1].name, sizeof(other.service[1].name), "other");
	world_restart();
	assert_true(model_make_room(&model, &config));
	assert_int_equal(model_apply(&model, &other, &error), -1);
	assert_non_null(strstr(error.text, "limits { services 8; }"));
	assert_false(model_make_room(&model, &other));
	memset(&maps, 0, sizeof(maps)); /* new ones; tables are taken over from those of before */
	for (size_t i = 0; i < 256; i++)
		maps.way[i] = WAY_READY;
	assert_int_equal(model_make_room(&model, &other), true);
	assert_int_equal(model.restored_services, SERVICES - 1);
	assert_int_equal(model.restored_backends, 4 * (SERVICES - 1));
	for (size_t i = 0; i < model.restored_services; i++) {
		maps.service[model.restored_service[i].index] = model.restored_service[i];
		model.restored_service[i].digest++; /* these maps hold no tables */
	}
	assert_int_equal(model_apply(&model, &other, &error), 0);
	assert_int_equal(model.service[1]->index, 1);
	assert_int_equal(model.service[2]->backend[1].index, kept);
	assert_int_equal(maps.tables_written, SERVICES);
	world_free_config(&config);
	world_free_config(&other);
}

static void restart_makes_room_for_backends(void **state)
{
	struct config config = world_config(1, BACKENDS - 1), other = world_config(1, BACKENDS - 1);

	(void)state;
	other.service[0].backend[7].addr = world_address(77, 1);
	other.service[0].backend[8].addr = world_address(77, 2);
	world_apply(&config);
	world_restart();
	assert_false(model_make_room(&model, &other));
	assert_int_equal(model.restored_backends, BACKENDS - 3);
	assert_int_equal(model.used.backend[8], 0);
	assert_true(model_make_room(&model, &other));
	world_free_config(&config);
	world_free_config(&other);
}

static void damaged_maps_are_built_anew(void **state)
{
	struct config config = world_config(1, 4);
	union weir_slot *slots = maps.slot;
	struct model_service *service;

	(void)state;
	world_apply(&config);
	slots[5].current = 63; /* nobody's index */
	service = model.service[0];
	free(service->table);
	service->table = NULL;
	assert_int_equal(table_adopt(&model, service, slots), -22);
	assert_non_null(service->table);
	assert_int_not_equal(service->table[5], 63);
	assert_int_equal(service->backend[3].slots_owned, 1024);
	world_free_config(&config);
}

static void joins_when_the_way_is_known(void **state)
{
	struct config config = world_config(1, 2);
	struct addr first = world_address(0, 1), second = world_address(0, 2);

	(void)state;
	maps.way[1] = maps.way[2] = WAY_UNKNOWN;
	world_apply(&config);
	assert_int_equal(model.service[0]->backend[0].role, ROLE_JOINING);
	assert_false(model_service_up(model.service[0]));
	maps.way[1] = WAY_READY;
	model_set_way(&model, &first);
	model_settle(&model);
	assert_int_equal(model.service[0]->backend[0].role, ROLE_UP);
	assert_int_equal(model.service[0]->backend[0].slots_owned, 4096);
	maps.way[2] = WAY_READY;
	model_set_way(&model, &second);
	model_settle(&model);
	assert_int_equal(model.service[0]->backend[1].slots_owned, 2048);
	assert_int_equal(model.service[0]->slots_moved, 2048);
	maps.way[2] = WAY_UNRESOLVED; /* a host that falls silent keeps its slots: that is the checks' business */
	model_set_way(&model, &second);
	model_settle(&model);
	assert_int_equal(model.service[0]->backend[1].role, ROLE_UP);
	world_free_config(&config);
}

static void drain_disable_fallback(void **state)
{
	struct config config = world_config(1, 3);
	struct config_backend *backend = config.service[0].backend;

	(void)state;
	backend[2].fallback = true;
	world_apply(&config);
	assert_int_equal(model.service[0]->backend[2].role, ROLE_STANDBY);
	assert_int_equal(model.service[0]->backend[2].slots_owned, 0);
	backend[0].state = BACKEND_DRAINING;
	world_apply(&config);
	assert_int_equal(model.service[0]->backend[1].slots_owned, 4096);
	backend[1].state = BACKEND_DISABLED;
	world_apply(&config);
	assert_int_equal(model.service[0]->backend[2].role, ROLE_FALLBACK);
	assert_int_equal(model.service[0]->backend[2].slots_owned, 4096);
	backend[2].weight = 0;
	world_apply(&config);
	assert_false(model_service_up(model.service[0]));
	assert_int_equal(maps.slot[model.service[0]->slot_base].current, WEIR_BACKEND_NONE);
	backend[0].state = backend[1].state = BACKEND_ENABLED;
	backend[2].weight = 1;
	world_apply(&config);
	assert_int_equal(model.service[0]->backend[0].slots_owned, 2048);
	world_free_config(&config);
}

static void refused_whole(void **state)
{
	struct config config = world_config(2, 4), more = world_config(SERVICES + 1, 1);
	struct error error = {0};
	struct world_maps before;

	(void)state;
	world_apply(&config);
	before = maps;
	assert_int_equal(model_apply(&model, &more, &error), -1);
	assert_non_null(strstr(error.text, "limits { services 8; }"));
	config.service[1].slots = 16384;
	error = (struct error){0};
	assert_int_equal(model_apply(&model, &config, &error), -1);
	assert_non_null(strstr(error.text, "slots: its number does not change"));
	assert_memory_equal(&maps, &before, sizeof(maps));
	assert_int_equal(model.services, 2);
	world_free_config(&config);
	world_free_config(&more);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {TEST(same_config_changes_nothing),
					   TEST(restart_adopts),
					   TEST(restart_removes_what_is_gone),
					   TEST(restart_makes_room),
					   TEST(restart_makes_room_for_backends),
					   TEST(damaged_maps_are_built_anew),
					   TEST(joins_when_the_way_is_known),
					   TEST(drain_disable_fallback),
					   TEST(refused_whole)};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
