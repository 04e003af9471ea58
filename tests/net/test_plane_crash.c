/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An agent killed at every step: before the first call that changes the kernel's objects or the bpffs, before the second, and
 * so on until it comes through. Each time forwarding goes on where it went before, and the next start (or unload) succeeds and
 * leaves everything as if nothing had happened.
 *
 * The steps are the calls below, which this program defines itself: the linker takes these, and they pass on to the real ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "plane_lab.h"
#include "plane_maps.h"

/* ---- steps ---- */

static int steps_left = -1; /* until the kill; < 0: lives */

enum { SERIES = 4 };

/* Of calls of the same function in a row (maps that are pinned, pins that are removed) each SERIES-th is a step: they are much alike. */
static void step(const char *name)
{
	static const char *last;
	static int run;

	run = name == last ? run + 1 : 0;
	last = name;
	if (run % SERIES)
		return;
	if (steps_left == 0)
		kill(getpid(), SIGKILL);
	if (steps_left > 0)
		steps_left--;
}

#define STEP(name, parameters, arguments)                  \
	int name parameters                                \
	{                                                  \
		int(*real) parameters;                     \
                                                           \
		*(void **)&real = dlsym(RTLD_NEXT, #name); \
		step(#name);                               \
		return real arguments;                     \
	}

STEP(bpf_obj_pin, (int fd, const char *path), (fd, path))
STEP(bpf_link_create, (int program, int target, enum bpf_attach_type type, const struct bpf_link_create_opts *opts),
     (program, target, type, opts))
STEP(bpf_link_update, (int link, int program, const struct bpf_link_update_opts *opts), (link, program, opts))
STEP(bpf_link_detach, (int link), (link))
STEP(bpf_map_update_elem, (int fd, const void *key, const void *value, __u64 flags), (fd, key, value, flags))
STEP(bpf_map_delete_elem, (int fd, const void *key), (fd, key))
STEP(rename, (const char *from, const char *to), (from, to))
STEP(unlink, (const char *path), (path))
STEP(rmdir, (const char *path), (path))
STEP(mkdir, (const char *path, mode_t mode), (path, mode))

/* ---- what is done, and killed ---- */

struct deed {
	const char *before; /* config that ran before, NULL = nothing did */
	const char *config; /* that the killed one starts with; NULL = it unloads */
	void (*prepare)(void);
	void (*check)(void); /* after the next start */
	bool three_ports;
	bool other_set; /* the config wants another set than ran before */
};

struct attempt {
	const char *config;
	int steps;
};

static void attempt(void *arg)
{
	const struct attempt *attempt = arg;
	struct lab_agent agent = {.plane = NULL};
	struct error error = {.code = ERROR_NONE};

	steps_left = attempt->steps;
	if (attempt->config)
		lab_agent_start(&agent, lab_bpffs, attempt->config, -1, &error);
	else
		plane_unload(lab_bpffs, wire_ignore, &error);
	if (error.code)
		_exit(2);
}

/* Frames from every end that weir looks at; how many it sent. */
static uint64_t probe(const struct deed *deed)
{
	int wires = deed->three_ports ? 3 : 1;
	uint64_t received;

	for (int wire = 0; wire < wires; wire++)
		wire_send(wire, "192.0.2.10", 80, 3000, 100);
	received = wire_received(0);
	if (received != (uint64_t)wires * 100)
		fail_msg("%lu of %d frames came", received, wires * 100);
	return received;
}

static size_t entries(const char *below_bpffs, const char *beginning)
{
	char path[128];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", lab_bpffs, below_bpffs);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		count += !strncmp(entry->d_name, beginning, strlen(beginning)) && entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

/* One set, with one program; the links that are wanted. */
static void assert_tidy(const struct deed *deed)
{
	char set[32];

	snprintf(set, sizeof(set), "set-1-%u", lab_outcome->info.serial);
	assert_int_equal(entries("", "set-"), 1);
	assert_int_equal(entries(set, "prog"), 1);
	assert_int_equal(entries("links", ""), deed->three_ports ? 3 : 1);
}

static void prepare(const struct deed *deed, uint64_t *sent)
{
	lab_reset();
	*sent = 0;
	if (!deed->before)
		return;
	lab_start_once(lab_bpffs, deed->before);
	assert_string_equal(lab_outcome->text, "");
	*sent += probe(deed);
	if (deed->prepare)
		deed->prepare();
}

static void next_start(const struct deed *deed, uint64_t sent)
{
	const char *config = deed->config ? deed->config : deed->before;

	lab_start_once(lab_bpffs, config);
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_outcome->code, 0);
	assert_tidy(deed);
	if (deed->config && deed->before && !deed->other_set)
		assert_int_equal(lab_outcome->info.serial, 1); /* the set that ran was recognised */
	if (deed->config && sent)
		assert_int_equal(lab_outcome->web.packets, sent); /* and nothing that was counted is lost */
	if (deed->check)
		deed->check();
	probe(deed);
}

/* Whether packets come through with no agent between the kill and the next start: where they did before. */
static bool must_forward(const struct deed *deed)
{
	return deed->before && deed->config;
}

/* True if the deed came through before it was killed. */
static bool killed_at(const struct deed *deed, int steps)
{
	struct attempt one = {.config = deed->config, .steps = steps};
	uint64_t sent;
	int status;

	prepare(deed, &sent);
	status = lab_in_child(attempt, &one);
	if (!WIFSIGNALED(status))
		assert_int_equal(status, 0);
	if (must_forward(deed))
		sent += probe(deed);
	if (deed->config || steps % 2) {
		next_start(deed, deed->before ? sent : 0);
	} else {
		lab_unload_once(lab_bpffs);
		assert_string_equal(lab_outcome->text, "");
		assert_false(lab_exists(""));
	}
	return !WIFSIGNALED(status);
}

static void kill_everywhere(const struct deed *deed)
{
	int steps = 0;

	while (!killed_at(deed, steps))
		steps++;
	print_message("# killed at each of %d steps\n", steps);
	assert_true(steps > 0);
}

/* ---- the deeds ---- */

static const char larger[] =
	"interface e0 { xdp native; } interface e1 { xdp native; } interface e2 { xdp native; }\n"
	"limits { services 8; backends 64; }\n"
	"service web { listen 192.0.2.10 udp 80; forward dsr; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n";

static void first_start(void **state)
{
	const struct deed deed = {.config = lab_three_ports, .three_ports = true};

	(void)state;
	kill_everywhere(&deed);
}

static void adopting(void **state)
{
	const struct deed deed = {.before = lab_three_ports, .config = lab_three_ports, .three_ports = true};

	(void)state;
	(void)killed_at(&deed, 0);
	assert_true(killed_at(&deed, 1000)); /* hardly a step: nothing is to do */
}

static void forge_object_digest(void)
{
	maps_forge_object_digest("set-1-1");
}

static void other_program(void **state)
{
	const struct deed deed = {.before = lab_three_ports,
				  .config = lab_three_ports,
				  .prepare = forge_object_digest,
				  .three_ports = true};

	(void)state;
	kill_everywhere(&deed);
}

static void other_sizes(void **state)
{
	const struct deed deed = {.before = lab_three_ports, .config = larger, .three_ports = true, .other_set = true};

	(void)state;
	kill_everywhere(&deed);
}

/* ---- a transition, with flows in the maps ---- */

enum { SLOTS = 4096, FLOWS = 5 };

static const char third[] =
	"interface e0 { xdp native; } limits { services 4; backends 64; pins 4096; openings 1024; }\n"
	"service web { listen 192.0.2.10 udp 80; slots 4096; backend 10.0.0.1; backend 10.0.0.2; backend 10.0.0.3; }\n";

static const char third_larger[] =
	"interface e0 { xdp native; } limits { services 4; backends 64; pins 8192; openings 1024; }\n"
	"service web { listen 192.0.2.10 udp 80; slots 4096; backend 10.0.0.1; backend 10.0.0.2; backend 10.0.0.3; }\n";

static union weir_slot turned[SLOTS];
static struct weir_pin pin[FLOWS];

static struct weir_flow_key key_of(uint16_t flow)
{
	return (struct weir_flow_key){.src.word = {1, 2, 3, 4}, .sport = flow, .proto = 6};
}

/* A backend has come in: slots hold, and some flows are known. */
static void begin_transition(void)
{
	int pins, openings;

	lab_start_once(lab_bpffs, third);
	assert_string_equal(lab_outcome->text, "");
	maps_read_slots("set-1-1", 0, SLOTS, turned);
	pins = maps_open("set-1-1", "pins");
	openings = maps_open("set-1-1", "openings");
	for (uint32_t i = 0, slot = 0; i < FLOWS; i++, slot++) {
		struct weir_flow_key key = key_of((uint16_t)i);
		struct weir_opening opening = {.first = i};

		while (!turned[slot].previous)
			slot++;
		pin[i] = (struct weir_pin){.backend = turned[slot].previous,
					   .epoch = (uint16_t)(turned[slot].state >> WEIR_SLOT_EPOCH_SHIFT),
					   .generation = 1,
					   .slot = slot,
					   .sequence = i};
		opening.backend = pin[i].backend;
		opening.slot = slot;
		assert_int_equal(bpf_map_update_elem(pins, &key, &pin[i], BPF_ANY), 0);
		assert_int_equal(bpf_map_update_elem(openings, &key, &opening, BPF_ANY), 0);
	}
	close(pins);
	close(openings);
}

/* Wherever the killed one was: all of it is there. */
static void check_transition(void)
{
	static union weir_slot now[SLOTS];
	char set[32];
	int pins, openings;

	snprintf(set, sizeof(set), "set-1-%u", lab_outcome->info.serial);
	maps_read_slots(set, 0, SLOTS, now);
	assert_memory_equal(now, turned, sizeof(now));
	pins = maps_open(set, "pins");
	openings = maps_open(set, "openings");
	for (uint16_t i = 0; i < FLOWS; i++) {
		struct weir_flow_key key = key_of(i);
		struct weir_opening opening;
		struct weir_pin found;

		assert_int_equal(bpf_map_lookup_elem(pins, &key, &found), 0);
		assert_memory_equal(&found, &pin[i], sizeof(found));
		assert_int_equal(bpf_map_lookup_elem(openings, &key, &opening), 0);
		assert_int_equal(opening.slot, pin[i].slot);
	}
	close(pins);
	close(openings);
}

static void transition_to_other_set(void **state)
{
	const struct deed deed = {.before = lab_config,
				  .config = third_larger,
				  .prepare = begin_transition,
				  .check = check_transition,
				  .other_set = true};

	(void)state;
	kill_everywhere(&deed);
}

/* Services, backends and addresses come and go; web stays as it was. */
static void other_services(void **state)
{
	static const char before[] =
		"interface e0 { xdp native; } limits { services 4; backends 64; }\n"
		"service old { listen 192.0.2.30 udp 1 3 5 7 9 11 13 15; slots 4096; backend 10.0.0.3; }\n"
		"service web { listen 192.0.2.10 udp 80; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n"
		"service part { listen 192.0.2.10 udp 81-90; listen 192.0.2.31 udp any; slots 4096; backend 10.0.0.4; backend 10.0.0.5; }\n";
	static const char after[] =
		"interface e0 { xdp native; } limits { services 4; backends 64; }\n"
		"service web { listen 192.0.2.10 udp 80; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n"
		"service new { listen 192.0.2.32 udp 1 3 5 7 9 11 13 15; slots 4096; backend 10.0.0.3; }\n"
		"service part { listen 192.0.2.10 udp 81 83 85 87 89 91; slots 4096; backend 10.0.0.5; backend 10.0.0.6; }\n";
	const struct deed deed = {.before = before, .config = after};

	(void)state;
	kill_everywhere(&deed);
	wire_send(0, "192.0.2.10", 83, 0, 50);
	wire_send(0, "192.0.2.32", 15, 0, 50);
	assert_int_equal(wire_received(0), 100);
	wire_send(0, "192.0.2.10", 82, 0, 50);
	wire_send(0, "192.0.2.30", 1, 0, 50);
	wire_send(0, "192.0.2.31", 1, 0, 50);
	assert_int_equal(wire_received(0), 0);
}

static void new_device(void)
{
	lab_run("ip link del c1");
	lab_wire("c1", "e1");
	usleep(50000);
}

/* e1 has gone and come back while no agent ran: its link is made anew; the others go on, so only they are probed before. */
static void device_made_anew(void **state)
{
	const struct deed deed = {
		.before = lab_three_ports, .config = lab_three_ports, .prepare = new_device, .three_ports = true};
	struct attempt one = {.config = deed.config};
	uint64_t sent;
	int status;

	(void)state;
	do {
		prepare(&deed, &sent);
		status = lab_in_child(attempt, &one);
		assert_int_equal(lab_probe(), 200);
		next_start(&deed, 0);
		one.steps++;
	} while (WIFSIGNALED(status));
	assert_int_equal(status, 0);
	print_message("# killed at each of %d steps\n", one.steps - 1);
}

static void unloading(void **state)
{
	const struct deed deed = {.before = lab_three_ports, .three_ports = true};

	(void)state;
	kill_everywhere(&deed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_start),    cmocka_unit_test(adopting),
		cmocka_unit_test(other_program),  cmocka_unit_test(other_sizes),
		cmocka_unit_test(other_services), cmocka_unit_test(device_made_anew),
		cmocka_unit_test(unloading),      cmocka_unit_test(transition_to_other_set),
	};
	int failed;

	lab_up();
	failed = cmocka_run_group_tests_name("plane: killed", tests, NULL, NULL);
	lab_reset();
	return failed;
}
