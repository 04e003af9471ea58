/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set: the maps that one program uses, pinned together with it in one directory, `set-<layout>-<serial>`. A set is made
 * complete before a packet sees it, and removed when no packet does any more.
 */
#ifndef WEIR_SET_H
#define WEIR_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../include/weir/abi.h"
#include "../lib/error.h"
#include "../model/config.h"
#include "bpffs.h"

enum set_map {
	MAP_NODE,
	MAP_VIP_BUCKETS,
	MAP_VIPS,
	MAP_LISTENERS,
	MAP_SERVICES,
	MAP_SLOTS,
	MAP_OPENINGS,
	MAP_PINS,
	MAP_RESTARTS,
	MAP_FLOW_COUNTERS,
	MAP_BACKENDS,
	MAP_SERVICE_COUNTERS,
	MAP_BACKEND_COUNTERS,
	MAP_REASON_COUNTERS,
	MAP_ACTION_COUNTERS,
	MAP_SERVICE_NAMES,
	MAP_BACKEND_NAMES,
	MAP_SET_INFO,
	SET_MAPS
};

enum {
	SET_OWN_MAX = 128,  /* elements of `vips` for this node's own addresses, beside limits { vips } */
	SET_VIPS_SPARE = 2, /* and element 0, and one for a VIP that changes, which is there twice for a moment */
};

struct set_sizes {
	uint32_t entries[SET_MAPS];
};

struct set {
	char path[BPFFS_PATH];
	uint32_t layout, serial;
	int fd[SET_MAPS];
	uint32_t entries[SET_MAPS], key_size[SET_MAPS], value_size[SET_MAPS];
	void *memory[SET_MAPS]; /* of the mmapable ones */
};

/* A directory that is named like a set. */
struct set_found {
	uint32_t layout, serial;
	uint32_t program_id, new_program_id; /* pinned as `prog`, `prog-new`; 0 = none */
	bool in_force, new_runs;             /* a pinned link runs one of them; runs `prog-new` */
};

struct set_list {
	struct set_found *found; /* by serial, lowest first */
	size_t count;
};

const char *set_map_name(enum set_map map);
void set_sizes_of(struct set_sizes *sizes, const struct config_limits *limits);

/* What lies in the bpffs directory. 0 or -errno. */
int set_list(const char *bpffs, struct set_list *list);
void set_list_free(struct set_list *list);
int set_path(char *path, const char *bpffs, uint32_t layout, uint32_t serial);

/* Opens the pinned maps of a set and maps their memory (writable, or to be read only). NULL with errno. */
struct set *set_open(const char *bpffs, const struct set_found *found, bool writable);
void set_close(struct set *set);
/* True if keys and values have the sizes of this build's abi.h. */
bool set_has_present_structs(const struct set *set);
bool set_has_sizes(const struct set *set, const struct set_sizes *sizes);
/* Pins maps (all of fd) and program in a new directory. 0 or -errno, then nothing is left of it. */
int set_pin(const char *path, const int fd[SET_MAPS], int program);
/* Unpins everything and removes the directory. 0 or -errno. */
int set_remove(const char *path);

/* The memory, by type; for sets of this build's layout. */
static inline struct weir_node *set_node(const struct set *set)
{
	return set->memory[MAP_NODE];
}

static inline struct weir_vip_bucket *set_vip_buckets(const struct set *set)
{
	return set->memory[MAP_VIP_BUCKETS];
}

static inline struct weir_vip *set_vips(const struct set *set)
{
	return set->memory[MAP_VIPS];
}

static inline union weir_service *set_services(const struct set *set)
{
	return set->memory[MAP_SERVICES];
}

static inline union weir_slot *set_slots(const struct set *set)
{
	return set->memory[MAP_SLOTS];
}

/* `restarts`, flat: one for each slot. */
static inline uint32_t *set_restarts(const struct set *set)
{
	return set->memory[MAP_RESTARTS];
}

static inline struct weir_backend *set_backends(const struct set *set)
{
	return set->memory[MAP_BACKENDS];
}

static inline struct weir_service_name *set_service_names(const struct set *set)
{
	return set->memory[MAP_SERVICE_NAMES];
}

static inline struct weir_backend_name *set_backend_names(const struct set *set)
{
	return set->memory[MAP_BACKEND_NAMES];
}

static inline struct weir_set_info *set_info(const struct set *set)
{
	return set->memory[MAP_SET_INFO];
}

#endif
