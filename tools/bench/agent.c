/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent costs at a size that is large but not strange: 200 services of 20 backends each, tables of 4,096 and of 16,384 slots. Starts the real
 * agent on empty maps, then again with the same configuration, adds a backend by its socket, and looks at its memory. Runs in network and mount
 * namespaces of its own, which take all of it with them when it ends. Exit code 1 where a bound is not kept.
 *
 *   agent [--agent FILE]
 *
 * Times are wall time less the time that the agent was ready to run and the CPU was not to be had (/proc/PID/schedstat): what it takes on a machine
 * that is not busy with other things. The phases of a start are those between the lines of its log.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

enum { SERVICES = 200, BACKENDS = 20, LIMIT_SERVICES = 256, ADDS = 9, READY_SECONDS = 60 };

struct running {
	pid_t pid;
	FILE *log;
	double began_ms, waited_ms;
};

static char agent_path[PATH_MAX + 32], dir[] = "/tmp/weir-bench-XXXXXX";
static bool kept = true; /* all bounds so far */

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void bound(const char *what, double is, double most, const char *unit)
{
	printf("  %-44s %9.1f %s, at most %.0f: %s\n", what, is, unit, most, is <= most ? "kept" : "NOT KEPT");
	kept &= is <= most;
}

static const char *in_dir(const char *name)
{
	static char path[8][128];
	static int next;
	char *made = path[next++ % 8];

	snprintf(made, sizeof(path[0]), "%s/%s", dir, name);
	return made;
}

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* How long the process has waited for a CPU so far. */
static double waited_ms(pid_t pid)
{
	unsigned long long ran = 0, waited = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%llu %llu", &ran, &waited) != 2)
		die(path);
	fclose(file);
	return (double)waited / 1e6;
}

/* ---- the little world ---- */

static void leave_world(void)
{
	umount2(dir, MNT_DETACH);
	rmdir(dir);
}

static void make_world(void)
{
	if (!mkdtemp(dir))
		die(dir);
	atexit(leave_world);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("weir-bench", dir, "tmpfs", 0, NULL) || mkdir(in_dir("bpf"), 0700) ||
	    mount("bpf", in_dir("bpf"), "bpf", 0, NULL))
		die("namespaces (this needs root)");
	if (system("ip link add be0 type veth peer name far0 && ip link set far0 up && ip link set be0 up && "
		   "ip addr add 10.99.1.11/24 dev be0 && ip route add 10.10.0.0/16 via 10.99.1.1 && "
		   "ip neigh add 10.99.1.1 lladdr 02:00:00:00:00:99 dev be0 nud permanent"))
		die("ip");
}

static void write_config(uint32_t slots)
{
	FILE *file = fopen(in_dir("weir.conf"), "we");
	int s, b;

	if (!file)
		die("weir.conf");
	fprintf(file, "interface be0 { xdp native; }\nlimits { services %d; slots %u; }\n", LIMIT_SERVICES,
		LIMIT_SERVICES * slots);
	for (s = 0; s < SERVICES; s++) {
		fprintf(file, "service s%d {\n listen 10.98.%d.%d tcp 80; forward ipip; slots %u;\n", s, s / 100,
			s % 100 + 1, slots);
		for (b = 1; b <= BACKENDS; b++)
			fprintf(file, " backend 10.10.%d.%d;\n", s, b);
		fprintf(file, "}\n");
	}
	if (fclose(file))
		die("weir.conf");
}

/* ---- the agent ---- */

static void start_agent(struct running *agent)
{
	int log[2];

	if (pipe2(log, O_CLOEXEC))
		die("pipe");
	agent->began_ms = now_ms();
	agent->pid = fork();
	if (agent->pid < 0)
		die("fork");
	if (agent->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(log[1], STDERR_FILENO);
		execl(agent_path, agent_path, "--config", in_dir("weir.conf"), "--socket", in_dir("sock"),
		      "--state-dir", in_dir("state"), "--bpffs", in_dir("bpf/w"), "--metrics-file", in_dir("weir.prom"),
		      NULL);
		_exit(127);
	}
	close(log[1]);
	agent->log = fdopen(log[0], "re");
}

