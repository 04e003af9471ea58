/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The frame's link layer as a value: read, changed, and written again in front of an IP packet whose place in the frame has moved. Decapsulation, VLAN tags
 * pushed or popped, and ICMP answers are this one operation.
 */
#ifndef WEIR_BPF_LINK_H
#define WEIR_BPF_LINK_H

#include "parse.h"

struct link {
	__u16 mac[6]; /* destination and source, as they lie in the frame */
	__u32 tags;
	__u32 tag[TAGS_MAX];
};

/* The frame's own, as it came. */
static __always_inline bool link_read(const struct packet *p, struct link *link)
{
	const __u16 *mac = p->data;

	if ((const void *)(mac + 6) > p->end)
		return false;
#pragma unroll
	for (int i = 0; i < 6; i++)
		link->mac[i] = mac[i];
	link->tags = p->tags;
	link->tag[0] = p->tag[0];
	link->tag[1] = p->tag[1];
	return true;
}

/*
 * Moves the frame's head by `move` bytes (less than 0: towards the front) and writes the link layer there. Returns where the network header is,
 * NULL if there is no room. All pointers into the packet are void after this.
 */
static __always_inline void *link_write(struct xdp_md *ctx, const struct link *link, int move, __be16 type)
{
	void *data, *end;
	__u16 *mac;
	__u32 *tag;

	if (move != 0 && bpf_xdp_adjust_head(ctx, move))
		return NULL;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + ETH_HLEN + 4 * TAGS_MAX > end) /* never: an IP header follows, tags or not */
		return NULL;
	mac = data;
#pragma unroll
	for (int i = 0; i < 6; i++)
		mac[i] = link->mac[i];
	tag = (__u32 *)(mac + 6);
	if (link->tags > 0)
		*tag++ = link->tag[0];
	if (link->tags > 1)
		*tag++ = link->tag[1];
	*(__be16 *)tag = type;
	return (__be16 *)tag + 1;
}

/* Gives the frame these tags (at most two, the outer one first) instead of those that it has. Returns 0, or 1 if there is no room. */
__noinline __u32 link_retag(struct xdp_md *ctx, __u32 tags, __u32 outer, __u32 inner)
{
	struct packet p = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};
	__be16 type = parse_link(&p);
	struct link link;

	if (tags > TAGS_MAX || !link_read(&p, &link))
		return 1;
	link.tags = tags;
	link.tag[0] = outer;
	link.tag[1] = inner;
	return !link_write(ctx, &link, 4 * (int)(p.tags - tags), type);
}

#endif
