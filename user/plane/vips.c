/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only writer of `vips` and `listeners`. An element that is replaced or deleted goes back to the kernel's allocator,
 * which may hand it out at once while a packet still reads it; so before the next element is taken a grace period passes.
 * Inserts free nothing: filling the maps waits for nothing.
 */
#include "vips.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	memset(vips, 0, sizeof(*vips));
}

/* ---- the copy ---- */

static int remember(struct vips *vips, const struct addr *addr, uint16_t flags, const struct weir_listener *listener,
		    uint16_t listeners)
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
	vip->listeners = listeners;
	vip->flags = flags;
	return 0;
}

static void forget(struct vips *vips, struct vip *vip)
{
	free(vip->listener);
	*vip = vips->vip[--vips->count];
}

static int load_one(struct vips *vips, const struct addr *addr, struct weir_listener_table *table)
{
	struct weir_vip value;

	if (bpf_map_lookup_elem(vips->map, addr, &value))
		return -errno;
	if (value.listeners <= WEIR_LISTENERS_INLINE)
		return remember(vips, addr, value.flags, value.listener, value.listeners);
	if (bpf_map_lookup_elem(vips->tables, addr, table) || table->listeners > WEIR_LISTENERS_MAX)
		table->listeners = 0; /* never written so: what the model says will be */
	return remember(vips, addr, value.flags, table->listener, (uint16_t)table->listeners);
}

int vips_load(struct vips *vips, const struct set *set, struct grace *grace)
{
	struct weir_listener_table *table = malloc(sizeof(*table));
	struct addr addr, *previous = NULL;
	int err = table ? 0 : -ENOMEM;

	memset(vips, 0, sizeof(*vips));
	vips->grace = grace;
	vips->map = set->fd[MAP_VIPS];
	vips->tables = set->fd[MAP_LISTENERS];
	while (!err) {
		if (bpf_map_get_next_key(vips->map, previous, &addr)) {
			err = errno == ENOENT ? 0 : -errno;
			break;
		}
		err = load_one(vips, &addr, table);
		previous = &addr;
	}
	free(table);
	return err;
}

/* ---- the maps ---- */

static int put(struct vips *vips, int map, const struct addr *addr, const void *value)
{
	grace_wait(vips->grace, vips->freed_ns);
	if (bpf_map_update_elem(map, addr, value, BPF_NOEXIST) == 0)
		return 0;
	if (errno != EEXIST || bpf_map_update_elem(map, addr, value, BPF_EXIST))
		return -errno;
	vips->freed_ns = loop_now_ns();
	return 0;
}

static int take_out(struct vips *vips, int map, const struct addr *addr)
{
	if (bpf_map_delete_elem(map, addr) && errno != ENOENT)
		return -errno;
	vips->freed_ns = loop_now_ns();
	return 0;
}

static int put_table(struct vips *vips, const struct addr *addr, const struct weir_listener *listener,
		     uint16_t listeners)
{
	struct weir_listener_table *table = calloc(1, sizeof(*table));
	int err = table ? 0 : -ENOMEM;

	if (!err) {
		table->listeners = listeners;
		memcpy(table->listener, listener, listeners * sizeof(*listener));
		err = put(vips, vips->tables, addr, table);
	}
	free(table);
	return err;
}

static int put_vip(struct vips *vips, const struct addr *addr, uint16_t flags, const struct weir_listener *listener,
		   uint16_t listeners)
{
	struct weir_vip value = {.listeners = listeners, .flags = flags};

	if (listeners && listeners <= WEIR_LISTENERS_INLINE)
		memcpy(value.listener, listener, listeners * sizeof(*listener));
	return put(vips, vips->map, addr, &value);
}

/* A table goes when no packet can come to it any more. */
static int drop_table(struct vips *vips, const struct addr *addr)
{
	grace_wait(vips->grace, vips->freed_ns);
	return take_out(vips, vips->tables, addr);
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
	int err = take_out(vips, vips->map, &vip->addr);

	if (!err && has_table(vip))
		err = drop_table(vips, &vip->addr);
	if (!err)
		forget(vips, vip);
	return err;
}

static int write_vip(struct vips *vips, const struct vip *have, const struct addr *addr, uint16_t flags,
		     const struct weir_listener *listener, uint16_t listeners)
{
	bool table = listeners > WEIR_LISTENERS_INLINE;
	int err = 0;

	if (table && !has_listeners(have, listener, listeners)) /* there before the vip that sends packets to it */
		err = put_table(vips, addr, listener, listeners);
	if (!err && !(table && have && have->listeners == listeners && have->flags == flags))
		err = put_vip(vips, addr, flags, listener, listeners);
	if (!err && has_table(have) && !table)
		err = drop_table(vips, addr);
	return err;
}

int vips_set(struct vips *vips, const struct addr *addr, uint16_t flags, const struct weir_listener *listener,
	     uint16_t listeners)
{
	struct vip *have = vips_find(vips, addr);
	bool nothing = !listeners && !flags;
	int err;

	if (have ? has_listeners(have, listener, listeners) && have->flags == flags : nothing)
		return 0;
	if (nothing)
		return drop_vip(vips, have);
	err = write_vip(vips, have, addr, flags, listener, listeners);
	return err ? err : remember(vips, addr, flags, listener, listeners);
}
