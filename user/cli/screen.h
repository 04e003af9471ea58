/* SPDX-License-Identifier: BSD-2-Clause */
/* What people read: aligned tables, colours (only where the reader is a terminal and wants them), readable numbers. */
#ifndef WEIR_CLI_SCREEN_H
#define WEIR_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum colour { COLOUR_NONE, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED, COLOUR_BOLD };

struct screen {
	FILE *out;
	bool colour;
};

/* Whether `out` is to be coloured: a terminal, and neither NO_COLOR nor TERM=dumb says otherwise. */
bool screen_wants_colour(FILE *out);
/* Text without control characters but `\n` and `\t`: whatever a message holds, it must not steer the terminal. */
void screen_text(const struct screen *screen, enum colour colour, const char *text);
/* The same, plain, and the end of the line if the text has none. */
void screen_line(const struct screen *screen, const char *text);
/* The colour of a state's word: up green, joining, draining, drained and standby yellow, disabled and what is wrong red. */
enum colour screen_state_colour(const char *state);

/*
 * A table is filled cell by cell, row by row, and printed as a whole. Headings are words; one that begins with `>` has
 * its column aligned to the right.
 */
struct table {
	char *headings; /* own copy, cut at the spaces */
	struct table_column {
		const char *heading;
		bool right;
		size_t width;
	} column[16];
	size_t columns;
	struct table_cell {
		char *text;
		enum colour colour;
	} * cell;
	size_t cells, room;
};

void table_start(struct table *table, const char *headings);
/* NULL or "" is written as it is in a table of many: a dash. */
void table_add(struct table *table, enum colour colour, const char *text);
void table_addf(struct table *table, enum colour colour, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A cell that stays empty (further lines of one object). */
void table_skip(struct table *table, size_t cells);
/* Prints and frees. */
void table_print(struct table *table, const struct screen *screen);

enum { NUMBER_TEXT = 40 };

const char *number_count(uint64_t count, char text[NUMBER_TEXT]); /* 1,234,567 */
const char *number_bytes(uint64_t bytes, char text[NUMBER_TEXT]); /* 1.2 MiB */
const char *number_age(double seconds, char text[NUMBER_TEXT]);   /* 2d 3h */
/* How long ago an RFC 3339 time in UTC was; "-" if the text is none. */
const char *number_since(const char *time, char text[NUMBER_TEXT]);

#endif
