// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/* The functions of weir/hash.h as BPF computes them: a "frame" is a struct hash_case (hash_case.h), whose answers are filled in. For test_hash.c. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "hash_case.h"

SEC("xdp")
int hash(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct hash_case *c = (void *)(long)ctx->data;

	if ((void *)(c + 1) > end)
		return XDP_ABORTED;
	hash_case_compute(c);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
