/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The changing verbs of the control socket: one line -> struct command -> a changed copy of the wanted config. The words are the file's.
 *
 *   service add NAME { WORDS }     service remove NAME     service set NAME WORDS
 *   backend add SERVICE ADDR [WORDS]     backend remove|drain|enable|disable SERVICE ADDR     backend set SERVICE ADDR WORDS
 *   backend weight SERVICE ADDR N
 *
 * Anywhere in it, where they mean something: --force (service remove, all of backends but add), --no-wait --wait[=SECONDS] (all of backends).
 *
 * Pure: the agent applies the result (model_apply) and remembers it (overlay_make).
 */
#ifndef WEIR_COMMAND_H
#define WEIR_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/addr.h"
#include "../lib/error.h"
#include "../lib/words.h"
#include "config.h"

enum command_verb {
	COMMAND_SERVICE_ADD,
	COMMAND_SERVICE_REMOVE,
	COMMAND_SERVICE_SET,
	COMMAND_BACKEND_ADD,
	COMMAND_BACKEND_REMOVE,
	COMMAND_BACKEND_DRAIN,
	COMMAND_BACKEND_ENABLE,
	COMMAND_BACKEND_DISABLE,
	COMMAND_BACKEND_SET,
	COMMAND_BACKEND_WEIGHT,
};

struct command {
	enum command_verb verb;
	char service[WEIR_NAME_MAX];
	struct addr addr; /* none for `service` verbs */
	bool force, no_wait, wait;
	uint32_t wait_s;        /* of --wait=SECONDS; 0 = not given */
	struct words words;     /* memory of body */
	struct statement *body; /* the file's words behind the object */
};

struct command_result {
	bool changed;   /* false: it was so already */
	char text[256]; /* `backend 10.0.0.13 added to "web"`, `backend 10.0.0.13 of "web": already draining` */
};

/* Is the line (first word `service` or `backend`) one that changes something, so that the sender needs the right to? */
bool command_changes(const char *line, size_t length);
/* 0, or -1 with error filled: ERROR_USAGE, or ERROR_REFUSED for what is not supported yet. command_free in both cases. */
int command_parse(struct command *command, const char *line, size_t length, struct error *error);
void command_free(struct command *command);
/* Changes `wanted`, checked by the same rules as a file; on error (-1) it is as it was. ERROR_NO_SUCH with a hint, ERROR_USAGE, ERROR_REFUSED. */
int command_apply(const struct command *command, struct config *wanted, struct command_result *result,
		  struct error *error);

#endif
