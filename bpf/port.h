/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The port that a frame came in by, as the agent describes it in `node`, and whether the frame is addressed to this machine at all.
 */
#ifndef WEIR_BPF_PORT_H
#define WEIR_BPF_PORT_H

#include "maps.h"
#include "parse.h"

static __always_inline const struct weir_node *node_find(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&node, &zero);
}

/* A MAC as a number, from a place where two more bytes can be read. */
static __always_inline __u64 mac_load(const void *mac)
{
	return *(const __u64 *)mac & bpf_cpu_to_be64(0xffffffffffff0000);
}

/* The port that the frame came in by: its index in node.port, WEIR_PORTS_MAX if it is not there. */
static __always_inline __u32 port_find(const struct weir_node *n, __u32 ifindex)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < WEIR_PORTS_MAX; i++)
		if (n->port[i].ifindex == ifindex)
			break;
	return (__u32)opaque(i, ifindex);
}

/* The port's own MAC, NULL if the port is not known. */
static __always_inline const __u8 *port_mac(const struct weir_node *n, __u32 port)
{
	return port < WEIR_PORTS_MAX ? n->port[port & (WEIR_PORTS_MAX - 1)].mac : NULL; /* masked for the verifier */
}

/*
 * Is the frame addressed to this machine? A promiscuous NIC, or a switch that floods, shows frames that another machine gets too: they are not
 * ours to forward. VRRP's virtual MACs are ours: whoever holds one has it in the NIC's filter.
 */
static __always_inline bool frame_is_ours(const struct packet *p)
{
	const __u8 *own = port_mac(p->node, p->out->port);
	const __u8 *mac = p->data;

	if ((const void *)(mac + ETH_HLEN) > p->end)
		return false;
	if (own && mac_load(mac) == mac_load(own))
		return true;
	if (mac[0] & 1)
		return false;
	return !own || (mac[0] == 0 && mac[1] == 0 && mac[2] == 0x5e && mac[3] == 0 && (mac[4] == 1 || mac[4] == 2));
}

#endif
