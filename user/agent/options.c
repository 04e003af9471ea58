/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weir-agent's command line: one table makes the parser and the help. In: argv. Out: struct options, which points
 * into argv. Options are matched whole: a cut-off `--take` is an error and not `--takeover`.
 */
#include "options.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

struct row {
	const char *name, *argument; /* argument NULL: a switch */
	size_t offset;               /* of a `const char *`, or of a `bool` for a switch */
	const char *standard;        /* default */
	const char *help;
};

#define FIELD(name) offsetof(struct options, name)

static const struct row rows[] = {
	{"config", "FILE", FIELD(config), "/etc/weir/weir.conf", "configuration"},
	{"socket", "FILE", FIELD(socket), "/run/weir/weir.sock", "where `weir` finds this agent"},
	{"state-dir", "DIR", FIELD(state_dir), "/var/lib/weir", "runtime changes and events, kept over restarts"},
	{"bpffs", "DIR", FIELD(bpffs), "/sys/fs/bpf/weir", "pins of program, maps and links"},
	{"metrics-file", "FILE", FIELD(metrics_file), NULL, "instead of the configuration's `metrics { file }`"},
	{"log-level", "LEVEL", SIZE_MAX, "info", "error, warn, info or debug"},
	{"check", NULL, FIELD(check), NULL, "check the configuration and exit: 0 good, 78 bad; needs no root"},
	{"takeover", NULL, FIELD(takeover), NULL,
	 "take over from the running agent (upgrade); if there is none, just start"},
	{"unload", NULL, FIELD(unload), NULL, "detach from all interfaces and remove the pins: forwarding ends"},
	{"version", NULL, FIELD(version), NULL, "print the version and exit"},
	{"help", NULL, FIELD(help), NULL, "print this and exit"},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static int set(struct options *options, const struct row *row, const char *value, struct error *error)
{
	if (!row->argument)
		*(bool *)(void *)((char *)options + row->offset) = true;
	else if (row->offset != SIZE_MAX)
		*(const char **)(void *)((char *)options + row->offset) = value;
	else if (log_level_parse(value, &options->log_level) != 0)
		return error_set(error, ERROR_USAGE, "--log-level %s: must be error, warn, info or debug", value);
	return 0;
}

static const struct row *find(const char *name, size_t length)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
			return &rows[i];
	return NULL;
}

/* One option at argv[*at]; *at ends on its last word. */
static int option_parse(struct options *options, int argc, char **argv, int *at, struct error *error)
{
	const char *word = argv[*at], *value = NULL;
	const char *equals = strchr(word, '=');
	const struct row *row = NULL;

	if (strncmp(word, "--", 2) == 0)
		row = find(word + 2, equals ? (size_t)(equals - word) - 2 : strlen(word) - 2);
	if (!row)
		return error_set(error, ERROR_USAGE, "%s: no such option (see --help)", word);
	if (equals)
		value = equals + 1;
	if (!row->argument && value)
		return error_set(error, ERROR_USAGE, "--%s takes no value", row->name);
	if (row->argument && !value && *at + 1 < argc)
		value = argv[++*at];
	if (row->argument && (!value || !*value))
		return error_set(error, ERROR_USAGE, "--%s: %s is missing", row->name, row->argument);
	return set(options, row, value, error);
}

int options_parse(struct options *options, int argc, char **argv, struct error *error)
{
	struct sockaddr_un address;

	memset(options, 0, sizeof(*options));
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].standard && set(options, &rows[i], rows[i].standard, error) != 0)
			return -1;
	for (int i = 1; i < argc; i++)
		if (option_parse(options, argc, argv, &i, error) != 0)
			return -1;
	if (strlen(options->socket) >= sizeof(address.sun_path))
		return error_set(error, ERROR_USAGE,
				 "--socket %s: longer than the %zu bytes that a socket's path may have",
				 options->socket, sizeof(address.sun_path) - 1);
	if (options->check + options->takeover + options->unload > 1)
		return error_set(error, ERROR_USAGE, "--check, --takeover and --unload exclude each other");
	return 0;
}

void options_help(FILE *out)
{
	char left[40];

	fprintf(out,
		"Usage: weir-agent [OPTION]...\nForwards packets of virtual addresses to backends by XDP; `weir` shows and changes what it does.\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		snprintf(left, sizeof(left), "--%s %s", rows[i].name, rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-22s %s", left, rows[i].help);
		fprintf(out, rows[i].standard ? " (default %s)\n" : "\n", rows[i].standard);
	}
}
