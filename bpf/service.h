/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * Is the packet for a service, and for which? service_find_vip is what every packet of the host pays: one lookup by destination address.
 * Only for an address that is in `vips` is anything else looked at; service_match then says whether protocol and port are a service's. All that
 * is not stays "not for a service" and goes up untouched.
 */
#ifndef WEIR_BPF_SERVICE_H
#define WEIR_BPF_SERVICE_H

#include "../include/weir/hash.h"
#include "icmp.h"
#include "maps.h"
#include "parse.h"
#include "port.h"

/* Index of the VIP with this address in the chain from `index` on, or WEIR_VIP_NONE. Global, like listener_search. */
__noinline __u32 vip_search(__u64 addr0, __u64 addr1, __u32 index)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < WEIR_VIP_CHAIN_MAX && index != WEIR_VIP_NONE; i++) {
		const struct weir_vip *vip = bpf_map_lookup_elem(&vips, &index);

		if (!vip)
			break;
		if (addr_half(&vip->addr, 0) == addr0 && addr_half(&vip->addr, 1) == addr1)
			return index;
		index = *(const volatile __u32 *)&vip->next;
	}
	return WEIR_VIP_NONE;
}

static __always_inline const struct weir_vip *vip_find(const struct weir_addr *addr)
{
	__u32 nr = weir_addr_bucket(addr), index;
	const struct weir_vip_bucket *bucket = bpf_map_lookup_elem(&vip_buckets, &nr);
	const struct weir_vip *vip;

	if (!bucket)
		return NULL;
	index = *(const volatile __u32 *)&bucket->first;
	if (index == WEIR_VIP_NONE)
		return NULL;
	vip = bpf_map_lookup_elem(&vips, &index);
	if (!vip || addr_difference(&vip->addr, addr) == 0)
		return vip;
	index = *(const volatile __u32 *)&vip->next;
	if (index == WEIR_VIP_NONE)
		return NULL;
	index = vip_search(addr_half(addr, 0), addr_half(addr, 1), index);
	return index == WEIR_VIP_NONE ? NULL : bpf_map_lookup_elem(&vips, &index);
}

static __always_inline enum weir_reason service_find_vip(struct packet *p)
{
	p->vip = vip_find(&p->flow.dst);
	if (!p->vip || !frame_is_ours(p) || !parse_transport(p))
		return WEIR_REASON_NOT_SERVICE;
	return WEIR_REASON_GO_ON;
}

/* Does the stretch hold all ports from first to last? */
static __always_inline bool listener_holds(const struct weir_listener *l, __u32 proto, __u32 first, __u32 last)
{
	return l->proto == proto && l->first <= first && last <= l->last;
}

/*
 * Binary search among many: stretches never overlap, so the last one that begins at or before `first` is the only candidate. Steps of halving size
 * from the front, so that there are nine whatever the table holds. Global, like all that is not the common case: the verifier looks at it once. (The address is
 * given in two halves because kernels before 5.12 allow such a function no pointer to it.)
 */
__noinline int listener_search(__u64 addr0, __u64 addr1, __u32 proto, __u32 first, __u32 last)
{
	__u64 addr[2] = {addr0, addr1};
	const struct weir_listener_table *table = bpf_map_lookup_elem(&listeners, addr);
	__u32 key = proto << 16 | first, place = 0;

	if (!table)
		return -1;
#pragma unroll
	for (__u32 step = WEIR_LISTENERS_MAX / 2; step > 0; step /= 2) {
		__u32 next = (place + step) & (WEIR_LISTENERS_MAX - 1);

		if (next < table->listeners &&
		    ((__u32)table->listener[next].proto << 16 | table->listener[next].first) <= key)
			place = next;
		place = (__u32)opaque(place, key);
	}
	place &= WEIR_LISTENERS_MAX - 1;
	return listener_holds(&table->listener[place], proto, first, last) ? table->listener[place].service : -1;
}

/* Index of the service that has all ports from first to last, or -1. */
static __always_inline int listener_find(const struct packet *p, __u32 first, __u32 last)
{
	if (p->vip->listeners > WEIR_LISTENERS_INLINE)
		return listener_search(addr_half(&p->flow.dst, 0), addr_half(&p->flow.dst, 1), p->flow.proto, first,
				       last);
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < WEIR_LISTENERS_INLINE && i < p->vip->listeners; i++)
		if (listener_holds(&p->vip->listener[i], p->flow.proto, first, last))
			return p->vip->listener[i].service;
	return -1;
}

static __always_inline enum weir_reason service_match(struct packet *p)
{
	bool later = p->fragment == FRAGMENT_LATER;
	const union weir_service *service;
	__u32 port;
	int index;

	if (p->proto == (p->ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		if (later || !icmp_find_flow(p))
			return WEIR_REASON_NOT_SERVICE;
	} else if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP) {
		return WEIR_REASON_NOT_SERVICE;
	}
	/* a later fragment shows no port: it is for a service only where that has them all */
	port = bpf_ntohs(p->flow.dport);
	index = listener_find(p, later ? 0 : port, later ? 0xffff : port);
	if (index < 0)
		return WEIR_REASON_NOT_SERVICE;
	if (p->fragment != FRAGMENT_NONE)
		return WEIR_REASON_FRAGMENT;
	p->out->service = (__u32)index;
	service = bpf_map_lookup_elem(&services, &p->out->service);
	if (!service)
		return WEIR_REASON_INTERNAL;
	/* one load: the agent may store another word meanwhile; and from here on its members are read from memory (struct outcome) */
	p->out->word.word = *(const volatile __u64 *)&service->word;
	asm volatile("" : : "r"(p->out) : "memory");
	return p->out->word.slot_bits ? WEIR_REASON_GO_ON : WEIR_REASON_INTERNAL;
}

#endif
