/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `weir save`. In: the runtime changes. Out: the configuration file (and those it includes), written so that it says
 * what is in force; what it said before is kept beside it as FILE.before-save.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/file.h"
#include "apply.h"
#include "changes.h"

enum { FILE_BYTES_MAX = 16 << 20 };

/* Keeps a copy, then replaces. 0 or -errno. */
static int write_file(const struct overlay_file *file)
{
	struct buf before = {0};
	char copy[4096];
	struct stat st;
	int err;

	if (stat(file->path, &st) != 0)
		return -errno;
	if ((size_t)snprintf(copy, sizeof(copy), "%s.before-save", file->path) >= sizeof(copy))
		return -ENAMETOOLONG;
	err = file_read(file->path, &before, FILE_BYTES_MAX);
	if (!err)
		err = file_replace(copy, ".weir-tmp", before.data ? before.data : "", before.length, st.st_mode & 07777,
				   1);
	if (!err)
		err = file_replace(file->path, ".weir-tmp", file->text.data ? file->text.data : "", file->text.length,
				   st.st_mode & 07777, 1);
	buf_free(&before);
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
