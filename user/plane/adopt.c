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

static void read_key(const void *element, struct weir_flow_key *key)
{
	memcpy(key, element, sizeof(*key));
}

static void read_opening(const void *element, struct weir_opening *opening)
{
	memcpy(opening, element, sizeof(*opening));
}

static void read_pin(const void *element, struct weir_pin *pin)
{
	memcpy(pin, element, sizeof(*pin));
}

#define PRESENT_STRUCTS                                                                                       \
	.fits = set_has_present_structs, .service = read_service, .backend = read_backend, .slot = read_slot, \
	.node = read_node, .info = read_info, .key = read_key, .opening = read_opening, .pin = read_pin

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
	       entries[MAP_BACKENDS] == entries[MAP_BACKEND_NAMES] && entries[MAP_SLOTS] == 2 * entries[MAP_RESTARTS] &&
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

static bool is_service(const struct old_set *old, uint32_t index, const char *name, union weir_service *word)
{
	struct weir_service_name found;

	if (index >= old->set->entries[MAP_SERVICES])
		return false;
	old->reader->service(old->set, index, &found, word);
	return !strcmp(found.name, name) && adopt_is_sound(old->set, *word);
}

int adopt_find_service(const struct old_set *old, uint32_t hint, const char *name, union weir_service *word)
{
	if (!old->set)
		return -1;
	if (is_service(old, hint, name, word))
		return (int)hint;
	for (uint32_t i = 0; i < old->set->entries[MAP_SERVICES]; i++)
		if (is_service(old, i, name, word))
			return (int)i;
	return -1;
}

static bool is_backend(const struct old_set *old, uint32_t index, int service, const struct weir_addr *addr,
		       struct weir_backend *backend)
{
	struct weir_backend_name name;

	if (index >= old->set->entries[MAP_BACKENDS])
		return false;
	old->reader->backend(old->set, index, &name, backend);
	return name.used && name.service == service && !memcmp(&name.addr, addr, sizeof(*addr));
}

uint16_t adopt_find_backend(const struct old_set *old, int service, uint32_t hint, const struct weir_addr *addr,
			    struct weir_backend *backend)
{
	if (!old->set || service < 0)
		return WEIR_BACKEND_NONE;
	if (is_backend(old, hint, service, addr, backend))
		return (uint16_t)hint;
	for (uint32_t i = 1; i < old->set->entries[MAP_BACKENDS]; i++)
		if (is_backend(old, i, service, addr, backend))
			return (uint16_t)i;
	return WEIR_BACKEND_NONE;
}

/* ---- where it is now ---- */

static void find_moved_services(const struct old_set *old, const struct set *set, struct moved *moved)
{
	const struct weir_service_name *name = set_service_names(set);
	union weir_service word;

	for (uint32_t i = 0; i < old->set->entries[MAP_SERVICES]; i++)
		moved->service[i] = UINT16_MAX;
	for (uint32_t i = 0; i < set->entries[MAP_SERVICES]; i++) {
		int from = name[i].name[0] ? adopt_find_service(old, i, name[i].name, &word) : -1;

		if (from >= 0)
			moved->service[from] = (uint16_t)i;
	}
}

/* By the new index of a service, the old one; -1 = it is new. */
static int old_service(const struct old_set *old, const struct moved *moved, uint16_t service)
{
	for (uint32_t i = 0; i < old->set->entries[MAP_SERVICES]; i++)
		if (moved->service[i] == service)
			return (int)i;
	return -1;
}

static void find_moved_backends(const struct old_set *old, const struct set *set, struct moved *moved)
{
	const struct weir_backend_name *name = set_backend_names(set);
	struct weir_backend backend;
	int service = -1;

	for (uint32_t i = 1; i < set->entries[MAP_BACKENDS]; i++) {
		uint16_t from;

		if (!name[i].used)
			continue;
		if (service < 0 ||
		    moved->service[service] != name[i].service) /* mostly the one of the backend before */
			service = old_service(old, moved, name[i].service);
		from = adopt_find_backend(old, service, i, &name[i].addr, &backend);
		if (from != WEIR_BACKEND_NONE)
			moved->backend[from] = (uint16_t)i;
	}
}

int adopt_find_moved(const struct old_set *old, const struct set *set, struct moved *moved)
{
	moved->service = calloc(old->set->entries[MAP_SERVICES], sizeof(*moved->service));
	moved->backend = calloc(old->set->entries[MAP_BACKENDS], sizeof(*moved->backend));
	if (!moved->service || !moved->backend) {
		adopt_free_moved(moved);
		return -ENOMEM;
	}
	find_moved_services(old, set, moved);
	find_moved_backends(old, set, moved);
	return 0;
}

void adopt_free_moved(struct moved *moved)
{
	free(moved->service);
	free(moved->backend);
	*moved = (struct moved){.service = NULL};
}

/* ---- counters ---- */

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

static int carry_services(const struct old_set *old, struct set *set, const struct moved *moved, unsigned int cpus)
{
	struct weir_service_name name;
	union weir_service word;

	for (uint32_t i = 0; i < old->set->entries[MAP_SERVICES]; i++) {
		if (moved->service[i] == UINT16_MAX)
			continue;
		old->reader->service(old->set, i, &name, &word);
		if (old_total(old, MAP_SERVICE_COUNTERS, i, cpus, &name.carried))
			return -EIO;
		set_service_names(set)[moved->service[i]].carried = name.carried;
	}
	return 0;
}

static int carry_backends(const struct old_set *old, struct set *set, const struct moved *moved, unsigned int cpus)
{
	struct weir_backend_name name;
	struct weir_backend backend;

	for (uint32_t i = 1; i < old->set->entries[MAP_BACKENDS]; i++) {
		if (moved->backend[i] == WEIR_BACKEND_NONE)
			continue;
		old->reader->backend(old->set, i, &name, &backend);
		if (old_total(old, MAP_BACKEND_COUNTERS, i, cpus, &name.carried))
			return -EIO;
		set_backend_names(set)[moved->backend[i]].carried = name.carried;
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
	if (percpu_flows(cpus, old->set->fd[MAP_FLOW_COUNTERS], &info.flows, &set_info(set)->flows))
		return -EIO;
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

int adopt_carry(const struct old_set *old, struct set *set, const struct moved *moved, unsigned int cpus)
{
	int err = carry_services(old, set, moved, cpus);

	if (!err)
		err = carry_backends(old, set, moved, cpus);
	if (!err)
		err = carry_info(old, set, cpus);
	return err;
}
