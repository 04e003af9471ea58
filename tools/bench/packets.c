/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet costs in weir's program: ns per packet, net of the harness, at 1 to a million flows.
 *
 *   packets [--object FILE] [--rounds N] [--packets N] [WORD...]     only the rows whose name has one of the words
 *
 * The program is run by a driver (driver.bpf.c) that makes each packet anew. In each round the program, the driver with programs that do next to
 * nothing (floors), and such a program without the driver are run one after the other. Of each the fastest round counts: what else the machine does only
 * ever adds. Then
 *
 *   floor = a program that returns XDP_TX, run by itself: what the kernel takes to run any program at all
 *   net   = with the program - with the one that returns XDP_TX + floor; and less what it costs the driver to move the head back
 *
 * that is, what BPF_PROG_TEST_RUN would say of the program if it put packets back. A packet that did not get the verdict expected ends it all.
 */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "driver.h"
#include <driver.skel.h>

#include "target.h"

enum { FRAME = 8 * DRIVER_WORDS, ROUNDS_MAX = 101, FLOWS_MAX = 4 };

struct row {
	const char *name;
	bool ip6;
	uint8_t proto;
	int service; /* enum target_service, or -1: another address; its VIP's number follows from it */
	uint16_t port;
	bool syn;
	uint32_t learning; /* one slot in so many is; 0 = none */
	uint32_t verdict;
	uint32_t flows[FLOWS_MAX];
	double budget[FLOWS_MAX]; /* ns at a floor of 22; 0 = none */
};

#define ALL_FLOWS                        \
	{                                \
		1, 1000, 100000, 1000000 \
	}

static const struct row rows[] = {
	{"not a service, v4", false, IPPROTO_TCP, -1, 80, false, 0, XDP_PASS, {1, 1000000}, {40, 40}},
	{"not a service, v6", true, IPPROTO_TCP, -1, 80, false, 0, XDP_PASS, {1, 1000000}, {40, 40}},
	{"VIP, other port, v4", false, IPPROTO_TCP, TARGET_DSR, 81, false, 0, XDP_PASS, {1000}, {0}},
	{"v4 TCP dsr", false, IPPROTO_TCP, TARGET_DSR, 80, false, 0, XDP_TX, ALL_FLOWS, {0}},
	{"v4 TCP ipip 4in4", false, IPPROTO_TCP, TARGET_IPIP4, 80, false, 0, XDP_TX, ALL_FLOWS, {65, 0, 0, 75}},
	{"v4 TCP ipip 4in6", false, IPPROTO_TCP, TARGET_IPIP6, 80, false, 0, XDP_TX, {1000}, {0}},
	{"v4 SYN ipip 4in4", false, IPPROTO_TCP, TARGET_IPIP4, 80, true, 0, XDP_TX, {1000000}, {75}},
	{"v4 UDP dsr", false, IPPROTO_UDP, TARGET_DSR, 53, false, 0, XDP_TX, {1, 1000000}, {0}},
	{"v4 UDP ipip 4in4", false, IPPROTO_UDP, TARGET_IPIP4, 53, false, 0, XDP_TX, {1, 1000000}, {0}},
	{"v6 TCP dsr", true, IPPROTO_TCP, TARGET_DSR, 80, false, 0, XDP_TX, ALL_FLOWS, {0, 0, 0, 90}},
	{"v6 TCP ipip 6in4", true, IPPROTO_TCP, TARGET_IPIP4, 80, false, 0, XDP_TX, ALL_FLOWS, {0, 0, 0, 90}},
	{"v6 TCP ipip 6in6", true, IPPROTO_TCP, TARGET_IPIP6, 80, false, 0, XDP_TX, ALL_FLOWS, {0, 0, 0, 90}},
	{"v6 UDP dsr", true, IPPROTO_UDP, TARGET_DSR, 53, false, 0, XDP_TX, {1, 1000000}, {0}},
	{"v4 TCP dsr, 10 % learning", false, IPPROTO_TCP, TARGET_DSR, 80, false, 10, XDP_TX, {1000000}, {120}},
	{"v4 TCP ipip 4in4, 10 % learning", false, IPPROTO_TCP, TARGET_IPIP4, 80, false, 10, XDP_TX, {1000000}, {120}},
	{"v6 TCP ipip 6in6, 10 % learning", true, IPPROTO_TCP, TARGET_IPIP6, 80, false, 10, XDP_TX, {1000000}, {120}},
	{"v4 UDP dsr, 10 % learning", false, IPPROTO_UDP, TARGET_DSR, 53, false, 10, XDP_TX, {1000000}, {120}},
	{"v4 SYN ipip 4in4, 10 % learning", false, IPPROTO_TCP, TARGET_IPIP4, 80, true, 10, XDP_TX, {1000000}, {120}},
	{"v4 TCP ipip 4in4, all learning", false, IPPROTO_TCP, TARGET_IPIP4, 80, false, 1, XDP_TX, {1000, 100000}, {0}},
};

enum subject { BARE, RETURN, MOVE, PROGRAM, SUBJECTS };

