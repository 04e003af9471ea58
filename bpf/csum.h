/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * Internet checksums by hand: for 20 bytes a helper call costs more than the sum. A ones' complement sum may be taken over words of any size, so
 * 32-bit words go into a 64-bit accumulator and the carries are folded in once at the end.
 */
#ifndef WEIR_BPF_CSUM_H
#define WEIR_BPF_CSUM_H

#include "parse.h"

enum { CSUM_WORDS_MAX = 320 }; /* more than an ICMP answer has */

/* What goes into a checksum field, in network order as it stands. 0 for a sum that already includes a right checksum. */
static __always_inline __sum16 csum_fold(__u64 sum)
{
	sum = (__u32)sum + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (WEIR_BITS(__sum16))(__u16)~sum;
}

/* Sum over five words: an IPv4 header without options. Written out, since clang unrolls a loop here too late for its own good. */
static __always_inline __u64 csum_ip4(const void *header)
{
	const __u32 *word = header;

	return (__u64)word[0] + word[1] + word[2] + word[3] + word[4];
}

/*
 * Sum over 32-bit words of the packet, from `offset` on, as many as there are in the frame. Global, so that the verifier walks its loop once, not once for
 * each way that leads to it.
 */
__noinline __u32 csum_packet(struct xdp_md *ctx, __u32 offset, __u32 words)
{
	const void *end = (void *)(long)ctx->data_end;
	const __u32 *word = (void *)(long)ctx->data + (offset & OFFSET_MAX);
	__u64 sum = 0;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < CSUM_WORDS_MAX && i < words && (const void *)(word + i + 1) <= end; i++)
		sum += word[i];
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (__u32)(sum & 0xffffffff) + (__u32)(sum >> 32);
}

#endif
