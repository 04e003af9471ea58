/* SPDX-License-Identifier: BSD-2-Clause */
/* `weir save`: the user's files, edited where a runtime change is, and left alone everywhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/model/command.h"
#include "../../user/model/overlay.h"
#include "conf.h"

static struct config file, wanted;
static struct overlay overlay;
static struct overlay_files saved;
static const struct conf_file *loaded;

static void load(const struct conf_file *files)
{
	loaded = files;
	config_free(&file);
	config_free(&wanted);
	overlay_free(&overlay);
	file = conf_load_files(files);
	assert_int_equal(config_copy(&wanted, &file), 0);
}

static int end(void **state)
{
	(void)state;
	config_free(&file);
	config_free(&wanted);
	overlay_free(&overlay);
	overlay_files_free(&saved);
	return 0;
}

static void run(const char *line)
{
	struct command_result result;
	struct error error = {0};
	struct command command;

	if (command_parse(&command, line, strlen(line), &error) < 0 ||
	    command_apply(&command, &wanted, &result, &error) < 0)
		fail_msg("%s: %s", line, error.text);
	command_free(&command);
	assert_int_equal(overlay_make(&overlay, &file, &wanted), 0);
}

/* How many files are to be written. */
static size_t save(void)
{
	struct source_reader reader = conf_reader(loaded);
	struct error error = {0};

	overlay_files_free(&saved);
	if (overlay_save(&overlay, &wanted, loaded->path, &reader, &saved, &error) < 0)
		fail_msg("%s", error.text);
	return saved.files;
}

static const char *refused(const struct conf_file *now)
{
	struct source_reader reader = conf_reader(now);
	static struct error error;

	error = (struct error){0};
	assert_true(overlay_save(&overlay, &wanted, now->path, &reader, &saved, &error) < 0);
	assert_int_equal(saved.files, 0);
	return error.text;
}

static void backends_in_their_places(void **state)
{
	static const struct conf_file files[] = {
		{"c", "# the house\n"
		      "service web {           # our site\n"
		      "\tlisten 192.0.2.10 tcp 80;  # plain\n"
		      "\n"
		      "\tbackend 10.0.0.11 { weight 2; }   # old box\n"
		      "\tbackend 10.0.0.12;                # keep this\n"
		      "\tbackend 10.0.0.13; backend 10.0.0.14;\n"
		      "\t# the end\n"
		      "}\n"
		      "service one { listen 192.0.2.11 tcp 80; backend 10.0.0.1; }\n"
		      "# bye"},
		{NULL, NULL},
	};

	(void)state;
	load(files);
	assert_int_equal(overlay_make(&overlay, &file, &wanted), 0);
	assert_int_equal(save(), 0);
	run("backend remove web 10.0.0.11");
	run("backend weight web 10.0.0.12 7");
	run("backend remove web 10.0.0.13");
	run("backend add web 10.0.0.15 weight 3");
	run("backend add web 10.0.0.16 fallback");
	run("backend add one 10.0.0.2");
	run("backend drain one 10.0.0.1");
	assert_int_equal(save(), 1);
	assert_string_equal(saved.file[0].path, "c");
	assert_string_equal(
		saved.file[0].text.data,
		"# the house\n"
		"service web {           # our site\n"
		"\tlisten 192.0.2.10 tcp 80;  # plain\n"
		"\n"
		"\tbackend 10.0.0.12 { weight 7; }                # keep this\n"
		"\t backend 10.0.0.14;\n"
		"\t# the end\n"
		"    backend 10.0.0.15 { weight 3; }\n"
		"    fallback 10.0.0.16;\n"
		"}\n"
		"service one { listen 192.0.2.11 tcp 80; backend 10.0.0.1 { draining; } backend 10.0.0.2; }\n"
		"# bye");
}

