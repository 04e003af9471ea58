/* SPDX-License-Identifier: BSD-2-Clause */
/* What tables are for: fair shares by weight, and few slots moved when the set changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "../../user/model/rank_score.h"
#include "members.h"

enum { SLOTS = 16384, FEW_SLOTS = 4096, MEMBERS_MAX = 101 };

static struct rank_member member[MEMBERS_MAX];
static uint16_t own[SLOTS], own_after[SLOTS], table[SLOTS], table_after[SLOTS];

/* ---- scores ---- */

static void logarithm_is_one(void **unused)
{
	uint64_t step, before = 0;

	(void)unused;
	rank_score_init();
	for (step = 1; step < 1U << 20; step++) { /* the top 20 bits of the draw, every value */
		uint64_t draw = step << 44 | 1, log = rank_log2(draw);
		double truth = log2((double)draw), found = (double)log / (double)((uint64_t)1 << RANK_LOG_SCALE);

		if (fabs(found - truth) > 2e-7)
			fail_msg("log2(%.0f) is %.9f, not %.9f", (double)draw, found, truth);
		assert_true(log >= before);
		before = log;
	}
	assert_true(rank_log2(1) == 0);
	assert_true(rank_log2(UINT64_MAX) < (uint64_t)64 << RANK_LOG_SCALE);
}

/* At every step of the table and every size of draw, draws that rank_draws_tell apart have their scores in order. */
static void draws_tell_scores(void **unused)
{
	uint64_t step;
	uint32_t bit, weight;

	(void)unused;
	rank_score_init();
	for (bit = 26; bit < 64; bit++) {
		for (step = 0; step < 4096; step++) {
			uint64_t draw = ((uint64_t)1 << bit) + (((uint64_t)1 << bit) >> 12) * step,
				 far = draw + (1U << 25);

			assert_true(rank_draws_tell(draw, far) && rank_draws_tell(far, draw));
			assert_false(rank_draws_tell(draw, far - 1));
			for (weight = 1; weight <= 1000; weight += 333)
				assert_true(rank_score(draw, weight) > rank_score(far, weight));
		}
	}
}

/* Of many slots, each member is the best of as many as its weight says, within 5 standard deviations. */
static void best_by_weight(void **unused)
{
	static const uint32_t weight[] = {1, 10, 100, 1000};
	const uint32_t slots = 1000000;
	uint32_t count[4] = {0}, slot, m;
	uint64_t key[4];

	(void)unused;
	rank_score_init();
	members_draw(member, 4, WEIGHTS_EQUAL);
	for (m = 0; m < 4; m++)
		key[m] = rank_key("weir", "web", &member[m].id);
	for (slot = 0; slot < slots; slot++) {
		uint64_t least = UINT64_MAX;
		uint32_t best = 0;

		for (m = 0; m < 4; m++) {
			uint64_t score = rank_score(rank_draw(key[m], rank_slot_key(slot)), weight[m]);

			if (score < least) {
				least = score;
				best = m;
			}
		}
		count[best]++;
	}
	for (m = 0; m < 4; m++) {
		double share = weight[m] / 1111.0, deviation = sqrt(slots * share * (1 - share));

		if (fabs(count[m] - slots * share) > 5 * deviation)
			fail_msg("weight %u: %u of %u, expected %.0f", weight[m], count[m], slots, slots * share);
	}
}

/* ---- shares ---- */

/* Largest distance of a member's slots from its exact share; of the eligible ones alone if `eligible`. */
static double furthest_from_fair(const struct rank_input *input, const uint16_t *owner, bool eligible)
{
	uint32_t count[MEMBERS_MAX] = {0}, sum = 0, i;
	double furthest = 0;

	for (i = 0; i < input->members; i++)
		if (!eligible || input->member[i].eligible)
			sum += input->member[i].weight;
	for (i = 0; i < input->slots; i++) {
		assert_in_range(owner[i], 0, input->members - 1);
		assert_true(!eligible || input->member[owner[i]].eligible);
		count[owner[i]]++;
	}
	for (i = 0; i < input->members; i++) {
		double fair = (double)input->slots * input->member[i].weight / sum;

		if (!eligible || input->member[i].eligible)
			furthest = fmax(furthest, fabs(count[i] - fair));
	}
	return furthest;
}

