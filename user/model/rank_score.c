/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a score that are made once: the table of logarithms, and a backend's key. See rank_score.h. */
#include "rank_score.h"

#include <stddef.h>
#include <string.h>

uint64_t rank_log_table[(1 << RANK_LOG_BITS) + 1];

/*
 * log2 of x / 2^31, 1 <= x / 2^31 < 2, bit by bit: squaring doubles the logarithm, so a square of 2 or more says that
 * the next bit is 1. Factors of 32 bits keep every product within 64; what they cut off leaves about 30 places right,
 * more than the straight line between two steps does.
 */
static uint64_t log2_by_squares(uint64_t x)
{
	uint64_t log = 0;
	int bit;

	for (bit = RANK_LOG_SCALE - 1; bit >= 0; bit--) {
		x = x * x >> 31;
		if (x >> 32) {
			x >>= 1;
			log |= (uint64_t)1 << bit;
		}
	}
	return log;
}

void rank_score_init(void)
{
	uint64_t i;

	if (rank_log_table[1 << RANK_LOG_BITS])
		return;
	for (i = 0; i < 1U << RANK_LOG_BITS; i++)
		rank_log_table[i] = log2_by_squares(((uint64_t)1 << 31) + (i << (31 - RANK_LOG_BITS)));
	rank_log_table[1 << RANK_LOG_BITS] = (uint64_t)1 << RANK_LOG_SCALE;
}

/* Eight bytes at a time, put together by hand: any byte order. The length first: "ab", "c" is not "a", "bc". */
static uint64_t absorb(uint64_t hash, const void *data, size_t length)
{
	const uint8_t *byte = data;
	uint64_t word = length;
	size_t i;

	for (i = 0; i < length; i++) {
		if (i % 8 == 0) {
			hash = weir_mix((hash ^ word) + 0x9e3779b97f4a7c15ULL);
			word = 0;
		}
		word |= (uint64_t)byte[i] << 8 * (i % 8);
	}
	return weir_mix((hash ^ word) + 0x9e3779b97f4a7c15ULL);
}

uint64_t rank_key(const char *seed, const char *service, const struct addr *id)
{
	uint64_t hash = absorb(0, seed, strlen(seed));

	hash = absorb(hash, service, strlen(service));
	return absorb(hash, id->byte, sizeof(id->byte));
}
