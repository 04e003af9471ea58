/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and routes from crafted messages; messages cut at every length and garbled; ways in words. What needs a kernel is in tests/net/nexthop.bats. */
#include <errno.h>
#include <linux/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/lib/loop.h"
#include "../../user/net/addresses.h"
#include "../../user/net/links.h"
#include "../../user/net/neighbours.h"
#include "../../user/net/netlink.h"
#include "../../user/net/nexthop.h"
#include "../../user/net/paths.h"
#include "../../user/net/routes.h"
#include "rtnetlink.h"

static struct links links;
static struct addresses addresses;
static char told[256];

static int setup(void **state)
{
	(void)state;
	links_init(&links);
	addresses_init(&addresses);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	links_free(&links);
	addresses_free(&addresses);
	return 0;
}

/* ---- addresses ---- */

static enum addresses_change address(uint16_t type, const char *local, const char *other, uint32_t flags)
{
	address_message(type, local, other, flags);
	return addresses_message(&addresses, &message.header);
}

static bool collect(void *arg, const struct addr *addr)
{
	char text[ADDR_TEXT];

	strcat(strcat(told, addr_format(addr, text)), " ");
	return --*(int *)arg > 0;
}

/* The unicast addresses, at most so many. */
static const char *own(int most)
{
	told[0] = 0;
	addresses_visit(&addresses, collect, &most);
	return told;
}

static void own_addresses(void **state)
{
	(void)state;
	assert_int_equal(address(RTM_NEWADDR, "10.0.0.1", "10.0.0.1", 0), ADDRESSES_CHANGED);
	assert_int_equal(address(RTM_NEWADDR, "10.0.0.1", "10.0.0.1", 0), ADDRESSES_SAME);
	assert_int_equal(address(RTM_NEWADDR, "10.9.0.1", "10.9.0.2", 0), ADDRESSES_CHANGED); /* point to point */
	assert_int_equal(address(RTM_NEWADDR, NULL, "2001:db8::1", IFA_F_TENTATIVE), ADDRESSES_CHANGED);
	assert_int_equal(address(RTM_NEWADDR, NULL, "2001:db8::1", IFA_F_PERMANENT), ADDRESSES_STATE);
	assert_int_equal(address(RTM_NEWADDR, NULL, "2001:db8::1", 0), ADDRESSES_SAME);
	address(RTM_NEWADDR, NULL, "fe80::1", 0);
	address(RTM_NEWADDR, "127.0.0.1", NULL, 0);
	address_message(RTM_NEWADDR, "10.0.0.1", NULL, 0);
	((struct ifaddrmsg *)mnl_nlmsg_get_payload(&message.header))->ifa_index = 3; /* on a second link too */
	assert_int_equal(addresses_message(&addresses, &message.header), ADDRESSES_CHANGED);
	assert_string_equal(own(100), "10.0.0.1 10.9.0.1 2001:db8::1 ");
	assert_string_equal(own(1), "10.0.0.1 ");

	assert_int_equal(address(RTM_DELADDR, "10.0.0.1", NULL, 0), ADDRESSES_CHANGED);
	assert_string_equal(own(1), "10.0.0.1 "); /* the other link has it still */
	assert_int_equal(address(RTM_DELADDR, "10.0.0.1", NULL, 0), ADDRESSES_SAME);
	addresses_unsee(&addresses);
	address(RTM_NEWADDR, "10.9.0.1", "10.9.0.2", 0);
	assert_true(addresses_sweep(&addresses));
	assert_false(addresses_sweep(&addresses));
	assert_string_equal(own(100), "10.9.0.1 ");
}

/* ---- routes ---- */

static void put_route_mtu(uint32_t mtu)
{
	struct nlattr *metrics = mnl_attr_nest_start(&message.header, RTA_METRICS);

	mnl_attr_put_u32(&message.header, RTAX_MTU, mtu);
	mnl_attr_nest_end(&message.header, metrics);
}

