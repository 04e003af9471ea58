/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways. In: next hops, links and own addresses, as net/nexthop has them from the kernel, and hears that they change.
 * Out: images for the data path, to the model (which decides what becomes of tables) and, for peers, own addresses
 * and interfaces, to the plane.
 */
#include "ways.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/log.h"
#include "tally.h"
#include "turn.h"

static int by_address(const void *a, const void *b)
{
	return addr_compare(a, b);
}

/* How many backends there are of `agent`'s that no config names any more, but which keep flows; `out` (may be NULL) gets their addresses. */
static size_t collect_leaving(const struct agent *agent, struct addr *out)
{
	size_t count = 0;

	for (size_t s = 0; s < agent->model.services; s++) {
		const struct model_service *service = agent->model.service[s];

		for (size_t b = 0; b < service->backends; b++) {
			if (service->backend[b].role != ROLE_REMOVING)
				continue;
			if (out)
				out[count] = service->backend[b].config.addr;
			count++;
		}
	}
	return count;
}

/* All addresses that a config and what is leaving need ways to, sorted, each once. -ENOMEM, or how many. */
static ssize_t collect(const struct agent *agent, const struct config *config, struct addr **out)
{
	size_t count = config->peers + collect_leaving(agent, NULL), unique = 0;
	struct addr *list;

	for (size_t s = 0; s < config->services; s++)
		count += config->service[s].backends;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	count = collect_leaving(agent, list);
	for (size_t p = 0; p < config->peers; p++)
		list[count++] = config->peer[p];
	for (size_t s = 0; s < config->services; s++)
		for (size_t b = 0; b < config->service[s].backends; b++)
			list[count++] = config->service[s].backend[b].addr;
	qsort(list, count, sizeof(*list), by_address);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || addr_compare(&list[i], &list[i - 1]) != 0)
			list[unique++] = list[i];
	*out = list;
	return (ssize_t)unique;
}

static bool has(const struct addr *list, size_t count, const struct addr *addr)
{
	return count > 0 && bsearch(addr, list, count, sizeof(*list), by_address);
}

int ways_watch(struct agent *agent, const struct config *config)
{
	struct ways *ways = &agent->ways;
	struct addr *list = NULL, *grown;
	ssize_t count = collect(agent, config, &list);
	size_t before = ways->count;

	if (count < 0)
		return -ENOMEM;
	grown = realloc(ways->addr, (ways->count + (size_t)count + 1) * sizeof(*grown));
	if (!grown) {
		free(list);
		return -ENOMEM;
	}
	ways->addr = grown;
	for (ssize_t i = 0; i < count; i++)
		if (!has(ways->addr, before, &list[i]) && nexthops_watch(agent->nexthops, &list[i], NULL) == 0)
			ways->addr[ways->count++] = list[i];
	free(list);
	qsort(ways->addr, ways->count, sizeof(*ways->addr), by_address);
	return 0;
}

void ways_trim(struct agent *agent, const struct config *config)
{
	struct ways *ways = &agent->ways;
	struct addr *list = NULL;
	ssize_t count = collect(agent, config, &list);
	size_t kept = 0;

	if (count < 0)
		return; /* too many are watched: the next change tries again */
	for (size_t i = 0; i < ways->count; i++) {
		if (has(list, (size_t)count, &ways->addr[i]))
			ways->addr[kept++] = ways->addr[i];
		else
			nexthops_release(agent->nexthops, &ways->addr[i]);
	}
	ways->count = kept;
	free(list);
}

void ways_trim_soon(struct agent *agent)
{
	agent->ways.trim = true;
	(void)loop_timer_set(agent->loop, &agent->ways.settle, 0);
}

void ways_watch_leaving(struct agent *agent)
{
	size_t count = collect_leaving(agent, NULL);
	struct nexthop nexthop;
	struct addr *list;

	if (count == 0)
		return;
	list = calloc(count, sizeof(*list));
	if (!list || ways_watch(agent, &agent->wanted) != 0) {
		log_warn("ways: out of memory: those of backends that are being removed are not watched");
		count = 0;
	}
	if (list)
		collect_leaving(agent, list);
	for (size_t i = 0; i < count; i++)
		if (nexthops_find(agent->nexthops, &list[i], &nexthop) && nexthop.state != NEXTHOP_UNRESOLVED)
			model_set_way(&agent->model, &list[i]);
	free(list);
}

size_t ways_unresolved(const struct agent *agent)
{
	struct nexthop nexthop;
	size_t count = 0;

	for (size_t i = 0; i < agent->ways.count; i++)
		if (nexthops_find(agent->nexthops, &agent->ways.addr[i], &nexthop) &&
		    nexthop.state == NEXTHOP_UNRESOLVED)
			count++;
	return count;
}

bool ways_is_port(const struct agent *agent, uint32_t ifindex)
{
	for (size_t i = 0; i < agent->ways.ports; i++)
		if (agent->ways.port[i].ifindex == ifindex)
			return true;
	return false;
}

/* ---- to the plane: peers, own addresses, interfaces ---- */

