/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of `weir show`. Input: JSON documents. Output: a screen. */
#include <string.h>

#include "../lib/buf.h"
#include "render.h"

static void add_counts(struct table *table, const json_t *object)
{
	char text[NUMBER_TEXT];

	table_add(table, COLOUR_NONE, number_count(render_number(object, "packets"), text));
	table_add(table, COLOUR_NONE, number_bytes(render_number(object, "bytes"), text));
}

/* Where the object comes from. */
static const char *origin(const json_t *object)
{
	return json_is_true(json_object_get(object, "runtime")) ? "runtime" : "file";
}

/* "20 holding, 1,638 learning", or "settled". */
static void transition(const json_t *states, char *text, size_t size)
{
	static const char *const words[] = {"holding", "learning", "remembering"};
	size_t used = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		uint64_t slots = render_number(states, words[i]);
		char number[NUMBER_TEXT];

		if (slots && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s %s", used ? ", " : "",
						 number_count(slots, number), words[i]);
	}
	if (used == 0)
		snprintf(text, size, "%s", states ? "settled" : "");
}

static void add_service(struct table *table, const json_t *service, bool flows)
{
	struct buf listeners = {.data = NULL};
	bool up = json_is_true(json_object_get(service, "up"));
	enum colour colour;
	char text[128], number[NUMBER_TEXT];
	size_t at = 0;

	table_add(table, COLOUR_NONE, render_string(service, "name"));
	table_add(table, up ? COLOUR_GREEN : COLOUR_RED, up ? "up" : "down");
	colour = render_backend_counts(json_object_get(service, "backends"), text, sizeof(text));
	table_add(table, colour, text);
	table_add(table, COLOUR_NONE, render_string(service, "forward"));
	table_add(table, COLOUR_NONE, render_string(service, "affinity"));
	table_add(table, COLOUR_NONE, number_count(render_number(service, "slots"), number));
	transition(json_object_get(service, "slot_states"), text, sizeof(text));
	table_add(table, COLOUR_NONE, text);
	table_add(table, COLOUR_NONE, number_count(render_number(service, "slots_moved"), number));
	if (flows) {
		table_add(table, COLOUR_NONE, number_count(render_number(service, "pins"), number));
		table_add(table, COLOUR_NONE, number_count(render_number(service, "openings"), number));
	}
	add_counts(table, service);
	table_add(table, COLOUR_NONE, origin(service));
	table_add(table, COLOUR_NONE,
		  render_listeners(json_object_get(service, "listeners"), &at, &listeners) ? listeners.data : NULL);
	while (render_listeners(json_object_get(service, "listeners"), &at, &listeners)) {
		table_skip(table, table->columns - 1);
		table_add(table, COLOUR_NONE, listeners.data);
	}
	buf_free(&listeners);
}

static void show_services(const struct screen *screen, const json_t *services)
{
	const json_t *service;
	bool flows = false; /* there are pins or openings */
	struct table table;
	size_t i;

	if (json_array_size(services) == 0) {
		fputs("no services\n", screen->out);
		return;
	}
	json_array_foreach(services, i, service) flows =
		flows || render_number(service, "pins") || render_number(service, "openings");
	table_start(&table, flows ? "SERVICE STATE BACKENDS FORWARD AFFINITY >SLOTS TRANSITION >MOVED >PINS >OPENINGS "
				    ">PACKETS >BYTES FROM LISTENERS"
				  : "SERVICE STATE BACKENDS FORWARD AFFINITY >SLOTS TRANSITION >MOVED "
				    ">PACKETS >BYTES FROM LISTENERS");
	json_array_foreach(services, i, service) add_service(&table, service, flows);
	table_print(&table, screen);
}

