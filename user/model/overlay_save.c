/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `weir save`: runtime changes -> edits of the files' texts. A backend that changed is replaced, taken out or added within its service's block; a service
 * whose own words changed is written anew as a whole; what no change is about stays byte for byte. The edited texts are then loaded and compared
 * with what is wanted, so that a file which this cannot edit rightly is refused, not spoilt.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_text.h"
#include "overlay.h"
#include "source.h"

enum { INDENT = 4 };

/* One file being rewritten: text up to `done` has been taken over, changed where needed. */
struct edit {
	const struct overlay *overlay;
	const struct config *wanted;
	const char *text;
	size_t length, done;
	struct buf *out;
	size_t edits;
};

/* Copies up to `start`, then `text` stands for what reaches to `end`. */
static void replace(struct edit *edit, size_t start, size_t end, const struct buf *text)
{
	buf_add(edit->out, edit->text + edit->done, start - edit->done);
	if (text->length)
		buf_add(edit->out, text->data, text->length);
	edit->done = end;
	edit->edits++;
}

static size_t line_start(const struct edit *edit, size_t at)
{
	while (at > 0 && (edit->text[at - 1] == ' ' || edit->text[at - 1] == '\t'))
		at--;
	return at;
}

static bool is_at(const struct edit *edit, size_t at, const char *any)
{
	return at < edit->length && edit->text[at] && strchr(any, edit->text[at]);
}

/* Where the line ends on which nothing but blanks and a comment follow `at`; 0: something else follows. */
static size_t line_end(const struct edit *edit, size_t at)
{
	while (is_at(edit, at, " \t\r"))
		at++;
	if (is_at(edit, at, "#"))
		at += strcspn(edit->text + at, "\n");
	if (at == edit->length)
		return at;
	return is_at(edit, at, "\n") ? at + 1 : 0;
}

/* Takes a statement out; where it has its line for itself, the line and the comment that ends it too. */
static void take_out(struct edit *edit, const struct statement *statement)
{
	static const struct buf nothing;
	size_t start = line_start(edit, statement->start), end = line_end(edit, statement->end);
	bool alone = start == 0 || edit->text[start - 1] == '\n';

	if (!alone || !end) {
		start = statement->start;
		end = statement->end;
	}
	replace(edit, start < edit->done ? edit->done : start, end, &nothing);
}

/* Before the } that ends the block: on a line of its own if the } has one. */
static void add_backend(struct edit *edit, const struct statement *service, const struct config_backend *backend)
{
	size_t brace = service->end - 1, start = line_start(edit, brace);
	bool own_line = start > 0 && edit->text[start - 1] == '\n';
	struct buf text = {0};

	if (own_line)
		buf_printf(&text, "%*s", INDENT, "");
	else if (brace > 0 && edit->text[brace - 1] != ' ')
		buf_puts(&text, " ");
	config_text_backend(backend, &text);
	buf_puts(&text, own_line ? "\n" : " ");
	if (own_line && start >= edit->done)
		replace(edit, start, start, &text);
	else
		replace(edit, edit->done > brace ? edit->done : brace, edit->done > brace ? edit->done : brace, &text);
	edit->out->failed |= text.failed;
	buf_free(&text);
}

static void edit_backend(struct edit *edit, const char *service, const struct statement *statement)
{
	const struct overlay_change *change;
	struct buf text = {0};
	struct addr addr;

	if (!word_is(statement->word, "backend") && !word_is(statement->word, "fallback"))
		return;
	if (statement->words < 2 || addr_parse(statement->word[1].text, statement->word[1].length, &addr) < 0)
		return;
	change = overlay_find(edit->overlay, service, &addr);
	if (!change)
		return;
	if (!change->now.present) {
		take_out(edit, statement);
		return;
	}
	config_text_backend(&change->now.backend, &text);
	replace(edit, statement->start, statement->end, &text);
	edit->out->failed |= text.failed;
	buf_free(&text);
}

