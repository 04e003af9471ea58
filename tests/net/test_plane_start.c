/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts of an agent and its interfaces: fresh, adopting, refused, gone and back; what it names when it refuses. See plane_lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <unistd.h>

#include "plane_lab.h"

/* ---- what a start does ---- */

static void fresh(void **state)
{
	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_outcome->code, 0);
	assert_false(lab_outcome->info.maps_adopted);
	assert_false(lab_outcome->info.program_adopted);
	assert_int_equal(lab_outcome->info.layout, WEIR_LAYOUT);
	assert_int_equal(strlen(lab_outcome->info.tag), 16);
	assert_true(lab_outcome->info.instructions > 10);
	assert_true(lab_outcome->info.memory_bytes > 4 * 16384 * 8);
	assert_int_equal(lab_outcome->ports, 1);
	assert_string_equal(lab_outcome->port[0].name, "e0");
	assert_string_equal(lab_outcome->port[0].driver, "veth");
	assert_true(lab_outcome->port[0].attached);
	assert_false(lab_outcome->port[0].adopted);
	assert_int_equal(lab_outcome->port[0].mode, XDP_MODE_NATIVE);
	assert_int_equal(lab_outcome->port[0].program_id, lab_outcome->info.program_id);
	assert_int_equal(lab_probe(), 200); /* the agent is gone already */
}

/* Everything is as it was, and the counters go on. */
static void adopted(void **state)
{
	uint32_t program;
	uint64_t sent, received;

	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	program = lab_outcome->info.program_id;
	assert_int_equal(lab_probe(), 200);
	wire_load_start();
	for (int i = 0; i < 10; i++) {
		lab_start_once(lab_bpffs, lab_config);
		assert_string_equal(lab_outcome->text, "");
		assert_true(lab_outcome->info.maps_adopted && lab_outcome->info.program_adopted);
		assert_int_equal(lab_outcome->info.program_id, program);
		assert_int_equal(lab_outcome->port[0].program_id, program);
		assert_true(lab_outcome->port[0].attached && lab_outcome->port[0].adopted);
		assert_int_equal(lab_outcome->tables_built, 0);
	}
	wire_load_stop(&sent, &received);
	print_message("# 10 starts: %lu sent, %lu received\n", sent, received);
	assert_int_equal(received, sent);
	lab_start_once(lab_bpffs, lab_config);
	assert_int_equal(lab_outcome->web.packets, 200 + sent);
	assert_int_equal(lab_outcome->web.bytes, (200 + sent) * 46);
	assert_int_equal(lab_outcome->backend[0].packets + lab_outcome->backend[1].packets, 200 + sent);
	assert_int_equal(lab_outcome->forwarded, 200 + sent);
	assert_int_equal(lab_outcome->port[0].actions.packets[XDP_TX], 200 + sent);
}

static void interfaces_come_and_go(void **state)
{
	(void)state;
	lab_start_once(lab_bpffs, lab_three_ports);
	assert_int_equal(lab_outcome->code, 0);
	assert_int_equal(lab_outcome->ports, 3);
	assert_true(lab_exists("links/e1") && lab_exists("links/e2"));
	wire_send(1, "192.0.2.10", 80, 0, 50);
	wire_send(2, "192.0.2.10", 80, 0, 70);
	(void)wire_received(0);
	lab_start_once(lab_bpffs, lab_config);
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_outcome->ports, 1);
	assert_false(lab_exists("links/e1") || lab_exists("links/e2"));
	assert_int_equal(lab_probe(), 200);
	wire_send(1, "192.0.2.10", 80, 0, 50); /* nobody looks at it there any more */
	assert_int_equal(wire_received(0), 0);
	lab_start_once(lab_bpffs, lab_three_ports);
	assert_int_equal(lab_outcome->ports, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(lab_outcome->port[i].actions.packets[XDP_TX] +
					 lab_outcome->port[i].actions.packets[XDP_REDIRECT],
				 lab_outcome->port[i].name[1] == '0' ? 200 : 0);
}

/* bpffs allows no dot in a name. */
static void dotted_name(void **state)
{
	(void)state;
	lab_run("ip link set e2 down; ip link set e2 name e2.7; ip link set e2.7 up");
	lab_start_once(lab_bpffs,
		       "interface e2.7 { xdp native; } service web { listen 192.0.2.10 udp 80; backend 10.0.0.1; }");
	assert_string_equal(lab_outcome->text, "");
	assert_true(lab_exists("links/e2:7"));
	lab_run("ip link set e2.7 down; ip link set e2.7 name e2; ip link set e2 up");
	lab_start_once(lab_bpffs,
		       "interface e2 { xdp native; } service web { listen 192.0.2.10 udp 80; backend 10.0.0.1; }");
	assert_string_equal(lab_outcome->text, ""); /* the interface has another name now: it keeps its link */
	assert_true(lab_outcome->port[0].adopted);
	assert_true(lab_exists("links/e2"));
	assert_false(lab_exists("links/e2:7"));
}

