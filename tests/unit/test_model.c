/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model against maps made of arrays: an observer writes what it is told, in the order it is told, and checks at each step that no packet in
 * flight could meet something unfinished: a listener whose service has no table, a slot that names a backend which is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "../../user/model/listeners.h"
#include "../../user/model/model.h"

enum { SERVICES = 8, BACKENDS = 64, UNITS = 16, VIPS = 16, SLOTS = UNITS * 4096 };

static const struct config_limits limits = {.services = SERVICES, .backends = BACKENDS, .vips = VIPS, .slots = SLOTS};

static struct maps {
	union weir_slot slot[SLOTS];
	struct model_restored_service service[SERVICES];
	bool service_used[SERVICES];
	struct model_restored_backend backend[BACKENDS];
	bool backend_used[BACKENDS];
	struct vip {
		struct addr addr;
		int listeners;
		struct weir_listener listener[WEIR_LISTENERS_MAX];
	} vip[VIPS];
	unsigned int tables_written, tables_adopted, events, services_told;
	enum way_state way[256]; /* by the last byte of the backend's address */
} maps;

static struct model model;

static void assert_safe(void)
{
	for (size_t v = 0; v < VIPS; v++) {
		for (int l = 0; l < maps.vip[v].listeners; l++) {
			const struct model_restored_service *service = &maps.service[maps.vip[v].listener[l].service];

			assert_true(maps.service_used[maps.vip[v].listener[l].service]);
			for (uint32_t s = 0; s < service->slots; s++) {
				uint16_t index = maps.slot[service->slot_base + s].current;

				assert_true(index == WEIR_BACKEND_NONE || maps.backend_used[index]);
				assert_true(index == WEIR_BACKEND_NONE ||
					    maps.backend[index].service_index == service->index);
			}
		}
	}
}

static struct model_way way(void *arg, const struct model_service *service, const struct model_backend *backend)
{
	(void)arg, (void)service;
	return (struct model_way){.state = maps.way[backend->config.addr.byte[15]]};
}

static void service_changed(void *arg, struct model_service *service)
{
	struct model_restored_service *mine = &maps.service[service->index];

	(void)arg;
	maps.services_told++;
	for (size_t i = 0; i < service->backends; i++) {
		const struct model_backend *backend = &service->backend[i];
		struct model_restored_backend *ledger = &maps.backend[backend->index];

		assert_int_not_equal(backend->index, WEIR_BACKEND_NONE);
		assert_true(!maps.backend_used[backend->index] || !addr_compare(&ledger->addr, &backend->config.addr));
		maps.backend_used[backend->index] = true;
		*ledger = (struct model_restored_backend){backend->config.addr, service->index, backend->index,
							  backend->role, backend->since_ns};
	}
	if (!service->table) {
		maps.tables_adopted++;
		assert_int_equal(model_adopt_table(&model, service, &maps.slot[service->slot_base]), 0);
	}
	for (uint32_t s = 0; s < service->config.slots; s++)
		maps.slot[service->slot_base + s].current = service->table[s];
	maps.tables_written += service->built;
	maps.service_used[service->index] = true;
	*mine = (struct model_restored_service){.index = service->index,
						.slot_base = service->slot_base,
						.slots = service->config.slots,
						.digest = service->digest,
						.slots_moved = service->slots_moved};
	snprintf(mine->name, sizeof(mine->name), "%s", service->config.name);
	assert_safe();
}

/* Where the address has its listeners, or a free place. */
static struct vip *find_vip(const struct addr *addr)
{
	for (size_t i = 0; i < VIPS; i++)
		if (!addr_compare(&maps.vip[i].addr, addr))
			return &maps.vip[i];
	for (size_t i = 0; i < VIPS; i++)
		if (!maps.vip[i].listeners)
			return &maps.vip[i];
	abort();
}

static void vip_changed(void *arg, const struct addr *addr)
{
	struct vip *vip = find_vip(addr);

	(void)arg;
	vip->addr = *addr;
	vip->listeners = listeners_flatten(&model, addr, NULL, vip->listener);
	assert_true(vip->listeners >= 0);
	assert_safe();
}

