/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to the agent: one request line over its unix socket, JSON lines back, the last of them the agent's verdict. */
#ifndef WEIR_CLI_CLIENT_H
#define WEIR_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/error.h"

struct client_request {
	const char *socket;
	const char *text; /* without the newline */
	size_t length;
	uint32_t timeout_ms; /* for all of it */
	bool endless;        /* no limit once the request is sent */
	/* For each line but the last; false ends it all (client_ask then returns 0 and no verdict). `line` is `document` as it came. */
	bool (*each)(void *arg, const char *line, const json_t *document);
	void *arg;
};

/*
 * Asks. 0 and *verdict (the last line: {"done":true,"code":0,...}; the caller's to json_decref), or -1 with error filled:
 * ERROR_UNREACHABLE when no agent answers, ERROR_REFUSED when what answers is not understood.
 */
int client_ask(const struct client_request *request, json_t **verdict, struct error *error);

#endif
