/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that notices: HTTP requests one after the other on a few connections at once, each one checked to the last byte.
 * Input: address and port of a server whose answer to the path is its own name. Output: one line of JSON with requests sent and
 * failed, the longest time without an answered one, and who answered how many; why requests failed goes to stderr.
 * It ends by itself after --for or --count, or by SIGTERM or SIGINT: then what is under way is let finish first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, NAMES_MAX = 32, NAME_MAX_BYTES = 32, REASONS_TOLD = 10, ANSWER_MAX = 2048 };

struct connection {
	int fd; /* -1: idle */
	bool asked;
	uint64_t begun_ns;
	size_t have;
	char answer[ANSWER_MAX];
};

static struct options {
	struct sockaddr_storage to;
	socklen_t to_size;
	const char *path;
	uint64_t rate, count, for_ns, timeout_ns;
	uint32_t connections;
	bool keepalive;
} option = {.path = "/", .connections = 8, .timeout_ns = 3000000000};

static struct {
	uint64_t sent, answered, failed, begun_ns, last_ns, silence_ns;
	char name[NAMES_MAX][NAME_MAX_BYTES];
	uint64_t by_name[NAMES_MAX];
} result;

static struct connection connection[CONNECTIONS_MAX];
static char request[512];
static int request_size, epoll_fd;
static volatile sig_atomic_t stopped;

static void stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void drop(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd); /* leaves epoll too */
	c->fd = -1;
}

static void fail(struct connection *c, const char *why, int error)
{
	if (++result.failed <= REASONS_TOLD)
		fprintf(stderr, "failed: %s%s%s after %llu ms (request %llu, second %.3f)\n", why, error ? ": " : "",
			error ? strerror(error) : "", (unsigned long long)(now() - c->begun_ns) / 1000000,
			(unsigned long long)result.sent, (double)(c->begun_ns - result.begun_ns) / 1e9);
	drop(c);
}

static void count_answer(const char *name, size_t length)
{
	uint64_t at = now();
	size_t i = 0;

	if (at - result.last_ns > result.silence_ns)
		result.silence_ns = at - result.last_ns;
	result.last_ns = at;
	result.answered++;
	while (i < NAMES_MAX - 1 && result.name[i][0] &&
	       (strlen(result.name[i]) != length || strncmp(result.name[i], name, length)))
		i++;
	memcpy(result.name[i], name, length);
	result.by_name[i]++;
}

/* Bytes of the whole answer, 0 = not known yet, -1 = no good answer. *body: where its body begins. */
static long answer_size(const char *answer, const char **body)
{
	const char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\nContent-Length:");

	if (!end)
		return strlen(answer) >= ANSWER_MAX - 1 ? -1 : 0;
	if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || !length || length > end)
		return -1;
	*body = end + 4;
	return *body - answer + strtol(length + 17, NULL, 10);
}

static void ask(struct connection *c)
{
	int error = 0;
	socklen_t size = sizeof(error);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error) {
		fail(c, "connect", error);
		return;
	}
	c->asked = true;
	c->have = 0;
	c->answer[0] = 0;
	if (send(c->fd, request, (size_t)request_size, MSG_NOSIGNAL) != request_size)
		fail(c, "send", errno);
	else
		epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void begin(struct connection *c)
{
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};

	result.sent++;
	c->begun_ns = now();
	c->asked = false;
	if (c->fd >= 0) { /* kept alive */
		ask(c);
		return;
	}
	c->fd = socket(option.to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0)
		fail(c, "socket", errno);
	else if (connect(c->fd, (const struct sockaddr *)&option.to, option.to_size) < 0 && errno != EINPROGRESS)
		fail(c, "connect", errno);
}

static void hear(struct connection *c)
{
	const char *body = c->answer;
	ssize_t got = recv(c->fd, c->answer + c->have, ANSWER_MAX - 1 - c->have, 0);
	long size;

	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			fail(c, got == 0 ? "closed before the answer was whole" : "receive", got == 0 ? 0 : errno);
		return;
	}
	c->have += (size_t)got;
	c->answer[c->have] = 0;
	size = answer_size(c->answer, &body);
	if (size == 0 || (size > 0 && c->have < (size_t)size))
		return;
	if (size < 0 || c->have > (size_t)size || strcspn(body, "\r\n") >= NAME_MAX_BYTES) {
		fail(c, "not the answer that was asked for", 0);
		return;
	}
	count_answer(body, strcspn(body, "\r\n"));
	c->asked = false;
	c->begun_ns = 0;
	if (!option.keepalive)
		drop(c);
}