static void way_changed(void *arg, struct model_service *service, struct model_backend *backend)
{
	(void)arg, (void)service, (void)backend;
}

static void backend_removed(void *arg, struct model_service *service, struct model_backend *backend)
{
	(void)arg;
	assert_true(maps.backend_used[backend->index]);
	for (uint32_t s = 0; s < service->config.slots; s++)
		assert_int_not_equal(maps.slot[service->slot_base + s].current, backend->index);
	maps.backend_used[backend->index] = false;
	assert_safe();
}

static void service_removed(void *arg, struct model_service *service)
{
	(void)arg;
	assert_true(maps.service_used[service->index]);
	for (size_t v = 0; v < VIPS; v++)
		for (int l = 0; l < maps.vip[v].listeners; l++)
			assert_int_not_equal(maps.vip[v].listener[l].service, service->index);
	maps.service_used[service->index] = false;
	for (size_t i = 0; i < service->backends; i++)
		maps.backend_used[service->backend[i].index] = false;
	memset(&maps.slot[service->slot_base], 0, service->config.slots * sizeof(maps.slot[0]));
}

static uint64_t now_wall_ns(void *arg)
{
	static uint64_t now;

	(void)arg;
	return ++now;
}

static void event(void *arg, const char *kind, const char *service, const struct addr *backend, const char *text)
{
	(void)arg, (void)backend;
	assert_non_null(kind);
	assert_non_null(service);
	assert_true(strlen(text) > 0);
	maps.events++;
}

static void start(void)
{
	const struct model_observer observer = {
		.way = way,
		.service_changed = service_changed,
		.vip_changed = vip_changed,
		.way_changed = way_changed,
		.service_removed = service_removed,
		.backend_removed = backend_removed,
		.now_wall_ns = now_wall_ns,
		.event = event,
	};

	assert_int_equal(model_init(&model, &limits, "seed", &observer), 0);
}

/* A new process finds the maps of the last one. */
static void restart(void)
{
	model_free(&model);
	start();
	for (size_t i = 0; i < SERVICES; i++)
		if (maps.service_used[i])
			assert_int_equal(model_restore_service(&model, &maps.service[i]), 0);
	for (size_t i = 0; i < BACKENDS; i++)
		if (maps.backend_used[i])
			assert_int_equal(model_restore_backend(&model, &maps.backend[i]), 0);
	for (size_t i = 0; i < VIPS; i++)
		if (maps.vip[i].listeners)
			assert_int_equal(model_restore_vip(&model, &maps.vip[i].addr), 0);
}

static struct addr address(unsigned int net, unsigned int host)
{
	return (struct addr){.byte = {[10] = 0xff, [11] = 0xff, 10, (uint8_t)net, 0, (uint8_t)host}};
}

static struct config_service make_service(unsigned int name, unsigned int backends)
{
	struct config_service service = {.slots = 4096, .listeners = 1, .backends = backends};

	snprintf(service.name, sizeof(service.name), "s%u", name);
	service.listener = calloc(1, sizeof(*service.listener));
	service.listener[0] = (struct config_listener){.vip = address(9, name % 3),
						       .proto = IPPROTO_TCP,
						       .first = (uint16_t)(80 + name),
						       .last = (uint16_t)(80 + name)};
	service.backend = calloc(backends + 1, sizeof(*service.backend));
	for (unsigned int i = 0; i < backends; i++)
		service.backend[i] = (struct config_backend){.addr = address(name, i + 1), .weight = 1};
	return service;
}

static void free_config(struct config *config)
{
	for (size_t i = 0; i < config->services; i++) {
		free(config->service[i].listener);
		free(config->service[i].backend);
	}
	free(config->service);
	memset(config, 0, sizeof(*config));
}

static struct config config_of(unsigned int services, unsigned int backends)
{
	struct config config = {.services = services, .service = calloc(services + 1, sizeof(struct config_service))};

	for (unsigned int i = 0; i < services; i++)
		config.service[i] = make_service(i, backends);
	return config;
}

static void apply(const struct config *config)
{
	struct error error = {0};

	if (model_apply(&model, config, &error))
		fail_msg("%s", error.text);
}

