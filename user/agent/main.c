/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weir-agent: loads the data path, fills its maps and keeps them true while packets flow. In: the command line,
 * signals. Out: exit codes: 0 done or told to stop, 1 refused, 2 usage, 78 bad configuration. Forwarding does not end
 * with the agent: only --unload ends it.
 *
 *   options.c -> start.c -> the loop: control.c (clients), ways.c (kernel), timers -> start_undo
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../lib/log.h"
#include "agent.h"
#include "reload.h"
#include "start.h"

uint64_t wall_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int check(const struct options *options)
{
	struct config config = {0};
	int code = start_read_config(options->config, &config);

	if (code == 0)
		printf("%s: good: %zu services, %zu interfaces\n", options->config, config.services, config.interfaces);
	config_free(&config);
	return code;
}

static void said(const char *line)
{
	printf("%s\n", line);
}

static int unload(const struct options *options)
{
	struct error error = {0};

	if (plane_unload(options->bpffs, said, &error) == 0)
		return 0;
	fprintf(stderr, "weir-agent: %s\n", error.text);
	return 1;
}

static void stop(int signo, void *arg)
{
	struct agent *agent = arg;

	log_info("%s: stopping; forwarding goes on", strsignal(signo));
	agent->stopping = true;
	loop_stop(agent->loop);
}

static void hangup(int signo, void *arg)
{
	struct agent *agent = arg;

	(void)signo;
	if (agent->ready)
		reload_signal(agent);
}

static int catch_signals(struct agent *agent)
{
	int err = loop_signal(agent->loop, SIGTERM, stop, agent);

	if (!err)
		err = loop_signal(agent->loop, SIGINT, stop, agent);
	if (!err)
		err = loop_signal(agent->loop, SIGHUP, hangup, agent);
	signal(SIGPIPE, SIG_IGN);
	return err;
}

static int run(const struct options *options)
{
	static struct agent agent; /* too large for the stack */
	int code, err;

	agent = (struct agent){
		.options = *options,
		.state_lock = -1,
		.control.listening.fd = -1,
		.notify.fd = -1,
		.events.fd = -1,
		.write_group = (gid_t)-1,
	};
	agent.loop = loop_new();
	if (!agent.loop || catch_signals(&agent) != 0) {
		log_error("not started: the event loop cannot be made: %s", strerror(errno));
		return 1;
	}
	code = start_agent(&agent);
	if (code == 0) {
		err = loop_run(agent.loop);
		if (err)
			log_error("the event loop broke: %s", strerror(-err));
		code = err ? 1 : 0;
		if (!agent.handed_over)
			events_add(&agent.events, wall_now_ns(), "stopped", NULL, NULL,
				   "weir-agent stopped; forwarding goes on");
		if (!agent.handed_over)
			notify_send(&agent.notify, "STOPPING=1");
	}
	start_undo(&agent);
	loop_free(agent.loop);
	return code;
}

int main(int argc, char **argv)
{
	struct options options;
	struct error error = {0};

	if (options_parse(&options, argc, argv, &error) != 0) {
		fprintf(stderr, "weir-agent: %s\n", error.text);
		return 2;
	}
	log_set_level(options.log_level);
	if (options.help) {
		options_help(stdout);
		return 0;
	}
	if (options.version) {
		printf("weir-agent %s, map layout %d\n", WEIR_VERSION, WEIR_LAYOUT);
		return 0;
	}
	if (options.check)
		return check(&options);
	return options.unload ? unload(&options) : run(&options);
}
