/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * ICMP, both ways. In: an error that speaks of a service's flow (sent by a router to the VIP, since the backend answered in the VIP's name) goes to
 * that flow's backend, which is found by the packet that the error quotes. Out: a packet that is larger than the way to the backend is answered
 * with fragmentation-needed or packet-too-big.
 *
 * Both are rare: they are (global) functions of their own, so that the hot path stays short and the verifier looks at them once.
 */
#ifndef WEIR_BPF_ICMP_H
#define WEIR_BPF_ICMP_H

#include "csum.h"
#include "link.h"
#include "maps.h"
#include "parse.h"
#include "port.h"

struct icmp {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be32 rest; /* errors: unused, or the MTU */
};

/* <linux/icmp.h> draws in the C library's headers */
enum { ICMP4_UNREACHABLE = 3, ICMP4_FRAG_NEEDED = 4, ICMP4_TIME_EXCEEDED = 11, ICMP4_PARAMETER = 12 };
enum { ICMP6_UNREACHABLE = 1, ICMP6_TOO_BIG = 2, ICMP6_PARAMETER = 4 };

/* How much of a packet an answer quotes: as much as keeps it within what every link carries (RFC 1812, RFC 4443). */
enum {
	ANSWER_QUOTE_IP4 = 576 - sizeof(struct iphdr) - sizeof(struct icmp),
	ANSWER_QUOTE_IP6 = 1280 - sizeof(struct ipv6hdr) - sizeof(struct icmp),
	ANSWER_TOS = 0xc0, /* network control, as other routers' errors */
	ANSWER_TTL = 64,
};

static __always_inline bool icmp_is_error(bool ip6, __u8 type)
{
	if (ip6)
		return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER;
	return type == ICMP4_UNREACHABLE || type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETER;
}

/*
 * Where the transport header of the packet lies that the ICMP message at `offset` quotes: its offset | protocol << 16, or 0 if it is no error, or what it
 * quotes cannot be read. The quoted IP header itself is right behind the eight bytes of ICMP.
 */
__noinline __u32 icmp_find_quote(struct xdp_md *ctx, __u32 offset, __u32 is_ip6)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct icmp *icmp = data + (offset & OFFSET_MAX);
	const struct ipv6hdr *ip6 = (const void *)(icmp + 1);
	const struct iphdr *ip = (const void *)(icmp + 1);
	__u32 place;

	if ((void *)(ip + 1) > end || !icmp_is_error(is_ip6, icmp->type))
		return 0;
	offset += sizeof(*icmp);
	if (!is_ip6) {
		if (ip->version != 4 || ip->ihl < 5 || ip->frag_off & bpf_htons(IP4_PLACE))
			return 0;
		return (offset + ip->ihl * 4U) | (__u32)ip->protocol << 16;
	}
	if ((void *)(ip6 + 1) > end || ip6->version != 6)
		return 0;
	offset += sizeof(*ip6);
	if (!is_extension(ip6->nexthdr))
		return offset | (__u32)ip6->nexthdr << 16;
	place = parse_extensions(ctx, offset, ip6->nexthdr);
	return place >> 24 == FRAGMENT_LATER ? 0 : place & 0xffffff;
}

/*
 * The packet is ICMP to a VIP: if it is an error about a packet that this VIP sent, the flow becomes that packet's, turned round to client -> VIP. Four
 * bytes of the quoted transport header are enough; every error quotes eight.
 */
static __always_inline bool icmp_find_flow(struct packet *p)
{
	__u32 place = icmp_find_quote(p->ctx, p->l4, p->ip6);
	const void *quoted = p->data + p->l4 + sizeof(struct icmp);
	const __be16 *ports = p->data + (place & OFFSET_MAX);
	struct flow flow = {.proto = (__u8)(place >> 16)};

	if ((flow.proto != IPPROTO_TCP && flow.proto != IPPROTO_UDP) || (void *)(ports + 2) > p->end)
		return false;
	flow.sport = ports[1];
	flow.dport = ports[0];
	if (p->ip6) {
		const struct ipv6hdr *ip6 = quoted;

		if ((void *)(ip6 + 1) > p->end)
			return false;
		addr_from_ip6(&flow.src, &ip6->daddr);
		addr_from_ip6(&flow.dst, &ip6->saddr);
	} else {
		const struct iphdr *ip = quoted;

		if ((void *)(ip + 1) > p->end)
			return false;
		addr_from_ip4(&flow.src, ip->daddr);
		addr_from_ip4(&flow.dst, ip->saddr);
	}
	if (addr_difference(&flow.dst, &p->flow.dst) != 0)
		return false;
	p->flow = flow;
	return true;
}

/* One more answer now? A clock that runs ahead by a step for each answer, and may lag behind by as many steps as may be sent at once. */
static __always_inline bool answer_allowed(void)
{
	const __u64 second = 1000000000, step = second / WEIR_ANSWERS_PER_SECOND;
	__u64 now = bpf_ktime_get_ns();
	__u32 zero = 0;
	__u64 *clock = bpf_map_lookup_elem(&answer_clock, &zero);

	if (!clock || *clock >= now)
		return false;
	if (*clock + second < now)
		*clock = now - second;
	*clock += step;
	return true;
}

