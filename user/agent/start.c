/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's start: everything that can fail before anything that packets, clients or another agent could notice.
 * In: options. Out: struct agent, filled step by step; start_undo lets go of what is there. What comes when matters:
 * see start_steps.
 */
#include "start.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/log.h"
#include "apply.h"
#include "metrics.h"
#include "observer.h"
#include "requests.h"
#include "state.h"
#include "takeover.h"
#include "tally.h"
#include "turn.h"
#include "ways.h"

#define WAYS_PATIENCE_NS 300000000ULL
#define WAYS_LOOK_NS     5000000ULL

int start_read_config(const char *path, struct config *config)
{
	struct errors errors = {0};
	struct buf text = {0};
	int err = grammar_load(config, path, &errors);

	errors_print(&errors, &text);
	if (err)
		fprintf(stderr, "%s%s", text.data ? text.data : "out of memory\n",
			text.data && text.length > 0 && text.data[text.length - 1] != '\n' ? "\n" : "");
	buf_free(&text);
	errors_free(&errors);
	return err ? EXIT_BAD_CONFIG : 0;
}

/* ---- ways: known before the first apply, if they can be known soon ---- */

struct patience {
	struct timer timer;
	struct agent *agent;
	uint64_t until_ns;
};

static void look_again(struct timer *timer, uint64_t now_ns)
{
	struct patience *patience = container_of(timer, struct patience, timer);

	if (ways_unresolved(patience->agent) == 0 || now_ns >= patience->until_ns)
		loop_stop(patience->agent->loop);
	else
		(void)loop_timer_set(patience->agent->loop, timer, now_ns + WAYS_LOOK_NS);
}

/*
 * Runs the loop until all next hops have answered, a short time at most. Packets do not wait: on a first start there
 * are none yet, later they go by what the maps hold, which thus is not overwritten by "not known yet".
 */
static void wait_for_ways(struct agent *agent)
{
	struct patience patience = {
		.timer = {.fire = look_again}, .agent = agent, .until_ns = loop_now_ns() + WAYS_PATIENCE_NS};

	if (ways_unresolved(agent) == 0)
		return;
	if (loop_timer_set(agent->loop, &patience.timer, loop_now_ns() + WAYS_LOOK_NS) == 0)
		(void)loop_run(agent->loop);
	loop_timer_stop(agent->loop, &patience.timer);
}

/*
 * Watches what will be wanted as far as it can be told before another agent has let go of the state directory, so
 * that a takeover's pause is short.
 */
static void look_ahead(struct agent *agent)
{
	struct overlay overlay = {0};
	struct config wanted = {0};
	struct error error = {0};
	struct buf notes = {0};

	if (state_load(agent, &overlay, &error) == 0 && overlay_apply(&overlay, &agent->file, &wanted, &notes) == 0)
		(void)ways_watch(agent, &wanted);
	wait_for_ways(agent);
	buf_free(&notes);
	overlay_free(&overlay);
	config_free(&wanted);
}

/* ---- the steps ---- */

static void events_added(void *arg, const char *line, size_t length)
{
	control_follow(&((struct agent *)arg)->control, line, length);
}

static int open_control(struct agent *agent, struct takeover *takeover, struct error *error)
{
	int listening = takeover->listening;

	takeover->listening = -1;
	if (control_open(&agent->control, agent->loop, agent->options.socket, listening, error) != 0)
		return -1;
	agent->control.line = requests_answer;
	agent->control.arg = agent;
	if (!agent->control.open_to_group)
		log_info("control: %s: for root alone, as there is no group \"weir\"", agent->options.socket);
	return 0;
}

static int open_plane(struct agent *agent, struct takeover *takeover, struct error *error)
{
	int lock = takeover->bpffs_lock;

	takeover->bpffs_lock = -1;
	agent->plane = plane_open(agent->options.bpffs, lock, error);
	return agent->plane ? 0 : -1;
}

static int open_state(struct agent *agent, struct takeover *takeover, struct error *error)
{
	int lock = takeover->state_lock;

	takeover->state_lock = -1;
	return state_open(agent, lock, error);
}

/* file + runtime.conf -> wanted; in notes, which changes the file has overruled meanwhile */
static int merge_runtime(struct agent *agent, struct config *wanted, struct buf *notes, struct error *error)
{
	if (state_load(agent, &agent->overlay, error) != 0)
		return -1;
	if (overlay_apply(&agent->overlay, &agent->file, wanted, notes) != 0)
		return error_set(error, ERROR_REFUSED, "out of memory");
	return 0;
}

/* Once: were they kept, a later file that says again what it said at first would bring them back. */
static void forget_overruled(struct agent *agent, struct buf *notes)
{
	struct error error = {0};
	char *line, *rest = notes->data;

	if (notes->length == 0)
		return;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line)
			events_add(&agent->events, wall_now_ns(), "file-wins", NULL, NULL, line);
	if (state_save(agent, &agent->overlay, &error) != 0)
		log_warn("%s", error.text);
}