static void routes(void **state)
{
	uint8_t via[2 + 16] = {AF_INET6, 0, 0xfe, 0x80, [17] = 9}; /* little-endian family */
	struct addr six = addr_of("fe80::9"), four = addr_of("10.0.0.254"), source = addr_of("10.0.0.1");
	struct route route;

	(void)state;
	route_begin(AF_INET, RTN_UNICAST);
	put_addr(RTA_GATEWAY, "10.0.0.254");
	put_addr(RTA_PREFSRC, "10.0.0.1");
	mnl_attr_put_u32(&message.header, RTA_OIF, 7);
	put_route_mtu(1400);
	route_message(&route, &message.header);
	assert_int_equal(route.kind, ROUTE_UNICAST);
	assert_int_equal(route.ifindex, 7);
	assert_int_equal(route.mtu, 1400);
	assert_true(route.has_gateway);
	assert_memory_equal(&route.gateway, &four, sizeof(four));
	assert_memory_equal(&route.source, &source, sizeof(source));

	route_begin(AF_INET, RTN_UNICAST);
	mnl_attr_put(&message.header, RTA_VIA, sizeof(via), via);
	mnl_attr_put_u32(&message.header, RTA_OIF, 7);
	route_message(&route, &message.header);
	assert_true(route.has_gateway);
	assert_memory_equal(&route.gateway, &six, sizeof(six));
	assert_true(addr_is_none(&route.source));
	assert_int_equal(route.mtu, 0);

	route_begin(AF_INET6, RTN_UNREACHABLE);
	mnl_attr_put_u32(&message.header, RTA_OIF, 1);
	route_message(&route, &message.header);
	assert_int_equal(route.kind, ROUTE_NONE);
	route_begin(AF_INET6, RTN_LOCAL);
	route_message(&route, &message.header);
	assert_int_equal(route.kind, ROUTE_LOCAL);
	route_begin(AF_INET, RTN_UNICAST); /* leaves by nothing */
	route_message(&route, &message.header);
	assert_int_equal(route.kind, ROUTE_NONE);
}

/* How many of the watched addresses does an event about this destination ask for anew? */
static size_t asked(struct paths *paths, const char *prefix, uint8_t bits)
{
	struct addr addr = addr_of(prefix), found;
	unsigned int found_bits;
	size_t count = 0;

	route_begin((uint8_t)addr_family(&addr), RTN_UNICAST)->rtm_dst_len = bits;
	if (bits)
		put_addr(RTA_DST, prefix);
	assert_true(route_event(&message.header, &found, &found_bits));
	assert_int_equal(paths_ask_prefix(paths, &found, found_bits), found_bits < 128 || bits);
	for (size_t i = 0; i < paths->by_addr.count; i++) {
		count += paths_at(paths, i)->ask;
		paths_at(paths, i)->ask = false;
	}
	return count;
}

static void route_events_ask_only_for_what_they_cover(void **state)
{
	static const char *const watched[] = {"10.0.0.255", "10.0.1.0",  "10.0.1.77", "10.0.1.255",
					      "10.0.2.0",   "192.0.2.1", "fd00::1",   "fd00:0:0:1::1"};
	struct paths paths = {0};
	struct addr addr;
	unsigned int bits;

	(void)state;
	paths_init(&paths);
	for (size_t i = 0; i < 8; i++) {
		addr = addr_of(watched[i]);
		assert_non_null(paths_add(&paths, &addr));
		paths_find(&paths, &addr)->ask = false;
	}
	assert_int_equal(asked(&paths, "10.0.1.0", 24), 3);
	assert_int_equal(asked(&paths, "10.0.1.64", 26), 1);
	assert_int_equal(asked(&paths, "10.0.1.77", 32), 1);
	assert_int_equal(asked(&paths, "10.0.0.0", 23), 4);
	assert_int_equal(asked(&paths, "0.0.0.0", 0), 6);
	assert_int_equal(asked(&paths, "fd00::", 64), 1);
	assert_int_equal(asked(&paths, "fd00::", 63), 2);
	route_begin(AF_INET, RTN_UNICAST)->rtm_dst_len = 33;
	assert_false(route_event(&message.header, &addr, &bits));
	route_begin(AF_INET, RTN_UNICAST)->rtm_dst_len = 24; /* and no destination */
	assert_false(route_event(&message.header, &addr, &bits));
	route_begin(AF_INET6, RTN_UNICAST)->rtm_flags = RTM_F_CLONED;
	assert_false(route_event(&message.header, &addr, &bits));
	paths_free(&paths);
}

