/* SPDX-License-Identifier: BSD-2-Clause */
/* What went wrong, in words for people. Whoever can name the object fills it, once; others pass it on; it is printed once. */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#include <stddef.h>

enum error_code { /* the exit codes of `weir` */
		  ERROR_NONE = 0,
		  ERROR_REFUSED = 1, /* refused or failed */
		  ERROR_USAGE = 2,
		  ERROR_UNREACHABLE = 3, /* no agent answers */
		  ERROR_NO_SUCH = 4,     /* no such object */
		  ERROR_TIMEOUT = 5,     /* waited in vain */
};

struct error {
	enum error_code code;
	int line, col;  /* place in a file, from 1; 0 = none */
	char file[256]; /* empty = none */
	char text[512]; /* `backend 10.0.1.1: cannot join "web": it is IPv6, the service forwards by dsr on IPv4` */
};

/* Fills `error` (may be NULL) with code and text unless it already holds one. Returns -1, so that `return error_set(...)` reads well. */
int error_set(struct error *error, enum error_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Several at once, as a file has them. All zero is an empty list. */
enum { ERRORS_MAX = 100 };

struct errors {
	struct error *error;
	size_t count;
	size_t more; /* those that found no room */
};

struct buf;

/* Adds one; file may be NULL (no place). Returns -1. */
int errors_add(struct errors *errors, const char *file, int line, int col, enum error_code code, const char *format,
	       ...) __attribute__((format(printf, 6, 7)));
void errors_free(struct errors *errors);
/* Appends one line each, `file:line:col: error: text` (the place left out where there is none), and how many more there are. */
void errors_print(const struct errors *errors, struct buf *out);
/* The first one as a single error, with the number of the others; does nothing when there are none. */
void errors_first(const struct errors *errors, struct error *error);

#endif
