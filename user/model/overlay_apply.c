/* SPDX-License-Identifier: BSD-2-Clause */
/* Runtime changes onto a file's config: those that still hold, or fewer when some are taken back. See overlay.h for the rule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/words.h"
#include "overlay.h"

static bool about_service(const struct overlay_change *change)
{
	return addr_is_none(&change->backend);
}

static int apply_own_words(struct config *wanted, const struct overlay_change *change)
{
	struct config_service *service = config_service(wanted, change->service), own;
	int err;

	if (config_service_copy(&own, &change->now.own) < 0)
		return -ENOMEM;
	own.runtime = true;
	if (!service) {
		memcpy(own.name, change->service, sizeof(own.name));
		err = config_add_service(wanted, &own);
		config_service_free(&own);
		return err;
	}
	free(service->listener);
	service->listener = own.listener;
	service->listeners = own.listeners;
	config_service_take_words(service, &own);
	service->runtime = true;
	return 0;
}

static int apply_backend(struct config *wanted, const struct overlay_change *change)
{
	struct config_service *service = config_service(wanted, change->service);
	struct config_backend *backend, now = change->now.backend;

	if (!service)
		return 0;
	if (!change->now.present) {
		config_remove_backend(service, &change->backend);
		config_add_gone(wanted, change->service, &change->backend);
		return 0;
	}
	now.runtime = true;
	backend = config_backend(service, &change->backend);
	if (!backend)
		return config_add_backend(service, &now);
	now.place = backend->place;
	*backend = now;
	return 0;
}

static int apply_change(struct config *wanted, const struct overlay_change *change)
{
	if (!about_service(change))
		return apply_backend(wanted, change);
	if (change->now.present)
		return apply_own_words(wanted, change);
	config_remove_service(wanted, change->service);
	return 0;
}

/* All changes that are not dropped: services first, so that their backends find them. */
static int apply_all(const struct overlay *overlay, const bool *dropped, const struct config *file,
		     struct config *wanted)
{
	if (config_copy(wanted, file) < 0)
		return -ENOMEM;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < overlay->changes; i++) {
			const struct overlay_change *change = &overlay->change[i];

			if (dropped[i] || about_service(change) != (pass == 0))
				continue;
			if (apply_change(wanted, change) < 0) {
				config_free(wanted);
				return -ENOMEM;
			}
		}
	}
	return 0;
}

static void note(struct buf *notes, const struct overlay_change *change, const char *why)
{
	char addr[ADDR_TEXT];

	if (about_service(change))
		buf_printf(notes, "service \"%s\": ", change->service);
	else
		buf_printf(notes, "backend %s of \"%s\": ", addr_format(&change->backend, addr), change->service);
	buf_printf(notes, "%s; the change made by command is dropped\n", why);
}

/* Does the value say what the file says of the object? */
static bool says(const struct overlay_value *value, const struct overlay_change *change,
		 const struct config_service *service)
{
	const struct config_backend *backend;

	if (about_service(change))
		return value->present ? service && config_service_same_words(service, &value->own) : !service;
	backend = service ? config_backend(service, &change->backend) : NULL;
	return value->present ? backend && config_backend_same(backend, &value->backend) : !backend;
}

static bool service_stays(const struct overlay *overlay, const bool *dropped, const struct overlay_change *change,
			  const struct config *file)
{
	for (size_t i = 0; i < overlay->changes; i++)
		if (!dropped[i] && about_service(&overlay->change[i]) &&
		    strcmp(overlay->change[i].service, change->service) == 0)
			return overlay->change[i].now.present;
	return config_service(file, change->service) != NULL;
}

/* Changes that the file has overruled, caught up with, or left without their service. */
static void drop_outdated(const struct overlay *overlay, bool *dropped, const struct config *file, struct buf *notes)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < overlay->changes; i++) {
			const struct overlay_change *change = &overlay->change[i];
			const struct config_service *service = config_service(file, change->service);

			if (about_service(change) != (pass == 0))
				continue;
			dropped[i] = true;
			if (says(&change->now, change, service))
				continue;
			if (!says(&change->file, change, service))
				note(notes, change, "its text in the file has changed: the file wins");
			else if (pass == 1 && !service_stays(overlay, dropped, change, file))
				note(notes, change, "the service is gone");
			else
				dropped[i] = false;
		}
	}
}

/* The rules between objects, over what is not dropped: *wanted is made anew; returns whether they hold, error says what does not. -ENOMEM. */
static int try(const struct overlay *overlay, const bool *dropped, const struct config *file, struct config *wanted,
	       struct error *error)
{
	struct errors errors = {0};
	int good;

	if (apply_all(overlay, dropped, file, wanted) < 0)
		return -ENOMEM;
	good = config_check(wanted, &errors) == 0;
	errors_first(&errors, error);
	errors_free(&errors);
	return good;
}

