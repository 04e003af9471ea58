/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics file. In: a timer. Out: <file>, written beside itself under a name that the collector does not read and
 * then renamed, so that it never sees half of it. A file that cannot be written is said once, and in `weir status`.
 */
#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "../lib/file.h"
#include "../lib/log.h"

static const char *path_of(const struct agent *agent)
{
	return agent->options.metrics_file ? agent->options.metrics_file : agent->wanted.metrics_file;
}

static void failed(struct agent *agent, const char *path, const char *why)
{
	char problem[sizeof(agent->metrics.problem)];

	snprintf(problem, sizeof(problem), "%s: cannot be written: %s", path, why);
	if (!agent->metrics.failed || strcmp(problem, agent->metrics.problem) != 0)
		log_warn("metrics: %s", problem);
	memcpy(agent->metrics.problem, problem, sizeof(problem));
	agent->metrics.failed = true;
}

static void metrics_write(struct agent *agent)
{
	const char *path = path_of(agent);
	struct buf text = {0};
	int err;

	agent->metrics.lag_ns = loop_lag_ns(agent->loop);
	metrics_text(agent, &text);
	err = text.failed || !text.data ? -1 : file_replace(path, ".tmp", text.data, text.length, 0644, 0);
	if (text.failed || !text.data)
		failed(agent, path, "out of memory");
	else if (err)
		failed(agent, path, strerror(-err));
	else if (agent->metrics.failed)
		log_info("metrics: %s: written again", path);
	if (!err)
		agent->metrics.failed = false;
	buf_free(&text);
}

static void metrics_fire(struct timer *timer, uint64_t now_ns)
{
	struct agent *agent = container_of(timer, struct agent, metrics.timer);

	metrics_write(agent);
	(void)loop_timer_set(agent->loop, timer, now_ns + agent->wanted.metrics_every_ms * 1000000ULL);
}

void metrics_restart(struct agent *agent)
{
	metrics_stop(agent);
	if (!*path_of(agent))
		return;
	agent->metrics.timer.fire = metrics_fire;
	(void)loop_timer_set(agent->loop, &agent->metrics.timer, 0);
}

void metrics_stop(struct agent *agent)
{
	loop_timer_stop(agent->loop, &agent->metrics.timer);
	agent->metrics.failed = false;
}
