/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * From the flow to its backend: hash -> slot -> backend -> the way that is in force. Each step is one aligned load from an array; the agent may
 * store while packets run, and every packet sees either the old or the new. Only where the slot is not settled is there more to look at (transit.h).
 */
#ifndef WEIR_BPF_PICK_H
#define WEIR_BPF_PICK_H

#include "../include/weir/hash.h"
#include "maps.h"
#include "parse.h"
#include "transit.h"

static __always_inline __u64 flow_hash(const struct flow *flow, __u8 affinity)
{
	struct weir_addr none = {};

	if (affinity == WEIR_AFFINITY_CLIENT)
		return weir_flow_hash(&flow->src, &none, 0, 0, 0);
	return weir_flow_hash(&flow->src, &flow->dst, flow->sport, flow->dport, flow->proto);
}

/* The slot is not settled. Where flows have no affinity to anything there is nothing to keep either. */
static __always_inline __u32 pick_in_transit(const struct packet *p, union weir_slot slot, __u32 index)
{
	__u32 about = p->out->service | (p->ip6 ? TRANSIT_IP6 : 0);

	asm volatile("" : "+r"(slot.word)); /* else what is cut out of it here would be so on the settled path too */
	if (p->out->word.affinity == WEIR_AFFINITY_NONE)
		return slot.current;
	if (p->out->word.affinity == WEIR_AFFINITY_CLIENT)
		about |= TRANSIT_CLIENT;
	return transit_read(p->ctx, p->l3, about) ? (__u16)transit_pick(slot.word, index) : slot.current;
}

/* There is no way out, or it leads up. Index 0, which a slot without a backend names, has no flags. */
static __always_inline enum weir_reason pick_no_way(const struct packet *p)
{
	if (p->out->backend == WEIR_BACKEND_NONE)
		return WEIR_REASON_NO_BACKEND;
	return p->way->flags & WEIR_WAY_LOCAL ? WEIR_REASON_LOCAL : WEIR_REASON_UNRESOLVED;
}

static __always_inline enum weir_reason pick_backend(struct packet *p)
{
	const struct weir_backend *backend;
	const union weir_slot *found;
	union weir_slot slot;
	__u32 index;

	p->hash = flow_hash(&p->flow, p->out->word.affinity);
	index = p->out->word.slot_base + weir_flow_slot(p->hash, p->out->word.slot_bits);
	found = bpf_map_lookup_elem(&slots, &index);
	if (!found)
		return WEIR_REASON_INTERNAL;
	slot.word = *(const volatile __u64 *)&found->word; /* one load: phase and backends are of one moment */
	p->out->backend = __builtin_expect(flow_is_settled(&slot), 1) ? slot.current : pick_in_transit(p, slot, index);
	backend = bpf_map_lookup_elem(&backends, &p->out->backend);
	if (!backend)
		return WEIR_REASON_INTERNAL;
	p->way = &backend->way[*(const volatile __u32 *)&backend->active & 1];
	asm volatile("" : "+r"(p->way)); /* worked out once: clang would do it again for each member */
	if ((p->way->flags & (WEIR_WAY_LOCAL | WEIR_WAY_RESOLVED)) != WEIR_WAY_RESOLVED)
		return pick_no_way(p);
	return WEIR_REASON_GO_ON;
}

#endif
