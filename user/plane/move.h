/* SPDX-License-Identifier: BSD-2-Clause */
/* From the set before into the one that replaces it: flows that are in its maps, counters. */
#ifndef WEIR_MOVE_H
#define WEIR_MOVE_H

#include "adopt.h"

/*
 * Openings and pins of what is in both sets. Where the new set has an entry already the later one stays, so that it is right to do it once before the
 * interfaces turn to the new set and once more after.
 */
void move_flows(const struct old_set *old, struct set *set);
/* After the interfaces have turned, when no packet is in the old set any more: what came in meanwhile, and the counters. */
void move_rest(const struct old_set *old, struct set *set, unsigned int cpus);

#endif
