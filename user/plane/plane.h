/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path as the agent sees it: program, maps and links, pinned below one bpffs directory so that they outlive
 * the agent.
 *
 *   <bpffs>/                       held by flock while an agent runs
 *   <bpffs>/set-<layout>-<serial>/ one set of maps and the program that runs on it: prog, vips, listeners, services, ...
 *   <bpffs>/links/<interface>      one XDP link per interface (a `.` in its name is written `:`, bpffs allows no dots)
 *
 * An agent's start, in this order:
 *
 *   plane_open      takes the lock, finds the set that packets run on ("live"), if any
 *   plane_restore   live set -> model: names, indexes, digests
 *   plane_load      live set and pinned program as they are; or this build's program on the live maps; or a new set
 *   plane_check     are the interfaces there, and free?
 *   plane_set_model, plane_set_own, plane_set_peers, model_apply (-> observer functions)   fill the set
 *   plane_attach    the interfaces turn to it, by one atomic link update where there is a link; old sets go
 *
 * Until plane_attach packets see nothing but changes of the live maps, and only if those are kept. An agent that fails
 * before it has attached calls plane_close: what it had made is taken away, what ran before runs on. Killed at any
 * point, it leaves what ran running, and the next start mends the rest.
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

/*
 * Takes the lock on the bpffs directory (mounting a bpffs there if it is none, making directories); lock_fd >= 0: the
 * lock was handed over by another agent (the descriptor is the plane's from then on, also on failure). Refuses with the
 * path and the pid of the holder; refuses a live set of a newer layout, and links of another network namespace's
 * interfaces. NULL with error filled.
 */
struct plane *plane_open(const char *bpffs, int lock_fd, struct error *error);
/* Closes descriptors and mappings; what is pinned and attached stays and forwards. */
void plane_close(struct plane *plane);
/* The flock'ed descriptor, to hand over. */
int plane_lock_fd(const struct plane *plane);

/*
 * Reads the ledger of the live set into the model (model_restore_*). What does not fit the model's limits is left out:
 * it gets new indexes, and model_apply says if there is no room. 0 or -1.
 */
int plane_restore(struct plane *plane, struct model *model, struct error *error);
/* Before plane_load: has it make new maps and leave the live ones, though they would do. */
void plane_renew(struct plane *plane);
/* Keeps the live maps when layout and sizes are the same, and the pinned program when it is this build's; else as above. 0 or -1. */
int plane_load(struct plane *plane, const struct config_limits *limits, struct error *error);
/* Whether plane_attach would find an interface missing, or taken by another program: before model_apply changes live maps. 0 or -1. */
int plane_check(const struct plane *plane, const struct config_interface *interface, size_t interfaces,
		struct error *error);
/*
 * After the first model_apply, and again when the list of interfaces has changed: each interface gets the program; links
 * of other interfaces are removed. If an interface that has no link yet cannot be attached, those that this call has
 * attached are let go again, and nothing else has changed. 0 or -1.
 */
int plane_attach(struct plane *plane, const struct config_interface *interface, size_t interfaces, struct error *error);
/* An interface has come back under the same name (new ifindex): attaches again. Nothing happens if it is attached. 0 or -1. */
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

/*
 * Observer functions for the model: write what differs from the maps, in an order that is safe for packets in flight.
 * arg = plane. A backend whose way is WAY_UNKNOWN keeps the way that the maps hold for it.
 */
void plane_service_changed(void *arg, struct model_service *service);
void plane_way_changed(void *arg, struct model_service *service, struct model_backend *backend);
void plane_vip_changed(void *arg, const struct addr *vip);
void plane_service_removed(void *arg, struct model_service *service);
void plane_backend_removed(void *arg, struct model_service *service, struct model_backend *backend);
/* The model that the functions above are called by; before its first model_apply. */
void plane_set_model(struct plane *plane, struct model *model);
/* This node's own addresses (watched for encapsulated packets from peers) and the peers. 0 or -errno (logged). */
int plane_set_own(struct plane *plane, const struct addr *own, size_t count);
void plane_set_peers(struct plane *plane, const struct weir_peer *peer, size_t count);
/* A port's MAC has changed (plane_attach and plane_reattach read it themselves). */
void plane_set_port_mac(struct plane *plane, const char *name, const uint8_t mac[6]);

