/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this room share: struct plane. */
#ifndef WEIR_PLANE_STATE_H
#define WEIR_PLANE_STATE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "../lib/error.h"
#include "../model/model.h"
#include "adopt.h"
#include "grace.h"
#include "scan.h"
#include "set.h"
#include "turns.h"
#include "vips.h"

/* Its position in plane->port is its position in node.port and in action_counters. */
struct port {
	char name[IFNAMSIZ]; /* empty = unused */
	uint32_t ifindex;
	int link; /* -1 = not attached */
	enum xdp_mode asked, mode;
	bool adopted;             /* the link was there already */
	bool wanted, fresh, made; /* by the plane_attach under way; came in, its link was made by it */
	char problem[160];
};

struct plane {
	char path[BPFFS_PATH];
	int lock;
	bool handed_over;

	struct set_list list;         /* as found by plane_open */
	const struct set_found *live; /* what packets run on, as found; NULL = nothing */
	struct old_set old;           /* the live set, until plane_load keeps it; then the one that is to go, if any */

	struct set *set; /* what is written to: the live one, or a new one */
	bool set_is_new, program_is_new;
	bool renew;          /* the live set is not to be kept */
	bool program_beside; /* pinned as `prog-new`, not yet as `prog` */
	int program;         /* descriptor, -1 = none */
	uint32_t program_id;
	uint64_t digest; /* of this build's object and the sizes */
	bool in_force;   /* packets may run on `set` and `program` */

	struct model *model;
	bool failed; /* something could not be written: the set is not complete */
	struct vips vips;
	struct grace grace;
	struct turns turns;
	struct scan scan;
	uint64_t slots_ns;    /* when a slot was last changed, or a backend has stopped serving */
	uint64_t *flipped_ns; /* by backend index: when its way was last changed, 0 = never */
	struct port port[WEIR_PORTS_MAX];
	unsigned int cpus; /* possible ones: per-CPU values come for each */
};

/* sync.c: takes out what no model names, and tells whether all could be written. 0 or -1. */
int sync_complete(struct plane *plane, struct error *error);
/* Something could not be written: it is said, and plane_has_failed from now on. */
void sync_failed(struct plane *plane, const char *what, int err);
/* node.c: puts a port, or with ifindex 0 nothing, at its position. */
void node_set_port(struct plane *plane, size_t position, uint32_t ifindex, const uint8_t mac[6]);

#endif
