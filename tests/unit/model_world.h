/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model against maps made of arrays: an observer writes what it is told, in the order it is told, and checks at each step that no packet in
 * flight could meet something unfinished: a listener whose service has no table, a slot that names a backend which is not there. Tables name
 * only backends that take flows.
 */
#ifndef WEIR_TESTS_MODEL_WORLD_H
#define WEIR_TESTS_MODEL_WORLD_H

#include "../../user/model/model.h"
#include "../../user/model/table.h"

enum { SERVICES = 8, BACKENDS = 64, UNITS = 16, VIPS = 16, SLOTS = UNITS * 4096 };

struct world_vip {
	struct addr addr;
	int listeners;
	struct weir_listener listener[WEIR_LISTENERS_MAX];
};

struct world_maps {
	union weir_slot slot[SLOTS];
	struct model_restored_service service[SERVICES];
	bool service_used[SERVICES];
	struct model_restored_backend backend[BACKENDS + 1]; /* the first one is none */
	bool backend_used[BACKENDS + 1];
	struct world_vip vip[VIPS];
	unsigned int tables_written, tables_adopted, events, services_told;
	enum way_state way[256]; /* by the last byte of the backend's address */
};

extern struct world_maps maps;
extern struct model model;
extern uint64_t world_now; /* wall clock; one more with each look */

/* cmocka's setup and teardown: empty maps, a model that has just started. */
int world_setup(void **state);
int world_teardown(void **state);
/* A new process finds the maps of the last one. */
void world_restart(void);
/* model_apply; fails the test where that does. */
void world_apply(const struct config *config);

/* How many events of this kind there were since setup. */
unsigned int world_told(const char *kind);
/* The backend at this address of the service at this position, as the model has it; NULL = it is not there. */
struct model_backend *world_backend(unsigned int service, unsigned int host);

struct addr world_address(unsigned int net, unsigned int host);
struct config_service world_service(unsigned int name, unsigned int backends);
struct config world_config(unsigned int services, unsigned int backends);
void world_free_config(struct config *config);

#endif
