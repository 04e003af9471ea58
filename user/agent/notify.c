/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the service manager is told. In: calls from start, reload and takeover, and a timer for the watchdog. Out:
 * datagrams to $NOTIFY_SOCKET. The socket never blocks and a lost datagram is nobody's trouble but the status line's.
 */
#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../lib/log.h"

#define WATCHDOG_DEFAULT_NS 5000000000ULL /* where nobody said how often: one datagram more or less costs nothing */

static void watchdog_fire(struct timer *timer, uint64_t now_ns)
{
	struct notify *notify = container_of(timer, struct notify, watchdog);

	notify_send(notify, "WATCHDOG=1");
	(void)loop_timer_set(notify->loop, timer, now_ns + notify->every_ns);
}

static int notify_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path)) {
		log_warn("NOTIFY_SOCKET=%s: not a path, the service manager is told nothing", path);
		return -1;
	}
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* abstract: no name in the file system */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0) {
		log_warn("%s: %s, the service manager is told nothing", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

void notify_open(struct notify *notify, struct loop *loop, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET"), *watchdog = getenv("WATCHDOG_USEC");
	unsigned long long every_us = watchdog ? strtoull(watchdog, NULL, 10) : 0;

	memset(notify, 0, sizeof(*notify));
	notify->loop = loop;
	notify->watchdog.fire = watchdog_fire;
	notify->fd = fd >= 0 ? fd : path && *path ? notify_connect(path) : -1;
	notify->every_ns = every_us >= 2000 && every_us <= 3600000000ULL ? every_us * 500 : WATCHDOG_DEFAULT_NS;
}

void notify_close(struct notify *notify)
{
	loop_timer_stop(notify->loop, &notify->watchdog);
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

void notify_send(struct notify *notify, const char *format, ...)
{
	char text[512];
	va_list arguments;
	int length;

	if (notify->fd < 0)
		return;
	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length <= 0)
		return;
	if ((size_t)length >= sizeof(text))
		length = (int)sizeof(text) - 1;
	if (send(notify->fd, text, (size_t)length, MSG_NOSIGNAL) < 0)
		log_debug("service manager: %s", strerror(errno));
}

void notify_start_watchdog(struct notify *notify)
{
	if (notify->fd >= 0)
		(void)loop_timer_set(notify->loop, &notify->watchdog, loop_now_ns() + notify->every_ns);
}

void notify_reloading(struct notify *notify)
{
	notify_send(notify, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(loop_now_ns() / 1000));
}
