/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runtime changes, as a layer over the file. An object is a service's own words, or one backend of a service. For each object that differs from the file
 * the overlay holds what it is now and what the file said when it was changed. While the file says the same, the change holds; when the file's text for
 * that object has changed, the file wins and it is said. (Meaning is compared, not bytes: comments and blanks do not count, nor does a newer
 * version that writes more words out.)
 *
 *   start, reload:  grammar_load -> file;  overlay_parse(runtime.conf) -> overlay;  overlay_apply -> wanted, notes
 *   a command:      command_apply(command, copy of wanted);  overlay_make(file, wanted);  model_apply;  overlay_text -> runtime.conf
 *
 * No I/O here but through the source_reader of overlay_save.
 */
#ifndef WEIR_OVERLAY_H
#define WEIR_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/error.h"
#include "config.h"
#include "grammar.h"

/* One object at one time. */
struct overlay_value {
	bool present;
	struct config_service own; /* of a service: without backends, name empty */
	struct config_backend backend;
};

struct overlay_change {
	char service[WEIR_NAME_MAX];
	struct addr backend;       /* none: the service's own words */
	struct overlay_value file; /* what the file said; not present: it had no such object */
	struct overlay_value now;  /* not present: removed by a command */
};

struct overlay { /* all zero = empty */
	struct overlay_change *change;
	size_t changes;
};

void overlay_free(struct overlay *overlay);
/* Appends a change, which then belongs to the overlay. 0 or -ENOMEM. */
int overlay_add(struct overlay *overlay, const struct overlay_change *change);
/* Takes out the changes that are marked. */
void overlay_drop(struct overlay *overlay, const bool *dropped);
/* The change of an object (backend none: the service's own words), or NULL. */
const struct overlay_change *overlay_find(const struct overlay *overlay, const char *service,
					  const struct addr *backend);

/* State text -> overlay and back. `file` names the text in errors. 0, or -1 with errors added (then the overlay is empty). */
int overlay_parse(struct overlay *overlay, const char *file, const char *text, size_t length, struct errors *errors);
void overlay_text(const struct overlay *overlay, struct buf *out);

/*
 * The overlay that turns `file` into `wanted`; in wanted the runtime marks are set accordingly and all is put into the file's order, as it will be
 * after a restart. Replaces what was in the overlay. 0 or -ENOMEM. Cheap enough to be called for every change.
 */
int overlay_make(struct overlay *overlay, const struct config *file, struct config *wanted);

/*
 * wanted = file + overlay, runtime marks set. Changes that hold no more (the file's text has changed, the object's service is gone, it would not fit the
 * new file) are dropped from the overlay, with one line each in `notes`: `backend 10.0.0.12 of "web": ...: the file wins`. 0 or -ENOMEM.
 */
int overlay_apply(struct overlay *overlay, const struct config *file, struct config *wanted, struct buf *notes);

/*
 * Takes back runtime changes: all (service NULL), of one service and its backends (addr NULL), of one backend; wanted = what then is wanted. *reverted = how many.
 * 0, or -1 with error filled and nothing changed (ERROR_NO_SUCH where neither file nor overlay knows the object).
 */
int overlay_revert(struct overlay *overlay, const struct config *file, const char *service, const struct addr *addr,
		   struct config *wanted, size_t *reverted, struct error *error);

/*
 * One line per object: `+ service web backend 10.0.0.13;`, `- service web backend 10.0.0.12;`, `~ service web forward ipip; (file: forward dsr;)`.
 * For a difference to any other file see overlay_make.
 */
void overlay_difference(const struct overlay *overlay, struct buf *out);

/* `weir save`: the files whose text has to change so that they say what is wanted. */
struct overlay_file {
	char *path;
	struct buf text;
};

struct overlay_files {
	struct overlay_file *file;
	size_t files;
};

/*
 * Changed services are replaced where they are written (in an included file too), removed ones taken out, new ones appended to the main file; all
 * else stays byte for byte. The result is loaded again and compared before it is given back. 0, or -1 with error filled.
 * Writing (and keeping a copy) is the caller's: lib/file.h.
 */
int overlay_save(const struct overlay *overlay, const struct config *wanted, const char *path,
		 const struct source_reader *reader, struct overlay_files *files, struct error *error);
void overlay_files_free(struct overlay_files *files);

#endif
