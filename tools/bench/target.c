/* SPDX-License-Identifier: BSD-2-Clause */
/* See target.h. */
#include "target.h"

#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../../include/weir/hash.h"
#include "../../user/model/rank.h"

enum { LOOPBACK = 1, MTU = 1500, SLOT_BITS = 14 };

int target_drop_capabilities(void)
{
	static const unsigned int kept[] = {CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_NET_RAW};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		data[kept[i] / 32].effective |= 1U << kept[i] % 32;
		data[kept[i] / 32].permitted |= 1U << kept[i] % 32;
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static struct weir_addr ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct weir_addr){
		{0, 0, htonl(0xffff), htonl((uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | d)}};
}

static struct weir_addr ip6(uint32_t subnet, uint32_t host)
{
	return (struct weir_addr){{htonl(0x20010db8), htonl(subnet), 0, htonl(host)}};
}

static int put(const struct target *target, const char *map, const void *key, const void *value)
{
	int fd = bpf_object__find_map_fd_by_name(target->object, map);

	if (fd >= 0 && bpf_map_update_elem(fd, key, value, BPF_ANY) == 0)
		return 0;
	fprintf(stderr, "map %s: %s\n", map, strerror(errno));
	return -errno;
}

/* In front of its bucket's chain. */
static int put_vip(const struct target *target, const struct weir_addr *addr, uint16_t service, uint32_t index)
{
	struct weir_vip vip = {
		.addr = *addr,
		.listeners = 2,
		.listener = {{.first = 80, .last = 80, .service = service, .proto = IPPROTO_TCP},
			     {.first = 53, .last = 53, .service = service, .proto = IPPROTO_UDP}},
	};
	uint32_t nr = weir_addr_bucket(addr);
	struct weir_vip_bucket bucket;

	if (bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(target->object, "vip_buckets"), &nr, &bucket))
		return -errno;
	vip.next = bucket.first;
	bucket.first = index;
	return put(target, "vips", &index, &vip) ? -errno : put(target, "vip_buckets", &nr, &bucket);
}

/* The three that are measured, and many that are not: their elements lie about in the cache as they would. */
static int put_vips(const struct target *target)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < TARGET_VIPS && !err; i++) {
		uint16_t service = (uint16_t)(i < TARGET_SERVICES ? i : 0);
		struct weir_addr four = ip4(198, 51, (uint8_t)(100 + (i >> 8)), (uint8_t)(i + 1)), six = ip6(0, i + 1);

		err = put_vip(target, &four, service, 2 * i + 1);
		if (!err)
			err = put_vip(target, &six, service, 2 * i + 2);
	}
	return err;
}

static int put_backend(const struct target *target, enum target_service service, uint32_t nr, const uint8_t port_mac[6])
{
	uint32_t index = 1 + service * TARGET_BACKENDS + nr;
	struct weir_backend backend = {.generation = 1,
				       .flags = WEIR_BACKEND_SERVES | WEIR_BACKEND_ANSWERS | WEIR_BACKEND_OPEN};
	struct weir_way *way = &backend.way[0];

	way->ifindex = LOOPBACK;
	way->mtu = MTU;
	way->flags = WEIR_WAY_RESOLVED;
	way->tags = WEIR_TAGS_KEEP;
	memcpy(way->dst_mac, (const uint8_t[6]){2, 0, 0, 1, 0, (uint8_t)index}, 6);
	memcpy(way->src_mac, port_mac, 6);
	if (service == TARGET_IPIP6) {
		way->flags |= WEIR_WAY_IP6;
		way->src = ip6(1, 1);
		way->dst = ip6(2, nr + 1);
	} else {
		way->src = ip4(10, 0, 0, 1);
		way->dst = ip4(10, 0, 1, (uint8_t)(nr + 1));
	}
	return put(target, "backends", &index, &backend);
}

