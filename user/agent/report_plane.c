/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Program, interfaces and reasons as JSON. In: the plane. Out: members of the document that is being written. Nothing
 * here may depend on which agent asks: after a restart the same configuration shows the same.
 */
#include <linux/bpf.h>
#include <string.h>

#include "report.h"

const char *report_mode_word(enum xdp_mode mode)
{
	static const char *const words[] = {"native", "generic", "auto"};

	return words[mode];
}

static const char *action_word(int action)
{
	static const char *const words[] = {"aborted", "drop", "pass", "tx", "redirect"};

	return words[action];
}

static const struct {
	const char *word;
	int action;
	const char *sentence;
} reasons[] = {
#define X(name, word, action, sentence) {word, action, sentence},
	WEIR_REASONS(X)
#undef X
};

void report_reasons(const struct agent *agent, struct json *json, const char *word)
{
	uint64_t packets[WEIR_REASON_COUNT] = {0};

	(void)plane_reason_counts(agent->plane, packets);
	json_add_array(json, "reasons");
	for (size_t i = WEIR_REASON_GO_ON + 1; i < WEIR_REASON_COUNT; i++) {
		if (word && strcmp(word, reasons[i].word) != 0)
			continue;
		json_add_object(json, NULL);
		json_add_string(json, "reason", reasons[i].word);
		json_add_string(json, "action", action_word(reasons[i].action));
		json_add_uint(json, "packets", packets[i]);
		json_add_string(json, "sentence", reasons[i].sentence);
		json_end_object(json);
	}
	json_end_array(json);
}

static void add_interface(struct json *json, const struct plane_port *port)
{
	json_add_object(json, NULL);
	json_add_string(json, "name", port->name);
	json_add_uint(json, "ifindex", port->ifindex);
	json_add_string(json, "mode", port->attached ? report_mode_word(port->mode) : "none");
	json_add_string(json, "asked", report_mode_word(port->asked));
	json_add_string(json, "driver", port->driver);
	json_add_string(json, "problem", port->problem[0] ? port->problem : NULL);
	json_add_object(json, "packets");
	for (int action = 0; action < WEIR_ACTIONS; action++)
		json_add_uint(json, action_word(action), port->actions.packets[action]);
	json_end_object(json);
	json_end_object(json);
}

void report_interfaces(const struct agent *agent, struct json *json, const char *interface)
{
	struct plane_port ports[WEIR_PORTS_MAX];
	size_t count = plane_ports(agent->plane, ports, WEIR_PORTS_MAX);

	json_add_array(json, "interfaces");
	for (size_t i = 0; i < count; i++)
		if (!interface || strcmp(interface, ports[i].name) == 0)
			add_interface(json, &ports[i]);
	json_end_array(json);
}

void report_xdp(const struct agent *agent, struct json *json, const char *interface)
{
	struct plane_info info;

	plane_info(agent->plane, &info);
	json_add_object(json, "program");
	json_add_string(json, "name", "weir");
	json_add_string(json, "tag", info.tag);
	json_add_uint(json, "layout", info.layout);
	json_add_uint(json, "instructions", info.instructions);
	json_end_object(json);
	report_interfaces(agent, json, interface);
	json_add_uint(json, "memory_bytes", info.memory_bytes);
}
