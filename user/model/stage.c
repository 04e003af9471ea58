/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds the stage: for each wanted service either the object that is in force (nothing has changed) or a new one, with the indexes it has now, had
 * in the pinned maps, or gets anew, with the ways and the first stage of the table taken over where they hold. In: config. Out: stage.
 */
#include "stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "listeners.h"
#include "roles.h"
#include "table.h"

static bool unchanged(const struct model_service *have, const struct config_service *want)
{
	if (model_wanted_backends(have) != want->backends || have->config.runtime != want->runtime ||
	    !config_service_same_words(&have->config, want))
		return false;
	for (size_t i = 0; i < want->backends; i++)
		if (!config_backend_same(&have->backend[i].config, &want->backend[i]) ||
		    have->backend[i].config.runtime != want->backend[i].runtime)
			return false;
	return true;
}

const struct model_restored_service *stage_restored_service(const struct model *model,
							    const struct config_service *want)
{
	for (size_t i = 0; i < model->restored_services; i++) {
		const struct model_restored_service *restored = &model->restored_service[i];

		if (!strcmp(restored->name, want->name) && restored->slots == want->slots)
			return restored;
	}
	return NULL;
}

const struct model_restored_backend *stage_restored_backend(const struct model *model, uint16_t service,
							    const struct addr *addr)
{
	for (size_t i = 0; i < model->restored_backends; i++) {
		const struct model_restored_backend *restored = &model->restored_backend[i];

		if (restored->service_index == service && !addr_compare(&restored->addr, addr))
			return restored;
	}
	return NULL;
}

bool stage_restored_serves(const struct config_service *want, const struct model_restored_backend *restored)
{
	const struct model_service service = {.config.on_down = want->on_down};
	const struct model_backend backend = {.role = restored->role, .down = restored->role == ROLE_DOWN};

	return model_slots_role(&service, &backend) != SLOTS_GONE;
}

static int out_of_memory(struct error *error)
{
	return error_set(error, ERROR_REFUSED, "out of memory");
}

static int no_room(struct error *error, const struct model_service *service, const char *limit, uint32_t size)
{
	return error_set(
		error, ERROR_REFUSED,
		"service %s: no room for it beside what it replaces: limits { %s %u; } are all taken until then; start with --takeover",
		service->config.name, limit, size);
}

static int take_indexes(struct stage *stage, const struct model *model, struct model_service *service,
			struct error *error)
{
	int index = index_take_service(&stage->used, &model->limits);
	int64_t base;

	if (index < 0)
		return no_room(error, service, "services", model->limits.services);
	base = index_take_slots(&stage->used, &model->limits, service->config.slots);
	if (base < 0)
		return no_room(error, service, "slots", model->limits.slots);
	service->index = (uint16_t)index;
	service->slot_base = (uint32_t)base;
	return 0;
}

/* A backend that the config no longer names, and that serves, is kept until its flows have gone. */
static bool stays(const struct model_service *service, const struct model_backend *backend)
{
	return backend->role == ROLE_REMOVING || model_slots_role(service, backend) != SLOTS_GONE;
}

/* How many indexes will be held by backends that are being removed. */
static size_t count_removing(const struct stage *stage, const struct model *model)
{
	size_t count = 0;

	for (size_t s = 0; s < stage->wanted->services; s++) {
		const struct config_service *want = &stage->wanted->service[s];
		const struct model_service *old = model_service(model, want->name);
		const struct model_restored_service *restored = stage_restored_service(model, want);

		for (size_t i = 0; old && i < old->backends; i++)
			count += stays(old, &old->backend[i]) && !config_backend(want, &old->backend[i].config.addr);
		for (size_t i = 0; restored && i < model->restored_backends; i++)
			count += model->restored_backend[i].service_index == restored->index &&
				 stage_restored_serves(want, &model->restored_backend[i]) &&
				 !config_backend(want, &model->restored_backend[i].addr);
	}
	return count;
}

static int no_backend_left(struct stage *stage, const struct model *model, const struct model_service *service,
			   struct error *error)
{
	size_t removing = count_removing(stage, model);

	if (!removing)
		return no_room(error, service, "backends", model->limits.backends);
	return error_set(
		error, ERROR_REFUSED,
		"service %s: no room for it: limits { backends %u; } are all taken, %zu of them by backends that are being removed",
		service->config.name, model->limits.backends, removing);
}

static void find_way(const struct model *model, const struct model_service *service, struct model_backend *backend,
		     bool restored)
{
	backend->way = model->observer.way(model->observer.arg, service, backend);
	if (backend->way.state == WAY_READY || backend->way.state == WAY_LOCAL)
		backend->joined = true;
	if (restored && backend->way.state == WAY_UNRESOLVED)
		backend->way.state =
			WAY_UNKNOWN; /* a new agent may have to ask first: until it knows better the old way serves */
}