/* Only backends of the service have changed. */
static void edit_backends(struct edit *edit, const char *name, const struct statement *service)
{
	for (const struct statement *statement = service->block; statement; statement = statement->next)
		edit_backend(edit, name, statement);
	for (size_t i = 0; i < edit->overlay->changes; i++) {
		const struct overlay_change *change = &edit->overlay->change[i];

		if (strcmp(change->service, name) == 0 && !addr_is_none(&change->backend) && !change->file.present)
			add_backend(edit, service, &change->now.backend);
	}
}

/* Without the line's end: the file has one there, or none. */
static void service_text(const struct config_service *service, struct buf *out)
{
	config_text_service(service, false, out);
	if (out->length && !out->failed)
		out->data[--out->length] = 0;
}

static void edit_service(struct edit *edit, const struct statement *statement)
{
	static const struct addr none;
	const struct config_service *service;
	const struct overlay_change *own;
	struct buf text = {0};

	if (!word_is(statement->word, "service") || statement->words != 2)
		return;
	own = overlay_find(edit->overlay, statement->word[1].text, &none);
	service = config_service(edit->wanted, statement->word[1].text);
	if (!own) {
		edit_backends(edit, statement->word[1].text, statement);
	} else if (!own->now.present || !service) {
		take_out(edit, statement);
	} else {
		service_text(service, &text);
		replace(edit, statement->start, statement->end, &text);
		edit->out->failed |= text.failed;
		buf_free(&text);
	}
}

/* Services that no file has: at the end of the main one. */
static void append_new(struct edit *edit)
{
	static const struct buf nothing;

	replace(edit, edit->length, edit->length, &nothing);
	edit->edits--;
	for (size_t i = 0; i < edit->overlay->changes; i++) {
		const struct overlay_change *change = &edit->overlay->change[i];
		const struct config_service *service = config_service(edit->wanted, change->service);

		if (!addr_is_none(&change->backend) || change->file.present || !service)
			continue;
		if (edit->out->length && edit->out->data[edit->out->length - 1] != '\n')
			buf_puts(edit->out, "\n");
		buf_puts(edit->out, edit->out->length ? "\n" : "");
		config_text_service(service, false, edit->out);
		edit->edits++;
	}
}

/* Rewrites file number `file`; *changed: is anything different? 0 or -errno. */
static int edit_file(const struct source *source, uint16_t file, struct edit *edit, bool *changed)
{
	for (size_t i = 0; i < source->items; i++)
		if (source->item[i].file == file)
			edit_service(edit, source->item[i].statement);
	if (file == 0)
		append_new(edit);
	else
		buf_add(edit->out, edit->text + edit->done, edit->length - edit->done);
	*changed = edit->edits > 0;
	return edit->out->failed ? -ENOMEM : 0;
}

static int add_file(struct overlay_files *files, const char *path, struct buf *text)
{
	struct overlay_file *grown = realloc(files->file, (files->files + 1) * sizeof(*grown));
	char *copy = strdup(path);

	if (grown)
		files->file = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	grown[files->files++] = (struct overlay_file){.path = copy, .text = *text};
	*text = (struct buf){0};
	return 0;
}

/* Reads, edits and keeps all files that have to change. */
static int edit_files(const struct overlay *overlay, const struct config *wanted, const struct source_reader *reader,
		      const struct source *source, const struct config *config, struct overlay_files *files)
{
	int err = 0;

	for (size_t i = 0; i < config->files && !err; i++) {
		struct buf text = {0}, out = {0};
		struct edit edit = {.overlay = overlay, .wanted = wanted, .out = &out};
		bool changed = false;

		err = reader->read(reader->arg, config->file[i], &text);
		edit.text = text.data ? text.data : "";
		edit.length = text.length;
		if (!err)
			err = edit_file(source, (uint16_t)i, &edit, &changed);
		if (!err && changed)
			err = add_file(files, config->file[i], &out);
		buf_free(&text);
		buf_free(&out);
	}
	return err;
}

