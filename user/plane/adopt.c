/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Readers of sets, by layout. When a struct in abi.h changes, the structs of before move in here, with functions that turn
 * them into those of now, and get a row in the table below.
 */
#include "adopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "percpu.h"

/* ---- the structs of this build ---- */

static void read_service(const struct set *set, uint32_t index, struct weir_service_name *name,
			 union weir_service *word)
{
	*name = set_service_names(set)[index];
	name->name[WEIR_NAME_MAX - 1] = 0;
	*word = set_services(set)[index];
}

static void read_backend(const struct set *set, uint32_t index, struct weir_backend_name *name,
			 struct weir_backend *backend)
{
	*name = set_backend_names(set)[index];
	*backend = set_backends(set)[index];
}

static union weir_slot read_slot(const struct set *set, uint32_t slot)
{
	return set_slots(set)[slot];
}

static void read_node(const struct set *set, struct weir_node *node)
{
	*node = *set_node(set);
}

static void read_info(const struct set *set, struct weir_set_info *info)
{
	*info = *set_info(set);
}

#define PRESENT_STRUCTS                                                                                      \
	.fits = set_has_present_structs, .service = read_service, .backend = read_backend, .slot = read_slot, \
	.node = read_node, .info = read_info

static const struct reader readers[] = {
	{.layout = WEIR_LAYOUT, PRESENT_STRUCTS}, {.layout = 1, PRESENT_STRUCTS}, /* no struct has changed since */
};

/* ---- opening ---- */

static const struct reader *find_reader(uint32_t layout)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (readers[i].layout == layout)
			return &readers[i];
	return NULL;
}

/* The maps that are read by one index have as many elements as each other, so that one check of the index is enough. */
static bool sizes_agree(const struct set *set)
{
	const uint32_t *entries = set->entries;

	return entries[MAP_SERVICES] == entries[MAP_SERVICE_NAMES] &&
	       entries[MAP_BACKENDS] == entries[MAP_BACKEND_NAMES] &&
	       entries[MAP_SLOTS] == 2 * entries[MAP_RESTARTS] &&
	       entries[MAP_SERVICES] == entries[MAP_SERVICE_COUNTERS] &&
	       entries[MAP_BACKENDS] == entries[MAP_BACKEND_COUNTERS];
}

int adopt_open(struct old_set *old, const char *bpffs, const struct set_found *found)
{
	old->reader = find_reader(found->layout);
	old->set = old->reader ? set_open(bpffs, found, false) : NULL;
	if (!old->reader)
		return -EPROTO;
	if (!old->set)
		return -errno;
	if (old->reader->fits(old->set) && sizes_agree(old->set))
		return 0;
	adopt_close(old);
	return -EPROTO;
}

void adopt_close(struct old_set *old)
{
	set_close(old->set);
	old->set = NULL;
}

/* ---- what it holds ---- */

bool adopt_is_sound(const struct set *set, union weir_service word)
{
	uint32_t slots = set->entries[MAP_SLOTS];

	return word.slot_bits >= WEIR_SLOT_BITS_MIN && word.slot_bits <= WEIR_SLOT_BITS_MAX && word.slot_base < slots &&
	       1u << word.slot_bits <= slots - word.slot_base;
}

bool adopt_find_service(const struct old_set *old, uint32_t index, const char *name, union weir_service *word)
{
	struct weir_service_name old_name;

	if (!old->set || index >= old->set->entries[MAP_SERVICES])
		return false;
	old->reader->service(old->set, index, &old_name, word);
	return !strcmp(old_name.name, name) && adopt_is_sound(old->set, *word);
}

bool adopt_find_way(const struct old_set *old, uint32_t index, const struct weir_backend_name *wanted,
		    struct weir_way *way)
{
	struct weir_backend_name name;
	struct weir_backend backend;

	if (!old->set || index >= old->set->entries[MAP_BACKENDS])
		return false;
	old->reader->backend(old->set, index, &name, &backend);
	if (!name.used || name.service != wanted->service || memcmp(&name.addr, &wanted->addr, sizeof(name.addr)) != 0)
		return false;
	*way = backend.way[backend.active & 1];
	return true;
}

