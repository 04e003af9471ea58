/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables bit for bit: against the definition carried out literally (all pairs, sorted), against themselves in another order of input, against bits
 * written down, and where there is little or nothing to choose from. How well they share is the matter of test_rank_share.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/model/rank_score.h"
#include "members.h"

enum { SLOTS_MAX = 65536, MEMBERS_MAX = 4096, SMALL_SLOTS = 600, SMALL_MEMBERS = 60 };

static struct rank_member member[MEMBERS_MAX];
static uint16_t own[SLOTS_MAX], table[SLOTS_MAX], own_again[SLOTS_MAX], table_again[SLOTS_MAX];

/* ---- the definition, without a thought for time ---- */

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

	return rank_score(key, rank_slot_key(slot), input->member[m].weight);
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

/* ---- nothing but the set counts ---- */

static void order_of_input_does_not_matter(void **unused)
{
	uint32_t round;

	(void)unused;
	draw_from(2);
	for (round = 0; round < 40; round++) {
		uint32_t members = 1 + draw(100), m;
		struct rank_input input = members_input(member, members, 4096);
		uint64_t own_hash, table_hash, digest;

		members_draw(member, members, round % WEIGHTS_KINDS);
		for (m = 0; m < members; m++)
			member[m].eligible = draw(5) != 0;
		assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
		own_hash = members_table_hash(&input, own);
		table_hash = members_table_hash(&input, table);
		digest = rank_digest(&input);
		members_shuffle(member, members);
		assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
		assert_true(members_table_hash(&input, own) == own_hash);
		assert_true(members_table_hash(&input, table) == table_hash);
		assert_true(rank_digest(&input) == digest);
	}
}

static void digest_tells_what_differs(void **unused)
{
	struct rank_input input = members_input(member, 5, 4096), other = input;
	uint64_t digest;

	(void)unused;
	draw_from(3);
	members_draw(member, 6, WEIGHTS_NEAR);
	digest = rank_digest(&input);
	assert_true(rank_digest(&input) == digest);
	other.slots = 16384;
	assert_true(rank_digest(&other) != digest);
	other = input;
	other.seed = "weis";
	assert_true(rank_digest(&other) != digest);
	other = input;
	other.seed = "weirw";
	other.service = "eb";
	assert_true(rank_digest(&other) != digest);
	other = input;
	other.members = 6;
	assert_true(rank_digest(&other) != digest);
	member[2].weight++;
	assert_true(rank_digest(&input) != digest);
	member[2].weight--;
	member[2].eligible = false;
	assert_true(rank_digest(&input) != digest);
	member[2].eligible = true;
	member[2].id.byte[15] ^= 0x80;
	assert_true(rank_digest(&input) != digest);
}

/* ---- bits written down ---- */

struct golden {
	uint32_t members, slots;
	enum weights weights;
	uint64_t own, table, digest;
};

static const struct golden golden[] = {
	{3, 4096, WEIGHTS_EQUAL, 0xea9f28a59ec59534ULL, 0xea9f28a59ec59534ULL, 0xb4a13a371a2e4dcaULL},
	{20, 16384, WEIGHTS_NEAR, 0xc8b43e6cb9173f9cULL, 0x0480f8b499dbcab4ULL, 0xbfc3953935f085a7ULL},
	{57, 16384, WEIGHTS_WIDE, 0x96f7ddd32b436c39ULL, 0x264926b8b92b375dULL, 0x03378fcfdad4ac3eULL},
	{100, 65536, WEIGHTS_SKEWED, 0x0922962902b37ae2ULL, 0x1019c5dde771c00bULL, 0x49e71fdf221a2626ULL},
};

/* Every fifth member is not eligible. The same on every compiler, CPU and day: else nodes of two builds send one flow to two backends. */
static void golden_bits(void **unused)
{
	size_t i;
	uint32_t m;

	(void)unused;
	for (i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		struct rank_input input = members_input(member, golden[i].members, golden[i].slots);
		uint64_t own_hash, table_hash, digest;

		draw_from(100 + i);
		members_draw(member, golden[i].members, golden[i].weights);
		for (m = 4; m < golden[i].members; m += 5)
			member[m].eligible = false;
		assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
		own_hash = members_table_hash(&input, own);
		table_hash = members_table_hash(&input, table);
		digest = rank_digest(&input);
		print_message("# %u x %u: own 0x%016llx table 0x%016llx digest 0x%016llx\n", golden[i].slots,
			      golden[i].members, (unsigned long long)own_hash, (unsigned long long)table_hash,
			      (unsigned long long)digest);
		assert_true(own_hash == golden[i].own);
		assert_true(table_hash == golden[i].table);
		assert_true(digest == golden[i].digest);
	}
}