static void tell_peers(struct agent *agent, const struct config *config)
{
	struct weir_peer peers[WEIR_PEERS_MAX] = {0};
	size_t count = 0;

	for (size_t i = 0; i < config->peers && count < WEIR_PEERS_MAX; i++, count++) {
		const struct addr *addr = &config->peer[i];
		struct nexthop nexthop;

		memcpy(&peers[count].addr, addr, sizeof(peers[count].addr));
		/* A peer behind a router sends with the router's MAC: it says nothing about the peer. */
		if (nexthops_find(agent->nexthops, addr, &nexthop) && nexthop.state == NEXTHOP_RESOLVED &&
		    !nexthop.has_gateway)
			memcpy(peers[count].mac, nexthop.mac, sizeof(nexthop.mac));
	}
	plane_set_peers(agent->plane, peers, count);
}

struct own_list {
	struct addr addr[256];
	size_t count;
};

static bool own_visit(void *arg, const struct addr *addr)
{
	struct own_list *list = arg;

	list->addr[list->count++] = *addr;
	return list->count < sizeof(list->addr) / sizeof(list->addr[0]);
}

static void tell_own(struct agent *agent)
{
	struct own_list list = {.count = 0};
	int err;

	nexthops_own_addresses(agent->nexthops, own_visit, &list);
	err = plane_set_own(agent->plane, list.addr, list.count);
	if (err)
		log_warn("own addresses: cannot be told to the data path: %s", strerror(-err));
}

static void tell_ports(struct agent *agent, const struct config *config)
{
	struct ways *ways = &agent->ways;

	ways->ports = 0;
	for (size_t i = 0; i < config->interfaces && i < WEIR_PORTS_MAX; i++) {
		struct ways_port *port = &ways->port[ways->ports++];
		struct nexthop_link link;

		memset(port, 0, sizeof(*port));
		snprintf(port->name, sizeof(port->name), "%s", config->interface[i].name);
		if (!nexthops_link(agent->nexthops, port->name, &link))
			continue;
		port->ifindex = link.ifindex;
		port->up = link.up;
		memcpy(port->mac, link.mac, sizeof(port->mac));
		plane_set_port_mac(agent->plane, port->name, link.mac);
	}
}

void ways_tell_plane(struct agent *agent, const struct config *config)
{
	tell_peers(agent, config);
	tell_own(agent);
	tell_ports(agent, config);
}

/* ---- what net/nexthop says ---- */

static void settle_fire(struct timer *timer, uint64_t now_ns)
{
	struct agent *agent = container_of(timer, struct agent, ways.settle);

	(void)now_ns;
	if (agent->ways.trim)
		ways_trim(agent, &agent->wanted);
	agent->ways.trim = false;
	model_settle(&agent->model);
	tally_update(agent);
	turn_kick(agent);
	tally_ways_end(agent);
	tally_tell_status(agent);
}

static void way_changed(void *arg, const struct addr *addr, const struct nexthop *nexthop)
{
	struct agent *agent = arg;

	(void)nexthop;
	if (!agent->ready)
		return; /* the first apply asks for all of them */
	model_set_way(&agent->model, addr);
	for (size_t i = 0; i < agent->wanted.peers; i++)
		if (addr_compare(&agent->wanted.peer[i], addr) == 0)
			tell_peers(agent, &agent->wanted);
	(void)loop_timer_set(agent->loop, &agent->ways.settle, 0);
}

static void tell_port(struct agent *agent, const char *name, const char *kind, const char *text)
{
	char sentence[IFNAMSIZ + 600];

	snprintf(sentence, sizeof(sentence), "%s %s", name, text);
	events_add(&agent->events, wall_now_ns(), kind, NULL, NULL, sentence);
}

/* The interface is back, as another one. */
static void port_back(struct agent *agent, struct ways_port *port)
{
	struct error error = {0};

	tell_port(agent, port->name, "interface-back", "is there: attaching");
	if (plane_reattach(agent->plane, port->name, &error) != 0)
		tell_port(agent, port->name, "interface-failed", error.text);
}

static void link_changed(void *arg, const struct nexthop_link *link, bool gone)
{
	struct agent *agent = arg;

	for (size_t i = 0; agent->ready && i < agent->ways.ports; i++) {
		struct ways_port *port = &agent->ways.port[i];
		struct ways_port before = *port;

		if (strcmp(port->name, link->name) != 0 || (gone && port->ifindex != link->ifindex))
			continue;
		port->ifindex = gone ? 0 : link->ifindex;
		port->up = !gone && link->up;
		memcpy(port->mac, link->mac, sizeof(port->mac));
		if (gone) {
			tell_port(agent, port->name, "interface-gone", "is gone");
			continue;
		}
		if (before.ifindex != port->ifindex)
			port_back(agent, port);
		else if (before.up != port->up)
			tell_port(agent, port->name, port->up ? "interface-up" : "interface-down",
				  port->up ? "is up" : "is down");
		plane_set_port_mac(agent->plane, port->name, port->mac);
	}
}

static void addresses_changed(void *arg)
{
	struct agent *agent = arg;

	if (agent->ready)
		tell_own(agent);
}

int ways_open(struct agent *agent, struct error *error)
{
	const struct nexthops_callbacks callbacks = {
		.arg = agent,
		.way_changed = way_changed,
		.link_changed = link_changed,
		.addresses_changed = addresses_changed,
	};

	agent->ways.settle.fire = settle_fire;
	agent->nexthops = nexthops_new(agent->loop, &callbacks, error);
	return agent->nexthops ? 0 : -1;
}

void ways_close(struct agent *agent)
{
	loop_timer_stop(agent->loop, &agent->ways.settle);
	nexthops_free(agent->nexthops);
	agent->nexthops = NULL;
	free(agent->ways.addr);
	agent->ways.addr = NULL;
	agent->ways.count = 0;
}
