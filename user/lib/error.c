/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors: made by whoever can name the object, printed once by the programs' main loops. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

int error_set(struct error *error, enum error_code code, const char *format, ...)
{
	va_list args;

	if (!error || error->code != ERROR_NONE)
		return -1;
	memset(error, 0, sizeof(*error));
	error->code = code;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -1;
}

int errors_add(struct errors *errors, const char *file, int line, int col, enum error_code code, const char *format,
	       ...)
{
	struct error *error;
	va_list args;

	if (errors->count == ERRORS_MAX) {
		errors->more++;
		return -1;
	}
	error = realloc(errors->error, (errors->count + 1) * sizeof(*error));
	if (!error) {
		errors->more++;
		return -1;
	}
	errors->error = error;
	error += errors->count++;
	memset(error, 0, sizeof(*error));
	error->code = code;
	if (file) {
		snprintf(error->file, sizeof(error->file), "%s", file);
		error->line = line;
		error->col = col;
	}
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -1;
}

void errors_free(struct errors *errors)
{
	free(errors->error);
	memset(errors, 0, sizeof(*errors));
}

void errors_print(const struct errors *errors, struct buf *out)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct error *error = &errors->error[i];

		if (error->file[0])
			buf_printf(out, "%s:", error->file);
		if (error->file[0] && error->line)
			buf_printf(out, "%d:%d:", error->line, error->col);
		buf_printf(out, "%serror: %s\n", error->file[0] ? " " : "", error->text);
	}
	if (errors->more)
		buf_printf(out, "and %zu more errors\n", errors->more);
}

void errors_first(const struct errors *errors, struct error *error)
{
	size_t others, used;

	if (!errors->count) {
		if (errors->more)
			error_set(error, ERROR_REFUSED, "out of memory");
		return;
	}
	if (!error || error->code != ERROR_NONE)
		return;
	*error = errors->error[0];
	others = errors->count - 1 + errors->more;
	used = strlen(error->text);
	if (others)
		snprintf(error->text + used, sizeof(error->text) - used, " (and %zu more %s)", others,
			 others == 1 ? "error" : "errors");
}
