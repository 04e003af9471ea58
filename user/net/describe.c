/* SPDX-License-Identifier: BSD-2-Clause */
/* A way in words, for `weir status`, `weir show backends` and `weir explain`. */
#include <stdio.h>

#include "nexthop.h"

/* "eth0.10 (VLAN 10)", "eth0.10.20 (VLANs 10, 20)", " over 10.0.0.1" for a gateway. */
static void print_path(const struct nexthop *way, char *text, size_t size)
{
	char gateway[ADDR_TEXT + 8] = "", vlans[32] = "", addr[ADDR_TEXT];

	if (way->has_gateway)
		snprintf(gateway, sizeof(gateway), " over %s", addr_format(&way->gateway, addr));
	if (way->tags == 1)
		snprintf(vlans, sizeof(vlans), " (VLAN %d)", way->tag[0].tci & 0xfff);
	else if (way->tags == 2)
		snprintf(vlans, sizeof(vlans), " (VLANs %d, %d)", way->tag[0].tci & 0xfff, way->tag[1].tci & 0xfff);
	snprintf(text, size, "%s%s%s", way->device, vlans, gateway);
}

const char *nexthop_describe(const struct nexthop *way, char *text, size_t size)
{
	char path[IFNAMSIZ + 32 + ADDR_TEXT + 8], mac[MAC_TEXT];

	print_path(way, path, sizeof(path));
	switch (way->state) {
	case NEXTHOP_LOCAL:
		snprintf(text, size, "this machine itself");
		break;
	case NEXTHOP_NO_ROUTE:
		if (way->device[0])
			snprintf(text, size, "the route leads to %s, which no Ethernet frame can leave by",
				 way->device);
		else
			snprintf(text, size, "no route");
		break;
	case NEXTHOP_DOWN:
		snprintf(text, size, "by %s, which is down", path);
		break;
	case NEXTHOP_UNRESOLVED:
		snprintf(text, size, "by %s, MTU %u, no answer to the question for its MAC yet", path, way->mtu);
		break;
	case NEXTHOP_RESOLVED:
		snprintf(text, size, "by %s, MAC %s, MTU %u", path, mac_format(way->mac, mac), way->mtu);
		break;
	}
	return text;
}
