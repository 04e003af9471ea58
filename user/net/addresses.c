/* SPDX-License-Identifier: BSD-2-Clause */
/* This machine's own addresses (addresses.h). In: RTM_NEWADDR and RTM_DELADDR messages. Out: those that packets can come to, in order. */
#include "addresses.h"

#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"

struct address {
	struct addr addr;
	uint32_t ifindex;
	uint32_t state; /* the flags that say whether it can be used */
	bool seen;
};

struct key {
	struct addr addr;
	uint32_t ifindex;
};

static int compare(const void *key, const void *item)
{
	const struct key *wanted = key;
	const struct address *address = item;
	int order = addr_compare(&wanted->addr, &address->addr);

	if (order)
		return order;
	return wanted->ifindex < address->ifindex ? -1 : wanted->ifindex > address->ifindex;
}

static struct address *address_at(const struct addresses *addresses, size_t i)
{
	return addresses->by_addr.item[i];
}

void addresses_init(struct addresses *addresses)
{
	memset(addresses, 0, sizeof(*addresses));
	addresses->by_addr.compare = compare;
}

void addresses_free(struct addresses *addresses)
{
	sorted_free(&addresses->by_addr);
}

static enum addresses_change add(struct addresses *addresses, const struct key *key, uint32_t state)
{
	struct address *address = sorted_find(&addresses->by_addr, key);
	bool same = address && address->state == state;

	if (address) {
		address->seen = true;
		address->state = state;
		return same ? ADDRESSES_SAME : ADDRESSES_STATE;
	}
	address = calloc(1, sizeof(*address));
	if (!address)
		return ADDRESSES_SAME;
	*address = (struct address){.addr = key->addr, .ifindex = key->ifindex, .state = state, .seen = true};
	if (sorted_insert(&addresses->by_addr, key, address)) {
		free(address);
		return ADDRESSES_SAME;
	}
	return ADDRESSES_CHANGED;
}

static enum addresses_change take_away(struct addresses *addresses, const struct key *key)
{
	size_t position = sorted_position(&addresses->by_addr, key);

	if (position == addresses->by_addr.count || compare(key, address_at(addresses, position)) != 0)
		return ADDRESSES_SAME;
	free(address_at(addresses, position));
	sorted_remove(&addresses->by_addr, position);
	return ADDRESSES_CHANGED;
}

enum addresses_change addresses_message(struct addresses *addresses, const struct nlmsghdr *message)
{
	const struct nlattr *attr[IFA_FLAGS + 1];
	struct ifaddrmsg info;
	struct key key;
	uint32_t flags;

	if (netlink_attributes(message, sizeof(info), attr, IFA_FLAGS))
		return ADDRESSES_SAME;
	memcpy(&info, mnl_nlmsg_get_payload(message), sizeof(info));
	/* On a point-to-point link IFA_ADDRESS is the other end. */
	if (!netlink_addr(attr[IFA_LOCAL], info.ifa_family, &key.addr) &&
	    !netlink_addr(attr[IFA_ADDRESS], info.ifa_family, &key.addr))
		return ADDRESSES_SAME;
	key.ifindex = info.ifa_index;
	if (message->nlmsg_type == RTM_DELADDR)
		return take_away(addresses, &key);
	if (!netlink_u32(attr[IFA_FLAGS], &flags))
		flags = info.ifa_flags;
	return add(addresses, &key, flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_OPTIMISTIC));
}

void addresses_unsee(struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->by_addr.count; i++)
		address_at(addresses, i)->seen = false;
}

bool addresses_sweep(struct addresses *addresses)
{
	size_t before = addresses->by_addr.count;

	for (size_t i = before; i-- > 0;) {
		if (address_at(addresses, i)->seen)
			continue;
		free(address_at(addresses, i));
		sorted_remove(&addresses->by_addr, i);
	}
	return addresses->by_addr.count != before;
}

void addresses_visit(const struct addresses *addresses, bool (*visit)(void *arg, const struct addr *addr), void *arg)
{
	for (size_t i = 0; i < addresses->by_addr.count; i++) {
		const struct addr *addr = &address_at(addresses, i)->addr;

		if (i > 0 && addr_compare(addr, &address_at(addresses, i - 1)->addr) == 0)
			continue; /* on another interface too */
		if (addr_is_unicast(addr) && !visit(arg, addr))
			return;
	}
}
