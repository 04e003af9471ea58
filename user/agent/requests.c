/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of requests. In: a line of the control socket. Out: the function that answers it, if the client may ask
 * for it: everybody who can connect may read; changes need root, or membership of `control { write group NAME; }`.
 */
#include "requests.h"

#include <string.h>

#include "../lib/log.h"
#include "../model/command.h"
#include "changes.h"
#include "explain.h"
#include "reload.h"
#include "report.h"
#include "takeover.h"

static void version(struct request *request)
{
	struct json json;

	json_init(&json, request->out);
	json_add_object(&json, NULL);
	json_add_uint(&json, "schema_version", 1);
	json_add_string(&json, "version", WEIR_VERSION);
	json_add_uint(&json, "layout", WEIR_LAYOUT);
	json_end_object(&json);
	json_end_line(&json);
	reply_done(request, "%s", "");
}

/* The last events; with `follow` the connection gets each new one as well, until it is closed. */
static void events(struct request *request)
{
	const struct events *events = &request->agent->events;
	bool follow = request->words == 2 && word_is(&request->word[1], "follow");

	if (request->words > 1 && !follow) {
		(void)reply_error(request, ERROR_USAGE, "events [follow]: %s is neither", request->word[1].text);
		return;
	}
	for (size_t i = 0; i < events->count; i++)
		buf_puts(request->out, events_line(events, i));
	request->connection->following = follow;
	request->done = follow;
	if (!follow)
		reply_done(request, "%s", "");
}

enum right { READ, WRITE, ROOT };

static const struct row {
	const char *verb;
	enum right right;
	void (*run)(struct request *request); /* NULL: not supported yet */
} rows[] = {
	{"status", READ, report_status},
	{"show", READ, report_show},
	{"events", READ, events},
	{"explain", READ, explain_request},
	{"diff", READ, changes_diff},
	{"version", READ, version},
	{"service", WRITE, changes_command},
	{"backend", WRITE, changes_command},
	{"revert", WRITE, changes_revert},
	{"save", WRITE, changes_save},
	{"reload", WRITE, reload_request},
	{"takeover", ROOT, takeover_request},
	{"vrrp", READ, NULL},
	{"apply", READ, NULL},
	{"confirm", READ, NULL},
	{"rollback", READ, NULL},
	{"trace", READ, NULL},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool may(const struct request *request, enum right right)
{
	const struct agent *agent = request->agent;

	if (right == READ || request->connection->peer.uid == 0)
		return true;
	return right == WRITE && agent->write_group != (gid_t)-1 &&
	       connection_in_group(request->connection, agent->write_group);
}

static int refuse_right(struct request *request, const struct row *row)
{
	const char *group = request->agent->wanted.write_group;

	log_warn("control: %s refused to pid %d, uid %u", row->verb, request->connection->peer.pid,
		 request->connection->peer.uid);
	if (row->right == ROOT)
		return reply_error(request, ERROR_REFUSED, "%s: only root may", row->verb);
	if (*group)
		return reply_error(request, ERROR_REFUSED, "%s: only root and members of group %s may", row->verb,
				   group);
	return reply_error(request, ERROR_REFUSED, "%s: only root may (`control { write group NAME; }` lets a group)",
			   row->verb);
}

static int refuse_verb(struct request *request, const char *verb)
{
	const char *verbs[ROWS], *nearest;

	for (size_t i = 0; i < ROWS; i++)
		verbs[i] = rows[i].verb;
	nearest = words_nearest(verb, verbs, ROWS);
	if (nearest)
		return reply_error(request, ERROR_USAGE, "%s: no such request (did you mean \"%s\"?)", verb, nearest);
	return reply_error(request, ERROR_USAGE, "%s: no such request", verb);
}

static void answer(struct request *request)
{
	const char *verb = request->word[0].text;
	const struct row *row = NULL;

	for (size_t i = 0; i < ROWS && !row; i++)
		if (word_is(&request->word[0], rows[i].verb))
			row = &rows[i];
	if (!row)
		(void)refuse_verb(request, verb);
	else if (!may(request, row->right))
		(void)refuse_right(request, row);
	else if (!row->run)
		(void)reply_error(request, ERROR_REFUSED, "%s: not supported yet", verb);
	else
		row->run(request);
	if (!request->done)
		(void)reply_error(request, ERROR_REFUSED, "%s: a fault in weir: it was not answered", verb);
}

void requests_answer(void *arg, struct connection *connection, char *line, size_t length)
{
	struct request request = {
		.agent = arg,
		.connection = connection,
		.line = line,
		.length = length,
		.out = &connection->out,
		.warnings = {.limit = REQUEST_BYTES_MAX},
	};
	struct errors errors = {0};
	struct error error = {0};
	struct words words;

	if (words_scan(&words, line, length, WORDS_LINE, NULL, &errors) != 0) {
		errors_first(&errors, &error);
		(void)reply_error_text(&request, ERROR_USAGE, error.text);
	} else if (!words.first) {
		(void)reply_error(&request, ERROR_USAGE, "a request is a line of words, this one is empty");
	} else if (words.first->next && !command_changes(line, length)) {
		(void)reply_error(&request, ERROR_USAGE, "one request a line, this one holds more");
	} else {
		request.word = words.first->word;
		request.words = words.first->words;
		answer(&request);
	}
	words_free(&words);
	errors_free(&errors);
	buf_free(&request.warnings);
}
