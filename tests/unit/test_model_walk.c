/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model under random histories: configs, ways, checks, drained backends, time, restarts. The world (model_world.h) looks at each thing that it is told;
 * here: which indexes are taken, and that tables do not depend on what was before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "model_world.h"

enum { HOSTS = 16, SLOW_START_S = 30, WANTED_MAX = BACKENDS };

static unsigned int seed;

static unsigned int any(unsigned int limit)
{
	return (unsigned int)rand_r(&seed) % limit;
}

/* ---- what happens ---- */

static void add_service(struct config *config, unsigned int name)
{
	config->service = realloc(config->service, (config->services + 1) * sizeof(*config->service));
	config->service[config->services] = world_service(name, 1 + any(7));
	config->services++;
}

static unsigned int count_wanted(const struct config *config)
{
	unsigned int count = 0;

	for (size_t i = 0; i < config->services; i++)
		count += (unsigned int)config->service[i].backends;
	return count;
}

/* A new one, or one that was there before. */
static void add_backend(struct config_service *service)
{
	struct config_backend backend = {.addr = world_address((unsigned int)(service->name[1] - '0'), 1 + any(HOSTS)),
					 .weight = 1};

	if (config_backend(service, &backend.addr))
		return;
	service->backend = realloc(service->backend, (service->backends + 2) * sizeof(backend));
	service->backend[service->backends++] = backend;
}

static void change_backend(struct config_service *service)
{
	struct config_backend *backend = &service->backend[any((unsigned int)service->backends)];

	switch (any(6)) {
	case 0:
	case 5:
		*backend = service->backend[--service->backends];
		break;
	case 1:
		backend->weight = (uint16_t)any(4);
		break;
	case 2:
		backend->state = (enum config_backend_state)any(3);
		break;
	case 3:
		backend->state = BACKEND_ENABLED;
		break;
	default:
		backend->fallback = !backend->fallback;
		break;
	}
}

static void change_config(struct config *config)
{
	unsigned int at = any(SERVICES);
	char name[12];
	struct config_service *service;

	snprintf(name, sizeof(name), "s%u", at);
	service = config_service(config, name);
	if (!service) {
		if (count_wanted(config) + 8 <= WANTED_MAX)
			add_service(config, at);
	} else if (any(32) == 0) {
		free(service->listener);
		free(service->backend);
		*service = config->service[--config->services];
	} else if (any(8) == 0) {
		service->listener->first = service->listener->last = (uint16_t)(any(65535) + 1);
	} else if (any(8) == 0) {
		service->on_down = (enum config_on_down)any(2);
		service->slow_start_ms = any(4) ? SLOW_START_S * 1000 : 0;
	} else if (any(2) == 0 || !service->backends) {
		if (count_wanted(config) < WANTED_MAX)
			add_backend(service);
	} else {
		change_backend(service);
	}
}

static void change_way(void)
{
	unsigned int host = 1 + any(HOSTS);

	maps.way[host] = any(2) ? WAY_READY : (enum way_state)any(WAY_DOWN + 1);
	for (unsigned int name = 0; name < SERVICES; name++) {
		struct addr addr = world_address(name, host);

		model_set_way(&model, &addr);
	}
	model_settle(&model);
}

static void let_go_of_removing(void)
{
	for (size_t s = 0; s < model.services; s++) {
		struct model_service *service = model.service[s];

		while (model_wanted_backends(service) < service->backends)
			model_set_drained(&model, service, &service->backend[service->backends - 1]);
	}
	model_settle(&model);
}

/* Checks say something of some backend, or the first that drains has done so. */
static void happen_to_backend(void)
{
	struct model_service *service = model.services ? model.service[any((unsigned int)model.services)] : NULL;
	size_t at = 0;

	if (!service || !service->backends)
		return;
	if (any(2)) {
		at = any((unsigned int)service->backends);
		model_set_down(&model, service, &service->backend[at], any(2));
	} else {
		while (at + 1 < service->backends && !backend_is_draining(&service->backend[at]))
			at++;
		model_set_drained(&model, service, &service->backend[at]);
	}
	model_settle(&model);
}

static void pass_time(void)
{
	uint64_t next;

	world_now += any(SLOW_START_S / 2) * 1000000000ULL;
	next = model_ramp(&model, world_now);
	assert_true(!next || next > world_now);
}

/* Full of backends that are being removed: when these have gone there is room. */
static void apply(const struct config *config)
{
	struct error error = {0};

	if (model_apply(&model, config, &error)) {
		assert_non_null(strstr(error.text, "of them by backends that are being removed"));
		let_go_of_removing();
	}
	world_apply(config);
}

/* The file may have changed meanwhile, where there is room for that. */
static void restart(struct config *config)
{
	size_t held = 0;

	for (size_t s = 0; s < model.services; s++)
		held += model.service[s]->backends;
	world_restart();
	if (held + 4 <= BACKENDS)
		change_config(config);
	world_apply(config);
}

