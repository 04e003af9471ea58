/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model -> maps: the observer functions. In: services and backends as the model has them. Out: the set's maps.
 *
 * What makes a change safe for packets in flight, and for whoever comes after an agent that is killed here:
 * - a table is complete before its service's word, and that before the listeners; the other way round when a service goes;
 * - what a backend is for new and old flows is written before the slots turn by it (backend.c, turns.c); nothing is zeroed
 *   that a slot read earlier may still name;
 * - the ledger's digest is 0 from before the first slot is changed until after the last: only a whole table is adopted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/log.h"
#include "../lib/loop.h"
#include "../model/listeners.h"
#include "../model/table.h"
#include "backend.h"
#include "percpu.h"
#include "plane.h"
#include "state.h"
#include "store.h"

void plane_set_model(struct plane *plane, struct model *model)
{
	plane->model = model;
}

void sync_failed(struct plane *plane, const char *what, int err)
{
	log_error("%s: cannot be written to the maps: %s", what, strerror(-err));
	plane->failed = true;
}

bool plane_has_failed(const struct plane *plane)
{
	return plane->failed;
}

/* ---- services ---- */

static bool is_local(const struct plane *plane, const struct model_service *service)
{
	for (size_t i = 0; i < service->backends; i++) {
		const struct weir_backend *backend = &set_backends(plane->set)[service->backend[i].index];

		if (service->backend[i].role != ROLE_DISABLED &&
		    backend->way[backend->active & 1].flags & WEIR_WAY_LOCAL)
			return true;
	}
	return false;
}

static void write_word(struct plane *plane, const struct model_service *service)
{
	union weir_service word = {
		.slot_base = service->slot_base,
		.slot_bits = (uint8_t)__builtin_ctz(service->config.slots),
		.forward = (uint8_t)service->config.forward,
		.affinity = (uint8_t)service->config.affinity,
		.flags = is_local(plane, service) ? WEIR_SERVICE_LOCAL : 0,
	};

	store_words(&set_services(plane->set)[service->index], &word, sizeof(word));
}

static void store_digest(struct weir_service_name *name, uint64_t digest)
{
	store_words(&name->digest, &digest, sizeof(digest));
}

/* 0, or -ENOMEM: then they are as before. */
static int write_slots(struct plane *plane, const struct model_service *service, bool unseen)
{
	int err = 0;

	if (!unseen && !turns_differ(&plane->turns, service)) /* unseen: what lies there, nobody has written for it */
		return 0;
	store_digest(&set_service_names(plane->set)[service->index], 0);
	if (unseen || service->config.affinity == WEIR_AFFINITY_NONE) /* no flow is kept anywhere */
		turns_set(&plane->turns, service);
	else
		err = turns_move(&plane->turns, service, turns_clock(loop_now_ns()));
	plane->slots_ns = loop_now_ns();
	return err;
}

/* A new set that takes over: the slots as they are in the one before, so that flows stay where they are. False: it does not have them. */
static bool convert_slots(struct plane *plane, const struct model_service *service)
{
	union weir_slot *slot = &set_slots(plane->set)[service->slot_base];
	const struct weir_backend_name *name = set_backend_names(plane->set);
	union weir_service word;
	struct weir_backend backend;
	uint16_t *moved;
	int from = -1;

	if (plane->set_is_new && plane->old.set)
		from = adopt_find_service(&plane->old, service->index, service->config.name, &word);
	if (from < 0 || 1u << word.slot_bits != service->config.slots)
		return false;
	moved = calloc(UINT16_MAX + 1, sizeof(*moved)); /* old index -> new one */
	for (size_t i = 0; moved && i < service->backends; i++) {
		uint16_t index = service->backend[i].index;

		moved[adopt_find_backend(&plane->old, from, index, &name[index].addr, &backend)] = index;
	}
	for (uint32_t i = 0; moved && i < service->config.slots; i++) {
		union weir_slot image = plane->old.reader->slot(plane->old.set, word.slot_base + i);

		image.current = image.current ? moved[image.current] : WEIR_BACKEND_NONE;
		image.previous = image.previous ? moved[image.previous] : WEIR_BACKEND_NONE;
		image.previous_udp = image.previous_udp ? moved[image.previous_udp] : WEIR_BACKEND_NONE;
		__atomic_store_n(&slot[i].word, image.word, __ATOMIC_RELEASE);
	}
	free(moved);
	return true;
}

static void clear_service(struct plane *plane, uint32_t index)
{
	static const struct weir_service_name no_name;
	static const union weir_service no_service;
	struct weir_service_name *name = &set_service_names(plane->set)[index];

	store_digest(name, 0);
	store_words(&set_services(plane->set)[index], &no_service, sizeof(no_service));
	store_words(name, &no_name, sizeof(*name)); /* from its first byte on: empty at once */
}

/* The index comes to a service that has not had it in this set. True if its slots come from the set before. */
static bool take_service(struct plane *plane, const struct model_service *service)
{
	struct weir_service_name wanted = {.digest = 0};
	int err = percpu_zero(plane->cpus, plane->set->fd[MAP_SERVICE_COUNTERS], service->index, 2);

	if (err)
		sync_failed(plane, "a service's counters", err);
	clear_service(plane, service->index);
	memcpy(wanted.name, service->config.name, sizeof(wanted.name));
	store_words_backwards(&set_service_names(plane->set)[service->index], &wanted, sizeof(wanted));
	turns_close(&plane->turns, service->index);
	return convert_slots(plane, service);
}

