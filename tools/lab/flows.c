/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that holds on: many connections (or UDP flows) to one address at once, each of which asks a numbered question every
 * 200 ms (wire.h) and checks that the very same server answers it. Beside them, control connections straight to the servers: what
 * these miss too is the machine's fault and not the network's.
 *
 *   flows [--connections N] [--every MS] [--udp] [--control ADDRESS]... [--for SECONDS] ADDRESS PORT
 *
 * It says `ready` on stderr once all have had an answer, ends after --for or by SIGTERM or SIGINT, and prints one line of JSON:
 *   resets      connections that were cut: reset, closed, or refused later on
 *   wrong       answers by another server or to another question
 *   missing_1s  times when a connection had no answer for a second while no control missed two of its own
 *   excused     the others
 *   unanswered  UDP: questions without an answer within --every
 *   by, cut     connections by server: those that live, those that were cut
 * Exit code 1 if a connection did not come about, was cut, got a wrong answer or missed one for a second.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "wire.h"

enum { FLOWS_MAX = 40000, CONTROLS_MAX = 16, PER_CONTROL = 2, GAPS_MAX = 4096, AT_ONCE = 256, REASONS_TOLD = 10 };

static const uint64_t SECOND = 1000000000;

struct flow {
	int fd; /* -1: not begun, or cut */
	bool begun, open, asked, control;
	uint8_t have;
	uint32_t number;
	uint64_t last_ns; /* of the last good answer; 0 = none yet */
	const struct wire_address *to;
	char name[WIRE_NAME];
	struct message answer;
};

struct gap {
	uint64_t from_ns, to_ns;
};

struct gaps {
	struct gap gap[GAPS_MAX];
	size_t count;
	uint64_t least_ns; /* that is noted */
	uint64_t longest_ns;
};

static struct {
	uint32_t connections;
	uint64_t every_ns, for_ns;
	bool udp;
	struct wire_address to, control[CONTROLS_MAX];
	size_t controls;
} option = {.connections = 100, .every_ns = 200000000};

static struct {
	uint64_t exchanges, resets, wrong, unanswered, control_failed, answered_flows;
	struct wire_count cut;
	struct gaps gaps, control_gaps;
} result;

static struct flow flow[FLOWS_MAX + CONTROLS_MAX * PER_CONTROL];
static size_t flows;
static int epoll_fd;

static void say(const struct flow *f, const char *what, int error)
{
	static int told;

	if (told++ < REASONS_TOLD)
		fprintf(stderr, "%s %zu of %.*s, question %u: %s%s%s\n", f->control ? "control" : "connection",
			(size_t)(f - flow), WIRE_NAME, f->name, f->number, what, error ? ": " : "",
			error ? strerror(error) : "");
}

static void cut(struct flow *f, const char *what, int error)
{
	say(f, what, error);
	close(f->fd);
	f->fd = -1;
	if (f->control) {
		result.control_failed++;
		return;
	}
	result.resets++;
	wire_count(&result.cut, f->name);
}

static void note_gap(struct gaps *gaps, uint64_t from, uint64_t to)
{
	if (to - from > gaps->longest_ns)
		gaps->longest_ns = to - from;
	if (to - from >= gaps->least_ns && gaps->count < GAPS_MAX)
		gaps->gap[gaps->count++] = (struct gap){from, to};
}

static void note_answer(struct flow *f)
{
	uint64_t at = wire_now_ns();

	if (f->last_ns)
		note_gap(f->control ? &result.control_gaps : &result.gaps, f->last_ns, at);
	else
		result.answered_flows++;
	f->last_ns = at;
	f->asked = false;
	if (!f->control)
		result.exchanges++;
}

