/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways to addresses, from the kernel's own routes, neighbours and links (rtnetlink through libmnl), kept fresh by its events.
 * One nexthop table watches a set of addresses (backends, peers); when a way changes, it says so by callback. Neighbours that are not resolved
 * are probed (NTF_USE), again and again with a pause; resolved ones are kept from going stale.
 */
#ifndef WEIR_NEXTHOP_H
#define WEIR_NEXTHOP_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/addr.h"
#include "../lib/error.h"
#include "../lib/loop.h"
#include "nexthop_types.h"

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

/* Opens netlink, reads links and addresses, watches events on `loop`. NULL with error filled. */
struct nexthops *nexthops_new(struct loop *loop, const struct nexthops_callbacks *callbacks, struct error *error);
void nexthops_free(struct nexthops *nexthops);
/* Watches an address, counted: as many releases as watches end it. *out (may be NULL) is its way as known now. 0 or -errno. */
int nexthops_watch(struct nexthops *nexthops, const struct addr *addr, struct nexthop *out);
void nexthops_release(struct nexthops *nexthops, const struct addr *addr);
/* The way as known now; false if the address is not watched. */
bool nexthops_find(const struct nexthops *nexthops, const struct addr *addr, struct nexthop *out);
bool nexthops_link(const struct nexthops *nexthops, const char *name, struct nexthop_link *out);
bool nexthops_link_by_index(const struct nexthops *nexthops, uint32_t ifindex, struct nexthop_link *out);
/* Calls visit for each unicast address of this machine (no loopback, no link local) until it returns false. */
void nexthops_own_addresses(const struct nexthops *nexthops, bool (*visit)(void *arg, const struct addr *addr),
			    void *arg);
/* "by eth0 over 10.0.0.1, MAC 02:..., MTU 1500": the way in words for status and explain; returns text. */
const char *nexthop_describe(const struct nexthop *nexthop, char *text, size_t size);

#endif
