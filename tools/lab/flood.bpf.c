// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/*
 * Makes the packets of a flood, each from another address and port, all of them whole to the last checksum. flood.c has the
 * kernel run it for live frames: what it makes goes up the stack as if it had just come in by the wire.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flood.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flood);
} floods SEC(".maps");

static __always_inline __u32 mixed(__u32 x)
{
	x = (x ^ x >> 16) * 0x7feb352d;
	x = (x ^ x >> 15) * 0x846ca68b;
	return x ^ x >> 16;
}

static __always_inline void put_checksum(__sum16 *at, __u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*(__be16 *)at = bpf_htons((__u16)~sum);
}

static __always_inline __u32 halves(__u32 word)
{
	return (word >> 16) + (word & 0xffff);
}

SEC("xdp")
int flood(struct xdp_md *ctx)
{
	__u64 *word = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)word + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 zero = 0, number, source, port, sequence;
	struct flood *plan = bpf_map_lookup_elem(&floods, &zero);
	int i;

	if (!plan || (void *)(word + FLOOD_WORDS) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	for (i = 0; i < FLOOD_WORDS; i++)
		word[i] = plan->word[i];
	number = plan->number++;
	/* an odd factor makes each number another address, until the prefix is used up */
	source = plan->source | ((number * 0x9e3779b1U + plan->seed) & plan->mask);
	sequence = mixed(number ^ plan->seed);
	port = 1024 + mixed(sequence + 1) % 64000;
	ip->saddr = bpf_htonl(source);
	put_checksum(&ip->check, plan->ip_sum + halves(source));
	tcp->source = bpf_htons((__u16)port);
	tcp->seq = bpf_htonl(sequence);
	put_checksum(&tcp->check, plan->tcp_sum + halves(source) + port + halves(sequence));
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
