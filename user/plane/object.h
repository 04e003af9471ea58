/* SPDX-License-Identifier: BSD-2-Clause */
/* Pinned programs and links: what the kernel says of them. */
#ifndef WEIR_OBJECT_H
#define WEIR_OBJECT_H

#include <net/if.h>
#include <stdint.h>

struct object_link {
	uint32_t id, program_id;
	uint32_t ifindex; /* 0 = the interface is gone, or the link was detached */
};

/* Id of a program, by descriptor or by pin; 0 if there is none. */
uint32_t object_program_id(int program);
uint32_t object_pinned_program_id(const char *path);

/* 0 or -errno. */
int object_link_info(int link, struct object_link *info);
/* Opens a pinned link: descriptor or -errno (-EINVAL: it is no XDP link). */
int object_open_link(const char *path, struct object_link *info);
/* Calls visit for each pin in <bpffs>/links, with its path and the interface it was made for. */
void object_for_each_link(const char *bpffs, void (*visit)(void *arg, const char *path, const char *interface),
			  void *arg);
/* Path of the pin for an interface: 0 or -ENAMETOOLONG. */
int object_link_path(char *path, const char *bpffs, const char *interface);

#endif
