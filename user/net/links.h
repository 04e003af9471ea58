/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's links as rtnetlink tells them, one message at a time. VLAN devices, and macvlans on top, are resolved to the
 * port that the frame leaves by and the tags that it then carries. What has changed is told once a round by links_tell.
 */
#ifndef WEIR_LINKS_H
#define WEIR_LINKS_H

#include "nexthop_types.h"
#include "sorted.h"

struct nlmsghdr;

struct link {
	struct nexthop_link now;
	struct nexthop_link told; /* what links_tell said last; ifindex 0 = nothing yet */
	bool gone, seen;
	bool ethernet;
	bool upper;              /* frames leave by another link: `parent` */
	uint32_t parent;         /* 0 = it lies in another namespace */
	struct nexthop_tag vlan; /* tpid 0 = no VLAN device */
	uint32_t vlans;          /* VLAN devices on top of it */
};

struct links {
	struct sorted by_index;
	bool vlans_changed; /* `vlans` has to be counted anew */
};

enum links_change {
	LINKS_SAME,
	LINKS_CHANGED,
	LINKS_WENT_UP,
	LINKS_WENT_DOWN, /* or are gone */
};

void links_init(struct links *links);
void links_free(struct links *links);
/* Takes RTM_NEWLINK or RTM_DELLINK. */
enum links_change links_message(struct links *links, const struct nlmsghdr *message);
/* Before and after a dump: what was not told in between is gone. */
void links_unsee(struct links *links);
void links_sweep(struct links *links);
/* Calls changed (unless NULL) for what is not as it was told last: gone ones first. */
void links_tell(struct links *links, void (*changed)(void *arg, const struct nexthop_link *link, bool gone), void *arg);
const struct link *links_find(const struct links *links, uint32_t ifindex);
const struct link *links_find_name(const struct links *links, const char *name);
/*
 * Fills device, ifindex (the port), mtu, source_mac, tags and port_has_vlans of a way by this link. 0; -ENODEV: no such link, or its port is not to be
 * seen from here; -EOPNOTSUPP: no Ethernet, or more tags than two; -ENETDOWN: it or a link below it is down (all fields are filled).
 */
int links_resolve(struct links *links, uint32_t ifindex, struct nexthop *way);
bool links_up(struct links *links, uint32_t ifindex); /* and all below it */

#endif
