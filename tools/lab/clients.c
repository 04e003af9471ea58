/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many clients, each with an address of its own, that come anew every second and ask who is there (wire.h): for services with
 * affinity client, where a client's next connection is to meet the server of the one before.
 *
 *   clients [--every MS] [--for SECONDS] FIRST-SOURCE COUNT ADDRESS PORT
 *
 * The sources are IPv4 and follow each other; this machine must own them. Ends after --for or by SIGTERM or SIGINT and prints one
 * line of JSON: how many connections came about and failed, each change (client, from, to, at_ms since the epoch), and at which
 * server the clients are. Says `ready` on stderr once all have had an answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

enum { CLIENTS_MAX = 1000, CHANGES_MAX = 10000, AT_ONCE = 64 };

struct client {
	struct sockaddr_in from;
	int fd; /* -1: between two connections */
	bool asked;
	uint32_t number;
	uint64_t begun_ns;
	char name[WIRE_NAME];
};

struct change {
	size_t client;
	char from[WIRE_NAME], to[WIRE_NAME];
	uint64_t at_ms;
};

static struct client client[CLIENTS_MAX];
static size_t clients;
static struct wire_address to;
static uint64_t every_ns = 1000000000, for_ns;
static int epoll_fd;

static struct {
	uint64_t answered, failed;
	size_t heard; /* clients that have had an answer */
	struct change change[CHANGES_MAX];
	size_t changes;
} result;

static uint64_t epoch_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void end(struct client *c, const char *failure, int error)
{
	if (failure && result.failed++ < 10)
		fprintf(stderr, "client %zu of %.*s: %s%s%s\n", (size_t)(c - client), WIRE_NAME, c->name, failure,
			error ? ": " : "", error ? strerror(error) : "");
	close(c->fd);
	c->fd = -1;
}

static void begin(struct client *c)
{
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};

	if (c->fd >= 0)
		end(c, "no answer until the next connection was due", 0);
	c->asked = false;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) ||
	    bind(c->fd, (const struct sockaddr *)&c->from, sizeof(c->from))) {
		perror("clients: socket");
		exit(1);
	}
	if (connect(c->fd, (const struct sockaddr *)&to.at, to.size) && errno != EINPROGRESS)
		end(c, "connect", errno);
}

static void ask(struct client *c)
{
	struct message question = {.flow = (uint32_t)(c - client), .number = 1};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

	c->asked = true;
	if (send(c->fd, &question, sizeof(question), MSG_NOSIGNAL) != sizeof(question))
		end(c, "connect", errno);
	else
		epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void hear(struct client *c)
{
	struct message answer;
	ssize_t got = recv(c->fd, &answer, sizeof(answer), 0);

	if (got != sizeof(answer)) {
		end(c, "receive", got < 0 ? errno : 0);
		return;
	}
	result.answered++;
	result.heard += !c->name[0];
	if (c->name[0] && strncmp(c->name, answer.name, WIRE_NAME) != 0 && result.changes < CHANGES_MAX) {
		struct change *change = &result.change[result.changes++];

		change->client = (size_t)(c - client);
		change->at_ms = epoch_ms();
		memcpy(change->from, c->name, WIRE_NAME);
		memcpy(change->to, answer.name, WIRE_NAME);
	}
	memcpy(c->name, answer.name, WIRE_NAME);
	end(c, NULL, 0);
}

static void run(void)
{
	struct epoll_event events[AT_ONCE];
	uint64_t begun = wire_now_ns(), since = 0, due, next = 0;
	bool told = false;

	while (!wire_stopped && (!for_ns || since < for_ns)) {
		int ready = epoll_wait(epoll_fd, events, AT_ONCE, 1);

		for (int i = 0; i < ready; i++) {
			struct client *c = events[i].data.ptr;

			if (c->asked)
				hear(c);
			else
				ask(c);
		}
		since = wire_now_ns() - begun;
		for (due = since / 1000 * clients / (every_ns / 1000); next < due; next++)
			begin(&client[next % clients]);
		if (!told && result.heard == clients) {
			fputs("ready\n", stderr);
			told = true;
		}
	}
}

static void report(void)
{
	struct wire_count by = {.count = {0}};

	printf("{\"clients\":%zu,\"answered\":%llu,\"failed\":%llu,\"changes\":[", clients,
	       (unsigned long long)result.answered, (unsigned long long)result.failed);
	for (size_t i = 0; i < result.changes; i++) {
		const struct change *change = &result.change[i];

		printf("%s{\"client\":%zu,\"from\":\"%.*s\",\"to\":\"%.*s\",\"at_ms\":%llu}", i ? "," : "",
		       change->client, WIRE_NAME, change->from, WIRE_NAME, change->to,
		       (unsigned long long)change->at_ms);
	}
	fputs("],\"by\":", stdout);
	for (size_t i = 0; i < clients; i++)
		wire_count(&by, client[i].name);
	wire_print_count(&by);
	fputs("}\n", stdout);
}

static void usage(void)
{
	fputs("usage: clients [--every MS] [--for SECONDS] FIRST-SOURCE COUNT ADDRESS PORT\n", stderr);
	exit(2);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {{"every", 1, NULL, 'e'}, {"for", 1, NULL, 'f'}, {NULL, 0, NULL, 0}};
	struct in_addr first;
	int letter;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (letter == 'e')
			every_ns = strtoull(optarg, NULL, 10) * 1000000;
		else if (letter == 'f')
			for_ns = strtoull(optarg, NULL, 10) * 1000000000;
		else
			usage();
	}
	if (argc - optind != 4 || every_ns < 1000000 || inet_pton(AF_INET, argv[optind], &first) != 1)
		usage();
	clients = strtoul(argv[optind + 1], NULL, 10);
	if (clients < 1 || clients > CLIENTS_MAX)
		usage();
	to = wire_address(argv[optind + 2], (uint16_t)atoi(argv[optind + 3]));
	for (size_t i = 0; i < clients; i++) {
		client[i].fd = -1;
		client[i].from.sin_family = AF_INET;
		client[i].from.sin_addr.s_addr = htonl(ntohl(first.s_addr) + (uint32_t)i);
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	wire_stop_by_signal();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	run();
	report();
	return result.failed || result.changes ? 1 : 0;
}
