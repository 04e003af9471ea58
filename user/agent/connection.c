/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the control socket. In: bytes from a client that may be anybody who can connect: they are bounded,
 * and a client that does not read its reply is dropped. Out: whole lines to calls->line, its reply back to the
 * client. One request at a time: while a reply is under way nothing is read, so that a client's backlog is its own.
 */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/error.h"
#include "../lib/log.h"

#define STALL_NS 10000000000ULL /* a client that has read nothing for so long is gone, or means harm */
#define TURN_NS  5000000ULL     /* after so long the next client has its turn, however much this one has asked for */

size_t connection_unsent(const struct connection *connection)
{
	return connection->out.length - connection->sent;
}

bool connection_is_idle(const struct connection *connection)
{
	return connection->in.length == 0 && connection_unsent(connection) == 0 &&
	       (!connection->ended || connection->following) && !connection->closing && !connection->broken;
}

/* To be closed, but not here: a caller further up still holds the connection. */
static void doom(struct connection *connection)
{
	connection->broken = true;
	(void)loop_timer_set(connection->loop, &connection->stall, 0);
}

static void stalled(struct timer *timer, uint64_t now_ns)
{
	struct connection *connection = container_of(timer, struct connection, stall);

	(void)now_ns;
	if (!connection->broken)
		log_warn("control: pid %d does not read its reply: dropped", connection->peer.pid);
	connection_free(connection);
}

/* Sends until the client's buffer is full. */
static void send_some(struct connection *connection)
{
	while (connection_unsent(connection) > 0 && !connection->broken) {
		ssize_t n = send(connection->watch.fd, connection->out.data + connection->sent,
				 connection_unsent(connection), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			connection->sent += (size_t)n;
			(void)loop_timer_set(connection->loop, &connection->stall, loop_now_ns() + STALL_NS);
		} else if (n < 0 && errno == EAGAIN) {
			return;
		} else if (n < 0 && errno != EINTR) {
			doom(connection);
		}
	}
	if (connection->broken)
		return;
	loop_timer_stop(connection->loop, &connection->stall);
	connection->sent = 0;
	if (connection->out.capacity > REQUEST_BYTES_MAX)
		buf_free(&connection->out);
	else
		buf_clear(&connection->out);
	connection->out.limit = REPLY_BYTES_MAX;
}

/* A whole line, or too long a one, has been read and not been answered yet. */
static bool line_waits(const struct connection *connection)
{
	return connection->in.length > REQUEST_BYTES_MAX ||
	       (connection->in.length > 0 && memchr(connection->in.data, '\n', connection->in.length));
}

static void rewatch(struct connection *connection)
{
	uint32_t events = 0;

	if (connection->broken)
		return;
	if (connection_unsent(connection) > 0 || line_waits(connection)) {
		events = EPOLLOUT; /* its next turn comes when it has read, or has little to read */
		if (connection->stall.position == 0)
			(void)loop_timer_set(connection->loop, &connection->stall, loop_now_ns() + STALL_NS);
	} else if (!connection->ended && !connection->closing) {
		events = EPOLLIN;
	}
	if (loop_rewatch(connection->loop, &connection->watch, events) != 0)
		doom(connection);
}

void connection_push(struct connection *connection, const char *bytes, size_t length)
{
	connection->out.limit = FOLLOW_BYTES_MAX;
	buf_add(&connection->out, bytes, length);
	if (connection->out.failed)
		doom(connection);
	send_some(connection);
	rewatch(connection);
}

int connection_drain(struct connection *connection, int timeout_ms)
{
	struct pollfd out = {.fd = connection->watch.fd, .events = POLLOUT};
	uint64_t until_ns = loop_now_ns() + (uint64_t)timeout_ms * 1000000U;

	for (send_some(connection); connection_unsent(connection) > 0; send_some(connection)) {
		uint64_t now_ns = loop_now_ns();

		if (connection->broken)
			return -EPIPE;
		if (now_ns >= until_ns || poll(&out, 1, (int)((until_ns - now_ns) / 1000000U) + 1) < 0)
			return -ETIMEDOUT;
	}
	return 0;
}

