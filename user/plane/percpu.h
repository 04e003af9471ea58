/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU counters of one element: an array of `words` u64 for each possible CPU. */
#ifndef WEIR_PERCPU_H
#define WEIR_PERCPU_H

#include <stddef.h>
#include <stdint.h>

/* 0 or -errno. */
int percpu_sum(unsigned int cpus, int map, uint32_t index, uint64_t *sum, size_t words);
int percpu_zero(unsigned int cpus, int map, uint32_t index, size_t words);

#endif
