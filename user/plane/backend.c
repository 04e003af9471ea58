/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes elements of `backends` and `backend_names`. In: from sync.c. A packet reads the way that `active` names: the other
 * one is filled, then `active` turns. Generation and flags are one store: a pin is never held against one without the other.
 */
#include "backend.h"

#include <string.h>

#include "../lib/loop.h"
#include "percpu.h"
#include "store.h"

/* ---- the way ---- */

void backend_write_way(struct plane *plane, uint16_t index, const struct weir_way *way)
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

/* ---- the role ---- */

static uint16_t flags_of(enum slots_role role)
{
	return (uint16_t)((role >= SLOTS_DOWN ? WEIR_BACKEND_SERVES : 0) |
			  (role >= SLOTS_DRAINING ? WEIR_BACKEND_ANSWERS : 0) |
			  (role == SLOTS_UP ? WEIR_BACKEND_OPEN : 0));
}

static void store_role(struct plane *plane, uint16_t index, uint16_t generation, enum slots_role role)
{
	struct weir_backend *backend = &set_backends(plane->set)[index];
	struct weir_backend image = {.active = backend->active, .generation = generation, .flags = flags_of(role)};

	_Static_assert(offsetof(struct weir_backend, way) == sizeof(uint64_t), "one word: active, generation, flags");
	store_words(backend, &image, sizeof(uint64_t));
	plane->turns.role[index] = (uint8_t)role;
}

/* True if it has stopped serving. */
static bool write_role(struct plane *plane, uint16_t index, enum slots_role role)
{
	enum slots_role before = plane->turns.role[index];
	uint16_t generation = set_backends(plane->set)[index].generation;

	if (before == SLOTS_GONE && role != SLOTS_GONE)
		generation++;
	store_role(plane, index, generation, role);
	return before != SLOTS_GONE && role == SLOTS_GONE;
}

bool backend_stop(struct plane *plane, uint16_t index)
{
	return write_role(plane, index, SLOTS_GONE);
}

/* ---- the element ---- */

void backend_clear(struct plane *plane, uint16_t index)
{
	static const struct weir_backend_name no_name;
	struct weir_backend *backend = &set_backends(plane->set)[index];
	struct weir_backend image = {.generation = backend->generation};
	struct weir_backend_name *name = &set_backend_names(plane->set)[index];

	store_words(&name->service, &no_name.service, sizeof(uint64_t)); /* `used` is in this word */
	store_words(name, &no_name, sizeof(*name));
	store_words(backend, &image, sizeof(image));
	plane->turns.role[index] = SLOTS_GONE;
	plane->flipped_ns[index] = 0;
	turns_forget_backend(&plane->turns, index);
	scan_forget_backend(&plane->scan, index);
}

static bool is_backend(const struct weir_backend_name *a, const struct weir_backend_name *b)
{
	return a->used && b->used && a->service == b->service && !memcmp(&a->addr, &b->addr, sizeof(a->addr));
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

bool backend_is_written(const struct plane *plane, const struct model_service *service,
			const struct model_backend *backend)
{
	struct weir_backend_name name = name_of(service, backend);

	return is_backend(&set_backend_names(plane->set)[backend->index], &name);
}

/* The index comes to a backend that has not had it in this set. */
static void take(struct plane *plane, uint16_t index)
{
	int err = percpu_zero(plane->cpus, plane->set->fd[MAP_BACKEND_COUNTERS], index, 2);

	if (err)
		sync_failed(plane, "a backend's counters", err);
	backend_clear(plane, index);
}

/* A set that takes over: the backend goes on as what it is in the one before, so that its pins hold here too. */
static void take_over(struct plane *plane, const struct model_service *service, const struct model_backend *backend)
{
	struct weir_backend_name name = name_of(service, backend);
	union weir_service word;
	struct weir_backend old;
	int from;

	if (!plane->set_is_new || !plane->old.set)
		return;
	from = adopt_find_service(&plane->old, service->index, service->config.name, &word);
	if (adopt_find_backend(&plane->old, from, backend->index, &name.addr, &old) == WEIR_BACKEND_NONE)
		return;
	store_role(plane, backend->index, old.generation, turns_role_of(old.flags));
	if (backend->way.state == WAY_UNKNOWN)
		backend_write_way(plane, backend->index, &old.way[old.active & 1]);
}

bool backend_write(struct plane *plane, const struct model_service *service, const struct model_backend *backend)
{
	struct weir_backend_name *name = &set_backend_names(plane->set)[backend->index];
	struct weir_backend_name wanted = name_of(service, backend);
	bool stops;

	if (!is_backend(name, &wanted)) {
		take(plane, backend->index);
		take_over(plane, service, backend);
	}
	if (backend->way.state != WAY_UNKNOWN)
		backend_write_way(plane, backend->index, &backend->way.image);
	stops = write_role(plane, backend->index, model_slots_role(service, backend));
	store_words(&name->since_ns, &wanted.since_ns, sizeof(wanted.since_ns));
	store_words(name, &wanted,
		    offsetof(struct weir_backend_name, since_ns)); /* the address, then the word with `used` */
	return stops;
}