/* ---- refusals ---- */

static void other_agent_on_the_interface(void **state)
{
	pid_t pid = lab_agent_stays(lab_bpffs, lab_config);
	char other[64], who[32], program[32];

	(void)state;
	snprintf(other, sizeof(other), "%s/other", lab_dir);
	snprintf(who, sizeof(who), "pid %d", pid);
	snprintf(program, sizeof(program), "\"weir\" id %u,", lab_outcome->info.program_id);
	lab_start_once(other, lab_config);
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "interface e0:");
	lab_assert_has(lab_outcome->text, program);
	lab_assert_has(lab_outcome->text, who);
	assert_int_not_equal(access(other, F_OK), 0); /* nothing is left of it */
	assert_int_equal(lab_probe(), 200);
	lab_agent_leaves(pid);
	lab_start_once(other, lab_config); /* without a process it is in the way all the same */
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "--unload");
	assert_int_equal(lab_probe(), 200);
}

/* The second of three cannot be attached: the first is let go again, the foreigner is named and not touched. */
static void foreign_program(void **state)
{
	static const uint32_t flags[] = {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int link = lab_attach_foreign("e1", flags[i]), mine;
		uint32_t program = lab_program_of(link);
		char id[64];

		snprintf(id, sizeof(id), "\"test_end\" id %u, held by", program);
		lab_start_once(lab_bpffs, lab_three_ports);
		assert_int_equal(lab_outcome->code, -1);
		lab_assert_has(lab_outcome->text, "interface e1:");
		lab_assert_has(lab_outcome->text, id);
		snprintf(id, sizeof(id), "held by pid %d (", getpid());
		lab_assert_has(lab_outcome->text, id);
		assert_int_equal(lab_program_of(link), program);
		assert_false(lab_exists("")); /* no set, no link, no directory */
		mine = lab_attach_foreign("e0",
					  XDP_FLAGS_DRV_MODE); /* e0 is free: detached at once, not some time later */
		close(mine);
		close(link);
		usleep(100000); /* a closed link lets go asynchronously */
	}
}

/* The same with a plane that runs already on e0: that is not touched either. */
static void foreign_program_later(void **state)
{
	int link;

	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	link = lab_attach_foreign("e2", XDP_FLAGS_DRV_MODE);
	lab_start_once(lab_bpffs, lab_three_ports);
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "interface e2:");
	assert_false(lab_exists("links/e1"));
	assert_int_equal(lab_probe(), 200);
	lab_start_once(lab_bpffs, lab_config);
	assert_int_equal(lab_outcome->code, 0);
	assert_true(lab_outcome->port[0].adopted);
	assert_int_equal(lab_outcome->port[0].actions.packets[XDP_TX], 200);
	close(link);
	usleep(100000);
}

static void no_such_interface(void **state)
{
	(void)state;
	lab_start_once(lab_bpffs, "interface e0 { xdp native; } interface eth77 { xdp native; }");
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "interface eth77: no such interface");
	assert_false(lab_exists(""));
}

static void start_on_jumbo(const char *mode)
{
	char config[256];

	snprintf(config, sizeof(config),
		 "interface j1 { xdp %s; } service web { listen 192.0.2.10 udp 80; backend 10.0.0.1; }", mode);
	lab_start_once(lab_bpffs, config);
}

static void jumbo_frames(void **state)
{
	(void)state;
	lab_run("ip link add j0 mtu 9000 type veth peer name j1 mtu 9000; ip link set j0 up; ip link set j1 up");
	start_on_jumbo("native");
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "MTU 9000");
	lab_assert_has(lab_outcome->text, "not supported yet");
	assert_false(lab_exists(""));
	start_on_jumbo("auto");
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_outcome->port[0].asked, XDP_MODE_AUTO);
	assert_int_equal(lab_outcome->port[0].mode, XDP_MODE_GENERIC);
	start_on_jumbo("native"); /* the interface keeps the mode that it has */
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "MTU 9000");
	start_on_jumbo("generic");
	assert_int_equal(lab_outcome->port[0].mode, XDP_MODE_GENERIC);
	assert_true(lab_outcome->port[0].attached && lab_outcome->port[0].adopted);
	lab_run("ip link set j0 mtu 1500; ip link set j1 mtu 1500");
	start_on_jumbo("auto"); /* what is there is kept */
	assert_int_equal(lab_outcome->port[0].mode, XDP_MODE_GENERIC);
	assert_true(lab_outcome->port[0].adopted);
	start_on_jumbo("native"); /* asked for, so the link is made anew */
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_outcome->port[0].mode, XDP_MODE_NATIVE);
	assert_true(lab_outcome->port[0].attached && !lab_outcome->port[0].adopted);
	lab_run("ip link del j0");
}

