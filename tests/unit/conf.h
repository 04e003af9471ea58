/* SPDX-License-Identifier: BSD-2-Clause */
/* Configs for tests: texts loaded from memory, random ones, and what must be equal. */
#ifndef WEIR_TESTS_CONF_H
#define WEIR_TESTS_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "../../user/lib/buf.h"
#include "../../user/model/config.h"
#include "../../user/model/grammar.h"

/* A file that exists only in memory; the list ends with path NULL. */
struct conf_file {
	const char *path, *text;
};

/* A reader for the list: patterns by fnmatch(3). */
struct source_reader conf_reader(const struct conf_file *files);

/* Loads a text named "c"; fails the test with its errors if it is not good. */
struct config conf_load(const char *text);
/* The same for the first of the files, which may include the others. */
struct config conf_load_files(const struct conf_file *files);
/* The errors of the text named "c", as printed; "" when it is good. Until the next call. */
const char *conf_errors(const char *text);
const char *conf_errors_files(const struct conf_file *files);

/* All that config_text writes is equal, marks not. */
bool conf_same(const struct config *a, const struct config *b);
/* Its text, until the next call. */
const char *conf_text(const struct config *config);

/* A valid config, another one for each seed. */
struct config conf_random(uint64_t seed);
uint64_t conf_rand(uint64_t *state);

#endif
