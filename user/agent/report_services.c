/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services and backends as JSON. In: the model, the plane's counters, ways. Out: members of the document that is
 * being written.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "turn.h"
#include "way.h"

const char *report_forward_word(enum weir_forward forward)
{
	return forward == WEIR_IPIP ? "ipip" : "dsr";
}

const char *report_affinity_word(enum weir_affinity affinity)
{
	static const char *const words[] = {"flow", "client", "none"};

	return words[affinity];
}

const char *report_protocol_word(uint8_t proto)
{
	return proto == IPPROTO_UDP ? "udp" : "tcp";
}

double report_share(const struct model_service *service, const struct model_backend *backend)
{
	return service->config.slots ? (double)backend->slots_owned / service->config.slots : 0;
}

const struct model_service *report_service_by_index(const struct agent *agent, uint16_t index)
{
	for (size_t i = 0; i < agent->model.services; i++)
		if (agent->model.service[i]->index == index)
			return agent->model.service[i];
	return NULL;
}

const struct model_backend *report_backend_by_index(const struct model_service *service, uint16_t index)
{
	for (size_t i = 0; i < service->backends; i++)
		if (index != WEIR_BACKEND_NONE && service->backend[i].index == index)
			return &service->backend[i];
	return NULL;
}

static void add_count(struct json *json, const struct weir_count *count)
{
	json_add_uint(json, "packets", count->packets);
	json_add_uint(json, "bytes", count->bytes);
}

void report_listeners(struct json *json, const struct config_service *service)
{
	char text[ADDR_TEXT];

	json_add_array(json, "listeners");
	for (size_t i = 0; i < service->listeners; i++) {
		const struct config_listener *listener = &service->listener[i];

		json_add_object(json, NULL);
		json_add_string(json, "vip", addr_format(&listener->vip, text));
		json_add_string(json, "protocol", report_protocol_word(listener->proto));
		if (listener->first == 0 && listener->last == UINT16_MAX)
			snprintf(text, sizeof(text), "any");
		else if (listener->first == listener->last)
			snprintf(text, sizeof(text), "%u", listener->first);
		else
			snprintf(text, sizeof(text), "%u-%u", listener->first, listener->last);
		json_add_string(json, "ports", text);
		json_end_object(json);
	}
	json_end_array(json);
}

void report_backend_counts(struct json *json, const struct model_service *service)
{
	size_t by_role[ROLES];

	model_count_roles(service, by_role);
	json_add_object(json, "backends");
	json_add_uint(json, "total", service->backends);
	for (int role = ROLES - 1; role >= 0; role--)
		json_add_uint(json, backend_role_word((enum backend_role)role), by_role[role]);
	json_end_object(json);
}

const char *report_phase_word(enum weir_phase phase)
{
	static const char *const words[] = {"settled", "holding", "learning", "remembering"};

	return words[phase];
}

/* Slots by phase; openings and pins, as the last whole scan has counted them. */
static void add_transitions(const struct agent *agent, struct json *json, const struct model_service *service)
{
	struct plane_service_state state;

	plane_service_state(agent->plane, service, &state);
	json_add_object(json, "slot_states");
	for (int phase = WEIR_SETTLED; phase <= WEIR_REMEMBERING; phase++)
		json_add_uint(json, report_phase_word((enum weir_phase)phase), state.slots[phase]);
	json_end_object(json);
	json_add_uint(json, "pins", state.flows.pins);
	json_add_uint(json, "openings", state.flows.openings);
}

static void add_service(const struct agent *agent, struct json *json, const struct model_service *service)
{
	struct weir_count count = {0};

	(void)plane_service_count(agent->plane, service->index, &count);
	json_add_object(json, NULL);
	json_add_string(json, "name", service->config.name);
	json_add_uint(json, "index", service->index);
	json_add_string(json, "forward", report_forward_word(service->config.forward));
	json_add_string(json, "affinity", report_affinity_word(service->config.affinity));
	json_add_uint(json, "slots", service->config.slots);
	json_add_bool(json, "up", model_service_up(service));
	json_add_bool(json, "runtime", service->config.runtime);
	report_listeners(json, &service->config);
	report_backend_counts(json, service);
	add_count(json, &count);
	json_add_uint(json, "slots_moved", service->slots_moved);
	add_transitions(agent, json, service);
	json_end_object(json);
}

void report_services(const struct agent *agent, struct json *json, const char *name)
{
	json_add_array(json, "services");
	for (size_t i = 0; i < agent->model.services; i++)
		if (!name || strcmp(name, agent->model.service[i]->config.name) == 0)
			add_service(agent, json, agent->model.service[i]);
	json_end_array(json);
}

/* What it has of flows that openings and pins tell of, and how it gives them up. */
static void add_flows(const struct agent *agent, struct json *json, const struct model_service *service,
		      const struct model_backend *backend)
{
	struct plane_backend_state state;
	uint64_t left_ns = 0;

	plane_backend_state(agent->plane, service, backend->index, &state);
	json_add_object(json, "flows");
	json_add_uint(json, "pins", state.flows.pins);
	json_add_uint(json, "confirmed", state.flows.confirmed);
	json_add_uint(json, "closing", state.flows.closing);
	json_add_uint(json, "openings", state.flows.openings);
	json_add_uint(json, "longest_idle_ms", state.idle_ns / 1000000);
	json_add_bool(json, "holding", state.holding);
	json_add_bool(json, "named", state.named);
	json_add_bool(json, "free", state.free);
	json_end_object(json);
	if (turn_drain_left(agent, service, backend, &left_ns))
		json_add_uint(json, "drain_left_ms", left_ns / 1000000);
	else
		json_add_string(json, "drain_left_ms", NULL);
	if (backend->role == ROLE_UP && backend->ramp < RAMP_FULL)
		json_add_fixed(json, "ramp", (double)backend->ramp / RAMP_FULL, 4);
	else
		json_add_string(json, "ramp", NULL);
}

static void add_backend(const struct agent *agent, struct json *json, const struct model_service *service,
			const struct model_backend *backend)
{
	struct weir_count count = {0};
	char address[ADDR_TEXT], way[256];

	(void)plane_backend_count(agent->plane, backend->index, &count);
	json_add_object(json, NULL);
	json_add_string(json, "service", service->config.name);
	json_add_string(json, "address", addr_format(&backend->config.addr, address));
	json_add_uint(json, "index", backend->index);
	json_add_uint(json, "weight", backend->config.weight);
	json_add_string(json, "state", backend_role_word(backend->role));
	json_add_bool(json, "fallback", backend->config.fallback);
	json_add_bool(json, "runtime", backend->config.runtime);
	json_add_uint(json, "slots", backend->slots_owned);
	json_add_fixed(json, "share", report_share(service, backend), 4);
	add_count(json, &count);
	json_add_time(json, "since", backend->since_ns);
	add_flows(agent, json, service, backend);
	json_add_object(json, "way");
	json_add_string(json, "state", way_state_word(backend->way.state));
	json_add_string(json, "text",
			way_describe(agent, service->config.forward, &backend->config.addr, way, sizeof(way)));
	json_end_object(json);
	json_end_object(json);
}

void report_backends(const struct agent *agent, struct json *json, const char *service)
{
	json_add_array(json, "backends");
	for (size_t s = 0; s < agent->model.services; s++) {
		const struct model_service *each = agent->model.service[s];

		for (size_t b = 0; b < each->backends && (!service || strcmp(service, each->config.name) == 0); b++)
			add_backend(agent, json, each, &each->backend[b]);
	}
	json_end_array(json);
}
