/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths: the watched addresses, each with what its way (struct nexthop) is put together from. Events mark those that have to be put together anew. */
#ifndef WEIR_PATHS_H
#define WEIR_PATHS_H

#include "nexthop_types.h"
#include "routes.h"
#include "sorted.h"

struct links;
struct neighbour;
struct neighbours;
struct netlink;

struct paths {
	struct sorted by_addr; /* struct path */
	struct netlink *netlink;
	struct links *links;
	struct neighbours *neighbours;
};

struct path {
	struct addr addr;
	unsigned int users;
	bool ask;      /* the route has to be asked for */
	bool assemble; /* something it is made of has changed */
	struct route route;
	struct neighbour *neighbour;
	uint32_t neighbour_version; /* that went into `nexthop` */
	struct nexthop nexthop;     /* as it was put together last */
};

/* The other members are set before. */
void paths_init(struct paths *paths);
/* The neighbours are freed as a whole: their users are not counted down. */
void paths_free(struct paths *paths);
struct path *paths_at(const struct paths *paths, size_t i);
struct path *paths_find(const struct paths *paths, const struct addr *addr);
/* A new path, not put together yet. NULL if memory is out. */
struct path *paths_add(struct paths *paths, const struct addr *addr);
void paths_remove(struct paths *paths, struct path *path);

/* Marks. paths_ask_prefix: those whose first `bits` bits are the prefix's; true if there are any. */
void paths_ask_all(struct paths *paths);
bool paths_ask_prefix(struct paths *paths, const struct addr *prefix, unsigned int bits);
void paths_assemble_all(struct paths *paths);
bool path_is_stale(const struct path *path);
/* Puts the way together; true if it is another one now. False with path->ask still set: the kernel could not answer now. */
bool path_update(struct paths *paths, struct path *path);

#endif
