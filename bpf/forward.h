/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The way out: MACs and VLAN tags of the backend's way are written, in front of the packet as it came (`dsr`) or of an outer IP header (`ipip`). The
 * packet itself keeps all its bytes. What would not fit the way is answered, not sent.
 */
#ifndef WEIR_BPF_FORWARD_H
#define WEIR_BPF_FORWARD_H

#include "encap.h"
#include "icmp.h"
#include "link.h"
#include "maps.h"

static __always_inline enum weir_reason too_big(const struct packet *p, __u32 outer)
{
	const struct iphdr *ip = p->data + p->l3;

	/* no error about an error, and none where the sender lets routers cut the packet (which weir does not do) */
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		return WEIR_REASON_TOO_BIG;
	if (!p->ip6 && ((void *)(ip + 1) > p->end || !(ip->frag_off & bpf_htons(IP4_DF))))
		return WEIR_REASON_TOO_BIG;
	return (enum weir_reason)icmp_answer_too_big(p->ctx, p->length, p->way->mtu > outer ? p->way->mtu - outer : 0);
}

static __always_inline void way_link(const struct packet *p, struct link *link)
{
	const struct weir_way *way = p->way;
	const __u32 *mac = (const void *)&way->dst_mac; /* source follows destination there as in a frame */
	const __u32 *frame = p->data;

	link->tags = way->tags;
	link->tag[0] = *(const __u32 *)&way->tag[0];
	link->tag[1] = *(const __u32 *)&way->tag[1];
	if (way->tags > TAGS_MAX && (const void *)(frame + 5) <= p->end) { /* the latter always: an IP header follows */
		link->tags = p->tags;
		link->tag[0] = frame[3];
		link->tag[1] = frame[4];
	}
	link->mac[0] = mac[0];
	link->mac[1] = mac[1];
	link->mac[2] = mac[2];
}

static __always_inline void read_inner(const struct packet *p, struct inner *inner)
{
	const __u8 *ip = p->data + p->l3;

	inner->length = p->length;
	inner->proto = p->ip6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	inner->tos = 0;
	if ((const void *)(ip + 2) <= p->end) /* always */
		inner->tos = p->ip6 ? (__u8)(ip[0] << 4 | ip[1] >> 4) : ip[1];
}

static __always_inline enum weir_reason forward_tunnel(const struct packet *p, __u32 outer)
{
	const struct weir_way *way = p->way;
	bool out6 = way->flags & WEIR_WAY_IP6;
	__u32 padding = frame_size(p->ctx) - p->l3 - p->length;
	struct inner inner;
	struct link link;
	void *header;
	bool done;

	read_inner(p, &inner);
	way_link(p, &link);
	if (padding)
		bpf_xdp_adjust_tail(p->ctx,
				    -(int)padding); /* where it fails the padding goes along, and harms nobody */
	header = link_write(p->ctx, &link, (int)(p->l3 - ETH_HLEN - 4 * link.tags - outer),
			    out6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP));
	if (!header)
		return WEIR_REASON_NO_HEADROOM;
	if (out6)
		done = encap_write_ip6(p->ctx, header, &inner, way, (__u32)p->hash & 0xfffff);
	else
		done = encap_write_ip4(p->ctx, header, &inner, way);
	return done ? WEIR_REASON_GO_ON : WEIR_REASON_NO_HEADROOM;
}

static __always_inline enum weir_reason forward(const struct packet *p)
{
	enum weir_reason reason = WEIR_REASON_GO_ON;
	__u32 outer = 0;

	if (p->word.forward == WEIR_IPIP)
		outer = p->way->flags & WEIR_WAY_IP6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	if (p->length + outer > p->way->mtu)
		return too_big(p, outer);
	if (p->word.forward == WEIR_IPIP) {
		reason = forward_tunnel(p, outer);
	} else {
		struct link link;

		way_link(p, &link);
		if (!link_write(p->ctx, &link, (int)(p->l3 - ETH_HLEN - 4 * link.tags),
				p->ip6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP)))
			reason = WEIR_REASON_NO_HEADROOM;
	}
	if (reason != WEIR_REASON_GO_ON)
		return reason;
	return p->way->ifindex == p->ctx->ingress_ifindex ? WEIR_REASON_FORWARDED : WEIR_REASON_REDIRECTED;
}

#endif
