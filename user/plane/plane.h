/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path as the agent sees it: program, maps and links, pinned below one bpffs directory so that they outlive the agent.
 *
 *   <bpffs>/                      held by flock while an agent runs
 *   <bpffs>/set-<layout>-<serial>/{prog,vips,listeners,services,slots,backends,node,...}   one set of maps and the program that uses it
 *   <bpffs>/links/<interface>                                                              one pinned XDP link per interface
 *
 * plane_open finds the live set, if any, and says what it holds; plane_load loads this build's program onto it (or onto new maps when layout or sizes differ);
 * plane_attach makes each interface use it, by one atomic link update where a link is there already.
 */
#ifndef WEIR_PLANE_H
#define WEIR_PLANE_H

#include <stdbool.h>
#include <stdint.h>

#include "../../include/weir/abi.h"
#include "../../include/weir/reason.h"
#include "../lib/error.h"
#include "../model/model.h"

struct plane;

/* Takes the lock on the bpffs directory (mounting a bpffs there if it is none, making directories); lock_fd >= 0: the lock was handed over by another agent.
 * Refuses with the path and the pid of the holder. NULL with error filled. */
struct plane *plane_open(const char *bpffs, int lock_fd, struct error *error);
/* Closes descriptors and mappings; what is pinned stays and forwards. */
void plane_close(struct plane *plane);
/* The flock'ed descriptor, to hand over. */
int plane_lock_fd(const struct plane *plane);

/* Names what is found: reads the ledger of the live set into the model (model_restore_*). Refuses a newer layout. */
int plane_restore(struct plane *plane, struct model *model, struct error *error);
/* Loads the program; keeps the live maps when layout and sizes are the same, else makes a new set. Nothing that packets see has changed yet. */
int plane_load(struct plane *plane, const struct config_limits *limits, struct error *error);
/* After the first sync: each interface gets the program (link made, or updated once), old sets and links of interfaces no longer wanted are removed. */
int plane_attach(struct plane *plane, const struct config_interface *interface, size_t interfaces, struct error *error);
/* An interface has come back under the same name (new ifindex): attaches again. */
int plane_reattach(struct plane *plane, const char *name, struct error *error);

struct plane_port { /* what `weir show xdp` tells */
	char name[IFNAMSIZ];
	uint32_t ifindex;
	bool attached;
	enum xdp_mode asked, mode; /* mode: what was taken */
	bool adopted;              /* the link was there already */
	uint32_t program_id, link_id;
	char driver[32];
	struct weir_actions actions;
	char problem[160]; /* empty = none */
};
size_t plane_ports(const struct plane *plane, struct plane_port *out, size_t max);

/* Observer functions for the model: write what differs from the maps, in an order that is safe for packets in flight. arg = plane. */
void plane_service_changed(void *arg, struct model_service *service);
void plane_way_changed(void *arg, struct model_service *service, struct model_backend *backend);
void plane_vip_changed(void *arg, const struct addr *vip);
void plane_service_removed(void *arg, struct model_service *service);
void plane_backend_removed(void *arg, struct model_service *service, struct model_backend *backend);
void plane_set_model(struct plane *plane, const struct model *model);
/* This node's own addresses (watched for encapsulated packets from peers) and the peers. */
int plane_set_own(struct plane *plane, const struct addr *own, size_t count);
void plane_set_peers(struct plane *plane, const struct weir_peer *peer, size_t count);
void plane_set_port_mac(struct plane *plane, const char *name, const uint8_t mac[6]);

/* Counters, summed over CPUs, with what earlier sets carried. */
int plane_service_count(const struct plane *plane, uint16_t index, struct weir_count *out);
int plane_backend_count(const struct plane *plane, uint16_t index, struct weir_count *out);
int plane_reason_counts(const struct plane *plane, uint64_t out[WEIR_REASON_COUNT]);

struct plane_info {
	uint32_t layout, program_id, serial;
	char tag[17]; /* program tag, hex */
	uint32_t instructions; /* translated */
	bool maps_adopted;     /* the maps were there already */
	uint64_t memory_bytes; /* of all maps, as the kernel accounts them (fdinfo memlock) */
};
void plane_info(const struct plane *plane, struct plane_info *out);
/* What a slot names now: backend index, 0 = none. */
uint16_t plane_slot(const struct plane *plane, uint32_t slot);
uint32_t plane_map_entries(const struct plane *plane, const char *map); /* for metrics: vips, listeners */

/* `weir-agent --unload`: detaches, unpins, removes; one line of text per thing removed goes to `said`. Refuses while an agent holds the lock. */
int plane_unload(const char *bpffs, void (*said)(const char *line), struct error *error);

#endif
