/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of all commands. Input: elements of argv, the environment. Output: struct options, lines of help. */
#include "options.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum value { VALUE_NONE, VALUE_NEEDED, VALUE_OPTIONAL /* only as --name=VALUE */ };

struct row {
	const char *name;
	const char *short_name; /* may be NULL */
	enum value value;
	unsigned int bit;
	const char *value_name;
	const char *help;
};

static const struct row rows[] = {
	{"--json", NULL, VALUE_NONE, OPTION_JSON, NULL, "print JSON instead of tables"},
	{"--watch", NULL, VALUE_OPTIONAL, OPTION_WATCH, "SEC", "draw again every SEC seconds (2), until Ctrl-C"},
	{"--follow", "-f", VALUE_NONE, OPTION_FOLLOW, NULL, "go on and print events as they happen"},
	{"--file", "-f", VALUE_NEEDED, OPTION_FILE, "FILE", "take the object's words from FILE (-: standard input)"},
	{"--force", NULL, VALUE_NONE, OPTION_FORCE, NULL, "do it although it may cut connections"},
	{"--wait", NULL, VALUE_OPTIONAL, OPTION_WAIT, "SEC", "come back when it is done, at most SEC seconds later"},
	{"--no-wait", NULL, VALUE_NONE, OPTION_NO_WAIT, NULL, "do not wait"},
	{"--generic", NULL, VALUE_NONE, OPTION_GENERIC, NULL, "use generic (slow) XDP where the driver has none"},
	{"--socket", NULL, VALUE_NEEDED, OPTION_SOCKET, "FILE",
	 "the agent's socket (WEIR_SOCKET, /run/weir/weir.sock)"},
	{"--timeout", NULL, VALUE_NEEDED, OPTION_TIMEOUT, "SEC", "wait so long for the agent's answer (5)"},
	{"--help", "-h", VALUE_NONE, OPTION_HELP, NULL, "show what the command does and takes"},
	{"--local", NULL, VALUE_NONE, OPTION_LATER, NULL, NULL},
	{"--dry-run", NULL, VALUE_NONE, OPTION_LATER, NULL, NULL},
	{"--confirm-within", NULL, VALUE_NEEDED, OPTION_LATER, "SEC", NULL},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

void options_init(struct options *options)
{
	const char *socket = getenv("WEIR_SOCKET");

	*options = (struct options){
		.socket = socket && *socket ? socket : "/run/weir/weir.sock",
		.timeout_ms = 5000,
		.watch_ms = 2000,
	};
}

/* "2", "0.5" -> ms. Digits and one point only: strtod alone would take "1e9", "inf" and "0x10" too. */
static int parse_seconds(const char *text, const char *name, double least, double most, uint32_t *ms,
			 struct error *error)
{
	char *end = NULL;
	double seconds = strtod(text, &end);

	if (*text == '\0' || text[strspn(text, "0123456789.")] != '\0' || *end != '\0' || seconds < least ||
	    seconds > most)
		return error_set(error, ERROR_USAGE, "%s: \"%s\" is not a number of seconds from %g to %g", name, text,
				 least, most);
	*ms = (uint32_t)(seconds * 1000);
	return 0;
}

static int take_value(struct options *options, const struct row *row, const char *value, struct error *error)
{
	switch (row->bit) {
	case OPTION_SOCKET:
		options->socket = value;
		return 0;
	case OPTION_FILE:
		options->file = value;
		return 0;
	case OPTION_TIMEOUT:
		return parse_seconds(value, row->name, 0.1, 86400, &options->timeout_ms, error);
	case OPTION_WATCH:
		return parse_seconds(value, row->name, 0.1, 86400, &options->watch_ms, error);
	case OPTION_WAIT:
		return parse_seconds(value, row->name, 0.1, 86400, &options->wait_ms, error);
	default:
		return error_set(error, ERROR_USAGE, "%s: not supported yet", row->name);
	}
}

/* The row whose name is the first `length` bytes of text. */
static const struct row *find(const char *text, size_t length, int follow)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];

		if (row->short_name && strlen(row->short_name) == length &&
		    memcmp(row->short_name, text, length) == 0 && (row->bit != OPTION_FOLLOW || follow) &&
		    (row->bit != OPTION_FILE || !follow))
			return row;
		if (strlen(row->name) == length && memcmp(row->name, text, length) == 0)
			return row;
	}
	return NULL;
}

int options_take(struct options *options, char *const *argument, int follow, struct error *error)
{
	const char *equals = strchr(argument[0], '=');
	size_t length = equals ? (size_t)(equals - argument[0]) : strlen(argument[0]);
	const struct row *row = find(argument[0], length, follow);

	if (!row)
		return error_set(error, ERROR_USAGE, "%.*s: no such option (`weir help COMMAND` lists them)",
				 (int)length, argument[0]);
	if (row->bit == OPTION_LATER)
		return error_set(error, ERROR_REFUSED, "%s: not supported yet", row->name);
	options->given |= row->bit;
	if (equals) {
		if (row->value == VALUE_NONE)
			return error_set(error, ERROR_USAGE, "%s takes no value", row->name);
		return take_value(options, row, equals + 1, error) ? -1 : 1;
	}
	if (row->value != VALUE_NEEDED)
		return 1;
	if (!argument[1])
		return error_set(error, ERROR_USAGE, "%s: its value (%s) is missing", row->name, row->value_name);
	return take_value(options, row, argument[1], error) ? -1 : 2;
}

int options_check(const struct options *options, unsigned int allowed, const char *command, struct error *error)
{
	unsigned int wrong = options->given & ~(allowed | OPTION_COMMON);

	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].bit & wrong)
			return error_set(error, ERROR_USAGE, "%s is no option of `weir %s`", rows[i].name, command);
	if (options->given & OPTION_WAIT && options->given & OPTION_NO_WAIT)
		return error_set(error, ERROR_USAGE, "--wait and --no-wait exclude each other");
	return 0;
}

void options_help(const struct screen *screen, unsigned int shown)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		char left[64];

		if (!(row->bit & shown) || !row->help)
			continue;
		snprintf(left, sizeof(left), "%s%s%s%s%s%s%s", row->short_name ? row->short_name : "",
			 row->short_name ? ", " : "", row->name, row->value == VALUE_OPTIONAL ? "[" : "",
			 row->value == VALUE_NONE ? "" : "=", row->value == VALUE_NONE ? "" : row->value_name,
			 row->value == VALUE_OPTIONAL ? "]" : "");
		fprintf(screen->out, "  %-22s %s\n", left, row->help);
	}
}

void options_list(const struct screen *screen, unsigned int shown, const char *prefix)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].bit & shown && rows[i].help && strncmp(rows[i].name, prefix, strlen(prefix)) == 0)
			fprintf(screen->out, "%s\n", rows[i].name);
}
