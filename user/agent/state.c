/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state directory. In: overlays from changes.c and reload.c. Out: <state-dir>/runtime.conf, read again when the
 * next agent starts.
 */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/file.h"
#include "../plane/holder.h"

enum { RUNTIME_BYTES_MAX = 8 << 20 };

static const char *path_of(const struct agent *agent, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", agent->options.state_dir, name);
	return path;
}

static int take_lock(struct agent *agent, struct error *error)
{
	char path[PATH_MAX], who[64];
	int fd = open(path_of(agent, "lock", path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd < 0)
		return error_set(error, ERROR_REFUSED, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			error_set(
				error, ERROR_REFUSED,
				"%s: in use by another weir-agent, %s: each needs a state directory of its own (--state-dir)",
				agent->options.state_dir, holder_describe(holder_of_lock(fd), who, sizeof(who)));
		else
			error_set(error, ERROR_REFUSED, "%s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	agent->state_lock = fd;
	return 0;
}

static bool is_lock_of(const struct agent *agent, int fd)
{
	struct stat by_path, by_fd;
	char path[PATH_MAX];

	return stat(path_of(agent, "lock", path), &by_path) == 0 && fstat(fd, &by_fd) == 0 &&
	       by_path.st_dev == by_fd.st_dev && by_path.st_ino == by_fd.st_ino;
}

int state_open(struct agent *agent, int lock_fd, struct error *error)
{
	int err = file_make_directory(agent->options.state_dir, 0750);

	if (err)
		return error_set(error, ERROR_REFUSED, "%s: cannot be made: %s", agent->options.state_dir,
				 strerror(-err));
	if (lock_fd >= 0 && is_lock_of(agent, lock_fd)) {
		agent->state_lock = lock_fd;
		return 0;
	}
	if (lock_fd >= 0) /* of another --state-dir, which the old agent keeps to its end */
		close(lock_fd);
	return take_lock(agent, error);
}

void state_close(struct agent *agent)
{
	if (agent->state_lock >= 0)
		close(agent->state_lock);
	agent->state_lock = -1;
}

int state_load(const struct agent *agent, struct overlay *overlay, struct error *error)
{
	struct errors errors = {0};
	struct error first = {0};
	struct buf text = {0};
	char path[PATH_MAX];
	int err = file_read(path_of(agent, "runtime.conf", path), &text, RUNTIME_BYTES_MAX);

	memset(overlay, 0, sizeof(*overlay));
	if (err == -ENOENT) {
		err = 0;
	} else if (err) {
		error_set(error, ERROR_REFUSED, "%s: changes made by command cannot be read: %s", path, strerror(-err));
	} else if (overlay_parse(overlay, path, text.data ? text.data : "", text.length, &errors) != 0) {
		errors_first(&errors, &first);
		err = error_set(
			error, ERROR_REFUSED,
			"%s:%d:%d: %s: the changes made by command are kept here: mend it, or remove it to go by the file alone",
			path, first.line, first.col, first.text);
	}
	errors_free(&errors);
	buf_free(&text);
	return err ? -1 : 0;
}

int state_save(const struct agent *agent, const struct overlay *overlay, struct error *error)
{
	struct buf text = {.limit = RUNTIME_BYTES_MAX};
	char path[PATH_MAX];
	int err;

	overlay_text(overlay, &text);
	err = text.failed ? -ENOMEM
			  : file_replace(path_of(agent, "runtime.conf", path), ".tmp", text.data ? text.data : "",
					 text.length, 0640, 1);
	buf_free(&text);
	if (err)
		return error_set(error, ERROR_REFUSED,
				 "%s: cannot be written, and a change that the next start would forget is not made: %s",
				 path, strerror(-err));
	return 0;
}
