/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model -> maps: the observer functions. In: services and backends as the model has them. Out: the set's maps.
 *
 * What makes a change safe for packets in flight, and for whoever comes after an agent that is killed here:
 * - a table is complete before its service's word, and that before the listeners; the other way round when a service goes;
 * - a packet reads the way that a backend's `active` names: the other one is filled, then `active` turns; nothing is
 *   written to a way that a packet may still be reading, and nothing zeroed that a slot read earlier may still name;
 * - the ledger's digest is 0 from before the first slot is changed until after the last: only a whole table is adopted.
 */
#include <errno.h>
#include <string.h>

#include "../lib/log.h"
#include "../lib/loop.h"
#include "../model/listeners.h"
#include "../model/table.h"
#include "percpu.h"
#include "plane.h"
#include "state.h"
#include "store.h"

void plane_set_model(struct plane *plane, struct model *model)
{
	plane->model = model;
}

static void fail(struct plane *plane, const char *what, int err)
{
	log_error("%s: cannot be written to the maps: %s", what, strerror(-err));
	plane->failed = true;
}

bool plane_has_failed(const struct plane *plane)
{
	return plane->failed;
}

/* ---- backends ---- */

static void write_way(struct plane *plane, uint16_t index, const struct weir_way *way)
{
	struct weir_backend *backend = &set_backends(plane->set)[index];
	uint32_t active = backend->active & 1;

	if (!memcmp(&backend->way[active], way, sizeof(*way)))
		return;
	grace_wait(&plane->grace, plane->flipped_ns[index]);
	store_words(&backend->way[!active], way, sizeof(*way));
	__atomic_store_n(&backend->active, !active, __ATOMIC_RELEASE);
	plane->flipped_ns[index] = loop_now_ns();
}

static void clear_backend(struct plane *plane, uint32_t index)
{
	static const struct weir_backend_name no_name;
	struct weir_backend *backend = &set_backends(plane->set)[index];
	struct weir_backend image = {.generation = backend->generation};
	struct weir_backend_name *name = &set_backend_names(plane->set)[index];

	store_words(&name->service, &no_name.service, sizeof(uint64_t)); /* `used` is in this word */
	store_words(name, &no_name, sizeof(*name));
	store_words(backend, &image, sizeof(image));
	plane->flipped_ns[index] = 0;
}

