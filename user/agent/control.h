/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket and its connections. What a line means is requests.c's business. */
#ifndef WEIR_CONTROL_H
#define WEIR_CONTROL_H

#include "../lib/error.h"
#include "connection.h"

enum { CONNECTIONS_MAX = 64 };

struct control {
	struct loop *loop;
	struct watch listening; /* .fd stays open for a hand-over */
	struct connection *connection[CONNECTIONS_MAX];
	size_t connections;
	struct connection_calls calls;
	void (*line)(void *arg, struct connection *connection, char *line, size_t length);
	void *arg;
	char path[108];
	bool open_to_group; /* a group "weir" may connect too */
	bool made;          /* by this process: failing to start takes it away again */
};

/*
 * Makes the socket (or takes over listen_fd >= 0) without accepting yet: clients wait. Refuses with path and pid when
 * a live agent has it; one that nobody listens on is replaced. 0 or -1.
 */
int control_open(struct control *control, struct loop *loop, const char *path, int listen_fd, struct error *error);
/* Starts accepting. 0 or -errno. */
int control_serve(struct control *control);
/* A connection that another agent has accepted; takes fd. */
void control_adopt(struct control *control, int fd, bool following);
/* Answers the requests that all connections but this one have sent already. */
void control_serve_others(struct control *control, const struct connection *but);
/* Closes everything; remove: takes the socket's name away too. */
void control_close(struct control *control, bool remove);
/* Bytes for each connection that follows. */
void control_follow(struct control *control, const char *bytes, size_t length);

#endif
