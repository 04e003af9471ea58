/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of the metrics file (Prometheus' text format 0.0.4). In: the families' samples. Out: each family with HELP
 * and TYPE and all its samples together; the one table here makes them, so that none comes twice.
 */
#include "metrics_text.h"

#include <stdio.h>
#include <string.h>

#include "metrics.h"

static const struct family {
	const char *name, *type, *help;
	void (*add)(const struct metrics_text *text);
} families[] = {
	{"weir_build_info", "gauge", "Version of the running agent.", metrics_build_info},
	{"weir_start_time_seconds", "gauge", "When the agent started, seconds since 1970.", metrics_start_time},
	{"weir_config_generation", "gauge", "Changes of the effective state since the agent started.",
	 metrics_config_generation},
	{"weir_config_last_reload_success", "gauge", "Whether the last try to load the configuration file succeeded.",
	 metrics_reload_success},
	{"weir_xdp_info", "gauge", "Interfaces with the program, and by which mode.", metrics_xdp_info},
	{"weir_xdp_packets_total", "counter", "Packets the program has seen, by what it did with them.",
	 metrics_xdp_packets},
	{"weir_drop_packets_total", "counter", "Packets dropped, by reason.", metrics_drop_packets},
	{"weir_service_up", "gauge", "Whether packets of the service find a backend.", metrics_service_up},
	{"weir_service_packets_total", "counter", "Packets of the service forwarded or passed up.",
	 metrics_service_packets},
	{"weir_service_bytes_total", "counter", "Bytes of these packets, IP headers included.", metrics_service_bytes},
	{"weir_service_backends", "gauge", "Backends by state.", metrics_service_backends},
	{"weir_service_slots", "gauge", "Slots of the service's table by state.", metrics_service_slots},
	{"weir_service_pins", "gauge", "Flows that are remembered to belong to a backend.", metrics_service_pins},
	{"weir_service_openings", "gauge", "Handshakes in slots in transition that nothing has confirmed yet.",
	 metrics_service_openings},
	{"weir_service_slots_moved_total", "counter", "Slots that went from one backend to another.",
	 metrics_service_moved},
	{"weir_backend_up", "gauge", "Whether the backend gets flows.", metrics_backend_up},
	{"weir_backend_state", "gauge", "1 for the state that the backend is in.", metrics_backend_state},
	{"weir_backend_weight", "gauge", "Configured weight.", metrics_backend_weight},
	{"weir_backend_share_ratio", "gauge", "Share of the service's slots.", metrics_backend_share},
	{"weir_backend_packets_total", "counter", "Packets sent to the backend.", metrics_backend_packets},
	{"weir_backend_bytes_total", "counter", "Bytes of these packets, IP headers included.", metrics_backend_bytes},
	{"weir_backend_transitions_total", "counter", "Changes of state since the agent started.",
	 metrics_backend_transitions},
	{"weir_pin_write_failures_total", "counter",
	 "Openings and pins that found no room: their flows are safe, and their slots stay in transition for longer.",
	 metrics_write_failures},
	{"weir_map_entries", "gauge", "Elements in use.", metrics_map_entries},
	{"weir_map_max_entries", "gauge", "Elements there is room for.", metrics_map_max_entries},
	{"weir_loop_lag_seconds", "gauge", "Longest lateness of the agent's loop since the last file.",
	 metrics_loop_lag},
};

/* A label's value may be anything; three bytes must be escaped. */
static void add_label(struct buf *out, const struct label *label)
{
	const char *at = label->value;

	buf_puts(out, label->name);
	buf_puts(out, "=\"");
	for (;;) {
		size_t plain = strcspn(at, "\\\"\n");

		buf_add(out, at, plain);
		at += plain;
		if (!*at)
			break;
		buf_puts(out, *at == '\n' ? "\\n" : *at == '"' ? "\\\"" : "\\\\");
		at++;
	}
	buf_puts(out, "\"");
}

/* With thousands of backends this is most of what the agent does: no formatting where text can be put together. */
static void add(const struct metrics_text *text, const struct label *label, size_t labels, const char *value)
{
	buf_puts(text->out, text->family);
	for (size_t i = 0; i < labels; i++) {
		buf_puts(text->out, i == 0 ? "{" : ",");
		add_label(text->out, &label[i]);
	}
	buf_puts(text->out, labels ? "} " : " ");
	buf_puts(text->out, value);
	buf_puts(text->out, "\n");
}

void metrics_add(const struct metrics_text *text, const struct label *label, size_t labels, uint64_t value)
{
	char digits[24], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	add(text, label, labels, at);
}

void metrics_add_double(const struct metrics_text *text, const struct label *label, size_t labels, double value,
			int decimals)
{
	char digits[64];

	snprintf(digits, sizeof(digits), "%.*f", decimals, value);
	add(text, label, labels, digits);
}

void metrics_text(const struct agent *agent, struct buf *out)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct metrics_text text = {.agent = agent, .out = out, .family = families[i].name};

		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", families[i].name, families[i].help, families[i].name,
			   families[i].type);
		families[i].add(&text);
	}
}
