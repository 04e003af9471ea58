/* SPDX-License-Identifier: BSD-2-Clause */
/* Slow start in the model: who has one, its steps, its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model_world.h"

#define SECOND 1000000000ULL

enum { SLOW_START_S = 31 };

static struct config config;

static int setup(void **state)
{
	config = world_config(1, 4);
	config.service[0].slow_start_ms = SLOW_START_S * 1000;
	return world_setup(state);
}

static int teardown(void **state)
{
	world_free_config(&config);
	return world_teardown(state);
}

static uint8_t ramp(unsigned int host)
{
	return world_backend(0, host)->ramp;
}

static void set_state(unsigned int host, enum config_backend_state to)
{
	config.service[0].backend[host - 1].state = to;
	world_apply(&config);
}

static void set_down(unsigned int host, bool down)
{
	model_set_down(&model, model.service[0], world_backend(0, host), down);
	model_settle(&model);
}

static void goes_step_by_step(void **state)
{
	uint64_t begin, next;
	uint16_t before[4096];

	(void)state;
	world_apply(&config);
	assert_int_equal(ramp(1), RAMP_FULL);
	assert_true(model_ramp(&model, world_now) == 0);
	set_state(2, BACKEND_DRAINING);
	set_state(2, BACKEND_ENABLED);
	assert_int_equal(ramp(2), 1);
	assert_int_equal(world_backend(0, 2)->slots_owned, 1024 / RAMP_FULL);
	assert_int_equal(world_told("backend-slow-start"), 1);
	begin = world_backend(0, 2)->since_ns;
	next = model_ramp(&model, begin);
	assert_true(next == begin + SECOND);
	for (unsigned int step = 2; step <= RAMP_FULL; step++) {
		uint64_t moved = model.service[0]->slots_moved;

		memcpy(before, model.service[0]->table, sizeof(before));
		assert_true(model_ramp(&model, next - 1) == next);
		assert_int_equal(ramp(2), step - 1);
		assert_true(model_ramp(&model, next) == (step < RAMP_FULL ? next + SECOND : 0));
		assert_int_equal(ramp(2), step);
		assert_int_equal(world_backend(0, 2)->slots_owned, 1024 * step / RAMP_FULL);
		assert_int_equal(model.service[0]->slots_moved - moved, 1024 / RAMP_FULL);
		for (uint32_t s = 0; s < 4096; s++)
			assert_true(model.service[0]->table[s] == before[s] ||
				    model.service[0]->table[s] == world_backend(0, 2)->index);
		next += SECOND;
	}
	assert_int_equal(world_told("backend-slow-start"), 2);
	assert_true(world_backend(0, 2)->since_ns == begin);
}

/* The agent was busy meanwhile. */
static void leaps_to_where_it_should_be(void **state)
{
	uint64_t begin;

	(void)state;
	world_apply(&config);
	set_down(3, true);
	set_down(3, false);
	begin = world_backend(0, 3)->since_ns;
	assert_true(model_ramp(&model, begin + 10 * SECOND + 5) == begin + 11 * SECOND);
	assert_int_equal(ramp(3), 11);
	world_now = begin + 9 * SECOND; /* never back */
	set_down(1, true);
	assert_int_equal(ramp(3), 11);
	world_now = begin + 20 * SECOND; /* any change takes it along */
	set_down(2, true);
	assert_int_equal(ramp(3), 21);
	assert_true(model_ramp(&model, begin + SLOW_START_S * SECOND) == 0);
	assert_int_equal(ramp(3), RAMP_FULL);
}

static void clock_that_is_set_back(void **state)
{
	uint64_t begin;

	(void)state;
	world_now += 1000 * SECOND;
	world_apply(&config);
	set_down(3, true);
	set_down(3, false);
	begin = world_backend(0, 3)->since_ns;
	assert_true(model_ramp(&model, begin - 5 * SECOND) == begin + SECOND);
	assert_int_equal(ramp(3), 1);
	assert_true(model_ramp(&model, begin - 500 * SECOND) == 0);
	assert_int_equal(ramp(3), RAMP_FULL);
}

