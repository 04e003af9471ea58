/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own answer to "how do I reach this address?", asked for by RTM_GETROUTE: its tables, rules and metrics stay its business. */
#ifndef WEIR_ROUTES_H
#define WEIR_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/addr.h"

struct netlink;
struct nlmsghdr;

enum route_kind { ROUTE_NONE, ROUTE_LOCAL, ROUTE_UNICAST };

struct route {
	enum route_kind kind;
	uint32_t ifindex; /* of the device it leaves by */
	bool has_gateway;
	struct addr gateway;
	struct addr source; /* none if the kernel names none */
	uint32_t mtu;       /* the route's own, 0 = none */
};

/* 0 (also when there is no route), or -errno when the kernel could not answer now. */
int route_query(struct netlink *netlink, const struct addr *addr, struct route *route);
/* Takes the answer, RTM_NEWROUTE. */
void route_message(struct route *route, const struct nlmsghdr *message);
/* The addresses that an event RTM_NEWROUTE or RTM_DELROUTE is about: those with the same first `bits` bits. False: about none. */
bool route_event(const struct nlmsghdr *message, struct addr *prefix, unsigned int *bits);

#endif
