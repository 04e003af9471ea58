/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The frame's link layer as a value: read, changed, and written again in front of an IP packet whose place in the frame has moved. Encapsulation,
 * decapsulation, VLAN tags pushed or popped, and ICMP answers are all this one operation.
 */
#ifndef WEIR_BPF_LINK_H
#define WEIR_BPF_LINK_H

#include "parse.h"

struct link {
	__u32 mac[3]; /* destination and source, as they lie in the frame */
	__u32 tags;
	__u32 tag[TAGS_MAX];
};

/* The frame's own, as it came. */
static __always_inline bool link_read(const struct packet *p, struct link *link)
{
	const __u32 *word = p->data;

	if ((const void *)(word + 5) > p->end) /* never: an IP header follows */
		return false;
	link->mac[0] = word[0];
	link->mac[1] = word[1];
	link->mac[2] = word[2];
	link->tags = p->tags;
	link->tag[0] = word[3]; /* of meaning only where there are tags */
	link->tag[1] = word[4];
	return true;
}

/*
 * Moves the frame's head by `move` bytes (less than 0: towards the front) and writes the link layer there. Returns where the network header is,
 * NULL if there is no room. All pointers into the packet are void after this.
 */
static __always_inline void *link_write(struct xdp_md *ctx, const struct link *link, int move, __be16 type)
{
	void *data, *end;
	__u32 *word;

	if (move != 0 && bpf_xdp_adjust_head(ctx, move))
		return NULL;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + ETH_HLEN + 4 * TAGS_MAX > end) /* never: an IP header follows, tags or not */
		return NULL;
	word = data;
	word[0] = link->mac[0];
	word[1] = link->mac[1];
	word[2] = link->mac[2];
	word += 3;
	if (link->tags > 0)
		*word++ = link->tag[0];
	if (link->tags > 1)
		*word++ = link->tag[1];
	*(__be16 *)word = type;
	return (__be16 *)word + 1;
}

#endif
