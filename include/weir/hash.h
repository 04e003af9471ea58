/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * Flow hash and mixing: the same bits in the data path, in the table builder, in `weir explain` and in the tests.
 * Plain 64-bit arithmetic, so that BPF, every compiler and both byte orders agree. Changing one bit here moves
 * connections when two versions run side by side: it is part of the layout.
 */
#ifndef WEIR_HASH_H
#define WEIR_HASH_H

#include <linux/types.h>

#include "abi.h"

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit. */
static inline __attribute__((always_inline)) __u64 weir_mix(__u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* Two words of an address as they stand, as one number. */
static inline __attribute__((always_inline)) __u64 weir_pair(const __be32 *word)
{
	return (WEIR_BITS(__u64))word[0] << 32 | (WEIR_BITS(__u64))word[1];
}

/*
 * The bucket of a VIP, out of WEIR_VIP_BUCKETS. Every packet of the host pays for it, and only the operator names VIPs:
 * so it is quick, and not as thorough as weir_mix. Of the words as they lie in memory, like the flow hash.
 */
static inline __attribute__((always_inline)) __u32 weir_addr_bucket(const struct weir_addr *addr)
{
	__u64 both = weir_pair(addr->word) * 0x9e3779b97f4a7c15ULL ^ weir_pair(addr->word + 2);

	return (__u32)(both * 0xbf58476d1ce4e5b9ULL >> 50);
}

/*
 * Hash of a flow. src and dst as in `struct weir_addr` (network order, IPv4 mapped), ports in network order.
 * `affinity client`: ports, proto and dst are passed as 0, so that only the client's address counts.
 * The words are taken as they lie in memory on a little-endian machine; a big-endian build swaps when it loads them.
 */
static inline __attribute__((always_inline)) __u64
weir_flow_hash(const struct weir_addr *src, const struct weir_addr *dst, __be16 sport, __be16 dport, __u8 proto)
{
	__u64 h = 0x9e3779b97f4a7c15ULL;
	__u64 ports = (__u64)proto << 32 | (WEIR_BITS(__u64))sport << 16 | (WEIR_BITS(__u64))dport;

	if ((src->word[0] | src->word[1]) != 0) /* IPv6: not so for a mapped IPv4 address */
		h = weir_mix(h ^ weir_pair(src->word));
	h = weir_mix(h ^ weir_pair(src->word + 2));
	if ((dst->word[0] | dst->word[1]) != 0)
		h = weir_mix(h ^ weir_pair(dst->word) * 0x9e3779b97f4a7c15ULL);
	h = weir_mix(h ^ weir_pair(dst->word + 2) ^ ports << 24);
	return h;
}

/* The slot of a flow: bits = log2 of the service's number of slots. */
static inline __attribute__((always_inline)) __u32 weir_flow_slot(__u64 hash, __u8 bits)
{
	return (__u32)(hash >> (64 - bits));
}

#endif
