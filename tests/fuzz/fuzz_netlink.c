/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as rtnetlink messages, to all who read them in user/net. Beside not reading past a message, the tables that the messages fill must keep their
 * promises: sorted, no link twice, a way by a link that is up has a port, and a chain of links always ends.
 *
 *   input: messages one after the other; each is a byte for the type, a byte for the length of the payload, and the payload
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/lib/loop.h"
#include "../../user/net/addresses.h"
#include "../../user/net/links.h"
#include "../../user/net/neighbours.h"
#include "../../user/net/netlink.h"
#include "../../user/net/nexthop.h"
#include "../../user/net/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what) ((what) ? (void)0 : fail(#what))

static void fail(const char *what)
{
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static const uint16_t types[] = {RTM_NEWLINK,  RTM_DELLINK,  RTM_NEWADDR,  RTM_DELADDR,
				 RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWNEIGH, RTM_DELNEIGH};

static struct links links;
static struct addresses addresses;
static struct neighbours neighbours;

/* ---- what must hold after each message ---- */

static bool check_own(void *arg, const struct addr *addr)
{
	struct addr *before = arg;

	MUST(addr_is_unicast(addr) && addr_compare(before, addr) < 0); /* each once */
	*before = *addr;
	return true;
}

static void check_way(const struct link *link)
{
	struct nexthop way = {0};
	char text[256];
	int err = links_resolve(&links, link->now.ifindex, &way);

	MUST(err == 0 || err == -ENODEV || err == -EOPNOTSUPP || err == -ENETDOWN);
	if (err)
		return;
	MUST(links_up(&links, link->now.ifindex) && way.tags <= 2 && links_find(&links, way.ifindex));
	nexthop_describe(&way, text, sizeof(text));
	MUST(strlen(text) < sizeof(text));
}

static void check_tables(void)
{
	struct addr none = {{0}};
	uint32_t before = 0;

	for (size_t i = 0; i < links.by_index.count; i++) {
		const struct link *link = links.by_index.item[i];

		MUST(i == 0 || link->now.ifindex > before);
		MUST(memchr(link->now.name, 0, sizeof(link->now.name)));
		before = link->now.ifindex;
		if (!link->gone)
			check_way(link);
	}
	addresses_visit(&addresses, check_own, &none);
}

static void told(void *arg, const struct nexthop_link *link, bool gone)
{
	(void)arg;
	MUST(link->ifindex != 0 && (gone || links_find(&links, link->ifindex)));
}

/* ---- the messages ---- */

static void take_route(const struct nlmsghdr *message)
{
	struct addr prefix;
	struct route route;
	unsigned int bits;

	route_message(&route, message);
	MUST(route.kind == ROUTE_NONE || route.kind == ROUTE_LOCAL || route.kind == ROUTE_UNICAST);
	if (route_event(message, &prefix, &bits))
		MUST(bits <= 128);
}

static void take(const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		links_message(&links, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		addresses_message(&addresses, message);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		take_route(message);
		break;
	default:
		neighbours_message(&neighbours, message);
	}
}

/* In memory of its exact size, so that reading past it is caught. Returns the bytes of input used. */
static size_t feed(const uint8_t *data, size_t size)
{
	size_t length = data[1] < size - 2 ? data[1] : size - 2;
	struct nlmsghdr *message = calloc(1, sizeof(*message) + length);

	MUST(message);
	message->nlmsg_len = (uint32_t)(sizeof(*message) + length);
	message->nlmsg_type = types[data[0] % (sizeof(types) / sizeof(*types))];
	memcpy(message + 1, data + 2, length);
	take(message);
	free(message);
	return 2 + length;
}

/* ---- the tables ---- */

static void count_change(void *arg)
{
	++*(int *)arg;
}

/* As neighbours_take makes it, but without a kernel to ask. */
static void add_neighbour(uint32_t ifindex, const char *text)
{
	struct {
		uint32_t ifindex;
		struct addr addr;
	} key = {.ifindex = ifindex};
	struct neighbour *neighbour = calloc(1, sizeof(*neighbour));

	MUST(neighbour && addr_parse(text, strlen(text), &key.addr) == 0);
	*neighbour = (struct neighbour){.all = &neighbours, .ifindex = ifindex, .addr = key.addr, .users = 1};
	MUST(sorted_insert(&neighbours.by_key, &key, neighbour) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int changes = 0;

	neighbours = (struct neighbours){.loop = loop_new(), .links = &links, .changed = count_change, .arg = &changes};
	MUST(neighbours.loop);
	links_init(&links);
	addresses_init(&addresses);
	neighbours_init(&neighbours);
	add_neighbour(2, "10.0.0.254");
	add_neighbour(2, "fe80::1");
	for (size_t used; size > 2; data += used, size -= used) {
		used = feed(data, size);
		check_tables();
	}
	links_tell(&links, told, NULL);
	links_unsee(&links);
	links_sweep(&links);
	links_tell(&links, told, NULL);
	MUST(links.by_index.count == 0);
	addresses_unsee(&addresses);
	addresses_sweep(&addresses);
	MUST(addresses.by_addr.count == 0);
	neighbours_free(&neighbours);
	addresses_free(&addresses);
	links_free(&links);
	loop_free(neighbours.loop);
	return 0;
}
