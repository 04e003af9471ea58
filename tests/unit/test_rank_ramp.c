/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slow start in the tables: steps that only add, shares that are right at each of them, the same bits on every node, and at the end the table
 * without a ramp.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "members.h"

enum { SLOTS = 16384, MEMBERS_MAX = 100 };

static struct rank_member member[MEMBERS_MAX];
static uint16_t own[SLOTS], whole[SLOTS], table[SLOTS], before[SLOTS];

static void hold_back(uint32_t m, uint32_t share)
{
	member[m].held_back = (uint8_t)(RANK_PARTS - share);
}

static uint32_t owned(const uint16_t *owner, uint32_t slots, uint32_t m)
{
	uint32_t count = 0, slot;

	for (slot = 0; slot < slots; slot++)
		count += owner[slot] == m;
	return count;
}

/* Some members, a few of them not eligible; the first one is up. */
static struct rank_input draw_input(uint32_t members, enum weights weights)
{
	uint32_t m;

	members_draw(member, members, weights);
	for (m = 1; m < members; m++)
		member[m].eligible = draw(6) != 0;
	return members_input(member, members, draw(4) ? 4096 : SLOTS);
}

static void makes(const struct rank_input *input, uint16_t *out)
{
	assert_int_equal(rank_table(input, own, out), 0);
}

/* The first member has the whole time all of its share, the last ones start, each at its own pace. */
static void steps_only_add(void **unused)
{
	uint32_t round, step, slot, m;

	(void)unused;
	draw_from(20);
	for (round = 0; round < 24; round++) {
		uint32_t members = 2 + draw(MEMBERS_MAX - 1), starting = 1 + draw(members - 1 < 4 ? members - 1 : 4);
		struct rank_input input = draw_input(members, round % WEIGHTS_KINDS);
		uint32_t first = members - starting, pace[4];

		for (m = 0; m < starting; m++) {
			member[first + m].eligible = true;
			pace[m] = 1 + draw(3);
		}
		assert_int_equal(rank_own(&input, own) | rank_table_whole(&input, own, whole), 0);
		for (step = 1; step <= RANK_PARTS; step++) {
			for (m = 0; m < starting; m++)
				hold_back(first + m, step * pace[m] < RANK_PARTS ? step * pace[m] : RANK_PARTS);
			makes(&input, table);
			for (slot = 0; slot < input.slots; slot++) {
				bool starts = table[slot] >= first && member[table[slot]].held_back;

				assert_true(table[slot] < members && member[table[slot]].eligible);
				assert_true(!starts || whole[slot] == table[slot]);
				if (step > 1 && before[slot] >= first && member[before[slot]].held_back)
					assert_int_equal(table[slot], before[slot]);
				if (whole[slot] < first)
					assert_int_equal(table[slot], whole[slot]);
			}
			memcpy(before, table, sizeof(table));
		}
		assert_memory_equal(table, whole, input.slots * sizeof(*table));
	}
}

/* Between two steps nothing moves but to the one that starts: what it has not yet stays where it is. */
static void a_step_moves_nothing_else(void **unused)
{
	uint32_t round, step, slot;

	(void)unused;
	draw_from(21);
	for (round = 0; round < 16; round++) {
		uint32_t members = 2 + draw(MEMBERS_MAX - 1), moved = 0;
		struct rank_input input = draw_input(members, round % WEIGHTS_KINDS);

		member[members - 1].eligible = true;
		assert_int_equal(rank_own(&input, own) | rank_table_whole(&input, own, whole), 0);
		hold_back(members - 1, 0);
		makes(&input, before);
		for (step = 1; step <= RANK_PARTS; step++) {
			hold_back(members - 1, step);
			makes(&input, table);
			for (slot = 0; slot < input.slots; slot++) {
				assert_true(table[slot] == before[slot] || table[slot] == members - 1);
				moved += table[slot] != before[slot];
			}
			memcpy(before, table, sizeof(table));
		}
		assert_int_equal(moved, owned(whole, input.slots, members - 1));
	}
}

/* A share of k steps is k/32 of the whole one, rounded up; the others have what is left, each within 2 % of what it should have. */
static void shares_are_right(void **unused)
{
	static const uint32_t sizes[] = {2, 3, 5, 10, 30, 100};
	double furthest = 0;
	uint32_t s, step, m;

	(void)unused;
	draw_from(22);
	for (s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		uint32_t members = sizes[s], full;
		struct rank_input input = members_input(member, members, SLOTS);

		members_draw(member, members, WEIGHTS_EQUAL);
		assert_int_equal(rank_own(&input, own), 0);
		full = owned(own, SLOTS, members - 1);
		for (step = 0; step <= RANK_PARTS; step++) {
			uint32_t mine;

			hold_back(members - 1, step);
			makes(&input, table);
			mine = owned(table, SLOTS, members - 1);
			assert_int_equal(mine, (full * step + RANK_PARTS - 1) / RANK_PARTS);
			for (m = 0; m < members - 1; m++) {
				double fair = (double)(SLOTS - mine) / (members - 1);

				furthest = fmax(furthest, fabs(owned(table, SLOTS, m) - fair) / fair);
			}
		}
	}
	print_message("# another's share is at most %.2f %% off during a slow start\n", 100 * furthest);
	assert_true(furthest < 0.02);
}

