/* SPDX-License-Identifier: BSD-2-Clause */
/* The line for the agent. Input: a call, and the file that `-f` names. Output: one line in the grammar's words. */
#include "request_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/file.h"

enum { REQUEST_BYTES_MAX = 64 * 1024 }; /* what the agent reads, the newline included */

/* ---- words -> one line ---- */

static void add_words(struct buf *line, const struct word *word, size_t words)
{
	for (size_t i = 0; i < words; i++) {
		if (line->length)
			buf_puts(line, " ");
		words_quote(line, word[i].text, word[i].length);
	}
}

static int read_standard_input(struct buf *text)
{
	char chunk[4096];
	size_t got;

	while ((got = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		buf_add(text, chunk, got);
	if (ferror(stdin))
		return -EIO;
	return text->failed ? -EFBIG : 0;
}

/* The object as the file has it: `service web { ... }` stands behind `service add` without its first word. */
static void add_object(struct buf *line, const struct call *call, const struct statement *object)
{
	char kind[COMMAND_WORD];
	struct statement first = *object;

	if (first.words > 1 && word_is(&first.word[0], command_word(call->command, 0, kind))) {
		first.word++;
		first.words--;
	}
	buf_puts(line, " ");
	words_print(&first, line);
}

static int add_file(struct buf *line, const struct call *call, struct error *error)
{
	const char *path = call->options.file;
	struct buf text = {.limit = REQUEST_BYTES_MAX};
	struct words words = {.first = NULL};
	struct errors errors = {.error = NULL};
	int rc = strcmp(path, "-") == 0 ? read_standard_input(&text) : file_read(path, &text, REQUEST_BYTES_MAX);

	if (rc) {
		error_set(error, ERROR_REFUSED, "%s: %s", path, rc == -EFBIG ? "more than 64 KiB" : strerror(-rc));
	} else if (words_scan(&words, text.length ? text.data : "", text.length, WORDS_LINE, path, &errors)) {
		errors_first(&errors, error);
		error->code = ERROR_USAGE;
		rc = -1;
	} else if (words.first) {
		add_object(line, call, words.first);
	}
	words_free(&words);
	errors_free(&errors);
	buf_free(&text);
	return rc ? -1 : 0;
}

/* The last `;` may be left out in a command. */
static void trim(struct buf *line)
{
	while (line->length && strchr("; ", line->data[line->length - 1]))
		line->data[--line->length] = '\0';
}

/* The command's words as its row has them (`show service` -> `show services`), then the user's own. */
int request_line(struct buf *line, const struct call *call, struct error *error)
{
	const struct options *options = &call->options;

	buf_puts(line, call->command->words);
	if (options->given & OPTION_FILE || call->command->most >= 0) {
		add_words(line, call->word, call->words);
	} else {
		struct statement first = *call->line;

		first.word = call->word;
		first.words = call->words;
		buf_puts(line, " ");
		words_print(&first, line);
	}
	if (options->given & OPTION_FILE && add_file(line, call, error))
		return -1;
	trim(line);
	if (options->given & OPTION_FOLLOW)
		buf_puts(line, " follow");
	if (options->given & OPTION_FORCE)
		buf_puts(line, " --force");
	if (line->failed || line->length >= REQUEST_BYTES_MAX)
		return error_set(error, ERROR_USAGE, "the command is longer than 64 KiB");
	return 0;
}
