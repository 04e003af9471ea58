/* SPDX-License-Identifier: BSD-2-Clause */
/* See plane_maps.h. */
#include "plane_maps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../../include/weir/hash.h"

int maps_open(const char *set, const char *map)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", lab_bpffs, set, map);
	fd = bpf_obj_get(path);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

void maps_read(const char *set, const char *map, uint32_t index, void *value)
{
	int fd = maps_open(set, map);

	assert_int_equal(bpf_map_lookup_elem(fd, &index, value), 0);
	close(fd);
}

void maps_write(const char *set, const char *map, uint32_t index, const void *value)
{
	int fd = maps_open(set, map);

	assert_int_equal(bpf_map_update_elem(fd, &index, value, BPF_ANY), 0);
	close(fd);
}

void maps_read_slots(const char *set, uint32_t base, uint32_t slots, union weir_slot *slot)
{
	int fd = maps_open(set, "slots");

	for (uint32_t i = 0; i < slots; i++) {
		uint32_t index = base + i;

		assert_int_equal(bpf_map_lookup_elem(fd, &index, &slot[i]), 0);
	}
	close(fd);
}

struct addr maps_address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

int maps_read_vip(const char *text, struct weir_vip *vip)
{
	struct addr addr = maps_address(text);
	struct weir_vip_bucket bucket;
	uint32_t index;

	memcpy(&vip->addr, &addr, sizeof(addr));
	maps_read("set-1-1", "vip_buckets", weir_addr_bucket(&vip->addr), &bucket);
	for (index = bucket.first; index != WEIR_VIP_NONE; index = vip->next) {
		maps_read("set-1-1", "vips", index, vip);
		if (!memcmp(&vip->addr, &addr, sizeof(addr)))
			return 0;
	}
	return -ENOENT;
}

void maps_forge_object_digest(const char *set)
{
	struct weir_set_info info;

	maps_read(set, "set_info", 0, &info);
	assert_int_not_equal(info.object_digest, 0);
	info.object_digest ^= 1;
	maps_write(set, "set_info", 0, &info);
}

void maps_start(struct lab_agent *agent, const char *config)
{
	struct error error = {.code = ERROR_NONE};

	if (lab_agent_start(agent, lab_bpffs, config, -1, &error))
		fail_msg("%s", error.text);
}

void maps_apply(struct lab_agent *agent, const char *config)
{
	struct error error = {.code = ERROR_NONE};

	if (lab_agent_apply(agent, config, &error))
		fail_msg("%s", error.text);
}
