/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The neighbours that ways lead to, counted by their users: what MAC address they have, as the kernel finds it out. The packets that XDP sends
 * never tell the kernel that a neighbour is needed, or alive; so it is asked here:
 *
 *   not known    asked for at once (NTF_USE: ARP request, neighbour solicitation), again after 1, 2, ... 5 s
 *   known        verified every 12 to 16 s (state NUD_PROBE: three unicast questions, 1 s apart): a MAC that changed silently is noticed then
 *   FAILED       once: the kernel is told to ask everybody; the last MAC is kept until that fails too, for what else could be done with packets?
 *   permanent    (or of a link without ARP): taken as it is
 *   foreign      (learnt by a routing daemon, or managed by the kernel): taken as it is; a question of ours would strip its flags
 */
#ifndef WEIR_NEIGHBOURS_H
#define WEIR_NEIGHBOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/addr.h"
#include "../lib/loop.h"
#include "sorted.h"

struct links;
struct netlink;
struct nlmsghdr;

struct neighbours {
	struct sorted by_key;
	struct loop *loop;
	struct netlink *netlink;
	struct links *links;
	void (*changed)(void *arg); /* some neighbour's version is a new one */
	void *arg;
	uint64_t say_full_ns; /* not before this time that the kernel's table is full */
};

struct neighbour {
	struct neighbours *all;
	uint32_t ifindex; /* the route's device */
	struct addr addr;
	unsigned int users;
	uint16_t state; /* the kernel's NUD_*, 0 = it has no entry */
	bool foreign;
	bool known;
	uint8_t mac[6];
	uint32_t version;      /* +1 when `known` or `mac` changes */
	unsigned int attempts; /* since it was last known for sure */
	uint64_t asked_ns;     /* when everybody was asked, since then; 0 = not yet */
	struct timer timer;    /* when to see after it again */
};

/* The other members are set before. */
void neighbours_init(struct neighbours *neighbours);
void neighbours_free(struct neighbours *neighbours);
/* One more user. Reads the kernel's entry and asks for it if there is no MAC. NULL if memory is out. */
struct neighbour *neighbours_take(struct neighbours *neighbours, uint32_t ifindex, const struct addr *addr);
void neighbours_drop(struct neighbour *neighbour);
/* Takes RTM_NEWNEIGH or RTM_DELNEIGH. */
void neighbours_message(struct neighbours *neighbours, const struct nlmsghdr *message);
/* Events were lost: reads all again. */
void neighbours_read(struct neighbours *neighbours);
/* A link has come up: whoever is not sure is asked for now. */
void neighbours_hurry(struct neighbours *neighbours);

#endif
