/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket. In: clients. Out: connections (connection.c), at most CONNECTIONS_MAX of them; when one more
 * comes, the one that has been idle longest goes, so that nobody can lock others out by holding connections.
 */
#include "control.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../lib/file.h"
#include "../lib/log.h"

enum { ACCEPTS_A_ROUND = 16, BACKLOG = 1024 };

/*
 * Who should go first: the idle before those that wait for events, those before the busy; then the one longest
 * silent.
 */
static int importance(const struct connection *connection)
{
	if (connection_unsent(connection) > 0)
		return 2;
	return connection->following ? 1 : 0;
}

static void drop_one(struct control *control)
{
	struct connection *victim = NULL;

	for (size_t i = 0; i < control->connections; i++) {
		struct connection *connection = control->connection[i];

		if (!victim || importance(connection) < importance(victim) ||
		    (importance(connection) == importance(victim) && connection->active_ns < victim->active_ns))
			victim = connection;
	}
	if (!victim)
		return;
	log_debug("control: too many connections: pid %d is dropped", victim->peer.pid);
	connection_free(victim);
}

static void connection_closed(void *arg, struct connection *connection)
{
	struct control *control = arg;

	for (size_t i = 0; i < control->connections; i++) {
		if (control->connection[i] == connection) {
			control->connection[i] = control->connection[--control->connections];
			return;
		}
	}
}

static void connection_line(void *arg, struct connection *connection, char *line, size_t length)
{
	struct control *control = arg;

	control->line(control->arg, connection, line, length);
}

static struct connection *add(struct control *control, int fd)
{
	struct connection *connection;

	if (control->connections == CONNECTIONS_MAX)
		drop_one(control);
	connection = connection_new(control->loop, fd, &control->calls);
	if (connection)
		control->connection[control->connections++] = connection;
	else
		log_warn("control: a connection was refused: %s", strerror(errno));
	return connection;
}

void control_adopt(struct control *control, int fd, bool following)
{
	struct connection *connection = add(control, fd);

	if (connection)
		connection->following = following;
}

static void listening_ready(struct watch *watch, uint32_t events)
{
	struct control *control = container_of(watch, struct control, listening);

	(void)events;
	for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			add(control, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE)
			drop_one(control);
		return;
	}
}

/* 0: the name is free (a socket nobody listens on is taken away); -1 with error: somebody has it. */
static int free_name(const struct sockaddr_un *address, struct error *error)
{
	const char *path = address->sun_path;
	struct ucred peer = {0};
	socklen_t length = sizeof(peer);
	struct stat st;
	int fd, err = 0;

	if (lstat(path, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(error, ERROR_REFUSED,
				 "%s: is there already and is no socket: name another with --socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(error, ERROR_REFUSED, "%s: %s", path, strerror(errno));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
			peer.pid = 0;
		err = error_set(
			error, ERROR_REFUSED,
			"%s: pid %d listens there: another weir-agent is running (--takeover takes over from it)", path,
			peer.pid);
	} else if (errno != ECONNREFUSED || unlink(path) != 0) {
		err = error_set(error, ERROR_REFUSED, "%s: %s", path, strerror(errno));
	}
	close(fd);
	return err;
}

static int make_directory(const char *path)
{
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (!slash || slash == directory)
		return 0;
	*slash = '\0';
	return file_make_directory(directory, 0755);
}

/* Root and the group weir may connect; without such a group, root alone. */
static int open_to_group(const char *path, bool *open)
{
	const struct group *group = getgrnam("weir");

	*open = false;
	if (!group)
		return 0; /* as it was made: 0600 */
	if (chown(path, 0, group->gr_gid) != 0 || chmod(path, 0660) != 0)
		return -errno;
	*open = true;
	return 0;
}

static int listen_at(struct control *control, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	int err = 0;

	if (fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		err = -errno;
	umask(mask);
	if (!err)
		err = open_to_group(address->sun_path, &control->open_to_group);
	if (!err && listen(fd, BACKLOG) != 0)
		err = -errno;
	if (err && fd >= 0)
		close(fd);
	if (err)
		return err;
	control->listening.fd = fd;
	control->made = true;
	return 0;
}

int control_open(struct control *control, struct loop *loop, const char *path, int listen_fd, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int err;

	memset(control, 0, sizeof(*control));
	control->loop = loop;
	control->listening.fd = listen_fd;
	control->listening.ready = listening_ready;
	control->calls =
		(struct connection_calls){.arg = control, .line = connection_line, .closed = connection_closed};
	snprintf(control->path, sizeof(control->path), "%s", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (listen_fd >= 0) {
		(void)listen(listen_fd, BACKLOG); /* from now on clients see this process as their peer */
		control->open_to_group = stat(path, &st) == 0 && (st.st_mode & S_IWGRP);
		return 0;
	}
	err = make_directory(path);
	if (err)
		return error_set(error, ERROR_REFUSED, "%s: its directory cannot be made: %s", path, strerror(-err));
	if (free_name(&address, error) != 0)
		return -1;
	err = listen_at(control, &address);
	if (err) {
		control->listening.fd = -1;
		return error_set(error, ERROR_REFUSED, "%s: cannot listen there: %s", path, strerror(-err));
	}
	return 0;
}

int control_serve(struct control *control)
{
	return loop_watch(control->loop, &control->listening, EPOLLIN);
}

void control_serve_others(struct control *control, const struct connection *but)
{
	struct connection *others[CONNECTIONS_MAX];
	size_t count = control->connections;

	memcpy(others, control->connection, sizeof(others)); /* each may go while it is served, and only itself */
	for (size_t i = 0; i < count; i++)
		if (others[i] != but)
			connection_serve(others[i]);
}

void control_close(struct control *control, bool remove)
{
	while (control->connections > 0) {
		(void)connection_drain(control->connection[0], 0);
		connection_free(control->connection[0]);
	}
	if (control->listening.fd < 0)
		return;
	loop_unwatch(control->loop, &control->listening);
	close(control->listening.fd);
	control->listening.fd = -1;
	if (remove)
		unlink(control->path);
}

void control_follow(struct control *control, const char *bytes, size_t length)
{
	for (size_t i = 0; i < control->connections; i++) {
		struct connection *connection = control->connection[i];

		if (connection->following && !connection->broken)
			connection_push(connection, bytes, length);
	}
}