/* ---- interfaces that go and come back ---- */

static void wait_gone(struct lab_agent *agent)
{
	struct plane_port port;

	for (int i = 0; i < 100; i++) {
		assert_int_equal(plane_ports(agent->plane, &port, 1), 1);
		if (!port.attached)
			break;
		usleep(10000);
	}
	assert_false(port.attached);
	lab_assert_has(port.problem, "gone");
}

static void device_comes_back(void **state)
{
	struct lab_agent agent = {.plane = NULL};
	struct error error = {.code = ERROR_NONE};
	struct plane_port port;

	(void)state;
	assert_int_equal(lab_agent_start(&agent, lab_bpffs, lab_config, -1, &error), 0);
	assert_int_equal(plane_reattach(agent.plane, "e0", &error), 0); /* it is there: nothing happens */
	assert_int_equal(lab_probe(), 200);
	lab_run("ip link del c0");
	wait_gone(&agent);
	assert_int_equal(plane_reattach(agent.plane, "e0", &error), -1);
	lab_assert_has(error.text, "no such interface");
	lab_wire("c0", "e0");
	error.code = ERROR_NONE;
	assert_int_equal(plane_reattach(agent.plane, "e0", &error), 0);
	assert_int_equal(plane_ports(agent.plane, &port, 1), 1);
	assert_true(port.attached);
	assert_string_equal(port.problem, "");
	assert_int_equal(port.ifindex, if_nametoindex("e0"));
	agent.mac_step = 1; /* the ways name the new interface */
	for (size_t i = 0; i < agent.config.service[0].backends; i++)
		model_set_way(&agent.model, &agent.config.service[0].backend[i].addr);
	assert_int_equal(lab_probe(), 200);
	assert_int_equal(plane_ports(agent.plane, &port, 1), 1);
	assert_int_equal(port.actions.packets[XDP_TX], 400); /* it counts on */
	assert_int_equal(plane_reattach(agent.plane, "e1", &error), -1);
	lab_agent_stop(&agent);
	lab_start_once(lab_bpffs, lab_config);
	assert_true(lab_outcome->port[0].adopted);
}

/* An agent that starts while an interface of its is away does not refuse, and attaches when it is back. */
static void start_without_device(void **state)
{
	struct lab_agent agent = {.plane = NULL};
	struct error error = {.code = ERROR_NONE};
	struct plane_port port[3];

	(void)state;
	lab_start_once(lab_bpffs, lab_three_ports);
	assert_int_equal(lab_outcome->code, 0);
	lab_run("ip link del c1");
	usleep(50000);
	assert_int_equal(lab_agent_start(&agent, lab_bpffs, lab_three_ports, -1, &error), 0);
	assert_int_equal(plane_ports(agent.plane, port, 3), 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(port[i].attached == (port[i].name[1] != '1') && !port[i].problem[0] == port[i].attached);
	assert_int_equal(lab_probe(), 200);
	lab_wire("c1", "e1");
	assert_int_equal(plane_reattach(agent.plane, "e1", &error), 0);
	(void)wire_received(0);
	wire_send(1, "192.0.2.10", 80, 0, 100);
	assert_int_equal(wire_received(0), 100); /* redirected */
	lab_agent_stop(&agent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fresh, lab_cmocka_reset),
		cmocka_unit_test_setup(adopted, lab_cmocka_reset),
		cmocka_unit_test_setup(interfaces_come_and_go, lab_cmocka_reset),
		cmocka_unit_test_setup(dotted_name, lab_cmocka_reset),
		cmocka_unit_test_setup(other_agent_on_the_interface, lab_cmocka_reset),
		cmocka_unit_test_setup(foreign_program, lab_cmocka_reset),
		cmocka_unit_test_setup(foreign_program_later, lab_cmocka_reset),
		cmocka_unit_test_setup(no_such_interface, lab_cmocka_reset),
		cmocka_unit_test_setup(jumbo_frames, lab_cmocka_reset),
		cmocka_unit_test_setup(device_comes_back, lab_cmocka_reset),
		cmocka_unit_test_setup(start_without_device, lab_cmocka_reset),
	};
	int failed;

	lab_up();
	failed = cmocka_run_group_tests_name("plane: starts", tests, NULL, NULL);
	lab_reset();
	return failed;
}
