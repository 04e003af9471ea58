/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective state: services and backends with the indexes they have in the maps, their roles, their tables.
 * Every change, from whatever source, comes in here (model_apply, model_set_way) and goes out by one door, the observer.
 * Pure: no kernel, no files, no clock.
 *
 *   config (wanted) --model_apply--.
 *                                   >-- roles, indexes --table.c--> slot tables --observer--> plane/sync --> maps
 *   ways (next hops) --model_set_way, model_settle--'
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
/* Builds the tables that model_set_way has made out of date. Call once for a batch of ways. */
void model_settle(struct model *model);

#endif
