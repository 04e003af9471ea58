/* SPDX-License-Identifier: BSD-2-Clause */
/* See members.h. */
#include "members.h"

#include <string.h>

#include "../../include/weir/hash.h"

static uint64_t state;

void draw_from(uint64_t start)
{
	state = start;
}

uint32_t draw(uint32_t limit)
{
	state += 0x9e3779b97f4a7c15ULL;
	return (uint32_t)((weir_mix(state) >> 32) * limit >> 32);
}

static uint16_t draw_weight(enum weights weights)
{
	switch (weights) {
	case WEIGHTS_NEAR:
		return (uint16_t)(1 + draw(3));
	case WEIGHTS_WIDE:
		return (uint16_t)(1 + draw(1000));
	case WEIGHTS_SKEWED:
		return draw(10) ? 1 : 1000;
	default:
		return 1;
	}
}

void members_draw(struct rank_member *member, uint32_t members, enum weights weights)
{
	uint32_t i;

	memset(member, 0, members * sizeof(*member));
	for (i = 0; i < members; i++) {
		uint8_t *byte = member[i].id.byte;

		if (i % 3 == 2) {
			byte[0] = 0xfd;
			byte[7] = (uint8_t)draw(256);
		} else {
			byte[10] = byte[11] = 0xff;
			byte[12] = 10;
		}
		byte[14] = (uint8_t)(i >> 8);
		byte[15] = (uint8_t)i;
		member[i].weight = draw_weight(weights);
		member[i].eligible = true;
	}
}

void members_shuffle(struct rank_member *member, uint32_t members)
{
	uint32_t i;

	for (i = members; i > 1; i--) {
		uint32_t other = draw(i);
		struct rank_member last = member[i - 1];

		member[i - 1] = member[other];
		member[other] = last;
	}
}

struct rank_input members_input(const struct rank_member *member, uint32_t members, uint32_t slots)
{
	return (struct rank_input){
		.seed = "weir", .service = "web", .slots = slots, .member = member, .members = members};
}

uint64_t members_table_hash(const struct rank_input *input, const uint16_t *table)
{
	uint64_t hash = 0;
	uint32_t slot, i;

	for (slot = 0; slot < input->slots; slot++) {
		const uint8_t *byte = table[slot] == RANK_NONE ? NULL : input->member[table[slot]].id.byte;

		for (i = 0; i < 16; i++)
			hash = weir_mix((hash ^ (byte ? byte[i] : 0xaaU)) + 0x9e3779b97f4a7c15ULL);
	}
	return hash;
}
