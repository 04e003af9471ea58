/* SPDX-License-Identifier: BSD-2-Clause */
/* Crafted rtnetlink messages (rtnetlink.h). */
#include "rtnetlink.h"

#include <arpa/inet.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

union rtnetlink_message message;

struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

struct ifinfomsg *link_begin(uint16_t type, int ifindex, const char *name, unsigned int flags)
{
	struct ifinfomsg *info;

	memset(&message, 0, sizeof(message));
	mnl_nlmsg_put_header(message.room);
	message.header.nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(&message.header, sizeof(*info));
	info->ifi_index = ifindex;
	info->ifi_type = ARPHRD_ETHER;
	info->ifi_flags = flags;
	if (name) {
		mnl_attr_put_strz(&message.header, IFLA_IFNAME, name);
		mnl_attr_put(&message.header, IFLA_ADDRESS, 6, (const uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)ifindex});
	}
	return info;
}

void link_kind(const char *kind, uint32_t parent, uint16_t vlan, uint16_t protocol)
{
	struct nlattr *info, *data;

	mnl_attr_put_u32(&message.header, IFLA_LINK, parent);
	info = mnl_attr_nest_start(&message.header, IFLA_LINKINFO);
	mnl_attr_put_strz(&message.header, IFLA_INFO_KIND, kind);
	data = mnl_attr_nest_start(&message.header, IFLA_INFO_DATA);
	if (vlan)
		mnl_attr_put_u16(&message.header, IFLA_VLAN_ID, vlan);
	if (protocol)
		mnl_attr_put_u16(&message.header, IFLA_VLAN_PROTOCOL, htons(protocol));
	mnl_attr_nest_end(&message.header, data);
	mnl_attr_nest_end(&message.header, info);
}

void put_addr(uint16_t type, const char *text)
{
	struct addr addr = addr_of(text);

	mnl_attr_put(&message.header, type, addr_is_ip4(&addr) ? 4 : 16, addr_bytes(&addr));
}

void address_message(uint16_t type, const char *local, const char *address, uint32_t flags)
{
	const char *named = local ? local : address;
	struct ifaddrmsg *info;

	memset(&message, 0, sizeof(message));
	mnl_nlmsg_put_header(message.room);
	message.header.nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(&message.header, sizeof(*info));
	info->ifa_family = named && strchr(named, ':') ? AF_INET6 : AF_INET;
	info->ifa_index = 2;
	if (local)
		put_addr(IFA_LOCAL, local);
	if (address)
		put_addr(IFA_ADDRESS, address);
	mnl_attr_put_u32(&message.header, IFA_FLAGS, flags);
}

struct rtmsg *route_begin(uint8_t family, uint8_t type)
{
	struct rtmsg *info;

	memset(&message, 0, sizeof(message));
	mnl_nlmsg_put_header(message.room);
	message.header.nlmsg_type = RTM_NEWROUTE;
	info = mnl_nlmsg_put_extra_header(&message.header, sizeof(*info));
	info->rtm_family = family;
	info->rtm_type = type;
	return info;
}