/* A phase ends with a line of the log that has `until` in it; returns what it took. What is said of tables must be `tables`. */
static double phase(struct running *agent, const char *name, const char *until, const char *tables)
{
	double before_ms = agent->began_ms, before_waited_ms = agent->waited_ms;
	char line[1024];

	while (fgets(line, sizeof(line), agent->log)) {
		const char *started = strstr(line, "started: ");

		if (started && (started = strstr(started, "maps ")))
			printf("  %s", started);
		if (started && !strstr(started, tables)) {
			fprintf(stderr, "that is not \"%s\"\n", tables);
			exit(1);
		}
		if (!strstr(line, until))
			continue;
		agent->began_ms = now_ms();
		agent->waited_ms = waited_ms(agent->pid);
		before_ms = agent->began_ms - before_ms - (agent->waited_ms - before_waited_ms);
		if (name)
			printf("  %-44s %9.1f ms\n", name, before_ms);
		return before_ms;
	}
	fprintf(stderr, "the agent ended before it said \"%s\"\n", until);
	exit(1);
}

static void stop_agent(struct running *agent)
{
	kill(agent->pid, SIGTERM);
	waitpid(agent->pid, NULL, 0);
	fclose(agent->log);
}

static double first_start(struct running *agent)
{
	double all;

	*agent = (struct running){0};
	start_agent(agent);
	all = phase(agent, "configuration read, links and ways known", "control: ", "");
	all += phase(agent, "maps made, program verified", ": made", "");
	all += phase(agent, "tables built, maps filled, attached", ": attached", "");
	return all + phase(agent, "ready", "ready: ", "tables: 0 adopted, 200 built");
}

static double second_start(struct running *agent)
{
	double all;

	*agent = (struct running){0};
	start_agent(agent);
	all = phase(agent, "configuration read, links and ways known", "control: ", "");
	all += phase(agent, "maps opened", "program and maps kept", "");
	return all + phase(agent, "tables looked through, ready", "ready: ", "tables: 200 adopted, 0 built");
}

/* ---- a change by command ---- */

/* Sends one request; returns when the last line of the reply is there. */
static void request(const char *text)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char reply[4096];
	ssize_t got, had = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", in_dir("sock"));
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)) || send(fd, text, strlen(text), 0) < 0)
		die(name.sun_path);
	do {
		got = recv(fd, reply + had, sizeof(reply) - 1 - (size_t)had, 0);
		had += got > 0 ? got : 0;
		reply[had] = 0;
	} while (got > 0 && !(strstr(reply, "\"done\":true") && reply[had - 1] == '\n'));
	close(fd);
	if (!strstr(reply, "\"code\":0")) {
		fprintf(stderr, "%s%s", text, reply);
		exit(1);
	}
}