struct bench {
	struct driver_bpf *driver;
	struct target target;
	const struct row *row;
	uint32_t packets, rounds;
	uint8_t frame[FRAME];
};

static const uint8_t port_mac[6] = {2, 0, 0, 0, 0, 1}, client_mac[6] = {2, 0, 0, 0, 0, 2};

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the frame of flow 0 ---- */

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t words_sum(const uint8_t *at, uint32_t bytes)
{
	uint32_t sum = 0, i;

	for (i = 0; i < bytes; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return (sum & 0xffff) + (sum >> 16);
}

static uint8_t *write_ip4(const struct row *row, uint8_t *ip)
{
	ip[0] = 0x45;
	put16(ip + 2, FRAME - ETH_HLEN);
	ip[8] = 64;
	ip[9] = row->proto;
	memcpy(ip + 12,
	       (const uint8_t[8]){100, 64, 0, 0, 198, 51, row->service < 0 ? 99 : 100, (uint8_t)(row->service + 1)}, 8);
	return ip + 20;
}

static uint8_t *write_ip6(const struct row *row, uint8_t *ip)
{
	ip[0] = 0x60;
	put16(ip + 4, FRAME - ETH_HLEN - 40);
	ip[6] = row->proto;
	ip[7] = 64;
	memcpy(ip + 8, (const uint8_t[4]){0x20, 0x01, 0x0d, 0xb8}, 4);
	ip[8 + 5] = 0xcc;
	memcpy(ip + 24, (const uint8_t[4]){0x20, 0x01, 0x0d, 0xb8}, 4);
	ip[24 + 15] = (uint8_t)(row->service + 1); /* ::0 is no service's */
	return ip + 40;
}

static void write_frame(struct bench *bench)
{
	struct driver *driver = &bench->driver->bss->driver;
	const struct row *row = bench->row;
	uint8_t *frame = bench->frame, *l4;

	memset(frame, 0, FRAME);
	memcpy(frame, port_mac, 6);
	memcpy(frame + 6, client_mac, 6);
	put16(frame + 12, row->ip6 ? ETH_P_IPV6 : ETH_P_IP);
	l4 = row->ip6 ? write_ip6(row, frame + ETH_HLEN) : write_ip4(row, frame + ETH_HLEN);
	put16(l4, 1024);
	put16(l4 + 2, row->port);
	if (row->proto == IPPROTO_TCP) {
		l4[12] = 5 << 4;
		l4[13] = row->syn ? 0x02 : 0x10;
	} else {
		put16(l4 + 4, (uint32_t)(frame + FRAME - l4));
	}
	memcpy(driver->word, frame, FRAME);
	driver->length = FRAME;
	driver->ip6 = row->ip6;
	driver->sum = row->ip6 ? 0 : words_sum(frame + ETH_HLEN, 20);
}

/* ---- runs ---- */

static double run(const struct bench *bench, const struct bpf_program *program, int fd)
{
	uint8_t out[256];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bench->frame, .data_size_in = FRAME, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = (int)bench->packets);

	if (bpf_prog_test_run_opts(program ? bpf_program__fd(program) : fd, &options))
		die("BPF_PROG_TEST_RUN");
	return options.duration;
}

/* One million packets through the driver; every one of them must have got the verdict. */
static double run_driven(const struct bench *bench, const struct bpf_program *program, int fd, uint32_t verdict)
{
	struct driver *driver = &bench->driver->bss->driver;
	uint32_t zero = 0;
	double ns;

	if (program)
		fd = bpf_program__fd(program);
	if (bpf_map_update_elem(bpf_map__fd(bench->driver->maps.targets), &zero, &fd, BPF_ANY))
		die("targets");
	memset(driver->verdicts, 0, sizeof(driver->verdicts));
	ns = run(bench, bench->driver->progs.run, -1);
	if (driver->verdicts[verdict] != bench->packets) {
		fprintf(stderr, "%s: of %u packets, not all got verdict %u:", bench->row->name, bench->packets,
			verdict);
		for (uint32_t v = 0; v < DRIVER_VERDICTS; v++)
			fprintf(stderr, " %llu", (unsigned long long)driver->verdicts[v]);
		fprintf(stderr, "\n");
		exit(1);
	}
	return ns;
}

/* What moves the head as far as the row's outer header does, or NULL. */
static const struct bpf_program *mover(const struct bench *bench)
{
	if (bench->row->verdict != XDP_TX || bench->row->service == TARGET_DSR)
		return NULL;
	return bench->row->service == TARGET_IPIP4 ? bench->driver->progs.floor_move4
						   : bench->driver->progs.floor_move6;
}

static void run_round(const struct bench *bench, double ns[SUBJECTS])
{
	const struct bpf_program *floor_return = bench->driver->progs.floor_return;

	ns[BARE] = run(bench, floor_return, -1);
	ns[RETURN] = run_driven(bench, floor_return, -1, XDP_TX);
	ns[MOVE] = mover(bench) ? run_driven(bench, mover(bench), -1, XDP_TX) : ns[RETURN];
	ns[PROGRAM] = run_driven(bench, NULL, bench->target.program_fd, bench->row->verdict);
}

