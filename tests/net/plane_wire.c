/* SPDX-License-Identifier: BSD-2-Clause */
/* See plane_wire.h. */
#include "plane_wire.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WIRES = 3, BATCH = 32, PAYLOAD = 18, LOAD_MIN = 2000 /* a load is at least so many frames */ };

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t payload[PAYLOAD];
} __attribute__((packed));

static int counter_map, counter_link[WIRES] = {-1, -1, -1};
static uint64_t seen[WIRES];

static void die(const char *what)
{
	fprintf(stderr, "# wire: %s: %s\n", what, strerror(errno));
	exit(1);
}

void wire_ignore(const char *line)
{
	(void)line;
}

/* ---- counting ---- */

static int load(const struct bpf_insn *insn, size_t count)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "test_end", "GPL", insn, count, NULL);

	if (fd < 0)
		die("program");
	return fd;
}

int wire_program(void)
{
	static const struct bpf_insn insn[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return load(insn, sizeof(insn) / sizeof(insn[0]));
}

/* counter[wire]++, on each CPU its own; drop */
static int counting_program(int wire)
{
	const struct bpf_insn insn[] = {
		{.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .off = -4, .imm = wire},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -4},
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = counter_map},
		{.code = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .off = 3, .imm = 0},
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_0},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = 1},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_DROP},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return load(insn, sizeof(insn) / sizeof(insn[0]));
}

void wire_open(void)
{
	counter_map = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "test_ends", 4, 8, WIRES, NULL);
	if (counter_map < 0)
		die("map");
}

void wire_count(const char *end)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int wire = end[1] - '0', program = counting_program(wire);

	if (counter_link[wire] >= 0)
		close(counter_link[wire]); /* of a device that is gone */
	counter_link[wire] = bpf_link_create(program, (int)if_nametoindex(end), BPF_XDP, &opts);
	if (counter_link[wire] < 0)
		die("link");
	close(program);
}

static uint64_t count(int wire)
{
	uint64_t value[1024], sum = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 1 || cpus > 1024 || bpf_map_lookup_elem(counter_map, &wire, value))
		die("counter");
	for (int i = 0; i < cpus; i++)
		sum += value[i];
	return sum;
}

uint64_t wire_received(int wire)
{
	uint64_t now = count(wire), before, fresh;

	do { /* frames on their way are there within microseconds; nothing new for 20 ms: there are none */
		before = now;
		usleep(20000);
		now = count(wire);
	} while (now != before);
	fresh = now - seen[wire];
	seen[wire] = now;
	return fresh;
}

/* ---- sending ---- */

static int open_end(int wire)
{
	char name[] = {'c', (char)('0' + wire), 0};
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0); /* protocol 0: nothing comes in here */

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		die("packet socket");
	return fd;
}

static void mac_of(const char *name, uint8_t mac[6])
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr))
		die(name);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	close(fd);
}

static uint16_t ip_checksum(const struct frame *frame)
{
	uint16_t word[sizeof(frame->ip) / 2];
	uint32_t sum = 0;

	memcpy(word, &frame->ip, sizeof(word));
	for (size_t i = 0; i < sizeof(word) / 2; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static void make_frame(struct frame *frame, int wire, const char *vip, uint16_t port)
{
	char name[] = {'e', (char)('0' + wire), 0};

	memset(frame, 0, sizeof(*frame));
	mac_of(name, frame->eth.h_dest);
	memcpy(frame->eth.h_source, (uint8_t[]){2, 0xc1, 0, 0, 0, 1}, 6);
	frame->eth.h_proto = htons(ETH_P_IP);
	frame->ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.tot_len = htons(sizeof(*frame) - sizeof(frame->eth)),
		.saddr = inet_addr("198.51.100.7"),
		.daddr = inet_addr(vip),
	};
	frame->ip.check = ip_checksum(frame);
	frame->udp.dest = htons(port);
	frame->udp.len = htons(sizeof(frame->udp) + PAYLOAD);
}

static void send_batch(int fd, const struct frame *model, uint32_t first_flow, unsigned int batch)
{
	struct mmsghdr message[BATCH] = {0};
	struct frame frame[BATCH];
	struct iovec io[BATCH];
	unsigned int sent = 0;

	for (unsigned int i = 0; i < batch; i++) {
		frame[i] = *model;
		frame[i].udp.source = htons((uint16_t)(first_flow + i));
		io[i] = (struct iovec){&frame[i], sizeof(frame[i])};
		message[i].msg_hdr = (struct msghdr){.msg_iov = &io[i], .msg_iovlen = 1};
	}
	while (sent < batch) {
		int now = sendmmsg(fd, message + sent, batch - sent, 0);

		if (now < 0 && errno != ENOBUFS && errno != EINTR)
			die("send");
		if (now > 0)
			sent += (unsigned int)now;
	}
}

void wire_send(int wire, const char *vip, uint16_t port, uint32_t first_flow, uint32_t count)
{
	int fd = open_end(wire);
	struct frame frame;

	make_frame(&frame, wire, vip, port);
	for (uint32_t sent = 0; sent < count; sent += BATCH)
		send_batch(fd, &frame, first_flow + sent, count - sent < BATCH ? count - sent : BATCH);
	close(fd);
}

/* ---- load ---- */

struct traffic {
	bool stop;
	uint64_t sent;
};

static struct traffic *traffic;
static pid_t traffic_pid;

static void send_until_stopped(void)
{
	int fd = open_end(0);
	struct frame frame;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	make_frame(&frame, 0, "192.0.2.10", 80);
	for (uint32_t flow = 0; !__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED); flow += BATCH) {
		send_batch(fd, &frame, flow, BATCH);
		__atomic_store_n(&traffic->sent, traffic->sent + BATCH, __ATOMIC_RELAXED);
	}
	_exit(0);
}

void wire_load_end(void)
{
	if (traffic_pid > 0) {
		kill(traffic_pid, SIGKILL);
		waitpid(traffic_pid, NULL, 0);
	}
	traffic_pid = 0;
}

void wire_load_start(void)
{
	if (!traffic)
		traffic = mmap(NULL, sizeof(*traffic), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (traffic == MAP_FAILED)
		die("memory");
	*traffic = (struct traffic){.stop = false};
	(void)wire_received(0);
	traffic_pid = fork();
	if (traffic_pid < 0)
		die("fork");
	if (traffic_pid == 0)
		send_until_stopped();
}

void wire_load_stop(uint64_t *sent, uint64_t *received)
{
	while (__atomic_load_n(&traffic->sent, __ATOMIC_RELAXED) < LOAD_MIN)
		usleep(1000);
	__atomic_store_n(&traffic->stop, true, __ATOMIC_RELAXED);
	waitpid(traffic_pid, NULL, 0);
	traffic_pid = 0;
	*sent = traffic->sent;
	*received = wire_received(0);
}
