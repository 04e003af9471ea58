/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way to the agent. Input: a request's text. Output: JSON lines to a callback, the verdict to the caller.
 * Whatever the other end does - nothing, too slow, too much, rubbish - it ends within the time limit and with an error
 * that says what was wrong.
 */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../lib/buf.h"

enum { LINE_LIMIT = 64 * 1024 * 1024 }; /* of one line of an answer */

struct client {
	const struct client_request *request;
	struct error *error;
	int fd;
	uint64_t end_ms; /* CLOCK_MONOTONIC; UINT64_MAX = never */
	unsigned int line;
	struct buf in;
	size_t searched; /* bytes of `in` known to hold no newline */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int timed_out(const struct client *client)
{
	return error_set(client->error, ERROR_UNREACHABLE,
			 "the agent at %s did not answer within %g s (--timeout SEC waits longer); "
			 "a change may have been made all the same: see `weir events`",
			 client->request->socket, client->request->timeout_ms / 1000.0);
}

/* Waits until fd is ready for `events`. 0, or -1 with error filled. */
static int wait_for(const struct client *client, short events)
{
	for (;;) {
		struct pollfd poll_fd = {.fd = client->fd, .events = events};
		uint64_t now = now_ms();
		int limit = client->end_ms == UINT64_MAX ? -1 : client->end_ms > now ? (int)(client->end_ms - now) : 0;
		int ready = poll(&poll_fd, 1, limit);

		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return error_set(client->error, ERROR_UNREACHABLE, "poll: %s", strerror(errno));
		if (ready == 0)
			return timed_out(client);
	}
}

static int refused(const struct client *client, int reason)
{
	const char *path = client->request->socket;
	const struct passwd *user = getpwuid(getuid());

	if (reason == EACCES || reason == EPERM)
		return error_set(client->error, ERROR_UNREACHABLE,
				 "%s: %s: the agent answers root and the members of its socket's group: "
				 "use sudo, or `adduser %s weir` and log in again",
				 path, strerror(reason), user ? user->pw_name : "USER");
	return error_set(client->error, ERROR_UNREACHABLE,
			 "%s: %s: no agent answers there; start weir-agent, or name another one's socket with --socket",
			 path, strerror(reason));
}

static int open_socket(struct client *client)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = client->request->socket;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(client->error, ERROR_USAGE, "%s: a socket's path has at most %zu bytes", path,
				 sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0)
		return error_set(client->error, ERROR_UNREACHABLE, "socket: %s", strerror(errno));
	while (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != EAGAIN || now_ms() >= client->end_ms) /* EAGAIN: the queue of connections is full */
			return refused(client, errno);
		nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
	}
	return 0;
}

static int send_text(const struct client *client, const char *text, size_t length)
{
	while (length) {
		ssize_t sent = send(client->fd, text, length, MSG_NOSIGNAL);

		if (sent >= 0) {
			text += sent;
			length -= (size_t)sent;
		} else if (errno == EAGAIN) {
			if (wait_for(client, POLLOUT))
				return -1;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return 0; /* it may have answered before it hung up: read what it said */
		} else if (errno != EINTR) {
			return error_set(client->error, ERROR_UNREACHABLE, "%s: %s", client->request->socket,
					 strerror(errno));
		}
	}
	return 0;
}

/* The next line of the answer, its newline replaced by a 0 byte; it is there until it is dropped. NULL with error filled. */
static char *read_line(struct client *client, size_t *length)
{
	for (;;) {
		char *start = client->in.data;
		char *newline =
			start ? memchr(start + client->searched, '\n', client->in.length - client->searched) : NULL;
		char chunk[16384];
		ssize_t got;

		if (newline) {
			*newline = '\0';
			*length = (size_t)(newline - start);
			client->line++;
			return start;
		}
		client->searched = client->in.length;
		got = recv(client->fd, chunk, sizeof(chunk), 0);
		if (got > 0) {
			buf_add(&client->in, chunk, (size_t)got);
			if (client->in.failed) {
				error_set(client->error, ERROR_REFUSED,
					  "the agent at %s: line %u of its answer is too long", client->request->socket,
					  client->line + 1);
				return NULL;
			}
		} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			error_set(client->error, ERROR_UNREACHABLE,
				  "the agent at %s hung up before its answer was complete%s%s", client->request->socket,
				  got ? ": " : "", got ? strerror(errno) : "");
			return NULL;
		} else if (wait_for(client, POLLIN)) {
			return NULL;
		}
		if (now_ms() >= client->end_ms) { /* it trickles: ready again and again, never done */
			timed_out(client);
			return NULL;
		}
	}
}

/* One line as JSON; an object, or NULL with error filled. */
static json_t *parse(const struct client *client, const char *line, size_t length)
{
	json_error_t why;
	json_t *document = json_loadb(line, length, 0, &why);

	if (document && json_is_object(document))
		return document;
	error_set(client->error, ERROR_REFUSED,
		  "what answers at %s is no weir-agent: line %u of its answer is no JSON object%s%s",
		  client->request->socket, client->line, document ? "" : ": ", document ? "" : why.text);
	json_decref(document);
	return NULL;
}

static int read_answer(struct client *client, json_t **verdict)
{
	const struct client_request *request = client->request;
	size_t length;
	char *line;

	while ((line = read_line(client, &length))) {
		json_t *document = parse(client, line, length);
		bool go_on;

		if (!document)
			return -1;
		if (json_is_true(json_object_get(document, "done"))) {
			*verdict = document;
			return 0;
		}
		go_on = request->each(request->arg, line, document);
		json_decref(document);
		if (!go_on)
			return 0;
		buf_drop(&client->in, length + 1);
		client->searched = 0;
	}
	return -1;
}

int client_ask(const struct client_request *request, json_t **verdict, struct error *error)
{
	struct client client = {
		.request = request,
		.error = error,
		.fd = -1,
		.end_ms = now_ms() + request->timeout_ms,
		.in = {.limit = LINE_LIMIT},
	};
	int rc;

	*verdict = NULL;
	rc = open_socket(&client);
	if (rc == 0)
		rc = send_text(&client, request->text, request->length);
	if (rc == 0)
		rc = send_text(&client, "\n", 1);
	if (request->endless)
		client.end_ms = UINT64_MAX;
	if (rc == 0)
		rc = read_answer(&client, verdict);
	if (client.fd >= 0)
		close(client.fd);
	buf_free(&client.in);
	return rc;
}
