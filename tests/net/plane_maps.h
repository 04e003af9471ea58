/* SPDX-License-Identifier: BSD-2-Clause */
/* The pinned maps of plane_lab.h's agents, as anybody sees them; and what tests do to an agent that runs. A test fails where something is not there. */
#ifndef TEST_PLANE_MAPS_H
#define TEST_PLANE_MAPS_H

#include <stdint.h>

#include "plane_lab.h"

/* `set`: a directory below lab_bpffs. */
int maps_open(const char *set, const char *map);
void maps_read(const char *set, const char *map, uint32_t index, void *value);
void maps_write(const char *set, const char *map, uint32_t index, const void *value);
/* All slots of a table, from `base` on. */
void maps_read_slots(const char *set, uint32_t base, uint32_t slots, union weir_slot *slot);
struct addr maps_address(const char *text);
/* The VIP as packets find it in set-1-1. 0 or -ENOENT. */
int maps_read_vip(const char *text, struct weir_vip *vip);
/* Does the forging that makes a start take the program for another build's. */
void maps_forge_object_digest(const char *set);

void maps_start(struct lab_agent *agent, const char *config);
void maps_apply(struct lab_agent *agent, const char *config);

#endif