/* As the last agent left it. A backend that it found down is taken for down until checks say something else. */
static void restore_backend(const struct model *model, const struct model_service *service,
			    struct model_backend *backend, const struct model_restored_backend *restored)
{
	backend->index = restored->index;
	backend->role = restored->role;
	backend->since_ns = restored->since_ns;
	backend->joined = restored->role != ROLE_DISABLED && restored->role != ROLE_JOINING;
	backend->down = restored->role == ROLE_DOWN;
	backend->drained = restored->role == ROLE_DRAINED;
	find_way(model, service, backend, true);
}

/* The config names it (again): what it does now, roles_set says. */
static void take_back(struct model_backend *backend)
{
	if (backend->role != ROLE_REMOVING)
		return;
	backend->role = ROLE_DISABLED;
	backend->since_ns = 0;
}

static int new_backend(struct stage *stage, const struct model *model, struct model_service *service,
		       struct model_backend *backend, bool restorable, struct error *error)
{
	const struct model_restored_backend *restored =
		restorable ? stage_restored_backend(model, service->index, &backend->config.addr) : NULL;
	int index;

	backend->ramp = RAMP_FULL;
	if (restored) {
		restore_backend(model, service, backend, restored);
		take_back(backend);
		return 0;
	}
	index = index_take_backend(&stage->used, &model->limits);
	if (index < 0)
		return no_backend_left(stage, model, service, error);
	backend->index = (uint16_t)index;
	find_way(model, service, backend, false);
	return 0;
}

static void let_go(struct model_backend *backend, uint64_t now_wall_ns)
{
	if (backend->role != ROLE_REMOVING)
		backend->since_ns = now_wall_ns;
	backend->role = ROLE_REMOVING;
	backend->ramp = RAMP_FULL;
}

/* Behind the config's backends: those that it no longer names and that serve. There is room for them. */
static void keep_serving(const struct model *model, struct model_service *service, const struct config_service *want,
			 const struct model_service *old, const struct model_restored_service *restored)
{
	uint64_t now = model->observer.now_wall_ns(model->observer.arg);

	for (size_t i = 0; old && i < old->backends; i++) {
		struct model_backend *backend = &service->backend[service->backends];

		if (!stays(old, &old->backend[i]) || config_backend(want, &old->backend[i].config.addr))
			continue;
		*backend = old->backend[i];
		let_go(backend, now);
		service->backends++;
	}
	for (size_t i = 0; restored && i < model->restored_backends; i++) {
		const struct model_restored_backend *left = &model->restored_backend[i];
		struct model_backend *backend = &service->backend[service->backends];

		if (left->service_index != restored->index || !stage_restored_serves(want, left) ||
		    config_backend(want, &left->addr))
			continue;
		backend->config = (struct config_backend){.addr = left->addr, .weight = 1};
		restore_backend(model, service, backend, left);
		let_go(backend, now);
		service->backends++;
	}
}

static int stage_backends(struct stage *stage, const struct model *model, struct model_service *service,
			  const struct config_service *want, const struct model_service *old,
			  const struct model_restored_service *restored, struct error *error)
{
	size_t most = want->backends + (old ? old->backends : 0) + (restored ? model->restored_backends : 0);

	service->backend = calloc(most + 1, sizeof(*service->backend));
	if (!service->backend)
		return out_of_memory(error);
	service->backends = want->backends;
	for (size_t i = 0; i < want->backends; i++) {
		struct model_backend *backend = &service->backend[i];
		const struct model_backend *before = old ? model_backend(old, &want->backend[i].addr) : NULL;

		if (before)
			*backend = *before;
		backend->config = want->backend[i];
		backend->from_start = !old || (before && before->from_start);
		if (before)
			take_back(backend);
		else if (new_backend(stage, model, service, backend, restored, error))
			return -1;
	}
	keep_serving(model, service, want, old, restored);
	for (size_t i = 0; i < service->backends && old && old->config.forward != want->forward; i++)
		service->backend[i].way = model->observer.way(model->observer.arg, service, &service->backend[i]);
	return 0;
}

static int copy_words(struct config_service *to, const struct config_service *from)
{
	*to = *from;
	to->backend = NULL;
	to->backends = 0;
	to->listener = calloc(from->listeners + 1, sizeof(*to->listener));
	if (!to->listener)
		return -ENOMEM;
	memcpy(to->listener, from->listener, from->listeners * sizeof(*to->listener));
	return 0;
}

/* Stage 1 and the table of before hold on where what they depend on is the same. */
static int stage_table(const struct model *model, struct model_service *service, const struct model_service *old,
		       const struct model_restored_service *restored, struct error *error)
{
	size_t bytes = service->config.slots * sizeof(*service->table);

	roles_set(service, model->observer.now_wall_ns(model->observer.arg));
	service->digest = table_digest(model->hash_seed, service);
	if (restored && service->digest && restored->digest == service->digest) /* 0 = not known, or half written */
		return 0;
	if (old && old->own && table_same_members(old, service)) {
		service->own = malloc(bytes);
		if (!service->own)
			return out_of_memory(error);
		memcpy(service->own, old->own, bytes);
	}
	if (old && old->table && old->digest == service->digest) {
		service->table = malloc(bytes);
		if (!service->table)
			return out_of_memory(error);
		memcpy(service->table, old->table, bytes);
		service->built = old->built;
		return 0;
	}
	if (table_build(model->hash_seed, service, old ? old->table : NULL))
		return out_of_memory(error);
	return 0;
}

