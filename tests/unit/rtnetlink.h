/* SPDX-License-Identifier: BSD-2-Clause */
/* Crafts rtnetlink messages for the tests of the next-hop room: each begins one in `message`, attributes are put behind by libmnl. */
#ifndef WEIR_TEST_RTNETLINK_H
#define WEIR_TEST_RTNETLINK_H

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>

#include "../../user/lib/addr.h"

enum {
	CARRIER = 1 << 16, /* IFF_LOWER_UP: linux/if.h and net/if.h do not go together */
	UP = IFF_UP | IFF_RUNNING | CARRIER,
};

extern union rtnetlink_message {
	struct nlmsghdr header;
	char room[1024];
} message;

struct addr addr_of(const char *text);
/* An Ethernet link; its MAC ends in the index. name NULL: a message that tells only the flags. */
struct ifinfomsg *link_begin(uint16_t type, int ifindex, const char *name, unsigned int flags);
/* IFLA_LINK and IFLA_LINKINFO; vlan and protocol (host order) unless 0. */
void link_kind(const char *kind, uint32_t parent, uint16_t vlan, uint16_t protocol);
/* An address of link 2; local or address may be NULL. */
void address_message(uint16_t type, const char *local, const char *address, uint32_t flags);
struct rtmsg *route_begin(uint8_t family, uint8_t type);
void put_addr(uint16_t type, const char *text);

#endif