/* Counters, summed over CPUs, with what earlier sets carried. 0 or -errno. */
int plane_service_count(const struct plane *plane, uint16_t index, struct weir_count *out);
int plane_backend_count(const struct plane *plane, uint16_t index, struct weir_count *out);
int plane_reason_counts(const struct plane *plane, uint64_t out[WEIR_REASON_COUNT]);

/* Something could not be written to the maps (it is in the log): they may not be what the model says. */
bool plane_has_failed(const struct plane *plane);

struct plane_info {
	uint32_t layout, program_id, serial;
	char tag[17];          /* program tag, hex */
	uint32_t instructions; /* translated */
	bool maps_adopted;     /* the maps were there already */
	bool program_adopted;  /* the program too */
	uint64_t memory_bytes; /* of all maps, as the kernel accounts them (fdinfo memlock) */
};
void plane_info(const struct plane *plane, struct plane_info *out);
/* A slot's word now (index into `slots`). */
union weir_slot plane_slot(const struct plane *plane, uint32_t slot);

/*
 * ---- slots in transition (model/slots.h): plane_service_changed begins them, by the windows of the service's words ----
 *
 * plane_turn goes on with them and with the scans of openings and pins: a bounded piece of work, about a millisecond. Returns when it wants to be
 * called next (loop_now_ns), 0 = everything is settled and no backend drains: not before the next change.
 */
uint64_t plane_turn(struct plane *plane, uint64_t now_ns);

struct plane_flows { /* by the last whole scan */
	uint32_t openings, pins;
	uint32_t confirmed; /* of the pins: their connection was seen to begin */
	uint32_t closing;   /* of the pins: FIN or RST was seen */
};

struct plane_service_state {
	uint32_t slots[4]; /* by enum weir_phase */
	struct plane_flows flows;
};
void plane_service_state(const struct plane *plane, const struct model_service *service,
			 struct plane_service_state *out);

struct plane_backend_state {
	bool holding; /* some slot's new flows still go to it though the table says no */
	bool named;   /* some slot names it, as whatever */
	bool free;    /* none does, and two whole scans since then found no opening and no pin of it */
	struct plane_flows flows;
	uint64_t idle_ns; /* the longest silence of a confirmed pin of it; 0 = none */
};
void plane_backend_state(const struct plane *plane, const struct model_service *service, uint16_t index,
			 struct plane_backend_state *out);

struct plane_entry { /* of `pins` or `openings` */
	struct weir_flow_key key;
	bool opening;
	union {
		struct weir_pin as_pin;
		struct weir_opening as_opening;
	};
	uint64_t idle_ns;
};
/*
 * Up to `max` entries of a service (index; -1 = of all), openings first; in *total how many there are. Where the maps hold tens of thousands, only the first
 * are looked at, and *total is by the last whole scan. 0 or -errno.
 */
int plane_entries(const struct plane *plane, int service, struct plane_entry *out, size_t max, size_t *count,
		  size_t *total);

struct plane_flow { /* what the maps say of one flow, and what a packet of it would do (flow.h); nothing is written */
	union weir_slot slot;
	bool has_pin, has_opening, pin_holds, opening_holds;
	struct weir_pin pin;
	struct weir_opening opening;
	uint16_t next, first; /* backend index: where its next packet goes; where a first one (SYN) goes */
	uint64_t
		left_ns; /* of the hold or the window (UDP: its own), as far as it can be known now; 0 = none, or over */
};
/* `slot`: index into `slots`. 0 or -errno. */
int plane_flow(const struct plane *plane, const struct model_service *service, const struct weir_flow_key *key,
	       uint32_t slot, struct plane_flow *out);

/* What found no room, summed over CPUs. 0 or -errno. */
int plane_flow_counts(const struct plane *plane, struct weir_flow_counts *out);

/* For metrics: "vips", "listeners", "openings" or "pins" (by the last whole scan); elements in use, and room for how many. */
uint32_t plane_map_entries(const struct plane *plane, const char *map);
uint32_t plane_map_max_entries(const struct plane *plane, const char *map);

/*
 * `weir-agent --unload`: detaches, unpins, removes; one line of text per thing removed goes to `said`. Refuses while an
 * agent holds the lock. 0 or -1.
 */
int plane_unload(const char *bpffs, void (*said)(const char *line), struct error *error);

#endif