static int setup(void **state)
{
	(void)state;
	memset(&maps, 0, sizeof(maps));
	for (size_t i = 0; i < 256; i++)
		maps.way[i] = WAY_READY;
	start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	model_free(&model);
	return 0;
}

static void same_config_changes_nothing(void **state)
{
	struct config config = config_of(3, 4);
	struct maps before;

	(void)state;
	apply(&config);
	assert_int_equal(maps.tables_written, 3);
	before = maps;
	apply(&config);
	assert_memory_equal(&maps, &before, sizeof(maps));
	free_config(&config);
}

static void restart_adopts(void **state)
{
	struct config config = config_of(3, 4);
	struct maps before;

	(void)state;
	apply(&config);
	before = maps;
	restart();
	apply(&config);
	assert_int_equal(maps.tables_adopted, 3);
	assert_int_equal(maps.events, before.events);
	assert_memory_equal(maps.slot, before.slot, sizeof(maps.slot));
	assert_memory_equal(maps.service, before.service, sizeof(maps.service));
	assert_memory_equal(maps.backend, before.backend, sizeof(maps.backend));
	assert_int_equal(model.service[0]->backend[0].slots_owned, 1024);
	free_config(&config);
}

static void restart_removes_what_is_gone(void **state)
{
	struct config config = config_of(3, 4);

	(void)state;
	apply(&config);
	restart();
	config.service[1].backends = 3;
	free(config.service[2].listener);
	free(config.service[2].backend);
	config.services = 2;
	apply(&config);
	assert_int_equal(maps.tables_adopted, 1);
	assert_false(maps.service_used[2]);
	for (size_t i = 1; i < BACKENDS; i++)
		assert_int_equal(maps.backend_used[i], i <= 7);
	free_config(&config);
}

static void damaged_maps_are_built_anew(void **state)
{
	struct config config = config_of(1, 4);
	union weir_slot *slots = maps.slot;
	struct model_service *service;

	(void)state;
	apply(&config);
	slots[5].current = 63; /* nobody's index */
	service = model.service[0];
	free(service->table);
	service->table = NULL;
	assert_int_equal(model_adopt_table(&model, service, slots), -22);
	assert_non_null(service->table);
	assert_int_not_equal(service->table[5], 63);
	assert_int_equal(service->backend[3].slots_owned, 1024);
	free_config(&config);
}

static void joins_when_the_way_is_known(void **state)
{
	struct config config = config_of(1, 2);
	struct addr first = address(0, 1), second = address(0, 2);

	(void)state;
	maps.way[1] = maps.way[2] = WAY_UNKNOWN;
	apply(&config);
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
	free_config(&config);
}

static void drain_disable_fallback(void **state)
{
	struct config config = config_of(1, 3);
	struct config_backend *backend = config.service[0].backend;

	(void)state;
	backend[2].fallback = true;
	apply(&config);
	assert_int_equal(model.service[0]->backend[2].role, ROLE_STANDBY);
	assert_int_equal(model.service[0]->backend[2].slots_owned, 0);
	backend[0].state = BACKEND_DRAINING;
	apply(&config);
	assert_int_equal(model.service[0]->backend[1].slots_owned, 4096);
	backend[1].state = BACKEND_DISABLED;
	apply(&config);
	assert_int_equal(model.service[0]->backend[2].role, ROLE_FALLBACK);
	assert_int_equal(model.service[0]->backend[2].slots_owned, 4096);
	backend[2].weight = 0;
	apply(&config);
	assert_false(model_service_up(model.service[0]));
	assert_int_equal(maps.slot[model.service[0]->slot_base].current, WEIR_BACKEND_NONE);
	backend[0].state = backend[1].state = BACKEND_ENABLED;
	backend[2].weight = 1;
	apply(&config);
	assert_int_equal(model.service[0]->backend[0].slots_owned, 2048);
	free_config(&config);
}

