/* SPDX-License-Identifier: BSD-2-Clause */
/* This machine's own addresses as rtnetlink tells them, one message at a time. */
#ifndef WEIR_ADDRESSES_H
#define WEIR_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/addr.h"
#include "sorted.h"

struct nlmsghdr;

struct addresses {
	struct sorted by_addr; /* struct address, by addr, ifindex */
};

enum addresses_change {
	ADDRESSES_SAME,
	ADDRESSES_STATE, /* the same addresses, but one is usable now, or no longer: sources may change */
	ADDRESSES_CHANGED,
};

void addresses_init(struct addresses *addresses);
void addresses_free(struct addresses *addresses);
/* Takes RTM_NEWADDR or RTM_DELADDR. */
enum addresses_change addresses_message(struct addresses *addresses, const struct nlmsghdr *message);
/* Before and after a dump: what was not told in between is gone; true if something is. */
void addresses_unsee(struct addresses *addresses);
bool addresses_sweep(struct addresses *addresses);
/* Visits each unicast address once, in order, until visit returns false. */
void addresses_visit(const struct addresses *addresses, bool (*visit)(void *arg, const struct addr *addr), void *arg);

#endif