static void read_some(struct connection *connection)
{
	char bytes[4096];

	while (connection->in.length <= REQUEST_BYTES_MAX) {
		ssize_t n = recv(connection->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n > 0) {
			buf_add(&connection->in, bytes, (size_t)n);
			connection->active_ns = loop_now_ns();
			if (connection->in.failed)
				connection->broken = true;
		} else if (n == 0) {
			connection->ended = true;
		} else if (errno == EINTR) {
			continue;
		} else if (errno != EAGAIN) {
			connection->broken = true;
		}
		if (n <= 0 || connection->broken)
			return;
	}
}

static void refuse(struct connection *connection, const char *text)
{
	buf_printf(&connection->out, "{\"done\":true,\"code\":%d,\"error\":\"%s\"}\n", ERROR_USAGE, text);
	connection->closing = true;
}

/* A reply that went over its bound is replaced by a word about that. */
static void check_reply(struct connection *connection)
{
	if (!connection->out.failed)
		return;
	buf_free(&connection->out);
	connection->out.limit = REPLY_BYTES_MAX;
	refuse(connection, "the reply does not fit into memory or is larger than 16 MiB: ask for less");
}

/* Serves whole lines until a reply does not go out at once, or its turn is over. */
static void serve_lines(struct connection *connection)
{
	const struct connection_calls *calls = connection->calls;
	uint64_t until_ns = loop_now_ns() + TURN_NS;

	while (!connection->broken && !connection->closing && connection_unsent(connection) == 0 &&
	       line_waits(connection) && loop_now_ns() < until_ns) {
		char *newline = memchr(connection->in.data, '\n', connection->in.length);
		size_t length = newline ? (size_t)(newline - connection->in.data) : connection->in.length;

		if (length > REQUEST_BYTES_MAX) {
			refuse(connection, "a request is one line of at most 65536 bytes");
		} else if (memchr(connection->in.data, '\0', length)) {
			refuse(connection, "a request is a line of text: it holds a 0 byte");
		} else if (connection->following) {
			connection->closing = true;
		} else {
			*newline = '\0';
			calls->line(calls->arg, connection, connection->in.data, length);
			buf_drop(&connection->in, length + 1);
			check_reply(connection);
		}
		send_some(connection);
	}
}

static void ready(struct watch *watch, uint32_t events)
{
	struct connection *connection = container_of(watch, struct connection, watch);

	if (events & (EPOLLHUP | EPOLLERR)) /* both directions are closed: nobody is left to read a reply */
		connection->broken = true;
	if (events & EPOLLOUT)
		send_some(connection);
	if (!connection->broken && (events & EPOLLIN))
		read_some(connection);
	serve_lines(connection);
	if (!connection->following && connection->ended && connection_unsent(connection) == 0 &&
	    !line_waits(connection))
		connection->closing = true;
	if (connection->broken || (connection->closing && connection_unsent(connection) == 0))
		connection_free(connection);
	else
		rewatch(connection);
}

void connection_serve(struct connection *connection)
{
	ready(&connection->watch, EPOLLIN);
}

struct connection *connection_new(struct loop *loop, int fd, const struct connection_calls *calls)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	socklen_t length = sizeof(connection->peer);

	if (!connection) {
		close(fd);
		return NULL;
	}
	connection->loop = loop;
	connection->calls = calls;
	connection->watch.fd = fd;
	connection->watch.ready = ready;
	connection->stall.fire = stalled;
	connection->in.limit = 2 * REQUEST_BYTES_MAX;
	connection->out.limit = REPLY_BYTES_MAX;
	connection->active_ns = loop_now_ns();
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &connection->peer, &length) != 0 ||
	    loop_watch(loop, &connection->watch, EPOLLIN)) {
		close(fd);
		free(connection);
		return NULL;
	}
	return connection;
}

void connection_free(struct connection *connection)
{
	connection->calls->closed(connection->calls->arg, connection);
	loop_timer_stop(connection->loop, &connection->stall);
	loop_unwatch(connection->loop, &connection->watch);
	close(connection->watch.fd);
	buf_free(&connection->in);
	buf_free(&connection->out);
	free(connection);
}

bool connection_in_group(const struct connection *connection, gid_t gid)
{
	gid_t groups
		[256]; /* more than that: the kernel says ERANGE, and the client is no member as far as we can tell */
	socklen_t length = sizeof(groups);

	if (connection->peer.gid == gid)
		return true;
	if (getsockopt(connection->watch.fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0)
		return false;
	for (size_t i = 0; i < length / sizeof(groups[0]); i++)
		if (groups[i] == gid)
			return true;
	return false;
}
