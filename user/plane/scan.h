/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scans of `openings` and `pins`: one sweep over both serves all services. What slots.c does not want is deleted, the rest
 * is counted.
 */
#ifndef WEIR_SCAN_H
#define WEIR_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "plane.h"
#include "turns.h"

struct tally { /* of a service or a backend */
	struct plane_flows flows;
	uint32_t idle; /* longest silence of a confirmed pin, in the weir clock */
};

enum scan_step { SCAN_OPENINGS, SCAN_PINS, SCAN_END };

struct scan {
	struct turns *turns;
	const struct set *set;
	bool under_way, quiet; /* quiet: nothing was in transition when it began */
	uint32_t begun;        /* turns->begun then */
	bool empty;            /* no element is in the maps, and nobody writes any */
	uint32_t done;         /* number of the last whole one; that of the one under way is turns->scans */
	uint64_t at_ns;        /* when the next one may begin */
	enum scan_step step;
	uint32_t service; /* that the end is at */
	struct batch batch;
	uint32_t at;                               /* element of the batch */
	struct tally *of_service, *of_backend;     /* by the last whole scan */
	struct tally *next_service, *next_backend; /* by the one under way */
	uint32_t *found;                           /* by backend: scan that last found something of it */
	uint32_t entries[SCAN_END], next_entries[SCAN_END];
};

/* 0 or -ENOMEM. `set` and `turns` stay where they are. */
int scan_load(struct scan *scan, struct turns *turns, const struct set *set);
void scan_free(struct scan *scan);
/* The index comes to another backend, or to none. */
void scan_forget_backend(struct scan *scan, uint16_t backend);
/* Is there, as far as the maps go, anything to scan for? */
bool scan_is_needed(const struct scan *scan);
/* A piece of a scan, if one is `wanted` and due. When to call again; 0 = none is wanted. */
uint64_t scan_go_on(struct scan *scan, bool wanted, uint64_t now_ns);
/* No slot names the backend, and two whole scans that have begun since then found nothing of it. */
bool scan_is_free(const struct scan *scan, uint16_t service, uint16_t backend);

#endif
