/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Sizes that slots.bpf.c and tables.c agree on. */
#ifndef BENCH_SLOTS_H
#define BENCH_SLOTS_H

#include <linux/types.h>

enum { SLOTS_SERVICES = 256, SLOTS_EACH = 16384, SLOTS_LOOKUPS = 64 };

struct slots_state {
	__u64 seed, sum;
	__u32 services_mask, slots_mask; /* how many of them the lookups jump about in, less 1 */
};

#endif
