/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for a change of a backend. Input: a call; then, again and again, what the agent says of the backend
 * (`show backends SERVICE`). Output: lines for people as things change, or one JSON document at the end.
 *
 *   request_change -> look, judge, tell, pause; look, judge, tell, pause; ... -> exit code
 */
#include "wait.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/addr.h"
#include "../lib/buf.h"
#include "client.h"
#include "complain.h"
#include "progress.h"
#include "request.h"

enum {
	HOLD_MS = 4000,    /* the agent holds for at most 3 s */
	SOON_MS = 100,     /* between two looks while something is to happen soon */
	LATER_MS = 1000,   /* and else */
	LEAST_ASK_MS = 200 /* so long an answer is waited for, however little time is left */
};

enum goal { GOAL_DRAINED, GOAL_GONE, GOAL_UP, GOAL_OFF };

enum verdict {
	GOES_ON, /* not there yet */
	ENOUGH,  /* not there yet, but all that was asked for */
	REACHED,
	IN_VAIN, /* it is something that the goal does not follow from */
};

struct wait {
	const struct call *call;
	enum goal goal;
	struct buf question;
	char service[64], address[ADDR_TEXT];
	char name[160]; /* backend 10.0.0.11 of "web" */
	uint64_t start_ms;
	bool heard;   /* the answer to the last question had a list of backends */
	bool away;    /* the last question got no answer of use */
	bool known;   /* it gave one before */
	bool told;    /* that no new flows go to it */
	json_t *said; /* what it said last of the backend; NULL: there is none such */
	struct progress progress;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_given(const struct wait *wait, unsigned int option)
{
	return wait->call->options.given & option;
}

/* How long it may take; 0: for ever. */
static uint32_t limit_ms(const struct wait *wait)
{
	return is_given(wait, OPTION_WAIT) ? wait->call->options.wait_ms : HOLD_MS;
}

static const char *state_of(const struct wait *wait)
{
	const char *state = json_string_value(json_object_get(wait->said, "state"));

	return state ? state : wait->said ? "unknown" : "gone";
}

static bool state_is_one_of(const struct wait *wait, const char *const *states)
{
	for (; *states; states++)
		if (strcmp(state_of(wait), *states) == 0)
			return true;
	return false;
}

/* New flows may still go to it. */
static bool is_holding(const struct wait *wait)
{
	return json_is_true(json_object_get(json_object_get(wait->said, "flows"), "holding"));
}

/* ---- looking ---- */

static bool find_backend(void *arg, const char *line, const json_t *document)
{
	struct wait *wait = arg;
	const json_t *backends = json_object_get(document, "backends");
	json_t *backend;
	size_t i;

	(void)line;
	wait->heard = wait->heard || json_is_array(backends);
	json_array_foreach(backends, i, backend)
	{
		const char *address = json_string_value(json_object_get(backend, "address"));

		if (!wait->said && address && strcmp(address, wait->address) == 0)
			wait->said = json_incref(backend);
	}
	return true;
}

/* What it said before stays known while it is away; that it went and that it is back is said once each. */
static void set_away(struct wait *wait, bool away, const char *why)
{
	if (away == wait->away)
		return;
	wait->away = away;
	progress_end(&wait->progress);
	if (away)
		complain_text(why, "; waiting for the agent to come back");
	else
		complain_text("", "the agent is back");
}

static void look(struct wait *wait, uint64_t end_ms)
{
	uint64_t now = now_ms(), left = end_ms > now + LEAST_ASK_MS ? end_ms - now : LEAST_ASK_MS;
	uint32_t timeout = wait->call->options.timeout_ms;
	struct client_request request = {
		.socket = wait->call->options.socket,
		.text = wait->question.data,
		.length = wait->question.length,
		.timeout_ms = left < timeout ? (uint32_t)left : timeout,
		.each = find_backend,
		.arg = wait,
	};
	struct error error = {.code = ERROR_NONE};
	json_t *before = wait->said, *verdict;
	json_int_t code;

	wait->said = NULL;
	wait->heard = false;
	if (client_ask(&request, &verdict, &error) == 0) {
		const char *why = json_string_value(json_object_get(verdict, "error"));

		code = json_integer_value(json_object_get(verdict, "code"));
		if (code != ERROR_NO_SUCH &&
		    (code != ERROR_NONE || !wait->heard)) /* no such service: no such backend */
			error_set(&error, ERROR_REFUSED, "%s", why ? why : "the agent does not tell of backends");
		json_decref(verdict);
	}
	if (error.code) {
		json_decref(wait->said);
		wait->said = before;
		set_away(wait, true, error.text);
		return;
	}
	json_decref(before);
	set_away(wait, false, "");
	wait->known = true;
}

/* ---- judging ---- */

static enum verdict judge(const struct wait *wait)
{
	static const char *const is_up[] = {"up", "fallback", "standby", NULL};
	static const char *const is_drained[] = {"drained", "disabled", "gone", NULL};
	static const char *const is_off[] = {"disabled", "gone", NULL};
	static const char *const can_come_up[] = {"joining", "down", NULL};
	static const char *const can_drain[] = {"draining", "removing", "down", NULL};
	bool settles_for_hold = (wait->goal == GOAL_DRAINED || wait->goal == GOAL_GONE) && !is_given(wait, OPTION_WAIT);
	bool reached = false, can = false;

