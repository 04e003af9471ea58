/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `weir save`. In: the runtime changes. Out: the configuration file (and those it includes), written so that it says
 * what is in force; what it said before is kept beside it as FILE.before-save.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/file.h"
#include "apply.h"
#include "changes.h"

enum { FILE_BYTES_MAX = 16 << 20 };

/* Keeps a copy beside it, then replaces it, both with its owner and mode. 0 or -errno. */
static int replace(const char *path, const struct buf *text)
{
	struct buf before = {0};
	char copy[PATH_MAX];
	int err;

	if ((size_t)snprintf(copy, sizeof(copy), "%s.before-save", path) >= sizeof(copy))
		return -ENAMETOOLONG;
	err = file_read(path, &before, FILE_BYTES_MAX);
	if (!err)
		err = file_replace_like(copy, ".weir-tmp", before.data ? before.data : "", before.length, path);
	if (!err)
		err = file_replace_like(path, ".weir-tmp", text->data ? text->data : "", text->length, path);
	buf_free(&before);
	return err;
}

/* A link stays one: what it leads to is replaced. 0 or -errno. */
static int write_file(const struct overlay_file *file)
{
	char *path = realpath(file->path, NULL);
	int err = path ? replace(path, &file->text) : -errno;

	free(path);
	return err;
}

static int write_files(const struct overlay_files *files, struct error *error)
{
	for (size_t i = 0; i < files->files; i++) {
		int err = write_file(&files->file[i]);

		if (err)
			return error_set(error, ERROR_REFUSED, "%s: cannot be written: %s", files->file[i].path,
					 strerror(-err));
	}
	return 0;
}

/* The file now says what is in force: no runtime change is left over it. */
static int settle(struct agent *agent, struct error *error)
{
	struct config file = {0}, wanted = {0};
	struct overlay overlay = {0};
	struct errors errors = {0};
	int err = grammar_load(&file, agent->options.config, &errors);

	if (err)
		errors_first(&errors, error);
	else if (config_copy(&wanted, &agent->wanted) != 0 || overlay_make(&overlay, &file, &wanted) != 0)
		err = error_set(error, ERROR_REFUSED, "out of memory");
	else
		err = apply_change(agent, &overlay, &wanted, error);
	if (!err) {
		config_free(&agent->file);
		agent->file = file;
		memset(&file, 0, sizeof(file));
	}
	errors_free(&errors);
	overlay_free(&overlay);
	config_free(&wanted);
	config_free(&file);
	return err;
}

void changes_save(struct request *request)
{
	struct agent *agent = request->agent;
	struct overlay_files files = {0};
	struct error error = {0};
	size_t changes = agent->overlay.changes;

	if (changes == 0) {
		reply_done(request, "no runtime changes to save");
		return;
	}
	if (overlay_save(&agent->overlay, &agent->wanted, agent->options.config, &source_files, &files, &error) != 0 ||
	    write_files(&files, &error) != 0 || settle(agent, &error) != 0)
		(void)reply_error_text(request, error.code, error.text);
	else
		reply_done(request, "%zu runtime change%s saved in %s%s (before: FILE.before-save)", changes,
			   changes == 1 ? "" : "s", agent->options.config,
			   files.files > 1 ? " and the files it includes" : "");
	overlay_files_free(&files);
}
