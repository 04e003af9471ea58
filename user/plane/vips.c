/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only writer of `vip_buckets`, `vips` and `listeners`. Packets follow a chain while it is changed: an element is filled
 * before the index is stored that leads to it, and one that has been taken out keeps its own `next`, for packets that are
 * just there. It, and a freed element of `listeners`, which the kernel may hand out at once, is filled anew only after a
 * grace period. Filling empty maps waits for nothing.
 */
#include "vips.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/weir/hash.h"
#include "../lib/loop.h"

struct vip *vips_find(const struct vips *vips, const struct addr *addr)
{
	for (size_t i = 0; i < vips->count; i++)
		if (!addr_compare(&vips->vip[i].addr, addr))
			return &vips->vip[i];
	return NULL;
}

void vips_free(struct vips *vips)
{
	for (size_t i = 0; i < vips->count; i++)
		free(vips->vip[i].listener);
	free(vips->vip);
	free(vips->used);
	memset(vips, 0, sizeof(*vips));
}

/* ---- the copy ---- */

static int remember(struct vips *vips, const struct addr *addr, uint32_t index, uint16_t flags,
		    const struct weir_listener *listener, uint16_t listeners)
{
	struct vip *vip = vips_find(vips, addr);
	struct weir_listener *copy = malloc((listeners + 1u) * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	if (!vip) {
		struct vip *grown = realloc(vips->vip, (vips->count + 1) * sizeof(*grown));

		if (!grown) {
			free(copy);
			return -ENOMEM;
		}
		vips->vip = grown;
		vip = &grown[vips->count++];
		*vip = (struct vip){.addr = *addr};
	}
	if (listeners)
		memcpy(copy, listener, listeners * sizeof(*copy));
	free(vip->listener);
	vip->listener = copy;
	vip->index = index;
	vip->listeners = listeners;
	vip->flags = flags;
	return 0;
}

static void forget(struct vips *vips, struct vip *vip)
{
	free(vip->listener);
	*vip = vips->vip[--vips->count];
}

static int load_one(struct vips *vips, uint32_t index, struct weir_listener_table *table)
{
	const struct weir_vip *value = &vips->element[index];
	struct addr addr;

	memcpy(&addr, &value->addr, sizeof(addr));
	vips->used[index] = true;
	if (value->listeners <= WEIR_LISTENERS_INLINE)
		return remember(vips, &addr, index, value->flags, value->listener, value->listeners);
	if (bpf_map_lookup_elem(vips->tables, &addr, table) || table->listeners > WEIR_LISTENERS_MAX)
		table->listeners = 0; /* never written so: what the model says will be */
	return remember(vips, &addr, index, value->flags, table->listener, (uint16_t)table->listeners);
}

/* A chain that leads out of the map, or to an element for the second time, was never written so: it is cut there. */
static int load_chain(struct vips *vips, uint32_t *link, struct weir_listener_table *table)
{
	int err = 0;

	while (!err && *link != WEIR_VIP_NONE) {
		if (*link >= vips->elements || vips->used[*link]) {
			__atomic_store_n(link, WEIR_VIP_NONE, __ATOMIC_RELEASE);
			break;
		}
		err = load_one(vips, *link, table);
		link = &vips->element[*link].next;
	}
	return err;
}

int vips_load(struct vips *vips, const struct set *set, struct grace *grace)
{
	struct weir_listener_table *table = malloc(sizeof(*table));
	int err = 0;

	memset(vips, 0, sizeof(*vips));
	vips->grace = grace;
	vips->bucket = set_vip_buckets(set);
	vips->element = set_vips(set);
	vips->elements = set->entries[MAP_VIPS];
	vips->tables = set->fd[MAP_LISTENERS];
	vips->used = calloc(vips->elements, sizeof(*vips->used));
	if (!table || !vips->used)
		err = -ENOMEM;
	for (uint32_t i = 0; !err && i < WEIR_VIP_BUCKETS; i++)
		err = load_chain(vips, &vips->bucket[i].first, table);
	if (vips->count)
		vips->freed_ns = loop_now_ns(); /* the agent before may have taken one out a moment ago */
	free(table);
	return err;
}

/* ---- the maps ---- */

static uint32_t free_element(const struct vips *vips)
{
	uint32_t index = 1;

	while (index < vips->elements && vips->used[index])
		index++;
	return index < vips->elements ? index : WEIR_VIP_NONE;
}

/* What leads to the element in its address's chain; for WEIR_VIP_NONE the end of the chain. NULL if that is longer than packets follow it. */
static uint32_t *find_link(const struct vips *vips, const struct addr *addr, uint32_t index)
{
	struct weir_addr words;
	uint32_t *link;

	memcpy(&words, addr, sizeof(words));
	link = &vips->bucket[weir_addr_bucket(&words)].first;
	for (int i = 0; i < WEIR_VIP_CHAIN_MAX; i++) {
		if (*link == index)
			return link;
		link = &vips->element[*link].next;
	}
	return NULL;
}

static void free_later(struct vips *vips, uint32_t index)
{
	vips->used[index] = false;
	vips->freed_ns = loop_now_ns();
}

/* Puts the value in the place of what is `have` now (NULL: at the end of its chain). */
static int put_vip(struct vips *vips, struct vip *have, const struct addr *addr, const struct weir_vip *value,
		   uint32_t *index)
{
	uint32_t *link = find_link(vips, addr, have ? have->index : WEIR_VIP_NONE);

	grace_wait(vips->grace, vips->freed_ns);
	*index = free_element(vips);
	if (*index == WEIR_VIP_NONE || !link)
		return -ENOSPC;
	vips->element[*index] = *value;
	memcpy(&vips->element[*index].addr, addr, sizeof(*addr));
	vips->element[*index].next = have ? vips->element[have->index].next : WEIR_VIP_NONE;
	vips->used[*index] = true;
	__atomic_store_n(link, *index, __ATOMIC_RELEASE);
	if (have) {
		free_later(vips, have->index);
		have->index = *index;
	}
	return 0;
}

static void take_out_vip(struct vips *vips, struct vip *have)
{
	uint32_t *link = find_link(vips, &have->addr, have->index);

	if (have->index == WEIR_VIP_NONE || !link)
		return; /* it is out already, but its table could not be dropped */
	__atomic_store_n(link, vips->element[have->index].next, __ATOMIC_RELEASE);
	free_later(vips, have->index);
	have->index = WEIR_VIP_NONE;
}

static int put_table(struct vips *vips, const struct addr *addr, const struct weir_listener *listener,
		     uint16_t listeners)
{
	struct weir_listener_table *table = calloc(1, sizeof(*table));
	int err = 0;

	if (!table)
		return -ENOMEM;
	table->listeners = listeners;
	memcpy(table->listener, listener, listeners * sizeof(*listener));
	grace_wait(vips->grace, vips->freed_ns);
	if (bpf_map_update_elem(vips->tables, addr, table, BPF_NOEXIST)) {
		if (errno != EEXIST || bpf_map_update_elem(vips->tables, addr, table, BPF_EXIST))
			err = -errno;
		else
			vips->freed_ns = loop_now_ns();
	}
	free(table);
	return err;
}

/* A table goes when no packet can come to it any more. */
static int drop_table(struct vips *vips, const struct addr *addr)
{
	grace_wait(vips->grace, vips->freed_ns);
	if (bpf_map_delete_elem(vips->tables, addr) && errno != ENOENT)
		return -errno;
	vips->freed_ns = loop_now_ns();
	return 0;
}

static bool has_table(const struct vip *vip)
{
	return vip && vip->listeners > WEIR_LISTENERS_INLINE;
}

static bool has_listeners(const struct vip *vip, const struct weir_listener *listener, uint16_t listeners)
{
	return vip && vip->listeners == listeners &&
	       (!listeners || !memcmp(vip->listener, listener, listeners * sizeof(*listener)));
}

static int drop_vip(struct vips *vips, struct vip *vip)
{
	int err = 0;

	take_out_vip(vips, vip);
	if (has_table(vip))
		err = drop_table(vips, &vip->addr);
	if (!err)
		forget(vips, vip);
	return err;
}

/* The elements that say so, whole at each moment; *index: of the one in `vips`. */
static int write_vip(struct vips *vips, struct vip *have, const struct addr *addr, const struct weir_vip *value,
		     const struct weir_listener *listener, uint32_t *index)
{
	bool table = value->listeners > WEIR_LISTENERS_INLINE;
	int err = 0;

	if (table &&
	    !has_listeners(have, listener, value->listeners)) /* there before the VIP that sends packets to it */
		err = put_table(vips, addr, listener, value->listeners);
	if (have && table && have->listeners == value->listeners && have->flags == value->flags)
		*index = have->index;
	else if (!err)
		err = put_vip(vips, have, addr, value, index);
	if (!err && has_table(have) && !table)
		err = drop_table(vips, addr);
	return err;
}

int vips_set(struct vips *vips, const struct addr *addr, uint16_t flags, const struct weir_listener *listener,
	     uint16_t listeners)
{
	struct weir_vip value = {.listeners = listeners, .flags = flags};
	struct vip *have = vips_find(vips, addr);
	bool nothing = !listeners && !flags;
	uint32_t index;
	int err;

	if (have ? has_listeners(have, listener, listeners) && have->flags == flags : nothing)
		return 0;
	if (nothing)
		return drop_vip(vips, have);
	if (listeners && listeners <= WEIR_LISTENERS_INLINE)
		memcpy(value.listener, listener, listeners * sizeof(*listener));
	err = write_vip(vips, have, addr, &value, listener, &index);
	return err ? err : remember(vips, addr, index, flags, listener, listeners);
}
