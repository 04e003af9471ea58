/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes by command. In: a request's line. Out: a changed copy of the wanted configuration, kept in runtime.conf and
 * then in force (apply.c). What would cut live traffic is refused unless it is said with --force.
 */
#include "changes.h"

#include <stdio.h>
#include <string.h>

#include "../model/command.h"
#include "../model/values.h"
#include "apply.h"
#include "tally.h"
#include "turn.h"
#include "way.h"

/* A change under way: all of it is thrown away unless it comes into force. */
struct change {
	struct command command;
	struct command_result result;
	struct config wanted;
	struct overlay overlay;
	/* as they are in force, before the change and then after it; NULL = not there */
	const struct model_service *service;
	const struct model_backend *backend;
};

/* Takes flows now. A way that was never looked for counts. */
static bool usable(const struct model_backend *backend)
{
	return backend->role == ROLE_UP && (backend->way.state == WAY_READY || backend->way.state == WAY_LOCAL ||
					    backend->way.state == WAY_UNKNOWN);
}

static size_t usable_now(const struct model_service *service)
{
	size_t count = 0;

	for (size_t i = 0; i < service->backends; i++)
		count += usable(&service->backend[i]);
	return count;
}

/* Of those, how many the change leaves in service. */
static size_t usable_then(const struct model_service *service, const struct config_service *wanted)
{
	size_t count = 0;

	for (size_t i = 0; i < wanted->backends; i++) {
		const struct config_backend *config = &wanted->backend[i];
		const struct model_backend *backend = model_backend(service, &config->addr);

		count += backend && usable(backend) && config->state == BACKEND_ENABLED && config->weight > 0 &&
			 !config->fallback;
	}
	return count;
}

static bool ends_service(enum command_verb verb)
{
	return verb == COMMAND_BACKEND_DRAIN || verb == COMMAND_BACKEND_REMOVE;
}

static int refuse_last(const struct change *change, struct error *error)
{
	char address[ADDR_TEXT];

	if (addr_is_none(&change->command.addr))
		return error_set(error, ERROR_REFUSED,
				 "service \"%s\": no backend that is up would be left: --force does it all the same",
				 change->command.service);
	return error_set(error, ERROR_REFUSED,
			 "backend %s of \"%s\": it is the last one that is up: --force does it all the same%s",
			 addr_format(&change->command.addr, address), change->command.service,
			 ends_service(change->command.verb) ? ", and cuts its flows" : "");
}

static int refuse_live(const char *what, const char *instead, struct error *error)
{
	return error_set(
		error, ERROR_REFUSED,
		"%s: it is live: packets went there within the last %d s, or connections are known: this cuts them: %s, or use --force",
		what, TALLY_LIVE_S, instead);
}

/* What a change that lets nothing drain would cut. */
static int check_live(struct agent *agent, const struct change *change, struct error *error)
{
	const struct command *command = &change->command;
	char address[ADDR_TEXT], what[WEIR_NAME_MAX + ADDR_TEXT + 32];

	if (command->verb == COMMAND_BACKEND_DISABLE && change->backend &&
	    tally_is_live(agent, change->service, change->backend)) {
		snprintf(what, sizeof(what), "backend %s of \"%s\"", addr_format(&command->addr, address),
			 command->service);
		return refuse_live(what, "drain it", error);
	}
	for (size_t i = 0; command->verb == COMMAND_SERVICE_REMOVE && i < change->service->backends; i++) {
		if (!tally_is_live(agent, change->service, &change->service->backend[i]))
			continue;
		snprintf(what, sizeof(what), "service \"%s\"", command->service);
		return refuse_live(what, "drain its backends", error);
	}
	return 0;
}

static int check_harm(struct agent *agent, const struct change *change, struct error *error)
{
	const struct config_service *wanted = config_service(&change->wanted, change->command.service);

	if (change->command.force || !change->service)
		return 0;
	if (wanted && usable_now(change->service) > 0 && usable_then(change->service, wanted) == 0)
		return refuse_last(change, error);
	return check_live(agent, change, error);
}