/* One to three members fail, by every third up to all but one. */
static void fail_some(uint32_t members)
{
	uint32_t failures = 1 + draw(draw(3) ? 3 : members - 1), i;

	for (i = 0; i < failures; i++)
		member[draw(members)].eligible = false;
	member[draw(members)].eligible = true;
}

static void shares_are_fair(void **unused)
{
	uint32_t members, round;

	(void)unused;
	draw_from(10);
	for (members = 2; members <= 100; members++) {
		for (round = 0; round < 2 * WEIGHTS_KINDS; round++) {
			struct rank_input input =
				members_input(member, members, round == members % 8 ? SLOTS : FEW_SLOTS);
			double one, two;

			members_draw(member, members, round % WEIGHTS_KINDS);
			fail_some(members);
			assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
			one = furthest_from_fair(&input, own, false);
			two = furthest_from_fair(&input, table, true);
			if (one >= 1 || two > 2)
				fail_msg("%u members, kind %u: %.3f slots off in stage 1, %.3f in stage 2", members,
					 round % WEIGHTS_KINDS, one, two);
		}
	}
}

static void one_to_ten_is_one_to_ten(void **unused)
{
	struct rank_input input = members_input(member, 2, SLOTS);
	uint32_t light = 0, slot;

	(void)unused;
	members_draw(member, 2, WEIGHTS_EQUAL);
	member[1].weight = 10;
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	for (slot = 0; slot < SLOTS; slot++)
		light += table[slot] == 0;
	assert_in_range(light, 1489, 1490); /* 16384 / 11 = 1489.45 */
}

/* ---- moves ---- */

/* In per cent of the slots: those that moved beyond what the change of shares asks for. */
static double moved_in_vain(uint32_t slots, const uint16_t *before, const uint16_t *after)
{
	int32_t gain[MEMBERS_MAX] = {0}, must = 0, moved = 0;
	uint32_t i;

	for (i = 0; i < slots; i++) {
		gain[before[i]]--;
		gain[after[i]]++;
		moved += before[i] != after[i];
	}
	for (i = 0; i < MEMBERS_MAX; i++)
		must += gain[i] > 0 ? gain[i] : 0;
	return 100.0 * (moved - must) / slots;
}

static void failure_moves_its_own_slots_alone(void **unused)
{
	uint32_t round, slot;

	(void)unused;
	draw_from(11);
	for (round = 0; round < 60; round++) {
		uint32_t members = 2 + draw(99), failed = draw(members);
		struct rank_input input = members_input(member, members, SLOTS);

		members_draw(member, members, round % WEIGHTS_KINDS);
		assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
		assert_memory_equal(own, table, sizeof(own)); /* all eligible: stage 2 has nothing to do */
		member[failed].eligible = false;
		assert_int_equal(rank_table(&input, own, table_after), 0);
		for (slot = 0; slot < SLOTS; slot++) {
			assert_int_not_equal(table_after[slot], failed);
			if (table[slot] != failed)
				assert_int_equal(table_after[slot], table[slot]);
		}
		member[failed].eligible = true;
		assert_int_equal(rank_table(&input, own, table_after), 0);
		assert_memory_equal(table_after, table, sizeof(table));
	}
}

/* Members fail and return, come and go, change weight and change back: then the table is the one of the first day. */
static void history_leaves_no_trace(void **unused)
{
	static struct rank_member first_day[MEMBERS_MAX];
	struct rank_input input = members_input(member, 40, FEW_SLOTS);
	uint64_t hash, own_hash;
	uint32_t i;

	(void)unused;
	draw_from(12);
	members_draw(member, MEMBERS_MAX, WEIGHTS_WIDE);
	memcpy(first_day, member, sizeof(member));
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	own_hash = members_table_hash(&input, own);
	hash = members_table_hash(&input, table);
	for (i = 0; i < 100; i++) {
		input.members = 2 + draw(99);
		members_shuffle(member, MEMBERS_MAX);
		member[draw(input.members)].weight = (uint16_t)draw(1001);
		member[draw(input.members)].eligible = draw(2);
		assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	}
	assert_true(members_table_hash(&input, table) != hash);
	input.members = 40;
	memcpy(member, first_day, sizeof(member));
	members_shuffle(member, 40);
	assert_int_equal(rank_own(&input, own) | rank_table(&input, own, table), 0);
	assert_true(members_table_hash(&input, own) == own_hash);
	assert_true(members_table_hash(&input, table) == hash);
}