/* ---- little or nothing to choose from ---- */

static void all_are(const uint16_t *owner, uint32_t slots, uint16_t what)
{
	uint32_t slot;

	for (slot = 0; slot < slots; slot++)
		assert_int_equal(owner[slot], what);
}

static void nobody_to_choose(void **unused)
{
	struct rank_input input = members_input(NULL, 0, 4096);
	uint32_t m;

	(void)unused;
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	all_are(own, 4096, RANK_NONE);
	all_are(table, 4096, RANK_NONE);

	members_draw(member, 3, WEIGHTS_EQUAL);
	input = members_input(member, 3, 4096);
	for (m = 0; m < 3; m++)
		member[m].eligible = false;
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	assert_int_not_equal(own[0], RANK_NONE);
	all_are(table, 4096, RANK_NONE);

	for (m = 0; m < 3; m++)
		member[m] = (struct rank_member){.id = member[m].id, .weight = 0, .eligible = true};
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	all_are(own, 4096, RANK_NONE);
	all_are(table, 4096, RANK_NONE);
}

static void one_takes_all(void **unused)
{
	struct rank_input input = members_input(member, 1, 16384);

	(void)unused;
	members_draw(member, 3, WEIGHTS_EQUAL);
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	all_are(own, 16384, 0);
	all_are(table, 16384, 0);

	input.members = 3;
	member[0].eligible = member[2].eligible = false;
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	all_are(table, 16384, 1);
}

/* One of weight 0 gets nothing and its being there moves nothing. */
static void weight_nought_is_as_if_not_there(void **unused)
{
	struct rank_input input = members_input(member, 7, 4096);
	uint32_t slot;

	(void)unused;
	draw_from(4);
	members_draw(member, 8, WEIGHTS_NEAR);
	member[7].weight = 0;
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	input.members = 8;
	assert_int_equal(rank_own(&input, own_again) | rank_table(&input, own_again, table_again), 0);
	for (slot = 0; slot < 4096; slot++) {
		assert_int_equal(own[slot], own_again[slot]);
		assert_int_equal(table[slot], table_again[slot]);
	}
}

/* As many members as slots, equal: one each; then half of them gone: two each. */
static void as_many_members_as_slots(void **unused)
{
	static uint32_t count[MEMBERS_MAX];
	struct rank_input input = members_input(member, MEMBERS_MAX, 4096);
	uint32_t i;

	(void)unused;
	draw_from(5);
	members_draw(member, MEMBERS_MAX, WEIGHTS_EQUAL);
	assert_int_equal(rank_own(&input, own), 0);
	for (i = 0; i < 4096; i++)
		count[own[i]]++;
	for (i = 0; i < MEMBERS_MAX; i++) {
		assert_int_equal(count[i], 1);
		count[i] = 0;
		member[i].eligible = i % 2;
	}
	assert_int_equal(rank_table(&input, own, table), 0);
	for (i = 0; i < 4096; i++)
		count[table[i]]++;
	for (i = 0; i < MEMBERS_MAX; i++)
		assert_int_equal(count[i], i % 2 ? 2 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_definition),
		cmocka_unit_test(equals_the_definition_where_quotas_are_short),
		cmocka_unit_test(order_of_input_does_not_matter),
		cmocka_unit_test(digest_tells_what_differs),
		cmocka_unit_test(golden_bits),
		cmocka_unit_test(nobody_to_choose),
		cmocka_unit_test(one_takes_all),
		cmocka_unit_test(weight_nought_is_as_if_not_there),
		cmocka_unit_test(as_many_members_as_slots),
	};

	return cmocka_run_group_tests_name("rank", tests, NULL, NULL);
}
