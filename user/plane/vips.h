/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps `vip_buckets`, `vips` and `listeners`, with a copy in memory of what they hold, so that nothing is written that
 * is there already and a service's addresses are found at once.
 */
#ifndef WEIR_VIPS_H
#define WEIR_VIPS_H

#include "../lib/addr.h"
#include "grace.h"
#include "set.h"

struct vip {
	struct addr addr;
	uint32_t index; /* in `vips` */
	uint16_t flags; /* enum weir_vip_flags */
	uint16_t listeners;
	struct weir_listener *listener;
};

struct vips {
	struct vip *vip;
	size_t count;
	struct grace *grace;
	struct weir_vip_bucket *bucket; /* the maps' memory */
	struct weir_vip *element;
	bool *used; /* elements that a chain leads to */
	uint32_t elements;
	int tables;        /* descriptor of `listeners` */
	uint64_t freed_ns; /* when an element of `vips` or `listeners` was last replaced or deleted */
};

/* Reads what the set's maps hold. 0 or -errno. */
int vips_load(struct vips *vips, const struct set *set, struct grace *grace);
void vips_free(struct vips *vips);
struct vip *vips_find(const struct vips *vips, const struct addr *addr);
/* Makes it so, in steps that each leave packets a whole entry; nothing but zeros: takes the entry out. 0 or -errno. */
int vips_set(struct vips *vips, const struct addr *addr, uint16_t flags, const struct weir_listener *listener,
	     uint16_t listeners);

#endif