/* ---- neighbours ---- */

static struct neighbours neighbours;
static struct neighbour *gateway;

static void count_change(void *arg)
{
	++*(int *)arg;
}

static int neighbour_changes;

/* A neighbour as neighbours_take makes it, but without a kernel to ask. */
static void gateway_begin(void)
{
	struct {
		uint32_t ifindex;
		struct addr addr;
	} key = {2, addr_of("10.0.0.254")};

	neighbours = (struct neighbours){.loop = loop_new(), .changed = count_change, .arg = &neighbour_changes};
	neighbours_init(&neighbours);
	gateway = calloc(1, sizeof(*gateway));
	assert_true(neighbours.loop && gateway);
	*gateway = (struct neighbour){.all = &neighbours, .ifindex = 2, .addr = key.addr, .users = 1};
	assert_int_equal(sorted_insert(&neighbours.by_key, &key, gateway), 0);
	neighbour_changes = 0;
}

static void gateway_end(void)
{
	struct loop *loop = neighbours.loop;

	neighbours_free(&neighbours);
	loop_free(loop);
}

static struct ndmsg *neighbour_begin(uint16_t type, uint16_t state, const char *addr, const uint8_t *mac, size_t length)
{
	struct ndmsg *info;

	memset(&message, 0, sizeof(message));
	mnl_nlmsg_put_header(message.room);
	message.header.nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(&message.header, sizeof(*info));
	info->ndm_family = AF_INET;
	info->ndm_ifindex = 2;
	info->ndm_state = state;
	put_addr(NDA_DST, addr);
	if (mac)
		mnl_attr_put(&message.header, NDA_LLADDR, length, mac);
	return info;
}

static void neighbour(uint16_t type, uint16_t state, const uint8_t *mac)
{
	neighbour_begin(type, state, "10.0.0.254", mac, 6);
	neighbours_message(&neighbours, &message.header);
}

static void a_mac_is_kept_until_everybody_was_asked_in_vain(void **state)
{
	static const uint8_t one[8] = {2, 0, 0, 0, 0, 1}, two[8] = {2, 0, 0, 0, 0, 2};

	(void)state;
	gateway_begin();
	neighbour(RTM_NEWNEIGH, NUD_INCOMPLETE, NULL);
	neighbour(RTM_NEWNEIGH, NUD_FAILED, NULL);
	assert_false(gateway->known);
	neighbour(RTM_NEWNEIGH, NUD_REACHABLE, one);
	assert_true(gateway->known && gateway->timer.position); /* to be verified */
	assert_int_equal(neighbour_changes, 1);
	for (uint16_t usable = NUD_REACHABLE; usable <= NUD_PERMANENT; usable = (uint16_t)(usable << 1))
		if (usable != NUD_FAILED)
			neighbour(RTM_NEWNEIGH, usable, one);
	assert_int_equal(neighbour_changes, 1); /* states alone are no change */
	neighbour(RTM_NEWNEIGH, NUD_STALE, two);
	assert_int_equal(neighbour_changes, 2);
	assert_memory_equal(gateway->mac, two, 6);

	neighbour(RTM_DELNEIGH, NUD_STALE, two);
	assert_true(gateway->known);
	assert_true(gateway->timer.at_ns <= loop_now_ns()); /* asked for now */
	neighbour(RTM_NEWNEIGH, NUD_FAILED, NULL);
	assert_true(gateway->known);
	gateway->asked_ns = loop_now_ns(); /* a "failed" that is older than the question says nothing */
	neighbour(RTM_NEWNEIGH, NUD_FAILED, NULL);
	neighbour(RTM_NEWNEIGH, NUD_INCOMPLETE, NULL);
	assert_int_equal(neighbour_changes, 2);
	gateway->asked_ns = loop_now_ns() - 3000000000U;
	neighbour(RTM_NEWNEIGH, NUD_FAILED, NULL);
	assert_false(gateway->known);
	assert_int_equal(neighbour_changes, 3);
	neighbour(RTM_NEWNEIGH, NUD_FAILED, NULL);
	assert_int_equal(neighbour_changes, 3);
	neighbour(RTM_NEWNEIGH, NUD_REACHABLE, one);
	assert_int_equal(gateway->asked_ns, 0);
	gateway_end();
}

