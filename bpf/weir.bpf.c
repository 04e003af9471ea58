// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/* The data path: an XDP program that forwards packets for services to their backends. */
#include "maps.h"

SEC("xdp")
int weir(struct xdp_md *ctx)
{
	__u32 reason = WEIR_REASON_NOT_SERVICE;
	__u64 *count = bpf_map_lookup_elem(&reason_counters, &reason);

	(void)ctx;
	if (count)
		(*count)++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
