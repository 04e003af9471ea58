/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective state: services and backends with the indexes they have in the maps, their roles, their tables.
 * Every change, from whatever source, comes in here (model_apply, model_set_way) and goes out by one door, the observer.
 * Pure: no kernel, no files, no clock.
 *
 *   config (wanted) --model_apply, stage.c--.
 *                                            >-- indexes, roles.c --> table.c --> slot tables --observer--> plane/sync --> maps
 *   ways, checks, time --settle.c-----------'
 */
#ifndef WEIR_MODEL_H
#define WEIR_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/error.h"
#include "model_types.h"

/* Empty model of these sizes. 0 or -ENOMEM. */
int model_init(struct model *model, const struct config_limits *limits, const char *hash_seed,
	       const struct model_observer *observer);
void model_free(struct model *model);

/*
 * What the pinned maps hold, before the first model_apply: a service (or a backend of a service) that the config names gets the index it had.
 * What the config does not name is removed through the observer at the end of the first apply. 0, -ENOMEM, -ERANGE (over the limits) or -EEXIST.
 */
int model_restore_service(struct model *model, const struct model_restored_service *service);
int model_restore_backend(struct model *model, const struct model_restored_backend *backend);

/*
 * After them: whether `wanted` finds room in the limits beside what was restored. If not (a file that replaces much of what fills them), what
 * was restored and is not wanted is forgotten, and has to go with the maps that held it: new ones are needed.
 */
bool model_make_room(struct model *model, const struct config *wanted);

/*
 * Makes `wanted` the effective state: all of it or, with error filled, nothing. Unchanged services are not touched. A service whose digest equals the
 * restored one comes to the observer with table == NULL. 0 or -1.
 */
int model_apply(struct model *model, const struct config *wanted, struct error *error);

/* The way to `addr` has changed: the observer is asked anew for each backend that has it (a way depends on the service's forwarding mode). */
void model_set_way(struct model *model, const struct addr *addr);
/* What checks say of the backend. Then model_settle. */
void model_set_down(struct model *model, struct model_service *service, struct model_backend *backend, bool down);
/*
 * A backend that drains has no flow left, or may keep those it has no longer: it becomes DRAINED; one that is being removed goes (its index is free
 * again; `backend` is no more). Nothing happens to others. Then model_settle.
 */
void model_set_drained(struct model *model, struct model_service *service, struct model_backend *backend);
/*
 * Slow start: backends that have come up while others were get a quota that grows in RAMP_FULL steps over `slow-start`, counted from since_ns.
 * Brings all to the step of `now_wall_ns` and settles; returns when the next step is due (wall clock), 0 = nobody is on the ramp.
 */
uint64_t model_ramp(struct model *model, uint64_t now_wall_ns);
/* Builds the tables that the functions above have made out of date. Call once for a batch. */
void model_settle(struct model *model);

#endif
