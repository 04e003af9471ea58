/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * From a frame to a typed struct packet. Input: the bytes between ctx->data and ctx->data_end, none of them trusted. Output: where the IP and the
 * transport header lie, and the flow. Nothing is judged here: what cannot be read is "not for a service", and what is wrong with headers that can
 * be read is for sanity.h to say, once the packet is known to be for a service.
 */
#ifndef WEIR_BPF_PARSE_H
#define WEIR_BPF_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../include/weir/abi.h"
#include "../include/weir/reason.h"

enum {
	TAGS_MAX = 2,
	OFFSET_MAX = 0x3fff, /* in a frame; more than six of the longest extension headers need */
	EXTENSIONS_MAX = 6,  /* IPv6 extension headers that are walked; a longer chain is nobody's service */
	EXTENSION_AH = 51,
	IP4_DF = 0x4000, /* iphdr.frag_off, host order: don't fragment, more fragments, place in eights */
	IP4_MF = 0x2000,
	IP4_PLACE = 0x1fff,
};

enum fragment { FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_LATER };

/* What a backend is picked by: from the client to the VIP. */
struct flow {
	struct weir_addr src;
	struct weir_addr dst;
	__be16 sport;
	__be16 dport;
	__u8 proto;
};

/*
 * What finish() goes by. It lies in memory, not in registers, on purpose: its members are keys of map look-ups, and what is wanted only at the end would
 * else be carried along, and cleared, on each of the many ways that end early.
 */
struct outcome {
	union weir_service word; /* of the service; here its members are bytes to load, not bits to cut out */
	__u32 port;              /* index in node.port; WEIR_PORTS_MAX = the agent does not know the port */
	__u32 reason;
	__u32 service;
	__u32 backend; /* WEIR_BACKEND_NONE = not come so far */
	__u32 length;  /* bytes of IP packet, by its own header */
	__u32 ifindex; /* that the frame leaves by */
};

struct packet {
	struct xdp_md *ctx;
	void *data; /* the frame as it came; of no use once head or tail have been moved */
	void *end;
	const struct weir_node *node;
	struct outcome *out;

	/* parse_link */
	__u32 tag[TAGS_MAX]; /* the frame's VLAN tags as they stand there */
	__u32 tags;
	__u32 l3; /* offset of the IP header */

	/* parse_addresses, parse_transport */
	bool ip6;
	__u8 proto;
	__u8 fragment;    /* enum fragment */
	__u32 l4;         /* offset of the transport header */
	struct flow flow; /* its own, or that of the packet which an ICMP error quotes */

	/* the later stages */
	const struct weir_vip *vip;
	__u32 length; /* bytes of IP packet, by its own header */
	__u64 hash;
	const struct weir_way *way;
};

/*
 * The verifier forgets what it knows of `value`, by way of another that it does not know. It follows each outcome of a loop through all of the rest of the
 * program as long as it can tell them apart; where only the value counts and not its bounds, one walk does for all.
 */
static __always_inline __u64 opaque(__u64 value, __u64 unknown)
{
	asm volatile("%0 ^= %1; %0 ^= %1" : "+r"(value) : "r"(unknown));
	return value;
}

/* 1 for 0, else 0, without a branch, which is another thing that multiplies the verifier's ways. */
static __always_inline __u64 is_zero(__u64 value)
{
	return (value | -value) >> 63 ^ 1;
}

/* Bytes of the frame. In 64 bits and behind a barrier: clang would subtract the pointers in 32, which the verifier does not let pass. */
static __always_inline __u32 frame_size(const struct xdp_md *ctx)
{
	__u64 size = (__u64)ctx->data_end - ctx->data;

	asm volatile("" : "+r"(size));
	return (__u32)size;
}

static __always_inline void addr_from_ip4(struct weir_addr *addr, __be32 ip4)
{
	addr->word[0] = 0;
	addr->word[1] = 0;
	addr->word[2] = bpf_htonl(0xffff);
	addr->word[3] = ip4;
}

static __always_inline void addr_from_ip6(struct weir_addr *addr, const struct in6_addr *ip6)
{
	addr->word[0] = ip6->s6_addr32[0];
	addr->word[1] = ip6->s6_addr32[1];
	addr->word[2] = ip6->s6_addr32[2];
	addr->word[3] = ip6->s6_addr32[3];
}

static __always_inline bool addr_is_mapped(const struct weir_addr *addr)
{
	return !(addr->word[0] | addr->word[1]) && addr->word[2] == bpf_htonl(0xffff);
}

/* 0 if they are equal */
static __always_inline __u32 addr_difference(const struct weir_addr *a, const struct weir_addr *b)
{
	return (WEIR_BITS(__u32))((a->word[3] ^ b->word[3]) | (a->word[2] ^ b->word[2]) | (a->word[1] ^ b->word[1]) |
				  (a->word[0] ^ b->word[0]));
}

/* The addresses of the IP header at p->l3. */
static __always_inline enum weir_reason parse_addresses(struct packet *p)
{
	if (p->ip6) {
		const struct ipv6hdr *ip6 = p->data + p->l3;

		if ((void *)(ip6 + 1) > p->end)
			return WEIR_REASON_NOT_SERVICE;
		addr_from_ip6(&p->flow.src, &ip6->saddr);
		addr_from_ip6(&p->flow.dst, &ip6->daddr);
		/* the maps hold IPv4 as ::ffff:a.b.c.d, an address that no IPv6 packet can rightly carry */
		if (addr_is_mapped(&p->flow.dst))
			return WEIR_REASON_NOT_SERVICE;
	} else {
		const struct iphdr *ip = p->data + p->l3;

		if ((void *)(ip + 1) > p->end)
			return WEIR_REASON_NOT_SERVICE;
		addr_from_ip4(&p->flow.src, ip->saddr);
		addr_from_ip4(&p->flow.dst, ip->daddr);
	}
	return WEIR_REASON_GO_ON;
}

