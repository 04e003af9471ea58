/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of all commands: one table, from which parser and help come. */
#ifndef WEIR_CLI_OPTIONS_H
#define WEIR_CLI_OPTIONS_H

#include <stdint.h>

#include "../lib/error.h"
#include "screen.h"

enum {
	/* these every command has */
	OPTION_SOCKET = 1 << 0,
	OPTION_TIMEOUT = 1 << 1,
	OPTION_JSON = 1 << 2,
	OPTION_HELP = 1 << 3,
	OPTION_COMMON = (1 << 4) - 1,
	/* these only some */
	OPTION_WATCH = 1 << 4,
	OPTION_FOLLOW = 1 << 5,
	OPTION_FILE = 1 << 6,
	OPTION_FORCE = 1 << 7,
	OPTION_WAIT = 1 << 8,
	OPTION_NO_WAIT = 1 << 9,
	OPTION_GENERIC = 1 << 10,
	OPTION_LATER = 1 << 11, /* known, but not supported yet */
};

struct options {
	unsigned int given; /* OPTION_... */
	const char *socket;
	const char *file;
	uint32_t timeout_ms;
	uint32_t watch_ms;
	uint32_t wait_ms; /* 0 = without end */
};

void options_init(struct options *options);
/*
 * Takes the option at *argument (and the value behind it). `follow`: `-f` means --follow, else a file.
 * Returns how many elements of argv it took, or -1 with error filled.
 */
int options_take(struct options *options, char *const *argument, int follow, struct error *error);
/* Refuses options that are not in `allowed`, naming the command. 0 or -1 with error filled. */
int options_check(const struct options *options, unsigned int allowed, const char *command, struct error *error);
/* The lines of help for the options in `shown`. */
void options_help(const struct screen *screen, unsigned int shown);
/* The long names of the options in `shown` that begin with `prefix`, one a line, for completion. */
void options_list(const struct screen *screen, unsigned int shown, const char *prefix);

#endif
