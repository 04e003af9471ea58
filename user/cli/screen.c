/* SPDX-License-Identifier: BSD-2-Clause */
/* What people read. Input: texts, cells, numbers from the renderers. Output: a stream. */
#include "screen.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const colour_codes[] = {
	[COLOUR_GREEN] = "\033[32m",
	[COLOUR_YELLOW] = "\033[33m",
	[COLOUR_RED] = "\033[31m",
	[COLOUR_BOLD] = "\033[1m",
};

bool screen_wants_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(fileno(out)) && !(no_color && *no_color) && terminal && strcmp(terminal, "dumb") != 0;
}

void screen_text(const struct screen *screen, enum colour colour, const char *text)
{
	if (screen->colour && colour)
		fputs(colour_codes[colour], screen->out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		putc((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? '?' : c, screen->out);
	}
	if (screen->colour && colour)
		fputs("\033[0m", screen->out);
}

void screen_line(const struct screen *screen, const char *text)
{
	size_t length = strlen(text);

	screen_text(screen, COLOUR_NONE, text);
	if (length == 0 || text[length - 1] != '\n')
		putc('\n', screen->out);
}

enum colour screen_state_colour(const char *state)
{
	static const struct {
		const char *word;
		enum colour colour;
	} words[] = {
		{"up", COLOUR_GREEN},        {"ready", COLOUR_GREEN},     {"local", COLOUR_GREEN},
		{"native", COLOUR_GREEN},    {"joining", COLOUR_YELLOW},  {"draining", COLOUR_YELLOW},
		{"drained", COLOUR_YELLOW},  {"removing", COLOUR_YELLOW}, {"standby", COLOUR_YELLOW},
		{"fallback", COLOUR_YELLOW}, {"generic", COLOUR_YELLOW},  {"disabled", COLOUR_RED},
		{"down", COLOUR_RED},        {"none", COLOUR_RED},        {"no-route", COLOUR_RED},
		{"unresolved", COLOUR_RED},  {"unknown", COLOUR_RED},
	};

	for (size_t i = 0; state && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, state) == 0)
			return words[i].colour;
	return COLOUR_NONE;
}

/* ---- tables ---- */

/* Columns that a text takes on the screen: bytes, the later ones of UTF-8 characters not counted. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void *must(void *memory)
{
	if (memory)
		return memory;
	fputs("weir: out of memory\n", stderr);
	exit(1);
}

void table_start(struct table *table, const char *headings)
{
	char *rest;

	*table = (struct table){.headings = must(strdup(headings))};
	for (char *word = strtok_r(table->headings, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		struct table_column *column = &table->column[table->columns++];

		column->right = *word == '>';
		column->heading = word + column->right;
		column->width = text_width(column->heading);
	}
}

static void add(struct table *table, enum colour colour, char *text)
{
	struct table_column *column = &table->column[table->cells % table->columns];
	size_t width = text_width(text);

	if (table->cells == table->room) {
		table->room = table->room ? 2 * table->room : 64;
		table->cell = must(realloc(table->cell, table->room * sizeof(table->cell[0])));
	}
	for (char *c = text; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	if (width > column->width)
		column->width = width;
	table->cell[table->cells++] = (struct table_cell){text, colour};
}

void table_add(struct table *table, enum colour colour, const char *text)
{
	add(table, colour, must(strdup(text && *text ? text : "-")));
}

void table_addf(struct table *table, enum colour colour, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	add(table, colour, must(text));
}

void table_skip(struct table *table, size_t cells)
{
	while (cells--)
		add(table, COLOUR_NONE, must(strdup("")));
}

/* One cell with its padding; the last one of a line gets none behind it. */
static void print_cell(const struct table *table, const struct screen *screen, size_t i, enum colour colour,
		       const char *text)
{
	const struct table_column *column = &table->column[i];
	int padding = (int)(column->width - text_width(text));

	if (column->right)
		fprintf(screen->out, "%*s", padding, "");
	screen_text(screen, colour, text);
	if (i + 1 == table->columns)
		putc('\n', screen->out);
	else
		fprintf(screen->out, "%*s", (column->right ? 0 : padding) + 2, "");
}

void table_print(struct table *table, const struct screen *screen)
{
	for (size_t i = 0; i < table->columns; i++)
		print_cell(table, screen, i, COLOUR_BOLD, table->column[i].heading);
	for (size_t i = 0; i < table->cells; i++) {
		print_cell(table, screen, i % table->columns, table->cell[i].colour, table->cell[i].text);
		free(table->cell[i].text);
	}
	free(table->cell);
	free(table->headings);
}

/* ---- numbers ---- */

const char *number_count(uint64_t count, char text[NUMBER_TEXT])
{
	char *at = &text[NUMBER_TEXT - 1];
	int digits = 0;

	*at = '\0';
	do {
		if (digits && digits % 3 == 0)
			*--at = ',';
		*--at = (char)('0' + count % 10);
		count /= 10;
		digits++;
	} while (count);
	return at;
}

const char *number_bytes(uint64_t bytes, char text[NUMBER_TEXT])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, NUMBER_TEXT, "%u B", (unsigned int)bytes);
		return text;
	}
	for (; value >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1024;
	snprintf(text, NUMBER_TEXT, "%.1f %s", value, units[unit]);
	return text;
}

const char *number_age(double seconds, char text[NUMBER_TEXT])
{
	unsigned long s = seconds > 0 && seconds < 1e15 ? (unsigned long)seconds : 0;

	if (s < 60)
		snprintf(text, NUMBER_TEXT, "%lus", s);
	else if (s < 3600)
		snprintf(text, NUMBER_TEXT, "%lum %lus", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, NUMBER_TEXT, "%luh %lum", s / 3600, s % 3600 / 60);
	else
		snprintf(text, NUMBER_TEXT, "%lud %luh", s / 86400, s % 86400 / 3600);
	return text;
}

const char *number_since(const char *time_text, char text[NUMBER_TEXT])
{
	struct timespec now;
	struct tm tm = {.tm_sec = 0};
	const char *rest = time_text ? strptime(time_text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	if (!rest)
		return "-";
	clock_gettime(CLOCK_REALTIME, &now);
	return number_age((double)(now.tv_sec - timegm(&tm)), text);
}
