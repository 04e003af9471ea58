/* SPDX-License-Identifier: BSD-2-Clause */
/* Runtime changes as data, made by comparing what is wanted with the file. overlay_apply.c puts them onto a file, overlay_text.c keeps them. */
#include "overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void change_free(struct overlay_change *change)
{
	config_service_free(&change->file.own);
	config_service_free(&change->now.own);
}

void overlay_free(struct overlay *overlay)
{
	for (size_t i = 0; i < overlay->changes; i++)
		change_free(&overlay->change[i]);
	free(overlay->change);
	*overlay = (struct overlay){0};
}

/* A service's own words without the rest of it; service may be NULL. */
static int value_of_service(struct overlay_value *value, const struct config_service *service)
{
	struct config_service own;

	*value = (struct overlay_value){.present = service != NULL};
	if (!service)
		return 0;
	own = (struct config_service){.listener = service->listener, .listeners = service->listeners};
	config_service_take_words(&own, service);
	return config_service_copy(&value->own, &own);
}

static void value_of_backend(struct overlay_value *value, const struct config_backend *backend)
{
	*value = (struct overlay_value){.present = backend != NULL};
	if (backend)
		value->backend = *backend;
}

int overlay_add(struct overlay *overlay, const struct overlay_change *change)
{
	struct overlay_change *grown = realloc(overlay->change, (overlay->changes + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	overlay->change = grown;
	overlay->change[overlay->changes++] = *change;
	return 0;
}

void overlay_drop(struct overlay *overlay, const bool *dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < overlay->changes; i++) {
		if (dropped[i])
			change_free(&overlay->change[i]);
		else
			overlay->change[kept++] = overlay->change[i];
	}
	overlay->changes = kept;
}

const struct overlay_change *overlay_find(const struct overlay *overlay, const char *service,
					  const struct addr *backend)
{
	for (size_t i = 0; i < overlay->changes; i++)
		if (strcmp(overlay->change[i].service, service) == 0 &&
		    addr_compare(&overlay->change[i].backend, backend) == 0)
			return &overlay->change[i];
	return NULL;
}

/* ---- from a difference ---- */

static int add_service_change(struct overlay *overlay, const char *name, const struct config_service *file,
			      const struct config_service *now)
{
	struct overlay_change change = {.backend = {{0}}};

	memcpy(change.service, name, strlen(name) + 1);
	if (value_of_service(&change.file, file) < 0 || value_of_service(&change.now, now) < 0 ||
	    overlay_add(overlay, &change) < 0) {
		change_free(&change);
		return -ENOMEM;
	}
	return 0;
}

static int add_backend_change(struct overlay *overlay, const char *service, const struct addr *addr,
			      const struct config_backend *file, const struct config_backend *now)
{
	struct overlay_change change = {.backend = *addr};

	memcpy(change.service, service, strlen(service) + 1);
	value_of_backend(&change.file, file);
	value_of_backend(&change.now, now);
	return overlay_add(overlay, &change);
}

/*
 * config_backend and config_service for whole lists that are nearly alike: the search begins at *cursor, which is left behind what was found. So comparing
 * thousands takes no time that grows with their square.
 */
static struct config_backend *next_backend(const struct config_service *service, const struct addr *addr,
					   size_t *cursor)
{
	for (size_t n = 0; service && n < service->backends; n++) {
		size_t i = (*cursor + n) % service->backends;

		if (addr_compare(&service->backend[i].addr, addr) == 0) {
			*cursor = i + 1;
			return &service->backend[i];
		}
	}
	return NULL;
}

static struct config_service *next_service(const struct config *config, const char *name, size_t *cursor)
{
	for (size_t n = 0; n < config->services; n++) {
		size_t i = (*cursor + n) % config->services;

		if (strcmp(config->service[i].name, name) == 0) {
			*cursor = i + 1;
			return &config->service[i];
		}
	}
	return NULL;
}

/* The service as it is against the file's, which may be NULL. */
static int compare_service(struct overlay *overlay, const struct config_service *file, struct config_service *now)
{
	size_t in_file = 0, in_now = 0;

	now->runtime = !file || !config_service_same_words(file, now);
	if (now->runtime && add_service_change(overlay, now->name, file, now) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < now->backends; i++) {
		struct config_backend *backend = &now->backend[i];
		const struct config_backend *before = next_backend(file, &backend->addr, &in_file);

		backend->runtime = !before || !config_backend_same(before, backend);
		if (backend->runtime && add_backend_change(overlay, now->name, &backend->addr, before, backend) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; file && i < file->backends; i++) {
		const struct config_backend *before = &file->backend[i];

		if (!next_backend(now, &before->addr, &in_now) &&
		    add_backend_change(overlay, now->name, &before->addr, before, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Puts the element at `from` before the one at `to` (to <= from); `spare` holds one. */
static void move_up(void *array, size_t size, size_t from, size_t to, void *spare)
{
	char *base = array;

	memcpy(spare, base + from * size, size);
	memmove(base + (to + 1) * size, base + to * size, (from - to) * size);
	memcpy(base + to * size, spare, size);
}

/* What the file has comes first, in its order; the rest behind it as it is: so it will stand after the next start. */
static void order_backends(struct config_service *now, const struct config_service *file)
{
	struct config_backend spare;
	size_t next = 0, cursor = 0;

	for (size_t i = 0; i < file->backends; i++) {
		const struct config_backend *backend = next_backend(now, &file->backend[i].addr, &cursor);

		if (backend)
			move_up(now->backend, sizeof(spare), (size_t)(backend - now->backend), next++, &spare);
	}
}

static void order_services(struct config *wanted, const struct config *file)
{
	struct config_service spare;
	size_t next = 0, cursor = 0;

	for (size_t i = 0; i < file->services; i++) {
		struct config_service *service = next_service(wanted, file->service[i].name, &cursor);

		if (!service)
			continue;
		order_backends(service, &file->service[i]);
		move_up(wanted->service, sizeof(spare), (size_t)(service - wanted->service), next++, &spare);
	}
}

int overlay_make(struct overlay *overlay, const struct config *file, struct config *wanted)
{
	size_t in_file = 0, in_wanted = 0;
	int err = 0;

	overlay_free(overlay);
	order_services(wanted, file);
	for (size_t i = 0; !err && i < wanted->services; i++)
		err = compare_service(overlay, next_service(file, wanted->service[i].name, &in_file),
				      &wanted->service[i]);
	for (size_t i = 0; !err && i < file->services; i++)
		if (!next_service(wanted, file->service[i].name, &in_wanted))
			err = add_service_change(overlay, file->service[i].name, &file->service[i], NULL);
	if (err)
		overlay_free(overlay);
	return err;
}
