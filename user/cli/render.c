/* SPDX-License-Identifier: BSD-2-Clause */
/* Status, events, texts, and what the tables of render_show.c share. Input: JSON documents. Output: a screen. */
#include "render.h"

#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"

const char *render_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

uint64_t render_number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

enum colour render_backend_counts(const json_t *counts, char *text, size_t size)
{
	static const char *const others[] = {"joining", "draining", "drained", "removing",
					     "down",    "disabled", "standby", "fallback"};
	uint64_t total = render_number(counts, "total"), up = render_number(counts, "up"),
		 fallback = render_number(counts, "fallback");
	size_t used = (size_t)snprintf(text, size, "%llu/%llu up", (unsigned long long)up, (unsigned long long)total);

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		uint64_t count = render_number(counts, others[i]);

		if (count && used < size)
			used += (size_t)snprintf(text + used, size - used, ", %llu %s", (unsigned long long)count,
						 others[i]);
	}
	if (up == 0 && fallback == 0)
		return COLOUR_RED;
	return up + render_number(counts, "standby") == total ? COLOUR_GREEN : COLOUR_YELLOW;
}

static bool same_line(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "vip"), json_object_get(b, "vip")) &&
	       json_equal(json_object_get(a, "protocol"), json_object_get(b, "protocol"));
}

bool render_listeners(const json_t *listeners, size_t *at, struct buf *text)
{
	const json_t *first = json_array_get(listeners, *at);
	const char *vip = render_string(first, "vip"), *protocol = render_string(first, "protocol");

	buf_clear(text);
	if (!first)
		return false;
	buf_printf(text, "%s %s", vip ? vip : "?", protocol ? protocol : "?");
	for (const json_t *next = first; next && same_line(first, next); next = json_array_get(listeners, ++*at)) {
		const char *ports = render_string(next, "ports");

		buf_printf(text, " %s", ports ? ports : "?");
	}
	return !text->failed;
}

void render_interfaces(const struct screen *screen, const json_t *interfaces)
{
	static const char *const actions[] = {"pass", "tx", "redirect", "drop", "aborted"};
	const json_t *interface;
	struct table table;
	size_t i;

	table_start(&table, "INTERFACE MODE ASKED DRIVER >PASS >TX >REDIRECT >DROP >ABORTED PROBLEM");
	json_array_foreach(interfaces, i, interface)
	{
		const char *mode = render_string(interface, "mode"), *problem = render_string(interface, "problem");
		const json_t *packets = json_object_get(interface, "packets");

		table_add(&table, COLOUR_NONE, render_string(interface, "name"));
		table_add(&table, screen_state_colour(mode), mode);
		table_add(&table, COLOUR_NONE, render_string(interface, "asked"));
		table_add(&table, COLOUR_NONE, render_string(interface, "driver"));
		for (size_t action = 0; action < sizeof(actions) / sizeof(actions[0]); action++) {
			char text[NUMBER_TEXT];

			table_add(&table, COLOUR_NONE, number_count(render_number(packets, actions[action]), text));
		}
		table_add(&table, COLOUR_RED, problem);
	}
	table_print(&table, screen);
}

/* ---- status ---- */

static void label(const struct screen *screen, const char *text)
{
	fprintf(screen->out, "%-9s ", text);
}

static void status_head(const struct screen *screen, const json_t *document)
{
	const json_t *config = json_object_get(document, "config");
	const char *version = render_string(document, "version"), *file = render_string(config, "file");
	const char *loaded = render_string(config, "loaded");
	uint64_t changes = render_number(config, "runtime_changes");
	char text[NUMBER_TEXT];

	label(screen, "agent");
	screen_text(screen, COLOUR_NONE, version ? version : "?");
	fprintf(screen->out, ", pid %llu, up %s\n", (unsigned long long)render_number(document, "pid"),
		number_since(render_string(document, "started"), text));
	label(screen, "config");
	screen_text(screen, COLOUR_NONE, file ? file : "-");
	fprintf(screen->out, ", generation %llu", (unsigned long long)render_number(config, "generation"));
	if (loaded)
		fprintf(screen->out, ", loaded %s ago", number_since(loaded, text));
	if (changes)
		fprintf(screen->out, ", changes by command: %llu", (unsigned long long)changes);
	fputs(", ", screen->out);
	if (json_is_false(json_object_get(config, "ok")))
		screen_text(screen, COLOUR_RED, "the last reload failed, the configuration before it is in force");
	else
		screen_text(screen, COLOUR_GREEN, "ok");
	putc('\n', screen->out);
}

