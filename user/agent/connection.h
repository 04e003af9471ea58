/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the control socket: lines in, bytes out, all bounded. Who it belongs to (control.c) learns of lines
 * and of its end by callback.
 *
 *   read -> a whole line -> line() fills `out` -> written as the client reads; only then the next line
 */
#ifndef WEIR_CONNECTION_H
#define WEIR_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "../lib/buf.h"
#include "../lib/loop.h"

enum {
	REQUEST_BYTES_MAX = 65536,
	REPLY_BYTES_MAX = 16 << 20,
	FOLLOW_BYTES_MAX = 1 << 20, /* a follower that is further behind is dropped */
};

struct connection;

struct connection_calls {
	void *arg;
	/* A request of `length` bytes without its newline, closed by a 0. Adds the whole reply to connection->out. */
	void (*line)(void *arg, struct connection *connection, char *line, size_t length);
	/* It is about to be freed. */
	void (*closed)(void *arg, struct connection *connection);
};

struct connection {
	struct watch watch;
	struct timer stall; /* runs while the client owes us reading */
	struct loop *loop;
	const struct connection_calls *calls;
	struct buf in, out;
	size_t sent;    /* of out */
	bool ended;     /* the client sends nothing more */
	bool closing;   /* after what is in out */
	bool broken;    /* at once; the stall timer does it */
	bool following; /* gets events until it goes */
	uint64_t active_ns;
	struct ucred peer;
};

/* Takes fd. NULL with errno. */
struct connection *connection_new(struct loop *loop, int fd, const struct connection_calls *calls);
void connection_free(struct connection *connection);
/* Answers what has come already, as the loop would; may free the connection. */
void connection_serve(struct connection *connection);
/* Adds bytes for a follower and sends what it can. */
void connection_push(struct connection *connection, const char *bytes, size_t length);
/* What has not gone out yet. */
size_t connection_unsent(const struct connection *connection);
/* Nothing is under way: no half request, no half reply. */
bool connection_is_idle(const struct connection *connection);
/* Sends all of `out` now, waiting for the client at most this long. 0 or -errno. */
int connection_drain(struct connection *connection, int timeout_ms);
/* Whether the client's process is a member of `gid`, as the kernel knows it. */
bool connection_in_group(const struct connection *connection, gid_t gid);

#endif
