/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of commands: what there is, what each takes and does. No code: parser, help, usage errors and completion
 * read these rows, and main.c runs what `run` names.
 */
#include "commands.h"

#include "decap.h"
#include "help.h"
#include "render.h"
#include "request.h"
#include "wait.h"

/* Asks the agent and shows its document. */
#define QUERY(words, arguments, most, render, summary)                                      \
	{                                                                                   \
		words, arguments, 0, most, OPTION_WATCH, request_run, render, summary, NULL \
	}
/* Has the agent change something. most < 0: words of the configuration file. */
#define CHANGE(words, arguments, least, most, options, summary, details)                           \
	{                                                                                          \
		words, arguments, least, most, options, request_run, render_text, summary, details \
	}
/* Has the agent change a backend, and waits. */
#define WAITED(words, arguments, least, most, options, run, summary, details)              \
	{                                                                                  \
		words, arguments, least, most, options, run, render_text, summary, details \
	}
/* Carried out here. */
#define LOCAL(words, arguments, least, most, options, run, summary, details)        \
	{                                                                           \
		words, arguments, least, most, options, run, NULL, summary, details \
	}
/* A command that later versions will have. */
#define LATER(words)                                        \
	{                                                   \
		words, "", 0, -1, 0, NULL, NULL, NULL, NULL \
	}

#define WAIT (OPTION_WAIT | OPTION_NO_WAIT)
#define WORDS                                                                                                          \
	"WORDs are those of weir.conf(5), as one argument or many; quote `;` and `{ }` for the shell. The outermost\n" \
	"braces may be left out. `-f FILE` (`-f -`: standard input) takes the object from a file, as `weir show\n"     \
	"config` prints it.\n"
#define KEPT "The change takes effect at once and is kept over restarts, until `weir revert` or `weir save`."