/* When it begins: what moves beyond the slots that come to the one that starts: what would without a slow start too, since others are down. */
static void beginning_moves_little_else(void **unused)
{
	double worst = 0;
	uint32_t round, slot;

	(void)unused;
	draw_from(23);
	for (round = 0; round < 60; round++) {
		uint32_t members = 2 + draw(MEMBERS_MAX - 1), moved = 0;
		struct rank_input input = draw_input(members, round % WEIGHTS_KINDS);

		member[members - 1].eligible = false;
		assert_int_equal(rank_own(&input, own) | rank_table(&input, own, before), 0);
		member[members - 1].eligible = true;
		hold_back(members - 1, 1);
		makes(&input, table);
		for (slot = 0; slot < input.slots; slot++)
			moved += table[slot] != before[slot] && table[slot] != members - 1;
		worst = fmax(worst, 100.0 * moved / input.slots);
	}
	print_message("# at most %.2f %% of the slots move between others when a slow start begins\n", worst);
	assert_true(worst < 2);
}

/* With nobody who has all of it, shares do not count: someone must take the flows. */
static void somebody_takes_all(void **unused)
{
	struct rank_input input = members_input(member, 5, 4096);
	uint32_t m;

	(void)unused;
	members_draw(member, 5, WEIGHTS_EQUAL);
	member[0].eligible = false;
	member[4].weight = 0;
	assert_int_equal(rank_own(&input, own) | rank_table_whole(&input, own, whole), 0);
	for (m = 1; m < 4; m++)
		hold_back(m, m);
	makes(&input, table);
	assert_memory_equal(table, whole, 4096 * sizeof(*table));
	hold_back(4, RANK_PARTS); /* weight 0: no more than one who is not eligible */
	makes(&input, table);
	assert_memory_equal(table, whole, 4096 * sizeof(*table));
	hold_back(2, RANK_PARTS);
	makes(&input, table);
	assert_in_range(owned(table, 4096, 1), 1, 60);
	for (m = 1; m < 4; m++)
		member[m].eligible = false;
	makes(&input, table);
	assert_int_equal(owned(table, 4096, RANK_NONE), 4096);
}

/* What is held back from one that is not eligible makes no difference. */
static void only_the_eligible_start(void **unused)
{
	struct rank_input input = members_input(member, 9, 4096);

	(void)unused;
	members_draw(member, 9, WEIGHTS_EQUAL);
	member[3].eligible = false;
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, whole), 0);
	hold_back(3, 1);
	makes(&input, table);
	assert_memory_equal(table, whole, 4096 * sizeof(*table));
}

static void order_of_input_does_not_matter(void **unused)
{
	uint32_t round, m;

	(void)unused;
	draw_from(24);
	for (round = 0; round < 40; round++) {
		uint32_t members = 2 + draw(MEMBERS_MAX - 1);
		struct rank_input input = draw_input(members, round % WEIGHTS_KINDS);
		uint64_t hash, digest;

		for (m = 1; m < members; m++)
			hold_back(m, draw(3) ? RANK_PARTS : draw(RANK_PARTS));
		assert_int_equal(rank_own(&input, own), 0);
		makes(&input, table);
		hash = members_table_hash(&input, table);
		digest = rank_digest(&input);
		members_shuffle(member, members);
		assert_int_equal(rank_own(&input, own), 0);
		makes(&input, table);
		assert_true(members_table_hash(&input, table) == hash);
		assert_true(rank_digest(&input) == digest);
		member[draw(members)].held_back ^= 1;
		assert_true(rank_digest(&input) != digest);
	}
}

/* As written down once: nodes of two builds in the same step send a flow to the same backend. */
static void golden_bits(void **unused)
{
	struct rank_input input = members_input(member, 57, SLOTS);
	uint64_t hash;
	uint32_t m;

	(void)unused;
	draw_from(102);
	members_draw(member, 57, WEIGHTS_WIDE);
	for (m = 4; m < 57; m += 5)
		member[m].eligible = false;
	for (m = 3; m < 57; m += 7)
		hold_back(m, m % RANK_PARTS);
	assert_int_equal(rank_own(&input, own), 0);
	makes(&input, table);
	hash = members_table_hash(&input, table);
	print_message("# table 0x%016llx digest 0x%016llx\n", (unsigned long long)hash,
		      (unsigned long long)rank_digest(&input));
	assert_true(hash == 0x4d9c31dbc0aa02e9ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_only_add),
		cmocka_unit_test(a_step_moves_nothing_else),
		cmocka_unit_test(shares_are_right),
		cmocka_unit_test(beginning_moves_little_else),
		cmocka_unit_test(somebody_takes_all),
		cmocka_unit_test(only_the_eligible_start),
		cmocka_unit_test(order_of_input_does_not_matter),
		cmocka_unit_test(golden_bits),
	};

	return cmocka_run_group_tests_name("rank-ramp", tests, NULL, NULL);
}
