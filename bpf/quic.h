/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What a UDP datagram says of a QUIC handshake, by its long header: the first bytes, and the two connection ids (RFC 8999, 9000, 9369). UDP of any
 * other kind must not be taken for it, since what opens a connection may go to another backend than the flow's: only the versions that there are count, and an
 * Initial only in a datagram as large as every client must make it, which servers too insist on. All else is data, which is always right: a
 * QUIC that this does not know moves when `learn-udp` is over, like all UDP.
 */
#ifndef WEIR_BPF_QUIC_H
#define WEIR_BPF_QUIC_H

#include "../include/weir/hash.h"
#include "parse.h"

enum {
	QUIC_LONG = 0xc0, /* of the first byte: a long header */
	QUIC_TYPE = 0x30,
	QUIC_TYPE_INITIAL = 0x00, /* version 1 */
	QUIC_TYPE_INITIAL_2 = 0x10,
	QUIC_VERSION_1 = 0x00000001,
	QUIC_VERSION_2 = 0x6b3343cf,
	QUIC_IDS = 5, /* where the connection ids begin, each with a byte that says how long it is */
	QUIC_ID_MAX = 20,
	QUIC_INITIAL_MIN = 1200, /* bytes of a datagram with an Initial in it */
};

struct quic {
	bool initial;   /* else another long header */
	__u32 to, from; /* hashes of the destination's and the source's connection id */
};

/* Eight bytes, of which the first `length` count. */
static __always_inline __u64 quic_word(__u64 word, __u32 length)
{
	return length >= 8 ? word : word & ~(~0ULL << 8 * length);
}

/*
 * Hash of the connection id at `offset`, behind the byte that says how long it is, and that length << 32; 0 = there is none that can be read. The twenty
 * bytes that the longest would have are always there: no packet protection leaves fewer behind an id.
 */
__noinline __u64 quic_id(struct xdp_md *ctx, __u32 offset)
{
	const __u8 *length = (void *)(long)ctx->data + (offset & OFFSET_MAX), *id = length + 1;
	__u64 hash;

	if ((void *)(id + QUIC_ID_MAX) > (void *)(long)ctx->data_end || *length > QUIC_ID_MAX)
		return 0;
	hash = weir_mix(*length + 1ULL);
	hash = weir_mix(hash ^ quic_word(*(const __u64 *)id, *length));
	hash = weir_mix(hash ^ (*length > 8 ? quic_word(*(const __u64 *)(id + 8), *length - 8U) : 0));
	hash = weir_mix(hash ^ (*length > 16 ? quic_word(*(const __u32 *)(id + 16), *length - 16U) : 0));
	return (__u64)*length << 32 | (__u32)(hash >> 32) | 1;
}

/* Is the UDP packet, whose header lies at p->l4, one of a QUIC handshake? */
static __always_inline bool quic_read(const struct packet *p, struct quic *quic)
{
	const struct udphdr *udp = p->data + p->l4;
	const __u8 *first = (const void *)(udp + 1);
	__u32 place = p->l4 + (__u32)sizeof(*udp) + QUIC_IDS, version, length;
	__u64 to, from;

	if ((const void *)(first + QUIC_IDS) > p->end || (first[0] & QUIC_LONG) != QUIC_LONG)
		return false;
	version = (__u32)first[1] << 24 | (__u32)first[2] << 16 | (__u32)first[3] << 8 | first[4];
	if (version != QUIC_VERSION_1 && version != QUIC_VERSION_2)
		return false;
	to = quic_id(p->ctx, place);
	if (!to)
		return false;
	from = quic_id(p->ctx, place + 1 + (__u32)(to >> 32));
	length = bpf_ntohs(udp->len) - (__u32)sizeof(*udp);
	if (!from || QUIC_IDS + 2 + (to >> 32) + (from >> 32) > length)
		return false;
	quic->initial = (first[0] & QUIC_TYPE) == (version == QUIC_VERSION_2 ? QUIC_TYPE_INITIAL_2 : QUIC_TYPE_INITIAL);
	quic->to = (__u32)to;
	quic->from = (__u32)from;
	return !quic->initial || length >= QUIC_INITIAL_MIN;
}

#endif
