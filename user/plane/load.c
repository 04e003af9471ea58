/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the embedded object file to a program and the maps it runs on: the pinned ones where they serve, else new ones.
 *
 * `prog` is the program that set_info.object_digest speaks of. A new program for the same maps lies beside it as
 * `prog-new` until the links have turned to it; a digest of 0 means that it is not known which of the two `prog` is.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir.skel.h>

#include "../../include/weir/hash.h"
#include "../lib/log.h"
#include "../lib/loop.h"
#include "load.h"
#include "move.h"
#include "object.h"
#include "plane.h"

/* Of the object file and of the sizes it is loaded with. */
static uint64_t make_digest(const struct set_sizes *sizes)
{
	uint64_t digest = WEIR_LAYOUT, word;
	size_t size;
	const char *elf = weir_bpf__elf_bytes(&size);

	for (size_t at = 0; at < size; at += sizeof(word)) {
		word = 0;
		memcpy(&word, elf + at, size - at < sizeof(word) ? size - at : sizeof(word));
		digest = weir_mix(digest ^ word);
	}
	for (enum set_map map = 0; map < SET_MAPS; map++)
		digest = weir_mix(digest ^ sizes->entries[map]);
	return digest ? digest : 1;
}

/* ---- the object, loaded ---- */

/* Maps of the set, if there is one, else new ones of these sizes. */
static int prepare_maps(struct bpf_object *object, const struct set *set, const struct set_sizes *sizes)
{
	for (enum set_map m = 0; m < SET_MAPS; m++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, set_map_name(m));
		int err = -ENOENT;

		if (map)
			err = set ? bpf_map__reuse_fd(map, set->fd[m])
				  : bpf_map__set_max_entries(map, sizes->entries[m]);
		if (err)
			return err;
	}
	return 0;
}

static int refuse_load(int err, struct error *error)
{
	if (err == -EPERM)
		return error_set(error, ERROR_REFUSED,
				 "the data path cannot be loaded: %s: it needs CAP_BPF and CAP_NET_ADMIN (or root), on "
				 "kernels before 5.11 also a larger RLIMIT_MEMLOCK (ulimit -l unlimited)",
				 strerror(-err));
	return error_set(error, ERROR_REFUSED, "the data path cannot be loaded: %s", strerror(-err));
}

/* Pins a new set. */
static int pin_set(struct bpf_object *object, int program, const char *path, struct error *error)
{
	int fd[SET_MAPS], err;

	for (enum set_map map = 0; map < SET_MAPS; map++)
		fd[map] = bpf_object__find_map_fd_by_name(object, set_map_name(map));
	err = set_pin(path, fd, program);
	if (err)
		return error_set(error, ERROR_REFUSED, "%s: cannot be pinned: %s", path, strerror(-err));
	return 0;
}

/*
 * Loads the program on the maps of `set`, or on new ones that are pinned at `new_path` together with it. Returns the
 * program's descriptor or -1.
 */
static int load_object(const struct set *set, const struct set_sizes *sizes, const char *new_path, struct error *error)
{
	size_t size;
	const void *elf = weir_bpf__elf_bytes(&size);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "weir");
	struct bpf_object *object = bpf_object__open_mem(elf, size, &opts);
	int err = object ? 0 : -errno, program = -1;

	if (!err)
		err = prepare_maps(object, set, sizes);
	if (!err)
		err = bpf_object__load(object); /* raises RLIMIT_MEMLOCK itself where the kernel goes by it */
	if (err) {
		refuse_load(err, error);
		goto out;
	}
	program = dup(bpf_program__fd(bpf_object__find_program_by_name(object, "weir")));
	if (program < 0) {
		refuse_load(-errno, error);
		goto out;
	}
	if (new_path && pin_set(object, program, new_path, error)) {
		close(program);
		program = -1;
	}
out:
	bpf_object__close(object);
	return program;
}

/* ---- pins of the program ---- */

int load_pin_path(const struct plane *plane, const char *name, char *path)
{
	return bpffs_path(path, BPFFS_PATH, "%s/%s", plane->set->path, name);
}

static void store_object_digest(struct plane *plane, uint64_t digest)
{
	__atomic_store_n(&set_info(plane->set)->object_digest, digest, __ATOMIC_RELEASE);
}

int load_settle_program(struct plane *plane, uint64_t digest)
{
	char path[BPFFS_PATH], new_path[BPFFS_PATH];
	int err = load_pin_path(plane, "prog", path);

	if (!err)
		err = load_pin_path(plane, "prog-new", new_path);
	if (err)
		return err;
	store_object_digest(plane, 0);
	if (rename(new_path, path))
		return -errno;
	store_object_digest(plane, digest);
	return 0;
}

/* An agent was killed while it replaced the program. */
static int mend_program(struct plane *plane, bool new_runs)
{
	char path[BPFFS_PATH];
	int err = load_pin_path(plane, "prog-new", path);

	if (err || object_pinned_program_id(path) == 0)
		return err;
	if (new_runs)
		return load_settle_program(plane, 0);
	return unlink(path) ? -errno : 0;
}

/* True if the pinned program is this build's. */
static bool adopt_program(struct plane *plane)
{
	char path[BPFFS_PATH];

	if (set_info(plane->set)->object_digest != plane->digest || load_pin_path(plane, "prog", path))
		return false;
	plane->program = bpf_obj_get(path);
	return plane->program >= 0;
}

