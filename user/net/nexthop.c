/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways to addresses (nexthop.h). In: the kernel's events, sorted to links, addresses, neighbours and routes. Out: callbacks when a way, a link or
 * this machine's addresses differ from what was said last.
 *
 *   event -> links_message, addresses_message, neighbours_message, or "routes to this prefix" -> paths marked -> settle, once for many events
 *
 * settle asks the kernel anew only for the paths that a route event covers, or for all after a change that moves routes silently (links, addresses,
 * rules), a slice of them a round. What comes from links and neighbours alone is put together from what is known.
 */
#include "nexthop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "../lib/log.h"
#include "addresses.h"
#include "links.h"
#include "neighbours.h"
#include "netlink.h"
#include "paths.h"
#include "routes.h"

#define MS_NS 1000000ULL

enum {
	SETTLE_MS = 20,        /* events come in bursts: a link that goes down is a dozen */
	AGAIN_MS = 1000,       /* after lost events, or when the kernel could not answer */
	SLICE = 256,           /* paths whose ways are put together anew in one round */
	REFRESH_MS = 30 * 1000 /* what the kernel never tells: redirects, path MTUs, settings */
};

struct nexthops {
	struct loop *loop;
	struct nexthops_callbacks callbacks;
	struct netlink netlink;
	struct links links;
	struct addresses addresses;
	struct neighbours neighbours;
	struct paths paths;
	struct watch events;
	struct timer settle, refresh;
	bool lost;              /* events were: everything has to be read anew */
	bool addresses_changed; /* to be said */
	bool paths_removed;     /* while settle walked over them */
};

static void settle_in(struct nexthops *nexthops, uint64_t ms)
{
	uint64_t at_ns = loop_now_ns() + ms * MS_NS;

	if (nexthops->settle.position && nexthops->settle.at_ns <= at_ns)
		return;
	if (loop_timer_set(nexthops->loop, &nexthops->settle, at_ns))
		log_error("next hops: out of memory"); /* the refresh comes back to it */
}

/* ---- what events mean ---- */

static void take_link(struct nexthops *nexthops, const struct nlmsghdr *message)
{
	enum links_change change = links_message(&nexthops->links, message);

	if (change == LINKS_SAME)
		return;
	if (change == LINKS_WENT_UP)
		neighbours_hurry(&nexthops->neighbours);
	/* Up and down take routes away and bring them back without a word. */
	if (change != LINKS_CHANGED)
		paths_ask_all(&nexthops->paths);
	paths_assemble_all(&nexthops->paths);
	settle_in(nexthops, SETTLE_MS);
}

static void take_address(struct nexthops *nexthops, const struct nlmsghdr *message)
{
	enum addresses_change change = addresses_message(&nexthops->addresses, message);

	if (change == ADDRESSES_SAME)
		return;
	if (change == ADDRESSES_CHANGED)
		nexthops->addresses_changed = true;
	paths_ask_all(&nexthops->paths); /* sources, and routes that name an address as theirs */
	settle_in(nexthops, SETTLE_MS);
}

static void take_message(void *arg, const struct nlmsghdr *message)
{
	struct nexthops *nexthops = arg;
	struct addr prefix;
	unsigned int bits;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		take_link(nexthops, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		take_address(nexthops, message);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neighbours_message(&nexthops->neighbours, message);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (route_event(message, &prefix, &bits) && paths_ask_prefix(&nexthops->paths, &prefix, bits))
			settle_in(nexthops, SETTLE_MS);
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		paths_ask_all(&nexthops->paths);
		settle_in(nexthops, SETTLE_MS);
		break;
	default:
		break;
	}
}

static void events_ready(struct watch *watch, uint32_t events)
{
	struct nexthops *nexthops = container_of(watch, struct nexthops, events);
	int err = netlink_events(&nexthops->netlink, take_message, nexthops);

	(void)events;
	if (!err || nexthops->lost)
		return;
	log_info("next hops: events of the kernel were lost (%s): everything is read again", strerror(-err));
	nexthops->lost = true;
	settle_in(nexthops, SETTLE_MS);
}

