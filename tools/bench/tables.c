/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tables cost: to make them (model/rank.c, both stages), and where to put them: one flat array of slots for all services, or an array of
 * arrays. Prints CPU time, the least of several runs; for what waits in the kernel, wall time and the median.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../../include/weir/abi.h"
#include "../../user/model/rank.h"
#include "slots.h"
#include <slots.skel.h>

enum { SLOTS_MAX = 65536, MEMBERS_MAX = 100, RUNS = 9 };

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_us(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* ---- making tables ---- */

/* The most that it may take, in ms. */
static bool in_time(uint32_t slots, uint32_t members, double stage1_ms, double stage2_ms)
{
	if (slots == 65536 && members == 100 && stage1_ms > 250)
		return false;
	return slots != 16384 || members != 20 || stage2_ms < 1;
}

static bool measure_rank(uint32_t slots, uint32_t members, uint32_t weights)
{
	static uint16_t own[SLOTS_MAX], table[SLOTS_MAX];
	struct rank_member member[MEMBERS_MAX] = {0};
	struct rank_input input = {
		.seed = "weir", .service = "web", .slots = slots, .member = member, .members = members};
	double stage1 = 1e12, stage2 = 1e12, start;
	uint32_t i;

	for (i = 0; i < members; i++) {
		member[i].id.byte[15] = (uint8_t)(i + 1);
		member[i].weight = (uint16_t)(1 + i % weights);
		member[i].eligible = i != 0;
	}
	for (i = 0; i < RUNS; i++) {
		start = now_us(CLOCK_PROCESS_CPUTIME_ID);
		if (rank_own(&input, own))
			die("rank_own");
		stage1 = least(stage1, now_us(CLOCK_PROCESS_CPUTIME_ID) - start);
		start = now_us(CLOCK_PROCESS_CPUTIME_ID);
		if (rank_table(&input, own, table))
			die("rank_table");
		stage2 = least(stage2, now_us(CLOCK_PROCESS_CPUTIME_ID) - start);
	}
	printf("%8u %8u %8u %12.2f %12.2f\n", slots, members, weights, stage1 / 1e3, stage2 / 1e3);
	return in_time(slots, members, stage1 / 1e3, stage2 / 1e3);
}

static bool measure_ranks(void)
{
	static const uint32_t slots[] = {4096, 16384, 65536}, members[] = {3, 20, 100};
	bool good = true;
	size_t s, m;

	printf("%8s %8s %8s %12s %12s\n", "slots", "backends", "weights", "stage 1, ms", "one down, ms");
	for (s = 0; s < 3; s++)
		for (m = 0; m < 3; m++)
			good &= measure_rank(slots[s], members[m], 1);
	good &= measure_rank(65536, 100, 3);
	good &= measure_rank(65536, 100, 100);
	return good;
}

/* ---- looking slots up ---- */

static double run(const struct bpf_program *program)
{
	const int repeat = 20000;
	uint8_t frame[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame), .repeat = repeat);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		die("BPF_PROG_TEST_RUN");
	return (double)options.duration / SLOTS_LOOKUPS;
}

static void measure_lookups(struct slots_bpf *skeleton, uint32_t services, uint32_t slots)
{
	const struct bpf_program *program[] = {skeleton->progs.nothing, skeleton->progs.by_flat,
					       skeleton->progs.by_nested, skeleton->progs.by_nested_any};
	double best[4] = {1e12, 1e12, 1e12, 1e12};
	uint32_t i, p;

	skeleton->bss->slots_state.services_mask = services - 1;
	skeleton->bss->slots_state.slots_mask = slots - 1;
	for (i = 0; i < RUNS; i++)
		for (p = 0; p < 4; p++)
			best[p] = least(best[p], run(program[p]));
	printf("ns per lookup, at random among %u services, %u slots: flat %.1f, nested %.1f, nested, any size %.1f\n",
	       services, slots, best[1] - best[0], best[2] - best[0], best[3] - best[0]);
}

/* ---- putting them there ---- */