static void what_is_no_entry_of_that_neighbour(void **state)
{
	static const uint8_t one[8] = {2, 0, 0, 0, 0, 1}, none[8];

	(void)state;
	gateway_begin();
	neighbour_begin(RTM_NEWNEIGH, NUD_REACHABLE, "10.0.0.253", one, 6);
	neighbours_message(&neighbours, &message.header);
	neighbour_begin(RTM_NEWNEIGH, NUD_REACHABLE, "10.0.0.254", one, 6)->ndm_ifindex = 3;
	neighbours_message(&neighbours, &message.header);
	neighbour_begin(RTM_NEWNEIGH, NUD_REACHABLE, "10.0.0.254", one, 6)->ndm_flags = NTF_PROXY;
	neighbours_message(&neighbours, &message.header);
	neighbour_begin(RTM_NEWNEIGH, NUD_REACHABLE, "10.0.0.254", one, 6)->ndm_family = AF_BRIDGE;
	neighbours_message(&neighbours, &message.header);
	neighbour_begin(RTM_NEWNEIGH, NUD_REACHABLE, "10.0.0.254", one, 8); /* of a link that is no Ethernet */
	neighbours_message(&neighbours, &message.header);
	neighbour(RTM_NEWNEIGH, NUD_NOARP, none);
	neighbour(RTM_NEWNEIGH, NUD_REACHABLE, NULL);
	assert_false(gateway->known);
	assert_int_equal(neighbour_changes, 0);
	gateway_end();
}

/* ---- malformed ---- */

/* Every reader gets the message in memory of exactly its length, so that ASan and valgrind see each byte read beyond. */
static void read_by_all(const void *bytes, size_t length)
{
	struct nlmsghdr *copy = malloc(length);
	struct addr prefix;
	unsigned int bits;
	struct route route;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	copy->nlmsg_len = (uint32_t)length;
	(void)links_message(&links, copy);
	(void)addresses_message(&addresses, copy);
	route_message(&route, copy);
	(void)route_event(copy, &prefix, &bits);
	neighbours_message(&neighbours, copy);
	free(copy);
}

static void cut_and_garbled(size_t length)
{
	static char garbled[sizeof(message)];
	unsigned int seed = 1;

	for (size_t cut = sizeof(struct nlmsghdr); cut <= length; cut++)
		read_by_all(&message, cut);
	for (int round = 0; round < 20000; round++) {
		memcpy(garbled, &message, length);
		for (int flips = 0; flips < 3; flips++)
			garbled[sizeof(struct nlmsghdr) +
				(unsigned int)rand_r(&seed) % (length - sizeof(struct nlmsghdr))] = (char)rand_r(&seed);
		read_by_all(garbled, length);
	}
}