/*
 * If a VLAN tag is at *type, takes it as tag `nr` and steps over it. nr is a constant: a variable index would keep all of struct packet in memory, where
 * the verifier of older kernels loses sight of its values.
 */
static __always_inline bool parse_tag(struct packet *p, const __u32 nr, const __be16 **type)
{
	if ((const void *)(*type + 2) > p->end ||
	    (**type != bpf_htons(ETH_P_8021Q) && **type != bpf_htons(ETH_P_8021AD)))
		return false;
	p->tag[nr] = *(const __u32 *)*type;
	p->tags = nr + 1;
	*type += 2;
	return true;
}

/* Ethernet and up to two VLAN tags. Returns the ethertype behind them, 0 if the frame is cut off. */
static __always_inline __be16 parse_link(struct packet *p)
{
	const __be16 *type = p->data + 2 * ETH_ALEN; /* an ethertype, or the first half of a tag */

	if (parse_tag(p, 0, &type))
		parse_tag(p, 1, &type);
	p->l3 = ETH_HLEN + 4 * p->tags;
	return (const void *)(type + 1) > p->end ? 0 : *type;
}

/* Half of an address as it lies in memory: global functions take no pointer to one before Linux 5.12, but scalars. */
static __always_inline __u64 addr_half(const struct weir_addr *addr, int half)
{
	__u64 value;

	__builtin_memcpy(&value, &addr->word[2 * half], sizeof(value));
	return value;
}

/* The IP header's source: p->flow.src may be that of a quoted packet by now. */
static __always_inline bool packet_source(const struct packet *p, struct weir_addr *src)
{
	const struct ipv6hdr *ip6 = p->data + p->l3;
	const struct iphdr *ip = p->data + p->l3;

	if (p->ip6 ? (void *)(ip6 + 1) > p->end : (void *)(ip + 1) > p->end)
		return false;
	if (p->ip6)
		addr_from_ip6(src, &ip6->saddr);
	else
		addr_from_ip4(src, ip->saddr);
	return true;
}

static __always_inline bool is_extension(__u32 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS || next == EXTENSION_AH;
}

/*
 * Walks the IPv6 extension headers that start at `offset` with one of kind `next`. Returns offset | proto << 16 | fragment << 24 of what follows them,
 * or 0: cut off, too many, or source-routed on to somewhere else. Few packets have any: so it is no part of the hot path, and global, which
 * makes the verifier look at it once for all callers instead of once for each way that leads to it.
 */
__noinline __u32 parse_extensions(struct xdp_md *ctx, __u32 offset, __u32 next)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 fragment = FRAGMENT_NONE;

	offset &= OFFSET_MAX;
	next &= 0xff;
#pragma clang loop unroll(disable)
	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		const __u8 *header = data + offset;
		__u32 length = 8;

		if (fragment == FRAGMENT_LATER || !is_extension(next))
			return offset | next << 16 | fragment << 24;
		if ((const void *)(header + 8) > end)
			return 0;
		if (next == IPPROTO_FRAGMENT) {
			__u32 place = bpf_ntohs(
				*(const __be16 *)(header + 2)); /* offset in eights << 3, more fragments << 0 */

			/* an atomic header behind a fragment's does not make it whole again */
			if (place >> 3)
				fragment = FRAGMENT_LATER;
			else if (place & 1)
				fragment = FRAGMENT_FIRST;
		} else if (next == EXTENSION_AH) {
			length = (header[1] + 2U) * 4;
		} else if (next == IPPROTO_ROUTING && header[3] != 0) {
			return 0; /* segments left: the VIP is a stop on the way, not the destination */
		} else {
			length = (header[1] + 1U) * 8;
		}
		next = header[0];
		offset += length;
	}
	return 0;
}

/* Protocol, ports and place of the transport header, as far as they can be read; false = they cannot. Ports are 0 where there are none. */
static __always_inline bool parse_transport(struct packet *p)
{
	const __be16 *ports;

	p->fragment = FRAGMENT_NONE;
	if (p->ip6) {
		const struct ipv6hdr *ip6 = p->data + p->l3;

		if ((void *)(ip6 + 1) > p->end)
			return false;
		p->proto = ip6->nexthdr;
		p->l4 = p->l3 + sizeof(*ip6);
		if (is_extension(p->proto)) {
			__u32 place = parse_extensions(p->ctx, p->l4, p->proto);

			if (!place)
				return false;
			p->l4 = place & OFFSET_MAX;
			p->proto = (__u8)(place >> 16);
			p->fragment = (__u8)(place >> 24);
		}
	} else {
		const struct iphdr *ip = p->data + p->l3;
		__u32 words;
		__be16 place;

		if ((void *)(ip + 1) > p->end)
			return false;
		words = *(const __u8 *)ip & 0xf;
		place = ip->frag_off & bpf_htons(IP4_MF | IP4_PLACE);
		p->proto = ip->protocol;
		p->l4 = p->l3 + (words < 5 ? 5 : words) * 4; /* less is bad-header, if it is for a service at all */
		if (place)
			p->fragment = place & bpf_htons(IP4_PLACE) ? FRAGMENT_LATER : FRAGMENT_FIRST;
	}
	p->flow.proto = p->proto;
	p->flow.sport = 0;
	p->flow.dport = 0;
	if (p->fragment == FRAGMENT_LATER || (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP))
		return true;
	ports = p->data + p->l4;
	if ((void *)(ports + 2) > p->end)
		return false;
	p->flow.sport = ports[0];
	p->flow.dport = ports[1];
	return true;
}

#endif