static void add_moving(struct table *table, uint64_t slots)
{
	char text[NUMBER_TEXT];

	if (slots)
		table_addf(table, COLOUR_NONE, "%s slots", number_count(slots, text));
	else
		table_add(table, COLOUR_NONE, "settled");
}

static void status_services(const struct screen *screen, const json_t *services)
{
	struct buf listeners = {.data = NULL};
	const json_t *service;
	bool moving = false; /* some slots are in transition */
	struct table table;
	size_t i;

	json_array_foreach(services, i, service) moving = moving || render_number(service, "slots_in_transition");
	table_start(&table,
		    moving ? "SERVICE STATE BACKENDS TRANSITION LISTENERS" : "SERVICE STATE BACKENDS LISTENERS");
	json_array_foreach(services, i, service)
	{
		bool up = json_is_true(json_object_get(service, "up"));
		enum colour colour;
		char counts[128];
		size_t at = 0;

		table_add(&table, COLOUR_NONE, render_string(service, "name"));
		table_add(&table, up ? COLOUR_GREEN : COLOUR_RED, up ? "up" : "down");
		colour = render_backend_counts(json_object_get(service, "backends"), counts, sizeof(counts));
		table_add(&table, colour, counts);
		if (moving)
			add_moving(&table, render_number(service, "slots_in_transition"));
		table_add(&table, COLOUR_NONE,
			  render_listeners(json_object_get(service, "listeners"), &at, &listeners) ? listeners.data
												   : NULL);
		while (render_listeners(json_object_get(service, "listeners"), &at, &listeners)) {
			table_skip(&table, table.columns - 1);
			table_add(&table, COLOUR_NONE, listeners.data);
		}
	}
	table_print(&table, screen);
	buf_free(&listeners);
}

void render_status(const struct screen *screen, const json_t *document)
{
	const json_t *problems = json_object_get(document, "problems");
	const json_t *problem;
	size_t i;

	status_head(screen, document);
	json_array_foreach(problems, i, problem)
	{
		label(screen, i ? "" : "problems");
		screen_text(screen, COLOUR_RED, json_string_value(problem) ? json_string_value(problem) : "?");
		putc('\n', screen->out);
	}
	if (json_array_size(problems) == 0) {
		label(screen, "problems");
		fputs("none\n", screen->out);
	}
	if (json_array_size(json_object_get(document, "interfaces"))) {
		putc('\n', screen->out);
		render_interfaces(screen, json_object_get(document, "interfaces"));
	}
	putc('\n', screen->out);
	if (json_array_size(json_object_get(document, "services")))
		status_services(screen, json_object_get(document, "services"));
	else
		fputs("no services\n", screen->out);
}

/* ---- events, texts ---- */

void render_event(const struct screen *screen, const json_t *document)
{
	const char *time = render_string(document, "time"), *kind = render_string(document, "kind");
	const char *service = render_string(document, "service"), *backend = render_string(document, "backend");
	const char *text = render_string(document, "text");

	fprintf(screen->out, "%s  ", time ? time : "-");
	screen_text(screen, COLOUR_BOLD, kind ? kind : "-");
	fprintf(screen->out, "%*s  ", kind && strlen(kind) < 18 ? (int)(18 - strlen(kind)) : 0, "");
	screen_text(screen, COLOUR_NONE, service ? service : "");
	screen_text(screen, COLOUR_NONE, service && backend ? " " : "");
	screen_text(screen, COLOUR_NONE, backend ? backend : "");
	screen_text(screen, COLOUR_NONE, (service || backend) && text ? ": " : "");
	screen_text(screen, COLOUR_NONE, text ? text : "");
	putc('\n', screen->out);
}

void render_text(const struct screen *screen, const json_t *document)
{
	const json_t *text = json_object_get(document, "text");
	const json_t *line;
	size_t i;

	if (json_is_string(text)) {
		screen_line(screen, json_string_value(text));
	} else if (json_is_array(text)) {
		json_array_foreach(text, i, line)
			screen_line(screen, json_string_value(line) ? json_string_value(line) : "");
	} else {
		char *dump = json_dumps(document, JSON_INDENT(2));

		screen_line(screen, dump ? dump : "");
		free(dump);
	}
}
