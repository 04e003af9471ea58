/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a backend is with giving up its flows: texts, and a line that is kept up to date. On a terminal it is written over
 * again and again; elsewhere there is one when something has changed, every ten seconds at most when only numbers have.
 */
#ifndef WEIR_CLI_PROGRESS_H
#define WEIR_CLI_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"

struct progress {
	bool counted;        /* the two below are there */
	uint64_t packets;    /* to the backend, when they were last counted */
	uint64_t counted_ms; /* when that was */
	bool has_rate;
	double rate; /* packets/s since they were counted before */
	bool open;   /* a line stands on the terminal that has no end yet */
	uint64_t shown_ms;
	bool shown_named; /* what the agent said when a line was last shown */
	struct buf shown;
};

/* `backend` is the agent's object of show backends. */
/* "keeps those it has, for 5m 0s at most: 12 known by pins; silent ones are known only after `learn`" */
void progress_kept(struct buf *text, const json_t *backend);
/* "12 pins (9 confirmed), 340 packets/s, longest idle 2m 3s, 4m 10s left, silent flows not known yet" */
void progress_text(struct buf *text, const struct progress *progress, const json_t *backend);
/* To be called once a second. The first call only counts packets. */
void progress_show(struct progress *progress, const json_t *backend, uint64_t now_ms);
/* Ends a line that is open. */
void progress_end(struct progress *progress);
void progress_free(struct progress *progress);

#endif
