/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets on the bpffs: listed, opened, pinned, removed. Reads links/ only to tell which set packets run on. */
#include "set.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object.h"

/* Sizes of the keys and values in this build's layout; memory: the map is mmapable, the agent reads and writes it without system calls. */
static const struct {
	const char *name;
	uint32_t key_size, value_size;
	bool memory;
} map_info[SET_MAPS] = {
	[MAP_NODE] = {"node", sizeof(uint32_t), sizeof(struct weir_node), true},
	[MAP_VIP_BUCKETS] = {"vip_buckets", sizeof(uint32_t), sizeof(struct weir_vip_bucket), true},
	[MAP_VIPS] = {"vips", sizeof(uint32_t), sizeof(struct weir_vip), true},
	[MAP_LISTENERS] = {"listeners", sizeof(struct weir_addr), sizeof(struct weir_listener_table), false},
	[MAP_SERVICES] = {"services", sizeof(uint32_t), sizeof(union weir_service), true},
	[MAP_SLOTS] = {"slots", sizeof(uint32_t), sizeof(union weir_slot), true},
	[MAP_OPENINGS] = {"openings", sizeof(struct weir_flow_key), sizeof(struct weir_opening), false},
	[MAP_PINS] = {"pins", sizeof(struct weir_flow_key), sizeof(struct weir_pin), false},
	[MAP_RESTARTS] = {"restarts", sizeof(uint32_t), sizeof(struct weir_restarts), true},
	[MAP_FLOW_COUNTERS] = {"flow_counters", sizeof(uint32_t), sizeof(struct weir_flow_counts), false},
	[MAP_BACKENDS] = {"backends", sizeof(uint32_t), sizeof(struct weir_backend), true},
	[MAP_SERVICE_COUNTERS] = {"service_counters", sizeof(uint32_t), sizeof(struct weir_count), false},
	[MAP_BACKEND_COUNTERS] = {"backend_counters", sizeof(uint32_t), sizeof(struct weir_count), false},
	[MAP_REASON_COUNTERS] = {"reason_counters", sizeof(uint32_t), sizeof(uint64_t), false},
	[MAP_ACTION_COUNTERS] = {"action_counters", sizeof(uint32_t), sizeof(struct weir_actions), false},
	[MAP_SERVICE_NAMES] = {"service_names", sizeof(uint32_t), sizeof(struct weir_service_name), true},
	[MAP_BACKEND_NAMES] = {"backend_names", sizeof(uint32_t), sizeof(struct weir_backend_name), true},
	[MAP_SET_INFO] = {"set_info", sizeof(uint32_t), sizeof(struct weir_set_info), true},
};

const char *set_map_name(enum set_map map)
{
	return map_info[map].name;
}

/* Addresses twice over: when a config replaces all of them, the new ones come before the old ones go. */
void set_sizes_of(struct set_sizes *sizes, const struct config_limits *limits)
{
	*sizes = (struct set_sizes){.entries = {
					    [MAP_NODE] = 1,
					    [MAP_VIP_BUCKETS] = WEIR_VIP_BUCKETS,
					    [MAP_VIPS] = 2 * limits->vips + SET_OWN_MAX + SET_VIPS_SPARE,
					    [MAP_LISTENERS] = 2 * limits->vips,
					    [MAP_SERVICES] = limits->services,
					    [MAP_SLOTS] = limits->slots,
					    [MAP_OPENINGS] = limits->openings,
					    [MAP_PINS] = limits->pins,
					    [MAP_RESTARTS] = limits->slots / 2, /* each element holds two */
					    [MAP_FLOW_COUNTERS] = 1,
					    [MAP_BACKENDS] = limits->backends + 1, /* index 0 is none */
					    [MAP_SERVICE_COUNTERS] = limits->services,
					    [MAP_BACKEND_COUNTERS] = limits->backends + 1,
					    [MAP_REASON_COUNTERS] = WEIR_REASONS_MAX,
					    [MAP_ACTION_COUNTERS] = WEIR_PORTS_MAX,
					    [MAP_SERVICE_NAMES] = limits->services,
					    [MAP_BACKEND_NAMES] = limits->backends + 1,
					    [MAP_SET_INFO] = 1,
				    }};
}

/* ---- which sets there are ---- */

int set_path(char *path, const char *bpffs, uint32_t layout, uint32_t serial)
{
	return bpffs_path(path, BPFFS_PATH, "%s/set-%u-%u", bpffs, layout, serial);
}

static int compare_serials(const void *a, const void *b)
{
	const struct set_found *x = a, *y = b;

	return (x->serial > y->serial) - (x->serial < y->serial);
}

/* The id of the program pinned as `name` in the set's directory, 0 if there is none. */
static uint32_t pinned_program(const char *bpffs, const struct set_found *found, const char *name)
{
	char path[BPFFS_PATH];

	if (bpffs_path(path, sizeof(path), "%s/set-%u-%u/%s", bpffs, found->layout, found->serial, name))
		return 0;
	return object_pinned_program_id(path);
}

