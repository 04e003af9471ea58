/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flow hash: bits written down (two versions side by side, and the data path against the agent, must agree), and how evenly flows as they come in
 * practice, one number after the other, fall on slots.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <math.h>

#include "../../include/weir/hash.h"
#include "golden_flows.h"

static uint64_t hash_of(const char *src, uint16_t sport, const char *dst, uint16_t dport, uint8_t proto)
{
	struct weir_addr from = golden_address(src), to = golden_address(dst);

	return weir_flow_hash(&from, &to, htons(sport), htons(dport), proto);
}

static void golden_bits(void **unused)
{
	size_t i, j;

	(void)unused;
	for (i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		const struct golden_flow *flow = &golden[i];
		uint64_t hash = hash_of(flow->src, flow->sport, flow->dst, flow->dport, flow->proto);

		if (hash != flow->hash)
			fail_msg("flow %zu: 0x%016llx, not 0x%016llx", i, (unsigned long long)hash,
				 (unsigned long long)flow->hash);
		for (j = 0; j < i; j++)
			assert_true(golden[j].hash != hash);
	}
}

/* The first numbers of SplitMix64 from seed 1234567, as its other implementations print them. */
static void mix_is_splitmix(void **unused)
{
	static const uint64_t number[] = {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL};
	uint64_t state = 1234567;
	size_t i;

	(void)unused;
	for (i = 0; i < 3; i++)
		assert_true(weir_mix(state += 0x9e3779b97f4a7c15ULL) == number[i]);
}

/* Addresses as an operator gives them out, one after the other: next to no two share a bucket. */
static void vips_lie_apart(void **unused)
{
	static const struct {
		uint32_t word, step;
		struct weir_addr first;
	} range[] = {
		{3, 1, {{0, 0, 0xffff0000, 0}}},     {3, 256, {{0, 0, 0xffff0000, 0}}},
		{3, 65536, {{0, 0, 0xffff0000, 0}}}, {3, 1, {{0xb80d0120, 0, 0, 0}}},
		{1, 1, {{0xb80d0120, 0, 0, 0}}},     {1, 65536, {{0xb80d0120, 0, 0, 0x01000000}}},
	};
	static uint8_t vips[WEIR_VIP_BUCKETS];
	size_t r;
	uint32_t i;

	(void)unused;
	for (r = 0; r < sizeof(range) / sizeof(*range); r++) {
		memset(vips, 0, sizeof(vips));
		for (i = 0; i < 256; i++) {
			struct weir_addr addr = range[r].first;
			uint32_t bucket;

			addr.word[range[r].word] = htonl(0x0a000001 + i * range[r].step);
			bucket = weir_addr_bucket(&addr);
			assert_in_range(bucket, 0, WEIR_VIP_BUCKETS - 1);
			if (++vips[bucket] > 3)
				fail_msg("range %zu: %u VIPs in bucket %u", r, vips[bucket], bucket);
		}
	}
}

static void slot_is_the_top_bits(void **unused)
{
	uint8_t bits;

	(void)unused;
	for (bits = WEIR_SLOT_BITS_MIN; bits <= WEIR_SLOT_BITS_MAX; bits++) {
		assert_int_equal(weir_flow_slot(UINT64_MAX, bits), (1U << bits) - 1);
		assert_int_equal(weir_flow_slot(0, bits), 0);
		assert_int_equal(weir_flow_slot((uint64_t)1 << (64 - bits), bits), 1);
	}
}

/* ---- evenness ---- */

enum { BITS = 12, SLOTS = 1 << BITS, FLOWS = 64 * SLOTS };

static uint32_t count[SLOTS];

/* Chi-square of the counts; for even ones it has mean SLOTS - 1 and deviation sqrt(2 (SLOTS - 1)) = 90. */
static double chi_square(void)
{
	double sum = 0, mean = (double)FLOWS / SLOTS;
	uint32_t i;

	for (i = 0; i < SLOTS; i++)
		sum += (count[i] - mean) * (count[i] - mean) / mean;
	return sum;
}

/* Flow number -> flow; what comes in sequence differs. */
typedef uint64_t flow_hash(uint32_t number);

static uint64_t by_address(uint32_t number)
{
	struct weir_addr src = {{0, 0, htonl(0xffff), htonl(0x0a000000 + number)}};
	struct weir_addr dst = {{0, 0, htonl(0xffff), htonl(0xc6336401)}};

	return weir_flow_hash(&src, &dst, htons(40000), htons(80), 6);
}

/* Ports of few clients, upwards. */
static uint64_t by_port(uint32_t number)
{
	struct weir_addr src = {{0, 0, htonl(0xffff), htonl(0x0a000000 + number / 32768)}};
	struct weir_addr dst = {{0, 0, htonl(0xffff), htonl(0xc6336401)}};

	return weir_flow_hash(&src, &dst, htons((uint16_t)(32768 + number % 32768)), htons(443), 6);
}

