/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of a takeover. In: the request, or the old agent's answer. Out: descriptors by SCM_RIGHTS; the answer's
 * text says what each is, so that agents of different versions understand each other: a descriptor that the new one
 * has no use for is closed.
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
#include "turn.h"

enum { FDS_MAX = CONNECTIONS_MAX + 8 };

static const char taken[] = "taken\n";
static const char handing_over[] = "handing over: ";

/* ---- the old one ---- */

struct parcel {
	int fd[FDS_MAX];
	size_t count;
	struct buf names; /* one for each, each followed by a blank */
};

static void pack(struct parcel *parcel, const char *name, int fd)
{
	if (fd < 0 || parcel->count == FDS_MAX)
		return;
	parcel->fd[parcel->count++] = fd;
	buf_printf(&parcel->names, "%s ", name);
}

static void pack_all(struct parcel *parcel, const struct agent *agent, const struct connection *asking)
{
	pack(parcel, "listening", agent->control.listening.fd);
	pack(parcel, "bpffs-lock", plane_lock_fd(agent->plane));
	pack(parcel, "state-lock", agent->state_lock);
	pack(parcel, "notify", agent->notify.fd);
	for (size_t i = 0; i < agent->control.connections; i++) {
		const struct connection *connection = agent->control.connection[i];

		if (connection != asking && connection_is_idle(connection))
			pack(parcel, connection->following ? "follower" : "client", connection->watch.fd);
	}
}

static int send_with(int fd, const struct buf *text, const struct parcel *parcel)
{
	size_t bytes = parcel->count * sizeof(int);
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec part = {.iov_base = text->data, .iov_len = text->length};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(bytes),
	};
	ssize_t sent;

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(&control.header), parcel->fd, bytes);
	sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return (size_t)sent == text->length ? 0 : -EAGAIN;
}

/*
 * Waits, and for once the loop waits too: nothing may be written while another agent reads the maps. What the kernel
 * and clients say meanwhile stays in their sockets, for whoever goes on.
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
	struct parcel parcel = {.count = 0};
	int err;

	if (agent->handing_over) {
		(void)reply_error(request, ERROR_REFUSED, "takeover: another one is under way");
		return;
	}
	agent->handing_over = true;
	log_info("takeover: pid %d asks", connection->peer.pid);
	control_serve_others(&agent->control, connection);
	notify_send(&agent->notify, "WATCHDOG=1\nSTATUS=handing over to pid %d", connection->peer.pid);
	pack_all(&parcel, agent, connection);
	reply_done(request, "%s%s", handing_over, parcel.names.data ? parcel.names.data : "");
	err = send_with(connection->watch.fd, request->out, &parcel);
	buf_clear(request->out);
	buf_free(&parcel.names);
	connection->closing = true;
	agent->handed_over = !err && wait_taken(connection->watch.fd);
	agent->handing_over = false;
	if (!agent->handed_over) {
		log_warn("takeover: pid %d has not taken over: going on", connection->peer.pid);
		notify_send(&agent->notify, "WATCHDOG=1\nSTATUS=going on");
		turn_kick(agent);
		return;
	}
	log_info("takeover: pid %d goes on, this agent exits", connection->peer.pid);
	notify_send(&agent->notify, "MAINPID=%d", connection->peer.pid);
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

/* What has come, before it is known what is what. */
struct arrived {
	char text[4096];
	size_t length;
	int fd[FDS_MAX];
	size_t count;
};

static void keep(struct takeover *takeover, const char *name, size_t length, int fd)
{
	const struct {
		const char *name;
		int *place;
	} places[] = {
		{"listening", &takeover->listening},
		{"bpffs-lock", &takeover->bpffs_lock},
		{"state-lock", &takeover->state_lock},
		{"notify", &takeover->notify},
		{"client", &takeover->client[takeover->clients]},
		{"follower", &takeover->client[takeover->clients]},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strlen(places[i].name) != length || memcmp(places[i].name, name, length) != 0)
			continue;
		*places[i].place = fd;
		if (i >= 4)
			takeover->follows[takeover->clients++] = i == 5;
		return;
	}
	close(fd);
}

static void keep_all(struct takeover *takeover, const struct arrived *arrived)
{
	const char *at = strstr(arrived->text, handing_over);

	at = at ? at + strlen(handing_over) : "";
	for (size_t i = 0; i < arrived->count; i++) {
		size_t length = strcspn(at, " \"");

		keep(takeover, at, takeover->clients < CONNECTIONS_MAX ? length : 0, arrived->fd[i]);
		at += length + (at[length] == ' ');
	}
}

/* Reads some of the answer. 0 or -errno. */
static int receive(int fd, struct arrived *arrived)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = arrived->text + arrived->length,
			     .iov_len = sizeof(arrived->text) - 1 - arrived->length};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	arrived->length += (size_t)n;
	arrived->text[arrived->length] = '\0';
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		size_t bytes = header->cmsg_len - CMSG_LEN(0);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
		    bytes > sizeof(arrived->fd) - arrived->count * sizeof(int))
			continue;
		memcpy(arrived->fd + arrived->count, CMSG_DATA(header), bytes);
		arrived->count += bytes / sizeof(int);
	}
	return 0;
}

/* The answer is one line of JSON; its error, if any, is shown as it is. */
static int read_answer(struct takeover *takeover, const char *socket, struct error *error)
{
	struct arrived arrived = {.length = 0};
	int err = 0;

	while (!err && arrived.length < sizeof(arrived.text) - 1 && !memchr(arrived.text, '\n', arrived.length))
		err = receive(takeover->connection, &arrived);
	keep_all(takeover, &arrived);
	if (err)
		return error_set(error, ERROR_REFUSED, "takeover: the agent at %s does not answer: %s", socket,
				 strerror(-err));
	if (!strstr(arrived.text, "\"code\":0"))
		return error_set(error, ERROR_REFUSED, "takeover: the agent at %s refuses: %.*s", socket,
				 (int)strcspn(arrived.text, "\n"), arrived.text);
	if (takeover->listening < 0 || takeover->bpffs_lock < 0)
		return error_set(
			error, ERROR_REFUSED,
			"takeover: the agent at %s hands over less than socket and lock: is it of another version?",
			socket);
	return 0;
}

void takeover_init(struct takeover *takeover)
{
	*takeover =
		(struct takeover){.connection = -1, .listening = -1, .bpffs_lock = -1, .state_lock = -1, .notify = -1};
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
	for (size_t i = 0; i < takeover->clients; i++)
		descriptor_close(&takeover->client[i]);
	takeover->clients = 0;
}