/* What there is to say of the flows that it gives up, or begins to take: "12 pins, 5m 0s left". Whether there is anything. */
static bool backend_flows(const json_t *backend, struct buf *text)
{
	const json_t *flows = json_object_get(backend, "flows"), *ramp = json_object_get(backend, "ramp");
	static const char *const words[] = {"pins", "openings"};
	char number[NUMBER_TEXT];

	buf_clear(text);
	if (json_is_true(json_object_get(flows, "holding")))
		buf_puts(text, "holding");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (render_number(flows, words[i]))
			buf_printf(text, "%s%s %s", text->length ? ", " : "",
				   number_count(render_number(flows, words[i]), number), words[i]);
	if (json_is_integer(json_object_get(backend, "drain_left_ms")))
		buf_printf(text, "%s%s left", text->length ? ", " : "",
			   number_age((double)render_number(backend, "drain_left_ms") / 1000, number));
	if (json_is_number(ramp))
		buf_printf(text, "%sslow start %.0f %%", text->length ? ", " : "", 100 * json_number_value(ramp));
	return text->length > 0;
}

static void add_backend(struct table *table, const json_t *backend, bool with_flows)
{
	struct buf flows = {.data = NULL};
	const char *state = render_string(backend, "state");
	const json_t *way = json_object_get(backend, "way");
	const char *way_state = render_string(way, "state"), *way_text = render_string(way, "text");
	enum colour way_colour = screen_state_colour(way_state);
	char text[NUMBER_TEXT];

	table_add(table, COLOUR_NONE, render_string(backend, "service"));
	table_add(table, COLOUR_NONE, render_string(backend, "address"));
	table_add(table, screen_state_colour(state), state);
	table_addf(table, COLOUR_NONE, "%llu", (unsigned long long)render_number(backend, "weight"));
	table_addf(table, COLOUR_NONE, "%.2f %%", 100 * json_number_value(json_object_get(backend, "share")));
	table_add(table, COLOUR_NONE, number_count(render_number(backend, "slots"), text));
	if (with_flows)
		table_add(table, COLOUR_NONE, backend_flows(backend, &flows) ? flows.data : NULL);
	buf_free(&flows);
	add_counts(table, backend);
	table_add(table, COLOUR_NONE, number_since(render_string(backend, "since"), text));
	table_add(table, COLOUR_NONE, origin(backend));
	table_add(table, way_colour == COLOUR_RED ? COLOUR_RED : COLOUR_NONE,
		  way_text && *way_text ? way_text : way_state);
}

static void show_backends(const struct screen *screen, const json_t *backends)
{
	struct buf text = {.data = NULL};
	const json_t *backend;
	bool flows = false; /* there is something to say of them */
	struct table table;
	size_t i;

	if (json_array_size(backends) == 0) {
		fputs("no backends\n", screen->out);
		return;
	}
	json_array_foreach(backends, i, backend) flows = flows || backend_flows(backend, &text);
	buf_free(&text);
	table_start(&table, flows ? "SERVICE BACKEND STATE >WEIGHT >SHARE >SLOTS FLOWS >PACKETS >BYTES >SINCE FROM WAY"
				  : "SERVICE BACKEND STATE >WEIGHT >SHARE >SLOTS >PACKETS >BYTES >SINCE FROM WAY");
	json_array_foreach(backends, i, backend) add_backend(&table, backend, flows);
	table_print(&table, screen);
}

/* An address and, if there is one, its port. */
static void add_end(struct table *table, const json_t *pin, const char *address_key, const char *port_key)
{
	const char *address = render_string(pin, address_key);
	const json_t *port = json_object_get(pin, port_key);
	bool ip6 = address && strchr(address, ':');

	if (address && json_is_integer(port))
		table_addf(table, COLOUR_NONE, "%s%s%s:%llu", ip6 ? "[" : "", address, ip6 ? "]" : "",
			   (unsigned long long)json_integer_value(port));
	else
		table_add(table, COLOUR_NONE, address);
}

static void add_pin(struct table *table, const json_t *pin)
{
	char text[NUMBER_TEXT];

	table_add(table, COLOUR_NONE, render_string(pin, "service"));
	add_end(table, pin, "source", "source_port");
	add_end(table, pin, "vip", "port");
	table_add(table, COLOUR_NONE, render_string(pin, "protocol"));
	table_add(table, COLOUR_NONE, render_string(pin, "backend"));
	table_addf(table, COLOUR_NONE, "%llu", (unsigned long long)render_number(pin, "slot"));
	table_add(table, COLOUR_NONE, render_string(pin, "kind"));
	table_addf(table, COLOUR_NONE, "%s%s%s",
		   json_is_true(json_object_get(pin, "confirmed")) ? "confirmed" : "unconfirmed",
		   json_is_true(json_object_get(pin, "closing")) ? ", closing" : "",
		   json_is_false(json_object_get(pin, "holds")) ? ", void" : "");
	table_add(table, COLOUR_NONE, number_age((double)render_number(pin, "idle_ms") / 1000, text));
}

