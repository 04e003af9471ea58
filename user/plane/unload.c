/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `--unload`: takes the data path off. In: the bpffs directory. Out: lines that say what was removed. Links go first, so that
 * no packet meets a set that is half gone; cut short, it can be done again.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpffs.h"
#include "object.h"
#include "plane.h"
#include "set.h"

struct unload {
	void (*said)(const char *line);
	struct error *error;
	size_t removed;
	bool failed;
};

static void __attribute__((format(printf, 2, 3))) say(struct unload *unload, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	unload->said(line);
	unload->removed++;
}

static void fail(struct unload *unload, const char *what, int err)
{
	error_set(unload->error, ERROR_REFUSED, "%s: cannot be removed: %s", what, strerror(err));
	unload->failed = true;
}

static void remove_link(void *arg, const char *path, const char *interface)
{
	struct unload *unload = arg;
	struct object_link link = {.ifindex = 0};
	int fd = object_open_link(path, &link);

	if (fd >= 0 && link.ifindex && bpf_link_detach(fd))
		fail(unload, path, errno);
	if (fd >= 0)
		close(fd);
	if (unlink(path))
		fail(unload, path, errno);
	else if (link.ifindex)
		say(unload, "interface %s: detached, program id %u", interface, link.program_id);
	else
		say(unload, "interface %s: its link removed (the interface was gone)", interface);
}

static void remove_sets(struct unload *unload, const char *bpffs)
{
	struct set_list list;
	char path[BPFFS_PATH];
	int err = set_list(bpffs, &list);

	if (err) {
		fail(unload, bpffs, -err);
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		err = set_path(path, bpffs, list.found[i].layout, list.found[i].serial);
		if (!err)
			err = set_remove(path);
		if (err)
			fail(unload, path, -err);
		else
			say(unload, "%s: maps and program unpinned", path);
	}
	set_list_free(&list);
}

/* Directories that are empty now. A bpffs is left mounted: others may use it. */
static void remove_directories(struct unload *unload, const char *bpffs)
{
	char path[BPFFS_PATH];

	if (!bpffs_path(path, sizeof(path), "%s/links", bpffs) && rmdir(path) && errno != ENOENT)
		fail(unload, path, errno);
	if (unload->failed)
		return;
	if (!rmdir(bpffs))
		say(unload, "%s: directory removed", bpffs);
	else if (errno == ENOTEMPTY)
		say(unload, "%s: holds what is not weir's: left", bpffs);
	else if (errno != EBUSY) /* a mount point: stays */
		fail(unload, bpffs, errno);
}

int plane_unload(const char *bpffs, void (*said)(const char *line), struct error *error)
{
	struct unload unload = {.said = said, .error = error};
	char path[BPFFS_PATH];
	int lock = bpffs_lock_existing(bpffs, path, error);

	if (lock == -1)
		return -1;
	if (lock >= 0) {
		object_for_each_link(path, remove_link, &unload);
		if (!unload.failed)
			remove_sets(&unload, path);
		remove_directories(&unload, path);
		close(lock);
	}
	if (!unload.removed && !unload.failed)
		say(&unload, "%s: nothing is loaded", bpffs);
	return unload.failed ? -1 : 0;
}
