/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slots of all services and how each service goes through its transitions (model/slots.h), by the clock of pins and
 * openings. What slots.c knows of a slot beyond its word takes memory only while some slot of the service is not settled.
 */
#ifndef WEIR_TURNS_H
#define WEIR_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "../model/model_types.h"
#include "../model/slots.h"
#include "set.h"

struct turn {                               /* of a service */
	struct slots slots;                 /* .word NULL: no such service; .side NULL: every slot is settled */
	uint32_t base;                      /* of its slots */
	uint32_t next;                      /* where the walk over its slots goes on */
	uint32_t walk;                      /* number of that walk; the one before it is complete */
	uint32_t phases[4], next_phases[4]; /* slots by enum weir_phase: by the complete walk; by the one under way */
};

struct turn_mark {             /* of a backend: when a slot last named it */
	uint32_t named_walk;   /* walk of its service */
	uint32_t holding_walk; /* the same, for a slot that holds new flows on it though its table says no */
	uint32_t named_scan;   /* scan that had begun last */
};

struct turns {
	struct turn *service; /* by index */
	uint32_t services;
	uint8_t *role; /* enum slots_role, by backend index: what packets see in its flags */
	struct turn_mark *mark;
	uint32_t backends;
	uint32_t turning; /* services with a slot that is not settled */
	uint32_t begun;   /* how often one has come to have one */
	uint32_t scans;   /* that have begun (scan.c) */
	uint32_t at;      /* service that the walk is at */
	uint64_t at_ns;   /* when the next round begins */
};

/* ns (CLOCK_MONOTONIC) in the clock of pins and openings. */
static inline uint32_t turns_clock(uint64_t ns)
{
	return (uint32_t)(ns >> WEIR_CLOCK_SHIFT);
}

static inline uint32_t turns_clock_ms(uint32_t ms)
{
	return turns_clock(ms * 1000000ULL);
}

/* What a backend's flags (enum weir_backend_flags) say. */
enum slots_role turns_role_of(uint16_t flags);
/* Roles as the set's flags say them. 0 or -ENOMEM. */
int turns_load(struct turns *turns, const struct set *set);
void turns_free(struct turns *turns);

/* The service's slots, with the windows that its words say now. On the first time what the maps hold is taken over: windows start again. 0 or -ENOMEM. */
int turns_open(struct turns *turns, const struct set *set, const struct model_service *service, uint32_t now);
/* Packets are let go of: the service's slots name nothing any more, and keep their epochs. */
void turns_clear(const struct set *set, const struct model_service *service);
/* The index comes to another service, or to none. */
void turns_close(struct turns *turns, uint16_t service);
/* The index comes to another backend, or to none. */
void turns_forget_backend(struct turns *turns, uint16_t backend);
bool turns_differ(const struct turns *turns, const struct model_service *service);
/* No packet looks at the slots yet: they name what the table says, settled. */
void turns_set(struct turns *turns, const struct model_service *service);
/* Slots whose table entry differs turn to it. Roles are written already. 0 or -ENOMEM, then nothing has changed. */
int turns_move(struct turns *turns, const struct model_service *service, uint32_t now);
/* The backend has stopped serving; role[] says so. */
void turns_stop(struct turns *turns, uint16_t service, uint16_t backend, uint32_t now);

/* Services in transition go on, a stretch of slots a call. When to call again; 0 = none is. */
uint64_t turns_walk(struct turns *turns, uint64_t now_ns);

bool turns_name(const struct turns *turns, uint16_t service, uint16_t backend);
bool turns_hold(const struct turns *turns, uint16_t service, uint16_t backend);

#endif
