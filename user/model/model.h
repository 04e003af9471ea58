/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective state: services and backends with the indexes they have in the maps, their states, their tables.
 * Every change, from whatever source, comes in here (model_apply, model_set_way) and goes out by one door: model->changed is called with what
 * has to be written. Pure: no kernel, no files, no clock.
 *
 *   config (wanted) --model_apply--> services, backends (indexes) --model_build--> tables --observer--> plane/sync -> maps
 */
#ifndef WEIR_MODEL_H
#define WEIR_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/error.h"
#include "config.h"

/* The way out to a backend, in the model's words (filled from nexthop by the agent). */
enum way_state { WAY_UNKNOWN, WAY_READY, WAY_LOCAL, WAY_UNRESOLVED, WAY_NO_ROUTE, WAY_DOWN };

struct model_way {
	enum way_state state;
	struct weir_way image; /* as the data path wants it; all zero unless READY or LOCAL */
};

/* What a backend does now. */
enum backend_role {
	ROLE_DISABLED, /* gets nothing */
	ROLE_DRAINING, /* gets no new flows (draining, or weight 0) */
	ROLE_UP,       /* gets flows */
	ROLE_STANDBY,  /* a fallback while it is not needed */
	ROLE_FALLBACK, /* a fallback that is in use */
};

struct model_backend {
	struct config_backend config;
	uint16_t index; /* in `backends` */
	enum backend_role role;
	uint32_t slots_owned; /* in the service's present table */
	uint64_t since_ns;    /* wall clock of the last change of role */
	struct model_way way;
};

struct model_service {
	struct config_service config; /* .backend is NULL here: see `backend` */
	uint16_t index;               /* in `services` */
	uint32_t slot_base;           /* in `slots` */
	struct model_backend *backend;
	size_t backends;
	uint16_t *own;     /* stage 1, positions as of own_digest; NULL = not built (an adopted table needs none) */
	uint64_t own_digest;
	uint16_t *table;   /* slot -> backend index (WEIR_BACKEND_NONE = none); NULL = adopt what the maps hold */
	uint64_t digest;   /* of everything `table` depends on, indexes included */
	uint64_t slots_moved; /* slots whose backend changed, ever */
};

struct model_observer {
	void *arg;
	/* Write `service` to the maps: ways, table, service word, then listeners. Called for new and changed services. */
	void (*service_changed)(void *arg, struct model_service *service);
	/* A backend's way alone has changed. */
	void (*way_changed)(void *arg, struct model_service *service, struct model_backend *backend);
	/* Take `service` out of the maps: listeners first, then a grace period, then the rest. */
	void (*service_removed)(void *arg, struct model_service *service);
	/* `backend` is named by no slot any more; after this its index may be used again. */
	void (*backend_removed)(void *arg, struct model_service *service, struct model_backend *backend);
	uint64_t (*now_wall_ns)(void *arg);
	/* Something to remember: kind is a short word ("backend-added"), text a sentence. service, backend may be NULL. */
	void (*event)(void *arg, const char *kind, const char *service, const struct addr *backend, const char *text);
};

struct model_restored_service {
	const char *name;
	uint16_t index;
	uint32_t slot_base, slots;
	uint64_t digest, slots_moved;
};

struct model_restored_backend {
	struct addr addr;
	uint16_t service_index, index;
	enum backend_role role;
	uint64_t since_ns;
};

struct model {
	struct config_limits limits;
	char hash_seed[64];
	struct model_service **service; /* in the config's order */
	size_t services;
	uint64_t generation; /* +1 for each applied change */
	struct model_observer observer;
	/* index allocation */
	uint8_t *service_used, *backend_used; /* one byte per index */
	uint8_t *slot_used;                   /* one byte per 4096 slots */
	/* from the pinned maps, consulted when a name or a backend comes in first; see model_restore_* */
	struct model_restored *restored;
};

/* Empty model of these sizes. 0 or -ENOMEM. */
int model_init(struct model *model, const struct config_limits *limits, const char *hash_seed, const struct model_observer *observer);
void model_free(struct model *model);

/*
 * What the pinned maps hold, before the first model_apply: a service (or a backend of a service) that the config names gets the index it had.
 * What the config does not name is removed through the observer at the end of the first apply. 0 or -errno.
 */
int model_restore_service(struct model *model, const struct model_restored_service *service);
int model_restore_backend(struct model *model, const struct model_restored_backend *backend);

/*
 * Makes `wanted` the effective state: all of it or, with error filled, nothing. Unchanged services are not touched; a service whose digest equals the
 * restored one keeps its table (table NULL, observer called all the same so that it is checked against the maps).
 */
int model_apply(struct model *model, const struct config *wanted, struct error *error);
/* What model_apply would do, in words, one line per change, and how many slots would move; changes nothing. */
struct buf;
int model_plan(const struct model *model, const struct config *wanted, struct buf *text, uint64_t *slots_moved, struct error *error);

/* A new way for an address: all backends that have it. way is called per service, since it depends on the forwarding mode. */
void model_set_way(struct model *model, const struct addr *addr,
		   struct model_way (*make)(void *arg, const struct model_service *service, const struct model_backend *backend), void *arg);

struct model_service *model_service(const struct model *model, const char *name);
struct model_backend *model_backend(const struct model_service *service, const struct addr *addr);
const char *backend_role_word(enum backend_role role);
const char *way_state_word(enum way_state state);

#endif
