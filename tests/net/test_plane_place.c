/* SPDX-License-Identifier: BSD-2-Clause */
/* The bpffs directory: made, mounted, locked by one agent, handed over, emptied. See plane_lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "plane_lab.h"

/* ---- its lock ---- */

static void one_agent_at_a_time(void **state)
{
	pid_t pid = lab_agent_stays(lab_bpffs, lab_config);
	char who[32];

	(void)state;
	assert_string_equal(lab_outcome->text, "");
	snprintf(who, sizeof(who), "pid %d", pid);
	lab_start_once(lab_bpffs, lab_config);
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, who);
	lab_assert_has(lab_outcome->text, lab_bpffs);
	lab_unload_once(lab_bpffs);
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, who);
	assert_string_equal(lab_outcome->said, "");
	assert_int_equal(lab_probe(), 200); /* the first one is unharmed */
	lab_agent_leaves(pid);
	lab_start_once(lab_bpffs, lab_config);
	assert_int_equal(lab_outcome->code, 0);
}

static void handed_over(void **state)
{
	struct lab_agent first = {.plane = NULL};
	struct error error = {.code = ERROR_NONE};
	pid_t second;
	char who[32];
	int ready[2];
	char byte;

	(void)state;
	assert_int_equal(lab_agent_start(&first, lab_bpffs, lab_config, -1, &error), 0);
	assert_int_equal(pipe(ready), 0);
	second = fork();
	if (second == 0) {
		struct lab_agent agent = {.plane = NULL};

		lab_tell(&agent,
			 lab_agent_start(&agent, lab_bpffs, lab_config, dup(plane_lock_fd(first.plane)), &error),
			 &error);
		plane_close(first.plane); /* the copy of it that this process has */
		close(ready[1]);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	assert_string_equal(lab_outcome->text, "");
	assert_true(lab_outcome->info.program_adopted);
	lab_agent_stop(&first);
	snprintf(who, sizeof(who), "pid %d", second);
	lab_start_once(lab_bpffs, lab_config); /* the lock is the second one's now, and so it says */
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, who);
	lab_agent_leaves(second);
	lab_start_once(lab_bpffs, lab_config);
	assert_int_equal(lab_outcome->code, 0);
}

/* A descriptor that is not this directory's, or does not hold the lock. */
static void wrong_lock_handed_over(void **state)
{
	struct error error = {.code = ERROR_NONE};
	int other = open(lab_dir, O_RDONLY | O_DIRECTORY);
	pid_t pid;

	(void)state;
	pid = lab_agent_stays(lab_bpffs, lab_config);
	assert_null(plane_open(lab_bpffs, other, &error));
	lab_assert_has(error.text, "another one");
	error.code = ERROR_NONE;
	assert_null(plane_open(lab_bpffs, open(lab_bpffs, O_RDONLY | O_DIRECTORY), &error));
	lab_assert_has(error.text, "in use");
	lab_agent_leaves(pid);
}

/* ---- the file system ---- */

static void mounts_a_bpffs(void **state)
{
	char plain[64], command[256];

	(void)state;
	lab_run("mkdir -p %s-plain/with && touch %s-plain/with/file", lab_dir, lab_dir);
	snprintf(plain, sizeof(plain), "%s-plain/a/b/", lab_dir);
	lab_start_once(plain, lab_config);
	assert_string_equal(lab_outcome->text, "");
	assert_int_equal(lab_probe(), 200);
	lab_start_once(plain, lab_config);
	assert_true(lab_outcome->info.maps_adopted);
	lab_unload_once(plain);
	assert_int_equal(lab_outcome->code, 0);
	lab_assert_has(lab_outcome->said, "interface e0: detached");
	snprintf(command, sizeof(command), "umount %s-plain/a/b", lab_dir); /* it is left mounted */
	lab_run("%s", command);
	snprintf(plain, sizeof(plain), "%s-plain/with", lab_dir);
	lab_start_once(plain, lab_config);
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "neither on a bpffs nor an empty directory");
	lab_run("rm -r %s-plain", lab_dir);
}