static void neighbour_changed(void *arg)
{
	settle_in(arg, SETTLE_MS);
}

/* ---- everything anew ---- */

static int read_all(struct nexthops *nexthops)
{
	int err;

	netlink_drain(&nexthops->netlink);
	links_unsee(&nexthops->links);
	addresses_unsee(&nexthops->addresses);
	err = netlink_dump(&nexthops->netlink, RTM_GETLINK, take_message, nexthops);
	if (!err)
		err = netlink_dump(&nexthops->netlink, RTM_GETADDR, take_message, nexthops);
	if (err)
		return err;
	links_sweep(&nexthops->links);
	if (addresses_sweep(&nexthops->addresses))
		nexthops->addresses_changed = true;
	neighbours_read(&nexthops->neighbours);
	paths_ask_all(&nexthops->paths);
	return 0;
}

/* ---- what has changed is said ---- */

static void say_way(struct nexthops *nexthops, const struct path *path)
{
	struct addr addr = path->addr; /* copies: the callback may release the address */
	struct nexthop nexthop;

	memcpy(&nexthop, &path->nexthop, sizeof(nexthop));
	if (nexthops->callbacks.way_changed)
		nexthops->callbacks.way_changed(nexthops->callbacks.arg, &addr, &nexthop);
}

static void settle_ways(struct nexthops *nexthops)
{
	bool failed = false;
	size_t i = 0;

	nexthops->paths_removed = false;
	for (int slice = 0; i < nexthops->paths.by_addr.count && slice < SLICE; i++) {
		struct path *path = paths_at(&nexthops->paths, i);

		if (!path_is_stale(path))
			continue;
		slice++;
		if (path_update(&nexthops->paths, path))
			say_way(nexthops, path);
		else
			failed = failed || path->ask;
	}
	/* A callback that releases addresses moves the paths behind them: some may have been passed over. */
	if (i < nexthops->paths.by_addr.count || nexthops->paths_removed)
		settle_in(nexthops, 0);
	else if (failed)
		settle_in(nexthops, AGAIN_MS);
}

static void settle(struct timer *timer, uint64_t now_ns)
{
	struct nexthops *nexthops = container_of(timer, struct nexthops, settle);

	(void)now_ns;
	if (nexthops->lost) {
		int err = read_all(nexthops);

		if (err) {
			log_warn("next hops: cannot read links and addresses: %s; tried again in a second",
				 strerror(-err));
			settle_in(nexthops, AGAIN_MS);
			return;
		}
		nexthops->lost = false;
	}
	links_tell(&nexthops->links, nexthops->callbacks.link_changed, nexthops->callbacks.arg);
	if (nexthops->addresses_changed && nexthops->callbacks.addresses_changed)
		nexthops->callbacks.addresses_changed(nexthops->callbacks.arg);
	nexthops->addresses_changed = false;
	settle_ways(nexthops);
}

static void refresh(struct timer *timer, uint64_t now_ns)
{
	struct nexthops *nexthops = container_of(timer, struct nexthops, refresh);

	paths_ask_all(&nexthops->paths);
	settle_in(nexthops, 0);
	(void)loop_timer_set(nexthops->loop, timer, now_ns + REFRESH_MS * MS_NS);
}

/* ---- life ---- */

static int start(struct nexthops *nexthops)
{
	int err = netlink_open(&nexthops->netlink);

	if (err)
		return err;
	err = read_all(nexthops);
	if (err)
		return err;
	links_tell(&nexthops->links, NULL, NULL); /* the caller looks for itself what is there now */
	nexthops->addresses_changed = false;
	nexthops->events = (struct watch){.fd = netlink_event_fd(&nexthops->netlink), .ready = events_ready};
	err = loop_watch(nexthops->loop, &nexthops->events, EPOLLIN);
	if (err)
		nexthops->events.fd = -1;
	return err ? err : loop_timer_set(nexthops->loop, &nexthops->refresh, loop_now_ns() + REFRESH_MS * MS_NS);
}

