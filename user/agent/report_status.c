/* SPDX-License-Identifier: BSD-2-Clause */
/* `status`: one document that fits a screen. In: the whole agent. Out: one JSON line. */
#include <unistd.h>

#include "problems.h"
#include "report.h"

static void add_config(const struct agent *agent, struct json *json)
{
	json_add_object(json, "config");
	json_add_string(json, "file", agent->options.config);
	json_add_uint(json, "generation", agent->model.generation);
	json_add_time(json, "loaded", agent->loaded.at_ns);
	json_add_bool(json, "ok", agent->loaded.ok);
	json_add_string(json, "error", agent->loaded.error[0] ? agent->loaded.error : NULL);
	json_add_uint(json, "runtime_changes", agent->overlay.changes);
	json_end_object(json);
}

static void add_services(const struct agent *agent, struct json *json)
{
	json_add_array(json, "services");
	for (size_t i = 0; i < agent->model.services; i++) {
		const struct model_service *service = agent->model.service[i];
		struct plane_service_state state;

		json_add_object(json, NULL);
		json_add_string(json, "name", service->config.name);
		report_listeners(json, &service->config);
		report_backend_counts(json, service);
		json_add_bool(json, "up", model_service_up(service));
		plane_service_state(agent->plane, service, &state);
		json_add_uint(json, "slots_in_transition", service->config.slots - state.slots[WEIR_SETTLED]);
		json_end_object(json);
	}
	json_end_array(json);
}

static void add_problem(void *arg, const char *text)
{
	json_add_string(arg, NULL, text);
}

void report_status(struct request *request)
{
	const struct agent *agent = request->agent;
	struct json json;

	if (request->words > 1) {
		(void)reply_error(request, ERROR_USAGE, "status: takes no words");
		return;
	}
	json_init(&json, request->out);
	json_add_object(&json, NULL);
	json_add_uint(&json, "schema_version", 1);
	json_add_string(&json, "version", WEIR_VERSION);
	json_add_uint(&json, "pid", (uint64_t)getpid());
	json_add_time(&json, "started", agent->started_ns);
	add_config(agent, &json);
	report_interfaces(agent, &json, NULL);
	add_services(agent, &json);
	json_add_array(&json, "problems");
	problems_list(agent, add_problem, &json);
	json_end_array(&json);
	json_end_object(&json);
	json_end_line(&json);
	reply_done(request, "%s", "");
}
