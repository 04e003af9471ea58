/* SPDX-License-Identifier: BSD-2-Clause */
/* From the set before into the one that replaces it: flows that are in its maps, counters. */
#ifndef WEIR_MOVE_H
#define WEIR_MOVE_H

#include "adopt.h"

/*
 * Openings and pins of what is in both sets are moved in passes, each of what packets have written since the one before
 * began; reading is quick, writing is not. What packets write just before the interfaces turn is unknown in the new set until
 * the next pass is there: so passes go on during the turn. Where the new set has an entry already the later one stays, but for a pin that a packet has made for want of the opening.
 */
struct move;

/* NULL, and all that follows does nothing, if there is no memory. */
struct move *move_begin(const struct old_set *old, struct set *set);
/*
 * Before the interfaces turn: all there is, again until a pass is short, and then, while they turn, on and on in a thread:
 * until move_turned nobody else may write to either set's ledger.
 */
void move_flows(struct move *move);
/* All have turned, or will not. */
void move_turned(struct move *move);
/* When no packet is in the old set any more: what came in meanwhile, and the counters. Frees it. */
void move_end(struct move *move, unsigned int cpus);
void move_free(struct move *move); /* without */

#endif
