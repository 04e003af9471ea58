/* SPDX-License-Identifier: BSD-2-Clause */
/* For metrics_*.c: how a sample is written, and what writes the samples of each family. */
#ifndef WEIR_METRICS_TEXT_H
#define WEIR_METRICS_TEXT_H

#include "agent.h"

struct label {
	const char *name, *value;
};

struct metrics_text {
	const struct agent *agent;
	struct buf *out;
	const char *family;
};

/* One sample of the family that is being written. */
void metrics_add(const struct metrics_text *text, const struct label *label, size_t labels, uint64_t value);
void metrics_add_double(const struct metrics_text *text, const struct label *label, size_t labels, double value,
			int decimals);

/* metrics_node.c */
void metrics_build_info(const struct metrics_text *text);
void metrics_start_time(const struct metrics_text *text);
void metrics_config_generation(const struct metrics_text *text);
void metrics_reload_success(const struct metrics_text *text);
void metrics_loop_lag(const struct metrics_text *text);
void metrics_xdp_info(const struct metrics_text *text);
void metrics_xdp_packets(const struct metrics_text *text);
void metrics_drop_packets(const struct metrics_text *text);
void metrics_write_failures(const struct metrics_text *text);
void metrics_map_entries(const struct metrics_text *text);
void metrics_map_max_entries(const struct metrics_text *text);
/* metrics_services.c */
void metrics_service_up(const struct metrics_text *text);
void metrics_service_packets(const struct metrics_text *text);
void metrics_service_bytes(const struct metrics_text *text);
void metrics_service_moved(const struct metrics_text *text);
void metrics_service_backends(const struct metrics_text *text);
void metrics_service_slots(const struct metrics_text *text);
void metrics_service_pins(const struct metrics_text *text);
void metrics_service_openings(const struct metrics_text *text);
void metrics_backend_up(const struct metrics_text *text);
void metrics_backend_state(const struct metrics_text *text);
void metrics_backend_weight(const struct metrics_text *text);
void metrics_backend_share(const struct metrics_text *text);
void metrics_backend_packets(const struct metrics_text *text);
void metrics_backend_bytes(const struct metrics_text *text);
void metrics_backend_transitions(const struct metrics_text *text);

#endif
