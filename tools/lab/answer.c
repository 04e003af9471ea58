/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server that says who it is, to every question (wire.h), over TCP and UDP, and remembers for each connection which question
 * comes next: an answer proves that connection and server are still the same two.
 *
 *   answer NAME PORT ADDRESS...     until it is killed
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "wire.h"

enum { FILES = 65536, AT_ONCE = 256 };
enum kind { NONE, LISTENER, CONNECTION, DATAGRAMS };

static struct end {
	enum kind kind;
	uint32_t flow, number; /* of the last question; 0 = none yet */
	size_t have;
	struct message question;
} end[FILES]; /* by file descriptor */

static char name[WIRE_NAME];
static int epoll_fd;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int fd, enum kind kind)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (fd >= FILES || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		die("epoll");
	end[fd] = (struct end){.kind = kind};
}

static void serve(const struct wire_address *address, int type, enum kind kind)
{
	int fd = socket(address->at.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, bytes = 4 << 20;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(fd, (const struct sockaddr *)&address->at, address->size))
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 4096))
		die("listen");
	watch(fd, kind);
}

static void take_connections(int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		watch(fd, CONNECTION);
	}
}

static void answer_datagrams(int fd)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	struct message message;

	while (recvfrom(fd, &message, sizeof(message), 0, (struct sockaddr *)&from, &size) == sizeof(message)) {
		memcpy(message.name, name, WIRE_NAME);
		sendto(fd, &message, sizeof(message), 0, (struct sockaddr *)&from, size);
		size = sizeof(from);
	}
}

/* The next answer on a connection; false: it is to be closed. */
static bool answer(struct end *e, int fd)
{
	struct message message = e->question;
	bool expected = message.number == e->number + 1 && (!e->number || message.flow == e->flow);

	memset(message.name, 0, WIRE_NAME);
	memcpy(message.name, expected ? name : "?", expected ? WIRE_NAME : 1);
	e->flow = message.flow;
	e->number = message.number;
	e->have = 0;
	return send(fd, &message, sizeof(message), MSG_NOSIGNAL) == sizeof(message);
}

static void hear(int fd)
{
	struct end *e = &end[fd];
	ssize_t got;

	while ((got = recv(fd, (char *)&e->question + e->have, sizeof(e->question) - e->have, 0)) > 0) {
		e->have += (size_t)got;
		if (e->have == sizeof(e->question) && !answer(e, fd)) {
			got = 0;
			break;
		}
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		e->kind = NONE;
		close(fd);
	}
}

static void handle(int fd)
{
	switch (end[fd].kind) {
	case LISTENER:
		take_connections(fd);
		break;
	case CONNECTION:
		hear(fd);
		break;
	case DATAGRAMS:
		answer_datagrams(fd);
		break;
	case NONE:
		break;
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = {FILES, FILES};
	struct epoll_event events[AT_ONCE];

	if (argc < 4 || strlen(argv[1]) >= WIRE_NAME) {
		fputs("usage: answer NAME PORT ADDRESS...\n", stderr);
		return 2;
	}
	memcpy(name, argv[1], strlen(argv[1]));
	setrlimit(RLIMIT_NOFILE, &files);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 3; i < argc; i++) {
		struct wire_address address = wire_address(argv[i], (uint16_t)atoi(argv[2]));

		serve(&address, SOCK_STREAM, LISTENER);
		serve(&address, SOCK_DGRAM, DATAGRAMS);
	}
	for (;;) {
		int ready = epoll_wait(epoll_fd, events, AT_ONCE, -1);

		for (int i = 0; i < ready; i++)
			handle(events[i].data.fd);
	}
}
