/* SPDX-License-Identifier: BSD-2-Clause */
/* What the lab's servers and clients have in common; see wire.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wire.h"

volatile sig_atomic_t wire_stopped;

static void stop(int signo)
{
	(void)signo;
	wire_stopped = 1;
}

void wire_stop_by_signal(void)
{
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

uint64_t wire_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

struct wire_address wire_address(const char *address, uint16_t port)
{
	struct wire_address to = {.size = 0};
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&to.at;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&to.at;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		to.size = sizeof(*in);
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		to.size = sizeof(*in6);
	} else {
		fprintf(stderr, "%s: not an address\n", address);
		exit(2);
	}
	return to;
}

void wire_count(struct wire_count *count, const char *name)
{
	size_t i = 0;

	if (!name[0])
		return;
	while (i < WIRE_NAMES - 1 && count->name[i][0] && strncmp(count->name[i], name, WIRE_NAME) != 0)
		i++;
	memcpy(count->name[i], name, WIRE_NAME);
	count->count[i]++;
}

void wire_print_count(const struct wire_count *count)
{
	putchar('{');
	for (size_t i = 0; i < WIRE_NAMES && count->name[i][0]; i++)
		printf("%s\"%.*s\":%llu", i ? "," : "", WIRE_NAME, count->name[i], (unsigned long long)count->count[i]);
	putchar('}');
}