/* What packets see of the backends; the slots are told of those that have stopped serving. */
static int write_backends(struct plane *plane, const struct model_service *service)
{
	uint32_t now = turns_clock(loop_now_ns());
	bool *stopped = calloc(service->backends + 1, sizeof(*stopped));

	if (!stopped)
		return -ENOMEM;
	for (size_t i = 0; i < service->backends; i++)
		stopped[i] = backend_write(plane, service, &service->backend[i]);
	for (size_t i = 0; i < service->backends; i++)
		if (stopped[i]) {
			turns_stop(&plane->turns, service->index, service->backend[i].index, now);
			plane->slots_ns = loop_now_ns();
		}
	free(stopped);
	return 0;
}

/* Backends and slots; before that, what the maps hold of the service comes to be known. 0 or -ENOMEM. */
static int write_service(struct plane *plane, struct model_service *service)
{
	struct weir_service_name *name = &set_service_names(plane->set)[service->index];
	bool unseen = !set_services(plane->set)[service->index].word; /* no packet looks at its slots */
	int err = write_backends(plane, service);

	if (!err && strcmp(name->name, service->config.name) != 0)
		unseen = !take_service(plane, service);
	if (err)
		return err;
	if (!service->table && table_adopt(plane->model, service, &set_slots(plane->set)[service->slot_base]))
		log_warn("service %s: the table in the maps names backends that are not its own: built anew",
			 service->config.name);
	if (service->table)
		err = turns_open(&plane->turns, plane->set, service, turns_clock(loop_now_ns()));
	else
		err = -ENOMEM;
	return err ? err : write_slots(plane, service, unseen);
}

void plane_service_changed(void *arg, struct model_service *service)
{
	struct plane *plane = arg;
	struct weir_service_name *name = &set_service_names(plane->set)[service->index];
	int err = write_service(plane, service);

	if (err) {
		sync_failed(plane, service->config.name, err);
		return;
	}
	write_word(plane, service);
	store_words(&name->slots_moved, &service->slots_moved, sizeof(name->slots_moved));
	store_digest(name, service->digest);
}

void plane_way_changed(void *arg, struct model_service *service, struct model_backend *backend)
{
	struct plane *plane = arg;

	if (backend->way.state == WAY_UNKNOWN)
		return;
	backend_write_way(plane, backend->index, &backend->way.image);
	write_word(plane, service); /* the backend may have become, or ceased to be, this machine */
}

void plane_vip_changed(void *arg, const struct addr *addr)
{
	struct plane *plane = arg;
	struct weir_listener listener[WEIR_LISTENERS_MAX];
	const struct vip *vip = vips_find(&plane->vips, addr);
	int listeners = listeners_flatten(plane->model, addr, NULL, listener);
	char text[ADDR_TEXT];
	int err = listeners < 0 ? listeners
				: vips_set(&plane->vips, addr, vip ? vip->flags : 0, listener, (uint16_t)listeners);

	if (err)
		sync_failed(plane, addr_format(addr, text), err);
}

/* ---- what goes ---- */

static bool names_service(const struct vip *vip, uint32_t index)
{
	for (uint16_t i = 0; i < vip->listeners; i++)
		if (vip->listener[i].service == index)
			return true;
	return false;
}

/* A service of before a restart that no config names has addresses that only the maps know. */
static void take_out_vips(struct plane *plane, uint32_t index)
{
	for (size_t i = plane->vips.count;
	     i-- > 0;) { /* from behind: an entry that goes leaves its place to the last one */
		struct addr addr = plane->vips.vip[i].addr;

		if (names_service(&plane->vips.vip[i], index))
			plane_vip_changed(plane, &addr);
	}
}

void plane_service_removed(void *arg, struct model_service *service)
{
	struct plane *plane = arg;
	const struct weir_backend_name *backend = set_backend_names(plane->set);

	if (strcmp(set_service_names(plane->set)[service->index].name, service->config.name) != 0)
		return; /* a service of the set before that never came to this one */
	take_out_vips(plane, service->index);
	grace_wait(&plane->grace, plane->vips.freed_ns);
	for (uint32_t i = 1; i < plane->set->entries[MAP_BACKENDS]; i++)
		if (backend[i].used && backend[i].service == service->index)
			backend_clear(plane, (uint16_t)i);
	clear_service(plane, service->index);
	turns_clear(plane->set, service);
	turns_close(&plane->turns, service->index);
}

/* It has no flows any more, or loses them now. */
void plane_backend_removed(void *arg, struct model_service *service, struct model_backend *backend)
{
	struct plane *plane = arg;

	if (!backend_is_written(plane, service, backend))
		return;
	if (backend_stop(plane, backend->index)) {
		turns_stop(&plane->turns, service->index, backend->index, turns_clock(loop_now_ns()));
		plane->slots_ns = loop_now_ns();
	}
	grace_wait(&plane->grace, plane->slots_ns);
	backend_clear(plane, backend->index);
}

/*
 * What an agent left that was killed in the middle of something: addresses, services and backends that the model does not
 * know. Packets are let go of each before it is cleared.
 */
int sync_complete(struct plane *plane, struct error *error)
{
	const struct set *set = plane->set;
	const struct model_indexes *used = &plane->model->used;

	for (size_t i = plane->vips.count; i-- > 0;) {
		struct addr addr = plane->vips.vip[i].addr;

		plane_vip_changed(plane, &addr);
	}
	grace_wait(&plane->grace, plane->vips.freed_ns);
	for (uint32_t i = 0; i < set->entries[MAP_SERVICES]; i++)
		if (!used->service[i])
			clear_service(plane, i);
	for (uint32_t i = 1; i < set->entries[MAP_BACKENDS]; i++)
		if (!used->backend[i])
			backend_clear(plane, (uint16_t)i);
	if (plane->failed && !plane->in_force)
		return error_set(error, ERROR_REFUSED, "%s: the maps could not be filled: see the log", set->path);
	return 0;
}
