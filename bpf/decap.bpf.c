// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/*
 * The backend's side of `forward ipip`, for machines without a tunnel device: strips the outer header of 4in4, 6in4, 4in6 and 6in6 packets that are
 * addressed to this machine. Everything else goes up to the stack untouched; nothing is ever dropped.
 *
 * The loader (`weir decap attach IFACE`)
 *   - puts every address that may be an outer destination (those of IFACE) into `decap_addrs`: key as in weir/abi.h (IPv4 mapped), value 1;
 *   - attaches program `decap` to IFACE, and knows it again by the names of program and maps: nothing is pinned;
 *   - reads `decap_counters`, per CPU, by enum weir_decap_reason (weir/decap.h).
 *
 * As with any tunnel device that takes packets from everywhere: who can send to this machine can send inner packets with any source.
 */
#include "../include/weir/decap.h"
#include "csum.h"
#include "link.h"
#include "parse.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct weir_addr);
	__type(value, __u32);
} decap_addrs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEIR_DECAP_REASON_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} decap_counters SEC(".maps");

enum { ECN_CE = 3, ECN_NOT_CAPABLE = 0 };

static __always_inline __u32 ecn_of(const __u8 *ip, bool ip6)
{
	return (ip6 ? ip[1] >> 4 : ip[1]) & 3;
}

/* A router has marked the outer header: the inner one must say so too (RFC 6040), or the sender never hears of it. */
static __always_inline void mark_congestion(__u8 *ip, bool ip6)
{
	if (ip6) {
		ip[1] |= ECN_CE << 4;
	} else {
		struct iphdr *header = (struct iphdr *)ip;
		__u16 before = *(__u16 *)ip;

		ip[1] |= ECN_CE;
		header->check = csum_fold((__u64)(WEIR_BITS(__u16)) ~header->check + (__u16)~before + *(__u16 *)ip);
	}
}

static __always_inline bool outer_is_sound(const struct packet *p, __u32 *length)
{
	if (p->ip6) {
		const struct ipv6hdr *ip6 = p->data + p->l3;

		if ((void *)(ip6 + 1) > p->end || ip6->version != 6)
			return false;
		*length = bpf_ntohs(ip6->payload_len) + (__u32)sizeof(*ip6);
	} else {
		const struct iphdr *ip = p->data + p->l3;
		__u64 sum;

		if ((void *)(ip + 1) > p->end || ip->version != 4 || ip->ihl < 5)
			return false;
		*length = bpf_ntohs(ip->tot_len);
		sum = csum_ip4(ip) + csum_packet(p->ctx, p->l3 + (__u32)sizeof(*ip), ip->ihl - 5U);
		if (csum_fold(sum) != 0)
			return false;
	}
	return p->l3 + *length <= frame_size(p->ctx) && p->l4 - p->l3 < *length;
}

/* Of the version that the outer header says, and no longer than the outer packet has room for. */
static __always_inline bool inner_is_sound(const __u8 *ip, bool ip6, __u32 room)
{
	__u32 length;

	if (ip[0] >> 4 != (ip6 ? 6 : 4))
		return false;
	length = ip6 ? bpf_ntohs(*(const __be16 *)(ip + 4)) + (__u32)sizeof(struct ipv6hdr)
		     : bpf_ntohs(*(const __be16 *)(ip + 2));
	return length >= (ip6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) && length <= room;
}

static __always_inline enum weir_decap_reason strip(struct packet *p)
{
	bool ip6 = p->proto == IPPROTO_IPV6;
	const __u8 *outer = p->data + p->l3;
	__u8 *inner = p->data + p->l4;
	struct link link;
	__u32 length, congested;

	if (!outer_is_sound(p, &length) || (const void *)(outer + 2) > p->end ||
	    (void *)(inner + sizeof(struct iphdr)) > p->end)
		return WEIR_DECAP_MALFORMED;
	if (!inner_is_sound(inner, ip6, length - (p->l4 - p->l3)) || !link_read(p, &link))
		return WEIR_DECAP_MALFORMED;
	congested = ecn_of(outer, p->ip6) == ECN_CE;
	if (congested && ecn_of(inner, ip6) == ECN_NOT_CAPABLE)
		return WEIR_DECAP_MALFORMED; /* the outer mark is a copy of the inner one: no router can have set it here */
	if (congested)
		mark_congestion(inner, ip6);
	if (!link_write(p->ctx, &link, (int)(p->l4 - p->l3), ip6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP)))
		return WEIR_DECAP_MALFORMED;
	return WEIR_DECAP_STRIPPED;
}

static __always_inline enum weir_decap_reason decapsulate(struct packet *p)
{
	__be16 type = parse_link(p);
	struct weir_addr dst;

	p->ip6 = type == bpf_htons(ETH_P_IPV6);
	if ((type != bpf_htons(ETH_P_IP) && !p->ip6) || parse_addresses(p) != WEIR_REASON_GO_ON)
		return WEIR_DECAP_OTHER;
	dst = p->flow.dst;
	if (!bpf_map_lookup_elem(&decap_addrs, &dst) || !parse_transport(p))
		return WEIR_DECAP_OTHER;
	if (p->proto != IPPROTO_IPIP && p->proto != IPPROTO_IPV6)
		return WEIR_DECAP_OTHER;
	return p->fragment == FRAGMENT_NONE ? strip(p) : WEIR_DECAP_FRAGMENT;
}

SEC("xdp")
int decap(struct xdp_md *ctx)
{
	struct packet packet = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};
	__u32 reason = decapsulate(&packet);
	__u64 *count = bpf_map_lookup_elem(&decap_counters, &reason);

	if (count)
		(*count)++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
