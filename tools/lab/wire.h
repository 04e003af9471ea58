/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the lab's own servers and clients say to each other, over TCP and UDP alike: a question with a number, and the same
 * question back with the name of who answers. Both ends are on one machine: host order.
 */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { WIRE_NAME = 8, WIRE_NAMES = 32 };

struct message {
	uint32_t flow;
	uint32_t number;      /* 1, 2, 3 ... within the flow */
	char name[WIRE_NAME]; /* empty in a question; "?": not the question that was to come */
};

struct wire_address {
	struct sockaddr_storage at;
	socklen_t size;
};

struct wire_count { /* by name */
	char name[WIRE_NAMES][WIRE_NAME];
	uint64_t count[WIRE_NAMES];
};

extern volatile sig_atomic_t wire_stopped; /* by SIGTERM or SIGINT, once wire_stop_by_signal was called */

void wire_stop_by_signal(void);
uint64_t wire_now_ns(void);
/* Ends the program if it is no address. */
struct wire_address wire_address(const char *address, uint16_t port);
/* Counts one more for the name; no name counts for nobody. */
void wire_count(struct wire_count *count, const char *name);
/* {"be1":3,"be2":4} */
void wire_print_count(const struct wire_count *count);

#endif
