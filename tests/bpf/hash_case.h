/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes into the functions of weir/hash.h, and what comes out: compiled for BPF and for this machine. */
#ifndef WEIR_TESTS_BPF_HASH_CASE_H
#define WEIR_TESTS_BPF_HASH_CASE_H

#include "../../include/weir/hash.h"

struct hash_case {
	__u64 hash; /* answers */
	__u64 mixed;
	__u32 slot;
	__u32 bucket;
	struct weir_addr src, dst;
	__be16 sport, dport;
	__u8 proto;
	__u8 bits;
	__u16 pad;
};

static inline __attribute__((always_inline)) void hash_case_compute(struct hash_case *c)
{
	c->hash = weir_flow_hash(&c->src, &c->dst, c->sport, c->dport, c->proto);
	c->mixed = weir_mix(weir_pair(c->src.word));
	c->slot = weir_flow_slot(c->hash, c->bits);
	c->bucket = weir_addr_bucket(&c->dst);
}

#endif
