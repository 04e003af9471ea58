/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What another weir node has already forwarded is never forwarded again: two nodes whose tables differ for a moment would else send a packet to and fro.
 * It is passed up where this node is itself a backend of the service, and dropped where it is not. A peer is known by its MAC (dsr), or by
 * its address as outer source (ipip).
 */
#ifndef WEIR_BPF_PEER_H
#define WEIR_BPF_PEER_H

#include "link.h"
#include "maps.h"
#include "parse.h"
#include "service.h"

/* Is it the address of a peer (with this MAC, unless that is 0)? Global, and given in two halves, for the reasons that listener_search has. */
__noinline __u32 peer_has_addr(__u64 first, __u64 second, __u64 mac)
{
	const struct weir_node *n = node_find();
	__u32 found = 0;

	if (!n)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < WEIR_PEERS_MAX && i < n->peers; i++)
		found |= addr_half(&n->peer[i].addr, 0) == first && addr_half(&n->peer[i].addr, 1) == second &&
			 (!mac || mac_load(n->peer[i].mac) == mac);
	return found;
}

/*
 * The service that the packet inside a tunnel is for, plus 1; 0 = none. offset: of the inner IP header. A (global) function of its own, since it has a whole
 * parser, which only packets from peers shall pay for.
 */
__noinline __u32 peer_inner_service(struct xdp_md *ctx, __u32 offset, __u32 is_ip6)
{
	struct outcome out = {};
	struct packet p = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.node = node_find(),
		.out = &out,
		.l3 = offset & OFFSET_MAX,
		.ip6 = is_ip6 != 0,
	};
	const __u8 *ip = p.data + p.l3;

	if (!p.node || parse_addresses(&p) != WEIR_REASON_GO_ON || (const void *)(ip + 1) > p.end)
		return 0;
	p.vip = ip[0] >> 4 == (is_ip6 ? 6 : 4) ? vip_find(&p.flow.dst) : NULL;
	if (!p.vip || !parse_transport(&p) || service_match(&p) != WEIR_REASON_GO_ON)
		return 0;
	return out.service + 1;
}

/* A tunnel packet from a peer to this node itself: the peer took this node for the backend, by a service of which it is one. */
static __always_inline enum weir_reason peer_tunnel(struct packet *p)
{
	bool inner6 = p->proto == IPPROTO_IPV6;
	const union weir_service *service;
	const __be16 *ip;
	struct link link;
	__u32 found;

	if (!(p->vip->flags & WEIR_VIP_SELF) || (p->proto != IPPROTO_IPIP && !inner6) || p->fragment != FRAGMENT_NONE)
		return WEIR_REASON_GO_ON;
	if (!peer_has_addr(addr_half(&p->flow.src, 0), addr_half(&p->flow.src, 1), 0))
		return WEIR_REASON_NOT_SERVICE;
	found = peer_inner_service(p->ctx, p->l4, inner6);
	if (!found)
		return WEIR_REASON_NOT_SERVICE;
	p->out->service = found - 1;
	service = bpf_map_lookup_elem(&services, &p->out->service);
	if (!service || !(service->flags & WEIR_SERVICE_LOCAL))
		return WEIR_REASON_PEER_LOOP;
	if (!link_read(p, &link))
		return WEIR_REASON_INTERNAL;
	/* the outer header goes: the link layer takes its place */
	ip = link_write(p->ctx, &link, (int)(p->l4 - p->l3), inner6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP));
	if (!ip || (const void *)(ip + 3) > (void *)(long)p->ctx->data_end)
		return WEIR_REASON_INTERNAL;
	p->out->length = inner6 ? bpf_ntohs(ip[2]) + (__u32)sizeof(struct ipv6hdr) : bpf_ntohs(ip[1]);
	return WEIR_REASON_PEER_LOCAL;
}

/* A packet for a service: has a peer sent it on (its MAC, but not its address)? What a peer sends as a client goes on like any other. */
static __always_inline enum weir_reason peer_check(const struct packet *p)
{
	const __u8 *mac = p->data + ETH_ALEN;
	__u64 source, from_peer = 0;
	struct weir_addr src;

	if (p->node->peers == 0 ||
	    (const void *)(mac + sizeof(__u64)) > p->end) /* the latter never: there is an IP header */
		return WEIR_REASON_GO_ON;
	source = mac_load(mac);
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < WEIR_PEERS_MAX && i < p->node->peers; i++)
		from_peer |= is_zero(mac_load(p->node->peer[i].mac) ^ source);
	if (!from_peer || source == 0 || !packet_source(p, &src) ||
	    peer_has_addr(addr_half(&src, 0), addr_half(&src, 1), source))
		return WEIR_REASON_GO_ON;
	return p->out->word.flags & WEIR_SERVICE_LOCAL ? WEIR_REASON_PEER_LOCAL : WEIR_REASON_PEER_LOOP;
}

#endif
