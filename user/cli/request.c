/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that the agent carries out. Input: a call. Output: stdout for what was asked, stderr for what went wrong,
 * the exit code.
 */
#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "client.h"
#include "complain.h"
#include "request_line.h"

struct answer {
	const struct call *call;
	struct screen screen;
	unsigned int documents;
};

static bool print_document(void *arg, const char *line, const json_t *document)
{
	struct answer *answer = arg;
	const struct screen *screen = &answer->screen;

	answer->documents++;
	if (answer->call->options.given & OPTION_JSON)
		fprintf(screen->out, "%s\n", line);
	else
		answer->call->command->render(screen, document);
	if (answer->call->options.given & OPTION_FOLLOW)
		fflush(screen->out);
	return !ferror(screen->out);
}

/* With --json and no data, the verdict is the document. */
static void print_verdict_json(const struct answer *answer, const json_t *verdict)
{
	json_t *document = json_pack("{s:i, s:O*, s:O*}", "schema_version", 1, "text", json_object_get(verdict, "text"),
				     "warnings", json_object_get(verdict, "warnings"));
	char *text = json_dumps(document, JSON_COMPACT);

	if (text)
		fprintf(answer->screen.out, "%s\n", text);
	free(text);
	json_decref(document);
}

static void print_warnings(const json_t *verdict)
{
	const json_t *warning;
	size_t i;

	json_array_foreach(json_object_get(verdict, "warnings"), i, warning)
	{
		if (json_string_value(warning))
			complain_text("warning: ", json_string_value(warning));
	}
}

/* The verdict's exit code; why it is not 0 is said, whole: a reload may have many errors. */
static int tell_code(const json_t *verdict)
{
	const json_t *code = json_object_get(verdict, "code");
	const char *error = json_string_value(json_object_get(verdict, "error"));

	if (!json_is_integer(code) || json_integer_value(code) < 0 || json_integer_value(code) > ERROR_TIMEOUT) {
		complain_text(
			"", "the agent's verdict has no code that this program knows: are they of different versions?");
		return ERROR_REFUSED;
	}
	if (json_integer_value(code) != 0)
		complain_text("", error ? error : "the agent refused, and did not say why");
	return (int)json_integer_value(code);
}

/* What the agent did, if that is all there is to say. */
static void print_verdict(const struct answer *answer, const json_t *verdict)
{
	const char *text = json_string_value(json_object_get(verdict, "text"));

	if (answer->call->options.given & OPTION_JSON)
		print_verdict_json(answer, verdict);
	else if (text && *text)
		screen_line(&answer->screen, text);
}

/* The exit code; the verdict is the caller's. */
static int ask_for(struct answer *answer, const struct buf *line, json_t **verdict)
{
	const struct options *options = &answer->call->options;
	struct client_request request = {
		.socket = options->socket,
		.text = line->data,
		.length = line->length,
		.timeout_ms = options->timeout_ms,
		.endless = options->given & OPTION_FOLLOW,
		.each = print_document,
		.arg = answer,
	};
	struct error error = {.code = ERROR_NONE};

	if (client_ask(&request, verdict, &error))
		return complain(&error);
	print_warnings(*verdict);
	return *verdict ? tell_code(*verdict) : ERROR_NONE;
}

static int ask(struct answer *answer, const struct buf *line)
{
	json_t *verdict;
	int code = ask_for(answer, line, &verdict);

	if (verdict && code == ERROR_NONE && answer->documents == 0)
		print_verdict(answer, verdict);
	json_decref(verdict);
	return code;
}

/* ---- once, or again and again ---- */

static int run_once(const struct call *call, const struct buf *line)
{
	struct answer answer = {.call = call, .screen = {stdout, screen_wants_colour(stdout)}};

	return ask(&answer, line);
}

static void print_heading(const struct call *call, const struct buf *line)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[64];

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
	printf("weir %s: every %g s, %s\n\n", line->data, call->options.watch_ms / 1000.0, text);
}

