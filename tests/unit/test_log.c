/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines: levels, the journal's prefixes, text from outside, a reader that has stopped reading. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../user/lib/log.h"

static int own_stderr, reader;
static char text[1 << 17];

/* stderr is a pipe that the test reads. */
static int setup(void **state)
{
	int fd[2];

	(void)state;
	own_stderr = dup(STDERR_FILENO);
	if (pipe(fd) || dup2(fd[1], STDERR_FILENO) < 0 || fcntl(fd[0], F_SETFL, O_NONBLOCK))
		return -1;
	close(fd[1]);
	reader = fd[0];
	log_set_level(LOG_LEVEL_INFO);
	unsetenv("JOURNAL_STREAM");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dup2(own_stderr, STDERR_FILENO);
	close(own_stderr);
	close(reader);
	return 0;
}

static const char *said(void)
{
	ssize_t got = read(reader, text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = 0;
	return text;
}

static void lines_have_time_and_level(void **state)
{
	int year, milliseconds;
	char rest[64];

	(void)state;
	errno = ENOENT;
	log_warn("backend %s: %d", "10.0.0.1", 5);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(sscanf(said(), "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%3dZ %63[^\n]", &year, &milliseconds, rest), 3);
	assert_true(year >= 2024);
	assert_string_equal(rest, "warn  backend 10.0.0.1: 5");
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void levels(void **state)
{
	enum log_level level;

	(void)state;
	log_debug("hidden");
	assert_string_equal(said(), "");
	assert_int_equal(log_level_parse("debug", &level), 0);
	log_set_level(level);
	log_debug("shown");
	assert_non_null(strstr(said(), "debug shown\n"));
	assert_int_equal(log_level_parse("error", &level), 0);
	log_set_level(level);
	log_warn("hidden");
	log_error("shown");
	assert_non_null(strstr(said(), "error shown\n"));
	assert_null(strstr(text, "hidden"));
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
}

static void the_journal_gets_prefixes(void **state)
{
	struct stat file;
	char stream[64];

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &file), 0);
	snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)file.st_dev, (unsigned long)file.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_error("a");
	log_warn("b");
	log_info("c");
	assert_string_equal(said(), "<3>a\n<4>b\n<6>c\n");
	snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)file.st_dev, (unsigned long)file.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1); /* inherited, but stderr goes elsewhere */
	log_info("c");
	assert_int_not_equal(said()[0], '<');
}

static void text_from_outside_stays_in_its_line(void **state)
{
	static char longest[5000];

	(void)state;
	log_info("name \"%s\"", "a\n<0>b\033[2J");
	assert_non_null(strstr(said(), "name \"a <0>b [2J\"\n"));
	memset(longest, 'x', sizeof(longest) - 1);
	log_info("%s", longest);
	assert_int_equal(strlen(said()), 2047);
	assert_ptr_equal(strchr(text, '\n'), text + 2046);
}

static void a_reader_that_stopped_costs_lines_not_time(void **state)
{
	struct timespec from, to;
	long ms;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 5000; i++)
		log_info("line %d of many that nobody reads", i);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	assert_true(ms < 2000);
	assert_non_null(strstr(said(), "line 0 of many"));
	log_info("back");
	assert_non_null(strstr(said(), "info  back\n"));
	assert_non_null(strstr(text, " log lines before this one were lost"));
	log_info("and again");
	assert_null(strstr(said(), "lost"));
}

static void no_reader_at_all_kills_nobody(void **state)
{
	(void)state;
	close(reader);
	reader = -1;
	log_info("to nobody"); /* SIGPIPE would end the test */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lines_have_time_and_level),
		TEST(levels),
		TEST(the_journal_gets_prefixes),
		TEST(text_from_outside_stays_in_its_line),
		TEST(a_reader_that_stopped_costs_lines_not_time),
		TEST(no_reader_at_all_kills_nobody),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