/* The new file and the changes do not fit together: lets them in one after the other and drops those that cannot stay. */
static int drop_unfit(const struct overlay *overlay, bool *dropped, const struct config *file, struct config *wanted,
		      struct buf *notes)
{
	bool *admitted = calloc(overlay->changes, sizeof(*admitted));
	int good = admitted ? 1 : -ENOMEM;

	for (size_t i = 0; admitted && i < overlay->changes; i++)
		admitted[i] = true; /* as a list of the dropped: none is in yet */
	for (int pass = 0; pass < 2 && good >= 0; pass++) {
		for (size_t i = 0; i < overlay->changes && good >= 0; i++) {
			struct error error = {0};

			if (dropped[i] || about_service(&overlay->change[i]) != (pass == 0))
				continue;
			if (pass == 1 && !service_stays(overlay, dropped, &overlay->change[i], file)) {
				dropped[i] = true;
				note(notes, &overlay->change[i], "the service is gone");
				continue;
			}
			admitted[i] = false;
			good = try(overlay, admitted, file, wanted, &error);
			if (good >= 0)
				config_free(wanted);
			if (good != 0)
				continue;
			admitted[i] = dropped[i] = true;
			note(notes, &overlay->change[i], error.text);
		}
	}
	free(admitted);
	return good < 0 ? good : apply_all(overlay, dropped, file, wanted);
}

int overlay_apply(struct overlay *overlay, const struct config *file, struct config *wanted, struct buf *notes)
{
	bool *dropped = calloc(overlay->changes + 1, sizeof(*dropped));
	int good;

	*wanted = (struct config){0};
	if (!dropped)
		return -ENOMEM;
	drop_outdated(overlay, dropped, file, notes);
	good = try(overlay, dropped, file, wanted, NULL);
	if (good == 0) {
		config_free(wanted);
		good = drop_unfit(overlay, dropped, file, wanted, notes);
	}
	if (good >= 0)
		overlay_drop(overlay, dropped);
	free(dropped);
	return good < 0 ? good : 0;
}

/* ---- taken back ---- */

static int no_such_service(const struct overlay *overlay, const struct config *file, const char *service,
			   struct error *error)
{
	const char **name = calloc(overlay->changes + file->services + 1, sizeof(*name)), *nearest;
	size_t names = 0;

	for (size_t i = 0; name && i < overlay->changes; i++)
		name[names++] = overlay->change[i].service;
	for (size_t i = 0; name && i < file->services; i++)
		name[names++] = file->service[i].name;
	nearest = words_nearest(service, name, names);
	error_set(error, ERROR_NO_SUCH, "service \"%s\": no such service%s%s%s", service,
		  nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
	free(name);
	return -1;
}

/* Does file or overlay know what is to be reverted, and can it be reverted alone? */
static int check_revert(const struct overlay *overlay, const struct config *file, const char *service,
			const struct addr *addr, struct error *error)
{
	static const struct addr none;
	const struct overlay_change *own = overlay_find(overlay, service, &none);
	const struct config_service *known = config_service(file, service);
	char text[ADDR_TEXT];

	if (!known && !own)
		return no_such_service(overlay, file, service, error);
	if (!addr)
		return 0;
	if (own && !own->now.present)
		return error_set(error, ERROR_REFUSED,
				 "service \"%s\": has been removed by a command: revert the service", service);
	if (!overlay_find(overlay, service, addr) && !(known && config_backend(known, addr)))
		return error_set(error, ERROR_NO_SUCH, "backend %s of \"%s\": no such backend", addr_format(addr, text),
				 service);
	return 0;
}

int overlay_revert(struct overlay *overlay, const struct config *file, const char *service, const struct addr *addr,
		   struct config *wanted, size_t *reverted, struct error *error)
{
	struct error conflict = {0};
	bool *dropped;
	int good;

	*wanted = (struct config){0};
	*reverted = 0;
	if (service && check_revert(overlay, file, service, addr, error) < 0)
		return -1;
	dropped = calloc(overlay->changes + 1, sizeof(*dropped));
	if (!dropped)
		return error_set(error, ERROR_REFUSED, "out of memory");
	for (size_t i = 0; i < overlay->changes; i++) {
		const struct overlay_change *change = &overlay->change[i];

		dropped[i] = (!service || strcmp(change->service, service) == 0) &&
			     (!addr || addr_compare(&change->backend, addr) == 0);
		*reverted += dropped[i];
	}
	good = try(overlay, dropped, file, wanted, &conflict);
	if (good == 1)
		overlay_drop(overlay, dropped);
	else if (good == 0)
		config_free(wanted);
	free(dropped);
	if (good == 1)
		return 0;
	return error_set(error, ERROR_REFUSED, "%s%s", good ? "out of memory" : "revert: ", good ? "" : conflict.text);
}
