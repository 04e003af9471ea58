/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds, makes, mounts and locks the directory of the pins. In: its path, from the command line. Out: a descriptor of it
 * that holds the lock; whoever has a copy of that descriptor holds it too, and the kernel lets go of it with the last one.
 *
 * `ip netns exec` gives a process a /sys of its own, where /sys/fs/bpf is an empty directory of sysfs: then a bpffs is
 * mounted there. In a mount namespace of its own such a mount, and all pins with it, vanishes with the last process of
 * that namespace, which is said.
 */
#include "bpffs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "../lib/file.h"
#include "../lib/log.h"
#include "holder.h"

int bpffs_path(char *out, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(out, size, format, args);
	va_end(args);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static bool is_on(const char *path, long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (long)fs.f_type == magic;
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool empty = true;

	if (!dir)
		return false;
	while (empty && (entry = readdir(dir)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	closedir(dir);
	return empty;
}

static bool in_own_mount_namespace(void)
{
	struct stat own, first;

	return stat("/proc/self/ns/mnt", &own) == 0 && stat("/proc/1/ns/mnt", &first) == 0 &&
	       own.st_ino != first.st_ino;
}

static int mount_bpffs(const char *path, struct error *error)
{
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
		const char *why = errno == EPERM ? "it needs CAP_SYS_ADMIN, or do it beforehand" : strerror(errno);

		return error_set(error, ERROR_REFUSED,
				 "bpffs %s: not on a bpffs, and mounting one failed: %s: mount -t bpf bpf %s", path,
				 why, path);
	}
	log_info("bpffs %s: mounted", path);
	if (in_own_mount_namespace())
		log_warn(
			"bpffs %s: mounted in a mount namespace of its own (ip netns exec?): when its last process ends, the pins are "
			"gone and forwarding stops; mount a bpffs outside and name it with --bpffs",
			path);
	return 0;
}

/* The directory above; path has no slash at its end. */
static void parent_of(const char *path, char *parent, size_t size)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	snprintf(parent, size, "%.*s", (int)length, path);
	if (!slash)
		snprintf(parent, size, ".");
	else if (length == 0)
		snprintf(parent, size, "/");
}

static int make_directory(const char *path, struct error *error)
{
	char parent[BPFFS_PATH];
	int err = 0;

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	err = -errno;
	parent_of(path, parent, sizeof(parent));
	if (access(parent, F_OK)) {
		err = file_make_directory(path, 0700);
	} else if (is_on(parent, SYSFS_MAGIC)) { /* where nobody can make a directory */
		if (mount_bpffs(parent, error))
			return -1;
		err = mkdir(path, 0700) ? -errno : 0;
	}
	if (err)
		return error_set(error, ERROR_REFUSED, "bpffs %s: cannot make the directory: %s", path, strerror(-err));
	return 0;
}

static int prepare(const char *path, struct error *error)
{
	if (make_directory(path, error))
		return -1;
	if (is_on(path, BPF_FS_MAGIC))
		return 0;
	if (!is_empty(path))
		return error_set(error, ERROR_REFUSED,
				 "bpffs %s: neither on a bpffs nor an empty directory to mount one on: name another",
				 path);
	return mount_bpffs(path, error);
}

/* Without slashes at the end, so that its parent can be told. */
static int tidy(const char *path, char *out, struct error *error)
{
	size_t length;

	if (path[0] == 0 || bpffs_path(out, BPFFS_PATH, "%s", path))
		return error_set(error, ERROR_REFUSED, "bpffs %s: empty, or longer than %d bytes", path,
				 BPFFS_PATH - 1);
	for (length = strlen(out); length > 1 && out[length - 1] == '/'; length--)
		out[length - 1] = 0;
	return 0;
}

static int resolve(const char *path, char *absolute, struct error *error)
{
	char *real = realpath(path, NULL);
	int err = real ? bpffs_path(absolute, BPFFS_PATH, "%s", real) : -errno;

	free(real);
	if (err)
		return error_set(error, ERROR_REFUSED, "bpffs %s: %s", path, strerror(-err));
	return 0;
}

static bool same_directory(const char *path, int fd)
{
	struct stat by_path, by_fd;

	return stat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0 && by_path.st_dev == by_fd.st_dev &&
	       by_path.st_ino == by_fd.st_ino;
}

/* Opens and locks; -EAGAIN if the directory was removed meanwhile (an unload that held the lock), another -errno, or the descriptor. */
static int open_locked(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	else if (!same_directory(path, fd))
		err = -EAGAIN;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int refuse_lock(const char *path, int err, struct error *error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char who[64];

	if (err == -EBUSY)
		error_set(error, ERROR_REFUSED, "bpffs %s: in use by another weir-agent, %s", path,
			  holder_describe(fd < 0 ? 0 : holder_of_lock(fd), who, sizeof(who)));
	else
		error_set(error, ERROR_REFUSED, "bpffs %s: cannot be locked: %s", path, strerror(-err));
	if (fd >= 0)
		close(fd);
	return -1;
}

int bpffs_lock(const char *path, char *absolute, struct error *error)
{
	char clean[BPFFS_PATH];
	int fd = -EAGAIN;

	if (tidy(path, clean, error))
		return -1;
	for (int tries = 0; tries < 3 && (fd == -EAGAIN || fd == -ENOENT); tries++) {
		if (prepare(clean, error) || resolve(clean, absolute, error))
			return -1;
		fd = open_locked(absolute);
	}
	return fd < 0 ? refuse_lock(absolute, fd, error) : fd;
}

int bpffs_check_lock(const char *path, int lock, char *absolute, struct error *error)
{
	if (resolve(path, absolute, error))
		return -1;
	if (!same_directory(absolute, lock))
		return error_set(error, ERROR_REFUSED, "bpffs %s: the running weir-agent has another one", path);
	if (flock(lock, LOCK_EX | LOCK_NB)) /* no change where the descriptor does hold it */
		return refuse_lock(absolute, errno == EWOULDBLOCK ? -EBUSY : -errno, error);
	return 0;
}

int bpffs_lock_existing(const char *path, char *absolute, struct error *error)
{
	int fd;

	if (!is_on(path, BPF_FS_MAGIC))
		return -2;
	if (resolve(path, absolute, error))
		return -1;
	fd = open_locked(absolute);
	return fd < 0 ? refuse_lock(absolute, fd, error) : fd;
}

void bpffs_claim_lock(int lock)
{
	/* Each conversion is one step for the kernel, and a shared lock too keeps others from an exclusive one. */
	if (flock(lock, LOCK_SH | LOCK_NB) == 0)
		(void)flock(lock, LOCK_EX | LOCK_NB);
}