/* What the operator should know beside "done". */
static void warn(struct request *request, const struct change *change)
{
	const struct command *command = &change->command;
	const struct model_service *service = change->service;
	const struct model_backend *backend = change->backend;
	char address[ADDR_TEXT], way[256];

	if (!backend || (command->verb != COMMAND_BACKEND_ADD && command->verb != COMMAND_BACKEND_ENABLE))
		return;
	if (backend->way.state == WAY_NO_ROUTE || backend->way.state == WAY_DOWN)
		reply_warn(request, "backend %s of \"%s\": gets no packets: %s", addr_format(&command->addr, address),
			   command->service,
			   way_describe(request->agent, service->config.forward, &command->addr, way, sizeof(way)));
}

/* ---- the answer ---- */

/* "until they end, at most 5m" */
static const char *how_long(const struct model_service *service, char *text, size_t size)
{
	if (service->config.drain_ms)
		snprintf(text, size, "until they end, at most %s", value_time_text(service->config.drain_ms).text);
	else
		snprintf(text, size, "until they end");
	return text;
}

/* What has become of a backend that was drained or removed. */
static void answer_end(struct request *request, const struct change *change)
{
	const struct command *command = &change->command;
	const struct model_service *service = change->service;
	const struct model_backend *backend = change->backend;
	const char *already = change->result.changed ? "" : "already ";
	char address[ADDR_TEXT], until[64];

	addr_format(&command->addr, address);
	if (backend && backend->role == ROLE_DRAINING)
		reply_done(request, "backend %s of \"%s\" is %sdraining: new flows go to others, those it has stay %s",
			   address, command->service, already, how_long(service, until, sizeof(until)));
	else if (backend && backend->role == ROLE_REMOVING)
		reply_done(request, "backend %s of \"%s\" is %sbeing removed: it keeps the flows it has %s", address,
			   command->service, already, how_long(service, until, sizeof(until)));
	else if (backend && backend->role == ROLE_DRAINED)
		reply_done(request, "backend %s of \"%s\" is %sdrained: it keeps no flow", address, command->service,
			   already);
	else
		reply_done(request, "%s", change->result.text);
}

/* --force: whatever still drains does so no longer. */
static bool answer_cut(struct request *request, const struct change *change)
{
	const struct command *command = &change->command;
	struct plane_flows had;
	char address[ADDR_TEXT];

	if (!command->force || !turn_cut(request->agent, command->service, &command->addr, &had))
		return false;
	reply_done(request, "backend %s of \"%s\" is %s: its flows are cut, of which %u had a pin",
		   addr_format(&command->addr, address), command->service,
		   command->verb == COMMAND_BACKEND_DRAIN ? "drained" : "removed", had.pins);
	return true;
}

/* Weight 0 drains too. */
static void answer_rest(struct request *request, const struct change *change)
{
	const struct model_service *service = change->service;
	const struct model_backend *backend = change->backend;
	char until[64];

	if (change->result.changed && backend && backend->role == ROLE_DRAINING)
		reply_done(request, "%s: it is draining: new flows go to others, those it has stay %s",
			   change->result.text, how_long(service, until, sizeof(until)));
	else
		reply_done(request, "%s", change->result.text);
}

static void answer(struct request *request, const struct change *change)
{
	if (!ends_service(change->command.verb))
		answer_rest(request, change);
	else if (!answer_cut(request, change))
		answer_end(request, change);
}

static void find_objects(const struct agent *agent, struct change *change)
{
	change->service = model_service(&agent->model, change->command.service);
	change->backend = change->service ? model_backend(change->service, &change->command.addr) : NULL;
}

static int change_make(struct agent *agent, struct change *change, const struct request *request, struct error *error)
{
	if (command_parse(&change->command, request->line, request->length, error) != 0)
		return -1;
	if (config_copy(&change->wanted, &agent->wanted) != 0)
		return error_set(error, ERROR_REFUSED, "out of memory");
	if (command_apply(&change->command, &change->wanted, &change->result, error) != 0)
		return -1;
	find_objects(agent, change);
	return 0;
}

