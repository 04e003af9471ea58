/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of commands: which change something, and which options they take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/model/command.h"

static void options(void **state)
{
	static const char line[] = "backend --wait=30 drain web 10.0.0.11 --force";
	struct error error = {0};
	struct command command;

	(void)state;
	assert_int_equal(command_parse(&command, line, strlen(line), &error), 0);
	assert_int_equal(command.verb, COMMAND_BACKEND_DRAIN);
	assert_string_equal(command.service, "web");
	assert_true(command.force && command.wait && !command.no_wait);
	assert_int_equal(command.wait_s, 30);
	assert_null(command.body);
	command_free(&command);
	assert_int_equal(command_parse(&command, "backend drain web 10.0.0.11 --no-wait\n", 38, &error), 0);
	assert_true(command.no_wait && !command.force);
	command_free(&command);
}

/* Each line with each option: where it means nothing it is refused, whatever else is wrong. */
static void options_where_they_mean_something(void **state)
{
	static const struct {
		const char *line, *name;
		bool force, wait;
	} row[] = {
		{"service add a listen 192.0.2.11 tcp 80", "service add", false, false},
		{"service set web affinity none", "service set", false, false},
		{"service remove web", "service remove", true, false},
		{"backend add web 10.0.0.21", "backend add", false, true},
		{"backend remove web 10.0.0.11", "backend remove", true, true},
		{"backend drain web 10.0.0.11", "backend drain", true, true},
		{"backend enable web 10.0.0.11", "backend enable", true, true},
		{"backend disable web 10.0.0.11", "backend disable", true, true},
		{"backend set web 10.0.0.11 weight 3", "backend set", true, true},
		{"backend weight web 10.0.0.11 3", "backend weight", true, true},
	};
	static const char *const option[] = {"--force", "--wait", "--wait=9", "--no-wait"};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		for (size_t o = 0; o < sizeof(option) / sizeof(option[0]); o++) {
			char line[128], refused[128];
			struct error error = {0};
			struct command command;
			int err;

			snprintf(line, sizeof(line), "%s %s", row[i].line, option[o]);
			snprintf(refused, sizeof(refused), "%s means nothing with \"%s\"",
				 o == 2 ? "--wait" : option[o], row[i].name);
			err = command_parse(&command, line, strlen(line), &error);
			command_free(&command);
			if (o == 0 ? row[i].force : row[i].wait) {
				assert_int_equal(err, 0);
				continue;
			}
			assert_true(err < 0);
			assert_int_equal(error.code, ERROR_USAGE);
			assert_string_equal(error.text, refused);
		}
	}
}

static void which_lines_change(void **state)
{
	(void)state;
	assert_true(command_changes("backend drain web 10.0.0.11", 27));
	assert_true(command_changes(" service x", 10));
	assert_true(command_changes("service", 7));
	assert_false(command_changes("services", 8));
	assert_false(command_changes("show services", 13));
	assert_false(command_changes("", 0));
	assert_false(command_changes("backen", 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(options_where_they_mean_something),
		cmocka_unit_test(which_lines_change),
	};

	return cmocka_run_group_tests_name("command, options", tests, NULL, NULL);
}