static union weir_slot *map_slots(int fd, size_t slots)
{
	union weir_slot *slot = mmap(NULL, slots * sizeof(*slot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (slot == MAP_FAILED)
		die("mmap");
	return slot;
}

static void write_slots(union weir_slot *slot, uint16_t backend)
{
	uint32_t i;

	for (i = 0; i < SLOTS_EACH; i++)
		__atomic_store_n(&slot[i].word, (union weir_slot){.current = backend}.word, __ATOMIC_RELAXED);
}

static int create_table(uint32_t slots, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
	int fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "table", sizeof(uint32_t), sizeof(union weir_slot), slots, &options);

	if (fd < 0)
		die("bpf_map_create");
	return fd;
}

static void put_table(int outer, uint32_t service, uint32_t flags, uint16_t backend)
{
	int fd = create_table(SLOTS_EACH, flags);
	union weir_slot *slot = map_slots(fd, SLOTS_EACH);

	write_slots(slot, backend);
	munmap(slot, SLOTS_EACH * sizeof(*slot));
	if (bpf_map_update_elem(outer, &service, &fd, BPF_ANY))
		die("outer map");
	close(fd);
}

static double median(double *us)
{
	qsort(us, RUNS, sizeof(*us), ascending);
	return us[RUNS / 2];
}

static void measure_flat(const struct slots_bpf *skeleton)
{
	union weir_slot *slot = map_slots(bpf_map__fd(skeleton->maps.flat), (size_t)SLOTS_SERVICES * SLOTS_EACH);
	double create[RUNS], replace[RUNS], start, first;
	uint32_t i;

	for (i = 0; i < RUNS; i++) {
		start = now_us(CLOCK_MONOTONIC);
		close(create_table((uint32_t)SLOTS_SERVICES * SLOTS_EACH, BPF_F_MMAPABLE));
		create[i] = now_us(CLOCK_MONOTONIC) - start;
	}
	start = now_us(CLOCK_MONOTONIC);
	for (i = 0; i < SLOTS_SERVICES; i++)
		write_slots(slot + (size_t)i * SLOTS_EACH, 1);
	first = now_us(CLOCK_MONOTONIC) - start;
	for (i = 0; i < RUNS; i++) {
		start = now_us(CLOCK_MONOTONIC);
		write_slots(slot + (size_t)i * SLOTS_EACH, 2);
		replace[i] = now_us(CLOCK_MONOTONIC) - start;
	}
	printf("flat: create %.1f ms, write all first time %.1f ms, replace one service's table %.0f us\n",
	       median(create) / 1e3, first / 1e3, median(replace));
	munmap(slot, (size_t)SLOTS_SERVICES * SLOTS_EACH * sizeof(*slot));
}

static void measure_nested(const char *name, const struct bpf_map *outer, uint32_t flags)
{
	double replace[RUNS], start, all;
	uint32_t i;

	start = now_us(CLOCK_MONOTONIC);
	for (i = 0; i < SLOTS_SERVICES; i++)
		put_table(bpf_map__fd(outer), i, flags, 1);
	all = now_us(CLOCK_MONOTONIC) - start;
	for (i = 0; i < RUNS; i++) {
		start = now_us(CLOCK_MONOTONIC);
		put_table(bpf_map__fd(outer), i, flags, 2);
		replace[i] = now_us(CLOCK_MONOTONIC) - start;
	}
	printf("%s: create and write all %.1f ms, replace one service's table %.0f us\n", name, all / 1e3,
	       median(replace));
}

int main(void)
{
	bool good = measure_ranks();
	struct slots_bpf *skeleton;

	skeleton = slots_bpf__open_and_load();
	if (!skeleton)
		die("slots");
	measure_flat(skeleton);
	measure_nested("nested", skeleton->maps.nested, BPF_F_MMAPABLE);
	measure_nested("nested, any size", skeleton->maps.nested_any, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	measure_lookups(skeleton, 1, 4096);
	measure_lookups(skeleton, SLOTS_SERVICES, SLOTS_EACH);
	slots_bpf__destroy(skeleton);
	if (!good)
		fprintf(stderr, "tables take longer than they may\n");
	return good ? 0 : 1;
}
