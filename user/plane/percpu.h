/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU counters of one element: an array of `words` u64 for each possible CPU. */
#ifndef WEIR_PERCPU_H
#define WEIR_PERCPU_H

#include <stddef.h>
#include <stdint.h>

#include "../../include/weir/abi.h"

/* 0 or -errno. */
int percpu_sum(unsigned int cpus, int map, uint32_t index, uint64_t *sum, size_t words);
/* `flow_counters`, added to what was carried. On error nothing is written to *out. */
int percpu_flows(unsigned int cpus, int map, const struct weir_flow_counts *carried, struct weir_flow_counts *out);
int percpu_zero(unsigned int cpus, int map, uint32_t index, size_t words);

#endif