static void show_pins(const struct screen *screen, const json_t *document)
{
	const json_t *pins = json_object_get(document, "pins"), *pin;
	uint64_t shown = json_array_size(pins), total = render_number(document, "total");
	char shown_text[NUMBER_TEXT], total_text[NUMBER_TEXT];
	struct table table;
	size_t i;

	if (shown == 0) {
		fputs("no pins\n", screen->out);
		return;
	}
	table_start(&table, "SERVICE CLIENT VIP PROTOCOL BACKEND >SLOT KIND STATE >IDLE");
	json_array_foreach(pins, i, pin) add_pin(&table, pin);
	table_print(&table, screen);
	if (shown < total)
		fprintf(screen->out, "shown %s of %s\n", number_count(shown, shown_text),
			number_count(total, total_text));
}

/* Reasons that drop and have dropped stand out. */
static void show_reasons(const struct screen *screen, const json_t *reasons)
{
	const json_t *reason;
	struct table table;
	size_t i;

	table_start(&table, "REASON ACTION >PACKETS MEANING");
	json_array_foreach(reasons, i, reason)
	{
		const char *action = render_string(reason, "action");
		uint64_t packets = render_number(reason, "packets");
		bool loud = packets && action && strcmp(action, "drop") == 0;
		char text[NUMBER_TEXT];

		table_add(&table, loud ? COLOUR_YELLOW : COLOUR_NONE, render_string(reason, "reason"));
		table_add(&table, COLOUR_NONE, action);
		table_add(&table, loud ? COLOUR_YELLOW : COLOUR_NONE, number_count(packets, text));
		table_add(&table, COLOUR_NONE, render_string(reason, "sentence"));
	}
	table_print(&table, screen);
}

static void show_program(const struct screen *screen, const json_t *document)
{
	const json_t *program = json_object_get(document, "program");
	const char *name = render_string(program, "name"), *tag = render_string(program, "tag");
	char instructions[NUMBER_TEXT], memory[NUMBER_TEXT];

	fputs("program ", screen->out);
	screen_text(screen, COLOUR_NONE, name ? name : "?");
	fputs(", tag ", screen->out);
	screen_text(screen, COLOUR_NONE, tag ? tag : "?");
	fprintf(screen->out, ", layout %llu, %s instructions", (unsigned long long)render_number(program, "layout"),
		number_count(render_number(program, "instructions"), instructions));
	if (json_object_get(document, "memory_bytes"))
		fprintf(screen->out, ", maps %s", number_bytes(render_number(document, "memory_bytes"), memory));
	putc('\n', screen->out);
}

/* An empty line between two parts. */
static void part(const struct screen *screen, unsigned int *parts)
{
	if ((*parts)++)
		putc('\n', screen->out);
}

void render_show(const struct screen *screen, const json_t *document)
{
	const char *config = render_string(document, "config");
	unsigned int parts = 0;

	if (json_object_get(document, "services")) {
		part(screen, &parts);
		show_services(screen, json_object_get(document, "services"));
	}
	if (json_object_get(document, "backends")) {
		part(screen, &parts);
		show_backends(screen, json_object_get(document, "backends"));
	}
	if (json_object_get(document, "pins")) {
		part(screen, &parts);
		show_pins(screen, document);
	}
	if (json_object_get(document, "reasons")) {
		part(screen, &parts);
		show_reasons(screen, json_object_get(document, "reasons"));
	}
	if (json_object_get(document, "program")) {
		part(screen, &parts);
		show_program(screen, document);
		render_interfaces(screen, json_object_get(document, "interfaces"));
	}
	if (config) {
		part(screen, &parts);
		screen_text(screen, COLOUR_NONE, config);
	}
	if (parts == 0)
		render_text(screen, document);
}
