/* SPDX-License-Identifier: BSD-2-Clause */
/* Links from crafted messages: VLAN devices above all, which not every kernel can make; bridges, macvlans; what is told of them. */
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/net/links.h"
#include "rtnetlink.h"

static struct links links;

static int setup(void **state)
{
	(void)state;
	links_init(&links);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	links_free(&links);
	return 0;
}

static enum links_change port(int ifindex, const char *name, uint32_t mtu)
{
	link_begin(RTM_NEWLINK, ifindex, name, UP);
	mnl_attr_put_u32(&message.header, IFLA_MTU, mtu);
	return links_message(&links, &message.header);
}

static enum links_change vlan(int ifindex, const char *name, uint32_t parent, uint16_t id, uint16_t protocol)
{
	link_begin(RTM_NEWLINK, ifindex, name, UP);
	mnl_attr_put_u32(&message.header, IFLA_MTU, 1500);
	link_kind("vlan", parent, id, protocol);
	return links_message(&links, &message.header);
}

static enum links_change gone(int ifindex)
{
	link_begin(RTM_DELLINK, ifindex, NULL, 0);
	return links_message(&links, &message.header);
}

static struct nexthop way;

static int resolve(uint32_t ifindex)
{
	memset(&way, 0, sizeof(way));
	return links_resolve(&links, ifindex, &way);
}

static void a_port(void **state)
{
	(void)state;
	assert_int_equal(port(2, "eth0", 9000), LINKS_WENT_UP);
	assert_int_equal(port(2, "eth0", 9000), LINKS_SAME);
	assert_int_equal(resolve(2), 0);
	assert_string_equal(way.device, "eth0");
	assert_int_equal(way.ifindex, 2);
	assert_int_equal(way.mtu, 9000);
	assert_int_equal(way.tags, 0);
	assert_false(way.port_has_vlans);
	assert_memory_equal(way.source_mac, ((uint8_t[6]){2, 0, 0, 0, 0, 2}), 6);
	assert_int_equal(resolve(3), -ENODEV);
	assert_int_equal(port(2, "eth0", 1500), LINKS_CHANGED);
	assert_int_equal(resolve(2), 0);
	assert_int_equal(way.mtu, 1500);
}

static void a_vlan_device(void **state)
{
	(void)state;
	vlan(5, "eth0.10", 2, 10, ETH_P_8021Q); /* told before its parent, as a dump may have it */
	assert_int_equal(resolve(5), -ENODEV);
	port(2, "eth0", 1500);
	assert_int_equal(resolve(5), 0);
	assert_string_equal(way.device, "eth0.10");
	assert_int_equal(way.ifindex, 2);
	assert_int_equal(way.tags, 1);
	assert_int_equal(way.tag[0].tpid, ETH_P_8021Q);
	assert_int_equal(way.tag[0].tci, 10);
	assert_memory_equal(way.source_mac, ((uint8_t[6]){2, 0, 0, 0, 0, 2}), 6);
	assert_int_equal(resolve(2), 0); /* untagged, beside VLAN devices */
	assert_int_equal(way.tags, 0);
	assert_true(way.port_has_vlans);
	assert_int_equal(gone(5), LINKS_WENT_DOWN);
	assert_int_equal(resolve(5), -ENODEV);
	assert_int_equal(resolve(2), 0);
	assert_false(way.port_has_vlans);
}

static void vlan_in_vlan(void **state)
{
	(void)state;
	port(2, "eth0", 1504);
	vlan(3, "eth0.100", 2, 100, ETH_P_8021AD);
	vlan(4, "eth0.100.7", 3, 7, 0); /* a kernel that does not tell the protocol means 802.1Q */
	assert_int_equal(resolve(4), 0);
	assert_int_equal(way.ifindex, 2);
	assert_int_equal(way.mtu, 1500); /* the smallest on the way */
	assert_int_equal(way.tags, 2);
	assert_int_equal(way.tag[0].tpid, ETH_P_8021AD); /* the outer one first */
	assert_int_equal(way.tag[0].tci, 100);
	assert_int_equal(way.tag[1].tpid, ETH_P_8021Q);
	assert_int_equal(way.tag[1].tci, 7);
	vlan(6, "deep", 4, 8, 0);
	assert_int_equal(resolve(6), -EOPNOTSUPP); /* three tags */
	vlan(7, "round", 8, 1, 0);
	vlan(8, "about", 7, 1, 0);
	assert_int_equal(resolve(7), -EOPNOTSUPP); /* a circle ends too */
}

static void a_vlan_is_up_when_its_port_is(void **state)
{
	(void)state;
	port(2, "eth0", 1500);
	vlan(3, "eth0.10", 2, 10, 0);
	link_begin(RTM_NEWLINK, 2, "eth0", IFF_UP); /* no carrier */
	assert_int_equal(links_message(&links, &message.header), LINKS_WENT_DOWN);
	assert_int_equal(resolve(3), -ENETDOWN);
	assert_int_equal(way.tags, 1); /* and yet it is known */
	link_begin(RTM_NEWLINK, 2, "eth0", CARRIER);
	assert_int_equal(links_message(&links, &message.header), LINKS_SAME); /* not up either */
	assert_false(links_up(&links, 2));
	link_begin(RTM_NEWLINK, 2, "eth0", UP);
	assert_int_equal(links_message(&links, &message.header), LINKS_WENT_UP);
	assert_true(links_up(&links, 3));
}

