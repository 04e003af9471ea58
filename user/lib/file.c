/* SPDX-License-Identifier: BSD-2-Clause */
/* Files (file.h). In: paths and bytes from config, state and metrics. Out: the file system, whole or not at all. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, struct buf *buf, size_t limit)
{
	size_t total = 0;
	char chunk[16384];

	for (;;) {
		ssize_t got = read(fd, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		total += (size_t)got;
		if (total > limit)
			return -EFBIG;
		buf_add(buf, chunk, (size_t)got);
		if (buf->failed)
			return -ENOMEM;
	}
}

int file_read(const char *path, struct buf *buf, size_t limit)
{
	size_t before = buf->length;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = read_all(fd, buf, limit);
	close(fd);
	if (err && buf->data) {
		buf->length = before;
		buf->data[before] = 0;
	}
	return err;
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t put = write(fd, data, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		length -= (size_t)put;
	}
	return 0;
}

/* The directory that holds path, opened, so that its new entry can be made durable. */
static int open_parent(const char *path)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash)
		return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(parent, sizeof(parent), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What a new file gets; (uid_t)-1 and (gid_t)-1: as it was made. */
struct rights {
	uid_t user;
	gid_t group;
	mode_t mode;
};

static int write_new(const char *path, const void *data, size_t length, const struct rights *rights, int sync)
{
	int fd, err;

	/* What a killed writer left is not reused: its owner and mode may be anything. */
	if (unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, data, length);
	if (!err && (fchown(fd, rights->user, rights->group) || fchmod(fd, rights->mode)))
		err = -errno;
	if (!err && sync && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (err)
		unlink(path);
	return err;
}

static int replace(const char *path, const char *suffix, const void *data, size_t length, const struct rights *rights,
		   int sync)
{
	char temporary[PATH_MAX];
	int parent = -1, err;

	if (snprintf(temporary, sizeof(temporary), "%s%s", path, suffix) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	if (sync) {
		parent = open_parent(path);
		if (parent < 0)
			return -errno;
	}
	err = write_new(temporary, data, length, rights, sync);
	if (!err && rename(temporary, path)) {
		err = -errno;
		unlink(temporary);
	}
	if (parent >= 0) {
		if (!err)
			(void)fsync(parent); /* the new file is in place; some file systems refuse this */
		close(parent);
	}
	return err;
}

int file_replace(const char *path, const char *suffix, const void *data, size_t length, mode_t mode, int sync)
{
	const struct rights rights = {.user = (uid_t)-1, .group = (gid_t)-1, .mode = mode};

	return replace(path, suffix, data, length, &rights, sync);
}

int file_replace_like(const char *path, const char *suffix, const void *data, size_t length, const char *like)
{
	struct rights rights;
	struct stat file;

	if (stat(like, &file))
		return -errno;
	rights = (struct rights){.user = file.st_uid, .group = file.st_gid, .mode = file.st_mode & 07777};
	return replace(path, suffix, data, length, &rights, 1);
}

static int make_one(const char *path, mode_t mode)
{
	struct stat file;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &file))
		return -errno;
	return S_ISDIR(file.st_mode) ? 0 : -ENOTDIR;
}

int file_make_directory(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t length = strlen(path);

	if (length == 0)
		return -ENOENT;
	if (length >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, length + 1);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int err;

		*slash = 0;
		err = make_one(part, mode);
		if (err)
			return err;
		*slash = '/';
	}
	return make_one(part, mode);
}
