/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The port that a frame came in by, as the agent describes it in `node`, and whether the frame is addressed to this machine at all.
 */
#ifndef WEIR_BPF_PORT_H
#define WEIR_BPF_PORT_H

#include "maps.h"
#include "parse.h"

static __always_inline __u64 mac_load(const void *mac)
{
	return *(const __u32 *)mac | (__u64) * (const __u16 *)(mac + 4) << 32;
}

/* The port that the frame came in by: its index and its MAC. */
static __always_inline void find_port(struct packet *p)
{
	__u32 zero = 0, index = WEIR_PORTS_MAX, ifindex = p->ctx->ingress_ifindex;
	const struct weir_node *n = bpf_map_lookup_elem(&node, &zero);

	if (n) {
#pragma clang loop unroll(disable)
		for (index = 0; index < WEIR_PORTS_MAX; index++) {
			if (n->port[index].ifindex == ifindex) {
				p->port_mac = mac_load(n->port[index].mac);
				break;
			}
		}
	}
	p->port_index = (__u32)opaque(index, ifindex);
}

/*
 * Is the frame addressed to this machine? A promiscuous NIC, or a switch that floods, shows frames that another machine gets too: they are not
 * ours to forward. VRRP's virtual MACs are ours: whoever holds one has it in the NIC's filter.
 */
static __always_inline bool frame_is_ours(const struct packet *p)
{
	const __u8 *mac = p->data;

	if ((const void *)(mac + ETH_HLEN) > p->end || mac[0] & 1)
		return false;
	if (p->port_mac == 0 || p->port_mac == mac_load(mac))
		return true;
	return mac[0] == 0 && mac[1] == 0 && mac[2] == 0x5e && mac[3] == 0 && (mac[4] == 1 || mac[4] == 2);
}

#endif