static double net(const double ns[SUBJECTS])
{
	return ns[PROGRAM] - ns[RETURN] + ns[BARE] - (ns[MOVE] - ns[RETURN]) / 2;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* All flows once, so that those that need a pin have it. */
static void warm_up(const struct bench *bench, uint32_t flows)
{
	for (uint32_t run = 0; run < flows; run += bench->packets)
		run_driven(bench, NULL, bench->target.program_fd, bench->row->verdict);
}

static void measure(struct bench *bench, uint32_t flows, double budget)
{
	double best[SUBJECTS] = {1e9, 1e9, 1e9, 1e9}, ns[SUBJECTS], nets[ROUNDS_MAX];
	uint32_t round, i;

	bench->driver->bss->driver.flows = flows; /* a run goes on where the one before has ended */
	bench->driver->bss->driver.flow = 0;
	if (bench->row->learning)
		warm_up(bench, flows);
	for (round = 0; round < bench->rounds; round++) {
		run_round(bench, ns);
		nets[round] = net(ns);
		for (i = 0; i < SUBJECTS; i++)
			best[i] = ns[i] < best[i] ? ns[i] : best[i];
	}
	qsort(nets, bench->rounds, sizeof(*nets), ascending);
	printf("%-32s %8u %6.0f %6.0f %6.0f %7.2f", bench->row->name, flows, best[BARE], net(best),
	       nets[bench->rounds / 2], net(best) / best[BARE]);
	if (mover(bench))
		printf(" %6.0f", (best[MOVE] - best[RETURN]) / 2);
	else
		printf(" %6s", "-");
	if (budget > 0)
		printf(" %6.0f %s", budget * best[BARE] / 22,
		       net(best) <= budget * best[BARE] / 22 ? "met" : "not met");
	printf("\n");
	fflush(stdout);
}

static bool wanted(const char *name, char *const *word)
{
	if (!*word)
		return true;
	for (; *word; word++)
		if (strstr(name, *word))
			return true;
	return false;
}

static void measure_rows(struct bench *bench, char *const *words)
{
	size_t r, f;

	printf("%-32s %8s %6s %6s %6s %7s %6s %6s\n", "ns per packet", "flows", "floor", "net", "median", "/floor",
	       "move", "budget");
	for (r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		if (!wanted(rows[r].name, words))
			continue;
		bench->row = &rows[r];
		write_frame(bench);
		errno = rows[r].service < 0
				? 0
				: -target_learn(&bench->target, (enum target_service)rows[r].service, rows[r].learning);
		if (errno)
			die("slots");
		for (f = 0; f < FLOWS_MAX && rows[r].flows[f]; f++)
			measure(bench, rows[r].flows[f], rows[r].budget[f]);
	}
}

/* A run on another CPU from time to time would compare two caches; and statistics cost more than the program. */
static void settle(void)
{
	FILE *file = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");
	int enabled = file ? fgetc(file) : '0';
	cpu_set_t cpu;

	if (file)
		fclose(file);
	if (enabled != '0') {
		fprintf(stderr, "kernel.bpf_stats_enabled is on: figures would be wrong\n");
		exit(1);
	}
	CPU_ZERO(&cpu);
	CPU_SET((size_t)sched_getcpu(), &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		die("sched_setaffinity");
}

/* The object lies beside this program's directory in the build: BUILD/tools/bench/packets, BUILD/bpf/weir.bpf.o. */
static const char *default_object(void)
{
	static char path[PATH_MAX + 32];
	char self[PATH_MAX] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("/proc/self/exe");
	snprintf(path, sizeof(path), "%s/../../bpf/weir.bpf.o", dirname(self));
	return path;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"object", required_argument, NULL, 'o'},
						{"rounds", required_argument, NULL, 'r'},
						{"packets", required_argument, NULL, 'p'},
						{NULL, 0, NULL, 0}};
	struct bench bench = {.packets = 1000000, .rounds = 11};
	const char *object = default_object();
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o')
			object = optarg;
		else if (option == 'r')
			bench.rounds = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'p')
			bench.packets = (uint32_t)strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (bench.rounds < 1 || bench.rounds > ROUNDS_MAX || bench.packets < 1 || bench.packets > INT_MAX)
		return 2;
	settle();
	errno = -target_drop_capabilities();
	if (errno)
		die("capabilities");
	if (target_load(&bench.target, object, port_mac))
		return 1;
	bench.driver = driver_bpf__open_and_load();
	if (!bench.driver)
		die("driver");
	printf("program: %u instructions, %u bytes of machine code, %u walked by the verifier; %u rounds of %u packets\n",
	       bench.target.xlated, bench.target.jited_bytes, bench.target.verified, bench.rounds, bench.packets);
	measure_rows(&bench, argv + optind);
	driver_bpf__destroy(bench.driver);
	target_free(&bench.target);
	return 0;
}
