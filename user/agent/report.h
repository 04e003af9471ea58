/* SPDX-License-Identifier: BSD-2-Clause */
/* The documents of `status` and `show`. Parts add members to an object that is open; `name` NULL = all. */
#ifndef WEIR_REPORT_H
#define WEIR_REPORT_H

#include "request.h"

void report_status(struct request *request);
void report_show(struct request *request);

/* report_services.c: "services", "backends" */
void report_services(const struct agent *agent, struct json *json, const char *name);
void report_backends(const struct agent *agent, struct json *json, const char *service);
void report_listeners(struct json *json, const struct config_service *service);
void report_backend_counts(struct json *json, const struct model_service *service);
/* report_pins.c: "pins", "shown", "total" */
void report_pins(const struct agent *agent, struct json *json, const char *service);
/* report_plane.c: "reasons"; "program", "interfaces", "memory_bytes" */
void report_reasons(const struct agent *agent, struct json *json, const char *word);
void report_xdp(const struct agent *agent, struct json *json, const char *interface);
void report_interfaces(const struct agent *agent, struct json *json, const char *interface);
/* NULL: there is none. */
const struct model_service *report_service_by_index(const struct agent *agent, uint16_t index);
const struct model_backend *report_backend_by_index(const struct model_service *service, uint16_t index);
/* Share of the slots that a backend owns, 0..1. */
double report_share(const struct model_service *service, const struct model_backend *backend);
const char *report_forward_word(enum weir_forward forward);
const char *report_affinity_word(enum weir_affinity affinity);
const char *report_mode_word(enum xdp_mode mode);
const char *report_protocol_word(uint8_t proto);
const char *report_phase_word(enum weir_phase phase);

#endif