/*
 * Each picture is made as a whole and then shown, so that it does not flicker. While the agent is away (a restart) the
 * last one stays, and that is said below it; what is wrong with the command itself ends it.
 */
static int run_watch(const struct call *call, const struct buf *line)
{
	bool json = call->options.given & OPTION_JSON, terminal = isatty(STDOUT_FILENO) && !json;
	struct timespec pause = {call->options.watch_ms / 1000, (long)(call->options.watch_ms % 1000) * 1000000};

	for (unsigned int round = 0;; round++) {
		struct answer answer = {.call = call, .screen = {NULL, screen_wants_colour(stdout)}};
		char *text = NULL;
		size_t length = 0;
		int code;

		answer.screen.out = open_memstream(&text, &length);
		if (!answer.screen.out)
			return ERROR_REFUSED;
		code = ask(&answer, line);
		fclose(answer.screen.out);
		if (terminal && !code)
			fputs("\033[H\033[2J", stdout);
		if (!json && !code)
			print_heading(call, line);
		fwrite(text, 1, length, stdout);
		free(text);
		if (fflush(stdout))
			return ERROR_REFUSED;
		if (code && (round == 0 || code != ERROR_UNREACHABLE))
			return code;
		nanosleep(&pause, NULL);
	}
}

int request_run(const struct call *call)
{
	struct buf line = {.data = NULL};
	struct error error = {.code = ERROR_NONE};
	int code;

	if (request_line(&line, call, &error))
		code = complain(&error);
	else if (call->options.given & OPTION_WATCH)
		code = run_watch(call, &line);
	else
		code = run_once(call, &line);
	buf_free(&line);
	return code;
}

int request_change(const struct call *call, json_t **verdict)
{
	struct answer answer = {.call = call, .screen = {stdout, screen_wants_colour(stdout)}};
	struct buf line = {.data = NULL};
	struct error error = {.code = ERROR_NONE};
	int code;

	*verdict = NULL;
	code = request_line(&line, call, &error) ? complain(&error) : ask_for(&answer, &line, verdict);
	buf_free(&line);
	return code;
}

int request_diff(const struct call *call)
{
	if (call->words == 0)
		return request_run(call);
	complain_text("diff ", "FILE: not supported yet");
	return ERROR_REFUSED;
}

int request_quietly(const struct call *call, const char *text,
		    bool (*each)(void *arg, const char *line, const json_t *document), void *arg, struct error *error)
{
	struct client_request request = {
		.socket = call->options.socket,
		.text = text,
		.length = strlen(text),
		.timeout_ms = call->options.timeout_ms,
		.each = each,
		.arg = arg,
	};
	json_t *verdict;

	if (client_ask(&request, &verdict, error))
		return -1;
	json_decref(verdict);
	return 0;
}

/* Keeps what the agent says of its version. */
static bool take_version(void *arg, const char *line, const json_t *document)
{
	char **version = arg;
	const char *text = json_string_value(json_object_get(document, "version"));

	(void)line;
	if (text && !*version)
		*version = strdup(text);
	return true;
}

int request_version(const struct call *call)
{
	struct error error = {.code = ERROR_NONE};
	struct screen screen = {.out = stdout};
	char *agent = NULL;
	int rc = request_quietly(call, "version", take_version, &agent, &error);
	json_t *document = json_pack("{s:i, s:s, s:s?}", "schema_version", 1, "weir", WEIR_VERSION, "agent", agent);

	if (!rc && !agent)
		rc = error_set(&error, ERROR_REFUSED, "the agent at %s does not say its version", call->options.socket);
	if (call->options.given & OPTION_JSON) {
		json_dumpf(document, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		puts("weir " WEIR_VERSION);
		fputs(agent ? "weir-agent " : "", stdout);
		if (agent)
			screen_line(&screen, agent);
	}
	json_decref(document);
	free(agent);
	fflush(stdout);
	return rc ? complain(&error) : 0;
}