static void macvlan_and_strangers(void **state)
{
	(void)state;
	port(2, "eth0", 1500);
	link_begin(RTM_NEWLINK, 3, "vrrp.51", UP);
	mnl_attr_put_u32(&message.header, IFLA_MTU, 1400);
	link_kind("macvlan", 2, 0, 0);
	links_message(&links, &message.header);
	assert_int_equal(resolve(3), 0);
	assert_int_equal(way.ifindex, 2); /* frames leave by the port, from its own MAC */
	assert_memory_equal(way.source_mac, ((uint8_t[6]){2, 0, 0, 0, 0, 2}), 6);
	assert_int_equal(way.mtu, 1400);
	assert_false(way.port_has_vlans);

	link_begin(RTM_NEWLINK, 4, "veth0", UP); /* IFLA_LINK of a veth is its peer: no parent */
	link_kind("veth", 2, 0, 0);
	links_message(&links, &message.header);
	assert_int_equal(resolve(4), 0);
	assert_int_equal(way.ifindex, 4);

	link_begin(RTM_NEWLINK, 5, "eth0.10",
		   UP); /* its parent is in another namespace, where index 2 is something else */
	mnl_attr_put_u32(&message.header, IFLA_LINK_NETNSID, 0);
	link_kind("vlan", 2, 10, 0);
	links_message(&links, &message.header);
	assert_int_equal(resolve(5), -ENODEV);

	link_begin(RTM_NEWLINK, 6, "tun0", UP)->ifi_type = ARPHRD_NONE;
	links_message(&links, &message.header);
	assert_int_equal(resolve(6), -EOPNOTSUPP);
	assert_string_equal(way.device, "tun0");
}

static void a_bridge_speaks_of_its_ports(void **state)
{
	(void)state;
	port(2, "eth0", 1500);
	link_begin(RTM_DELLINK, 2, "eth0", UP)->ifi_family = AF_BRIDGE; /* "has left the bridge" */
	assert_int_equal(links_message(&links, &message.header), LINKS_SAME);
	assert_int_equal(resolve(2), 0);
	link_begin(RTM_NEWLINK, 2, "eth0", 0)->ifi_family = AF_BRIDGE;
	assert_int_equal(links_message(&links, &message.header), LINKS_SAME);
	link_begin(RTM_NEWLINK, 2, NULL, UP); /* a partial message changes nothing it does not name */
	assert_int_equal(links_message(&links, &message.header), LINKS_SAME);
	link_begin(RTM_NEWLINK, 9, NULL, UP); /* and makes no link */
	assert_int_equal(links_message(&links, &message.header), LINKS_SAME);
	assert_int_equal(resolve(9), -ENODEV);
	link_begin(RTM_NEWLINK, -1, "eth9", UP);
	assert_int_equal(links_message(&links, &message.header), LINKS_SAME);
}

static char told[256];

static void tell(void *arg, const struct nexthop_link *link, bool is_gone)
{
	size_t length = strlen(told);

	(void)arg;
	snprintf(told + length, sizeof(told) - length, "%s%s%u ", is_gone ? "-" : "+", link->name, link->ifindex);
}

static const char *changes(void)
{
	told[0] = 0;
	links_tell(&links, tell, NULL);
	return told;
}

static void links_are_told_once(void **state)
{
	(void)state;
	port(2, "eth0", 1500);
	port(3, "eth1", 1500);
	assert_string_equal(changes(), "+eth02 +eth13 ");
	assert_string_equal(changes(), "");
	port(2, "eth0", 1400);
	port(2, "eth0", 1500); /* as it was told: no difference */
	assert_string_equal(changes(), "");
	gone(3);
	port(7, "eth1", 1500); /* came back under its name */
	assert_string_equal(changes(), "-eth13 +eth17 ");
	assert_int_equal(links_find_name(&links, "eth1")->now.ifindex, 7);
	port(8, "short", 1500); /* came and went */
	gone(8);
	assert_string_equal(changes(), "");
	links_unsee(&links);
	port(2, "eth0", 1500);
	links_sweep(&links); /* a dump without eth1 */
	assert_string_equal(changes(), "-eth17 ");
	assert_null(links_find_name(&links, "eth1"));
	assert_non_null(links_find_name(&links, "eth0"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_port),
		TEST(a_vlan_device),
		TEST(vlan_in_vlan),
		TEST(a_vlan_is_up_when_its_port_is),
		TEST(macvlan_and_strangers),
		TEST(a_bridge_speaks_of_its_ports),
		TEST(links_are_told_once),
	};

	return cmocka_run_group_tests_name("next hops: links", tests, NULL, NULL);
}