static void check_answer(struct flow *f)
{
	const struct message *answer = &f->answer;

	f->have = 0;
	if (option.udp && !f->control && answer->flow == (uint32_t)(f - flow) && answer->number < f->number &&
	    !strncmp(answer->name, f->name, WIRE_NAME))
		return; /* a late one */
	if (!f->name[0])
		memcpy(f->name, answer->name, WIRE_NAME);
	if (answer->flow != (uint32_t)(f - flow) || answer->number != f->number ||
	    strncmp(answer->name, f->name, WIRE_NAME) != 0 || answer->name[0] == '?') {
		say(f, answer->name[0] == '?' ? "the server did not expect it" : "not its answer", 0);
		result.wrong++;
	}
	note_answer(f);
}

static void hear(struct flow *f)
{
	ssize_t got;

	while (f->fd >= 0) {
		got = recv(f->fd, (char *)&f->answer + f->have, sizeof(f->answer) - f->have, 0);
		if (got <= 0) {
			if (got == 0 || (errno != EAGAIN && errno != EINTR))
				cut(f, got == 0 ? "closed" : "receive", got == 0 ? 0 : errno);
			return;
		}
		f->have = (uint8_t)(f->have + got);
		if (f->have == sizeof(f->answer))
			check_answer(f);
	}
}

static void begin(struct flow *f)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = f};
	bool udp = option.udp && !f->control;
	int one = 1;

	f->begun = true;
	f->fd = socket(f->to->at.ss_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (f->fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, f->fd, &event)) {
		perror("socket");
		exit(1);
	}
	if (!udp)
		setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(f->fd, (const struct sockaddr *)&f->to->at, f->to->size) && errno != EINPROGRESS)
		cut(f, "connect", errno);
}

static void ask(struct flow *f)
{
	struct message question = {.flow = (uint32_t)(f - flow)};
	bool udp = option.udp && !f->control;

	if (f->fd < 0 || !f->open || (f->asked && !udp))
		return;
	if (f->asked)
		result.unanswered++;
	question.number = ++f->number;
	f->asked = true;
	if (send(f->fd, &question, sizeof(question), MSG_NOSIGNAL) != sizeof(question) && (!udp || errno != EAGAIN))
		cut(f, "send", errno);
}

