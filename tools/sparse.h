/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For `tools/lint sparse` only, included before each BPF source: libbpf's byte-order macros with the types that they
 * mean, so that sparse finds wire order taken for host order and the other way round.
 */
#include <linux/types.h>

#include <bpf/bpf_endian.h>

#undef bpf_htons
#undef bpf_ntohs
#undef bpf_htonl
#undef bpf_ntohl
#define bpf_htons(x) ((__be16 __attribute__((force)))__builtin_bswap16((__u16)(x)))
#define bpf_htonl(x) ((__be32 __attribute__((force)))__builtin_bswap32((__u32)(x)))

static inline __u16 bpf_ntohs(__be16 x)
{
	return __builtin_bswap16((__u16 __attribute__((force)))x);
}

static inline __u32 bpf_ntohl(__be32 x)
{
	return __builtin_bswap32((__u32 __attribute__((force)))x);
}
