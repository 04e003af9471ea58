/* SPDX-License-Identifier: BSD-2-Clause */
/* The watched addresses (paths.h). In: marks, the kernel's routes, links and neighbours as they are known. Out: struct nexthop. */
#include "paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "links.h"
#include "neighbours.h"

static int compare(const void *key, const void *item)
{
	const struct path *path = item;

	return addr_compare(key, &path->addr);
}

void paths_init(struct paths *paths)
{
	paths->by_addr.compare = compare;
}

void paths_free(struct paths *paths)
{
	sorted_free(&paths->by_addr);
}

struct path *paths_at(const struct paths *paths, size_t i)
{
	return paths->by_addr.item[i];
}

struct path *paths_find(const struct paths *paths, const struct addr *addr)
{
	return sorted_find(&paths->by_addr, addr);
}

struct path *paths_add(struct paths *paths, const struct addr *addr)
{
	struct path *path = calloc(1, sizeof(*path));

	if (!path)
		return NULL;
	path->addr = *addr;
	path->ask = true;
	path->nexthop.state = NEXTHOP_NO_ROUTE;
	if (sorted_insert(&paths->by_addr, addr, path)) {
		free(path);
		return NULL;
	}
	return path;
}

void paths_remove(struct paths *paths, struct path *path)
{
	if (path->neighbour)
		neighbours_drop(path->neighbour);
	sorted_remove(&paths->by_addr, sorted_position(&paths->by_addr, &path->addr));
	free(path);
}

/* ---- marks ---- */

void paths_ask_all(struct paths *paths)
{
	for (size_t i = 0; i < paths->by_addr.count; i++)
		paths_at(paths, i)->ask = true;
}

void paths_assemble_all(struct paths *paths)
{
	for (size_t i = 0; i < paths->by_addr.count; i++)
		paths_at(paths, i)->assemble = true;
}

static bool has_prefix(const struct addr *addr, const struct addr *prefix, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	if (memcmp(addr->byte, prefix->byte, whole) != 0)
		return false;
	return rest == 0 || (addr->byte[whole] ^ prefix->byte[whole]) >> (8 - rest) == 0;
}

/* The paths lie in the order of their addresses: those below a prefix stand side by side. */
bool paths_ask_prefix(struct paths *paths, const struct addr *prefix, unsigned int bits)
{
	size_t first = sorted_position(&paths->by_addr, prefix), i = first;

	for (; i < paths->by_addr.count && has_prefix(&paths_at(paths, i)->addr, prefix, bits); i++)
		paths_at(paths, i)->ask = true;
	return i > first;
}

bool path_is_stale(const struct path *path)
{
	return path->ask || path->assemble || (path->neighbour && path->neighbour->version != path->neighbour_version);
}

/* ---- putting together ---- */

/* addr NULL: it needs none. */
static void use_neighbour(struct paths *paths, struct path *path, const struct addr *addr)
{
	struct neighbour *before = path->neighbour;

	if (before && addr && before->ifindex == path->route.ifindex && addr_compare(&before->addr, addr) == 0)
		return;
	path->neighbour = addr ? neighbours_take(paths->neighbours, path->route.ifindex, addr) : NULL;
	if (before)
		neighbours_drop(before);
}

static void assemble_unicast(struct paths *paths, struct path *path, struct nexthop *out)
{
	const struct route *route = &path->route;
	int err = links_resolve(paths->links, route->ifindex, out);

	if (err && err != -ENETDOWN) { /* no way for frames, but the device is worth naming */
		char device[IFNAMSIZ];

		memcpy(device, out->device, sizeof(device));
		memset(out, 0, sizeof(*out));
		memcpy(out->device, device, sizeof(device));
		out->state = NEXTHOP_NO_ROUTE;
		use_neighbour(paths, path, NULL);
		return;
	}
	if (route->mtu && route->mtu < out->mtu)
		out->mtu = route->mtu;
	out->has_gateway = route->has_gateway;
	out->gateway = route->gateway;
	out->source = route->source;
	use_neighbour(paths, path, route->has_gateway ? &route->gateway : &path->addr);
	out->state = err ? NEXTHOP_DOWN : NEXTHOP_UNRESOLVED;
	if (!err && path->neighbour && path->neighbour->known) {
		out->state = NEXTHOP_RESOLVED;
		memcpy(out->mac, path->neighbour->mac, sizeof(out->mac));
	}
}

bool path_update(struct paths *paths, struct path *path)
{
	struct nexthop now;

	if (path->ask && route_query(paths->netlink, &path->addr, &path->route))
		return false;
	path->ask = path->assemble = false;
	memset(&now, 0, sizeof(now)); /* padding too: compared as bytes */
	if (path->route.kind == ROUTE_UNICAST) {
		assemble_unicast(paths, path, &now);
	} else {
		use_neighbour(paths, path, NULL);
		now.state = path->route.kind == ROUTE_LOCAL ? NEXTHOP_LOCAL : NEXTHOP_NO_ROUTE;
		now.source = path->route.source;
	}
	path->neighbour_version = path->neighbour ? path->neighbour->version : 0;
	if (memcmp(&path->nexthop, &now, sizeof(now)) == 0)
		return false;
	memcpy(&path->nexthop, &now, sizeof(now));
	return true;
}