/* How many slots name another backend than in `before`, which becomes what they name now. */
static uint32_t slots_changed(const volatile uint64_t *slot, uint64_t *before, uint32_t slots)
{
	uint32_t i, changed = 0;

	for (i = 0; i < slots; i++) {
		uint64_t word = slot[i];

		changed += word != before[i];
		before[i] = word;
	}
	return changed;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* From the command's first byte to the last of the reply, when the maps hold it: that they do is looked up. */
static void measure_adds(const struct running *agent, uint32_t slots)
{
	size_t bytes = (size_t)SERVICES * slots * sizeof(uint64_t);
	int fd = bpf_obj_get(in_dir("bpf/w/set-1-1/slots")), i;
	const uint64_t *slot = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	uint64_t *before = malloc(bytes);
	double took[ADDS], first;

	if (fd < 0 || slot == MAP_FAILED || !before)
		die("slots");
	memcpy(before, slot, bytes);
	for (i = 0; i < ADDS; i++) {
		double began = now_ms(), waited = waited_ms(agent->pid);
		uint32_t changed;
		char text[64];

		snprintf(text, sizeof(text), "backend add s%d 10.10.%d.99\n", 20 * i, 20 * i);
		request(text);
		took[i] = now_ms() - began - (waited_ms(agent->pid) - waited);
		changed = slots_changed(slot, before, SERVICES * slots);
		if (changed < slots / (BACKENDS + 1) || changed > slots / (BACKENDS + 1) * 2) {
			fprintf(stderr, "%u slots changed by: %s", changed, text);
			exit(1);
		}
	}
	close(fd);
	free(before);
	first = took[0]; /* waits until no packet can be at what the agent before may have taken out a moment ago */
	qsort(took, ADDS, sizeof(*took), ascending);
	bound("a backend added, from command to map: median", took[ADDS / 2], 50, "ms");
	printf("  %-44s %9.1f ms; the slowest: %.1f ms\n", "the first after a start", first, took[ADDS - 1]);
}

/* ---- memory ---- */

/* The number after `field` in a file, in its own unit; 0 if it has none. */
static double number_in(const char *path, const char *field)
{
	FILE *file = fopen(path, "re");
	char line[256];
	double number = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, field, strlen(field)) == 0)
			number = strtod(line + strlen(field), NULL);
	if (file)
		fclose(file);
	return number;
}

/* What the kernel counts for all maps of the agent: each is open once. */
static double maps_bytes(pid_t pid)
{
	double bytes = 0;
	char path[64];
	int fd;

	for (fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
		if (number_in(path, "map_id:") > 0)
			bytes += number_in(path, "memlock:");
	}
	return bytes;
}

static void measure_memory(const struct running *agent, uint32_t slots)
{
	double per_service = 256 + 2.0 * slots * BACKENDS / 1024, maps = maps_bytes(agent->pid) / 1024;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)agent->pid);
	bound("maps, for each of the services there is room for", maps / LIMIT_SERVICES, 256, "KiB");
	bound("the agent's own memory", number_in(path, "RssAnon:") / 1024, 16 + SERVICES * per_service / 1024, "MiB");
	printf("  %-44s %9.1f MiB; all that the agent has mapped: %.1f MiB\n", "all maps", maps / 1024,
	       number_in(path, "VmRSS:") / 1024);
}

static void measure(uint32_t slots, double most_ms)
{
	struct running agent;
	double all;

	printf("%d services of %d backends, %u slots each\n", SERVICES, BACKENDS, slots);
	write_config(slots);
	all = first_start(&agent);
	bound("from nothing to ready", all, most_ms, "ms");
	stop_agent(&agent);
	all = second_start(&agent);
	bound("started again with the same configuration", all, most_ms, "ms");
	measure_adds(&agent, slots);
	measure_memory(&agent, slots);
	stop_agent(&agent);
}

static void forget(void)
{
	char command[PATH_MAX + 256];

	snprintf(command, sizeof(command), "%s --unload --bpffs %s >/dev/null", agent_path, in_dir("bpf/w"));
	if (system(command))
		die(command);
	snprintf(command, sizeof(command), "rm -rf %s", in_dir("state"));
	if (system(command))
		die(command);
}

/* BUILD/tools/bench/agent, BUILD/weir-agent */
static void find_agent(const char *given)
{
	char self[PATH_MAX] = "";

	if (given)
		snprintf(agent_path, sizeof(agent_path), "%s", given);
	else if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
		snprintf(agent_path, sizeof(agent_path), "%s/../../weir-agent", dirname(self));
	if (access(agent_path, X_OK))
		die(agent_path);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"agent", required_argument, NULL, 'a'}, {NULL, 0, NULL, 0}};
	const char *given = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'a')
			return 2;
		given = optarg;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	find_agent(given);
	make_world();
	measure(4096, 1000);
	forget();
	measure(16384, 3000);
	return kept ? 0 : 1;
}
