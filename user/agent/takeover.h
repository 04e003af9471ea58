/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An upgrade without a gap: a new agent takes over from the running one.
 *
 *   new                                      old
 *   connects to the socket, "takeover"  -->  stops: writes nothing any more
 *                                       <--  final line, with the descriptors that both need: they stay valid here too
 *   loads its program, all that can fail
 *   "taken"                             -->  exits, touching nothing
 *
 * If the new one goes away, or says nothing for TAKEOVER_PATIENCE_MS, the old one goes on as if nothing had been.
 */
#ifndef WEIR_TAKEOVER_H
#define WEIR_TAKEOVER_H

#include "request.h"

enum { TAKEOVER_PATIENCE_MS = 10000 };

/* ---- the old one ---- */
void takeover_request(struct request *request);

/* ---- the new one ---- */
struct takeover {
	int connection;                                /* to the old one; -1 = there is none */
	int listening, bpffs_lock, state_lock, notify; /* handed over; -1 = not; whoever takes one sets it to -1 */
	int client[CONNECTIONS_MAX];                   /* connections on which nothing was under way */
	bool follows[CONNECTIONS_MAX];                 /* ... of those, events go to this one */
	size_t clients;
};

/* Nothing handed over. */
void takeover_init(struct takeover *takeover);
/*
 * Asks the agent at `socket`. 0 (takeover->connection tells whether there was one), or -1 with error: there is one,
 * and it refused.
 */
int takeover_ask(struct takeover *takeover, const char *socket, struct error *error);
/* Lets the old one go. 0, or -1: it has lost patience and goes on, so this one must not. */
int takeover_finish(struct takeover *takeover, struct error *error);
void takeover_close(struct takeover *takeover);

#endif