static void refused_whole(void **state)
{
	struct config config = config_of(2, 4), more = config_of(SERVICES + 1, 1);
	struct error error = {0};
	struct maps before;

	(void)state;
	apply(&config);
	before = maps;
	assert_int_equal(model_apply(&model, &more, &error), -1);
	assert_non_null(strstr(error.text, "limits { services 8; }"));
	config.service[1].slots = 16384;
	error = (struct error){0};
	assert_int_equal(model_apply(&model, &config, &error), -1);
	assert_non_null(strstr(error.text, "slots: its number does not change"));
	assert_memory_equal(&maps, &before, sizeof(maps));
	assert_int_equal(model.services, 2);
	free_config(&config);
	free_config(&more);
}

static void mutate(struct config *config, unsigned int *seed)
{
	unsigned int s = (unsigned int)rand_r(seed) % SERVICES;
	struct config_service *service = NULL;

	for (size_t i = 0; i < config->services; i++) {
		char name[12];

		snprintf(name, sizeof(name), "s%u", s);
		if (!strcmp(config->service[i].name, name))
			service = &config->service[i];
	}
	if (!service) {
		config->service = realloc(config->service, (config->services + 1) * sizeof(*config->service));
		config->service[config->services++] = make_service(s, 1 + (unsigned int)rand_r(seed) % 7);
	} else if (rand_r(seed) % 4 == 0) {
		free(service->listener);
		free(service->backend);
		*service = config->service[--config->services];
	} else if (service->backends) {
		struct config_backend *backend = &service->backend[(unsigned int)rand_r(seed) % service->backends];

		switch (rand_r(seed) % 5) {
		case 0:
			*backend = service->backend[--service->backends];
			break;
		case 1:
			backend->weight = (uint16_t)(rand_r(seed) % 4);
			break;
		case 2:
			backend->state = (enum config_backend_state)(rand_r(seed) % 3);
			break;
		case 3:
			backend->fallback = !backend->fallback;
			break;
		default:
			service->listener->first = service->listener->last = (uint16_t)(rand_r(seed) % 65535 + 1);
			break;
		}
	}
}

/* Random histories; at the end the tables are those of a model that never saw the history. */
static void random_walks(void **state)
{
	(void)state;
	for (unsigned int walk = 0; walk < 40; walk++) {
		struct config config = config_of(2, 3);
		unsigned int seed = walk;

		for (int step = 0; step < 60; step++) {
			mutate(&config, &seed);
			if (rand_r(&seed) % 8 == 0)
				restart();
			apply(&config);
			for (size_t i = 0; i < SERVICES; i++)
				assert_int_equal(maps.service_used[i], model.used.service[i]);
			for (size_t i = 1; i < BACKENDS; i++)
				assert_int_equal(maps.backend_used[i], model.used.backend[i]);
		}
		for (size_t i = 0; i < config.services; i++) {
			struct model_service *service = model_service(&model, config.service[i].name);
			struct addr *owner = calloc(service->config.slots, sizeof(*owner));

			for (uint32_t s = 0; s < service->config.slots; s++)
				for (size_t b = 0; b < service->backends; b++)
					if (service->backend[b].index == service->table[s])
						owner[s] = service->backend[b].config.addr;
			free(service->table);
			free(service->own);
			service->table = service->own = NULL;
			maps.slot[service->slot_base].current = 63;
			(void)model_adopt_table(&model, service,
						&maps.slot[service->slot_base]); /* builds it from nothing */
			for (uint32_t s = 0; s < service->config.slots; s++)
				for (size_t b = 0; b < service->backends; b++)
					if (service->backend[b].index == service->table[s])
						assert_int_equal(
							addr_compare(&owner[s], &service->backend[b].config.addr), 0);
			maps.slot[service->slot_base].current = service->table[0];
			free(owner);
		}
		free_config(&config);
		config = (struct config){0};
		apply(&config);
		for (size_t i = 0; i < SERVICES; i++)
			assert_false(maps.service_used[i]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(same_config_changes_nothing),
		TEST(restart_adopts),
		TEST(restart_removes_what_is_gone),
		TEST(damaged_maps_are_built_anew),
		TEST(joins_when_the_way_is_known),
		TEST(drain_disable_fallback),
		TEST(refused_whole),
		TEST(random_walks),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