static void step(struct config *config)
{
	switch (any(12)) {
	case 0:
		change_way();
		break;
	case 1:
	case 2:
		happen_to_backend();
		break;
	case 3:
		pass_time();
		break;
	case 4:
		if (any(2))
			let_go_of_removing();
		restart(config);
		break;
	default:
		change_config(config);
		apply(config);
		break;
	}
}

/* ---- what must be so ---- */

static void assert_indexes(void)
{
	bool taken[BACKENDS + 1] = {true};

	for (size_t s = 0; s < model.services; s++) {
		for (size_t i = 0; i < model.service[s]->backends; i++) {
			assert_false(taken[model.service[s]->backend[i].index]);
			taken[model.service[s]->backend[i].index] = true;
		}
	}
	for (size_t i = 0; i < SERVICES; i++)
		assert_int_equal(maps.service_used[i], model.used.service[i]);
	for (size_t i = 0; i <= BACKENDS; i++) {
		assert_int_equal(taken[i], model.used.backend[i]);
		assert_int_equal(maps.backend_used[i], i > 0 && taken[i]);
	}
}

/* A node that has just come to the same wanted state: its next hops are known where those of the first one were once. */
static struct model_way other_way(void *arg, const struct model_service *service, const struct model_backend *backend)
{
	const struct model_service *mine = model_service(&model, service->config.name);

	(void)arg;
	return (struct model_way){.state =
					  model_backend(mine, &backend->config.addr)->joined ? WAY_READY : WAY_UNKNOWN};
}

static void other_service(void *arg, struct model_service *service)
{
	(void)arg, (void)service;
}

static void other_vip(void *arg, const struct addr *vip)
{
	(void)arg, (void)vip;
}

static void other_backend(void *arg, struct model_service *service, struct model_backend *backend)
{
	(void)arg, (void)service, (void)backend;
}

static uint64_t other_now(void *arg)
{
	(void)arg;
	return world_now;
}

static void other_event(void *arg, const char *kind, const char *service, const struct addr *backend, const char *text)
{
	(void)arg, (void)kind, (void)service, (void)backend, (void)text;
}

static void start_other(struct model *other, const struct config *config)
{
	const struct model_observer observer = {.way = other_way,
						.service_changed = other_service,
						.vip_changed = other_vip,
						.way_changed = other_backend,
						.service_removed = other_service,
						.backend_removed = other_backend,
						.now_wall_ns = other_now,
						.event = other_event};
	struct error error = {0};

	assert_int_equal(model_init(other, &model.limits, model.hash_seed, &observer), 0);
	assert_int_equal(model_apply(other, config, &error), 0);
}

/* What checks say, and the steps of slow starts, which nodes tell each other. */
static void tell_other(struct model *other)
{
	for (size_t s = 0; s < other->services; s++) {
		struct model_service *service = other->service[s];
		const struct model_service *mine = model_service(&model, service->config.name);

		for (size_t i = 0; i < service->backends; i++)
			model_set_down(other, service, &service->backend[i], mine->backend[i].down);
		model_settle(other);
		for (size_t i = 0; i < service->backends; i++) {
			service->backend[i].ramp = mine->backend[i].ramp;
			service->backend[i].since_ns = mine->backend[i].since_ns;
		}
		service->dirty = true;
	}
	model_settle(other);
}

static const struct addr *owner(const struct model_service *service, uint32_t slot)
{
	for (size_t i = 0; i < service->backends; i++)
		if (service->backend[i].index == service->table[slot])
			return &service->backend[i].config.addr;
	return NULL;
}

/* Two nodes, two histories, one wanted state: one table. */
static void assert_no_history(const struct config *config)
{
	struct model other;

	(void)model_ramp(&model, world_now);
	start_other(&other, config);
	tell_other(&other);
	for (size_t s = 0; s < model.services; s++) {
		const struct model_service *mine = model.service[s], *its = other.service[s];

		for (uint32_t slot = 0; slot < mine->config.slots; slot++) {
			const struct addr *a = owner(mine, slot), *b = owner(its, slot);

			assert_true(a == b || (a && b && !addr_compare(a, b)));
		}
	}
	model_free(&other);
}

static void random_walks(void **state)
{
	(void)state;
	for (unsigned int walk = 0; walk < 25; walk++) {
		struct config config = world_config(SERVICES, 7);

		seed = walk;
		for (size_t i = 0; i < config.services; i += 2)
			config.service[i].slow_start_ms = SLOW_START_S * 1000;
		for (size_t i = 0; i < 256; i++)
			maps.way[i] = WAY_READY;
		world_apply(&config);
		for (int i = 0; i < 100; i++) {
			step(&config);
			assert_indexes();
			if (i % 25 == 24)
				assert_no_history(&config);
		}
		world_free_config(&config);
		config = (struct config){0};
		world_apply(&config);
		for (size_t i = 0; i < SERVICES; i++)
			assert_false(maps.service_used[i]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {TEST(random_walks)};

	return cmocka_run_group_tests_name("model walk", tests, NULL, NULL);
}
