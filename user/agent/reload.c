/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reload. In: the configuration file. Out: the same path as any change (apply.c), or all errors to whoever asked and
 * to the log. What is fixed when the program is loaded (limits, slots, interface xdp, hash-seed) refuses the file as
 * a whole.
 */
#include "reload.h"

#include <stdio.h>
#include <string.h>

#include "../lib/log.h"
#include "apply.h"
#include "metrics.h"
#include "tally.h"

struct reload {
	struct config file, wanted;
	struct overlay overlay;
	struct errors errors;
	struct buf notes; /* runtime changes that the file has overruled */
};

static int read_file(const struct agent *agent, struct reload *reload)
{
	if (grammar_load(&reload->file, agent->options.config, &reload->errors) != 0)
		return -1;
	if (apply_copy_overlay(&agent->overlay, &reload->overlay) != 0 ||
	    overlay_apply(&reload->overlay, &reload->file, &reload->wanted, &reload->notes) != 0)
		return errors_add(&reload->errors, NULL, 0, 0, ERROR_REFUSED, "out of memory");
	return config_check_fixed(&agent->wanted, &reload->wanted, &reload->errors);
}

static int bring_into_force(struct agent *agent, struct reload *reload)
{
	struct error error = {0};

	if (apply_change(agent, &reload->overlay, &reload->wanted, &error) != 0)
		return errors_add(&reload->errors, NULL, 0, 0, ERROR_REFUSED, "%s", error.text);
	config_free(&agent->file);
	agent->file = reload->file;
	memset(&reload->file, 0, sizeof(reload->file));
	metrics_restart(agent);
	return 0;
}

static void tell_notes(struct agent *agent, struct reload *reload, struct request *request)
{
	char *line, *rest = reload->notes.data;

	while (rest && (line = strsep(&rest, "\n")) != NULL) {
		if (!*line)
			continue;
		events_add(&agent->events, wall_now_ns(), "file-wins", NULL, NULL, line);
		if (request)
			reply_warn(request, "%s", line);
	}
}

static void tell_errors(struct agent *agent, const struct reload *reload, struct request *request)
{
	struct buf text = {0};

	for (size_t i = 0; i < reload->errors.count; i++) {
		const struct error *error = &reload->errors.error[i];

		if (error->line > 0)
			log_error("reload: %s:%d:%d: %s", error->file, error->line, error->col, error->text);
		else
			log_error("reload: %s", error->text);
	}
	errors_print(&reload->errors, &text);
	if (request)
		(void)reply_error_text(request, ERROR_REFUSED, text.data ? text.data : "out of memory");
	snprintf(agent->loaded.error, sizeof(agent->loaded.error), "%.*s",
		 (int)strcspn(text.data ? text.data : "", "\n"), text.data ? text.data : "out of memory");
	buf_free(&text);
}

static void run(struct agent *agent, struct request *request)
{
	struct reload reload = {.notes = {0}};
	char summary[128];
	int err;

	notify_reloading(&agent->notify);
	err = read_file(agent, &reload);
	if (!err)
		err = bring_into_force(agent, &reload);
	agent->loaded.ok = !err;
	if (err) {
		tell_errors(agent, &reload, request);
		events_add(&agent->events, wall_now_ns(), "reload-failed", NULL, NULL, agent->loaded.error);
	} else {
		agent->loaded.at_ns = wall_now_ns();
		agent->loaded.error[0] = '\0';
		tell_notes(agent, &reload, request);
		tally_summary(agent, summary, sizeof(summary));
		events_add(&agent->events, agent->loaded.at_ns, "reloaded", NULL, NULL, summary);
		if (request)
			reply_done(request, "reloaded: %s", summary);
	}
	notify_send(&agent->notify, "READY=1");
	errors_free(&reload.errors);
	overlay_free(&reload.overlay);
	config_free(&reload.wanted);
	config_free(&reload.file);
	buf_free(&reload.notes);
}

void reload_request(struct request *request)
{
	if (request->words > 1)
		(void)reply_error(request, ERROR_USAGE, "reload: takes no words: the file is %s",
				  request->agent->options.config);
	else
		run(request->agent, request);
}

void reload_signal(struct agent *agent)
{
	run(agent, NULL);
}