static void second_failure_moves_little_more(void **unused)
{
	uint32_t round;

	(void)unused;
	draw_from(13);
	for (round = 0; round < 60; round++) {
		uint32_t members = 3 + draw(98);
		struct rank_input input = members_input(member, members, SLOTS);

		members_draw(member, members, round % WEIGHTS_KINDS);
		assert_int_equal(rank_own(&input, own), 0);
		member[0].eligible = false;
		assert_int_equal(rank_table(&input, own, table), 0);
		member[1].eligible = false;
		assert_int_equal(rank_table(&input, own, table_after), 0);
		if (moved_in_vain(SLOTS, table, table_after) > 1.2)
			fail_msg("%u members: %.3f points too many", members, moved_in_vain(SLOTS, table, table_after));
	}
}

static void addition_moves_little_more(void **unused)
{
	uint32_t members, kind;

	(void)unused;
	draw_from(14);
	for (members = 2; members <= 100; members += 7) {
		for (kind = 0; kind < WEIGHTS_KINDS; kind++) {
			struct rank_input input = members_input(member, members, SLOTS);

			members_draw(member, members + 1, kind);
			assert_int_equal(rank_own(&input, own), 0);
			input.members++;
			assert_int_equal(rank_own(&input, own_after), 0);
			if (moved_in_vain(SLOTS, own, own_after) > 1.2)
				fail_msg("%u members, kind %u: %.3f points too many", members, kind,
					 moved_in_vain(SLOTS, own, own_after));
		}
	}
}

/* To at most three times as much, or to any less. A leap upwards among a hundred costs more: at 1 to 100 it is 2.6 points. */
static void change_of_weight_moves_little_more(void **unused)
{
	static const double factor[] = {0.001, 0.1, 0.3, 0.5, 0.9, 1.1, 1.5, 2, 3};
	uint32_t members, round = 0;

	(void)unused;
	draw_from(15);
	for (members = 2; members <= 100; members += 3) {
		struct rank_input input = members_input(member, members, SLOTS);
		double weight, moved;
		uint32_t i;

		members_draw(member, members, round % 2 ? WEIGHTS_WIDE : WEIGHTS_EQUAL);
		for (i = 0; i < members; i++)
			member[i].weight = (uint16_t)(round % 2 ? 1 + member[i].weight / 4 : 100);
		assert_int_equal(rank_own(&input, own), 0);
		weight = ceil(member[0].weight * factor[round++ % 9]);
		member[0].weight = (uint16_t)weight;
		assert_int_equal(rank_own(&input, own_after), 0);
		moved = moved_in_vain(SLOTS, own, own_after);
		if (moved > 1.2)
			fail_msg("%u members, to %.0f: %.3f points too many", members, weight, moved);
	}
	members_draw(member, 100, WEIGHTS_EQUAL);
	{
		struct rank_input input = members_input(member, 100, SLOTS);

		assert_int_equal(rank_own(&input, own), 0);
		member[0].weight = 100;
		assert_int_equal(rank_own(&input, own_after), 0);
		assert_true(moved_in_vain(SLOTS, own, own_after) < 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logarithm_is_one),
		cmocka_unit_test(draws_tell_scores),
		cmocka_unit_test(best_by_weight),
		cmocka_unit_test(shares_are_fair),
		cmocka_unit_test(one_to_ten_is_one_to_ten),
		cmocka_unit_test(failure_moves_its_own_slots_alone),
		cmocka_unit_test(history_leaves_no_trace),
		cmocka_unit_test(second_failure_moves_little_more),
		cmocka_unit_test(addition_moves_little_more),
		cmocka_unit_test(change_of_weight_moves_little_more),
	};

	return cmocka_run_group_tests_name("rank-share", tests, NULL, NULL);
}