/* Slots as the agent makes them, so that neighbours in the table name different backends. */
static int put_slots(const struct target *target, enum target_service service, uint32_t base)
{
	static uint16_t own[TARGET_SLOTS];
	struct rank_member member[TARGET_BACKENDS] = {0};
	struct rank_input input = {.seed = "weir",
				   .service = "bench",
				   .slots = TARGET_SLOTS,
				   .member = member,
				   .members = TARGET_BACKENDS};
	uint32_t i;
	int err;

	for (i = 0; i < TARGET_BACKENDS; i++) {
		member[i].id.byte[15] = (uint8_t)i;
		member[i].weight = 1;
	}
	err = rank_own(&input, own);
	for (i = 0; i < TARGET_SLOTS && !err; i++) {
		union weir_slot slot = {.current = (uint16_t)(1 + service * TARGET_BACKENDS + own[i])};
		uint32_t index = base + i;

		err = put(target, "slots", &index, &slot);
	}
	return err;
}

static int put_service(const struct target *target, enum target_service service, const uint8_t port_mac[6])
{
	union weir_service word = {.slot_base = service * TARGET_SLOTS,
				   .slot_bits = SLOT_BITS,
				   .forward = service == TARGET_DSR ? WEIR_DSR : WEIR_IPIP};
	uint32_t index = service, i;
	int err = put_slots(target, service, word.slot_base);

	for (i = 0; i < TARGET_BACKENDS && !err; i++)
		err = put_backend(target, service, i, port_mac);
	return err ? err : put(target, "services", &index, &word);
}

static int put_node(const struct target *target, const uint8_t port_mac[6])
{
	struct weir_node node = {.port[0].ifindex = LOOPBACK};
	uint32_t zero = 0;

	memcpy(node.port[0].mac, port_mac, 6);
	return put(target, "node", &zero, &node);
}

static int fill(const struct target *target, const uint8_t port_mac[6])
{
	uint32_t service;
	int err = put_node(target, port_mac);

	for (service = 0; service < TARGET_SERVICES && !err; service++)
		err = put_service(target, service, port_mac);
	return err ? err : put_vips(target);
}

static int load(struct target *target, const char *path)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	struct bpf_program *program;
	struct bpf_map *slots;

	target->object = bpf_object__open_file(path, NULL);
	if (!target->object)
		return -errno;
	slots = bpf_object__find_map_by_name(target->object, "slots");
	program = bpf_object__find_program_by_name(target->object, "weir");
	if (!slots || !program)
		return -ENOENT;
	if (bpf_map__set_max_entries(slots, TARGET_SERVICES * TARGET_SLOTS) || bpf_object__load(target->object))
		return -errno;
	target->program_fd = bpf_program__fd(program);
	if (bpf_obj_get_info_by_fd(target->program_fd, &info, &size))
		return -errno;
	target->xlated = info.xlated_prog_len / 8;
	target->jited_bytes = info.jited_prog_len;
	target->verified = info.verified_insns;
	return 0;
}

int target_load(struct target *target, const char *path, const uint8_t port_mac[6])
{
	int err = load(target, path);

	if (!err)
		return fill(target, port_mac);
	fprintf(stderr, "%s: %s\n", path, strerror(-err));
	return err;
}

static void empty(const struct target *target, const char *map)
{
	int fd = bpf_object__find_map_fd_by_name(target->object, map);
	struct weir_flow_key key;

	while (bpf_map_get_next_key(fd, NULL, &key) == 0 && bpf_map_delete_elem(fd, &key) == 0)
		;
}

int target_learn(const struct target *target, enum target_service service, uint32_t learning)
{
	uint32_t base = service * TARGET_SLOTS, index, first = 1 + service * TARGET_BACKENDS;
	int fd = bpf_object__find_map_fd_by_name(target->object, "slots"), err = 0;

	empty(target, "openings");
	empty(target, "pins");
	for (index = base; index < base + TARGET_SLOTS && !err; index++) {
		union weir_slot slot;

		if (bpf_map_lookup_elem(fd, &index, &slot))
			return -errno;
		slot.previous = slot.previous_udp = 0;
		slot.state = WEIR_SETTLED;
		if (learning && index % learning == 0) {
			slot.previous = slot.previous_udp = slot.current;
			slot.current = (uint16_t)(first + (slot.current - first + 1) % TARGET_BACKENDS);
			slot.state = WEIR_LEARNING;
		}
		err = put(target, "slots", &index, &slot);
	}
	return err;
}

void target_free(struct target *target)
{
	bpf_object__close(target->object);
}
