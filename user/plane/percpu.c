/* SPDX-License-Identifier: BSD-2-Clause */
/* One element of a per-CPU array: the kernel hands out, and takes, a value for each possible CPU. */
#include "percpu.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int percpu_sum(unsigned int cpus, int map, uint32_t index, uint64_t *sum, size_t words)
{
	uint64_t *value = calloc(cpus, words * sizeof(*value));
	int err = value ? 0 : -ENOMEM;

	memset(sum, 0, words * sizeof(*sum));
	if (!err && bpf_map_lookup_elem(map, &index, value))
		err = -errno;
	for (size_t cpu = 0; !err && cpu < cpus; cpu++)
		for (size_t word = 0; word < words; word++)
			sum[word] += value[cpu * words + word];
	free(value);
	return err;
}

int percpu_flows(unsigned int cpus, int map, const struct weir_flow_counts *carried, struct weir_flow_counts *out)
{
	uint64_t sum[4];
	int err = percpu_sum(cpus, map, 0, sum, sizeof(sum) / sizeof(sum[0]));

	_Static_assert(sizeof(struct weir_flow_counts) == sizeof(sum), "all of them");
	if (!err)
		*out = (struct weir_flow_counts){
			.openings = carried->openings + sum[0],
			.openings_failed = carried->openings_failed + sum[1],
			.pins = carried->pins + sum[2],
			.pins_failed = carried->pins_failed + sum[3],
		};
	return err;
}

int percpu_zero(unsigned int cpus, int map, uint32_t index, size_t words)
{
	uint64_t *value = calloc(cpus, words * sizeof(*value));
	int err = value ? 0 : -ENOMEM;

	if (!err && bpf_map_update_elem(map, &index, value, BPF_ANY))
		err = -errno;
	free(value);
	return err;
}
