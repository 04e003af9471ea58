/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways to addresses, from the kernel's own routes, neighbours and links (rtnetlink through libmnl), kept fresh by its events.
 * One nexthop table watches a set of addresses (backends, peers); when a way changes, it says so by callback. Neighbours that are not resolved
 * are probed (NTF_USE), again and again with a pause; resolved ones are kept from going stale.
 */
#ifndef WEIR_NEXTHOP_H
#define WEIR_NEXTHOP_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "../lib/addr.h"
#include "../lib/error.h"
#include "../lib/loop.h"

enum nexthop_state {
	NEXTHOP_UNRESOLVED, /* route known, MAC not (yet) */
	NEXTHOP_RESOLVED,
	NEXTHOP_LOCAL,      /* the address is this machine's own */
	NEXTHOP_NO_ROUTE,
	NEXTHOP_DOWN,       /* the route's link is down */
};

struct nexthop_tag {
	uint16_t tpid, tci; /* host order */
};

struct nexthop {
	enum nexthop_state state;
	uint32_t ifindex;        /* the port: for a VLAN device its parent */
	char device[IFNAMSIZ];   /* the route's own device, e.g. eth0.10 */
	uint32_t mtu;            /* bytes: the smaller of link's and route's */
	bool has_gateway;
	struct addr gateway;
	struct addr source;      /* this node's address on the way (preferred source); none if the kernel names none */
	uint8_t mac[6];          /* next hop's */
	uint8_t source_mac[6];   /* the port's own */
	uint8_t tags;            /* VLAN devices on the way, outer one first */
	struct nexthop_tag tag[2];
	bool port_has_vlans;     /* the kernel has VLAN devices on this port: untagged then means untagged */
};

struct nexthop_link {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	uint8_t mac[6];
	uint32_t mtu;
	bool up;             /* IFF_UP and carrier */
};

struct nexthops;

struct nexthops_callbacks {
	void *arg;
	/* A watched address's way is not what it was. */
	void (*way_changed)(void *arg, const struct addr *addr, const struct nexthop *nexthop);
	/* A link came, went or changed (name, MAC, MTU, up). gone: it is no longer there. */
	void (*link_changed)(void *arg, const struct nexthop_link *link, bool gone);
	/* This machine's addresses are not what they were. */
	void (*addresses_changed)(void *arg);
};

/* Opens netlink, dumps links, addresses and neighbours, watches events on `loop`. NULL with error filled. */
struct nexthops *nexthops_new(struct loop *loop, const struct nexthops_callbacks *callbacks, struct error *error);
void nexthops_free(struct nexthops *nexthops);
/* Watches an address, counted: as many releases as watches end it. *out (may be NULL) is its way as known now. 0 or -errno. */
int nexthops_watch(struct nexthops *nexthops, const struct addr *addr, struct nexthop *out);
void nexthops_release(struct nexthops *nexthops, const struct addr *addr);
/* The way as known now; false if the address is not watched. */
bool nexthops_find(const struct nexthops *nexthops, const struct addr *addr, struct nexthop *out);
bool nexthops_link(const struct nexthops *nexthops, const char *name, struct nexthop_link *out);
bool nexthops_link_by_index(const struct nexthops *nexthops, uint32_t ifindex, struct nexthop_link *out);
bool nexthops_is_own(const struct nexthops *nexthops, const struct addr *addr);
/* Calls visit for each unicast address of this machine (no loopback, no link local) until it returns false. */
void nexthops_own_addresses(const struct nexthops *nexthops, bool (*visit)(void *arg, const struct addr *addr), void *arg);
/* "10.0.0.11 by eth0, MAC 02:..., MTU 1500" in words for status and explain; returns text. */
const char *nexthop_describe(const struct nexthop *nexthop, char *text, size_t size);

#endif
