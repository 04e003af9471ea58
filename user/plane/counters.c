/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading what the data path has counted: per-CPU values summed, with what earlier sets carried; and facts about the set. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "percpu.h"
#include "plane.h"
#include "state.h"

static int count_with_carried(const struct plane *plane, enum set_map map, uint32_t index,
			      const struct weir_count *carried, struct weir_count *out)
{
	uint64_t sum[2];
	int err = percpu_sum(plane->cpus, plane->set->fd[map], index, sum, 2);

	out->packets = carried->packets + sum[0];
	out->bytes = carried->bytes + sum[1];
	return err;
}

int plane_service_count(const struct plane *plane, uint16_t index, struct weir_count *out)
{
	*out = (struct weir_count){0};
	if (!plane->set || index >= plane->set->entries[MAP_SERVICES])
		return -ENOENT;
	return count_with_carried(plane, MAP_SERVICE_COUNTERS, index, &set_service_names(plane->set)[index].carried,
				  out);
}

int plane_backend_count(const struct plane *plane, uint16_t index, struct weir_count *out)
{
	*out = (struct weir_count){0};
	if (!plane->set || index >= plane->set->entries[MAP_BACKENDS])
		return -ENOENT;
	return count_with_carried(plane, MAP_BACKEND_COUNTERS, index, &set_backend_names(plane->set)[index].carried,
				  out);
}

int plane_reason_counts(const struct plane *plane, uint64_t out[WEIR_REASON_COUNT])
{
	memset(out, 0, WEIR_REASON_COUNT * sizeof(*out));
	if (!plane->set)
		return -ENOENT;
	for (uint32_t reason = 0; reason < WEIR_REASON_COUNT; reason++) {
		int err = percpu_sum(plane->cpus, plane->set->fd[MAP_REASON_COUNTERS], reason, &out[reason], 1);

		if (err)
			return err;
		out[reason] += set_info(plane->set)->reasons[reason];
	}
	return 0;
}

/* What the kernel says the map takes. */
static uint64_t map_memory(int map)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

void plane_info(const struct plane *plane, struct plane_info *out)
{
	struct bpf_prog_info info = {.id = 0};
	__u32 length = sizeof(info);

	memset(out, 0, sizeof(*out));
	if (!plane->set || bpf_obj_get_info_by_fd(plane->program, &info, &length))
		return;
	out->layout = plane->set->layout;
	out->serial = plane->set->serial;
	out->program_id = info.id;
	out->instructions = info.xlated_prog_len / 8;
	out->maps_adopted = !plane->set_is_new;
	out->program_adopted = !plane->program_is_new;
	for (size_t i = 0; i < sizeof(info.tag); i++)
		snprintf(out->tag + 2 * i, 3, "%02x", info.tag[i]);
	for (enum set_map map = 0; map < SET_MAPS; map++)
		out->memory_bytes += map_memory(plane->set->fd[map]);
}

union weir_slot plane_slot(const struct plane *plane, uint32_t slot)
{
	union weir_slot word = {.word = 0};

	if (plane->set && slot < plane->set->entries[MAP_SLOTS])
		word.word = __atomic_load_n(&set_slots(plane->set)[slot].word, __ATOMIC_RELAXED);
	return word;
}

uint32_t plane_map_entries(const struct plane *plane, const char *map)
{
	bool tables = !strcmp(map, set_map_name(MAP_LISTENERS));
	uint32_t entries = 0;

	if (!strcmp(map, set_map_name(MAP_OPENINGS)))
		return plane->scan.entries[SCAN_OPENINGS];
	if (!strcmp(map, set_map_name(MAP_PINS)))
		return plane->scan.entries[SCAN_PINS];
	if (!tables)
		return (uint32_t)plane->vips.count;
	for (size_t i = 0; i < plane->vips.count; i++)
		entries += plane->vips.vip[i].listeners > WEIR_LISTENERS_INLINE;
	return entries;
}

uint32_t plane_map_max_entries(const struct plane *plane, const char *map)
{
	for (enum set_map m = 0; plane->set && m < SET_MAPS; m++)
		if (!strcmp(set_map_name(m), map))
			return plane->set->entries[m] - (m == MAP_VIPS ? SET_VIPS_SPARE : 0);
	return 0;
}
