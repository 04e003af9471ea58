/* SPDX-License-Identifier: BSD-2-Clause */
/* The bpffs directory: there, on a bpffs, and locked by one agent at a time. */
#ifndef WEIR_BPFFS_H
#define WEIR_BPFFS_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/error.h"

enum { BPFFS_PATH = 512 };

/* snprintf that fails instead of cutting: 0 or -ENAMETOOLONG. */
int bpffs_path(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Makes the directory, and mounts a bpffs, where that is needed; takes the lock. `absolute` (BPFFS_PATH bytes) gets the
 * directory's full path. Returns the locked descriptor, or -1 with error filled (also when another process holds it).
 */
int bpffs_lock(const char *path, char *absolute, struct error *error);
/* The same for a lock that another agent has handed over. 0 or -1. */
int bpffs_check_lock(const char *path, int lock, char *absolute, struct error *error);
/* Locks the directory only if it is there: the descriptor, -1 with error filled, or -2 if there is no such directory on a bpffs. */
int bpffs_lock_existing(const char *path, char *absolute, struct error *error);
/* Makes this process the one that /proc/locks names, after it was handed the lock. */
void bpffs_claim_lock(int lock);

#endif
