/* SPDX-License-Identifier: BSD-2-Clause */
/* weir-agent's command line. */
#ifndef WEIR_OPTIONS_H
#define WEIR_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "../lib/error.h"
#include "../lib/log.h"

struct options {
	const char *config, *socket, *state_dir, *bpffs;
	const char *metrics_file; /* NULL = as the configuration says */
	enum log_level log_level;
	bool check, takeover, unload, version, help;
};

/* Fills in the defaults, then what argv says. 0, or -1 with the first fault in error (code ERROR_USAGE). */
int options_parse(struct options *options, int argc, char **argv, struct error *error);
void options_help(FILE *out);

#endif
