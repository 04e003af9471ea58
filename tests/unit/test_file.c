/* SPDX-License-Identifier: BSD-2-Clause */
/* Files: whole reads with a bound; writes that are complete, or leave the old file and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../user/lib/file.h"

static char directory[] = "/tmp/weir-test-file-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return chdir("/") || system(command);
}

static void assert_file(const char *path, const char *text, mode_t mode)
{
	struct buf buf = {0};
	struct stat file;

	assert_int_equal(file_read(path, &buf, 1 << 20), 0);
	assert_string_equal(buf.length ? buf.data : "", text);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 07777, mode);
	buf_free(&buf);
}

static void replaces(void **state)
{
	mode_t before = umask(077);

	(void)state;
	assert_int_equal(file_replace("a", ".tmp", "one", 3, 0644, 1),
			 0); /* the mode as asked for, whatever the umask */
	assert_file("a", "one", 0644);
	assert_int_equal(file_replace("a", ".tmp", "two", 3, 0600, 0), 0);
	assert_file("a", "two", 0600);
	assert_int_equal(file_replace("a", ".tmp", "", 0, 0600, 1), 0);
	assert_file("a", "", 0600);
	assert_int_equal(access("a.tmp", F_OK), -1);
	umask(before);
}

static void a_link_in_the_way_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(file_replace("precious", ".tmp", "gold", 4, 0600, 0), 0);
	assert_int_equal(symlink("precious", "b.tmp"), 0);
	assert_int_equal(file_replace("b", ".tmp", "new", 3, 0600, 0), 0);
	assert_file("b", "new", 0600);
	assert_file("precious", "gold", 0600);
}

static void replaced_like_another(void **state)
{
	struct stat file;

	(void)state;
	assert_int_equal(file_replace("like", ".tmp", "x", 1, 0640, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(chown("like", 12, 34), 0);
	assert_int_equal(file_replace_like("g", ".tmp", "new", 3, "like"), 0);
	assert_file("g", "new", 0640);
	assert_int_equal(stat("g", &file), 0);
	assert_int_equal(file.st_uid, geteuid() == 0 ? 12 : geteuid());
	assert_int_equal(file.st_gid, geteuid() == 0 ? 34 : getegid());
	assert_int_equal(file_replace_like("like", ".tmp", "it", 2, "like"), 0);
	assert_file("like", "it", 0640);
	assert_int_equal(file_replace_like("h", ".tmp", "new", 3, "none"), -ENOENT);
	assert_int_equal(access("h", F_OK), -1);
}

static void a_full_disk_leaves_the_old_file_alone(void **state)
{
	struct rlimit old, small = {0};
	static char big[65536];

	(void)state;
	assert_int_equal(file_replace("c", ".tmp", "old", 3, 0600, 0), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_cur = 4096; /* a write that gets half of its bytes down, then an error */
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(file_replace("c", ".tmp", big, sizeof(big), 0600, 1), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_file("c", "old", 0600);
	assert_int_equal(access("c.tmp", F_OK), -1);
}

static void a_failed_rename_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0700), 0); /* a directory cannot be replaced by a file */
	assert_int_equal(file_replace("d", ".tmp", "x", 1, 0600, 0), -EISDIR);
	assert_int_equal(access("d.tmp", F_OK), -1);
	assert_int_equal(file_replace("missing/e", ".tmp", "x", 1, 0600, 0), -ENOENT);
	assert_int_equal(file_replace("missing/e", ".tmp", "x", 1, 0600, 1), -ENOENT);
	assert_int_equal(file_replace("a/e", ".tmp", "x", 1, 0600, 0), -ENOTDIR);
}

static void reads_with_a_bound(void **state)
{
	struct buf buf = {0};
	static char big[50000];

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(file_replace("f", ".tmp", big, sizeof(big), 0600, 0), 0);
	buf_puts(&buf, "before");
	assert_int_equal(file_read("f", &buf, sizeof(big) - 1), -EFBIG);
	assert_string_equal(buf.data, "before"); /* nothing of it stays */
	assert_int_equal(file_read("f", &buf, sizeof(big)), 0);
	assert_int_equal(buf.length, 6 + sizeof(big));
	assert_memory_equal(buf.data + 6, big, sizeof(big));
	assert_int_equal(file_read("none", &buf, 10), -ENOENT);
	assert_int_equal(file_read(".", &buf, 10), -EISDIR);
	buf_free(&buf);
}

static void makes_directories(void **state)
{
	struct stat file;

	(void)state;
	assert_int_equal(file_make_directory("p/q/r", 0750), 0);
	assert_int_equal(stat("p/q/r", &file), 0);
	assert_int_equal(file.st_mode & 07777, 0750);
	assert_int_equal(file_make_directory("p/q/r", 0750), 0); /* it is there */
	assert_int_equal(file_make_directory("p//q/s/", 0700), 0);
	assert_int_equal(stat("p/q/s", &file), 0);
	assert_int_equal(file_replace("p/file", ".tmp", "x", 1, 0600, 0), 0);
	assert_int_equal(file_make_directory("p/file", 0700), -ENOTDIR);
	assert_int_equal(file_make_directory("p/file/x", 0700), -ENOTDIR);
	assert_int_equal(file_make_directory("", 0700), -ENOENT);
	assert_int_equal(file_make_directory("/", 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces),
		cmocka_unit_test(a_link_in_the_way_is_not_followed),
		cmocka_unit_test(replaced_like_another),
		cmocka_unit_test(a_full_disk_leaves_the_old_file_alone),
		cmocka_unit_test(a_failed_rename_leaves_nothing),
		cmocka_unit_test(reads_with_a_bound),
		cmocka_unit_test(makes_directories),
	};

	return cmocka_run_group_tests_name("file", tests, setup, teardown);
}
