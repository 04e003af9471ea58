/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration's text with all that it includes: one list of statements, each with the file that it stands in. */
#ifndef WEIR_SOURCE_H
#define WEIR_SOURCE_H

#include "../lib/buf.h"
#include "../lib/words.h"
#include "config.h"

enum { SOURCE_FILES_MAX = 256, SOURCE_DEPTH_MAX = 8 };

struct source_reader {
	void *arg;
	/* Calls found() for each file that the pattern names, in the order of their names; the path is as it shall be shown and read. 0 or -errno. */
	int (*list)(void *arg, const char *pattern, int (*found)(void *found_arg, const char *path), void *found_arg);
	/* Appends the file's bytes. 0 or -errno. */
	int (*read)(void *arg, const char *path, struct buf *text);
};

/* Real files, by glob(7). */
extern const struct source_reader source_files;

struct source_item {
	uint16_t file; /* index into config.file */
	const struct statement *statement;
};

struct source {
	struct source_item *item;
	size_t items;
	struct words *tree; /* one for each file; the items point into them */
	size_t trees;
};

/*
 * Scans the text named `file` and, in the place of each `include`, the files that it names; their paths are added to config->file.
 * Adds faults to errors; the list holds all that could be read. -1 when there were any.
 */
int source_read(struct source *source, struct config *config, const char *file, const char *text, size_t length,
		const struct source_reader *reader, struct errors *errors);
void source_free(struct source *source);

#endif
