/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flood of TCP packets, each from another address and port, by live frames of BPF_PROG_TEST_RUN (Linux 5.18): run in the
 * router's network, they come up from its interface as if the client's wire had carried them.
 *
 *   flood [--ack] [--first N] [--count N] [--rate PER-SECOND] [--for SECONDS] [--source PREFIX/BITS] [--seed N] INTERFACE ADDRESS PORT
 *
 * SYNs, or with --ack packets that belong to no connection. As fast as it can, unless --rate says otherwise. Prints one line
 * of JSON; ends after --count (1,000,000) or --for, or by SIGTERM or SIGINT. --first: goes on where another flood has ended.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "flood.h"
#include "wire.h"

enum { STRETCHES_A_SECOND = 5, AT_ONCE = 100000 }; /* a run by itself costs the kernel 20 ms and more */

static struct {
	uint64_t count, rate, for_ns;
	const char *source;
	uint32_t first, seed;
	bool ack;
} option = {.count = 1000000, .source = "100.64.0.0/10"};

static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t words_sum(const void *at, size_t bytes)
{
	const uint8_t *byte = at;
	uint32_t sum = 0;

	for (size_t i = 0; i < bytes; i += 2)
		sum += (uint32_t)byte[i] << 8 | byte[i + 1];
	return sum;
}

static void own_mac(const char *interface, uint8_t *mac)
{
	struct ifreq request = {.ifr_ifindex = 0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		die(interface);
	memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
}

static void draw_sources(struct flood *flood)
{
	char text[32] = "";
	struct in_addr address;
	char *slash;
	long bits;

	strncpy(text, option.source, sizeof(text) - 1);
	slash = strchr(text, '/');
	bits = slash ? strtol(slash + 1, NULL, 10) : 0;
	if (slash)
		*slash = 0;
	if (inet_pton(AF_INET, text, &address) != 1 || bits < 1 || bits > 31) {
		fprintf(stderr, "flood: %s: not a prefix\n", option.source);
		exit(2);
	}
	flood->mask = ~0U >> bits;
	flood->source = ntohl(address.s_addr) & ~flood->mask;
	if (!option.ack && !option.for_ns && option.first + option.count > (uint64_t)flood->mask + 1) {
		fprintf(stderr, "flood: %s has less than %llu addresses\n", option.source,
			(unsigned long long)option.count);
		exit(2);
	}
}

static void write_frame(struct flood *flood, const char *interface, const char *address, const char *port)
{
	uint8_t *frame = (uint8_t *)flood->word;
	struct ethhdr *eth = (struct ethhdr *)(void *)frame;
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP};
	struct tcphdr tcp = {.doff = 5, .window = htons(65535)};
	uint16_t length = FLOOD_FRAME - ETH_HLEN - sizeof(ip);

	own_mac(interface, eth->h_dest);
	memcpy(eth->h_source, (const uint8_t[]){2, 0x71, 0, 0, 0, 0xf1}, ETH_ALEN);
	eth->h_proto = htons(ETH_P_IP);
	ip.tot_len = htons(FLOOD_FRAME - ETH_HLEN);
	if (inet_pton(AF_INET, address, &ip.daddr) != 1) {
		fprintf(stderr, "flood: %s: not an IPv4 address\n", address);
		exit(2);
	}
	tcp.dest = htons((uint16_t)atoi(port));
	tcp.syn = !option.ack;
	tcp.ack = option.ack;
	memcpy(frame + ETH_HLEN, &ip, sizeof(ip));
	memcpy(frame + ETH_HLEN + sizeof(ip), &tcp, sizeof(tcp));
	flood->ip_sum = words_sum(&ip, sizeof(ip));
	/* payload: all zero */
	flood->tcp_sum = words_sum(&tcp, sizeof(tcp)) + words_sum(&ip.daddr, 4) + IPPROTO_TCP + length;
	flood->seed = option.seed;
	flood->number = option.first;
	draw_sources(flood);
}

static int load(struct flood **flood)
{
	char path[PATH_MAX + 32], self[PATH_MAX] = "";
	struct bpf_object *object;
	int map;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("/proc/self/exe");
	snprintf(path, sizeof(path), "%s/flood.bpf.o", dirname(self));
	object = bpf_object__open_file(path, NULL);
	if (!object || bpf_object__load(object))
		die(path);
	map = bpf_object__find_map_fd_by_name(object, "floods");
	*flood = mmap(NULL, sizeof(**flood), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (*flood == MAP_FAILED)
		die("mmap");
	return bpf_program__fd(bpf_object__find_program_by_name(object, "flood"));
}

static void send_some(int program, unsigned int ifindex, uint64_t frames)
{
	uint8_t empty[FLOOD_FRAME] = {0};
	struct xdp_md context = {.data_end = FLOOD_FRAME, .ingress_ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = empty, .data_size_in = FLOOD_FRAME, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = (int)frames, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (bpf_prog_test_run_opts(program, &run) && errno != EINTR)
		die("BPF_PROG_TEST_RUN");
}

static void pause_until(uint64_t ns)
{
	struct timespec until = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void run(int program, unsigned int ifindex, const struct flood *flood)
{
	uint64_t begun = wire_now_ns(), some = option.rate ? option.rate / STRETCHES_A_SECOND : AT_ONCE, left, sent = 0;
	double seconds;

	while (!wire_stopped) {
		if (option.for_ns && wire_now_ns() - begun >= option.for_ns)
			break;
		left = option.for_ns ? some : option.count - sent;
		if (!left)
			break;
		send_some(program, ifindex, left < some ? left : some);
		sent = flood->number - option.first;
		if (option.rate)
			pause_until(begun + sent * 1000000000ULL / option.rate);
	}
	seconds = (double)(wire_now_ns() - begun) / 1e9;
	printf("{\"kind\":\"%s\",\"sent\":%llu,\"seconds\":%.3f,\"per_second\":%.0f}\n", option.ack ? "ack" : "syn",
	       (unsigned long long)sent, seconds, (double)sent / seconds);
}

static void usage(void)
{
	fputs("usage: flood [--ack] [--first N] [--count N] [--rate PER-SECOND] [--for SECONDS] [--source PREFIX/BITS] [--seed N] INTERFACE ADDRESS PORT\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"ack", 0, NULL, 'a'},   {"count", 1, NULL, 'c'}, {"rate", 1, NULL, 'r'},   {"for", 1, NULL, 'f'},
		{"first", 1, NULL, 'n'}, {"seed", 1, NULL, 's'},  {"source", 1, NULL, 'p'}, {NULL, 0, NULL, 0}};
	struct flood *flood;
	unsigned int ifindex;
	int letter, program;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;

		if (letter == 'a')
			option.ack = true;
		else if (letter == 'c')
			option.count = number;
		else if (letter == 'r')
			option.rate = number;
		else if (letter == 'f')
			option.for_ns = number * 1000000000;
		else if (letter == 'n')
			option.first = (uint32_t)number;
		else if (letter == 's')
			option.seed = (uint32_t)number;
		else if (letter == 'p')
			option.source = optarg;
		else
			usage();
	}
	if (argc - optind != 3 || option.count > UINT32_MAX || (option.rate && option.rate < 100))
		usage();
	wire_stop_by_signal();
	program = load(&flood);
	ifindex = if_nametoindex(argv[optind]);
	write_frame(flood, argv[optind], argv[optind + 1], argv[optind + 2]);
	run(program, ifindex, flood);
	return 0;
}