struct nexthops *nexthops_new(struct loop *loop, const struct nexthops_callbacks *callbacks, struct error *error)
{
	struct nexthops *nexthops = calloc(1, sizeof(*nexthops));
	int err;

	if (!nexthops) {
		error_set(error, ERROR_REFUSED, "next hops: out of memory");
		return NULL;
	}
	nexthops->loop = loop;
	nexthops->callbacks = *callbacks;
	nexthops->events.fd = -1;
	nexthops->settle.fire = settle;
	nexthops->refresh.fire = refresh;
	links_init(&nexthops->links);
	addresses_init(&nexthops->addresses);
	nexthops->neighbours = (struct neighbours){
		.loop = loop,
		.netlink = &nexthops->netlink,
		.links = &nexthops->links,
		.changed = neighbour_changed,
		.arg = nexthops,
	};
	neighbours_init(&nexthops->neighbours);
	nexthops->paths = (struct paths){
		.netlink = &nexthops->netlink,
		.links = &nexthops->links,
		.neighbours = &nexthops->neighbours,
	};
	paths_init(&nexthops->paths);
	err = start(nexthops);
	if (err) {
		error_set(error, ERROR_REFUSED, "next hops: cannot read the kernel's links and addresses: %s",
			  strerror(-err));
		nexthops_free(nexthops);
		return NULL;
	}
	return nexthops;
}

void nexthops_free(struct nexthops *nexthops)
{
	if (!nexthops)
		return;
	if (nexthops->events.fd >= 0)
		loop_unwatch(nexthops->loop, &nexthops->events);
	loop_timer_stop(nexthops->loop, &nexthops->settle);
	loop_timer_stop(nexthops->loop, &nexthops->refresh);
	neighbours_free(&nexthops->neighbours);
	paths_free(&nexthops->paths);
	addresses_free(&nexthops->addresses);
	links_free(&nexthops->links);
	netlink_close(&nexthops->netlink);
	free(nexthops);
}

/* ---- questions ---- */

int nexthops_watch(struct nexthops *nexthops, const struct addr *addr, struct nexthop *out)
{
	struct path *path = paths_find(&nexthops->paths, addr);

	if (!path) {
		path = paths_add(&nexthops->paths, addr);
		if (!path)
			return -ENOMEM;
		(void)path_update(&nexthops->paths, path);
		if (path->ask)
			settle_in(nexthops, AGAIN_MS);
	}
	path->users++;
	if (out)
		memcpy(out, &path->nexthop, sizeof(*out));
	return 0;
}

void nexthops_release(struct nexthops *nexthops, const struct addr *addr)
{
	struct path *path = paths_find(&nexthops->paths, addr);

	if (!path || --path->users)
		return;
	paths_remove(&nexthops->paths, path);
	nexthops->paths_removed = true;
}

bool nexthops_find(const struct nexthops *nexthops, const struct addr *addr, struct nexthop *out)
{
	const struct path *path = paths_find(&nexthops->paths, addr);

	if (path)
		memcpy(out, &path->nexthop, sizeof(*out));
	return path != NULL;
}

static bool give_link(const struct link *link, struct nexthop_link *out)
{
	if (link)
		*out = link->now;
	return link != NULL;
}

bool nexthops_link(const struct nexthops *nexthops, const char *name, struct nexthop_link *out)
{
	return give_link(links_find_name(&nexthops->links, name), out);
}

bool nexthops_link_by_index(const struct nexthops *nexthops, uint32_t ifindex, struct nexthop_link *out)
{
	return give_link(links_find(&nexthops->links, ifindex), out);
}

void nexthops_own_addresses(const struct nexthops *nexthops, bool (*visit)(void *arg, const struct addr *addr),
			    void *arg)
{
	addresses_visit(&nexthops->addresses, visit, arg);
}
