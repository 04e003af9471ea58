/* SPDX-License-Identifier: BSD-2-Clause */
/* The slot table that follows from the roles of a service's backends. Pure. */
#ifndef WEIR_TABLE_H
#define WEIR_TABLE_H

#include "model_types.h"

/*
 * Digest of everything the table depends on: members, weights, roles, slow starts, indexes. Roles must be set. Backends that are being removed are no
 * members: whether they are there makes no difference to a table.
 */
uint64_t table_digest(const char *seed, const struct model_service *service);
/*
 * Builds service->table (and service->own if NULL) for the present roles; counts slots_owned, and the slots that differ from
 * `before` (NULL: none counted) into slots_moved. 0 or -ENOMEM, then nothing has changed.
 */
int table_build(const char *seed, struct model_service *service, const uint16_t *before);
/* True if `own` of one service serves the other: the same members and weights in the same order. */
bool table_same_members(const struct model_service *a, const struct model_service *b);

/* The table as the maps hold it: 0, or -EINVAL if a slot names what is no member of the service (then the table has been built: write it). */
int table_adopt(struct model *model, struct model_service *service, const union weir_slot *slot);

#endif
