/* SPDX-License-Identifier: BSD-2-Clause */
/* `show [WHAT [NAME]]`. In: a request. Out: one document, made of the parts in report_*.c. */
#include <string.h>

#include "../model/config_text.h"
#include "report.h"

/* "no such service (did you mean "web"?)" */
static int no_such(struct request *request, const char *kind, const char *name, const char *const *candidate,
		   size_t candidates)
{
	const char *nearest = words_nearest(name, candidate, candidates);

	if (nearest)
		return reply_error(request, ERROR_NO_SUCH, "%s \"%s\": no such %s (did you mean \"%s\"?)", kind, name,
				   kind, nearest);
	return reply_error(request, ERROR_NO_SUCH, "%s \"%s\": no such %s", kind, name, kind);
}

static int check_service(struct request *request, const char *name)
{
	const struct model *model = &request->agent->model;
	const char *names[256];
	size_t count = 0;

	if (model_service(model, name))
		return 0;
	for (size_t i = 0; i < model->services && count < 256; i++)
		names[count++] = model->service[i]->config.name;
	return no_such(request, "service", name, names, count);
}

static int check_interface(struct request *request, const char *name)
{
	const struct config *wanted = &request->agent->wanted;
	const char *names[WEIR_PORTS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < wanted->interfaces && count < WEIR_PORTS_MAX; i++) {
		names[count++] = wanted->interface[i].name;
		if (strcmp(wanted->interface[i].name, name) == 0)
			return 0;
	}
	return no_such(request, "interface", name, names, count);
}

static int check_reason(struct request *request, const char *name)
{
	static const char *const words[] = {
#define X(reason, word, action, sentence) word,
		WEIR_REASONS(X)
#undef X
	};

	for (size_t i = WEIR_REASON_GO_ON + 1; i < WEIR_REASON_COUNT; i++)
		if (strcmp(words[i], name) == 0)
			return 0;
	return no_such(request, "reason", name, words + 1, WEIR_REASON_COUNT - 1);
}

/* ---- the documents ---- */

static void add_config(const struct agent *agent, struct json *json, const char *service)
{
	const struct config_service *one = service ? config_service(&agent->wanted, service) : NULL;
	struct buf text = {0};

	if (one)
		config_text_service(one, true, &text);
	else
		config_text(&agent->wanted, &text);
	if (text.failed)
		json->out->failed = true;
	json_add_string(json, "config", text.data ? text.data : "");
	buf_free(&text);
}

static void add_everything(const struct agent *agent, struct json *json, const char *name)
{
	report_services(agent, json, name);
	report_backends(agent, json, name);
	report_reasons(agent, json, NULL);
	report_xdp(agent, json, NULL);
}

static const struct row {
	const char *plural, *singular;
	void (*add)(const struct agent *agent, struct json *json, const char *name); /* NULL: not supported yet */
	int (*check)(struct request *request, const char *name);
} rows[] = {
	{"", "", add_everything, check_service},
	{"services", "service", report_services, check_service},
	{"backends", "backend", report_backends, check_service},
	{"drops", "drop", report_reasons, check_reason},
	{"xdp", "xdp", report_xdp, check_interface},
	{"config", "config", add_config, check_service},
	{"pins", "pin", report_pins, check_service},
	{"vrrp", "vrrp", NULL, NULL},
	{"checks", "check", NULL, NULL},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct row *find(const char *what)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(what, rows[i].plural) == 0 || strcmp(what, rows[i].singular) == 0)
			return &rows[i];
	return NULL;
}

static int refuse_what(struct request *request, const char *what)
{
	const char *words[ROWS], *nearest;

	for (size_t i = 0; i < ROWS; i++)
		words[i] = rows[i].plural;
	nearest = words_nearest(what, words + 1, ROWS - 1);
	if (nearest)
		return reply_error(request, ERROR_USAGE, "show %s: nothing of that name (did you mean \"%s\"?)", what,
				   nearest);
	return reply_error(request, ERROR_USAGE,
			   "show %s: nothing of that name: services, backends, pins, drops, xdp or config", what);
}

static int check(struct request *request, const struct row *row, const char *what, const char *name)
{
	if (!row)
		return refuse_what(request, what);
	if (!row->add)
		return reply_error(request, ERROR_REFUSED, "show %s: not supported yet", what);
	if (request->words > 3)
		return reply_error(request, ERROR_USAGE, "show [WHAT [NAME]]: too many words");
	return name ? row->check(request, name) : 0;
}

void report_show(struct request *request)
{
	const char *what = request->words > 1 ? request->word[1].text : "";
	const char *name = request->words > 2 ? request->word[2].text : NULL;
	const struct row *row = request->words > 1 && !*what ? NULL : find(what);
	struct json json;

	if (check(request, row, what, name) != 0 || !row)
		return;
	json_init(&json, request->out);
	json_add_object(&json, NULL);
	json_add_uint(&json, "schema_version", 1);
	row->add(request->agent, &json, name);
	json_end_object(&json);
	json_end_line(&json);
	reply_done(request, "%s", "");
}