/* As after `ip netns exec`: a /sys of its own, without a bpffs. */
static void own_sys(void *arg)
{
	(void)arg;
	if (unshare(CLONE_NEWNS) || mount("sysfs", "/sys", "sysfs", 0, NULL))
		_exit(1);
	lab_start_once("/sys/fs/bpf/weir", lab_config);
	if (lab_outcome->code)
		_exit(2);
	lab_start_once("/sys/fs/bpf/weir", lab_config);
	lab_outcome->forwarded = lab_probe();
}

static void mounts_below_sys(void **state)
{
	(void)state;
	assert_int_equal(lab_in_child(own_sys, NULL), 0);
	assert_string_equal(lab_outcome->text, "");
	assert_true(lab_outcome->info.maps_adopted);
	assert_int_equal(lab_outcome->forwarded, 200);
	usleep(200000); /* its mount is gone with it, and so are its pins */
}

static void without_capabilities(void *arg)
{
	(void)arg;
	if (setgid(65534) || setuid(65534))
		_exit(1);
	lab_start_once(lab_bpffs, lab_config);
}

static void no_right_to_do_it(void **state)
{
	(void)state;
	assert_int_equal(lab_in_child(without_capabilities, NULL), 0);
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "bpffs");
	lab_assert_has(lab_outcome->text, "Permission denied");
}

/* The same bpffs, but the interface is another namespace's. */
static void in_other_network(void *arg)
{
	(void)arg;
	if (unshare(CLONE_NEWNET))
		_exit(1);
	lab_run("ip link add e0 type veth peer name c0");
	lab_start_once(lab_bpffs, lab_config);
}

static void other_network_namespace(void **state)
{
	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	assert_int_equal(lab_in_child(in_other_network, NULL), 0);
	assert_int_equal(lab_outcome->code, -1);
	lab_assert_has(lab_outcome->text, "another network namespace");
	assert_int_equal(lab_probe(), 200);
}

/* ---- unload ---- */

static void unload(void **state)
{
	int link;

	(void)state;
	lab_unload_once(lab_bpffs);
	assert_int_equal(lab_outcome->code, 0);
	lab_assert_has(lab_outcome->said, "nothing is loaded");
	lab_start_once(lab_bpffs, lab_three_ports);
	lab_unload_once(lab_bpffs);
	assert_int_equal(lab_outcome->code, 0);
	lab_assert_has(lab_outcome->said, "interface e0: detached");
	lab_assert_has(lab_outcome->said, "interface e2: detached");
	lab_assert_has(lab_outcome->said, "maps and program unpinned");
	assert_false(lab_exists(""));
	assert_int_equal(lab_probe(), 0);
	link = lab_attach_foreign("e1", XDP_FLAGS_DRV_MODE); /* free at once */
	close(link);
	usleep(100000);
}

/* What others have put into the bpffs stays. */
static void unload_leaves_others(void **state)
{
	(void)state;
	lab_start_once(lab_bpffs, lab_config);
	lab_run("mkdir %s/ip %s/set-x %s/set-01-1", lab_bpffs, lab_bpffs, lab_bpffs);
	lab_unload_once(lab_bpffs);
	assert_int_equal(lab_outcome->code, 0);
	lab_assert_has(lab_outcome->said, "not weir's");
	assert_true(lab_exists("ip") && lab_exists("set-x") && lab_exists("set-01-1"));
	assert_false(lab_exists("links"));
	lab_run("rmdir %s/*", lab_bpffs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_agent_at_a_time, lab_cmocka_reset),
		cmocka_unit_test_setup(handed_over, lab_cmocka_reset),
		cmocka_unit_test_setup(wrong_lock_handed_over, lab_cmocka_reset),
		cmocka_unit_test_setup(mounts_a_bpffs, lab_cmocka_reset),
		cmocka_unit_test_setup(mounts_below_sys, lab_cmocka_reset),
		cmocka_unit_test_setup(no_right_to_do_it, lab_cmocka_reset),
		cmocka_unit_test_setup(other_network_namespace, lab_cmocka_reset),
		cmocka_unit_test_setup(unload, lab_cmocka_reset),
		cmocka_unit_test_setup(unload_leaves_others, lab_cmocka_reset),
	};
	int failed;

	lab_up();
	failed = cmocka_run_group_tests_name("plane: its place", tests, NULL, NULL);
	lab_reset();
	return failed;
}