static int make_model(struct agent *agent, const struct config *wanted, struct error *error)
{
	const struct model_observer observer = observer_make(agent);

	if (model_init(&agent->model, &wanted->limits, wanted->hash_seed, &observer) != 0 || tally_open(agent) != 0 ||
	    ways_watch(agent, wanted) != 0)
		return error_set(error, ERROR_REFUSED, "out of memory");
	if (plane_restore(agent->plane, &agent->model, error) != 0)
		return -1;
	if (!model_make_room(&agent->model, wanted)) {
		log_info("maps: what is wanted does not fit beside what it replaces: new ones are made");
		plane_renew(agent->plane);
	}
	if (plane_load(agent->plane, &wanted->limits, error) != 0 ||
	    plane_check(agent->plane, wanted->interface, wanted->interfaces, error) != 0)
		return -1;
	plane_set_model(agent->plane, &agent->model);
	return 0;
}

/* From here on packets may notice. */
static int bring_into_force(struct agent *agent, struct config *wanted, struct buf *notes, struct error *error)
{
	struct error lost = {0};

	if (events_open(&agent->events, agent->options.state_dir, &lost) != 0)
		log_error("events: will not be kept: %s", lost.text);
	agent->events.added = events_added;
	agent->events.arg = agent;
	forget_overruled(agent, notes);
	ways_tell_plane(agent, wanted);
	if (apply_config(agent, wanted, error) != 0)
		return -1;
	return plane_attach(agent->plane, agent->wanted.interface, agent->wanted.interfaces, error);
}

static int start_steps(struct agent *agent, struct takeover *takeover, struct config *wanted, struct buf *notes,
		       struct error *error)
{
	if (ways_open(agent, error) != 0)
		return -1;
	look_ahead(agent);
	if (agent->stopping)
		return error_set(error, ERROR_REFUSED, "stopped by a signal before it was ready");
	if (agent->options.takeover && takeover_ask(takeover, agent->options.socket, error) != 0)
		return -1;
	agent->took_over = takeover->connection >= 0;
	if (open_control(agent, takeover, error) != 0 || open_plane(agent, takeover, error) != 0 ||
	    open_state(agent, takeover, error) != 0)
		return -1;
	if (merge_runtime(agent, wanted, notes, error) != 0 || make_model(agent, wanted, error) != 0)
		return -1;
	if (takeover_finish(takeover, error) != 0)
		return -1;
	return bring_into_force(agent, wanted, notes, error);
}

/* ---- ready ---- */

static void say_ready(struct agent *agent, uint64_t begin_ns)
{
	size_t built = 0, unresolved = ways_unresolved(agent);
	char summary[128], text[400];
	struct plane_info info;

	plane_info(agent->plane, &info);
	for (size_t i = 0; i < agent->model.services; i++)
		built += agent->model.service[i]->built;
	tally_summary(agent, summary, sizeof(summary));
	snprintf(text, sizeof(text),
		 "weir-agent %s: %s; maps %s, program %s, tables: %zu adopted, %zu built; %zu ways not known yet",
		 WEIR_VERSION, summary, info.maps_adopted ? "adopted" : "new",
		 info.program_adopted ? "adopted" : "loaded", agent->model.services - built, built, unresolved);
	events_add(&agent->events, agent->started_ns, agent->took_over ? "took-over" : "started", NULL, NULL, text);
	log_info("ready: pid %d, in %llu ms", (int)getpid(),
		 (unsigned long long)((loop_now_ns() - begin_ns) / 1000000U));
	notify_send(&agent->notify, "READY=1\nMAINPID=%d\nSTATUS=%s", (int)getpid(), summary);
}

static int serve(struct agent *agent, struct takeover *takeover, struct error *error)
{
	int err = control_serve(&agent->control);

	if (err)
		return error_set(error, ERROR_REFUSED, "%s: %s", agent->options.socket, strerror(-err));
	notify_open(&agent->notify, agent->loop, takeover->notify);
	takeover->notify = -1;
	for (size_t i = 0; i < takeover->clients; i++)
		control_adopt(&agent->control, takeover->client[i], takeover->follows[i]);
	takeover->clients = 0;
	agent->ready = true;
	(void)loop_lag_ns(agent->loop);         /* of the start, when nothing was waited for */
	ways_tell_plane(agent, &agent->wanted); /* what has changed since it was asked for */
	tally_start(agent);
	turn_start(agent);
	metrics_restart(agent);
	notify_start_watchdog(&agent->notify);
	return 0;
}

int start_agent(struct agent *agent)
{
	struct takeover takeover;
	struct buf notes = {0};
	uint64_t begin_ns = loop_now_ns();
	struct config wanted = {0};
	struct error error = {0};
	int code = start_read_config(agent->options.config, &agent->file);

	if (code) {
		log_error("%s: not started", agent->options.config);
		return code;
	}
	takeover_init(&takeover);
	agent->started_ns = agent->loaded.at_ns = wall_now_ns();
	agent->loaded.ok = true;
	if (start_steps(agent, &takeover, &wanted, &notes, &error) != 0 || serve(agent, &takeover, &error) != 0) {
		log_error("not started: %s", error.text);
		code = 1;
	} else {
		say_ready(agent, begin_ns);
	}
	takeover_close(&takeover);
	config_free(&wanted);
	buf_free(&notes);
	return code;
}

void start_undo(struct agent *agent)
{
	metrics_stop(agent);
	turn_stop(agent);
	tally_close(agent);
	control_close(&agent->control, agent->control.made && !agent->handed_over);
	if (agent->nexthops)
		ways_close(agent);
	plane_close(agent->plane);
	agent->plane = NULL;
	model_free(&agent->model);
	events_close(&agent->events);
	notify_close(&agent->notify);
	state_close(agent);
	overlay_free(&agent->overlay);
	config_free(&agent->wanted);
	config_free(&agent->file);
}
