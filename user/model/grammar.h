/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file's grammar: text -> struct config, with all errors at once. The words and where they may stand are the table in schema.c.
 * grammar_parse does no I/O of its own: files named by `include` come through the reader. grammar_load reads real files.
 */
#ifndef WEIR_GRAMMAR_H
#define WEIR_GRAMMAR_H

#include <stddef.h>

#include "../lib/error.h"
#include "config.h"
#include "source.h"

/*
 * 0 with config filled, or -1 with at least one error added, in the order of their places, and an empty config.
 * `file` names the text in messages and is where `include` starts from; reader may be NULL: then `include` is refused.
 */
int grammar_parse(struct config *config, const char *file, const char *text, size_t length,
		  const struct source_reader *reader, struct errors *errors);
/* The same for a file. */
int grammar_load(struct config *config, const char *path, struct errors *errors);

#endif
