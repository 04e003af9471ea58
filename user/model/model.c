/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model's life: restored from the pinned maps, changed by a config or by ways, telling its observer what to write. What can fail is done in
 * stage.c beforehand; a commit cannot fail.
 */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "stage.h"
#include "tell.h"

int model_init(struct model *model, const struct config_limits *limits, const char *hash_seed,
	       const struct model_observer *observer)
{
	memset(model, 0, sizeof(*model));
	model->limits = *limits;
	model->observer = *observer;
	snprintf(model->hash_seed, sizeof(model->hash_seed), "%s", hash_seed);
	return index_init(&model->used, limits);
}

static void forget_restored(struct model *model)
{
	free(model->restored_service);
	free(model->restored_backend);
	model->restored_service = NULL;
	model->restored_backend = NULL;
	model->restored_services = model->restored_backends = 0;
}

void model_free(struct model *model)
{
	for (size_t i = 0; i < model->services; i++)
		stage_free_service(model->service[i]);
	free(model->service);
	free(model->place);
	forget_restored(model);
	index_free(&model->used);
	memset(model, 0, sizeof(*model));
}

int model_restore_service(struct model *model, const struct model_restored_service *service)
{
	struct model_restored_service *grown;

	if (service->index >= model->limits.services)
		return -ERANGE;
	if (model->used.service[service->index])
		return -EEXIST;
	grown = realloc(model->restored_service, (model->restored_services + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	model->restored_service = grown;
	if (index_mark_slots(&model->used, &model->limits, service->slot_base, service->slots, true))
		return -ERANGE;
	model->used.service[service->index] = 1;
	grown[model->restored_services++] = *service;
	return 0;
}

int model_restore_backend(struct model *model, const struct model_restored_backend *backend)
{
	struct model_restored_backend *grown;

	if (backend->index > model->limits.backends)
		return -ERANGE;
	if (model->used.backend[backend->index])
		return -EEXIST;
	grown = realloc(model->restored_backend, (model->restored_backends + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	model->restored_backend = grown;
	model->used.backend[backend->index] = 1;
	grown[model->restored_backends++] = *backend;
	return 0;
}

/* ---- committing a stage ---- */

static bool restored_has(const struct model *model, const struct model_service *service)
{
	for (size_t i = 0; i < model->restored_services; i++)
		if (model->restored_service[i].index == service->index)
			return true;
	return false;
}

/* Was it there all the time? Then only what the config no longer names is news. */
static void tell_restored(const struct model *model, const struct model_service *service)
{
	for (size_t i = model_wanted_backends(service); i < service->backends; i++) {
		const struct model_backend *backend = &service->backend[i];
		struct model_backend before = *backend;

		before.role = stage_restored_backend(model, service->index, &backend->config.addr)->role;
		tell_backend(model, service, backend, &before);
	}
}

static void commit_service(struct model *model, struct model_service *service, const struct model_service *old)
{
	bool restored = !old && restored_has(model, service);

	if (!old && !restored)
		tell_service(model, service, "added");
	model->observer.service_changed(model->observer.arg, service);
	if (restored) {
		tell_restored(model, service);
		return;
	}
	for (size_t i = 0; i < service->backends; i++)
		tell_backend(model, service, &service->backend[i],
			     old ? model_backend(old, &service->backend[i].config.addr) : NULL);
}

static void commit_vips(const struct model *model, const struct model_service *service)
{
	for (size_t l = 0; l < service->config.listeners; l++) {
		bool done = false;

		for (size_t k = 0; k < l && !done; k++)
			done = !addr_compare(&service->config.listener[k].vip, &service->config.listener[l].vip);
		if (!done)
			model->observer.vip_changed(model->observer.arg, &service->config.listener[l].vip);
	}
}

static void release_service(struct model *model, struct model_service *service)
{
	tell_service(model, service, "removed");
	model->observer.service_removed(model->observer.arg, service);
	model->used.service[service->index] = 0;
	(void)index_mark_slots(&model->used, &model->limits, service->slot_base, service->config.slots, false);
	for (size_t i = 0; i < service->backends; i++)
		model->used.backend[service->backend[i].index] = 0;
}

static void release_backend(struct model *model, struct model_service *service, struct model_backend *backend)
{
	tell_backend_removed(model, service, backend);
	model->observer.backend_removed(model->observer.arg, service, backend);
	model->used.backend[backend->index] = 0;
}

/* The backend at this position goes, those behind it move up. */
static void forget_place(struct model *model, const struct model_service *service, size_t backend)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->places; i++) {
		struct model_place place = model->place[i];

		if (place.service == service && place.backend == backend)
			continue;
		if (place.service == service && place.backend > backend)
			place.backend--;
		model->place[kept++] = place;
	}
	model->places = kept;
}

void model_set_drained(struct model *model, struct model_service *service, struct model_backend *backend)
{
	struct model_backend gone = *backend;
	size_t position = (size_t)(backend - service->backend);

	if (!backend_is_draining(backend))
		return;
	service->dirty = true;
	if (backend->role == ROLE_DRAINING) {
		backend->drained = true;
		return;
	}
	service->backends--;
	memmove(backend, backend + 1, (service->backends - position) * sizeof(*backend));
	forget_place(model, service, position);
	release_backend(model, service, &gone);
}

/* What the service was, where it went: removed, or replaced by `now`. */
static void retire(struct model *model, struct model_service *old, struct model_service *now)
{
	if (!now) {
		release_service(model, old);
	} else {
		for (size_t i = 0; i < old->backends; i++)
			if (!model_backend(now, &old->backend[i].config.addr))
				release_backend(model, now, &old->backend[i]);
	}
	stage_free_service(old);
}

/* Restored services and backends that the config does not name: stand-ins go the way of removed ones. */
static void retire_restored_backend(struct model *model, const struct model_restored_backend *restored)
{
	struct model_backend backend = {.config.addr = restored->addr, .index = restored->index};

	for (size_t s = 0; s < model->services; s++) {
		struct model_service *service = model->service[s];

		if (service->index != restored->service_index)
			continue;
		for (size_t i = 0; i < service->backends; i++)
			if (service->backend[i].index == restored->index)
				return;
		release_backend(model, service, &backend);
		return;
	}
}

static void retire_restored_service(struct model *model, const struct model_restored_service *restored)
{
	struct model_service service = {.index = restored->index, .slot_base = restored->slot_base};
	size_t count = 0;

	for (size_t s = 0; s < model->services; s++)
		if (model->service[s]->index == restored->index)
			return;
	snprintf(service.config.name, sizeof(service.config.name), "%s", restored->name);
	service.config.slots = restored->slots;
	service.backend = calloc(model->restored_backends + 1, sizeof(*service.backend));
	for (size_t i = 0; service.backend && i < model->restored_backends; i++) {
		if (model->restored_backend[i].service_index == restored->index) {
			service.backend[count].config.addr = model->restored_backend[i].addr;
			service.backend[count++].index = model->restored_backend[i].index;
		}
	}
	service.backends = count;
	release_service(model, &service);
	free(service.backend);
}

static void retire_restored(struct model *model)
{
	for (size_t i = 0; i < model->restored_backends; i++)
		retire_restored_backend(model, &model->restored_backend[i]);
	for (size_t i = 0; i < model->restored_services; i++)
		retire_restored_service(model, &model->restored_service[i]);
	forget_restored(model);
}

static void swap_in(struct model *model, struct stage *stage)
{
	struct model_indexes used = model->used;
	struct model_service **service = model->service;
	size_t services = model->services;

	free(model->place);
	model->place = stage->place;
	model->places = stage->places;
	stage->place = NULL;
	model->used = stage->used;
	model->service = stage->service;
	model->services = stage->services;
	stage->used = used;
	stage->service = service; /* those of before: freed one by one as they are retired */
	stage->services = services;
	model->generation++;
}

static void commit(struct model *model, struct stage *stage)
{
	struct model_service **old;
	size_t olds;

	swap_in(model, stage);
	old = stage->service;
	olds = stage->services;
	for (size_t i = 0; i < model->services; i++) {
		const struct model_service *before = NULL;

		for (size_t k = 0; k < olds && !before; k++)
			if (!strcmp(old[k]->config.name, model->service[i]->config.name))
				before = old[k];
		if (stage->fresh[i])
			commit_service(model, model->service[i], before);
	}
	for (size_t i = 0; i < model->services; i++)
		if (stage->fresh[i])
			commit_vips(model, model->service[i]);
	for (size_t k = 0; k < olds; k++) {
		struct model_service *now = model_service(model, old[k]->config.name);

		if (now == old[k])
			continue;
		commit_vips(model, old[k]);
		retire(model, old[k], now);
	}
	retire_restored(model);
	free(old);
	stage->service = NULL;
	stage->services = 0;
}

int model_apply(struct model *model, const struct config *wanted, struct error *error)
{
	struct stage stage;
	int err = stage_make(&stage, model, wanted, error);

	if (!err)
		commit(model, &stage);
	stage_free(&stage);
	return err;
}
