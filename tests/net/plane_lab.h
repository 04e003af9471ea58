/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plane's tests stand in namespaces of their own (network, mounts), which end with the process:
 *
 *     c0 ======== e0     c0, c1, c2: the wire's other ends, where frames are sent from and forwarded ones are counted
 *     c1 ======== e1     (a small XDP program drops and counts them: veth hands on what XDP_TX sends only to such a peer)
 *     c2 ======== e2     e0, e1, e2: what the plane attaches to
 *
 * Nothing but the tests' own frames moves on the wires. Backends are MAC addresses behind c0: all services are `dsr`.
 * An "agent" is a process of its own that goes the steps of plane.h with a config's text.
 */
#ifndef TEST_PLANE_LAB_H
#define TEST_PLANE_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../user/model/model.h"
#include "../../user/plane/plane.h"
#include "plane_wire.h"

/* Makes namespaces, wires and a bpffs below lab_dir, until the program ends; ends it if it cannot. */
void lab_up(void);
/* The bpffs directory that agents get unless they are told another one; it does not exist at first. */
extern char lab_bpffs[64];
/* Directory on an ordinary file system, below which tests may make others. */
extern char lab_dir[32];
/* A new bpffs directory, wires and counters as at first. */
void lab_reset(void);
void lab_wire(const char *end, const char *port);
/* Runs a shell command; fails the program if it fails. */
void lab_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How many of 200 flows to 192.0.2.10:80 come back from e0. */
uint64_t lab_probe(void);

/* ---- agents ---- */

struct lab_agent {
	struct plane *plane;
	struct model model;
	struct config config;
	uint8_t mac_step; /* added to the last byte of all backends' MACs */
};

/* Two backends of service "web" on 192.0.2.10:80, on e0. */
extern const char lab_config[];
/* The same on e0, e1 and e2. */
extern const char lab_three_ports[];

/* Agents know no way yet, as when they were started a moment ago. */
extern bool lab_ways_unknown;
/* The steps of plane.h up to plane_attach. 0, or -1 with error filled (and everything closed). */
int lab_agent_start(struct lab_agent *agent, const char *bpffs, const char *config, int lock_fd, struct error *error);
/* Up to model_apply. */
int lab_agent_fill(struct lab_agent *agent, const char *bpffs, const char *config, int lock_fd, struct error *error);
int lab_agent_apply(struct lab_agent *agent, const char *config, struct error *error);
void lab_agent_stop(struct lab_agent *agent);

/* What a process that was an agent has to tell; lies in memory that processes share. */
struct lab_outcome {
	int code; /* what the last step returned */
	char text[512];
	struct plane_info info;
	struct plane_port port[3];
	size_t ports;
	size_t tables_built;
	struct weir_count web, backend[2];
	uint64_t forwarded;
	char said[2048]; /* by --unload */
};
extern struct lab_outcome *lab_outcome;

/* An agent in a process of its own: starts, tells, lets go. What it leaves is what a killed one leaves. */
void lab_start_once(const char *bpffs, const char *config);
/* Fills lab_outcome from a running agent. */
void lab_tell(const struct lab_agent *agent, int code, const struct error *error);
/* `work` in a process of its own; returns how it ended (waitpid's status). */
int lab_in_child(void (*work)(void *arg), void *arg);
/* An agent that stays until lab_agent_leave; returns its pid. */
pid_t lab_agent_stays(const char *bpffs, const char *config);
void lab_agent_leaves(pid_t pid);
void lab_unload_once(const char *bpffs);

/* ---- what the tests ask ---- */

int lab_cmocka_reset(void **state);
void lab_assert_has(const char *text, const char *part);
bool lab_exists(const char *below_bpffs);
/* Another's program on an interface: the descriptor of its link. */
int lab_attach_foreign(const char *interface, uint32_t flags);
/* The program that a link runs, 0 = it is not attached any more. */
uint32_t lab_program_of(int link);

#endif
