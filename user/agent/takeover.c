/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of a takeover. In: the request, or the old agent's answer. Out: descriptors by SCM_RIGHTS, in the order listening socket, lock of the
 * bpffs, lock of the state directory, socket to the service manager; an agent of another version may know fewer, or more.
 */
#include "takeover.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../lib/log.h"

enum { FDS_MIN = 2, FDS_MAX = 16 };

static const char taken[] = "taken\n";

/* ---- the old one ---- */

static int send_with(int fd, const struct buf *text, const int *fds, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec part = {.iov_base = text->data, .iov_len = text->length};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	ssize_t sent;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return (size_t)sent == text->length ? 0 : -EAGAIN;
}

/*
 * Waits, and for once the loop waits too: nothing may be written while another agent reads the maps. What the kernel and clients say meanwhile
 * stays in their sockets, for whoever goes on.
 */
static bool wait_taken(int fd)
{
	struct pollfd in = {.fd = fd, .events = POLLIN};
	char text[sizeof(taken)];
	int ready;

	do
		ready = poll(&in, 1, TAKEOVER_PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	return ready == 1 && recv(fd, text, sizeof(text), MSG_DONTWAIT) == (ssize_t)strlen(taken) &&
	       memcmp(text, taken, strlen(taken)) == 0;
}

void takeover_request(struct request *request)
{
	struct agent *agent = request->agent;
	struct connection *connection = request->connection;
	int fds[] = {agent->control.listening.fd, plane_lock_fd(agent->plane), agent->state_lock, agent->notify.fd};
	size_t count = agent->notify.fd >= 0 ? 4 : 3;
	int err;

	log_info("takeover: pid %d asks", connection->peer.pid);
	notify_send(&agent->notify, "WATCHDOG=1\nSTATUS=handing over to pid %d", connection->peer.pid);
	reply_done(request, "handing over");
	err = send_with(connection->watch.fd, request->out, fds, count);
	buf_clear(request->out);
	connection->closing = true;
	if (err || !wait_taken(connection->watch.fd)) {
		log_warn("takeover: pid %d has not taken over: going on", connection->peer.pid);
		notify_send(&agent->notify, "WATCHDOG=1\nSTATUS=going on");
		return;
	}
	log_info("takeover: pid %d goes on, this agent exits", connection->peer.pid);
	notify_send(&agent->notify, "MAINPID=%d", connection->peer.pid);
	agent->handed_over = true;
	loop_stop(agent->loop);
}

/* ---- the new one ---- */

static int connect_to(const char *path, int *fd)
{
	const struct timeval patience = {.tv_sec = TAKEOVER_PATIENCE_MS / 1000};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return -errno;
	(void)setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return connect(*fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ? -errno : 0;
}

static void keep_fds(struct takeover *takeover, const int *fds, size_t count)
{
	int *const places[] = {&takeover->listening, &takeover->bpffs_lock, &takeover->state_lock, &takeover->notify};

	for (size_t i = 0; i < count; i++) {
		if (i < sizeof(places) / sizeof(places[0]))
			*places[i] = fds[i];
		else
			close(fds[i]);
	}
}

/* Reads some of the answer; *length grows. 0 or -errno. */
static int receive(struct takeover *takeover, char *text, size_t size, size_t *length)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = text + *length, .iov_len = size - 1 - *length};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(takeover->connection, &message, MSG_CMSG_CLOEXEC);
	int fds[FDS_MAX];

	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	*length += (size_t)n;
	text[*length] = '\0';
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		size_t bytes = header->cmsg_len - CMSG_LEN(0);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS || bytes > sizeof(fds))
			continue;
		memcpy(fds, CMSG_DATA(header), bytes);
		keep_fds(takeover, fds, bytes / sizeof(int));
	}
	return 0;
}

/* The answer is one line of JSON; its error, if any, is shown as it is. */
static int read_answer(struct takeover *takeover, const char *socket, struct error *error)
{
	char text[4096];
	size_t length = 0;
	int err = 0;

	while (!err && length < sizeof(text) - 1 && !memchr(text, '\n', length))
		err = receive(takeover, text, sizeof(text), &length);
	if (err)
		return error_set(error, ERROR_REFUSED, "takeover: the agent at %s does not answer: %s", socket,
				 strerror(-err));
	if (!strstr(text, "\"code\":0"))
		return error_set(error, ERROR_REFUSED, "takeover: the agent at %s refuses: %.*s", socket,
				 (int)strcspn(text, "\n"), text);
	if (takeover->listening < 0 || takeover->bpffs_lock < 0)
		return error_set(error, ERROR_REFUSED, "takeover: the agent at %s handed over less than %d descriptors",
				 socket, FDS_MIN);
	return 0;
}

int takeover_ask(struct takeover *takeover, const char *socket, struct error *error)
{
	static const char request[] = "takeover\n";
	int err;

	*takeover =
		(struct takeover){.connection = -1, .listening = -1, .bpffs_lock = -1, .state_lock = -1, .notify = -1};
	err = connect_to(socket, &takeover->connection);
	if (err == -ENOENT || err == -ECONNREFUSED) {
		takeover_close(takeover);
		return 0;
	}
	if (!err && send(takeover->connection, request, strlen(request), MSG_NOSIGNAL) < 0)
		err = -errno;
	if (!err && read_answer(takeover, socket, error) == 0)
		return 0;
	if (err)
		error_set(error, ERROR_REFUSED, "takeover: %s: %s", socket, strerror(-err));
	takeover_close(takeover);
	return -1;
}

int takeover_finish(struct takeover *takeover, struct error *error)
{
	char byte;

	if (takeover->connection < 0)
		return 0;
	if (send(takeover->connection, taken, strlen(taken), MSG_NOSIGNAL) < 0 ||
	    recv(takeover->connection, &byte, 1, 0) != 0)
		return error_set(error, ERROR_REFUSED, "takeover: the old agent has lost patience and goes on");
	return 0;
}

static void descriptor_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void takeover_close(struct takeover *takeover)
{
	descriptor_close(&takeover->connection);
	descriptor_close(&takeover->listening);
	descriptor_close(&takeover->bpffs_lock);
	descriptor_close(&takeover->state_lock);
	descriptor_close(&takeover->notify);
}
