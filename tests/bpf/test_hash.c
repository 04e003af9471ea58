/* SPDX-License-Identifier: BSD-2-Clause */
/* weir/hash.h gives the same bits in the kernel as here: the table builder and the data path, and two versions side by side, must agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <linux/bpf.h>

#include "../unit/golden_flows.h"
#include "hash_case.h"
#include <hash.skel.h>

enum { FLOWS = 1000 };

static struct hash_bpf *program;

static int load(void **unused)
{
	(void)unused;
	program = hash_bpf__open_and_load();
	return program ? 0 : -1;
}

static int unload(void **unused)
{
	(void)unused;
	hash_bpf__destroy(program);
	return 0;
}

/* The answers of the kernel. */
static struct hash_case in_bpf(struct hash_case c)
{
	struct hash_case out = {.pad = 1};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = &c, .data_size_in = sizeof(c), .data_out = &out,
		    .data_size_out = sizeof(out));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program->progs.hash), &options), 0);
	assert_int_equal(options.retval, XDP_PASS);
	assert_int_equal(options.data_size_out, sizeof(out));
	return out;
}

static uint32_t random_word(uint64_t *state)
{
	return (uint32_t)(weir_mix(*state += 0x9e3779b97f4a7c15ULL) >> 32);
}

/* IPv4, IPv6 and mixed by turns; the edges of each word among them. */
static struct hash_case random_case(uint64_t *state, int nr)
{
	struct hash_case c = {
		.sport = (__be16)random_word(state),
		.dport = (__be16)random_word(state),
		.proto = (uint8_t)random_word(state),
		.bits = (uint8_t)(WEIR_SLOT_BITS_MIN + nr % (WEIR_SLOT_BITS_MAX - WEIR_SLOT_BITS_MIN + 1))};
	static const uint32_t edges[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};

	for (int i = 0; i < 4; i++) {
		c.src.word[i] = random_word(state) % 8 ? random_word(state) : edges[random_word(state) % 5];
		c.dst.word[i] = random_word(state) % 8 ? random_word(state) : edges[random_word(state) % 5];
	}
	if (nr % 4 < 2) {
		memset(&c.src, 0, 8);
		c.src.word[2] = htonl(0xffff);
	}
	if (nr % 4 == 0 || nr % 4 == 3) {
		memset(&c.dst, 0, 8);
		c.dst.word[2] = htonl(0xffff);
	}
	return c;
}

static void the_kernel_computes_the_same(void **unused)
{
	uint64_t state = 2026, different = 0, last = 0;

	(void)unused;
	for (int nr = 0; nr < FLOWS; nr++) {
		struct hash_case c = random_case(&state, nr), got = in_bpf(c);

		hash_case_compute(&c);
		if (memcmp(&c, &got, sizeof(c)) != 0)
			fail_msg(
				"flow %d: hash %016llx here, %016llx in BPF; mix %016llx, %016llx; slot %u, %u; bucket %u, %u",
				nr, (unsigned long long)c.hash, (unsigned long long)got.hash,
				(unsigned long long)c.mixed, (unsigned long long)got.mixed, c.slot, got.slot, c.bucket,
				got.bucket);
		assert_true(got.slot < 1U << c.bits && got.bucket < WEIR_VIP_BUCKETS);
		different += got.hash != last;
		last = got.hash;
	}
	assert_int_equal(different, FLOWS); /* it did compute something */
}

/* The bits that tests/unit/test_hash.c demands too. */
static void golden_bits(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		struct hash_case c = {.src = golden_address(golden[i].src),
				      .dst = golden_address(golden[i].dst),
				      .sport = htons(golden[i].sport),
				      .dport = htons(golden[i].dport),
				      .proto = golden[i].proto,
				      .bits = 12};
		struct hash_case got = in_bpf(c);

		if (got.hash != golden[i].hash)
			fail_msg("flow %zu: 0x%016llx in BPF, not 0x%016llx", i, (unsigned long long)got.hash,
				 (unsigned long long)golden[i].hash);
		assert_int_equal(got.slot, golden[i].hash >> 52);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_computes_the_same),
		cmocka_unit_test(golden_bits),
	};

	return cmocka_run_group_tests_name("hash in BPF", tests, load, unload);
}
