/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the service manager is told (sd_notify's datagrams, without libsystemd). Without NOTIFY_SOCKET everything here
 * does nothing.
 */
#ifndef WEIR_NOTIFY_H
#define WEIR_NOTIFY_H

#include "../lib/loop.h"

struct notify {
	int fd; /* connected datagram socket, or -1 */
	struct loop *loop;
	struct timer watchdog;
	uint64_t every_ns;
};

/* From the environment or, with fd >= 0, the socket that another agent handed over; takes fd. */
void notify_open(struct notify *notify, struct loop *loop, int fd);
void notify_close(struct notify *notify);
/* One datagram, e.g. "READY=1\nSTATUS=3 services". */
void notify_send(struct notify *notify, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says WATCHDOG=1 from the loop, twice as often as asked for: a loop that hangs is a daemon that hangs. */
void notify_start_watchdog(struct notify *notify);
/* "RELOADING=1" with the clock that systemd wants beside it. */
void notify_reloading(struct notify *notify);

#endif