static void malformed_messages_crash_nothing(void **state)
{
	(void)state;
	link_begin(RTM_NEWLINK, 3, "eth0.10", UP);
	mnl_attr_put_u32(&message.header, IFLA_MTU, 1500);
	link_kind("vlan", 2, 10, ETH_P_8021Q);
	cut_and_garbled(message.header.nlmsg_len);
	address_message(RTM_NEWADDR, "10.0.0.1", "10.0.0.1", 0);
	cut_and_garbled(message.header.nlmsg_len);
	route_begin(AF_INET, RTN_UNICAST);
	put_addr(RTA_GATEWAY, "10.0.0.254");
	mnl_attr_put_u32(&message.header, RTA_OIF, 7);
	put_route_mtu(1400);
	mnl_attr_put(&message.header, RTA_VIA, 18, (const uint8_t[18]){AF_INET6});
	cut_and_garbled(message.header.nlmsg_len);
}

static void wrong_lengths_are_as_if_not_there(void **state)
{
	struct route route;

	(void)state;
	link_begin(RTM_NEWLINK, 2, "eth0", UP);
	mnl_attr_put_u16(&message.header, IFLA_MTU, 9000);
	links_message(&links, &message.header);
	assert_int_equal(links_find(&links, 2)->now.mtu, 0);
	link_begin(RTM_NEWLINK, 3, "a-name-that-is-far-too-long", UP);
	assert_int_equal(links_message(&links, &message.header), LINKS_SAME);
	route_begin(AF_INET, RTN_UNICAST);
	mnl_attr_put_u32(&message.header, RTA_OIF, 7);
	mnl_attr_put(&message.header, RTA_GATEWAY, 16, (const uint8_t[16]){0xfd});
	mnl_attr_put(&message.header, RTA_METRICS, 3, "abc");
	route_message(&route, &message.header);
	assert_int_equal(route.kind, ROUTE_UNICAST);
	assert_false(route.has_gateway);
}

/* ---- words ---- */

static void in_words(void **state)
{
	struct nexthop eth = {.state = NEXTHOP_RESOLVED, .device = "eth0", .mtu = 1500, .mac = {2, 0, 0, 0, 0, 1}};
	char text[160];

	(void)state;
	assert_string_equal(nexthop_describe(&eth, text, sizeof(text)), "by eth0, MAC 02:00:00:00:00:01, MTU 1500");
	eth.tags = 2;
	eth.tag[0].tci = 100;
	eth.tag[1].tci = 7;
	eth.has_gateway = true;
	eth.gateway = addr_of("fe80::1");
	assert_string_equal(nexthop_describe(&eth, text, sizeof(text)),
			    "by eth0 (VLANs 100, 7) over fe80::1, MAC 02:00:00:00:00:01, MTU 1500");
	eth.tags = 1;
	eth.state = NEXTHOP_UNRESOLVED;
	assert_string_equal(nexthop_describe(&eth, text, sizeof(text)),
			    "by eth0 (VLAN 100) over fe80::1, MTU 1500, no answer to the question for its MAC yet");
	eth.state = NEXTHOP_DOWN;
	assert_string_equal(nexthop_describe(&eth, text, 12), "by eth0 (VL");
	memset(&eth, 0, sizeof(eth));
	eth.state = NEXTHOP_NO_ROUTE;
	assert_string_equal(nexthop_describe(&eth, text, sizeof(text)), "no route");
	eth.state = NEXTHOP_LOCAL;
	assert_string_equal(nexthop_describe(&eth, text, sizeof(text)), "this machine itself");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(own_addresses),
		TEST(routes),
		TEST(route_events_ask_only_for_what_they_cover),
		TEST(a_mac_is_kept_until_everybody_was_asked_in_vain),
		TEST(what_is_no_entry_of_that_neighbour),
		TEST(malformed_messages_crash_nothing),
		TEST(wrong_lengths_are_as_if_not_there),
		TEST(in_words),
	};

	return cmocka_run_group_tests_name("next hops: messages", tests, NULL, NULL);
}
