/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one scanner for the configuration file, the command line and the control socket: text -> tree of statements.
 *
 *   text      = { statement }
 *   statement = word { word } ( ";" | "{" text "}" )
 *   word      = characters other than blanks, control characters and { } ; # " \     |  "string with \\ \" \xNN"
 *   # to the end of the line is a comment, where a word could begin
 *
 * It knows no word's meaning: grammar.c does. Any bytes may come in; the depth and the size of the text are bounded.
 */
#ifndef WEIR_WORDS_H
#define WEIR_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "error.h"

enum { WORDS_DEPTH_MAX = 16, WORDS_SIZE_MAX = 1 << 20 };

struct word {
	const char *text; /* escapes resolved, closed by a 0 byte */
	size_t length;    /* a string may hold 0 bytes, so this may be more than strlen */
	int line, col;    /* from 1; col counts bytes */
	bool quoted;      /* was a string: never a keyword, a flag or a number */
};

struct statement {
	struct statement *next;
	struct word *word;
	size_t words; /* at least 1 */
	bool has_block;
	struct statement *block; /* first statement inside; NULL when empty */
	size_t start, end;       /* its bytes in the text: from its first word to behind its `;` or `}` */
};

struct words {
	struct statement *first;
	struct words_chunk *chunk; /* memory of all of it */
};

enum words_form {
	WORDS_FILE, /* every statement is closed by `;` or a block */
	WORDS_LINE, /* a command: the last `;` of the line or of a block may be left out */
};

/*
 * Scans the text; `file` names it in errors (NULL: without place). Goes on after an error where that makes sense, so that the tree holds what is whole.
 * 0, or -1 with at least one error added. words_free in both cases.
 */
int words_scan(struct words *words, const char *text, size_t length, enum words_form form, const char *file,
	       struct errors *errors);
void words_free(struct words *words);

/* Appends a word as the scanner reads it back: bare where that can be, else as a string. */
void words_quote(struct buf *out, const char *text, size_t length);
/* Appends a statement and those behind it in one line (for the control socket). */
void words_print(const struct statement *first, struct buf *out);
/* Is it this keyword? */
bool word_is(const struct word *word, const char *keyword);

/* The word as it can stand in a message: bounded, printable. For use in one expression: word_show(word).text */
struct word_shown {
	char text[84];
};
struct word_shown word_show(const struct word *word);

/* The candidate that `text` was probably meant to be, or NULL: by edit distance, neighbours swapped counting one. */
const char *words_nearest(const char *text, const char *const *candidate, size_t candidates);

#endif
