/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a plane: opened on a bpffs directory, closed again. What happens in between is in load.c, sync.c, attach.c. */
#include "plane.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/log.h"
#include "link.h"
#include "load.h"
#include "object.h"
#include "ports.h"
#include "state.h"

/* libbpf's warnings (a verifier's log is one) into ours, line by line. */
static int __attribute__((format(printf, 2, 0)))
print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text = NULL, *rest, *line;

	if (level != LIBBPF_WARN || vasprintf(&text, format, args) < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_warn("%s", line);
	free(text);
	return 0;
}

/* The set that packets run on: where a replacement was cut short, the later one, which was complete before it began. */
static const struct set_found *find_live(const struct set_list *list)
{
	for (size_t i = list->count; i-- > 0;)
		if (list->found[i].in_force)
			return &list->found[i];
	return NULL;
}

/* A link that no interface of this network namespace has; those of an interface that is gone do not count. */
static void find_elsewhere(void *arg, const char *path, const char *interface)
{
	char *elsewhere = arg;
	struct object_link link;
	enum xdp_mode mode;
	int fd = object_open_link(path, &link);

	if (fd < 0)
		return;
	close(fd);
	if (link.ifindex && !link_is_here(link.ifindex, link.program_id, &mode))
		snprintf(elsewhere, IFNAMSIZ, "%s", interface);
}

/* One bpffs directory serves one network namespace: elsewhere the ways would be wrong that are written to its maps. */
static int check_network(const struct plane *plane, struct error *error)
{
	char elsewhere[IFNAMSIZ] = "";

	object_for_each_link(plane->path, find_elsewhere, elsewhere);
	if (!elsewhere[0])
		return 0;
	return error_set(
		error, ERROR_REFUSED,
		"bpffs %s: its interface %s is in another network namespace: start weir-agent there, or name another bpffs",
		plane->path, elsewhere);
}

static int find_sets(struct plane *plane, struct error *error)
{
	int err = set_list(plane->path, &plane->list);

	if (err)
		return error_set(error, ERROR_REFUSED, "bpffs %s: cannot be read: %s", plane->path, strerror(-err));
	plane->live = find_live(&plane->list);
	if (!plane->live)
		return 0;
	if (plane->live->layout > WEIR_LAYOUT)
		return error_set(error, ERROR_REFUSED,
				 "bpffs %s: the data path that is running has map layout %u, this weir-agent knows "
				 "layouts up to %d: start the version that made it, or take it off with "
				 "--unload first (that cuts the traffic)",
				 plane->path, plane->live->layout, WEIR_LAYOUT);
	err = adopt_open(&plane->old, plane->path, plane->live);
	if (err)
		log_warn(
			"%s/set-%u-%u: cannot be read (%s): tables and counters begin anew, traffic turns to them at once",
			plane->path, plane->live->layout, plane->live->serial,
			err == -EPROTO ? "its maps are not as its layout says" : strerror(-err));
	return 0;
}

static int take_lock(struct plane *plane, const char *bpffs, struct error *error)
{
	if (plane->handed_over)
		return bpffs_check_lock(bpffs, plane->lock, plane->path, error);
	plane->lock = bpffs_lock(bpffs, plane->path, error);
	return plane->lock < 0 ? -1 : 0;
}

struct plane *plane_open(const char *bpffs, int lock_fd, struct error *error)
{
	struct plane *plane = calloc(1, sizeof(*plane));
	int cpus = libbpf_num_possible_cpus();

	if (!plane || cpus < 1) {
		error_set(error, ERROR_REFUSED, "bpffs %s: %s", bpffs,
			  plane ? "the number of CPUs cannot be told" : strerror(ENOMEM));
		goto fail;
	}
	libbpf_set_print(print_libbpf);
	plane->cpus = (unsigned int)cpus;
	plane->program = -1;
	plane->lock = lock_fd;
	plane->handed_over = lock_fd >= 0;
	for (size_t i = 0; i < WEIR_PORTS_MAX; i++)
		plane->port[i].link = -1;
	if (take_lock(plane, bpffs, error) || check_network(plane, error) || find_sets(plane, error)) {
		plane_close(plane);
		return NULL;
	}
	return plane;
fail:
	if (lock_fd >= 0)
		close(lock_fd);
	free(plane);
	return NULL;
}

/* What was made and has not come into force goes; where nothing else is there, the directories too. */
static void discard(const struct plane *plane)
{
	char path[BPFFS_PATH];

	if (plane->set && plane->set_is_new)
		(void)set_remove(plane->set->path);
	else if (plane->program_beside && !load_pin_path(plane, "prog-new", path))
		(void)unlink(path);
	if (plane->live || plane->handed_over)
		return;
	if (!bpffs_path(path, sizeof(path), "%s/links", plane->path))
		(void)rmdir(path);
	(void)rmdir(plane->path);
}

void plane_close(struct plane *plane)
{
	if (!plane)
		return;
	if (plane->lock >= 0 && !plane->in_force)
		discard(plane);
	ports_close(plane);
	if (plane->program >= 0)
		close(plane->program);
	vips_free(&plane->vips);
	scan_free(&plane->scan);
	turns_free(&plane->turns);
	adopt_close(&plane->old);
	set_close(plane->set);
	set_list_free(&plane->list);
	free(plane->flipped_ns);
	if (plane->lock >= 0)
		close(plane->lock);
	free(plane);
}

int plane_lock_fd(const struct plane *plane)
{
	return plane->lock;
}