static void handle(const struct epoll_event *event)
{
	struct flow *f = event->data.ptr;
	struct epoll_event only_in = {.events = EPOLLIN, .data.ptr = f};

	if (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		hear(f);
	if (f->fd >= 0 && !f->open && event->events & EPOLLOUT) {
		f->open = true;
		epoll_ctl(epoll_fd, EPOLL_CTL_MOD, f->fd, &only_in);
		ask(f);
	}
}

/* Questions are spread evenly over the time between two of a connection: the n-th is due at n * every / flows. */
static void ask_due(uint64_t since_begin)
{
	static uint64_t asked;
	uint64_t due = since_begin / 1000 * flows / (option.every_ns / 1000);

	if (due > asked + flows) /* the machine slept */
		asked = due - flows;
	for (; asked < due; asked++) {
		struct flow *f = &flow[asked % flows];

		if (f->begun)
			ask(f);
		else
			begin(f);
	}
}

static void run(void)
{
	struct epoll_event events[AT_ONCE];
	uint64_t begun = wire_now_ns(), at = begun;
	bool told = false;

	while (!wire_stopped && (!option.for_ns || at - begun < option.for_ns)) {
		int ready = epoll_wait(epoll_fd, events, AT_ONCE, 1);

		for (int i = 0; i < ready; i++)
			handle(&events[i]);
		at = wire_now_ns();
		ask_due(at - begun);
		if (!told && result.answered_flows == flows) {
			fputs("ready\n", stderr);
			told = true;
		}
	}
}

/* The gaps in which no control connection stood still too. */
static uint64_t missing(void)
{
	uint64_t count = 0;

	for (size_t i = 0; i < result.gaps.count; i++) {
		const struct gap *gap = &result.gaps.gap[i];
		bool excused = false;

		for (size_t c = 0; c < result.control_gaps.count && !excused; c++)
			excused = result.control_gaps.gap[c].from_ns < gap->to_ns &&
				  gap->from_ns < result.control_gaps.gap[c].to_ns;
		count += !excused;
	}
	return count;
}

/* False: something was wrong. */
static bool report(void)
{
	struct wire_count by = {.count = {0}};
	uint64_t alive = 0, missed, end = wire_now_ns();

	for (size_t i = 0; i < flows; i++) {
		struct flow *f = &flow[i];

		if (f->last_ns && f->fd >= 0)
			note_gap(f->control ? &result.control_gaps : &result.gaps, f->last_ns, end);
		if (f->control || !f->last_ns || f->fd < 0)
			continue;
		alive++;
		wire_count(&by, f->name);
	}
	missed = missing();
	printf("{\"connections\":%u,\"alive\":%llu,\"exchanges\":%llu,\"resets\":%llu,\"wrong\":%llu,\"missing_1s\":%llu,"
	       "\"excused\":%llu,\"unanswered\":%llu,\"longest_gap_ms\":%llu,\"control_failed\":%llu,"
	       "\"control_longest_gap_ms\":%llu,\"by\":",
	       option.connections, (unsigned long long)alive, (unsigned long long)result.exchanges,
	       (unsigned long long)result.resets, (unsigned long long)result.wrong, (unsigned long long)missed,
	       (unsigned long long)(result.gaps.count - missed), (unsigned long long)result.unanswered,
	       (unsigned long long)result.gaps.longest_ns / 1000000, (unsigned long long)result.control_failed,
	       (unsigned long long)result.control_gaps.longest_ns / 1000000);
	wire_print_count(&by);
	fputs(",\"cut\":", stdout);
	wire_print_count(&result.cut);
	fputs("}\n", stdout);
	return alive == option.connections && !result.wrong && !missed;
}

static void usage(void)
{
	fputs("usage: flows [--connections N] [--every MS] [--udp] [--control ADDRESS]... [--for SECONDS] ADDRESS PORT\n",
	      stderr);
	exit(2);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {{"connections", 1, NULL, 'c'}, {"every", 1, NULL, 'e'},
						{"udp", 0, NULL, 'u'},         {"control", 1, NULL, 'd'},
						{"for", 1, NULL, 'f'},         {NULL, 0, NULL, 0}};
	const char *control[CONTROLS_MAX];
	int letter;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (letter == 'c')
			option.connections = (uint32_t)strtoul(optarg, NULL, 10);
		else if (letter == 'e')
			option.every_ns = strtoull(optarg, NULL, 10) * 1000000;
		else if (letter == 'u')
			option.udp = true;
		else if (letter == 'd' && option.controls < CONTROLS_MAX)
			control[option.controls++] = optarg;
		else if (letter == 'f')
			option.for_ns = strtoull(optarg, NULL, 10) * SECOND;
		else
			usage();
	}
	if (argc - optind != 2 || !option.connections || option.connections > FLOWS_MAX || option.every_ns < 1000000)
		usage();
	option.to = wire_address(argv[optind], (uint16_t)atoi(argv[optind + 1]));
	for (size_t i = 0; i < option.controls; i++)
		option.control[i] = wire_address(control[i], (uint16_t)atoi(argv[optind + 1]));
}

int main(int argc, char **argv)
{
	struct rlimit files = {FLOWS_MAX + 1000, FLOWS_MAX + 1000};

	parse(argc, argv);
	setrlimit(RLIMIT_NOFILE, &files);
	wire_stop_by_signal();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	result.gaps.least_ns = SECOND;
	result.control_gaps.least_ns = 3 * option.every_ns;
	for (; flows < option.connections; flows++)
		flow[flows] = (struct flow){.fd = -1, .to = &option.to};
	for (size_t i = 0; i < option.controls * PER_CONTROL; i++, flows++)
		flow[flows] = (struct flow){.fd = -1, .control = true, .to = &option.control[i / PER_CONTROL]};
	run();
	return report() ? 0 : 1;
}