static int change_apply(struct agent *agent, struct change *change, struct error *error)
{
	if (check_harm(agent, change, error) != 0)
		return -1;
	if (overlay_make(&change->overlay, &agent->file, &change->wanted) != 0)
		return error_set(error, ERROR_REFUSED, "out of memory");
	return apply_change(agent, &change->overlay, &change->wanted, error);
}

void changes_command(struct request *request)
{
	struct agent *agent = request->agent;
	struct change change = {.service = NULL};
	struct error error = {0};
	int err = change_make(agent, &change, request, &error);

	if (!err && change.result.changed)
		err = change_apply(agent, &change, &error);
	if (err) {
		(void)reply_error_text(request, error.code, error.text);
	} else {
		find_objects(agent, &change);
		if (change.result.changed)
			warn(request, &change);
		answer(request, &change);
	}
	command_free(&change.command);
	overlay_free(&change.overlay);
	config_free(&change.wanted);
}

/* ---- about runtime changes ---- */

static int revert(struct request *request, struct overlay *overlay, struct config *wanted, struct error *error)
{
	struct agent *agent = request->agent;
	const char *service = request->words > 1 ? request->word[1].text : NULL;
	struct addr addr;
	size_t reverted = 0;

	if (request->words > 3)
		return error_set(error, ERROR_USAGE, "revert [SERVICE [ADDR]]: too many words");
	if (request->words > 2 && addr_parse(request->word[2].text, request->word[2].length, &addr) != 0)
		return error_set(error, ERROR_USAGE, "revert: %s: no IP address", request->word[2].text);
	if (apply_copy_overlay(&agent->overlay, overlay) != 0)
		return error_set(error, ERROR_REFUSED, "out of memory");
	if (overlay_revert(overlay, &agent->file, service, request->words > 2 ? &addr : NULL, wanted, &reverted,
			   error) != 0)
		return -1;
	if (reverted > 0 && apply_change(agent, overlay, wanted, error) != 0)
		return -1;
	if (reverted == 0)
		reply_done(request, "no runtime changes to revert");
	else
		reply_done(request, "%zu runtime change%s reverted", reverted, reverted == 1 ? "" : "s");
	return 0;
}

void changes_revert(struct request *request)
{
	struct overlay overlay = {0};
	struct config wanted = {0};
	struct error error = {0};

	if (revert(request, &overlay, &wanted, &error) != 0)
		(void)reply_error_text(request, error.code, error.text);
	overlay_free(&overlay);
	config_free(&wanted);
}

static int difference(const struct agent *agent, struct buf *text, struct buf *errors_text)
{
	struct errors errors = {0};
	struct config file = {0}, wanted = {0};
	struct overlay overlay = {0};
	int err = grammar_load(&file, agent->options.config, &errors);

	if (err)
		errors_print(&errors, errors_text);
	else if (config_copy(&wanted, &agent->wanted) == 0 && overlay_make(&overlay, &file, &wanted) == 0)
		overlay_difference(&overlay, text);
	else
		text->failed = true;
	errors_free(&errors);
	overlay_free(&overlay);
	config_free(&wanted);
	config_free(&file);
	return err;
}

/* What is in force against what the file says now. */
void changes_diff(struct request *request)
{
	struct buf text = {0}, errors = {0};

	if (request->words > 1)
		(void)reply_error(request, ERROR_REFUSED, "diff FILE: not supported yet");
	else if (difference(request->agent, &text, &errors) != 0)
		(void)reply_error_text(request, ERROR_REFUSED, errors.data ? errors.data : "out of memory");
	else if (text.failed)
		(void)reply_error(request, ERROR_REFUSED, "out of memory");
	else
		reply_done_text(request, text.length > 0 ? text.data : "nothing differs from the file");
	buf_free(&text);
	buf_free(&errors);
}