static int fill_service(struct stage *stage, const struct model *model, struct model_service *service,
			const struct config_service *want, struct error *error)
{
	const struct model_service *old = model_service(model, want->name);
	const struct model_restored_service *restored = stage_restored_service(model, want);

	if (copy_words(&service->config, want))
		return out_of_memory(error);
	if (old && old->config.slots != want->slots)
		return error_set(
			error, ERROR_REFUSED,
			"service %s: slots: its number does not change while the service lives (%u now, %u wanted)",
			want->name, old->config.slots, want->slots);
	if (old) {
		service->index = old->index;
		service->slot_base = old->slot_base;
		service->slots_moved = old->slots_moved;
	} else if (restored) {
		service->index = restored->index;
		service->slot_base = restored->slot_base;
		service->slots_moved = restored->slots_moved;
	} else if (take_indexes(stage, model, service, error)) {
		return -1;
	}
	if (stage_backends(stage, model, service, want, old, restored, error))
		return -1;
	return stage_table(model, service, old, restored, error);
}

static int stage_service(struct stage *stage, struct model *model, const struct config_service *want,
			 struct error *error)
{
	struct model_service *have = model_service(model, want->name);
	struct model_service *service;

	if (have && unchanged(have, want)) {
		stage->service[stage->services++] = have;
		return 0;
	}
	service = calloc(1, sizeof(*service));
	if (!service)
		return out_of_memory(error);
	stage->fresh[stage->services] = true;
	stage->service[stage->services++] = service;
	return fill_service(stage, model, service, want, error);
}

/* What the maps could not hold must be found before anything is committed. */
static int check_vips(const struct stage *stage, const struct model *model, struct error *error)
{
	struct weir_listener scratch[WEIR_LISTENERS_MAX];
	struct model view = *model;
	char text[ADDR_TEXT];

	view.service = stage->service;
	view.services = stage->services;
	for (size_t s = 0; s < stage->services; s++) {
		const struct config_service *config = &stage->service[s]->config;

		for (size_t l = 0; stage->fresh[s] && l < config->listeners; l++)
			if (listeners_flatten(&view, &config->listener[l].vip, NULL, scratch) < 0)
				return error_set(error, ERROR_REFUSED,
						 "service %s: %s: more than %d stretches of ports on one address",
						 config->name, addr_format(&config->listener[l].vip, text),
						 WEIR_LISTENERS_MAX);
	}
	if (listeners_count_vips(&view) > model->limits.vips)
		return error_set(
			error, ERROR_REFUSED,
			"listen: more addresses than limits { vips %u; }; raise it and restart with --takeover",
			model->limits.vips);
	return 0;
}

static int by_address(const void *a, const void *b)
{
	return addr_compare(&((const struct model_place *)a)->addr, &((const struct model_place *)b)->addr);
}

static int stage_places(struct stage *stage, struct error *error)
{
	size_t count = 0;

	for (size_t s = 0; s < stage->services; s++)
		count += stage->service[s]->backends;
	stage->place = calloc(count + 1, sizeof(*stage->place));
	if (!stage->place)
		return out_of_memory(error);
	for (size_t s = 0; s < stage->services; s++)
		for (size_t b = 0; b < stage->service[s]->backends; b++)
			stage->place[stage->places++] =
				(struct model_place){stage->service[s]->backend[b].config.addr, stage->service[s], b};
	qsort(stage->place, count, sizeof(*stage->place), by_address);
	return 0;
}

int stage_make(struct stage *stage, struct model *model, const struct config *wanted, struct error *error)
{
	memset(stage, 0, sizeof(*stage));
	stage->wanted = wanted;
	stage->service = calloc(wanted->services + 1, sizeof(struct model_service *));
	stage->fresh = calloc(wanted->services + 1, sizeof(*stage->fresh));
	if (!stage->service || !stage->fresh || index_copy(&stage->used, &model->used, &model->limits))
		return out_of_memory(error);
	for (size_t i = 0; i < wanted->services; i++)
		if (stage_service(stage, model, &wanted->service[i], error))
			return -1;
	return check_vips(stage, model, error) ? -1 : stage_places(stage, error);
}

void stage_free_service(struct model_service *service)
{
	if (!service)
		return;
	free(service->config.listener);
	free(service->backend);
	free(service->own);
	free(service->table);
	free(service);
}

void stage_free(struct stage *stage)
{
	for (size_t i = 0; stage->service && i < stage->services; i++)
		if (stage->fresh[i])
			stage_free_service(stage->service[i]);
	free(stage->service);
	free(stage->fresh);
	free(stage->place);
	index_free(&stage->used);
	memset(stage, 0, sizeof(*stage));
}