static int replace_program(struct plane *plane, const struct set_sizes *sizes, struct error *error)
{
	char path[BPFFS_PATH];
	int err = load_pin_path(plane, "prog-new", path);

	plane->program = load_object(plane->set, sizes, NULL, error);
	if (plane->program < 0)
		return -1;
	plane->program_is_new = plane->program_beside = true;
	if (!err && bpf_obj_pin(plane->program, path))
		err = -errno;
	if (err)
		return error_set(error, ERROR_REFUSED, "%s: cannot be pinned: %s", path, strerror(-err));
	return 0;
}

/* ---- the two ways to a set ---- */

/* The set that the live one replaced, if an agent was killed before it was removed: what it counted is still wanted. */
static void open_predecessor(struct plane *plane)
{
	const struct set_found *found = plane->live;

	adopt_close(&plane->old);
	if (found > plane->list.found)
		(void)adopt_open(&plane->old, plane->path, found - 1);
}

static int keep_live(struct plane *plane, const struct set_sizes *sizes, struct error *error)
{
	int err;

	plane->set = set_open(plane->path, plane->live, true);
	if (!plane->set)
		return error_set(error, ERROR_REFUSED, "%s: the live set cannot be opened: %s", plane->path,
				 strerror(errno));
	open_predecessor(plane);
	err = mend_program(plane, plane->live->new_runs);
	if (err)
		return error_set(error, ERROR_REFUSED, "%s: prog-new: %s", plane->set->path, strerror(-err));
	if (adopt_program(plane)) {
		log_info("%s: program and maps kept", plane->set->path);
		return 0;
	}
	log_info("%s: maps kept, program loaded anew", plane->set->path);
	return replace_program(plane, sizes, error);
}

/* Two sets in a row are to go: what the older one holds moves into the live one first, so that they move on with it. */
static void carry_predecessor(struct plane *plane)
{
	struct old_set predecessor = {.set = NULL};
	struct set *live;

	if (plane->live == plane->list.found || plane->live->layout != WEIR_LAYOUT ||
	    adopt_open(&predecessor, plane->path, plane->live - 1))
		return;
	live = set_open(plane->path, plane->live, true);
	if (live && set_has_present_structs(live))
		move_end(move_begin(&predecessor, live), plane->cpus);
	set_close(live);
	adopt_close(&predecessor);
}

static int make_new(struct plane *plane, const struct set_sizes *sizes, struct error *error)
{
	struct set_found made = {.layout = WEIR_LAYOUT, .serial = 1};
	char path[BPFFS_PATH];

	if (plane->list.count)
		made.serial = plane->list.found[plane->list.count - 1].serial + 1;
	if (set_path(path, plane->path, made.layout, made.serial))
		return error_set(error, ERROR_REFUSED, "bpffs %s: the path is too long", plane->path);
	plane->program = load_object(NULL, sizes, path, error);
	if (plane->program < 0)
		return -1;
	plane->set_is_new = plane->program_is_new = true;
	plane->set = set_open(plane->path, &made, true);
	if (!plane->set) {
		int err = errno;

		(void)set_remove(path);
		return error_set(error, ERROR_REFUSED, "%s: %s", path, strerror(err));
	}
	store_object_digest(plane, plane->digest);
	if (plane->old.set) {
		carry_predecessor(plane);
		plane->old.reader->node(plane->old.set, set_node(plane->set));
		log_info("%s: made, to take over from %s", path, plane->old.set->path);
	} else {
		log_info("%s: made", path);
	}
	return 0;
}

/* Sets that no packet has seen: an agent was killed while it filled them. */
static void remove_unborn(const struct plane *plane)
{
	char path[BPFFS_PATH];

	for (size_t i = 0; i < plane->list.count; i++) {
		const struct set_found *found = &plane->list.found[i];

		if (plane->live && found <= plane->live)
			continue;
		if (!set_path(path, plane->path, found->layout, found->serial) && !set_remove(path))
			log_info("%s: left by an agent that did not come to use it: removed", path);
	}
}

static int make_flip_times(struct plane *plane)
{
	uint32_t backends = plane->set->entries[MAP_BACKENDS];
	uint64_t now_ns = loop_now_ns();

	plane->flipped_ns = calloc(backends, sizeof(*plane->flipped_ns));
	if (!plane->flipped_ns)
		return -ENOMEM;
	for (uint32_t i = 0; !plane->set_is_new && i < backends; i++)
		plane->flipped_ns[i] = now_ns; /* the agent before may have done it a moment ago */
	return 0;
}

void plane_renew(struct plane *plane)
{
	plane->renew = true;
}

int plane_load(struct plane *plane, const struct config_limits *limits, struct error *error)
{
	struct set_sizes sizes;
	const struct set *live = plane->old.set;
	bool keep;
	int err;

	set_sizes_of(&sizes, limits);
	plane->digest = make_digest(&sizes);
	keep = live && !plane->renew && live->layout == WEIR_LAYOUT && set_has_sizes(live, &sizes);
	remove_unborn(plane);
	if (keep ? keep_live(plane, &sizes, error) : make_new(plane, &sizes, error))
		return -1;
	plane->program_id = object_program_id(plane->program);
	err = make_flip_times(plane);
	if (!err)
		err = turns_load(&plane->turns, plane->set);
	if (!err)
		err = scan_load(&plane->scan, &plane->turns, plane->set);
	if (!err)
		err = vips_load(&plane->vips, plane->set, &plane->grace);
	if (err)
		return error_set(error, ERROR_REFUSED, "%s: %s", plane->set->path, strerror(-err));
	return 0;
}