	if (wait->away || !wait->known)
		return GOES_ON;
	switch (wait->goal) {
	case GOAL_DRAINED:
		reached = state_is_one_of(wait, is_drained);
		can = state_is_one_of(wait, can_drain);
		break;
	case GOAL_GONE:
		reached = !wait->said;
		can = state_is_one_of(wait, can_drain) || state_is_one_of(wait, is_drained);
		break;
	case GOAL_UP:
		reached = state_is_one_of(wait, is_up);
		can = state_is_one_of(wait, can_come_up);
		break;
	case GOAL_OFF:
		reached = state_is_one_of(wait, is_off);
		break;
	}
	if (reached)
		return REACHED;
	if (!can)
		return IN_VAIN;
	return settles_for_hold && !is_holding(wait) ? ENOUGH : GOES_ON;
}

/* ---- telling ---- */

static void say(struct wait *wait, const char *text)
{
	struct screen screen = {.out = stdout};

	progress_end(&wait->progress);
	screen_text(&screen, COLOUR_NONE, wait->name);
	fputs(": ", stdout);
	screen_line(&screen, text);
	fflush(stdout);
}

/* Once: that the hold is over, and what is left. */
static void tell_hold_over(struct wait *wait)
{
	struct buf text = {.data = NULL};

	if (wait->told || is_holding(wait))
		return;
	wait->told = true;
	buf_puts(&text, "takes no new flows, ");
	progress_kept(&text, wait->said);
	if (wait->goal == GOAL_GONE)
		buf_puts(&text, "; then it is gone");
	if (!text.failed)
		say(wait, text.data);
	buf_free(&text);
}

static void tell_reached(struct wait *wait)
{
	const char *state = state_of(wait);

	if (strcmp(state, "drained") == 0)
		say(wait, "drained: it has no flows any more");
	else if (strcmp(state, "disabled") == 0)
		say(wait, "disabled: it gets nothing");
	else
		say(wait, state);
}

static void tell(struct wait *wait, enum verdict verdict)
{
	bool gives_up_flows = wait->goal == GOAL_DRAINED || wait->goal == GOAL_GONE;

	if (is_given(wait, OPTION_JSON) || wait->away || !wait->known)
		return;
	if (verdict == REACHED)
		tell_reached(wait);
	else if (gives_up_flows && verdict != IN_VAIN)
		tell_hold_over(wait);
	if (verdict == GOES_ON && wait->told)
		progress_show(&wait->progress, wait->said, now_ms());
}

/* The one document, when all is over. */
static void tell_json(const struct wait *wait, const json_t *verdict)
{
	json_t *document = json_pack("{s:i, s:O*, s:O*, s:s, s:s, s:s*, s:O*, s:O*, s:I}", "schema_version", 1, "text",
				     json_object_get(verdict, "text"), "warnings", json_object_get(verdict, "warnings"),
				     "service", wait->service, "address", wait->address, "state",
				     wait->known ? state_of(wait) : NULL, "flows", json_object_get(wait->said, "flows"),
				     "drain_left_ms", json_object_get(wait->said, "drain_left_ms"), "waited_ms",
				     (json_int_t)(now_ms() - wait->start_ms));

	json_dumpf(document, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(document);
}

/* Why it ended without what was waited for. */
static int complain_in_vain(struct wait *wait)
{
	const char *way = json_string_value(json_object_get(json_object_get(wait->said, "way"), "text"));
	double seconds = limit_ms(wait) / 1000.0;
	struct error error = {.code = ERROR_NONE};
	struct buf left = {.data = NULL};

	progress_end(&wait->progress);
	progress_text(&left, &wait->progress, wait->said);
	if (wait->away || !wait->known)
		error_set(&error, ERROR_TIMEOUT, "%s: waited %g s; how far it is only the agent knows, and it is away",
			  wait->name, seconds);
	else if (judge(wait) == IN_VAIN)
		error_set(&error, ERROR_TIMEOUT, "%s: is %s: it was changed again, or has weight 0", wait->name,
			  state_of(wait));
	else if (wait->goal == GOAL_UP)
		error_set(&error, ERROR_TIMEOUT, "%s: still %s after %g s%s%s", wait->name, state_of(wait), seconds,
			  way && *way ? ": " : "", way ? way : "");
	else if (is_holding(wait))
		error_set(&error, ERROR_TIMEOUT, "%s: still gets new flows after %g s; `weir show backends` tells on",
			  wait->name, seconds);
	else
		error_set(&error, ERROR_TIMEOUT, "%s: still %s after %g s, and goes on: %s", wait->name, state_of(wait),
			  seconds, left.failed ? "" : left.data);
	buf_free(&left);
	return complain(&error);
}

/* ---- waiting ---- */

static char interrupted_text[256];

/* Nothing is to be undone: it says what goes on without it, and dies of the signal as if it had not been caught. */
static void on_signal(int number)
{
	if (write(STDERR_FILENO, interrupted_text, strlen(interrupted_text)) < 0)
		_exit(128 + number);
	signal(number, SIG_DFL);
	raise(number);
}

static void catch_signals(const struct wait *wait)
{
	static const int numbers[] = {SIGINT, SIGTERM};
	struct sigaction action = {.sa_handler = on_signal}, old;

	snprintf(interrupted_text, sizeof(interrupted_text),
		 "\nweir: %s: no longer waited for; what was begun goes on\n", wait->name);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

static enum verdict wait_for(struct wait *wait)
{
	uint64_t end_ms = limit_ms(wait) ? wait->start_ms + limit_ms(wait) : UINT64_MAX;

	for (;;) {
		enum verdict verdict;
		uint64_t now, pause;

		look(wait, end_ms);
		verdict = judge(wait);
		tell(wait, verdict);
		now = now_ms();
		if (verdict != GOES_ON || now >= end_ms)
			return verdict;
		pause = !wait->told && now < wait->start_ms + HOLD_MS ? SOON_MS : LATER_MS;
		if (pause > end_ms - now)
			pause = end_ms - now;
		nanosleep(&(struct timespec){(time_t)(pause / 1000), (long)(pause % 1000) * 1000000}, NULL);
	}
}

static int wait_after(struct wait *wait, const json_t *verdict)
{
	struct screen screen = {.out = stdout};
	const char *text = json_string_value(json_object_get(verdict, "text"));
	enum verdict end;

	if (!is_given(wait, OPTION_JSON) && text && *text)
		screen_line(&screen, text);
	fflush(stdout);
	catch_signals(wait);
	end = wait_for(wait);
	if (is_given(wait, OPTION_JSON))
		tell_json(wait, verdict);
	return end == REACHED || end == ENOUGH ? ERROR_NONE : complain_in_vain(wait);
}

/* The words behind the command: the backend, and how to ask for it. 0 or -1 with error filled. */
static int find_out(struct wait *wait, struct error *error)
{
	const struct call *call = wait->call;
	size_t at = call->words > 2 && word_is(&call->word[1], "backend") ? 2 : 1; /* as `show config` prints it */
	struct addr addr;

	if (call->words <= at)
		return error_set(error, ERROR_USAGE,
				 "%s: --wait needs the backend's address among the words, not in a file",
				 call->command->words);
	snprintf(wait->service, sizeof(wait->service), "%s", call->word[0].text);
	if (addr_parse(call->word[at].text, call->word[at].length, &addr) == 0)
		addr_format(&addr, wait->address);
	snprintf(wait->name, sizeof(wait->name), "backend %s of \"%s\"", wait->address, wait->service);
	buf_puts(&wait->question, "show backends ");
	words_quote(&wait->question, call->word[0].text, call->word[0].length);
	return wait->question.failed ? error_set(error, ERROR_REFUSED, "out of memory") : 0;
}

static int run(const struct call *call, enum goal goal)
{
	struct wait wait = {.call = call, .goal = goal};
	struct error error = {.code = ERROR_NONE};
	json_t *verdict = NULL;
	int code;

	if (find_out(&wait, &error)) {
		code = complain(&error);
	} else {
		code = request_change(call, &verdict);
		wait.start_ms = now_ms();
		if (code == ERROR_NONE)
			code = wait_after(&wait, verdict);
	}
	json_decref(verdict);
	json_decref(wait.said);
	progress_free(&wait.progress);
	buf_free(&wait.question);
	return code;
}

int wait_drain(const struct call *call)
{
	return call->options.given & OPTION_NO_WAIT ? request_run(call) : run(call, GOAL_DRAINED);
}

int wait_remove(const struct call *call)
{
	bool at_once = call->options.given & (OPTION_NO_WAIT | OPTION_FORCE) && !(call->options.given & OPTION_WAIT);

	return at_once ? request_run(call) : run(call, GOAL_GONE);
}

int wait_up(const struct call *call)
{
	return call->options.given & OPTION_WAIT ? run(call, GOAL_UP) : request_run(call);
}

int wait_off(const struct call *call)
{
	return call->options.given & OPTION_WAIT ? run(call, GOAL_OFF) : request_run(call);
}
