/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened: the last 1,000 events, kept in <state-dir>/events over restarts and SIGKILL. */
#ifndef WEIR_EVENTS_H
#define WEIR_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "../lib/addr.h"
#include "../lib/error.h"

enum { EVENTS_MAX = 1000, EVENT_BYTES_MAX = 2048 };

struct events {
	char path[4096];
	int fd;                 /* of the file, for appending; -1 = nothing is kept */
	char *line[EVENTS_MAX]; /* a ring of JSON lines, each with its newline */
	size_t first, count;
	size_t file_lines; /* in the file; it is written anew when they are many more than the ring holds */
	/* Each new line, for those that follow. May be NULL. */
	void (*added)(void *arg, const char *line, size_t length);
	void *arg;
};

/* Reads what an earlier agent kept. 0, or -1 with error when the file cannot be written. */
int events_open(struct events *events, const char *state_dir, struct error *error);
void events_close(struct events *events);
/* service and backend may be NULL. Also goes to the log, level info. */
void events_add(struct events *events, uint64_t wall_ns, const char *kind, const char *service,
		const struct addr *backend, const char *text);
/* The oldest is number 0. */
const char *events_line(const struct events *events, size_t number);

#endif
