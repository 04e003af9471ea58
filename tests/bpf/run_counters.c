/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that tell counters and figures. */
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../../include/weir/decap.h"
#include "../../include/weir/reason.h"
#include "run.h"

/* Element `index` of a per-CPU array of `numbers` u64, summed. */
static void sum(struct bpf_map *map, uint32_t index, uint64_t *total, size_t numbers)
{
	static uint64_t value[1024 * WEIR_ACTIONS];
	int cpus = libbpf_num_possible_cpus();

	memset(total, 0, numbers * sizeof(*total));
	if (cpus > 1024 || bpf_map_lookup_elem(bpf_map__fd(map), &index, value))
		return;
	for (size_t i = 0; i < (size_t)cpus * numbers; i++)
		total[i % numbers] += value[i];
}

static void print_sums(const char *name, struct bpf_map *map, size_t numbers)
{
	for (uint32_t index = 0; index < bpf_map__max_entries(map); index++) {
		uint64_t total[WEIR_ACTIONS], any = 0;

		sum(map, index, total, numbers);
		for (size_t i = 0; i < numbers; i++)
			any |= total[i];
		if (!any)
			continue;
		printf(" %s %u", name, index);
		for (size_t i = 0; i < numbers; i++)
			printf(" %llu", (unsigned long long)total[i]);
		putchar(',');
	}
}

int do_counters(char **word, int words)
{
	static const char *const reasons[] = {
#define X(name, word, action, sentence) word,
		WEIR_REASONS(X)
#undef X
	};
	static const char *const decap_reasons[] = {
#define X(name, word, sentence) word,
		WEIR_DECAP_REASONS(X)
#undef X
	};
	uint64_t total;

	(void)word;
	(void)words;
	printf("ok");
	for (uint32_t i = 0; i < WEIR_REASON_COUNT; i++) {
		sum(loaded.weir->maps.reason_counters, i, &total, 1);
		if (total)
			printf(" reason %s %llu,", reasons[i], (unsigned long long)total);
	}
	for (uint32_t i = 0; i < WEIR_DECAP_REASON_COUNT; i++) {
		sum(loaded.decap->maps.decap_counters, i, &total, 1);
		if (total)
			printf(" decap %s %llu,", decap_reasons[i], (unsigned long long)total);
	}
	print_sums("service", loaded.weir->maps.service_counters, 2);
	print_sums("backend", loaded.weir->maps.backend_counters, 2);
	print_sums("flows", loaded.weir->maps.flow_counters, 4);
	print_sums("port", loaded.weir->maps.action_counters, WEIR_ACTIONS);
	putchar('\n');
	return 1;
}

static void zero(struct bpf_map *map)
{
	static const uint64_t nothing[1024 * WEIR_ACTIONS];

	for (uint32_t index = 0; index < bpf_map__max_entries(map); index++)
		put(map, &index, nothing);
}

int do_reset(char **word, int words)
{
	(void)word;
	(void)words;
	zero(loaded.weir->maps.service_counters);
	zero(loaded.weir->maps.backend_counters);
	zero(loaded.weir->maps.reason_counters);
	zero(loaded.weir->maps.action_counters);
	zero(loaded.weir->maps.flow_counters);
	zero(loaded.weir->maps.answer_clock);
	zero(loaded.decap->maps.decap_counters);
	return 0;
}

int do_info(char **word, int words)
{
	bool other = strcmp(word[1], "decap") == 0;
	const char *log = strstr(other ? loaded.decap_log : loaded.weir_log, "processed ");
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	(void)words;
	if (!log || bpf_obj_get_info_by_fd(program_fd(word[1]), &info, &size))
		return -1;
	printf("ok %zu %u %lu %u\n", bpf_program__insn_cnt(other ? loaded.decap->progs.decap : loaded.weir->progs.weir),
	       info.xlated_prog_len / 8, number(log + strlen("processed ")), info.jited_prog_len);
	return 1;
}