/* header: where the answer's IP header goes, at l3; the quoted packet, cut to `quote` bytes, follows it and the ICMP header */
static __always_inline bool answer_write_ip4(struct xdp_md *ctx, void *header, __u32 l3, __u32 quote, __u32 mtu)
{
	void *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = header;
	struct icmp *icmp = (void *)(ip + 1);
	const struct iphdr *quoted = (void *)(icmp + 1);
	__be32 *word = header;

	if ((void *)(quoted + 1) > end)
		return false;
	word[0] = bpf_htonl(0x45000000 | ANSWER_TOS << 16 | (quote + (__u32)(sizeof(*ip) + sizeof(*icmp))));
	word[1] = 0;
	word[2] = bpf_htonl(ANSWER_TTL << 24 | IPPROTO_ICMP << 16);
	ip->saddr = quoted->daddr;
	ip->daddr = quoted->saddr;
	ip->check = csum_fold(csum_ip4(ip));
	icmp->type = ICMP4_UNREACHABLE;
	icmp->code = ICMP4_FRAG_NEEDED;
	icmp->checksum = 0;
	icmp->rest = bpf_htonl(mtu);
	icmp->checksum = csum_fold(csum_packet(ctx, l3 + (__u32)sizeof(*ip), (quote + (__u32)sizeof(*icmp)) / 4));
	return true;
}

static __always_inline bool answer_write_ip6(struct xdp_md *ctx, void *header, __u32 l3, __u32 quote, __u32 mtu)
{
	void *end = (void *)(long)ctx->data_end;
	struct ipv6hdr *ip6 = header;
	struct icmp *icmp = (void *)(ip6 + 1);
	const struct ipv6hdr *quoted = (void *)(icmp + 1);
	__u32 size = quote + (__u32)sizeof(*icmp);
	__be32 *word = header;
	__u64 sum;

	if ((void *)(quoted + 1) > end)
		return false;
	word[0] = bpf_htonl(0x60000000 | ANSWER_TOS << 20);
	word[1] = bpf_htonl(size << 16 | IPPROTO_ICMPV6 << 8 | ANSWER_TTL);
	ip6->saddr = quoted->daddr;
	ip6->daddr = quoted->saddr;
	icmp->type = ICMP6_TOO_BIG;
	icmp->code = 0;
	icmp->checksum = 0;
	icmp->rest = bpf_htonl(mtu);
	sum = csum_packet(ctx, l3 + (__u32) __builtin_offsetof(struct ipv6hdr, saddr), 8); /* the pseudo header */
	sum += (WEIR_BITS(__u64))bpf_htonl(size) + (WEIR_BITS(__u64))bpf_htonl(IPPROTO_ICMPV6);
	icmp->checksum = csum_fold(sum + csum_packet(ctx, l3 + (__u32)sizeof(*ip6), size / 4));
	return true;
}

/*
 * The link layer of an answer: back to where the frame came from. The source MAC is the port's own where it is known: a frame from a VRRP MAC, sent a
 * moment after a failover, would draw the switch's table back to this node.
 */
static __always_inline void answer_link(const struct packet *p, struct link *link)
{
	const __u16 *own = NULL;

	if (p->node)
		own = (const void *)port_mac(p->node, port_find(p->node, p->ctx->ingress_ifindex));
#pragma unroll
	for (int i = 0; i < 3; i++) {
		__u16 source = own ? own[i] : link->mac[i];

		link->mac[i] = link->mac[3 + i];
		link->mac[3 + i] = source;
	}
}

/*
 * Turns the packet, of `length` bytes, into the answer "larger than `mtu`", from the VIP to the client, to go out where it came in.
 * Returns enum weir_reason.
 */
__noinline __u32 icmp_answer_too_big(struct xdp_md *ctx, __u32 length, __u32 mtu)
{
	struct packet p = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.node = node_find(),
	};
	__be16 type = parse_link(&p);
	struct link link;
	__u32 quote;
	int outer;
	void *header;
	bool done;

	if (!link_read(&p, &link))
		return WEIR_REASON_INTERNAL;
	if (!answer_allowed())
		return WEIR_REASON_TOO_BIG_LIMITED;
	answer_link(&p, &link);
	p.ip6 = type == bpf_htons(ETH_P_IPV6);
	quote = p.ip6 ? ANSWER_QUOTE_IP6 : ANSWER_QUOTE_IP4;
	outer = p.ip6 ? sizeof(struct ipv6hdr) + sizeof(struct icmp) : sizeof(struct iphdr) + sizeof(struct icmp);
	if (quote > length)
		quote = length & ~3U; /* whole words: the checksum is taken over them */
	if (bpf_xdp_adjust_tail(ctx, (int)(p.l3 + quote - frame_size(ctx))))
		return WEIR_REASON_INTERNAL;
	header = link_write(ctx, &link, -outer, type);
	if (!header)
		return WEIR_REASON_NO_HEADROOM;
	done = p.ip6 ? answer_write_ip6(ctx, header, p.l3, quote, mtu)
		     : answer_write_ip4(ctx, header, p.l3, quote, mtu);
	return done ? WEIR_REASON_TOO_BIG_ANSWERED : WEIR_REASON_INTERNAL;
}

#endif