static bool is_backend(const struct weir_backend_name *a, const struct weir_backend_name *b)
{
	return a->used && b->used && a->service == b->service && !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

/* The index comes to a backend that has not had it in this set. */
static void take_backend(struct plane *plane, uint16_t index)
{
	struct weir_backend *backend = &set_backends(plane->set)[index];
	int err = percpu_zero(plane->cpus, plane->set->fd[MAP_BACKEND_COUNTERS], index, 2);

	if (err)
		fail(plane, "a backend's counters", err);
	clear_backend(plane, index);
	__atomic_store_n(&backend->generation, backend->generation + 1, __ATOMIC_RELEASE);
}

static struct weir_backend_name name_of(const struct model_service *service, const struct model_backend *backend)
{
	struct weir_backend_name name = {
		.service = service->index,
		.used = 1,
		.role = (uint8_t)backend->role,
		.since_ns = backend->since_ns,
	};

	memcpy(&name.addr, &backend->config.addr, sizeof(name.addr));
	return name;
}

static void write_backend(struct plane *plane, const struct model_service *service, const struct model_backend *backend)
{
	struct weir_backend_name *name = &set_backend_names(plane->set)[backend->index];
	struct weir_backend_name wanted = name_of(service, backend);
	struct weir_way way = backend->way.image;
	bool known = backend->way.state != WAY_UNKNOWN;

	if (!is_backend(name, &wanted)) {
		take_backend(plane, backend->index);
		if (!known)
			known = adopt_find_way(&plane->old, backend->index, &wanted, &way);
	}
	if (known)
		write_way(plane, backend->index, &way);
	store_words(&name->since_ns, &wanted.since_ns, sizeof(wanted.since_ns));
	store_words(name, &wanted,
		    offsetof(struct weir_backend_name, since_ns)); /* the address, then the word with `used` */
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

static void write_slots(struct plane *plane, const struct model_service *service)
{
	union weir_slot *slot = &set_slots(plane->set)[service->slot_base];
	bool changed = false;

	for (uint32_t i = 0; i < service->config.slots; i++) {
		union weir_slot wanted = {.current = service->table[i]};

		if (slot[i].word == wanted.word)
			continue;
		if (!changed)
			store_digest(&set_service_names(plane->set)[service->index], 0);
		changed = true;
		__atomic_store_n(&slot[i].word, wanted.word, __ATOMIC_RELEASE);
	}
	if (changed)
		plane->slots_ns = loop_now_ns();
}

/* The slots that the set before held for the service, so that flows stay where they are. */
static void convert_slots(struct plane *plane, const struct model_service *service)
{
	union weir_slot *slot = &set_slots(plane->set)[service->slot_base];
	union weir_service word;

	if (!adopt_find_service(&plane->old, service->index, service->config.name, &word) ||
	    1u << word.slot_bits != service->config.slots)
		return;
	for (uint32_t i = 0; i < service->config.slots; i++) {
		union weir_slot old = plane->old.reader->slot(plane->old.set, word.slot_base + i);

		__atomic_store_n(&slot[i].word, old.word, __ATOMIC_RELEASE);
	}
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

/* The index comes to a service that has not had it in this set. */
static void take_service(struct plane *plane, const struct model_service *service)
{
	struct weir_service_name wanted = {.digest = 0};
	int err = percpu_zero(plane->cpus, plane->set->fd[MAP_SERVICE_COUNTERS], service->index, 2);

	if (err)
		fail(plane, "a service's counters", err);
	clear_service(plane, service->index);
	memcpy(wanted.name, service->config.name, sizeof(wanted.name));
	store_words_backwards(&set_service_names(plane->set)[service->index], &wanted, sizeof(wanted));
	if (!service->table)
		convert_slots(plane, service);
}

void plane_service_changed(void *arg, struct model_service *service)
{
	struct plane *plane = arg;
	struct weir_service_name *name = &set_service_names(plane->set)[service->index];

	for (size_t i = 0; i < service->backends; i++)
		write_backend(plane, service, &service->backend[i]);
	if (strcmp(name->name, service->config.name) != 0)
		take_service(plane, service);
	if (!service->table && table_adopt(plane->model, service, &set_slots(plane->set)[service->slot_base]))
		log_warn("service %s: the table in the maps names backends that are not its own: built anew",
			 service->config.name);
	if (!service->table) {
		fail(plane, service->config.name, -ENOMEM);
		return;
	}
	write_slots(plane, service);
	write_word(plane, service);
	store_words(&name->slots_moved, &service->slots_moved, sizeof(name->slots_moved));
	store_digest(name, service->digest);
}

void plane_way_changed(void *arg, struct model_service *service, struct model_backend *backend)
{
	struct plane *plane = arg;

	if (backend->way.state == WAY_UNKNOWN)
		return;
	write_way(plane, backend->index, &backend->way.image);
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
		fail(plane, addr_format(addr, text), err);
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
	static const union weir_slot no_slot;
	struct plane *plane = arg;
	const struct weir_backend_name *backend = set_backend_names(plane->set);
	union weir_slot *slot = &set_slots(plane->set)[service->slot_base];

	if (strcmp(set_service_names(plane->set)[service->index].name, service->config.name) != 0)
		return; /* a service of the set before that never came to this one */
	take_out_vips(plane, service->index);
	grace_wait(&plane->grace, plane->vips.freed_ns);
	for (uint32_t i = 1; i < plane->set->entries[MAP_BACKENDS]; i++)
		if (backend[i].used && backend[i].service == service->index)
			clear_backend(plane, i);
	clear_service(plane, service->index);
	for (uint32_t i = 0; i < service->config.slots; i++)
		store_words(&slot[i], &no_slot, sizeof(no_slot));
}

void plane_backend_removed(void *arg, struct model_service *service, struct model_backend *backend)
{
	struct plane *plane = arg;
	const struct weir_backend_name *name = &set_backend_names(plane->set)[backend->index];
	struct weir_backend_name gone = name_of(service, backend);

	if (!is_backend(name, &gone))
		return;
	grace_wait(&plane->grace, plane->slots_ns);
	clear_backend(plane, backend->index);
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
			clear_backend(plane, i);
	if (plane->failed && !plane->in_force)
		return error_set(error, ERROR_REFUSED, "%s: the maps could not be filled: see the log", set->path);
	return 0;
}
