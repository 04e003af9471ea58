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
static __always_inline void count_service(const struct packet *p)
{
	__u32 service = p->service;

	count_traffic(bpf_map_lookup_elem(&service_counters, &service), p->length);
}

static __always_inline void count_backend(const struct packet *p)
{
	__u32 backend = p->backend;

	count_traffic(bpf_map_lookup_elem(&backend_counters, &backend), p->length);
}

static __always_inline void count_reason(__u32 reason)
{
	__u64 *count = bpf_map_lookup_elem(&reason_counters, &reason);

	if (count)
		(*count)++;
}

static __always_inline void count_action(__u32 port, __u32 action)
{
	struct weir_actions *count = bpf_map_lookup_elem(&action_counters, &port);

	if (count && action < WEIR_ACTIONS)
		count->packets[action]++;
}

#endif