static uint64_t by_client(uint32_t number)
{
	struct weir_addr src = {{0, 0, htonl(0xffff), htonl(0x0a000000 + number)}};
	struct weir_addr none = {{0, 0, 0, 0}};

	return weir_flow_hash(&src, &none, 0, 0, 0);
}

/* One /64 after the other, the same host in each: what differs is in the upper half. */
static uint64_t by_prefix6(uint32_t number)
{
	struct weir_addr src = {{htonl(0x20010db8), htonl(number), 0, htonl(1)}};
	struct weir_addr dst = {{htonl(0x20010db8), 0, 0, htonl(2)}};

	return weir_flow_hash(&src, &dst, htons(40000), htons(443), 6);
}

static uint64_t by_host6(uint32_t number)
{
	struct weir_addr src = {{htonl(0x20010db8), 0, 0, htonl(number)}};
	struct weir_addr dst = {{htonl(0x20010db8), 0, 0, htonl(2)}};

	return weir_flow_hash(&src, &dst, htons(40000), htons(443), 17);
}

/* Every 256th address: as of a scan, or of a network that hands out .1 everywhere. */
static uint64_t by_network(uint32_t number)
{
	struct weir_addr src = {{0, 0, htonl(0xffff), htonl((number << 8) + 1)}};
	struct weir_addr dst = {{0, 0, htonl(0xffff), htonl(0xc6336401)}};

	return weir_flow_hash(&src, &dst, htons(1024), htons(53), 17);
}

static void sequences_fall_evenly(void **unused)
{
	static const struct {
		const char *name;
		flow_hash *hash;
	} sequence[] = {
		{"address", by_address}, {"port", by_port},   {"client", by_client},
		{"prefix6", by_prefix6}, {"host6", by_host6}, {"network", by_network},
	};
	size_t s;
	uint32_t i;

	(void)unused;
	for (s = 0; s < sizeof(sequence) / sizeof(*sequence); s++) {
		double chi, off;

		memset(count, 0, sizeof(count));
		for (i = 0; i < FLOWS; i++)
			count[weir_flow_slot(sequence[s].hash(i), BITS)]++;
		chi = chi_square();
		off = (chi - (SLOTS - 1)) / sqrt(2.0 * (SLOTS - 1));
		print_message("# by %s: %+.2f deviations\n", sequence[s].name, off);
		if (fabs(off) > 4) /* too even is not random either: sequences would beat against each other */
			fail_msg("by %s: chi-square %.0f, %.1f deviations off", sequence[s].name, chi, off);
	}
}

/* The bound above does find a bad hash: a Fowler-Noll-Vo of 32 bits cut at the top, over a sequence of ports. */
static void bound_finds_a_bad_hash(void **unused)
{
	double off;
	uint32_t i, b;

	(void)unused;
	memset(count, 0, sizeof(count));
	for (i = 0; i < FLOWS; i++) {
		uint32_t hash = 2166136261U;

		for (b = 0; b < 32; b += 8)
			hash = (hash ^ (i >> b & 0xff)) * 16777619U;
		count[hash >> (32 - BITS)]++;
	}
	off = (chi_square() - (SLOTS - 1)) / sqrt(2.0 * (SLOTS - 1));
	assert_true(fabs(off) > 4);
}

/* Each bit of what goes in turns each bit of the hash with a chance of a half. */
static void every_bit_counts(void **unused)
{
	enum { ROUNDS = 400 };
	uint32_t bit, round, out;
	uint64_t state = 1;

	(void)unused;
	for (bit = 0; bit < 296; bit++) { /* 2 addresses, 2 ports, protocol */
		uint32_t turned[64] = {0};

		for (round = 0; round < ROUNDS; round++) {
			uint32_t word[10];
			uint64_t one, other;
			struct weir_addr src, dst;

			for (out = 0; out < 10; out++)
				word[out] = (uint32_t)(weir_mix(state++) >> 32);
			memcpy(&src, word, 16);
			memcpy(&dst, word + 4, 16);
			one = weir_flow_hash(&src, &dst, (uint16_t)word[8], (uint16_t)(word[8] >> 16),
					     (uint8_t)word[9]);
			word[bit / 32] ^= 1U << bit % 32;
			memcpy(&src, word, 16);
			memcpy(&dst, word + 4, 16);
			other = weir_flow_hash(&src, &dst, (uint16_t)word[8], (uint16_t)(word[8] >> 16),
					       (uint8_t)word[9]);
			for (out = 0; out < 64; out++)
				turned[out] += (one ^ other) >> out & 1;
		}
		for (out = 0; out < 64; out++) /* 6 deviations of 10 */
			if (turned[out] < ROUNDS / 2 - 60 || turned[out] > ROUNDS / 2 + 60)
				fail_msg("bit %u turns bit %u %u times of %u", bit, out, turned[out], ROUNDS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bits),           cmocka_unit_test(mix_is_splitmix),
		cmocka_unit_test(vips_lie_apart),        cmocka_unit_test(slot_is_the_top_bits),
		cmocka_unit_test(sequences_fall_evenly), cmocka_unit_test(bound_finds_a_bad_hash),
		cmocka_unit_test(every_bit_counts),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
