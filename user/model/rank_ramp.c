/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slow start: stage 2 of rank.c where something is held back from some members. In: what. Out: the table.
 *
 * Of the slots that such a member has in the whole table it keeps its best ones, as many as its share says. The others go where they would go if only
 * those were eligible that nothing is held back from: mostly that is where they are, since a slow start begins as if nobody had come. What a
 * member keeps depends on the whole table and its own share alone, so that a step moves slots from others to it, and no others.
 */
#include "rank.h"

#include <errno.h>
#include <stdlib.h>

#include "rank_score.h"

struct claim { /* a slot in the whole table of a member that something is held back from */
	uint64_t draw;
	uint32_t slot;
	uint16_t member;
};

struct ramp {
	const struct rank_input *input;
	struct rank_member *rest; /* as in the input, but only those eligible that nothing is held back from: */
	uint32_t rests;           /* so many */
	uint64_t *key;            /* of those that something is held back from, by member */
	uint16_t *others;         /* the table of these alone */
	struct claim *claim;
	uint32_t claims;
};

static bool is_held_back(const struct rank_member *member)
{
	return member->eligible && member->weight && member->held_back;
}

static void ramp_free(struct ramp *ramp)
{
	free(ramp->rest);
	free(ramp->key);
	free(ramp->others);
	free(ramp->claim);
}

static int ramp_init(struct ramp *ramp, const struct rank_input *input)
{
	*ramp = (struct ramp){
		.input = input,
		.rest = malloc((input->members + 1) * sizeof(*ramp->rest)),
		.key = calloc(input->members + 1, sizeof(*ramp->key)),
		.others = malloc(input->slots * sizeof(*ramp->others)),
		.claim = malloc(input->slots * sizeof(*ramp->claim)),
	};
	if (!ramp->rest || !ramp->key || !ramp->others || !ramp->claim) {
		ramp_free(ramp);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < input->members; i++) {
		const struct rank_member *member = &input->member[i];

		ramp->rest[i] = *member;
		ramp->rest[i].eligible = member->eligible && member->weight && !member->held_back;
		ramp->rests += ramp->rest[i].eligible;
		if (is_held_back(member))
			ramp->key[i] = rank_key(input->seed, input->service, &member->id);
	}
	return 0;
}

/* By member, its best slot first: of one weight the larger draw has the lower score (rank_score.h). */
static int by_member(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->member != y->member)
		return x->member < y->member ? -1 : 1;
	if (x->draw != y->draw)
		return x->draw > y->draw ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static void collect_claims(struct ramp *ramp, const uint16_t *table)
{
	const struct rank_input *input = ramp->input;

	for (uint32_t slot = 0; slot < input->slots; slot++) {
		uint16_t member = table[slot];

		if (member != RANK_NONE && is_held_back(&input->member[member]))
			ramp->claim[ramp->claims++] =
				(struct claim){rank_draw(ramp->key[member], rank_slot_key(slot)), slot, member};
	}
	qsort(ramp->claim, ramp->claims, sizeof(*ramp->claim), by_member);
}

static void hold_back(const struct ramp *ramp, uint16_t *table)
{
	uint32_t first = 0, end;

	for (; first < ramp->claims; first = end) {
		uint16_t member = ramp->claim[first].member;
		uint32_t share = RANK_PARTS - ramp->input->member[member].held_back;

		for (end = first; end < ramp->claims && ramp->claim[end].member == member;)
			end++;
		for (uint32_t i = first + ((end - first) * share + RANK_PARTS - 1) / RANK_PARTS; i < end; i++)
			table[ramp->claim[i].slot] = ramp->others[ramp->claim[i].slot];
	}
}

static bool any_held_back(const struct rank_input *input)
{
	for (uint32_t i = 0; i < input->members; i++)
		if (is_held_back(&input->member[i]))
			return true;
	return false;
}

int rank_table(const struct rank_input *input, const uint16_t *own, uint16_t *table)
{
	struct rank_input rest = *input;
	struct ramp ramp;
	int error = rank_table_whole(input, own, table);

	if (error || !any_held_back(input))
		return error;
	error = ramp_init(&ramp, input);
	if (error)
		return error;
	rest.member = ramp.rest;
	if (ramp.rests)
		error = rank_table_whole(&rest, own, ramp.others);
	if (!error && ramp.rests) {
		collect_claims(&ramp, table);
		hold_back(&ramp, table);
	}
	ramp_free(&ramp);
	return error;
}
