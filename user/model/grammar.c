/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text -> struct config: source.c makes one list of statements out of the files, schema.c says what they mean, config_check.c what must hold between
 * objects. All faults are collected, then put into the order of their places.
 */
#include "grammar.h"

#include <stdlib.h>
#include <string.h>

#include "schema.h"
#include "source.h"

static void read_items(struct reading *r, const struct source *source, bool defaults, struct block_seen *seen)
{
	for (size_t i = 0; i < source->items; i++) {
		const struct source_item *item = &source->item[i];

		if (word_is(item->statement->word, "defaults") != defaults)
			continue;
		r->file_index = item->file;
		r->file = r->config->file[item->file];
		block_read_statement(r, item->statement, IN_FILE, seen);
	}
}

static size_t file_rank(const struct config *config, const struct error *error)
{
	for (size_t i = 0; i < config->files; i++)
		if (strncmp(config->file[i], error->file, sizeof(error->file) - 1) == 0)
			return i;
	return config->files;
}

static int compare_places(const void *left, const void *right, void *arg)
{
	const struct error *a = left, *b = right;
	const struct config *config = arg;
	size_t file_a = file_rank(config, a), file_b = file_rank(config, b);

	if (file_a != file_b)
		return file_a < file_b ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->col != b->col)
		return a->col < b->col ? -1 : 1;
	return strcmp(a->text, b->text);
}

int grammar_parse(struct config *config, const char *file, const char *text, size_t length,
		  const struct source_reader *reader, struct errors *errors)
{
	size_t before = errors->count + errors->more;
	struct block_seen seen = {0};
	struct source source;
	struct reading r;

	config_init(config);
	schema_begin(&r, config, errors);
	r.torn = source_read(&source, config, file, text, length, reader, errors) < 0;
	/* Defaults hold for all services, wherever they stand. */
	read_items(&r, &source, true, &seen);
	read_items(&r, &source, false, &seen);
	config_check(config, errors);
	source_free(&source);
	if (errors->count + errors->more == before)
		return 0;
	if (errors->count > before)
		qsort_r(errors->error + before, errors->count - before, sizeof(*errors->error), compare_places, config);
	config_free(config);
	return -1;
}

int grammar_load(struct config *config, const char *path, struct errors *errors)
{
	struct buf text = {0};
	int err = source_files.read(source_files.arg, path, &text);

	if (err < 0) {
		config_init(config);
		errors_add(errors, path, 0, 0, ERROR_REFUSED, "cannot be read: %s", strerror(-err));
	} else {
		err = grammar_parse(config, path, text.data ? text.data : "", text.length, &source_files, errors);
	}
	buf_free(&text);
	return err < 0 ? -1 : 0;
}