/* Carried is added up before: what the old set carried itself, and what was counted in it. */
static int old_total(const struct old_set *old, enum set_map map, uint32_t index, unsigned int cpus,
		     struct weir_count *count)
{
	uint64_t sum[2];
	int err = percpu_sum(cpus, old->set->fd[map], index, sum, 2);

	if (!err) {
		count->packets += sum[0];
		count->bytes += sum[1];
	}
	return err;
}

static int carry_services(const struct old_set *old, struct set *set, unsigned int cpus, uint16_t *moved_to)
{
	struct weir_service_name *names = set_service_names(set), name;
	union weir_service word;

	for (uint32_t from = 0; from < old->set->entries[MAP_SERVICES]; from++) {
		old->reader->service(old->set, from, &name, &word);
		moved_to[from] = UINT16_MAX;
		for (uint32_t to = 0; name.name[0] && to < set->entries[MAP_SERVICES]; to++) {
			if (strcmp(names[to].name, name.name) != 0)
				continue;
			if (old_total(old, MAP_SERVICE_COUNTERS, from, cpus, &name.carried))
				return -EIO;
			names[to].carried = name.carried;
			moved_to[from] = (uint16_t)to;
		}
	}
	return 0;
}

static int carry_backends(const struct old_set *old, struct set *set, unsigned int cpus, const uint16_t *moved_to)
{
	struct weir_backend_name *names = set_backend_names(set), name;
	struct weir_backend ways;

	for (uint32_t from = 1; from < old->set->entries[MAP_BACKENDS]; from++) {
		old->reader->backend(old->set, from, &name, &ways);
		if (!name.used || name.service >= old->set->entries[MAP_SERVICES])
			continue;
		for (uint32_t to = 1; to < set->entries[MAP_BACKENDS]; to++) {
			if (!names[to].used || names[to].service != moved_to[name.service] ||
			    memcmp(&names[to].addr, &name.addr, sizeof(name.addr)) != 0)
				continue;
			if (old_total(old, MAP_BACKEND_COUNTERS, from, cpus, &name.carried))
				return -EIO;
			names[to].carried = name.carried;
		}
	}
	return 0;
}

static int carry_info(const struct old_set *old, struct set *set, unsigned int cpus)
{
	struct weir_set_info info;
	struct weir_node node;
	uint64_t sum[WEIR_ACTIONS];

	old->reader->info(old->set, &info);
	old->reader->node(old->set, &node);
	for (uint32_t i = 0; i < WEIR_REASONS_MAX; i++) {
		if (percpu_sum(cpus, old->set->fd[MAP_REASON_COUNTERS], i, sum, 1))
			return -EIO;
		set_info(set)->reasons[i] = info.reasons[i] + sum[0];
	}
	for (uint32_t i = 0; i < WEIR_PORTS_MAX; i++) {
		if (!node.port[i].ifindex || node.port[i].ifindex != set_node(set)->port[i].ifindex)
			continue;
		if (percpu_sum(cpus, old->set->fd[MAP_ACTION_COUNTERS], i, sum, WEIR_ACTIONS))
			return -EIO;
		for (size_t a = 0; a < WEIR_ACTIONS; a++)
			set_info(set)->actions[i].packets[a] = info.actions[i].packets[a] + sum[a];
	}
	return 0;
}

int adopt_carry(const struct old_set *old, struct set *set, unsigned int cpus)
{
	uint16_t *moved_to = calloc(old->set->entries[MAP_SERVICES], sizeof(*moved_to));
	int err = moved_to ? 0 : -ENOMEM;

	if (!err)
		err = carry_services(old, set, cpus, moved_to);
	if (!err)
		err = carry_backends(old, set, cpus, moved_to);
	if (!err)
		err = carry_info(old, set, cpus);
	free(moved_to);
	return err;
}
