/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The way out: the MACs of the backend's way are written, in front of the packet as it came (`dsr`) or of an outer IP header (`ipip`). The packet itself keeps
 * all its bytes. What would not fit the way is answered, not sent.
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

/* Destination and source: they lie in the way as in a frame. */
static __always_inline void write_macs(void *frame, const struct weir_way *way)
{
	const __u32 *mac = (const void *)&way->dst_mac;
	__u32 *word = frame;

	word[0] = mac[0];
	word[1] = mac[1];
	word[2] = mac[2];
}

static __always_inline bool forward_dsr(const struct packet *p)
{
	if (p->data + ETH_HLEN > p->end) /* never */
		return false;
	write_macs(p->data, p->way);
	return true;
}

/* The link layer in front of an outer header at offset l3: that of the frame but for the MACs and the ethertype. */
static __always_inline void write_link(void *frame, const struct packet *p, __be16 type)
{
	__u32 *tag = frame + 2 * ETH_ALEN;

	write_macs(frame, p->way);
	if (p->tags > 0)
		tag[0] = p->tag[0];
	if (p->tags > 1)
		tag[1] = p->tag[1];
	*(__be16 *)(frame + p->l3 - 2) = type;
}

static __always_inline bool forward_tunnel(const struct packet *p, const bool outer6)
{
	__u32 outer = outer6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	__u32 padding = frame_size(p->ctx) - p->l3 - p->length;
	struct inner inner = {.length = p->length, .proto = p->ip6 ? IPPROTO_IPV6 : IPPROTO_IPIP};
	const __u8 *ip = p->data + p->l3;
	void *frame;

	if ((const void *)(ip + 2) > p->end) /* never */
		return false;
	inner.tos = p->ip6 ? (__u8)(ip[0] << 4 | ip[1] >> 4) : ip[1];
	if (padding)
		bpf_xdp_adjust_tail(p->ctx,
				    -(int)padding); /* where it fails the padding goes along, and harms nobody */
	if (bpf_xdp_adjust_head(p->ctx, -(int)outer))
		return false;
	frame = (void *)(long)p->ctx->data;
	if (frame + p->l3 + outer > (void *)(long)p->ctx->data_end) /* never */
		return false;
	write_link(frame, p, outer6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP));
	if (outer6)
		encap_write_ip6(frame + p->l3, &inner, p->way, (__u32)p->hash & 0xfffff);
	else
		encap_write_ip4(frame + p->l3, &inner, p->way);
	return true;
}

static __always_inline enum weir_reason forward(const struct packet *p)
{
	const struct weir_way *way = p->way;
	bool tunnel = p->out->word.forward == WEIR_IPIP, outer6 = way->flags & WEIR_WAY_IP6;
	__u32 outer = !tunnel ? 0 : outer6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	bool done;

	if (p->length + outer > way->mtu)
		return too_big(p, outer);
	if (!tunnel)
		done = forward_dsr(p);
	else
		done = outer6 ? forward_tunnel(p, true) : forward_tunnel(p, false);
	if (done && way->tags != WEIR_TAGS_KEEP && (way->tags | p->tags) != 0)
		done = link_retag(p->ctx, way->tags, *(const __u32 *)&way->tag[0], *(const __u32 *)&way->tag[1]) == 0;
	if (!done)
		return WEIR_REASON_NO_HEADROOM;
	p->out->ifindex = way->ifindex;
	return way->ifindex == p->ctx->ingress_ifindex ? WEIR_REASON_FORWARDED : WEIR_REASON_REDIRECTED;
}

#endif