static void whole_services(void **state)
{
	static const struct conf_file files[] = {
		{"c", "service a { listen 192.0.2.10 tcp 80; backend 10.0.0.1; } # was a\n"
		      "  service b { listen 192.0.2.11 tcp 80; }   # was b\n"
		      "interface eth0; service c { listen 192.0.2.12 tcp 80; } node { }"},
		{NULL, NULL},
	};

	(void)state;
	load(files);
	run("service set a forward ipip");
	run("service remove b");
	run("service remove c");
	run("service add new listen 192.0.2.13 tcp 80; backend 10.0.0.4 { weight 4; }");
	assert_int_equal(save(), 1);
	assert_string_equal(saved.file[0].text.data, "service a {\n"
						     "    listen 192.0.2.10 tcp 80;\n"
						     "    forward ipip;\n"
						     "    affinity flow;\n"
						     "    slots 16384;\n"
						     "    drain unlimited;\n"
						     "    on-down keep;\n"
						     "    slow-start off;\n"
						     "    learn 15m;\n"
						     "    learn-udp 30s;\n"
						     "    backend 10.0.0.1;\n"
						     "} # was a\n"
						     "interface eth0;  node { }\n"
						     "\n"
						     "service new {\n"
						     "    listen 192.0.2.13 tcp 80;\n"
						     "    forward dsr;\n"
						     "    affinity flow;\n"
						     "    slots 16384;\n"
						     "    drain unlimited;\n"
						     "    on-down keep;\n"
						     "    slow-start off;\n"
						     "    learn 15m;\n"
						     "    learn-udp 30s;\n"
						     "    backend 10.0.0.4 { weight 4; }\n"
						     "}\n");
}

static void in_included_files(void **state)
{
	static const struct conf_file files[] = {
		{"d/main", "include \"x/*\";\ndefaults { forward ipip; }\n"},
		{"d/x/1", "# one\nservice a { listen 192.0.2.10 tcp 80; backend 10.0.0.1; }"},
		{"d/x/2", "# two\nservice b { listen 192.0.2.11 tcp 80; backend 10.0.0.1; }"},
		{"d/x/3", "# three\nservice c { listen 192.0.2.12 tcp 80; backend 10.0.0.1; }"},
		{NULL, NULL},
	};

	(void)state;
	load(files);
	run("backend add b 10.0.0.2");
	run("service remove c");
	assert_int_equal(save(), 2);
	assert_string_equal(saved.file[0].path, "d/x/2");
	assert_string_equal(saved.file[0].text.data,
			    "# two\nservice b { listen 192.0.2.11 tcp 80; backend 10.0.0.1; backend 10.0.0.2; }");
	assert_string_equal(saved.file[1].path, "d/x/3");
	assert_string_equal(saved.file[1].text.data, "# three\n");
	/* What the defaults give is written out where it would be lost. */
	run("service set a forward dsr");
	run("service add new listen 192.0.2.13 tcp 80");
	assert_int_equal(save(), 4);
	assert_string_equal(saved.file[0].path, "d/main");
	assert_non_null(strstr(saved.file[0].text.data,
			       "forward ipip; }\n\nservice new {\n    listen 192.0.2.13 tcp 80;\n    forward dsr;"));
	assert_string_equal(saved.file[1].path, "d/x/1");
}

