/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as configuration, command or runtime state. Beside not crashing, what is accepted must keep its promises: text made of a config loads as the
 * same config; state text comes back; a command leaves a valid config, which survives a restart and can be saved into the file.
 *
 *   first byte c: a command line; o: runtime state; anything else: a file (behind a line `=` comes what any include gives)
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/lib/words.h"
#include "../../user/model/command.h"
#include "../../user/model/config_text.h"
#include "../../user/model/grammar.h"
#include "../../user/model/overlay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char base_text[] =
	"defaults { affinity client; }\n"
	"service web { listen 192.0.2.10 tcp 80 443 8000-8099; # plain\n"
	"    backend 10.0.0.11 { weight 2; } # one\n    backend 10.0.0.12;\n    fallback 10.0.0.99; }\n"
	"include \"other\"; service dns { listen 2001:db8::10 udp any; backend 2001:db8::1 { draining; } }";

static const char other_text[] =
	"service b { listen 192.0.2.11 tcp 80;\n backend 10.0.0.11; backend 10.0.0.12 { disabled; }\n}";

#define MUST(what) ((what) ? (void)0 : fail(#what))

static void fail(const char *what)
{
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* ---- files in memory ---- */

struct memory {
	const char *text;
	size_t length;
};

static int list(void *arg, const char *pattern, int (*found)(void *found_arg, const char *path), void *found_arg)
{
	(void)arg;
	return found(found_arg, pattern);
}

static int read_text(void *arg, const char *path, struct buf *text)
{
	const struct memory *other = arg;

	if (strcmp(path, "base") == 0)
		buf_puts(text, base_text);
	else
		buf_add(text, other->text, other->length);
	return 0;
}

static char *text_of(const struct config *config)
{
	struct buf text = {0};

	config_text(config, &text);
	MUST(!text.failed);
	return text.data;
}

static void check_errors(const struct errors *errors, int err)
{
	struct buf text = {0};

	MUST((err < 0) == (errors->count > 0));
	errors_print(errors, &text);
	for (size_t i = 0; i < text.length; i++)
		MUST((unsigned char)text.data[i] >= 0x20 || text.data[i] == '\n');
	buf_free(&text);
}

/* ---- a file ---- */

static void check_words(const char *text, size_t length, enum words_form form)
{
	struct errors errors = {0};
	struct buf once = {0}, twice = {0};
	struct words words;
	int err = words_scan(&words, text, length, form, NULL, &errors);

	check_errors(&errors, err);
	words_print(words.first, &once);
	words_free(&words);
	if (err == 0 && once.length <= WORDS_SIZE_MAX) {
		MUST(words_scan(&words, once.data ? once.data : "", once.length, WORDS_FILE, NULL, &errors) == 0);
		words_print(words.first, &twice);
		MUST(once.length == twice.length && (!once.length || memcmp(once.data, twice.data, once.length) == 0));
		words_free(&words);
	}
	errors_free(&errors);
	buf_free(&once);
	buf_free(&twice);
}

static void check_file(const char *text, size_t length)
{
	const char *mark = memmem(text, length, "\n=\n", 3);
	size_t main_length = mark ? (size_t)(mark - text) : length;
	struct memory other = {mark ? mark + 3 : "", mark ? length - main_length - 3 : 0};
	struct source_reader reader = {&other, list, read_text};
	struct errors errors = {0};
	struct config config, again;
	int err = grammar_parse(&config, "d/file", text, main_length, &reader, &errors);

	check_errors(&errors, err);
	errors_free(&errors);
	if (err == 0) {
		char *once = text_of(&config), *twice;

		MUST(grammar_parse(&again, "text", once, strlen(once), NULL, &errors) == 0);
		twice = text_of(&again);
		MUST(strcmp(once, twice) == 0);
		free(once);
		free(twice);
		config_free(&again);
	}
	config_free(&config);
}

/* ---- runtime state ---- */

static const struct memory other_file = {other_text, sizeof(other_text) - 1};

static void load_base(struct config *config)
{
	struct errors errors = {0};
	struct memory other = other_file;
	struct source_reader reader = {&other, list, read_text};

	MUST(grammar_parse(config, "base", base_text, sizeof(base_text) - 1, &reader, &errors) == 0);
}

static void check_state(const char *text, size_t length)
{
	struct overlay overlay, again = {0};
	struct errors errors = {0};
	struct buf once = {0}, notes = {0};
	struct config base, wanted;
	int err = overlay_parse(&overlay, "runtime", text, length, &errors);

	check_errors(&errors, err);
	errors_free(&errors);
	overlay_text(&overlay, &once);
	if (!once.failed)
		MUST(overlay_parse(&again, "text", once.data, once.length, &errors) == 0 &&
		     again.changes == overlay.changes);
	load_base(&base);
	MUST(overlay_apply(&overlay, &base, &wanted, &notes) == 0);
	MUST(config_check(&wanted, &errors) == 0);
	overlay_free(&overlay);
	overlay_free(&again);
	buf_free(&once);
	buf_free(&notes);
	config_free(&base);
	config_free(&wanted);
}

/* ---- a command ---- */

/* Restarted and saved, it is still what was wanted. */
static void check_changed(const struct config *base, struct config *wanted)
{
	struct memory other = other_file;
	struct source_reader reader = {&other, list, read_text};
	struct overlay overlay = {0};
	struct overlay_files files;
	struct error error = {0};
	struct buf notes = {0};
	struct config later;
	char *now, *then;

	MUST(overlay_make(&overlay, base, wanted) == 0);
	if (overlay_save(&overlay, wanted, "base", &reader, &files, &error) < 0)
		fail(error.text);
	MUST(overlay_apply(&overlay, base, &later, &notes) == 0 && notes.length == 0);
	now = text_of(wanted);
	then = text_of(&later);
	MUST(strcmp(now, then) == 0);
	free(now);
	free(then);
	buf_free(&notes);
	overlay_files_free(&files);
	overlay_free(&overlay);
	config_free(&later);
}

static void check_command(const char *text, size_t length)
{
	struct config base, wanted;
	struct command_result result;
	struct errors errors = {0};
	struct error error = {0};
	struct command command;
	int err = command_parse(&command, text, length, &error);

	load_base(&base);
	MUST(config_copy(&wanted, &base) == 0);
	if (!err)
		err = command_apply(&command, &wanted, &result, &error);
	MUST((err < 0) == (error.code != ERROR_NONE));
	MUST(config_check(&wanted, &errors) == 0);
	check_changed(&base, &wanted);
	command_free(&command);
	config_free(&base);
	config_free(&wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its exact size, so that reading past it is caught. */
	char *text = malloc(size ? size : 1);

	MUST(text);
	memcpy(text, data, size);
	if (size && text[0] == 'c') {
		check_words(text + 1, size - 1, WORDS_LINE);
		check_command(text + 1, size - 1);
	} else if (size && text[0] == 'o') {
		check_state(text + 1, size - 1);
	} else {
		check_words(text, size, WORDS_FILE);
		check_file(text, size);
	}
	free(text);
	return 0;
}
