/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command is: one row of the table in commands.c. Parser, help, usage errors and completion all come from these
 * rows. A call is one run of a command, made by main.c out of argv.
 */
#ifndef WEIR_CLI_COMMAND_H
#define WEIR_CLI_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "../lib/words.h"
#include "options.h"
#include "screen.h"

struct call;

struct command {
	const char *words;                   /* "backend add" */
	const char *arguments;               /* as help shows them; their names also tell completion what to offer */
	int least, most;                     /* words of its own; most < 0: any number, blocks too (the file's words) */
	unsigned int options;                /* OPTION_..., on top of those that every command has */
	int (*run)(const struct call *call); /* returns the exit code; NULL: not supported yet */
	void (*render)(const struct screen *screen,
		       const json_t *document); /* for request_run: one data line, for people */
	const char *summary;
	const char *details; /* may be NULL */
};

struct commands {
	const struct command *command;
	size_t count;
};

struct call {
	const struct commands *commands;
	const struct command *command;
	struct options options;
	const struct statement *line; /* all words as they were given, those of the command first */
	struct word *word;            /* the command's own words in the first statement */
	size_t words;
};

/*
 * How many of the row's words are the first of `word`: all of the row's, or 0. In second place the singular of a plural
 * is the same word.
 */
size_t command_match(const struct command *command, const struct word *word, size_t words);
/* The row with the longest match; NULL if there is none. */
const struct command *command_find(const struct commands *commands, const struct word *word, size_t words,
				   size_t *matched);
/* Whether rows go on where this one ends: `show` -> `show services`. */
bool command_has_more(const struct commands *commands, const struct command *command);
/* The n-th word of the row (from 0), copied; empty when it has no such word. Returns `text`. */
enum { COMMAND_WORD = 32 };
const char *command_word(const struct command *command, size_t n, char text[COMMAND_WORD]);

#endif
