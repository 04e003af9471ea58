/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables bit for bit: the same in another order of input, as written down once, and where there is little or nothing to
 * choose from. test_rank_definition.c has what they must be, test_rank_share.c how well they share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "members.h"

enum { SLOTS_MAX = 65536, MEMBERS_MAX = 4096 };

static struct rank_member member[MEMBERS_MAX];
static uint16_t own[SLOTS_MAX], table[SLOTS_MAX], own_again[SLOTS_MAX], table_again[SLOTS_MAX];

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
