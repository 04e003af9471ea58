/* SPDX-License-Identifier: BSD-2-Clause */
/* Roles of a service's backends, and the slot table that follows from them. Pure. */
#ifndef WEIR_TABLE_H
#define WEIR_TABLE_H

#include "model_types.h"

/* Sets every backend's role from config, way and the others' roles; since_ns of those whose role changes. */
void table_set_roles(struct model_service *service, uint64_t now_wall_ns);
/* Digest of everything the table depends on: members, weights, roles, indexes. Roles must be set. */
uint64_t table_digest(const char *seed, const struct model_service *service);
/*
 * Builds service->table (and service->own if NULL) for the present roles; counts slots_owned, and the slots that differ from
 * `before` (NULL: none counted) into slots_moved. 0 or -ENOMEM, then nothing has changed.
 */
int table_build(const char *seed, struct model_service *service, const uint16_t *before);
/* True if `own` of one service serves the other: the same members and weights in the same order. */
bool table_same_members(const struct model_service *a, const struct model_service *b);

/* The table as the maps hold it: 0, or -EINVAL if a slot names what is no backend of the service (then the table has been built: write it). */
int table_adopt(struct model *model, struct model_service *service, const union weir_slot *slot);

#endif
