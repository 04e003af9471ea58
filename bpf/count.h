/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The counters, per CPU and by array index. A counter that is not found (an index beyond the map) is not counted, and nothing else: bookkeeping that
 * fails never changes what happens to a packet.
 */
#ifndef WEIR_BPF_COUNT_H
#define WEIR_BPF_COUNT_H

#include "maps.h"
#include "parse.h"

static __always_inline void count_traffic(struct weir_count *count, __u32 bytes)
{
	if (!count)
		return;
	count->packets++;
	count->bytes += bytes;
}

/* Packets that went on to a backend, or up to this machine as one. */
static __always_inline void count_carried(const struct outcome *out)
{
	count_traffic(bpf_map_lookup_elem(&service_counters, &out->service), out->length);
	if (out->backend != WEIR_BACKEND_NONE)
		count_traffic(bpf_map_lookup_elem(&backend_counters, &out->backend), out->length);
}

static __always_inline void count_all(const struct outcome *out, __u32 action)
{
	__u64 *reason = bpf_map_lookup_elem(&reason_counters, &out->reason);
	struct weir_actions *actions = bpf_map_lookup_elem(&action_counters, &out->port);

	if (reason)
		(*reason)++;
	if (actions && action < WEIR_ACTIONS)
		actions->packets[action]++;
}

#endif
