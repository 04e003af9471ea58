/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics of services and backends. In: model, counters, tally, read only. Out: samples. */
#include "metrics_text.h"
#include "report.h"
#include "tally.h"

/* ---- of services: `value` says what of one service ---- */

static void each_service(const struct metrics_text *text,
			 uint64_t (*value)(const struct agent *agent, const struct model_service *service))
{
	const struct model *model = &text->agent->model;

	for (size_t i = 0; i < model->services; i++)
		metrics_add(text, (struct label[]){{"service", model->service[i]->config.name}}, 1,
			    value(text->agent, model->service[i]));
}

static uint64_t value_service_up(const struct agent *agent, const struct model_service *service)
{
	(void)agent;
	return model_service_up(service);
}

static uint64_t value_service_packets(const struct agent *agent, const struct model_service *service)
{
	struct weir_count count = {0};

	(void)plane_service_count(agent->plane, service->index, &count);
	return count.packets;
}

static uint64_t value_service_bytes(const struct agent *agent, const struct model_service *service)
{
	struct weir_count count = {0};

	(void)plane_service_count(agent->plane, service->index, &count);
	return count.bytes;
}

static uint64_t value_service_moved(const struct agent *agent, const struct model_service *service)
{
	(void)agent;
	return service->slots_moved;
}

static uint64_t value_service_pins(const struct agent *agent, const struct model_service *service)
{
	struct plane_service_state state;

	plane_service_state(agent->plane, service, &state);
	return state.flows.pins;
}

static uint64_t value_service_openings(const struct agent *agent, const struct model_service *service)
{
	struct plane_service_state state;

	plane_service_state(agent->plane, service, &state);
	return state.flows.openings;
}

void metrics_service_up(const struct metrics_text *text)
{
	each_service(text, value_service_up);
}

void metrics_service_packets(const struct metrics_text *text)
{
	each_service(text, value_service_packets);
}

void metrics_service_bytes(const struct metrics_text *text)
{
	each_service(text, value_service_bytes);
}

void metrics_service_moved(const struct metrics_text *text)
{
	each_service(text, value_service_moved);
}

void metrics_service_pins(const struct metrics_text *text)
{
	each_service(text, value_service_pins);
}

void metrics_service_openings(const struct metrics_text *text)
{
	each_service(text, value_service_openings);
}

void metrics_service_backends(const struct metrics_text *text)
{
	const struct model *model = &text->agent->model;

	for (size_t s = 0; s < model->services; s++) {
		size_t by_role[ROLES];

		model_count_roles(model->service[s], by_role);
		for (int role = ROLE_DISABLED; role < ROLES; role++)
			metrics_add(text,
				    (struct label[]){{"service", model->service[s]->config.name},
						     {"state", backend_role_word((enum backend_role)role)}},
				    2, by_role[role]);
	}
}

void metrics_service_slots(const struct metrics_text *text)
{
	const struct model *model = &text->agent->model;

	for (size_t s = 0; s < model->services; s++) {
		struct plane_service_state state;

		plane_service_state(text->agent->plane, model->service[s], &state);
		for (int phase = WEIR_SETTLED; phase <= WEIR_REMEMBERING; phase++)
			metrics_add(text,
				    (struct label[]){{"service", model->service[s]->config.name},
						     {"state", report_phase_word((enum weir_phase)phase)}},
				    2, state.slots[phase]);
	}
}

/* ---- of backends: likewise ---- */

struct subject {
	const struct model_service *service;
	const struct model_backend *backend;
	struct label label[3]; /* service, backend, and room for one more */
};

static void each_backend(const struct metrics_text *text,
			 void (*add)(const struct metrics_text *text, struct subject *subject))
{
	const struct model *model = &text->agent->model;
	char address[ADDR_TEXT];

	for (size_t s = 0; s < model->services; s++) {
		for (size_t b = 0; b < model->service[s]->backends; b++) {
			struct subject subject = {.service = model->service[s],
						  .backend = &model->service[s]->backend[b]};

			subject.label[0] = (struct label){"service", subject.service->config.name};
			subject.label[1] =
				(struct label){"backend", addr_format(&subject.backend->config.addr, address)};
			add(text, &subject);
		}
	}
}

static void add_up(const struct metrics_text *text, struct subject *subject)
{
	enum backend_role role = subject->backend->role;

	metrics_add(text, subject->label, 2, role == ROLE_UP || role == ROLE_FALLBACK);
}

static void add_state(const struct metrics_text *text, struct subject *subject)
{
	for (int role = ROLE_DISABLED; role < ROLES; role++) {
		subject->label[2] = (struct label){"state", backend_role_word((enum backend_role)role)};
		metrics_add(text, subject->label, 3, (int)subject->backend->role == role);
	}
}

static void add_weight(const struct metrics_text *text, struct subject *subject)
{
	metrics_add(text, subject->label, 2, subject->backend->config.weight);
}

static void add_share(const struct metrics_text *text, struct subject *subject)
{
	metrics_add_double(text, subject->label, 2, report_share(subject->service, subject->backend), 6);
}

static void add_packets(const struct metrics_text *text, struct subject *subject)
{
	struct weir_count count = {0};

	(void)plane_backend_count(text->agent->plane, subject->backend->index, &count);
	metrics_add(text, subject->label, 2, count.packets);
}

static void add_bytes(const struct metrics_text *text, struct subject *subject)
{
	struct weir_count count = {0};

	(void)plane_backend_count(text->agent->plane, subject->backend->index, &count);
	metrics_add(text, subject->label, 2, count.bytes);
}

static void add_transitions(const struct metrics_text *text, struct subject *subject)
{
	const struct tally_backend *tally = tally_find(text->agent, subject->backend);

	for (int role = ROLE_DISABLED; tally && role < ROLES; role++) {
		subject->label[2] = (struct label){"to", backend_role_word((enum backend_role)role)};
		metrics_add(text, subject->label, 3, tally->transitions[role]);
	}
}

void metrics_backend_up(const struct metrics_text *text)
{
	each_backend(text, add_up);
}

void metrics_backend_state(const struct metrics_text *text)
{
	each_backend(text, add_state);
}

void metrics_backend_weight(const struct metrics_text *text)
{
	each_backend(text, add_weight);
}

void metrics_backend_share(const struct metrics_text *text)
{
	each_backend(text, add_share);
}

void metrics_backend_packets(const struct metrics_text *text)
{
	each_backend(text, add_packets);
}

void metrics_backend_bytes(const struct metrics_text *text)
{
	each_backend(text, add_bytes);
}

void metrics_backend_transitions(const struct metrics_text *text)
{
	each_backend(text, add_transitions);
}