static bool busy(const struct connection *c)
{
	return c->begun_ns != 0 && c->fd >= 0;
}

static bool more_to_send(uint64_t at)
{
	if (stopped || (option.count && result.sent >= option.count) ||
	    (option.for_ns && at - result.begun_ns >= option.for_ns))
		return false;
	return true;
}

static void handle(const struct epoll_event *event)
{
	struct connection *c = event->data.ptr;

	if (!busy(c)) { /* a kept connection that the server closed */
		if (c->fd >= 0)
			drop(c);
	} else if (!c->asked) {
		ask(c);
	} else {
		hear(c);
	}
}

/* Begins what is due, ends what is late; true while there is something to wait for. */
static bool turn(void)
{
	uint64_t at = now();
	bool waiting = false;

	for (uint32_t i = 0; i < option.connections; i++) {
		struct connection *c = &connection[i];

		if (busy(c) && at - c->begun_ns > option.timeout_ns)
			fail(c, c->asked ? "no answer" : "no connection", ETIMEDOUT);
		if (!busy(c) && more_to_send(at) &&
		    (!option.rate || result.sent * 1000000000 / option.rate <= at - result.begun_ns))
			begin(c);
		waiting |= busy(c);
	}
	return waiting || more_to_send(at);
}

static void usage(void)
{
	fputs("usage: requests [--connections N] [--rate PER-SECOND] [--for SECONDS] [--count N] [--timeout MS] [--keepalive] [--path PATH] "
	      "ADDRESS PORT\n",
	      stderr);
	exit(2);
}

static void parse_target(const char *address, const char *port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&option.to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&option.to;
	in_port_t to = htons((uint16_t)atoi(port));

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = to;
		option.to_size = sizeof(*in);
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = to;
		option.to_size = sizeof(*in6);
	} else {
		usage();
	}
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {{"connections", 1, NULL, 'c'}, {"rate", 1, NULL, 'r'},
						{"for", 1, NULL, 'f'},         {"count", 1, NULL, 'n'},
						{"timeout", 1, NULL, 't'},     {"keepalive", 0, NULL, 'k'},
						{"path", 1, NULL, 'p'},        {NULL, 0, NULL, 0}};
	int letter;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;

		switch (letter) {
		case 'c':
			option.connections = (uint32_t)number;
			break;
		case 'r':
			option.rate = number;
			break;
		case 'f':
			option.for_ns = number * 1000000000;
			break;
		case 'n':
			option.count = number;
			break;
		case 't':
			option.timeout_ns = number * 1000000;
			break;
		case 'k':
			option.keepalive = true;
			break;
		case 'p':
			option.path = optarg;
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 2 || option.connections < 1 || option.connections > CONNECTIONS_MAX)
		usage();
	parse_target(argv[optind], argv[optind + 1]);
	request_size = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: lab\r\nConnection: %s\r\n\r\n",
				option.path, option.keepalive ? "keep-alive" : "close");
}

static void report(void)
{
	uint64_t end = now();

	if (end - result.last_ns > result.silence_ns)
		result.silence_ns = end - result.last_ns;
	printf("{\"sent\":%llu,\"answered\":%llu,\"failed\":%llu,\"longest_silence_ms\":%llu,\"seconds\":%.3f,\"by\":{",
	       (unsigned long long)result.sent, (unsigned long long)result.answered, (unsigned long long)result.failed,
	       (unsigned long long)result.silence_ns / 1000000, (double)(end - result.begun_ns) / 1e9);
	for (size_t i = 0; i < NAMES_MAX && result.name[i][0]; i++)
		printf("%s\"%s\":%llu", i ? "," : "", result.name[i], (unsigned long long)result.by_name[i]);
	printf("}}\n");
}

int main(int argc, char **argv)
{
	struct epoll_event events[64];
	struct sigaction action = {.sa_handler = stop};

	parse(argc, argv);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (uint32_t i = 0; i < option.connections; i++)
		connection[i].fd = -1;
	result.begun_ns = result.last_ns = now();
	while (turn()) {
		int ready = epoll_wait(epoll_fd, events, 64, 1);

		for (int i = 0; i < ready; i++)
			handle(&events[i]);
	}
	report();
	return 0;
}
