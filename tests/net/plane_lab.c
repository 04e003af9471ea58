/* SPDX-License-Identifier: BSD-2-Clause */
/* See plane_lab.h. */
#include "plane_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../user/lib/log.h"
#include "../../user/model/grammar.h"
#include "plane_wire.h"

char lab_dir[32], lab_bpffs[64];
bool lab_ways_unknown;
struct lab_outcome *lab_outcome;

const char lab_config[] =
	"interface e0 { xdp native; }\n"
	"limits { services 4; backends 64; pins 4096; openings 1024; }\n"
	"service web { listen 192.0.2.10 udp 80; forward dsr; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n";

const char lab_three_ports[] =
	"interface e0 { xdp native; } interface e1 { xdp native; } interface e2 { xdp native; }\n"
	"limits { services 4; backends 64; pins 4096; openings 1024; }\n"
	"service web { listen 192.0.2.10 udp 80; forward dsr; slots 4096; backend 10.0.0.1; backend 10.0.0.2; }\n";

static void die(const char *what)
{
	fprintf(stderr, "# lab: %s: %s\n", what, strerror(errno));
	exit(1);
}

void lab_run(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command)) {
		fprintf(stderr, "# lab: failed: %s\n", command);
		exit(1);
	}
}

void lab_wire(const char *end, const char *port)
{
	lab_run("ip link add %s type veth peer name %s", end, port);
	for (int i = 0; i < 2; i++)
		lab_run("ip link set %s up arp off", i ? end : port);
	wire_count(end);
}

static pid_t owner;

static void lab_down(void)
{
	if (getpid() != owner)
		return;
	umount2(lab_dir, MNT_DETACH);
	rmdir(lab_dir);
}

