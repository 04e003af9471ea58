/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the kernel about pinned programs and links. No descriptor is made from an id: that would need CAP_SYS_ADMIN. */
#include "object.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpffs.h"

uint32_t object_program_id(int program)
{
	struct bpf_prog_info info = {.id = 0};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(program, &info, &length) ? 0 : info.id;
}

uint32_t object_pinned_program_id(const char *path)
{
	int fd = bpf_obj_get(path);
	uint32_t id;

	if (fd < 0)
		return 0;
	id = object_program_id(fd);
	close(fd);
	return id;
}

int object_link_info(int link, struct object_link *out)
{
	struct bpf_link_info info = {.id = 0};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(link, &info, &length))
		return -errno;
	if (info.type != BPF_LINK_TYPE_XDP)
		return -EINVAL;
	out->id = info.id;
	out->program_id = info.prog_id;
	out->ifindex = info.xdp.ifindex;
	return 0;
}

int object_open_link(const char *path, struct object_link *info)
{
	int fd = bpf_obj_get(path), err;

	if (fd < 0)
		return -errno;
	err = object_link_info(fd, info);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* bpffs refuses names with a dot; an interface's name has no colon. */
static void translate(char *name, char from, char to)
{
	for (; *name; name++)
		if (*name == from)
			*name = to;
}

int object_link_path(char *path, const char *bpffs, const char *interface)
{
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "%s", interface);
	translate(name, '.', ':');
	return bpffs_path(path, BPFFS_PATH, "%s/links/%s", bpffs, name);
}

static int other_than_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void object_for_each_link(const char *bpffs, void (*visit)(void *arg, const char *path, const char *interface),
			  void *arg)
{
	char path[BPFFS_PATH];
	struct dirent **entry;
	int count;

	if (bpffs_path(path, sizeof(path), "%s/links", bpffs))
		return;
	count = scandir(path, &entry, other_than_dots,
			alphasort); /* read to its end first: visit may unlink and rename */
	if (count < 0)
		return;
	for (int i = 0; i < count; i++) {
		if (!bpffs_path(path, sizeof(path), "%s/links/%s", bpffs, entry[i]->d_name)) {
			translate(entry[i]->d_name, ':', '.');
			visit(arg, path, entry[i]->d_name);
		}
		free(entry[i]);
	}
	free(entry);
}
