/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The outer header of a tunnel: IPv4 or IPv6 around IPv4 or IPv6. Traffic class and ECN are copied from the inner header, the length is that of the
 * inner packet by its own header (never the frame's: drivers pad, and some lie), an outer IPv4 header is never fragmented.
 */
#ifndef WEIR_BPF_ENCAP_H
#define WEIR_BPF_ENCAP_H

#include "csum.h"
#include "parse.h"

enum { TUNNEL_TTL = 64 };

/* What the outer header takes from the inner packet; to be read before the head is moved. */
struct inner {
	__u32 length;
	__u8 proto; /* IPPROTO_IPIP or IPPROTO_IPV6 */
	__u8 tos;   /* or traffic class */
};

static __always_inline void encap_write_ip4(void *header, const struct inner *inner, const struct weir_way *way)
{
	__be32 *word = header;

	word[0] = bpf_htonl(0x45000000 | (__u32)inner->tos << 16 | (inner->length + (__u32)sizeof(struct iphdr)));
	word[1] = bpf_htonl(IP4_DF);
	word[2] = bpf_htonl(TUNNEL_TTL << 24 | (__u32)inner->proto << 16);
	word[3] = way->src.word[3];
	word[4] = way->dst.word[3];
	((struct iphdr *)header)->check = csum_fold(csum_ip4(word));
}

static __always_inline void encap_write_ip6(void *header, const struct inner *inner, const struct weir_way *way,
					    __u32 label)
{
	__be32 *word = header;

	word[0] = bpf_htonl(0x60000000 | (__u32)inner->tos << 20 | label);
	word[1] = bpf_htonl(inner->length << 16 | (__u32)inner->proto << 8 | TUNNEL_TTL);
#pragma unroll
	for (int i = 0; i < 4; i++) {
		word[2 + i] = way->src.word[i];
		word[6 + i] = way->dst.word[i];
	}
}

#endif
