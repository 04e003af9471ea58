/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that the running agent holds, in the order in which it is made (start.c) and, backwards, let go of. Each part
 * has its functions in a file of its own name; the files of this room reach each other through this struct and
 * nothing else is global.
 *
 *   config file --reload.c--.                                    .--> report_*.c, explain.c --> control.c --> `weir`
 *   commands ---changes.c---+--> apply.c --> model --> plane     +--> metrics.c --> file for Prometheus
 *   next hops ---ways.c-----+          '--> events.c             '--> notify.c --> service manager
 *   time --------turn.c-----'
 */
#ifndef WEIR_AGENT_H
#define WEIR_AGENT_H

#include "../model/model.h"
#include "../model/overlay.h"
#include "../net/nexthop.h"
#include "../plane/plane.h"
#include "control.h"
#include "events.h"
#include "notify.h"
#include "options.h"

/* What is remembered of a backend beyond what the model knows; by backend index. tally.c */
struct tally_backend {
	bool used;
	struct addr addr;
	uint16_t service;
	enum backend_role role;
	uint64_t role_ns; /* monotonic: since when; a wall clock that is set must not end a `drain` time */
	enum way_state way;
	uint64_t packets;            /* when it was last looked at */
	uint64_t active_ns;          /* monotonic: packets were seen to grow; 0 = never */
	uint64_t transitions[ROLES]; /* to each role, since this process began */
};

/* Openings and pins that found no room: how many when they were last counted, and when that last grew. */
struct tally_failures {
	uint64_t count;
	uint64_t grew_ns; /* monotonic; 0 = not seen to */
};

struct tally {
	struct timer timer;
	struct tally_backend *backend;
	uint32_t backends;
	unsigned int ways_told, ways_not_told; /* events of this batch of ways */
	struct tally_failures openings, pins;
};

/* What goes on by itself after a change. turn.c */
struct turn {
	struct timer timer;
};

/* The addresses whose ways are watched, sorted; and the interfaces as they were last heard of. ways.c */
struct ways_port {
	char name[IFNAMSIZ];
	uint32_t ifindex; /* 0 = not there */
	bool up;
	uint8_t mac[6];
};

struct ways {
	struct addr *addr;
	size_t count;
	struct timer settle; /* a batch of changed ways is over */
	bool trim;           /* then: something is watched that nobody needs any more */
	struct ways_port port[WEIR_PORTS_MAX];
	size_t ports;
};

struct metrics {
	struct timer timer;
	bool failed;       /* the last file could not be written */
	char problem[256]; /* why */
	uint64_t lag_ns;   /* longest lateness of the loop since the last file */
};

/* How the file in force, and the last try to load one, went. reload.c */
struct loaded {
	uint64_t at_ns; /* wall clock, of the file in force */
	bool ok;        /* the last try */
	char error[512];
};

struct agent {
	struct options options;
	struct loop *loop;
	uint64_t started_ns; /* wall clock */
	struct notify notify;
	int state_lock; /* <state-dir>/lock, held by flock; -1 = not held */
	struct control control;
	struct events events;
	struct nexthops *nexthops;
	struct ways ways;
	struct plane *plane;
	struct model model;
	struct config file;     /* what the file said when it was loaded */
	struct overlay overlay; /* runtime changes over it */
	struct config wanted;   /* both together: in force */
	struct loaded loaded;
	gid_t write_group; /* of control { write group }; (gid_t)-1 = none */
	struct tally tally;
	struct turn turn;
	struct metrics metrics;
	bool ready;        /* the first apply is done: ways go to the model, events are told */
	bool stopping;     /* by a signal */
	bool took_over;    /* from a running agent */
	bool handing_over; /* a new agent has been let in and has not gone on yet */
	bool handed_over;  /* to a new agent: nothing of what is shared is touched on the way out */
};

uint64_t wall_now_ns(void);

#endif