/* A service whose own words have changed is written anew; all around it stays, and its words overrule `defaults`. */
static void words_about_flows(void **state)
{
	static const struct conf_file files[] = {
		{"c", "defaults { drain 10m; slow-start 1m; } # all\n"
		      "# the site\n"
		      "service a { listen 192.0.2.10 tcp 80; learn 1h; backend 10.0.0.1; } # was a\n"
		      "service b { listen 192.0.2.11 tcp 80;   learn 60s; } # b\n"},
		{NULL, NULL},
	};

	(void)state;
	load(files);
	run("service set a learn 2m; drain unlimited; slow-start off; on-down reset");
	run("backend add b 10.0.0.2");
	assert_int_equal(save(), 1);
	assert_string_equal(saved.file[0].text.data,
			    "defaults { drain 10m; slow-start 1m; } # all\n"
			    "# the site\n"
			    "service a {\n"
			    "    listen 192.0.2.10 tcp 80;\n"
			    "    forward dsr;\n"
			    "    affinity flow;\n"
			    "    slots 16384;\n"
			    "    drain unlimited;\n"
			    "    on-down reset;\n"
			    "    slow-start off;\n"
			    "    learn 2m;\n"
			    "    learn-udp 30s;\n"
			    "    backend 10.0.0.1;\n"
			    "} # was a\n"
			    "service b { listen 192.0.2.11 tcp 80;   learn 60s; backend 10.0.0.2; } # b\n");
}

static void not_what_was_loaded(void **state)
{
	static const struct conf_file before[] = {{"c", "service a { listen 192.0.2.10 tcp 80; backend 10.0.0.1; }"},
						  {NULL, NULL}};
	static const struct conf_file changed[] = {{"c", "service a { listen 192.0.2.10 tcp 81; backend 10.0.0.1; }"},
						   {NULL, NULL}};
	static const struct conf_file bad[] = {{"c", "service a { lis"}, {NULL, NULL}};
	static const struct conf_file clash[] = {
		{"c",
		 "service a { listen 192.0.2.10 tcp 80; backend 10.0.0.1; backend 10.0.0.2 { weight 2; } backend 10.0.0.3; }"},
		{NULL, NULL}};
	static const struct conf_file empty[] = {{"c", ""}, {NULL, NULL}};

	(void)state;
	load(before);
	run("backend add a 10.0.0.2");
	assert_string_equal(refused(changed), "c: has been changed since it was loaded: reload first, then save");
	assert_string_equal(refused(bad), "the text ends inside a statement: ; is missing after \"lis\"");
	assert_string_equal(refused(clash),
			    "c: has been changed since it was loaded, backend 10.0.0.2: is given twice in service "
			    "\"a\" (c:1:57): reload first, then save");
	assert_string_equal(refused(empty), "c: has been changed since it was loaded: reload first, then save");
}

/* Any file and any changes: what is saved loads as what is wanted; saved again it is the same. */
static void any_two(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct config other = conf_random(seed + 1000), again;
		struct conf_file files[] = {{"c", NULL}, {NULL, NULL}};
		char *text;

		again = conf_random(seed);
		text = strdup(conf_text(&again));
		config_free(&again);
		files[0].text = text;
		load(files);
		for (size_t i = 0; i < wanted.services && i < other.services; i++) {
			struct config_service *mine = &wanted.service[i], *theirs = &other.service[i], swap = *mine;

			if ((seed + i) % 3 == 0)
				config_remove_service(&wanted, mine->name);
			if ((seed + i) % 3 != 1)
				continue;
			*mine = *theirs;
			*theirs = swap;
			memcpy(theirs->name, mine->name, sizeof(mine->name));
			if ((seed + i) % 2)
				memcpy(mine->name, swap.name, sizeof(swap.name));
		}
		assert_int_equal(overlay_make(&overlay, &file, &wanted), 0);
		assert_int_equal(save(), overlay.changes ? 1 : 0);
		if (saved.files) {
			again = conf_load(saved.file[0].text.data);
			assert_int_equal(overlay_make(&overlay, &again, &wanted), 0);
			assert_int_equal(overlay.changes, 0);
			config_free(&again);
		}
		config_free(&other);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(backends_in_their_places, end),
		cmocka_unit_test_teardown(whole_services, end),
		cmocka_unit_test_teardown(in_included_files, end),
		cmocka_unit_test_teardown(words_about_flows, end),
		cmocka_unit_test_teardown(not_what_was_loaded, end),
		cmocka_unit_test_teardown(any_two, end),
	};

	return cmocka_run_group_tests_name("overlay, save", tests, NULL, NULL);
}
