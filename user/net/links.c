/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's links (links.h). In: RTM_NEWLINK and RTM_DELLINK messages. Out: the port behind a device, and changes once a round. */
#include "links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"

enum { CHAIN_MAX = 5, TAGS_MAX = 2 };

static int compare_index(const void *key, const void *item)
{
	uint32_t ifindex = *(const uint32_t *)key;
	const struct link *link = item;

	return ifindex < link->now.ifindex ? -1 : ifindex > link->now.ifindex;
}

void links_init(struct links *links)
{
	memset(links, 0, sizeof(*links));
	links->by_index.compare = compare_index;
}

void links_free(struct links *links)
{
	sorted_free(&links->by_index);
}

static struct link *link_at(const struct links *links, size_t i)
{
	return links->by_index.item[i];
}

static struct link *find_or_add(struct links *links, uint32_t ifindex)
{
	struct link *link = sorted_find(&links->by_index, &ifindex);

	if (link)
		return link;
	link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	link->now.ifindex = ifindex;
	if (sorted_insert(&links->by_index, &ifindex, link)) {
		free(link);
		return NULL;
	}
	return link;
}

/* ---- messages ---- */

static void take_vlan(struct link *link, const struct nlattr *data)
{
	const struct nlattr *attr[IFLA_VLAN_PROTOCOL + 1];
	uint16_t id, protocol;

	if (!data)
		return;
	netlink_nested(data, attr, IFLA_VLAN_PROTOCOL);
	if (!netlink_u16(attr[IFLA_VLAN_ID], &id))
		return;
	if (!netlink_u16(attr[IFLA_VLAN_PROTOCOL], &protocol)) /* network order, and absent on old kernels */
		protocol = htons(ETH_P_8021Q);
	link->upper = true;
	link->vlan = (struct nexthop_tag){.tpid = ntohs(protocol), .tci = id & 0xfff};
}

/* A link's kind never changes; a message without it tells something else about the link. */
static void take_kind(struct link *link, const struct nlattr *info, const struct nlattr *parent,
		      const struct nlattr *namespace)
{
	const struct nlattr *attr[IFLA_INFO_DATA + 1];
	char kind[32];

	if (!info)
		return;
	netlink_nested(info, attr, IFLA_INFO_DATA);
	if (!netlink_string(attr[IFLA_INFO_KIND], kind, sizeof(kind)))
		return;
	if (strcmp(kind, "vlan") == 0)
		take_vlan(link, attr[IFLA_INFO_DATA]);
	else if (strcmp(kind, "macvlan") == 0)
		link->upper = true;
	if (link->upper && !namespace)
		(void)netlink_u32(parent, &link->parent);
}

static enum links_change compare(const struct link *before, const struct link *after)
{
	bool was_up = before->now.up && !before->gone && before->now.name[0];

	if (was_up != after->now.up)
		return after->now.up ? LINKS_WENT_UP : LINKS_WENT_DOWN;
	return memcmp(before, after, sizeof(*before)) == 0 ? LINKS_SAME : LINKS_CHANGED;
}

static enum links_change take_new(struct links *links, const struct ifinfomsg *info, const struct nlattr **attr)
{
	struct link *link, before;
	char name[IFNAMSIZ];
	bool named = netlink_string(attr[IFLA_IFNAME], name, sizeof(name));
	uint32_t ifindex = (uint32_t)info->ifi_index;

	/* Some events tell only a part, and only of links that are known. */
	if (!named && !sorted_find(&links->by_index, &ifindex))
		return LINKS_SAME;
	link = find_or_add(links, ifindex);
	if (!link)
		return LINKS_SAME;
	link->seen = true;
	memcpy(&before, link, sizeof(before));
	if (named) {
		memset(link->now.name, 0, sizeof(link->now.name));
		memcpy(link->now.name, name, strlen(name));
	}
	link->gone = false;
	link->ethernet = info->ifi_type == ARPHRD_ETHER;
	(void)netlink_bytes(attr[IFLA_ADDRESS], link->now.mac, sizeof(link->now.mac));
	(void)netlink_u32(attr[IFLA_MTU], &link->now.mtu);
	link->now.up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_LOWER_UP);
	take_kind(link, attr[IFLA_LINKINFO], attr[IFLA_LINK], attr[IFLA_LINK_NETNSID]);
	/* A new link may be the parent of VLAN devices that were told before it. */
	if (!before.now.name[0] || before.gone || link->vlan.tpid != before.vlan.tpid || link->parent != before.parent)
		links->vlans_changed = true;
	return compare(&before, link);
}

static enum links_change take_gone(struct links *links, struct link *link)
{
	if (!link || link->gone)
		return LINKS_SAME;
	link->gone = true;
	if (link->upper)
		links->vlans_changed = true;
	return LINKS_WENT_DOWN;
}

