/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request of the control socket and its reply: zero or more data lines, then one final line,
 *   {"done":true,"code":0,"text":"...","warnings":["..."]}   or   {"done":true,"code":4,"error":"..."}
 * where code is what `weir` exits with.
 */
#ifndef WEIR_REQUEST_H
#define WEIR_REQUEST_H

#include "../lib/json.h"
#include "../lib/words.h"
#include "agent.h"

struct request {
	struct agent *agent;
	struct connection *connection; /* NULL: by a signal */
	const char *line;              /* as it came */
	size_t length;
	const struct word *word; /* its words, the verb first */
	size_t words;
	struct buf *out;
	struct buf warnings; /* one a line */
	bool done;
};

/* The final line; each request has exactly one. */
void reply_done(struct request *request, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_done_text(struct request *request, const char *text);
int reply_error(struct request *request, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* All lines of `text` as the error. */
int reply_error_text(struct request *request, enum error_code code, const char *text);
/* For the final line that is to come. */
void reply_warn(struct request *request, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
