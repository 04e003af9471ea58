/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables against the definition of both stages carried out literally, without a thought for time: all pairs of a slot and
 * a member, sorted, gone through once. Bit for bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/model/rank_score.h"
#include "members.h"

enum { SMALL_SLOTS = 600, SMALL_MEMBERS = 60 };

static struct rank_member member[SMALL_MEMBERS];
static uint16_t own[SMALL_SLOTS], table[SMALL_SLOTS], own_again[SMALL_SLOTS], table_again[SMALL_SLOTS];

struct pair {
	uint64_t loss;
	uint32_t slot;
	uint32_t member;
	const struct addr *id;
};

struct plain {
	const struct rank_input *input;
	bool in[SMALL_MEMBERS]; /* takes part */
	uint32_t count[SMALL_MEMBERS], quota[SMALL_MEMBERS];
	uint32_t taken_away; /* of quotas, since members already had more than was there */
	struct pair pair[SMALL_SLOTS * SMALL_MEMBERS];
};

static struct plain plain;

static uint64_t score_of(const struct rank_input *input, uint32_t slot, uint32_t m)
{
	uint64_t key = rank_key(input->seed, input->service, &input->member[m].id);

	return rank_score(rank_draw(key, rank_slot_key(slot)), input->member[m].weight);
}

static uint32_t plain_best(const struct plain *p, uint32_t slot)
{
	uint32_t best = RANK_NONE, m;

	for (m = 0; m < p->input->members; m++) {
		uint64_t score, least;

		if (!p->in[m])
			continue;
		score = score_of(p->input, slot, m);
		least = best == RANK_NONE ? UINT64_MAX : score_of(p->input, slot, best);
		if (score < least ||
		    (score == least && addr_compare(&p->input->member[m].id, &p->input->member[best].id) < 0))
			best = m;
	}
	return best;
}

/* The member whose remainder is the largest (sign 1) or the smallest (-1) among those not yet `done`; by identity where equal. */
static uint32_t extreme_remainder(const struct plain *p, const bool *done, int sign, uint64_t sum)
{
	uint32_t found = RANK_NONE, m;

	for (m = 0; m < p->input->members; m++) {
		int64_t mine, its;

		if (!p->in[m] || done[m])
			continue;
		if (found == RANK_NONE) {
			found = m;
			continue;
		}
		mine = sign * (int64_t)((uint64_t)p->input->slots * p->input->member[m].weight % sum);
		its = sign * (int64_t)((uint64_t)p->input->slots * p->input->member[found].weight % sum);
		if (mine > its ||
		    (mine == its && sign * addr_compare(&p->input->member[m].id, &p->input->member[found].id) < 0))
			found = m;
	}
	return found;
}

/* Shares rounded down, but never below what a member has; what is missing to all slots: see rank.c. */
static void plain_quotas(struct plain *p)
{
	bool done[SMALL_MEMBERS] = {false};
	uint64_t sum = 0, given = 0;
	uint32_t m;

	for (m = 0; m < p->input->members; m++)
		sum += p->in[m] ? p->input->member[m].weight : 0;
	for (m = 0; m < p->input->members; m++) {
		p->quota[m] = p->in[m] ? (uint32_t)((uint64_t)p->input->slots * p->input->member[m].weight / sum) : 0;
		done[m] = p->count[m] > p->quota[m];
		if (done[m])
			p->quota[m] = p->count[m];
		given += p->quota[m];
	}
	for (; given < p->input->slots; given++) {
		m = extreme_remainder(p, done, 1, sum);
		p->quota[m]++;
		done[m] = true;
	}
	memset(done, 0, sizeof(done));
	while (given > p->input->slots) {
		m = extreme_remainder(p, done, -1, sum);
		if (m == RANK_NONE) {
			memset(done, 0, sizeof(done));
			continue;
		}
		done[m] = true;
		if (p->quota[m] > p->count[m]) {
			p->quota[m]--;
			p->taken_away++;
			given--;
		}
	}
}

static int by_definition(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->loss != y->loss)
		return x->loss < y->loss ? -1 : 1;
	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return addr_compare(x->id, y->id);
}

/* All pairs of the slots in question with the members that take part, sorted. */
static size_t plain_pairs(struct plain *p, const uint16_t *owner, bool orphans)
{
	size_t pairs = 0;
	uint32_t slot, m;

	for (slot = 0; slot < p->input->slots; slot++) {
		uint64_t best;

		if (orphans && owner[slot] != RANK_NONE)
			continue;
		best = score_of(p->input, slot, orphans ? plain_best(p, slot) : owner[slot]);
		for (m = 0; m < p->input->members; m++)
			if (p->in[m])
				p->pair[pairs++] = (struct pair){.loss = score_of(p->input, slot, m) - best,
								 .slot = slot,
								 .member = m,
								 .id = &p->input->member[m].id};
	}
	qsort(p->pair, pairs, sizeof(*p->pair), by_definition);
	return pairs;
}