enum links_change links_message(struct links *links, const struct nlmsghdr *message)
{
	const struct nlattr *attr[IFLA_LINK_NETNSID + 1];
	struct ifinfomsg info;

	if (netlink_attributes(message, sizeof(info), attr, IFLA_LINK_NETNSID))
		return LINKS_SAME;
	memcpy(&info, mnl_nlmsg_get_payload(message), sizeof(info));
	/* A bridge tells of its ports in the same words (AF_BRIDGE): there, RTM_DELLINK means "has left the bridge". */
	if (info.ifi_family != AF_UNSPEC || info.ifi_index <= 0)
		return LINKS_SAME;
	if (message->nlmsg_type == RTM_DELLINK)
		return take_gone(links, sorted_find(&links->by_index, &(uint32_t){(uint32_t)info.ifi_index}));
	return take_new(links, &info, attr);
}

void links_unsee(struct links *links)
{
	for (size_t i = 0; i < links->by_index.count; i++)
		link_at(links, i)->seen = false;
}

void links_sweep(struct links *links)
{
	for (size_t i = 0; i < links->by_index.count; i++)
		if (!link_at(links, i)->seen)
			(void)take_gone(links, link_at(links, i));
}

/* ---- what has changed ---- */

typedef void (*link_changed)(void *arg, const struct nexthop_link *link, bool gone);

static void tell_gone(struct links *links, link_changed changed, void *arg)
{
	for (size_t i = 0; i < links->by_index.count;) {
		struct link *link = link_at(links, i);

		if (!link->gone) {
			i++;
			continue;
		}
		sorted_remove(&links->by_index, i);
		if (link->told.ifindex && changed)
			changed(arg, &link->told, true);
		free(link);
	}
}

void links_tell(struct links *links, link_changed changed, void *arg)
{
	tell_gone(links, changed, arg);
	for (size_t i = 0; i < links->by_index.count; i++) {
		struct link *link = link_at(links, i);

		if (memcmp(&link->told, &link->now, sizeof(link->now)) == 0)
			continue;
		memcpy(&link->told, &link->now, sizeof(link->now));
		if (changed)
			changed(arg, &link->told, false);
	}
}

/* ---- look-ups ---- */

const struct link *links_find(const struct links *links, uint32_t ifindex)
{
	const struct link *link = sorted_find(&links->by_index, &ifindex);

	return link && !link->gone ? link : NULL;
}

const struct link *links_find_name(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->by_index.count; i++)
		if (!link_at(links, i)->gone && strcmp(link_at(links, i)->now.name, name) == 0)
			return link_at(links, i);
	return NULL;
}

static void count_vlans(struct links *links)
{
	for (size_t i = 0; i < links->by_index.count; i++)
		link_at(links, i)->vlans = 0;
	for (size_t i = 0; i < links->by_index.count; i++) {
		const struct link *link = link_at(links, i);
		struct link *parent =
			link->gone || !link->vlan.tpid ? NULL : sorted_find(&links->by_index, &link->parent);

		if (parent)
			parent->vlans++;
	}
	links->vlans_changed = false;
}

/* The tag of the upper device lies inside that of the device below it. */
static int push_outer_tag(struct nexthop *way, struct nexthop_tag tag)
{
	if (way->tags == TAGS_MAX)
		return -EOPNOTSUPP;
	way->tag[1] = way->tag[0];
	way->tag[0] = tag;
	way->tags++;
	return 0;
}

int links_resolve(struct links *links, uint32_t ifindex, struct nexthop *way)
{
	const struct link *link = links_find(links, ifindex);
	bool up = true;

	if (links->vlans_changed)
		count_vlans(links);
	if (!link)
		return -ENODEV;
	memcpy(way->device, link->now.name, sizeof(way->device));
	way->mtu = link->now.mtu;
	for (int i = 0; link && i < CHAIN_MAX; i++) {
		if (!link->ethernet)
			return -EOPNOTSUPP;
		up = up && link->now.up;
		if (link->now.mtu < way->mtu)
			way->mtu = link->now.mtu;
		if (link->vlan.tpid && push_outer_tag(way, link->vlan))
			return -EOPNOTSUPP;
		if (!link->upper) {
			way->ifindex = link->now.ifindex;
			memcpy(way->source_mac, link->now.mac, sizeof(way->source_mac));
			way->port_has_vlans = link->vlans > 0;
			return up ? 0 : -ENETDOWN;
		}
		link = links_find(links, link->parent);
	}
	return link ? -EOPNOTSUPP : -ENODEV;
}

bool links_up(struct links *links, uint32_t ifindex)
{
	struct nexthop way = {0};

	return links_resolve(links, ifindex, &way) == 0;
}