/* ---- the proof ---- */

/* Files as they will be: the edited texts, and the reader for the rest. */
struct preview {
	const struct overlay_files *files;
	const struct source_reader *reader;
};

static int preview_list(void *arg, const char *pattern, int (*found)(void *found_arg, const char *path),
			void *found_arg)
{
	const struct preview *preview = arg;

	return preview->reader->list(preview->reader->arg, pattern, found, found_arg);
}

static int preview_read(void *arg, const char *path, struct buf *text)
{
	const struct preview *preview = arg;

	for (size_t i = 0; i < preview->files->files; i++) {
		const struct overlay_file *file = &preview->files->file[i];

		if (strcmp(file->path, path) != 0)
			continue;
		buf_add(text, file->text.data, file->text.length);
		return text->failed ? -ENOMEM : 0;
	}
	return preview->reader->read(preview->reader->arg, path, text);
}

/* Would the edited files say what is wanted? */
static int prove(const struct config *wanted, const char *path, const struct source_reader *reader,
		 const struct overlay_files *files, struct error *error)
{
	struct preview preview = {files, reader};
	struct source_reader previewer = {&preview, preview_list, preview_read};
	struct config loaded = {0}, copy = {0};
	struct overlay left = {0};
	struct errors errors = {0};
	struct buf text = {0};
	int err = preview_read(&preview, path, &text);

	if (err < 0)
		error_set(error, ERROR_REFUSED, "%s: cannot be read: %s", path, strerror(-err));
	else if (grammar_parse(&loaded, path, text.data ? text.data : "", text.length, &previewer, &errors) < 0)
		error_set(error, ERROR_REFUSED, "%s: has been changed since it was loaded, %s: reload first, then save",
			  path, errors.count ? errors.error[0].text : "or memory is out");
	else if (config_copy(&copy, wanted) < 0 || overlay_make(&left, &loaded, &copy) < 0)
		error_set(error, ERROR_REFUSED, "out of memory");
	else if (left.changes)
		error_set(error, ERROR_REFUSED, "%s: has been changed since it was loaded: reload first, then save",
			  path);
	else
		err = 1;
	overlay_free(&left);
	config_free(&copy);
	config_free(&loaded);
	errors_free(&errors);
	buf_free(&text);
	return err == 1 ? 0 : -1;
}

static int pass_on(const struct errors *errors, struct error *error)
{
	errors_first(errors, error);
	return -1;
}

int overlay_save(const struct overlay *overlay, const struct config *wanted, const char *path,
		 const struct source_reader *reader, struct overlay_files *files, struct error *error)
{
	struct errors errors = {0};
	struct source source = {0};
	struct config config;
	struct buf text = {0};
	int err;

	*files = (struct overlay_files){0};
	config_init(&config);
	err = reader->read(reader->arg, path, &text);
	if (err < 0)
		err = error_set(error, ERROR_REFUSED, "%s: cannot be read: %s", path, strerror(-err));
	else if (source_read(&source, &config, path, text.data ? text.data : "", text.length, reader, &errors) < 0)
		err = pass_on(&errors, error);
	else if (edit_files(overlay, wanted, reader, &source, &config, files) < 0)
		err = error_set(error, ERROR_REFUSED, "%s, or a file that it includes: cannot be edited", path);
	else
		err = prove(wanted, path, reader, files, error);
	if (err < 0)
		overlay_files_free(files);
	source_free(&source);
	config_free(&config);
	errors_free(&errors);
	buf_free(&text);
	return err < 0 ? -1 : 0;
}

void overlay_files_free(struct overlay_files *files)
{
	for (size_t i = 0; i < files->files; i++) {
		free(files->file[i].path);
		buf_free(&files->file[i].text);
	}
	free(files->file);
	*files = (struct overlay_files){0};
}
