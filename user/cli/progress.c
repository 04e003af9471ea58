/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a backend is with giving up its flows. Input: what the agent says of it. Output: texts; a line on stdout. */
#include "progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "render.h"
#include "screen.h"

enum { NUMBERS_MS = 10000 };

static const json_t *flows_of(const json_t *backend)
{
	return json_object_get(backend, "flows");
}

/* Some slot names it still: flows that have been silent since the change may be there, and nobody knows. */
static bool is_named(const json_t *backend)
{
	return json_is_true(json_object_get(flows_of(backend), "named"));
}

static const char *age(uint64_t ms, char text[NUMBER_TEXT])
{
	return number_age((double)ms / 1000, text);
}

static void add_count(struct buf *text, uint64_t count, const char *noun)
{
	char number[NUMBER_TEXT];

	buf_printf(text, "%s %s%s", number_count(count, number), noun, count == 1 ? "" : "s");
}

void progress_kept(struct buf *text, const json_t *backend)
{
	const json_t *left = json_object_get(backend, "drain_left_ms"), *flows = flows_of(backend);
	uint64_t openings = render_number(flows, "openings");
	char number[NUMBER_TEXT];

	buf_puts(text, "keeps those it has");
	if (json_is_integer(left))
		buf_printf(text, ", for %s at most", age(render_number(backend, "drain_left_ms"), number));
	if (!flows)
		return;
	buf_printf(text, ": %s known by pins", number_count(render_number(flows, "pins"), number));
	if (openings) {
		buf_puts(text, ", ");
		add_count(text, openings, "handshake");
		buf_puts(text, " under way");
	}
	if (is_named(backend))
		buf_puts(text, "; silent ones are known only after `learn`");
}

void progress_text(struct buf *text, const struct progress *progress, const json_t *backend)
{
	const json_t *flows = flows_of(backend);
	uint64_t closing = render_number(flows, "closing"), openings = render_number(flows, "openings");
	char number[NUMBER_TEXT];

	add_count(text, render_number(flows, "pins"), "pin");
	buf_printf(text, " (%s confirmed", number_count(render_number(flows, "confirmed"), number));
	if (closing)
		buf_printf(text, ", %s closing", number_count(closing, number));
	buf_puts(text, ")");
	if (openings) {
		buf_puts(text, ", ");
		add_count(text, openings, "handshake");
	}
	if (progress->has_rate)
		buf_printf(text, ", %.0f packets/s", progress->rate);
	if (render_number(flows, "longest_idle_ms"))
		buf_printf(text, ", longest idle %s", age(render_number(flows, "longest_idle_ms"), number));
	if (json_is_integer(json_object_get(backend, "drain_left_ms")))
		buf_printf(text, ", %s left", age(render_number(backend, "drain_left_ms"), number));
	else
		buf_puts(text, ", no time limit");
	if (is_named(backend))
		buf_puts(text, ", silent flows not known yet");
}

static void count(struct progress *progress, const json_t *backend, uint64_t now_ms)
{
	uint64_t packets = render_number(backend, "packets");

	if (progress->counted && now_ms > progress->counted_ms) {
		progress->has_rate = true;
		progress->rate = packets > progress->packets ? (double)(packets - progress->packets) * 1000 /
								       (double)(now_ms - progress->counted_ms)
							     : 0;
	}
	progress->counted = true;
	progress->packets = packets;
	progress->counted_ms = now_ms;
}

static bool can_rewrite(void)
{
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

/* A line that did not fit would be two, and only the second one be written over. */
static void rewrite(struct progress *progress, const char *text)
{
	struct winsize size = {.ws_col = 0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		size.ws_col = 80;
	printf("\r\033[K%.*s", size.ws_col - 1, text);
	fflush(stdout);
	progress->open = true;
}

void progress_show(struct progress *progress, const json_t *backend, uint64_t now_ms)
{
	struct buf text = {.data = NULL};
	bool named = is_named(backend), first = progress->shown.length == 0;

	count(progress, backend, now_ms);
	if (!progress->has_rate)
		return;
	progress_text(&text, progress, backend);
	if (!text.failed && can_rewrite()) {
		rewrite(progress, text.data);
	} else if (!text.failed &&
		   (first || named != progress->shown_named ||
		    (now_ms >= progress->shown_ms + NUMBERS_MS && strcmp(text.data, progress->shown.data) != 0))) {
		puts(text.data);
		fflush(stdout);
		progress->shown_named = named;
		progress->shown_ms = now_ms;
		buf_clear(&progress->shown);
		buf_puts(&progress->shown, text.data);
	}
	buf_free(&text);
}

void progress_end(struct progress *progress)
{
	if (progress->open)
		putchar('\n');
	progress->open = false;
	fflush(stdout);
}

void progress_free(struct progress *progress)
{
	buf_free(&progress->shown);
}