static int list_sets(const char *bpffs, struct set_list *list)
{
	DIR *dir = opendir(bpffs);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		struct set_found *grown, found = {.in_force = false};
		char name[64];

		if (sscanf(entry->d_name, "set-%u-%u", &found.layout, &found.serial) != 2)
			continue;
		snprintf(name, sizeof(name), "set-%u-%u", found.layout, found.serial);
		if (strcmp(name, entry->d_name) != 0)
			continue;
		grown = realloc(list->found, (list->count + 1) * sizeof(*grown));
		if (!grown) {
			err = -ENOMEM;
			break;
		}
		found.program_id = pinned_program(bpffs, &found, "prog");
		found.new_program_id = pinned_program(bpffs, &found, "prog-new");
		list->found = grown;
		grown[list->count++] = found;
	}
	closedir(dir);
	if (list->count)
		qsort(list->found, list->count, sizeof(*list->found), compare_serials);
	return err;
}

/* A program that a link runs puts its set in force. */
static void mark_in_force(void *arg, const char *path, const char *name)
{
	struct set_list *list = arg;
	struct object_link link;
	int fd = object_open_link(path, &link);

	(void)name;
	if (fd < 0)
		return;
	close(fd);
	for (size_t i = 0; i < list->count; i++) {
		struct set_found *found = &list->found[i];

		found->new_runs |= link.program_id == found->new_program_id;
		found->in_force |= found->new_runs || link.program_id == found->program_id;
	}
}

int set_list(const char *bpffs, struct set_list *list)
{
	int err;

	memset(list, 0, sizeof(*list));
	err = list_sets(bpffs, list);
	if (err) {
		set_list_free(list);
		return err;
	}
	object_for_each_link(bpffs, mark_in_force, list);
	return 0;
}

void set_list_free(struct set_list *list)
{
	free(list->found);
	memset(list, 0, sizeof(*list));
}

/* ---- one set ---- */

static size_t memory_bytes(const struct set *set, enum set_map map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), value = (set->value_size[map] + 7) & ~(size_t)7;

	return (value * set->entries[map] + page - 1) & ~(page - 1);
}

static int open_map(struct set *set, enum set_map map, bool writable)
{
	struct bpf_map_info info = {.id = 0};
	__u32 length = sizeof(info);
	char path[BPFFS_PATH];
	int protection = PROT_READ | (writable ? PROT_WRITE : 0);
	int err = bpffs_path(path, sizeof(path), "%s/%s", set->path, map_info[map].name);

	if (err)
		return err;
	set->fd[map] = bpf_obj_get(path);
	if (set->fd[map] < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(set->fd[map], &info, &length))
		return -errno;
	set->entries[map] = info.max_entries;
	set->key_size[map] = info.key_size;
	set->value_size[map] = info.value_size;
	if (!map_info[map].memory)
		return 0;
	set->memory[map] = mmap(NULL, memory_bytes(set, map), protection, MAP_SHARED, set->fd[map], 0);
	if (set->memory[map] == MAP_FAILED) {
		set->memory[map] = NULL;
		return -errno;
	}
	return 0;
}

struct set *set_open(const char *bpffs, const struct set_found *found, bool writable)
{
	struct set *set = calloc(1, sizeof(*set));
	int err;

	if (!set)
		return NULL;
	for (enum set_map map = 0; map < SET_MAPS; map++)
		set->fd[map] = -1;
	set->layout = found->layout;
	set->serial = found->serial;
	err = set_path(set->path, bpffs, found->layout, found->serial);
	for (enum set_map map = 0; !err && map < SET_MAPS; map++)
		err = open_map(set, map, writable);
	if (err) {
		set_close(set);
		errno = -err;
		return NULL;
	}
	return set;
}

void set_close(struct set *set)
{
	if (!set)
		return;
	for (enum set_map map = 0; map < SET_MAPS; map++) {
		if (set->memory[map])
			munmap(set->memory[map], memory_bytes(set, map));
		if (set->fd[map] >= 0)
			close(set->fd[map]);
	}
	free(set);
}

bool set_has_present_structs(const struct set *set)
{
	for (enum set_map map = 0; map < SET_MAPS; map++)
		if (set->key_size[map] != map_info[map].key_size || set->value_size[map] != map_info[map].value_size)
			return false;
	return true;
}

bool set_has_sizes(const struct set *set, const struct set_sizes *sizes)
{
	return !memcmp(set->entries, sizes->entries, sizeof(set->entries));
}

int set_pin(const char *path, const int fd[SET_MAPS], int program)
{
	char pin[BPFFS_PATH];
	int err = mkdir(path, 0700) ? -errno : 0;

	for (enum set_map map = 0; !err && map < SET_MAPS; map++) {
		err = bpffs_path(pin, sizeof(pin), "%s/%s", path, map_info[map].name);
		if (!err && bpf_obj_pin(fd[map], pin))
			err = -errno;
	}
	if (!err)
		err = bpffs_path(pin, sizeof(pin), "%s/prog", path);
	if (!err && bpf_obj_pin(program, pin))
		err = -errno;
	if (err)
		(void)set_remove(path);
	return err;
}

int set_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char pin[BPFFS_PATH];

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !bpffs_path(pin, sizeof(pin), "%s/%s", path, entry->d_name))
			(void)unlink(pin); /* what cannot go keeps the directory, and rmdir says so */
	}
	closedir(dir);
	return rmdir(path) ? -errno : 0;
}
