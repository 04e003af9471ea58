/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * From the flow to its backend: hash -> slot -> backend -> the way that is in force. Each step is one aligned load from an array; the agent may
 * store while packets run, and every packet sees either the old or the new.
 */
#ifndef WEIR_BPF_PICK_H
#define WEIR_BPF_PICK_H

#include "../include/weir/hash.h"
#include "maps.h"
#include "parse.h"

static __always_inline __u64 flow_hash(const struct flow *flow, __u8 affinity)
{
	struct weir_addr none = {};

	if (affinity == WEIR_AFFINITY_CLIENT)
		return weir_flow_hash(&flow->src, &none, 0, 0, 0);
	return weir_flow_hash(&flow->src, &flow->dst, flow->sport, flow->dport, flow->proto);
}

static __always_inline enum weir_reason pick_backend(struct packet *p)
{
	const struct weir_backend *backend;
	const union weir_slot *slot;
	__u32 index;

	p->hash = flow_hash(&p->flow, p->out->word.affinity);
	index = p->out->word.slot_base + weir_flow_slot(p->hash, p->out->word.slot_bits);
	slot = bpf_map_lookup_elem(&slots, &index);
	if (!slot)
		return WEIR_REASON_INTERNAL;
	p->out->backend = *(const volatile __u16 *)&slot->current;
	if (p->out->backend == WEIR_BACKEND_NONE)
		return WEIR_REASON_NO_BACKEND;
	backend = bpf_map_lookup_elem(&backends, &p->out->backend);
	if (!backend)
		return WEIR_REASON_INTERNAL;
	p->way = &backend->way[*(const volatile __u32 *)&backend->active & 1];
	asm volatile("" : "+r"(p->way)); /* worked out once: clang would do it again for each member */
	if (p->way->flags & WEIR_WAY_LOCAL)
		return WEIR_REASON_LOCAL;
	return p->way->flags & WEIR_WAY_RESOLVED ? WEIR_REASON_GO_ON : WEIR_REASON_UNRESOLVED;
}

#endif
