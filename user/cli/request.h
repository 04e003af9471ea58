/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that the agent carries out: words -> request -> answer -> screen. */
#ifndef WEIR_CLI_REQUEST_H
#define WEIR_CLI_REQUEST_H

#include "command.h"

/*
 * Sends the command's words as they are. Prints data lines by the command's renderer (or as JSON), the verdict's text,
 * errors. Returns the exit code.
 */
int request_run(const struct call *call);
/* The same for a change of which there is more to tell: prints no verdict but hands it over, the caller's to json_decref. */
int request_change(const struct call *call, json_t **verdict);
/* `diff`: as request_run, but FILE is not supported yet. */
int request_diff(const struct call *call);
/* The versions of this program and of the agent. */
int request_version(const struct call *call);
/* Asks and prints nothing: `each` gets the data lines. 0 whatever the verdict, or -1 with error filled if there is none. */
int request_quietly(const struct call *call, const char *text,
		    bool (*each)(void *arg, const char *line, const json_t *document), void *arg, struct error *error);

#endif
