/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways by the kernel's tables (routes.h). In: an address, RTM_NEWROUTE answers and events. Out: struct route. */
#include "routes.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"

static void take_gateway(struct route *route, int family, const struct nlattr *gateway, const struct nlattr *via)
{
	const struct rtvia *other; /* a gateway of the other family: IPv4 over IPv6 */

	if (gateway) {
		route->has_gateway = netlink_addr(gateway, family, &route->gateway);
		return;
	}
	if (!via || mnl_attr_get_payload_len(via) < sizeof(*other))
		return;
	other = mnl_attr_get_payload(via);
	if (other->rtvia_family == AF_INET6 && mnl_attr_get_payload_len(via) == sizeof(*other) + 16) {
		addr_from_bytes(&route->gateway, AF_INET6, other->rtvia_addr);
		route->has_gateway = true;
	}
}

void route_message(struct route *route, const struct nlmsghdr *message)
{
	const struct nlattr *attr[RTA_VIA + 1], *metric[RTAX_MTU + 1];
	struct rtmsg info;

	memset(route, 0, sizeof(*route));
	if (netlink_attributes(message, sizeof(info), attr, RTA_VIA))
		return;
	memcpy(&info, mnl_nlmsg_get_payload(message), sizeof(info));
	if (info.rtm_type != RTN_LOCAL && info.rtm_type != RTN_UNICAST)
		return; /* unreachable, blackhole, prohibit; broadcast, multicast, anycast are no way to one machine */
	(void)netlink_addr(attr[RTA_PREFSRC], info.rtm_family, &route->source);
	if (info.rtm_type == RTN_LOCAL) {
		route->kind = ROUTE_LOCAL;
		return;
	}
	if (!netlink_u32(attr[RTA_OIF], &route->ifindex))
		return;
	route->kind = ROUTE_UNICAST;
	take_gateway(route, info.rtm_family, attr[RTA_GATEWAY], attr[RTA_VIA]);
	if (attr[RTA_METRICS]) {
		netlink_nested(attr[RTA_METRICS], metric, RTAX_MTU);
		(void)netlink_u32(metric[RTAX_MTU], &route->mtu);
	}
}

static void take_answer(void *arg, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWROUTE)
		route_message(arg, message);
}

int route_query(struct netlink *netlink, const struct addr *addr, struct route *route)
{
	struct netlink_request request;
	struct rtmsg *info = netlink_prepare(&request, RTM_GETROUTE, 0, sizeof(*info));
	struct route found = {0};
	int err;

	info->rtm_family = (unsigned char)addr_family(addr);
	info->rtm_dst_len = addr_is_ip4(addr) ? 32 : 128;
	netlink_put_addr(&request, RTA_DST, addr);
	err = netlink_ask(netlink, &request, take_answer, &found);
	/* These say nothing about the address; every other error is the kernel's "no": unreachable, prohibited, no such family, ... */
	if (err == -ETIMEDOUT || err == -ENOBUFS || err == -ENOMEM || err == -EAGAIN || err == -EINTR)
		return err;
	if (err)
		memset(&found, 0, sizeof(found));
	memcpy(route, &found, sizeof(found));
	return 0;
}

bool route_event(const struct nlmsghdr *message, struct addr *prefix, unsigned int *bits)
{
	const struct nlattr *attr[RTA_DST + 1];
	struct rtmsg info;
	unsigned int most;

	if (netlink_attributes(message, sizeof(info), attr, RTA_DST))
		return false;
	memcpy(&info, mnl_nlmsg_get_payload(message), sizeof(info));
	if ((info.rtm_family != AF_INET && info.rtm_family != AF_INET6) || (info.rtm_flags & RTM_F_CLONED))
		return false;
	most = info.rtm_family == AF_INET ? 32 : 128;
	if (info.rtm_dst_len > most)
		return false;
	if (!netlink_addr(attr[RTA_DST], info.rtm_family, prefix)) {
		if (info.rtm_dst_len) /* only a default route names no destination */
			return false;
		addr_from_bytes(prefix, info.rtm_family, (uint8_t[16]){0});
	}
	*bits = info.rtm_dst_len + 128 - most;
	return true;
}
