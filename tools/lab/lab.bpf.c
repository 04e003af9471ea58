/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What the lab's wires need that the kernel of a small machine lacks: VLAN tags without 802.1Q devices, an exact count of
 * what the client sends, and an XDP program on the far end of a node's veth, without which XDP_TX there loses frames.
 * Loaded by tools/lab/lab with bpftool, attached with ip and tc.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETHERTYPE(type) ((__u32)__builtin_bswap16(type)) /* as __sk_buff has it: wire order, in a __u32 */

enum { OUTER_VID = 200, INNER_VID = 101 };

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

static __always_inline int push_tags(struct __sk_buff *skb, int tags)
{
	if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), INNER_VID))
		return TC_ACT_SHOT;
	if (tags == 2 && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021AD), OUTER_VID))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

static __always_inline int pop_tag(struct __sk_buff *skb, __u16 tpid, __u16 vid)
{
	if (!skb->vlan_present || skb->vlan_proto != ETHERTYPE(tpid) || (skb->vlan_tci & 0xfff) != vid)
		return -1;
	return (int)bpf_skb_vlan_pop(skb);
}

/* A frame without just these tags is dropped, so that a lab with tags works only if every frame keeps them. */
static __always_inline int pop_tags(struct __sk_buff *skb, int tags)
{
	if (tags == 2 && pop_tag(skb, ETH_P_8021AD, OUTER_VID))
		return TC_ACT_SHOT;
	if (pop_tag(skb, ETH_P_8021Q, INNER_VID) || skb->vlan_present)
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

SEC("tc")
int push1(struct __sk_buff *skb)
{
	return push_tags(skb, 1);
}

SEC("tc")
int push2(struct __sk_buff *skb)
{
	return push_tags(skb, 2);
}

SEC("tc")
int pop1(struct __sk_buff *skb)
{
	return pop_tags(skb, 1);
}

SEC("tc")
int pop2(struct __sk_buff *skb)
{
	return pop_tags(skb, 2);
}

struct sent {
	__u64 packets, bytes; /* of IP packets as they go on the wire, after segmentation */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u8[16]); /* destination address, IPv4 mapped into IPv6 */
	__type(value, struct sent);
} sent SEC(".maps");

/* Header bytes that each segment of a GSO packet repeats; 0 = no IP packet. Fills the destination address. */
static __always_inline __u32 header_bytes(struct __sk_buff *skb, __be32 *daddr)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + ETH_HLEN;
	struct ipv6hdr *ip6 = data + ETH_HLEN;
	struct tcphdr *tcp;

	if (skb->protocol == ETHERTYPE(ETH_P_IP) && (void *)(ip + 1) <= end) {
		daddr[2] = bpf_htonl(0xffff);
		daddr[3] = ip->daddr;
		tcp = (void *)(ip + 1);
		if (ip->protocol == IPPROTO_TCP && ip->ihl == 5 && (void *)(tcp + 1) <= end)
			return sizeof(*ip) + tcp->doff * 4U;
		return sizeof(*ip);
	}
	if (skb->protocol == ETHERTYPE(ETH_P_IPV6) && (void *)(ip6 + 1) <= end) {
		__builtin_memcpy(daddr, &ip6->daddr, 16);
		tcp = (void *)(ip6 + 1);
		if (ip6->nexthdr == IPPROTO_TCP && (void *)(tcp + 1) <= end)
			return sizeof(*ip6) + tcp->doff * 4U;
		return sizeof(*ip6);
	}
	return 0;
}

SEC("tc")
int count(struct __sk_buff *skb)
{
	__be32 daddr[4] = {};
	__u32 header = header_bytes(skb, daddr);
	__u32 segments = skb->gso_segs > 1 ? skb->gso_segs : 1;
	struct sent none = {}, *sum;

	if (!header)
		return TC_ACT_OK;
	bpf_map_update_elem(&sent, daddr, &none, BPF_NOEXIST);
	sum = bpf_map_lookup_elem(&sent, daddr);
	if (sum) {
		__sync_fetch_and_add(&sum->packets, segments);
		__sync_fetch_and_add(&sum->bytes, skb->len - ETH_HLEN + (segments - 1) * header);
	}
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
