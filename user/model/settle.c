/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changes without a config: ways, what checks say, slow starts. In: from next hops, checks, the agent's timer. Out: roles and tables, by
 * model_settle, to the observer. What cannot be built for want of memory stays dirty: it is tried again with the next batch.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "roles.h"
#include "table.h"
#include "tell.h"

static void set_way(struct model *model, struct model_service *service, struct model_backend *backend,
		    const struct model_way *way)
{
	bool known = way->state == WAY_READY || way->state == WAY_LOCAL;

	if (way->state == backend->way.state && !memcmp(&way->image, &backend->way.image, sizeof(way->image)))
		return;
	backend->way = *way;
	model->observer.way_changed(model->observer.arg, service, backend);
	if (known && !backend->joined) {
		backend->joined = true;
		service->dirty = true;
	}
}

/* The first place with this address, or where it would be. */
static size_t find_place(const struct model *model, const struct addr *addr)
{
	size_t low = 0, high = model->places;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (addr_compare(&model->place[middle].addr, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void model_set_way(struct model *model, const struct addr *addr)
{
	for (size_t i = find_place(model, addr); i < model->places && !addr_compare(&model->place[i].addr, addr); i++) {
		struct model_service *service = model->place[i].service;
		struct model_backend *backend = &service->backend[model->place[i].backend];
		struct model_way way = model->observer.way(model->observer.arg, service, backend);

		set_way(model, service, backend, &way);
	}
}

void model_set_down(struct model *model, struct model_service *service, struct model_backend *backend, bool down)
{
	(void)model;
	service->dirty = service->dirty || backend->down != down;
	backend->down = down;
}

static void settle(struct model *model, struct model_service *service, uint64_t now_wall_ns)
{
	size_t bytes = service->backends * sizeof(*service->backend);
	struct model_backend *before = malloc(bytes + 1);
	uint64_t digest;

	if (!before)
		return;
	memcpy(before, service->backend, bytes);
	roles_set(service, now_wall_ns);
	digest = table_digest(model->hash_seed, service);
	if (digest == service->digest || !table_build(model->hash_seed, service, service->table)) {
		service->digest = digest;
		service->dirty = false;
		model->observer.service_changed(model->observer.arg, service);
		for (size_t i = 0; i < service->backends; i++)
			tell_backend(model, service, &service->backend[i], &before[i]);
	} else {
		memcpy(service->backend, before, bytes);
	}
	free(before);
}

static void settle_all(struct model *model, uint64_t now_wall_ns)
{
	for (size_t s = 0; s < model->services; s++)
		if (model->service[s]->dirty)
			settle(model, model->service[s], now_wall_ns);
}

void model_settle(struct model *model)
{
	settle_all(model, model->observer.now_wall_ns(model->observer.arg));
}

uint64_t model_ramp(struct model *model, uint64_t now_wall_ns)
{
	uint64_t next = 0;

	for (size_t s = 0; s < model->services; s++) {
		uint64_t due = roles_next_step(model->service[s], now_wall_ns);

		if (due && due <= now_wall_ns)
			model->service[s]->dirty = true;
	}
	settle_all(model, now_wall_ns);
	for (size_t s = 0; s < model->services; s++) {
		uint64_t due = roles_next_step(model->service[s], now_wall_ns);

		if (due && (!next || due < next))
			next = due;
	}
	return next;
}