static const struct command rows[] = {
	QUERY("status", "", 0, render_status, "one screen: agent, interfaces, services, what is wrong"),
	QUERY("show", "", 0, render_show, "services, backends, drops and XDP in one"),
	QUERY("show services", "[SERVICE]", 1, render_show, "services: listeners, backends, packets"),
	QUERY("show backends", "[SERVICE]", 1, render_show, "backends: state, weight, share, packets, way out"),
	QUERY("show pins", "[SERVICE]", 1, render_show, "flows that are remembered while slots are in transition"),
	QUERY("show drops", "[REASON]", 1, render_show, "what became of packets, by reason"),
	QUERY("show xdp", "[INTERFACE]", 1, render_show, "the program, and where it is attached"),
	QUERY("show config", "[SERVICE]", 1, render_show, "what is in force (`# runtime`: by command)"),

	CHANGE("service add", "NAME [WORD...]", 1, -1, OPTION_FILE, "add a service",
	       "    weir service add web 'listen 192.0.2.10 tcp 80; forward dsr; backend 10.0.0.11'\n" WORDS KEPT),
	CHANGE("service set", "SERVICE WORD...", 2, -1, OPTION_FILE, "change words of a service",
	       "    weir service set web affinity client\n" WORDS KEPT),
	CHANGE("service remove", "SERVICE", 1, 1, OPTION_FORCE, "remove a service and its backends", KEPT),
	WAITED("backend add", "SERVICE ADDRESS [WORD...]", 2, -1, OPTION_FILE | WAIT, wait_up,
	       "add a backend to a service",
	       "    weir backend add web 10.0.0.13 weight 2\n"
	       "--wait: until it takes flows.\n" WORDS KEPT),
	CHANGE("backend set", "SERVICE ADDRESS WORD...", 3, -1, OPTION_FILE | OPTION_FORCE, "change words of a backend",
	       "    weir backend set web 10.0.0.13 weight 5\n" WORDS KEPT),
	CHANGE("backend weight", "SERVICE ADDRESS N", 3, 3, OPTION_FORCE,
	       "short for: backend set SERVICE ADDRESS weight N", KEPT),
	WAITED("backend drain", "SERVICE ADDRESS", 2, 2, OPTION_FORCE | WAIT, wait_drain,
	       "give a backend no more flows",
	       "It keeps the flows that it has until they end, or until the service's `drain` time is over. Comes back when no\n"
	       "new flow can reach it any more: after about a second, at most three; with --no-wait at once, with --wait when\n"
	       "it has no flow left. Ctrl-C ends the waiting, not the draining. See weir(8), \"Draining\".\n"
	       "--force: at once: its flows are cut; although it is the last backend that is up. (Weight 0 with --force drains\n"
	       "that one, too, and keeps its flows.)\n" KEPT),
	WAITED("backend enable", "SERVICE ADDRESS", 2, 2, OPTION_FORCE | WAIT, wait_up,
	       "take a drained or disabled backend back",
	       "--wait: comes back when it takes flows; --no-wait and --force mean nothing here.\n" KEPT),
	WAITED("backend disable", "SERVICE ADDRESS", 2, 2, OPTION_FORCE | WAIT, wait_off, "take a backend out at once",
	       "Cuts the flows that it has; refused without --force while there may be any. It has happened when the command\n"
	       "comes back.\n" KEPT),
	WAITED("backend remove", "SERVICE ADDRESS", 2, 2, OPTION_FORCE | WAIT, wait_remove,
	       "remove a backend from a service",
	       "Drains it; it is gone when it has no flow left. Comes back as `weir backend drain` does; with --wait when it is\n"
	       "gone. --force: at once, with the flows that it has, and although it is the last backend that is up.\n" KEPT),

	CHANGE("reload", "", 0, 0, 0, "load the configuration file again", "A file with errors changes nothing."),
	LOCAL("diff", "", 0, 1, 0, request_diff, "what differs from the configuration file", NULL),
	CHANGE("revert", "[SERVICE [ADDRESS]]", 0, 2, 0, "take changes by command back",
	       "All of them, those of one service and its backends, or those of one backend."),
	CHANGE("save", "", 0, 0, 0, "write changes by command into the configuration file",
	       "A copy of the old file is kept."),
	{"events", "", 0, 0, OPTION_FOLLOW, request_run, render_event, "what happened: the last 1,000 events", NULL},
	{"explain", "SOURCE[:PORT] VIP:PORT [PROTOCOL]", 2, 4, 0, request_run, render_text,
	 "which backend a flow gets, and why",
	 "    weir explain 198.51.100.7:40000 192.0.2.10:80 tcp\n"
	 "Changes nothing and counts nothing. PROTOCOL is tcp (default) or udp; IPv6 with a port: [2001:db8::1]:80."},
	LOCAL("version", "", 0, 0, 0, request_version, "the versions of this program and of the agent", NULL),

	LOCAL("decap attach", "INTERFACE [ipip]", 1, 2, OPTION_GENERIC, decap_attach,
	      "on a backend: strip the tunnel header of packets to this machine",
	      "Needs no agent and no tunnel device. Attached natively; a driver without XDP needs --generic."),
	LOCAL("decap detach", "INTERFACE", 1, 1, 0, decap_detach, "on a backend: take that off again", NULL),
	LOCAL("decap show", "[INTERFACE]", 0, 1, 0, decap_show, "on a backend: where it is attached, what it counted",
	      NULL),
	LOCAL("help", "[COMMAND...]", 0, 2, 0, help_run, "this list, or what COMMAND does and takes", NULL),

	LATER("show vrrp"),
	LATER("show checks"),
	LATER("vrrp"),
	LATER("apply"),
	LATER("confirm"),
	LATER("rollback"),
	LATER("doctor"),
	LATER("top"),
	LATER("trace"),
	LATER("import"),
};

const struct commands commands = {rows, sizeof(rows) / sizeof(rows[0])};