static void who_has_one(void **state)
{
	const struct config_backend fifth = {.addr = world_address(0, 5), .weight = 1};
	struct addr removed = world_address(0, 4);

	(void)state;
	world_apply(&config);
	assert_int_equal(config_add_backend(&config.service[0], &fifth), 0);
	world_apply(&config);
	assert_int_equal(ramp(5), 1);
	set_state(1, BACKEND_DISABLED);
	set_state(1, BACKEND_ENABLED);
	assert_int_equal(ramp(1), 1);
	config.service[0].backend[1].weight = 0;
	world_apply(&config);
	config.service[0].backend[1].weight = 3;
	world_apply(&config);
	assert_int_equal(ramp(2), 1);
	config.service[0].backend[2].weight = 2; /* was up, stays up */
	world_apply(&config);
	assert_int_equal(ramp(3), RAMP_FULL);
	config_remove_backend(&config.service[0], &removed);
	world_apply(&config);
	assert_int_equal(config_add_backend(&config.service[0], &(struct config_backend){.addr = removed, .weight = 1}),
			 0);
	world_apply(&config); /* again while it was being removed */
	assert_int_equal(ramp(4), 1);
	config.service[0].slow_start_ms = 0;
	world_apply(&config);
	for (unsigned int host = 1; host <= 5; host++)
		assert_int_equal(ramp(host), RAMP_FULL);
	set_down(3, true);
	set_down(3, false);
	assert_int_equal(ramp(3), RAMP_FULL);
	assert_int_equal(world_told("backend-slow-start"), 8);
}

/* Not the first one, nor those that come up with it, nor the only one; nor a fallback. */
static void who_has_none(void **state)
{
	(void)state;
	config.service[0].backend[3].fallback = true;
	world_apply(&config);
	for (unsigned int host = 1; host <= 3; host++)
		set_down(host, true);
	assert_int_equal(world_backend(0, 4)->role, ROLE_FALLBACK);
	assert_int_equal(ramp(4), RAMP_FULL);
	for (unsigned int host = 1; host <= 2; host++)
		model_set_down(&model, model.service[0], world_backend(0, host), false);
	model_settle(&model);
	assert_int_equal(ramp(1), RAMP_FULL);
	assert_int_equal(ramp(2), RAMP_FULL);
	set_down(3, false);
	assert_int_equal(ramp(3), 1);
}

/* One in slow start that is left alone has all. */
static void nobody_else_is_left(void **state)
{
	(void)state;
	world_apply(&config);
	set_down(1, true);
	set_down(2, true);
	set_down(1, false);
	set_down(2, false);
	assert_int_equal(ramp(1), 1);
	assert_int_equal(ramp(2), 1);
	set_down(3, true);
	assert_int_equal(ramp(1), 1);
	set_down(4, true);
	assert_int_equal(ramp(1), RAMP_FULL);
	assert_int_equal(ramp(2), RAMP_FULL);
	assert_int_equal(world_backend(0, 1)->slots_owned, 2048);
	assert_int_equal(world_told("backend-slow-start"), 4);
	set_down(4, false);
	assert_int_equal(ramp(4), 1);
	set_down(4, true); /* its slow start is no more */
	assert_int_equal(ramp(4), RAMP_FULL);
	assert_int_equal(world_told("backend-slow-start"), 5);
}

/* A start knows of nothing that has come up: not by a config, nor by a way that is found a little later. */
static void none_at_a_start(void **state)
{
	struct addr addr = world_address(0, 2);

	(void)state;
	maps.way[2] = WAY_UNKNOWN;
	set_state(1, BACKEND_DISABLED);
	assert_int_equal(world_backend(0, 2)->role, ROLE_JOINING);
	maps.way[2] = WAY_READY;
	model_set_way(&model, &addr);
	model_settle(&model);
	assert_int_equal(world_backend(0, 2)->role, ROLE_UP);
	assert_int_equal(ramp(2), RAMP_FULL);
	set_down(3, true);
	set_down(3, false);
	assert_int_equal(ramp(3), 1);
	world_restart();
	set_state(1, BACKEND_ENABLED);
	for (unsigned int host = 1; host <= 4; host++)
		assert_int_equal(ramp(host), RAMP_FULL);
	assert_int_equal(maps.tables_adopted, 0);
	world_restart();
	world_apply(&config);
	assert_int_equal(maps.tables_adopted, 1);
}

/* Added later, and its way takes a moment: that is no start. */
static void one_that_joins_later(void **state)
{
	struct addr addr = world_address(0, 5);
	const struct config_backend fifth = {.addr = addr, .weight = 1};

	(void)state;
	maps.way[5] = WAY_UNKNOWN;
	world_apply(&config);
	assert_int_equal(config_add_backend(&config.service[0], &fifth), 0);
	world_apply(&config);
	assert_int_equal(ramp(5), RAMP_FULL);
	maps.way[5] = WAY_READY;
	model_set_way(&model, &addr);
	model_settle(&model);
	assert_int_equal(ramp(5), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {TEST(goes_step_by_step),      TEST(leaps_to_where_it_should_be),
					   TEST(clock_that_is_set_back), TEST(who_has_one),
					   TEST(who_has_none),           TEST(nobody_else_is_left),
					   TEST(none_at_a_start),        TEST(one_that_joins_later)};

	return cmocka_run_group_tests_name("model ramp", tests, NULL, NULL);
}
