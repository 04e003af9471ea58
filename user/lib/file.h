/* SPDX-License-Identifier: BSD-2-Clause */
/* Files: whole reads with a bound, writes that are complete or not there. */
#ifndef WEIR_FILE_H
#define WEIR_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "buf.h"

/* Appends the file's bytes to buf, at most limit. 0 or -errno (-EFBIG over the limit). */
int file_read(const char *path, struct buf *buf, size_t limit);
/* Writes to `path` + a temporary suffix (given, e.g. ".tmp"), fsyncs if `sync`, sets `mode`, renames. 0 or -errno; on failure the old file stays and no temporary is left. */
int file_replace(const char *path, const char *suffix, const void *data, size_t length, mode_t mode, int sync);
/* The same, fsynced, with the owner, group and mode that the file `like` has. */
int file_replace_like(const char *path, const char *suffix, const void *data, size_t length, const char *like);
/* Like mkdir -p. 0 or -errno. */
int file_make_directory(const char *path, mode_t mode);

#endif
