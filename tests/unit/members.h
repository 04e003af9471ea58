/* SPDX-License-Identifier: BSD-2-Clause */
/* Members for the tests of the tables: drawn by a fixed sequence of numbers, so that a failure comes again. */
#ifndef TEST_MEMBERS_H
#define TEST_MEMBERS_H

#include <stdint.h>

#include "../../user/model/rank.h"

enum weights { WEIGHTS_EQUAL, WEIGHTS_NEAR, WEIGHTS_WIDE, WEIGHTS_SKEWED, WEIGHTS_KINDS };

/* The next number of the sequence, below `limit`. */
uint32_t draw(uint32_t limit);
void draw_from(uint64_t start);
/* IPv4 10.0.x.y, or by every third IPv6, all different; eligible; weights 1; 1-3; 1-1000; or 1 and a tenth of them 1000. */
void members_draw(struct rank_member *member, uint32_t members, enum weights weights);
void members_shuffle(struct rank_member *member, uint32_t members);
struct rank_input members_input(const struct rank_member *member, uint32_t members, uint32_t slots);
/* A number for a table, of identities and not of positions. */
uint64_t members_table_hash(const struct rank_input *input, const uint16_t *table);

#endif
