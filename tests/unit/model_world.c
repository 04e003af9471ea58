/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps of arrays and their observer: see model_world.h. */
#include "model_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "../../user/model/listeners.h"

static const struct config_limits limits = {.services = SERVICES, .backends = BACKENDS, .vips = VIPS, .slots = SLOTS};

struct world_maps maps;
struct model model;
uint64_t world_now;

static char told[4096][32];
static unsigned int tolds;

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

/* Nobody but those that take flows is in the table, and it is known how many slots each has. Those that are being removed are the last. */
static void assert_table(const struct model_service *service)
{
	uint32_t owned[BACKENDS + 1] = {0};
	bool up[BACKENDS + 1] = {[WEIR_BACKEND_NONE] = !model_service_up(service)};

	for (size_t i = 0; i < service->backends; i++) {
		const struct model_backend *backend = &service->backend[i];

		up[backend->index] = backend->role == ROLE_UP || backend->role == ROLE_FALLBACK;
		assert_true(up[backend->index] || backend->ramp == RAMP_FULL);
		assert_int_equal(backend->role == ROLE_REMOVING, i >= model_wanted_backends(service));
	}
	for (uint32_t s = 0; s < service->config.slots; s++) {
		assert_true(up[service->table[s]]);
		owned[service->table[s]]++;
	}
	for (size_t i = 0; i < service->backends; i++)
		assert_int_equal(service->backend[i].slots_owned, owned[service->backend[i].index]);
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
		assert_true(!maps.backend_used[backend->index] ||
			    (!addr_compare(&ledger->addr, &backend->config.addr) &&
			     ledger->service_index == service->index));
		maps.backend_used[backend->index] = true;
		*ledger = (struct model_restored_backend){backend->config.addr, service->index, backend->index,
							  backend->role, backend->since_ns};
	}
	if (!service->table) {
		maps.tables_adopted++;
		assert_int_equal(table_adopt(&model, service, &maps.slot[service->slot_base]), 0);
	}
	assert_table(service);
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
static struct world_vip *find_vip(const struct addr *addr)
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
	struct world_vip *vip = find_vip(addr);

	(void)arg;
	vip->addr = *addr;
	vip->listeners = listeners_flatten(&model, addr, NULL, vip->listener);
	assert_true(vip->listeners >= 0);
	assert_safe();
}

static void write_all_vips(void)
{
	for (size_t v = 0; v < VIPS; v++)
		if (maps.vip[v].listeners)
			vip_changed(NULL, &maps.vip[v].addr);
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
	write_all_vips(); /* those of a service of before a restart are known to the maps alone */
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
	(void)arg;
	return ++world_now;
}

static void event(void *arg, const char *kind, const char *service, const struct addr *backend, const char *text)
{
	(void)arg, (void)backend;
	assert_non_null(kind);
	assert_non_null(service);
	assert_true(strlen(text) > 0);
	maps.events++;
	snprintf(told[tolds++ % 4096], sizeof(told[0]), "%s", kind);
}

unsigned int world_told(const char *kind)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < tolds && i < 4096; i++)
		count += !strcmp(told[i], kind);
	return count;
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
void world_restart(void)
{
	model_free(&model);
	start();
	for (size_t i = 0; i < SERVICES; i++)
		if (maps.service_used[i])
			assert_int_equal(model_restore_service(&model, &maps.service[i]), 0);
	for (size_t i = 1; i <= BACKENDS; i++)
		if (maps.backend_used[i])
			assert_int_equal(model_restore_backend(&model, &maps.backend[i]), 0);
}

struct addr world_address(unsigned int net, unsigned int host)
{
	return (struct addr){.byte = {[10] = 0xff, [11] = 0xff, 10, (uint8_t)net, 0, (uint8_t)host}};
}

struct model_backend *world_backend(unsigned int service, unsigned int host)
{
	struct model_service *found = model.service[service];
	struct addr addr = world_address((unsigned int)(found->config.name[1] - '0'), host);
	return model_backend(found, &addr);
}

struct config_service world_service(unsigned int name, unsigned int backends)
{
	struct config_service service = {.slots = 4096, .listeners = 1, .backends = backends};

	snprintf(service.name, sizeof(service.name), "s%u", name);
	service.listener = calloc(1, sizeof(*service.listener));
	service.listener[0] = (struct config_listener){.vip = world_address(9, name % 3),
						       .proto = IPPROTO_TCP,
						       .first = (uint16_t)(80 + name),
						       .last = (uint16_t)(80 + name)};
	service.backend = calloc(backends + 1, sizeof(*service.backend));
	for (unsigned int i = 0; i < backends; i++)
		service.backend[i] = (struct config_backend){.addr = world_address(name, i + 1), .weight = 1};
	return service;
}

void world_free_config(struct config *config)
{
	for (size_t i = 0; i < config->services; i++) {
		free(config->service[i].listener);
		free(config->service[i].backend);
	}
	free(config->service);
	memset(config, 0, sizeof(*config));
}

struct config world_config(unsigned int services, unsigned int backends)
{
	struct config config = {.services = services, .service = calloc(services + 1, sizeof(struct config_service))};

	for (unsigned int i = 0; i < services; i++)
		config.service[i] = world_service(i, backends);
	return config;
}

void world_apply(const struct config *config)
{
	struct error error = {0};

	if (model_apply(&model, config, &error))
		fail_msg("%s", error.text);
	write_all_vips(); /* as the plane does after the first one */
}

int world_setup(void **state)
{
	(void)state;
	memset(&maps, 0, sizeof(maps));
	tolds = 0;
	for (size_t i = 0; i < 256; i++)
		maps.way[i] = WAY_READY;
	start();
	return 0;
}

int world_teardown(void **state)
{
	(void)state;
	model_free(&model);
	return 0;
}
