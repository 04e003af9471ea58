/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which backend owns a slot: ranked rendezvous, evened. A pure function of seed, service, the backends' identities and weights and
 * which of them are eligible: the same bits on every build and CPU, whatever the order of the input and whatever was before.
 */
#ifndef WEIR_RANK_H
#define WEIR_RANK_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/addr.h"

enum { RANK_NONE = 0xffff, RANK_PARTS = 32 };

struct rank_member {
	struct addr id;    /* identity; also breaks ties */
	uint16_t weight;   /* 0-1000; 0 gets nothing */
	bool eligible;     /* stage 2: takes flows now */
	uint8_t held_back; /* slow start: so many RANK_PARTS-ths of its slots go to others for now; 0 = none */
};

struct rank_input {
	const char *seed;    /* node { hash-seed } */
	const char *service; /* name */
	uint32_t slots;      /* 4096, 16384, 65536 */
	const struct rank_member *member;
	uint32_t members; /* at most 4096 */
};

/* Stage 1: own[slot] = position in `member` of the slot's owner among all members with weight > 0 (RANK_NONE if there are none). 0 or -ENOMEM. */
int rank_own(const struct rank_input *input, uint16_t *own);

/*
 * Stage 2: table[slot] = own[slot] where that member is eligible, else the best eligible one, within quotas (RANK_NONE if none is eligible).
 * What is held back goes to those that nothing is held back from, as if they alone were eligible; where there are none of these nothing is held back.
 * The less is held back from a member the more slots it has: those that it had and others. 0 or -ENOMEM.
 */
int rank_table(const struct rank_input *input, const uint16_t *own, uint16_t *table);
/* Stage 2 with nothing held back, whatever `held_back` says. */
int rank_table_whole(const struct rank_input *input, const uint16_t *own, uint16_t *table);

/* Digest of all that the result depends on, members taken in the order of their identities. */
uint64_t rank_digest(const struct rank_input *input);

#endif
