/* SPDX-License-Identifier: BSD-2-Clause */
/* What each backend of a service does now, and how far its slow start is. Pure. */
#ifndef WEIR_ROLES_H
#define WEIR_ROLES_H

#include "model_types.h"

/*
 * Sets every backend's role from config, way, checks and the others' roles, since_ns of those whose role changes, and the step of those in slow
 * start. ROLE_REMOVING stays: who gives it takes it away.
 */
void roles_set(struct model_service *service, uint64_t now_wall_ns);
/* When the next step of a slow start is due (wall clock); 0 = none is under way. */
uint64_t roles_next_step(const struct model_service *service, uint64_t now_wall_ns);

#endif
