/* SPDX-License-Identifier: BSD-2-Clause */
/* The model as data, and how to find things in it: what model.h's functions change, and what the files below model.c (stage, table, listeners, index) work on. */
#ifndef WEIR_MODEL_TYPES_H
#define WEIR_MODEL_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "slots.h"

enum way_state {
	WAY_UNKNOWN,    /* nothing said yet: what the maps hold for the backend stays */
	WAY_READY,      /* image says where to */
	WAY_LOCAL,      /* the backend is this machine */
	WAY_UNRESOLVED, /* the next hop does not answer */
	WAY_NO_ROUTE,
	WAY_DOWN, /* the link is down */
};

struct model_way {
	enum way_state state;
	struct weir_way image; /* as the data path wants it; all zero unless READY or LOCAL */
};

enum { RAMP_FULL = 32 }; /* steps of a slow start */

/* What a backend does now. */
enum backend_role {
	ROLE_DISABLED, /* gets nothing */
	ROLE_DRAINING, /* gets no new flows (draining, or weight 0) */
	ROLE_JOINING,  /* gets flows as soon as the way to it is known for the first time */
	ROLE_UP,       /* gets flows */
	ROLE_STANDBY,  /* a fallback while it is not needed */
	ROLE_FALLBACK, /* a fallback that is in use */
	ROLE_DOWN,     /* found down: gets no new flows; `on-down` says what becomes of those it has */
	ROLE_DRAINED,  /* was draining and has no flow left, or its time was up: gets nothing */
	ROLE_REMOVING, /* no longer wanted: drains, then it goes */
	ROLES,         /* numbers are kept in the maps' ledger: new ones come last */
};

struct model_backend {
	struct config_backend config;
	uint16_t index; /* in `backends` */
	enum backend_role role;
	bool joined;  /* its way was known once; stays true */
	bool down;    /* checks say so */
	bool drained; /* while it is draining: it has no flow left, or may keep them no longer */
	bool from_start; /* came in with its service, or this agent did, and has not joined yet: no slow start when it does */
	uint8_t ramp;         /* slow start: how much of its share it gets, in RAMP_FULL-ths; RAMP_FULL = all */
	uint32_t slots_owned; /* in the service's present table */
	uint64_t since_ns;    /* wall clock of the last change of role */
	struct model_way way;
};

struct model_service {
	struct config_service config;  /* .backend is NULL, .backends 0 here: see `backend` */
	uint16_t index;                /* in `services` */
	uint32_t slot_base;            /* in `slots` */
	struct model_backend *backend; /* in the config's order, behind them those that are being removed */
	size_t backends;
	/* stage 1, positions among the backends that are no fallbacks; NULL = not built (an adopted table needs none) */
	uint16_t *own;
	/* slot -> backend index (WEIR_BACKEND_NONE = none); NULL = to be adopted: see table_adopt */
	uint16_t *table;
	uint64_t digest;      /* of everything `table` depends on, indexes included */
	uint64_t slots_moved; /* slots whose backend changed, ever */
	bool built;           /* the table was built by this process, not adopted */
	bool dirty;           /* a way or role changed; model_settle builds the table */
};

struct model_observer {
	void *arg;
	/* The way to a backend: one that comes in (within model_apply, before anything is written), or whose way has changed (model_set_way). */
	struct model_way (*way)(void *arg, const struct model_service *service, const struct model_backend *backend);
	/* 1. For each new and changed service: write ways, table, service word; not yet the listeners.
	 * service->table == NULL: the maps hold it already; give it to table_adopt, and write only if that fails. */
	void (*service_changed)(void *arg, struct model_service *service);
	/* 2. For each VIP of a new, changed or removed service: write what listeners_flatten says now (nothing: take the VIP out). */
	void (*vip_changed)(void *arg, const struct addr *vip);
	/* A backend's way alone has changed. */
	void (*way_changed)(void *arg, struct model_service *service, struct model_backend *backend);
	/* 3. `service` has no listener any more: after a grace period take the rest out, its backends too (no backend_removed for them). */
	void (*service_removed)(void *arg, struct model_service *service);
	/* 4. `backend` of a service that stays is named by no slot any more: after a grace period take it out. Then its index may be used again. */
	void (*backend_removed)(void *arg, struct model_service *service, struct model_backend *backend);
	uint64_t (*now_wall_ns)(void *arg);
	/* Something to remember: kind is a short word ("backend-added"), text a sentence; backend may be NULL. */
	void (*event)(void *arg, const char *kind, const char *service, const struct addr *backend, const char *text);
};

struct model_restored_service {
	char name[WEIR_NAME_MAX];
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

struct model_indexes {              /* which indexes are taken; index.c */
	uint8_t *service, *backend; /* one byte each */
	uint8_t *slots;             /* one byte for each 4096 slots */
};

struct model_place { /* where a backend is found by its address */
	struct addr addr;
	struct model_service *service;
	size_t backend; /* position */
};

struct model {
	struct config_limits limits;
	char hash_seed[64];
	struct model_service **service; /* in the config's order */
	size_t services;
	struct model_place *place; /* of all backends, sorted by address */
	size_t places;
	uint64_t generation; /* +1 for each applied change */
	struct model_observer observer;
	struct model_indexes used;
	/* from the pinned maps, until the first model_apply */
	struct model_restored_service *restored_service;
	struct model_restored_backend *restored_backend;
	size_t restored_services, restored_backends;
};

struct model_service *model_service(const struct model *model, const char *name);
struct model_backend *model_backend(const struct model_service *service, const struct addr *addr);
/* Whether packets find a backend. */
bool model_service_up(const struct model_service *service);
/* How many backends are in each role. */
void model_count_roles(const struct model_service *service, size_t by_role[ROLES]);
const char *backend_role_word(enum backend_role role);
/* What the rules of slots (slots.h) take the backend for. */
enum slots_role model_slots_role(const struct model_service *service, const struct model_backend *backend);
/* Gives its flows up by and by: draining, or being removed. */
bool backend_is_draining(const struct model_backend *backend);
/* How many the config names: those before the ones that are being removed. */
size_t model_wanted_backends(const struct model_service *service);
const char *way_state_word(enum way_state state);

#endif
