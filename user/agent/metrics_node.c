/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics of the agent itself and of the data path as a whole. In: the agent, read only. Out: samples. */
#include <linux/bpf.h>
#include <string.h>

#include "metrics_text.h"
#include "report.h"

/* ---- of the agent ---- */

void metrics_build_info(const struct metrics_text *text)
{
	metrics_add(text, (struct label[]){{"version", WEIR_VERSION}}, 1, 1);
}

void metrics_start_time(const struct metrics_text *text)
{
	metrics_add_double(text, NULL, 0, (double)(text->agent->started_ns / 1000000U) / 1000, 3);
}

void metrics_config_generation(const struct metrics_text *text)
{
	metrics_add(text, NULL, 0, text->agent->model.generation);
}

void metrics_reload_success(const struct metrics_text *text)
{
	metrics_add(text, NULL, 0, text->agent->loaded.ok);
}

void metrics_loop_lag(const struct metrics_text *text)
{
	metrics_add_double(text, NULL, 0, (double)text->agent->metrics.lag_ns / 1e9, 6);
}

/* ---- of the data path ---- */

void metrics_xdp_info(const struct metrics_text *text)
{
	struct plane_port ports[WEIR_PORTS_MAX];
	size_t count = plane_ports(text->agent->plane, ports, WEIR_PORTS_MAX);

	for (size_t i = 0; i < count; i++)
		metrics_add(text,
			    (struct label[]){{"interface", ports[i].name},
					     {"mode", ports[i].attached ? report_mode_word(ports[i].mode) : "none"}},
			    2, 1);
}

void metrics_xdp_packets(const struct metrics_text *text)
{
	static const char *const words[] = {"aborted", "drop", "pass", "tx", "redirect"};
	struct plane_port ports[WEIR_PORTS_MAX];
	size_t count = plane_ports(text->agent->plane, ports, WEIR_PORTS_MAX);

	for (size_t i = 0; i < count; i++)
		for (int action = 0; action < WEIR_ACTIONS; action++)
			metrics_add(text, (struct label[]){{"interface", ports[i].name}, {"action", words[action]}}, 2,
				    ports[i].actions.packets[action]);
}

void metrics_drop_packets(const struct metrics_text *text)
{
	static const struct {
		const char *word;
		int action;
	} reasons[] = {
#define X(name, word, action, sentence) {word, action},
		WEIR_REASONS(X)
#undef X
	};
	uint64_t packets[WEIR_REASON_COUNT] = {0};

	(void)plane_reason_counts(text->agent->plane, packets);
	for (size_t i = 0; i < WEIR_REASON_COUNT; i++)
		if (reasons[i].action == XDP_DROP)
			metrics_add(text, (struct label[]){{"reason", reasons[i].word}}, 1, packets[i]);
}

void metrics_write_failures(const struct metrics_text *text)
{
	struct weir_flow_counts counts = {0};

	(void)plane_flow_counts(text->agent->plane, &counts);
	metrics_add(text, (struct label[]){{"reason", "openings-full"}}, 1, counts.openings_failed);
	metrics_add(text, (struct label[]){{"reason", "pins-full"}}, 1, counts.pins_failed);
}

static const struct {
	const char *map;
	bool watched; /* the plane counts its elements; of an array the model knows them */
} maps[] = {{"vips", true},   {"listeners", true}, {"services", false}, {"backends", false},
	    {"slots", false}, {"openings", true},  {"pins", true}};

enum { MAPS = sizeof(maps) / sizeof(maps[0]) };

static uint64_t entries(const struct agent *agent, size_t map)
{
	uint64_t backends = 0, slots = 0;

	if (maps[map].watched)
		return plane_map_entries(agent->plane, maps[map].map);
	for (size_t i = 0; i < agent->model.services; i++) {
		backends += agent->model.service[i]->backends;
		slots += agent->model.service[i]->config.slots;
	}
	return strcmp(maps[map].map, "services") == 0   ? agent->model.services
	       : strcmp(maps[map].map, "backends") == 0 ? backends
							: slots;
}

static uint64_t max_entries(const struct agent *agent, size_t map)
{
	const struct config_limits *limits = &agent->model.limits;

	if (maps[map].watched)
		return plane_map_max_entries(agent->plane, maps[map].map);
	return strcmp(maps[map].map, "services") == 0   ? limits->services
	       : strcmp(maps[map].map, "backends") == 0 ? limits->backends
							: limits->slots;
}

void metrics_map_entries(const struct metrics_text *text)
{
	for (size_t i = 0; i < MAPS; i++)
		metrics_add(text, (struct label[]){{"map", maps[i].map}}, 1, entries(text->agent, i));
}

void metrics_map_max_entries(const struct metrics_text *text)
{
	for (size_t i = 0; i < MAPS; i++)
		metrics_add(text, (struct label[]){{"map", maps[i].map}}, 1, max_entries(text->agent, i));
}
