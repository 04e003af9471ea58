/* SPDX-License-Identifier: BSD-2-Clause */
/* What a way to an address is, and a link: the words in which this room speaks to the agent. */
#ifndef WEIR_NEXTHOP_TYPES_H
#define WEIR_NEXTHOP_TYPES_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "../lib/addr.h"

enum nexthop_state {
	NEXTHOP_UNRESOLVED, /* route known, MAC not (yet) */
	NEXTHOP_RESOLVED,
	NEXTHOP_LOCAL, /* the address is this machine's own */
	NEXTHOP_NO_ROUTE,
	NEXTHOP_DOWN, /* the route's link is down */
};

struct nexthop_tag {
	uint16_t tpid, tci; /* host order */
};

struct nexthop {
	enum nexthop_state state;
	uint32_t ifindex;      /* the port: for a VLAN device its parent */
	char device[IFNAMSIZ]; /* the route's own device, e.g. eth0.10 */
	uint32_t mtu;          /* bytes: the smaller of link's and route's */
	bool has_gateway;
	struct addr gateway;
	struct addr source;    /* this node's address on the way (preferred source); none if the kernel names none */
	uint8_t mac[6];        /* next hop's */
	uint8_t source_mac[6]; /* the port's own */
	uint8_t tags;          /* VLAN devices on the way, outer one first */
	struct nexthop_tag tag[2];
	bool port_has_vlans; /* the kernel has VLAN devices on this port: untagged then means untagged */
};

struct nexthop_link {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	uint8_t mac[6];
	uint32_t mtu;
	bool up; /* IFF_UP and carrier */
};

#endif
