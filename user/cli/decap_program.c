/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on interfaces. Input: an interface. Output: what runs there, or what stands in the way of attaching, in words.
 * Attached by netlink and not by a link: a link lives only as long as its descriptor or its pin does.
 */
#include "decap_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAPS_MAX = 4 };

/* Opens the map if its name is `name` and it is not open yet. */
static void take_map(int map, const char *name, int *out)
{
	struct bpf_map_info info = {.id = 0};
	__u32 length = sizeof(info);

	if (*out < 0 && bpf_obj_get_info_by_fd(map, &info, &length) == 0 && strcmp(info.name, name) == 0)
		*out = dup(map);
}

static void read_program(struct decap_program *found)
{
	__u32 maps[MAPS_MAX], length;
	struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (uint64_t)(uintptr_t)maps};

	length = sizeof(info);
	if (bpf_obj_get_info_by_fd(found->program, &info, &length) != 0)
		return;
	snprintf(found->name, sizeof(found->name), "%s", info.name);
	for (size_t i = 0; i < sizeof(info.tag); i++)
		snprintf(found->tag + 2 * i, 3, "%02x", info.tag[i]);
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++) {
		int map = bpf_map_get_fd_by_id(maps[i]);

		take_map(map, "decap_addrs", &found->addrs);
		take_map(map, "decap_counters", &found->counters);
		if (map >= 0)
			close(map);
	}
	found->ours = strcmp(found->name, "decap") == 0 && found->addrs >= 0 && found->counters >= 0;
}

int decap_program_find(const char *interface, uint32_t ifindex, struct decap_program *found, struct error *error)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, state);
	int err = bpf_xdp_query((int)ifindex, 0, &state);

	*found = (struct decap_program){.program = -1, .addrs = -1, .counters = -1};
	if (err)
		return error_set(error, ERROR_REFUSED, "interface %s: cannot be asked for its XDP program: %s",
				 interface, strerror(-err));
	found->generic = state.drv_prog_id == 0 && state.skb_prog_id != 0;
	found->id = state.drv_prog_id ? state.drv_prog_id : state.skb_prog_id ? state.skb_prog_id : state.hw_prog_id;
	if (!found->id)
		return 0;
	found->program = bpf_prog_get_fd_by_id(found->id);
	if (found->program < 0 && errno == EPERM)
		return error_set(error, ERROR_REFUSED,
				 "interface %s: runs XDP program %u; root is needed to know which", interface,
				 found->id);
	if (found->program >= 0)
		read_program(found);
	return 0;
}

void decap_program_close(struct decap_program *found)
{
	if (found->program >= 0)
		close(found->program);
	if (found->addrs >= 0)
		close(found->addrs);
	if (found->counters >= 0)
		close(found->counters);
	found->program = found->addrs = found->counters = -1;
}

bool decap_program_is(const struct decap_program *found, int program)
{
	struct decap_program other = {.program = program, .addrs = -1, .counters = -1};
	bool same;

	read_program(&other);
	same = strcmp(found->tag, other.tag) == 0;
	other.program = -1; /* the caller's */
	decap_program_close(&other);
	return same;
}

/* ---- attaching ---- */

static int refuse_foreign(const char *interface, uint32_t ifindex, struct error *error)
{
	struct decap_program other;

	if (decap_program_find(interface, ifindex, &other, NULL) == 0 && other.id)
		error_set(
			error, ERROR_REFUSED,
			"interface %s: runs another XDP program already, \"%s\", id %u: it is not replaced; take it off first",
			interface, other.name, other.id);
	else
		error_set(error, ERROR_REFUSED,
			  "interface %s: refused by the kernel: a device above or below it runs an XDP program",
			  interface);
	decap_program_close(&other);
	return -1;
}

static int refuse(const char *interface, uint32_t ifindex, bool generic, int err, struct error *error)
{
	const char *mode = generic ? "generic" : "native";

	switch (err) {
	case EBUSY:
	case EEXIST:
		return refuse_foreign(interface, ifindex, error);
	case EPERM:
		return error_set(error, ERROR_REFUSED, "interface %s: %s: root is needed (CAP_NET_ADMIN)", interface,
				 strerror(err));
	case EOPNOTSUPP:
		return error_set(error, ERROR_REFUSED, "interface %s: its driver has no XDP%s", interface,
				 generic ? "" : ": --generic works with every driver, slower");
	case ERANGE:
	case EINVAL:
		return error_set(
			error, ERROR_REFUSED,
			"interface %s: xdp %s: %s: its MTU may be more than the driver carries with XDP: lower it%s",
			interface, mode, strerror(err), generic ? "" : ", or use --generic");
	default:
		return error_set(error, ERROR_REFUSED, "interface %s: xdp %s: %s", interface, mode, strerror(err));
	}
}

static uint32_t mode_flag(bool generic)
{
	return generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

int decap_program_attach(const char *interface, uint32_t ifindex, int program, bool generic,
			 const struct decap_program *found, struct error *error)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = found->program);
	uint32_t flags = mode_flag(generic) | XDP_FLAGS_UPDATE_IF_NOEXIST;
	int err;

	if (found->ours)
		flags = mode_flag(found->generic) | XDP_FLAGS_REPLACE;
	err = bpf_xdp_attach((int)ifindex, program, flags, found->ours ? &options : NULL);
	return err ? refuse(interface, ifindex, generic, -err, error) : 0;
}

int decap_program_detach(const char *interface, uint32_t ifindex, const struct decap_program *found,
			 struct error *error)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = found->program);
	int err = bpf_xdp_detach((int)ifindex, mode_flag(found->generic) | XDP_FLAGS_REPLACE, &options);

	return err ? error_set(error, ERROR_REFUSED, "interface %s: cannot be detached from: %s", interface,
			       strerror(-err))
		   : 0;
}
