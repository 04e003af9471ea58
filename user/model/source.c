/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and what they include -> one list of statements. A file is read once only, so a circle of includes ends at its first repetition. */
#include "source.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/file.h"

struct source_reading {
	struct source *source;
	struct config *config;
	const struct source_reader *reader;
	struct errors *errors;
	const char *file; /* where the include stands that is being followed */
	const struct word *include;
	unsigned int depth;
};

#define FAULT(s, ...) \
	errors_add((s)->errors, (s)->file, (s)->include->line, (s)->include->col, ERROR_REFUSED, __VA_ARGS__)

static int read_text(struct source_reading *s, const char *path, const char *text, size_t length);

static bool is_known(const struct config *config, const char *path)
{
	for (size_t i = 0; i < config->files; i++)
		if (strcmp(config->file[i], path) == 0)
			return true;
	return false;
}

/* Names are shown as they are, so what would play tricks with a terminal is not read. */
static bool is_path(const char *path)
{
	for (; *path; path++)
		if ((unsigned char)*path < 0x20 || *path == 0x7f)
			return false;
	return true;
}

/* For source_reader.list: one file that the include names. */
static int follow(void *arg, const char *path)
{
	struct source_reading *s = arg, inside = *s;
	struct buf text = {.limit = WORDS_SIZE_MAX + 1};
	int err;

	if (!is_path(path))
		return FAULT(s, "include: finds a file with control characters in its name");
	if (is_known(s->config, path))
		return FAULT(s, "include \"%s\": is read already (a circle, or two includes that name it)", path);
	if (s->config->files == SOURCE_FILES_MAX)
		return FAULT(s, "include \"%s\": more than %d files", path, SOURCE_FILES_MAX);
	err = s->reader->read(s->reader->arg, path, &text);
	if (err < 0) {
		FAULT(s, "include \"%s\": cannot be read: %s", path, strerror(-err));
	} else {
		inside.depth++;
		err = read_text(&inside, path, text.data ? text.data : "", text.length);
	}
	buf_free(&text);
	return err;
}

/* The path as seen from the directory of the including file. */
static char *relative_to(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	struct buf full = {0};

	if (slash && path[0] != '/')
		buf_add(&full, file, (size_t)(slash - file) + 1);
	buf_puts(&full, path);
	if (full.failed) {
		buf_free(&full);
		return NULL;
	}
	return full.data;
}

static int include(struct source_reading *s, const struct word *word)
{
	char *pattern;
	int err = 0;

	s->include = word;
	if (!s->reader)
		return FAULT(s, "include is not possible here");
	if (s->depth == SOURCE_DEPTH_MAX)
		return FAULT(s, "includes are nested more than %d deep", SOURCE_DEPTH_MAX);
	if (word->length == 0 || strlen(word->text) != word->length || !is_path(word->text))
		return FAULT(s, "include \"%s\": not a path", word_show(word).text);
	pattern = relative_to(s->file, word->text);
	if (!pattern)
		return FAULT(s, "out of memory");
	if (!strpbrk(pattern, "*?["))
		err = follow(s, pattern);
	else if (s->reader->list(s->reader->arg, pattern, follow, s) < 0)
		err = FAULT(s, "include \"%s\": cannot be searched for", pattern);
	free(pattern);
	return err;
}

static int add_item(struct source_reading *s, uint16_t file, const struct statement *statement)
{
	struct source *source = s->source;
	struct source_item *item;

	/* Grows at powers of two: files have many statements. */
	if ((source->items & (source->items - 1)) == 0) {
		item = realloc(source->item, (source->items ? 2 * source->items : 1) * sizeof(*item));
		if (!item)
			return -1;
		source->item = item;
	}
	source->item[source->items++] = (struct source_item){file, statement};
	return 0;
}

/* Room for one more file in both lists; -1 when memory is out. */
static int add_file(struct source_reading *s, const char *path)
{
	struct words *tree = realloc(s->source->tree, (s->source->trees + 1) * sizeof(*tree));
	char **file = realloc(s->config->file, (s->config->files + 1) * sizeof(*file));

	if (tree)
		s->source->tree = tree;
	if (file)
		s->config->file = file;
	if (!tree || !file)
		return -1;
	file[s->config->files] = strdup(path);
	if (!file[s->config->files])
		return -1;
	s->config->files++;
	tree[s->source->trees++] = (struct words){0};
	return 0;
}

static int read_text(struct source_reading *s, const char *path, const char *text, size_t length)
{
	uint16_t file = (uint16_t)s->config->files;
	const struct statement *first;

	if (add_file(s, path) < 0)
		return errors_add(s->errors, path, 0, 0, ERROR_REFUSED, "out of memory");
	s->file = s->config->file[file];
	words_scan(&s->source->tree[file], text, length, WORDS_FILE, s->file, s->errors);
	/* The array of trees may move while includes are followed, the statements do not. */
	first = s->source->tree[file].first;
	for (const struct statement *statement = first; statement; statement = statement->next) {
		if (add_item(s, file, statement) < 0)
			return errors_add(s->errors, path, 0, 0, ERROR_REFUSED, "out of memory");
		if (word_is(statement->word, "include") && statement->words == 2 && !statement->has_block)
			include(s, &statement->word[1]);
	}
	return 0;
}

int source_read(struct source *source, struct config *config, const char *file, const char *text, size_t length,
		const struct source_reader *reader, struct errors *errors)
{
	struct source_reading s = {.source = source, .config = config, .reader = reader, .errors = errors};
	size_t before = errors->count + errors->more;

	*source = (struct source){0};
	read_text(&s, file, text, length);
	return errors->count + errors->more == before ? 0 : -1;
}

void source_free(struct source *source)
{
	for (size_t i = 0; i < source->trees; i++)
		words_free(&source->tree[i]);
	free(source->tree);
	free(source->item);
	*source = (struct source){0};
}

/* ---- real files ---- */

static int list_files(void *arg, const char *pattern, int (*found)(void *found_arg, const char *path), void *found_arg)
{
	glob_t paths = {0};
	int result = glob(pattern, 0, NULL, &paths);

	(void)arg;
	for (size_t i = 0; result == 0 && i < paths.gl_pathc; i++)
		found(found_arg, paths.gl_pathv[i]);
	globfree(&paths);
	if (result == GLOB_NOSPACE)
		return -ENOMEM;
	return result == 0 || result == GLOB_NOMATCH ? 0 : -EIO;
}

static int read_file(void *arg, const char *path, struct buf *text)
{
	(void)arg;
	return file_read(path, text, WORDS_SIZE_MAX);
}

const struct source_reader source_files = {.list = list_files, .read = read_file};
