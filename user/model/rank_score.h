/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The score of a backend for a slot, -log2(u) / weight with u drawn by hash: what rank.c orders by. Lowest is best.
 *
 * With u uniform in (0, 1), -ln(u) / w is exponential with rate w, and the least of several belongs to each with the
 * chance w / sum of w: weighted rendezvous. log2 in place of ln changes the scale, not the order. All is done on
 * integers, so that every build on every CPU gets the same bits.
 */
#ifndef WEIR_RANK_SCORE_H
#define WEIR_RANK_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "../../include/weir/hash.h"
#include "../lib/addr.h"

enum {
	RANK_LOG_BITS = 10,    /* log2 of the table's steps between 1 and 2; a straight line within a step */
	RANK_LOG_SCALE = 40,   /* binary places of a logarithm; before the point it has up to 7 bits (64 itself) */
	RANK_SCORE_SHIFT = 16, /* more places, to keep apart what division by the weight brings together */
};

/* log2(1 + i / 2^RANK_LOG_BITS), filled by rank_score_init. */
extern uint64_t rank_log_table[(1 << RANK_LOG_BITS) + 1];

/* Before the first score; again does nothing. */
void rank_score_init(void);
/* A backend's part of its draws in one service. */
uint64_t rank_key(const char *seed, const char *service, const struct addr *id);

/* The slot's part of a draw, the same for all backends. */
static inline uint64_t rank_slot_key(uint32_t slot)
{
	return weir_mix(slot + 0x9e3779b97f4a7c15ULL);
}

/* log2 of x > 0, RANK_LOG_SCALE binary places. */
static inline uint64_t rank_log2(uint64_t x)
{
	uint64_t whole = 63U - (unsigned int)__builtin_clzll(x);
	uint64_t part = x << (63 - whole) << 1; /* what follows the leading 1 */
	uint64_t step = part >> (64 - RANK_LOG_BITS);
	uint64_t within = part << RANK_LOG_BITS >> 32;
	uint64_t low = rank_log_table[step];

	return (whole << RANK_LOG_SCALE) + low + ((rank_log_table[step + 1] - low) * within >> 32);
}

/* u = draw / 2^64: never 0 */
static inline uint64_t rank_draw(uint64_t key, uint64_t slot_key)
{
	return weir_mix(key ^ slot_key) | 1;
}

static inline uint64_t rank_score(uint64_t draw, uint32_t weight)
{
	return ((((uint64_t)64 << RANK_LOG_SCALE) - rank_log2(draw)) << RANK_SCORE_SHIFT) / weight;
}

/*
 * Of equal weights the larger draw has the lower score, if they lie this far apart: no step of the table is so flat that a
 * logarithm takes 2^25 draws for its last place.
 */
static inline bool rank_draws_tell(uint64_t draw, uint64_t other)
{
	return (draw > other ? draw - other : other - draw) >> 25;
}

#endif