static uint32_t plain_start(struct plain *p, const struct rank_input *input, bool eligible)
{
	uint32_t m, taking_part = 0;

	memset(p, 0, sizeof(*p));
	p->input = input;
	for (m = 0; m < input->members; m++) {
		p->in[m] = input->member[m].weight && (!eligible || input->member[m].eligible);
		taking_part += p->in[m];
	}
	return taking_part;
}

static void plain_own(const struct rank_input *input, uint16_t *out)
{
	size_t i, pairs;
	uint32_t slot;

	memset(out, 0xff, input->slots * sizeof(*out));
	if (!plain_start(&plain, input, false))
		return;
	plain_quotas(&plain);
	for (slot = 0; slot < input->slots; slot++) {
		out[slot] = (uint16_t)plain_best(&plain, slot);
		plain.count[out[slot]]++;
	}
	pairs = plain_pairs(&plain, out, false);
	for (i = 0; i < pairs; i++) {
		const struct pair *pair = &plain.pair[i];
		uint16_t from = out[pair->slot];

		if (plain.count[from] <= plain.quota[from] || plain.count[pair->member] >= plain.quota[pair->member])
			continue;
		plain.count[from]--;
		plain.count[pair->member]++;
		out[pair->slot] = (uint16_t)pair->member;
	}
}

static void plain_table(const struct rank_input *input, const uint16_t *owner, uint16_t *out)
{
	size_t i, pairs;
	uint32_t slot;

	memset(out, 0xff, input->slots * sizeof(*out));
	if (!plain_start(&plain, input, true))
		return;
	for (slot = 0; slot < input->slots; slot++) {
		if (!plain.in[owner[slot]])
			continue;
		out[slot] = owner[slot];
		plain.count[out[slot]]++;
	}
	plain_quotas(&plain);
	pairs = plain_pairs(&plain, out, true);
	for (i = 0; i < pairs; i++) {
		const struct pair *pair = &plain.pair[i];

		if (out[pair->slot] != RANK_NONE || plain.count[pair->member] >= plain.quota[pair->member])
			continue;
		plain.count[pair->member]++;
		out[pair->slot] = (uint16_t)pair->member;
	}
}

static void is_as_defined(uint32_t members, uint32_t slots)
{
	struct rank_input input = members_input(member, members, slots);

	assert_int_equal(rank_own(&input, own), 0);
	plain_own(&input, own_again);
	assert_memory_equal(own, own_again, slots * sizeof(*own));
	assert_int_equal(rank_table(&input, own, table), 0);
	plain_table(&input, own, table_again);
	assert_memory_equal(table, table_again, slots * sizeof(*table));
}

static void equals_the_definition(void **unused)
{
	uint32_t round;

	(void)unused;
	draw_from(1);
	for (round = 0; round < 3000; round++) {
		uint32_t members = 1 + draw(14), slots = 1 + draw(300), m;

		members_draw(member, members, draw(WEIGHTS_KINDS));
		members_shuffle(member, members);
		for (m = 0; m < members; m++) {
			member[m].eligible = draw(4) != 0;
			if (draw(12) == 0)
				member[m].weight = 0;
		}
		is_as_defined(members, slots);
	}
}

/* A few heavy ones among many that have a slot or none: here the quotas of stage 2 do not suffice for what members have. */
static void equals_the_definition_where_quotas_are_short(void **unused)
{
	static const uint64_t found[] = {20, 251, 388, 688, 870, 1117};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(found) / sizeof(*found); i++) {
		uint32_t members, slots, m;

		draw_from(found[i]);
		members = 20 + draw(40);
		slots = 100 + draw(500);
		members_draw(member, members, WEIGHTS_SKEWED);
		for (m = 0; m < members; m++) {
			if (member[m].weight == 1000)
				member[m].weight = (uint16_t)(50 + draw(300));
			member[m].eligible = draw(3);
		}
		is_as_defined(members, slots);
		assert_in_range(plain.taken_away, 1, 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_definition),
		cmocka_unit_test(equals_the_definition_where_quotas_are_short),
	};

	return cmocka_run_group_tests_name("rank-definition", tests, NULL, NULL);
}