void lab_up(void)
{
	strcpy(lab_dir, "/tmp/wplane-XXXXXX");
	lab_outcome = mmap(NULL, sizeof(*lab_outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (lab_outcome == MAP_FAILED || !mkdtemp(lab_dir))
		die("memory, directory");
	owner = getpid();
	atexit(lab_down);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", lab_dir, "bpf", 0, "mode=0700"))
		die("namespaces, bpffs");
	snprintf(lab_bpffs, sizeof(lab_bpffs), "%s/weir", lab_dir);
	lab_run("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
	lab_run("ip link set lo up");
	log_set_level(getenv("LAB_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	wire_open();
	for (int i = 0; i < 3; i++) {
		char end[] = {'c', (char)('0' + i), 0}, port[] = {'e', (char)('0' + i), 0};

		lab_wire(end, port);
	}
}

void lab_reset(void)
{
	struct error error = {.code = ERROR_NONE};

	wire_load_end();
	memset(lab_outcome, 0, sizeof(*lab_outcome));
	if (plane_unload(lab_bpffs, wire_ignore, &error)) {
		fprintf(stderr, "# lab: %s\n", error.text);
		exit(1);
	}
	for (int wire = 0; wire < 3; wire++)
		(void)wire_received(wire);
}

uint64_t lab_probe(void)
{
	(void)wire_received(0);
	wire_send(0, "192.0.2.10", 80, 1000, 200);
	return wire_received(0);
}

/* ---- agents ---- */

/* Every backend is there, behind c0: its MAC ends with the last two bytes of its address. */
static struct model_way make_way(void *arg, const struct model_service *service, const struct model_backend *backend)
{
	const struct lab_agent *agent = arg;
	struct model_way way = {.state = WAY_READY};
	struct weir_way *image = &way.image;

	(void)service;
	if (lab_ways_unknown)
		return (struct model_way){.state = WAY_UNKNOWN};
	image->ifindex = if_nametoindex("e0");
	image->mtu = 1500;
	image->flags = WEIR_WAY_RESOLVED;
	image->tags = WEIR_TAGS_KEEP;
	memcpy(image->dst_mac, (uint8_t[]){2, 0xbe, 0, 0}, 4);
	memcpy(image->dst_mac + 4, backend->config.addr.byte + 14, 2);
	image->dst_mac[5] = (uint8_t)(image->dst_mac[5] + agent->mac_step);
	memcpy(image->src_mac, (uint8_t[]){2, 0xee, 0, 0, 0, 0}, 6);
	return way;
}

static uint64_t no_clock(void *arg)
{
	(void)arg;
	return 1;
}

static void no_event(void *arg, const char *kind, const char *service, const struct addr *backend, const char *text)
{
	(void)arg, (void)kind, (void)service, (void)backend, (void)text;
}

/* As the agent does it: the observer's argument is the agent, the plane's functions want the plane. */
static void service_changed(void *arg, struct model_service *service)
{
	plane_service_changed(((struct lab_agent *)arg)->plane, service);
}

static void vip_changed(void *arg, const struct addr *vip)
{
	plane_vip_changed(((struct lab_agent *)arg)->plane, vip);
}

static void way_changed(void *arg, struct model_service *service, struct model_backend *backend)
{
	plane_way_changed(((struct lab_agent *)arg)->plane, service, backend);
}

static void service_removed(void *arg, struct model_service *service)
{
	plane_service_removed(((struct lab_agent *)arg)->plane, service);
}

static void backend_removed(void *arg, struct model_service *service, struct model_backend *backend)
{
	plane_backend_removed(((struct lab_agent *)arg)->plane, service, backend);
}

static int parse(struct config *config, const char *text, struct error *error)
{
	struct errors errors = {.count = 0};
	int err = grammar_parse(config, "test.conf", text, strlen(text), NULL, &errors);

	errors_first(&errors, error);
	errors_free(&errors);
	return err;
}

static int fill(struct lab_agent *agent, struct error *error)
{
	const struct model_observer observer = {
		.arg = agent,
		.way = make_way,
		.service_changed = service_changed,
		.vip_changed = vip_changed,
		.way_changed = way_changed,
		.service_removed = service_removed,
		.backend_removed = backend_removed,
		.now_wall_ns = no_clock,
		.event = no_event,
	};

	if (model_init(&agent->model, &agent->config.limits, agent->config.hash_seed, &observer) ||
	    plane_restore(agent->plane, &agent->model, error) || plane_load(agent->plane, &agent->config.limits, error))
		return -1;
	if (plane_check(agent->plane, agent->config.interface, agent->config.interfaces, error))
		return -1;
	plane_set_model(agent->plane, &agent->model);
	return model_apply(&agent->model, &agent->config, error);
}

int lab_agent_fill(struct lab_agent *agent, const char *bpffs, const char *config, int lock_fd, struct error *error)
{
	if (parse(&agent->config, config, error))
		return -1;
	agent->plane = plane_open(bpffs, lock_fd, error);
	if (agent->plane && !fill(agent, error))
		return 0;
	lab_agent_stop(agent);
	return -1;
}

int lab_agent_start(struct lab_agent *agent, const char *bpffs, const char *config, int lock_fd, struct error *error)
{
	if (lab_agent_fill(agent, bpffs, config, lock_fd, error))
		return -1;
	if (!plane_attach(agent->plane, agent->config.interface, agent->config.interfaces, error))
		return 0;
	lab_agent_stop(agent);
	return -1;
}

int lab_agent_apply(struct lab_agent *agent, const char *config, struct error *error)
{
	struct config wanted;
	int err = parse(&wanted, config, error);

	if (!err)
		err = model_apply(&agent->model, &wanted, error);
	config_free(&wanted);
	return err;
}

void lab_agent_stop(struct lab_agent *agent)
{
	plane_close(agent->plane);
	model_free(&agent->model);
	config_free(&agent->config);
	memset(agent, 0, sizeof(*agent));
}

/* ---- agents as processes ---- */

void lab_tell(const struct lab_agent *agent, int code, const struct error *error)
{
	struct lab_outcome *out = lab_outcome;
	uint64_t reasons[WEIR_REASON_COUNT];
	const struct model_service *web = model_service(&agent->model, "web");

	out->code = code;
	memcpy(out->text, error->text, sizeof(out->text));
	if (code)
		return;
	plane_info(agent->plane, &out->info);
	out->ports = plane_ports(agent->plane, out->port, 3);
	out->tables_built = 0;
	for (size_t i = 0; i < agent->model.services; i++)
		out->tables_built += agent->model.service[i]->built;
	plane_reason_counts(agent->plane, reasons);
	out->forwarded = reasons[WEIR_REASON_FORWARDED];
	if (!web)
		return;
	plane_service_count(agent->plane, web->index, &out->web);
	for (size_t i = 0; i < 2 && i < web->backends; i++)
		plane_backend_count(agent->plane, web->backend[i].index, &out->backend[i]);
}

int lab_in_child(void (*work)(void *arg), void *arg)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		work(arg);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return status;
}

struct start {
	const char *bpffs, *config;
};

static void start_once(void *arg)
{
	const struct start *start = arg;
	struct lab_agent agent = {.plane = NULL};
	struct error error = {.code = ERROR_NONE};
	int code = lab_agent_start(&agent, start->bpffs, start->config, -1, &error);

	lab_tell(&agent, code, &error);
	lab_agent_stop(&agent);
}

void lab_start_once(const char *bpffs, const char *config)
{
	struct start start = {bpffs, config};

	memset(lab_outcome, 0, sizeof(*lab_outcome));
	lab_outcome->code = -2;
	(void)lab_in_child(start_once, &start);
}

pid_t lab_agent_stays(const char *bpffs, const char *config)
{
	struct start start = {bpffs, config};
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		struct lab_agent agent = {.plane = NULL};
		struct error error = {.code = ERROR_NONE};

		close(ready[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		lab_tell(&agent, lab_agent_start(&agent, start.bpffs, start.config, -1, &error), &error);
		close(ready[1]);
		pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1)) /* ends when the child has closed its end */
		die("read");
	close(ready[0]);
	return pid;
}

void lab_agent_leaves(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void say(const char *line)
{
	size_t length = strlen(lab_outcome->said);

	snprintf(lab_outcome->said + length, sizeof(lab_outcome->said) - length, "%s\n", line);
}

void lab_unload_once(const char *bpffs)
{
	struct error error = {.code = ERROR_NONE};

	lab_outcome->said[0] = 0;
	lab_outcome->code = plane_unload(bpffs, say, &error);
	memcpy(lab_outcome->text, error.text, sizeof(lab_outcome->text));
}

/* ---- what the tests ask ---- */

void lab_assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

bool lab_exists(const char *below_bpffs)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", lab_bpffs, below_bpffs);
	return access(path, F_OK) == 0;
}

int lab_attach_foreign(const char *interface, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int program = wire_program();
	int link = bpf_link_create(program, (int)if_nametoindex(interface), BPF_XDP, &opts);

	close(program);
	assert_true(link >= 0);
	return link;
}

uint32_t lab_program_of(int link)
{
	struct bpf_link_info info = {0};
	__u32 length = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(link, &info, &length), 0);
	return info.xdp.ifindex ? info.prog_id : 0;
}

int lab_cmocka_reset(void **state)
{
	(void)state;
	lab_reset();
	return 0;
}
