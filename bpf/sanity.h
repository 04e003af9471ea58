/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * Checks on a packet that is known to be for a service: what no honest sender makes is dropped here, before it costs a backend anything or makes an
 * answer go somewhere it should not. Fills in p->length, the size that all later stages go by (the frame may be longer: padding).
 */
#ifndef WEIR_BPF_SANITY_H
#define WEIR_BPF_SANITY_H

#include "csum.h"
#include "parse.h"

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

static __always_inline bool source_is_bad_ip4(const struct iphdr *ip)
{
	__u8 first = *(const __u8 *)&ip->saddr;

	return first == 0 || first == 127 || first >> 4 == 0xe || ip->saddr == bpf_htonl(0xffffffff) ||
	       ip->saddr == ip->daddr;
}

static __always_inline bool source_is_bad_ip6(const struct ipv6hdr *ip6)
{
	const __be32 *s = ip6->saddr.s6_addr32, *d = ip6->daddr.s6_addr32;

	if (ip6->saddr.s6_addr[0] == 0xff || (s[0] == d[0] && s[1] == d[1] && s[2] == d[2] && s[3] == d[3]))
		return true;
	if (s[0] | s[1])
		return false;
	/* mapped IPv4, unspecified, loopback */
	return s[2] == bpf_htonl(0xffff) || (s[2] == 0 && (s[3] == 0 || s[3] == bpf_htonl(1)));
}

static __always_inline enum weir_reason sanity_check_ip4(struct packet *p)
{
	const struct iphdr *ip = p->data + p->l3;
	__u64 sum;

	if ((void *)(ip + 1) > p->end)
		return WEIR_REASON_BAD_LENGTH;
	if (ip->version != 4 || ip->ihl < 5)
		return WEIR_REASON_BAD_HEADER;
	p->length = bpf_ntohs(ip->tot_len);
	if (p->l3 + p->length > frame_size(p->ctx))
		return WEIR_REASON_BAD_LENGTH;
	sum = csum_ip4(ip);
	if (ip->ihl > 5)
		sum += csum_packet(p->ctx, p->l3 + (__u32)sizeof(*ip), ip->ihl - 5U);
	if (csum_fold(sum) != 0)
		return WEIR_REASON_BAD_CHECKSUM;
	if (ip->ttl == 0)
		return WEIR_REASON_TTL;
	return source_is_bad_ip4(ip) ? WEIR_REASON_BAD_SOURCE : WEIR_REASON_GO_ON;
}

static __always_inline enum weir_reason sanity_check_ip6(struct packet *p)
{
	const struct ipv6hdr *ip6 = p->data + p->l3;

	if ((void *)(ip6 + 1) > p->end)
		return WEIR_REASON_BAD_LENGTH;
	if (ip6->version != 6)
		return WEIR_REASON_BAD_HEADER;
	p->length = bpf_ntohs(ip6->payload_len) + (__u32)sizeof(*ip6);
	if (p->l3 + p->length > frame_size(p->ctx))
		return WEIR_REASON_BAD_LENGTH;
	if (ip6->hop_limit == 0)
		return WEIR_REASON_TTL;
	return source_is_bad_ip6(ip6) ? WEIR_REASON_BAD_SOURCE : WEIR_REASON_GO_ON;
}

/* size: bytes from the TCP header to the end of the IP packet */
static __always_inline enum weir_reason sanity_check_tcp(const struct packet *p, __u32 size)
{
	const __u8 *tcp = p->data + p->l4;
	__u8 flags;

	if (size < sizeof(struct tcphdr) || (const void *)(tcp + sizeof(struct tcphdr)) > p->end)
		return WEIR_REASON_BAD_LENGTH;
	if (tcp[12] >> 4 < 5)
		return WEIR_REASON_BAD_HEADER;
	if ((tcp[12] >> 4) * 4U > size)
		return WEIR_REASON_BAD_LENGTH;
	flags = tcp[13];
	if (flags & TCP_SYN)
		return flags & (TCP_FIN | TCP_RST) ? WEIR_REASON_BAD_FLAGS : WEIR_REASON_GO_ON;
	return flags & (TCP_ACK | TCP_RST) ? WEIR_REASON_GO_ON : WEIR_REASON_BAD_FLAGS;
}

static __always_inline enum weir_reason sanity_check_udp(const struct packet *p, __u32 size)
{
	const struct udphdr *udp = p->data + p->l4;
	__u32 length;

	if (size < sizeof(*udp) || (const void *)(udp + 1) > p->end)
		return WEIR_REASON_BAD_LENGTH;
	length = bpf_ntohs(udp->len);
	return length < sizeof(*udp) || length > size ? WEIR_REASON_BAD_LENGTH : WEIR_REASON_GO_ON;
}

/* An ICMP error: what it quotes must lie in the packet, not in the padding behind it. */
static __always_inline enum weir_reason sanity_check_icmp(const struct packet *p, __u32 size)
{
	__u32 least = 8 + (p->ip6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) + 2 * sizeof(__be16);

	return size < least ? WEIR_REASON_BAD_LENGTH : WEIR_REASON_GO_ON;
}

static __always_inline enum weir_reason sanity_check(struct packet *p)
{
	enum weir_reason reason = p->ip6 ? sanity_check_ip6(p) : sanity_check_ip4(p);
	__u32 headers = p->l4 - p->l3;

	if (reason != WEIR_REASON_GO_ON)
		return reason;
	p->out->length = p->length;
	if (p->length < headers)
		return WEIR_REASON_BAD_LENGTH;
	if (p->proto == IPPROTO_TCP)
		return sanity_check_tcp(p, p->length - headers);
	if (p->proto == IPPROTO_UDP)
		return sanity_check_udp(p, p->length - headers);
	return sanity_check_icmp(p, p->length - headers);
}

#endif
