/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad configurations as wholes: includes that go astray, texts cut off, too much of something, and changes of what is fixed while weir runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

static void includes(void **state)
{
	static const struct conf_file circle[] = {
		{"d/a", "include b;"},
		{"d/b", "include \"a\";\nbogs;"},
		{NULL, NULL},
	};
	static const struct conf_file twice[] = {
		{"d/a", "include \"*.c\"; include x.c; include;"},
		{"d/x.c", "node {"},
		{NULL, NULL},
	};
	static const struct conf_file between[] = {
		{"a", "node { }\ninclude b;"},
		{"b", "node { }\nservice s { listen 1.1.1.1 tcp 1; }\nservice s { listen 1.1.1.2 tcp 1; }"},
		{NULL, NULL},
	};
	static const struct conf_file deep[] = {
		{"0", "include 1;"}, {"1", "include 2;"}, {"2", "include 3;"}, {"3", "include 4;"},
		{"4", "include 5;"}, {"5", "include 6;"}, {"6", "include 7;"}, {"7", "include 8;"},
		{"8", "include 9;"}, {"9", ""},           {NULL, NULL},
	};

	(void)state;
	assert_string_equal(conf_errors("include nothing;"),
			    "c:1:9: error: include \"nothing\": cannot be read: No such file or directory\n");
	assert_string_equal(conf_errors("include \"\";"), "c:1:9: error: include \"\": not a path\n");
	assert_string_equal(conf_errors("include \"a\\x1b\";"), "c:1:9: error: include \"a\\x1b\": not a path\n");
	assert_string_equal(conf_errors("include a b;"), "c:1:11: error: unexpected \"b\": include \"DIR/*.conf\"\n");
	assert_string_equal(
		conf_errors("defaults { include x; }"),
		"c:1:12: error: \"include\" does not belong in \"defaults\": it belongs in the file itself\n");
	assert_string_equal(
		conf_errors_files(circle),
		"d/b:1:9: error: include \"d/a\": is read already (a circle, or two includes that name it)\n"
		"d/b:2:1: error: unknown word \"bogs\": known in the file itself are node, interface, cluster, limits, "
		"control, metrics, include, defaults, service\n");
	assert_string_equal(
		conf_errors_files(twice),
		"d/a:1:24: error: include \"d/x.c\": is read already (a circle, or two includes that name it)\n"
		"d/a:1:29: error: \"include\" needs more words: include \"DIR/*.conf\"\n"
		"d/x.c:1:7: error: the text ends inside the block of \"node\" that begins in line 1: } is missing\n");
	assert_string_equal(conf_errors_files(between),
			    "b:1:1: error: \"node\" is given twice, first at a:1:1\n"
			    "b:3:9: error: service \"s\": is given twice, first at b:2:1\n");
	assert_string_equal(conf_errors_files(deep), "8:1:9: error: includes are nested more than 8 deep\n");
}

/* Cut at any byte: an error, unless what is left is whole. */
static void cut_off(void **state)
{
	static const char text[] =
		"node { hash-seed \"x\"; }\n"
		"service web { listen 192.0.2.10 tcp 80 443; backend 10.0.0.1 { weight 2; } forward ipip; }\n";
	char cut[sizeof(text)];

	(void)state;
	for (size_t length = 0; length < strlen(text); length++) {
		size_t lines = 0, words = strlen("node { hash-seed \"x\"; }");
		bool whole = length == 0 || length == words || length == words + 1 || length == strlen(text) - 1;
		const char *errors;

		memcpy(cut, text, length);
		cut[length] = 0;
		errors = conf_errors(cut);
		for (const char *c = errors; *c; c++)
			lines += *c == '\n';
		assert_int_equal(lines, whole ? 0 : 1);
		if (!whole)
			assert_non_null(strstr(errors, "the text ends inside"));
	}
}

static void too_many(void **state)
{
	struct buf text = {0};
	const char *errors;

	(void)state;
	for (int i = 0; i < 150; i++)
		buf_printf(&text, "bogus%d;\n", i);
	errors = conf_errors(text.data);
	assert_non_null(strstr(errors, "c:1:1: error: unknown word \"bogus0\""));
	assert_non_null(strstr(errors, "c:100:1: error: unknown word \"bogus99\""));
	assert_non_null(strstr(errors, "\nand 50 more errors\n"));

	buf_clear(&text);
	buf_puts(&text, "limits { services 4096; }");
	for (int i = 0; i < 17; i++)
		buf_printf(&text, "interface e%d;\n", i);
	assert_string_equal(conf_errors(text.data), "c:17:1: error: interface \"e16\": more than 16 interfaces\n");

	buf_free(&text);
}

/* What one VIP has room for. */
static void too_many_stretches(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_puts(&text, "service a { listen 192.0.2.1 tcp");
	for (int i = 0; i < 512; i++)
		buf_printf(&text, " %d", 2 * i + 1);
	buf_puts(&text, "; }");
	assert_string_equal(conf_errors(text.data), "");
	buf_puts(&text, "\nservice b { listen 192.0.2.1 udp 1 2;\nlisten 192.0.2.2 tcp 1; }");
	assert_string_equal(
		conf_errors(text.data),
		"c:2:36: error: VIP 192.0.2.1: its listeners make up to 514 stretches of ports, 512 is the most\n");
	buf_free(&text);
}

static void without_a_reader(void **state)
{
	struct errors errors = {0};
	struct config config;

	(void)state;
	assert_true(grammar_parse(&config, "c", "include x;", 10, NULL, &errors) < 0);
	assert_string_equal(errors.error[0].text, "include is not possible here");
	errors_free(&errors);
}

static void what_is_fixed(void **state)
{
	struct config running =
		conf_load("limits { services 10; } interface eth0; node { hash-seed a; }\n"
			  "service a { listen 192.0.2.1 tcp 80; } service b { listen 192.0.2.2 tcp 80; }");
	struct config same = conf_load("limits { services 10; } interface eth0; node { hash-seed a; }\n"
				       "service b { listen 192.0.2.2 tcp 80; forward ipip; backend 10.0.0.1; drain 1h; "
				       "on-down reset; slow-start 30s; learn 1m; learn-udp 10s; }");
	struct config other = conf_load("interface eth0 { xdp generic; }\ninterface eth1;\n\n"
					"limits { services 10; vips 50; slots 819200; pins 4096; openings 2048; }\n"
					"service a { listen 192.0.2.1 tcp 80; slots 4096; }\nnode { hash-seed b; }");
	struct errors errors = {0};
	struct buf text = {0};

	(void)state;
	assert_int_equal(config_check_fixed(&running, &same, &errors), 0);
	assert_true(config_check_fixed(&running, &other, &errors) < 0);
	errors_print(&errors, &text);
	assert_string_equal(
		text.data,
		"c:4:1: error: limits: vips is 40, not 50: it is fixed while weir runs; start with --takeover to change it\n"
		"c:4:1: error: limits: slots is 163840, not 819200: it is fixed while weir runs; start with --takeover to change it\n"
		"c:4:1: error: limits: pins is 262144, not 4096: it is fixed while weir runs; start with --takeover to change it\n"
		"c:4:1: error: limits: openings is 65536, not 2048: it is fixed while weir runs; start with --takeover to change it\n"
		"c:1:1: error: interface \"eth0\": xdp is fixed while weir runs; start with --takeover to change it\n"
		"c:2:1: error: interface \"eth1\": is new; the list is fixed while weir runs; start with --takeover to change it\n"
		"c:6:8: error: node: hash-seed is fixed while weir runs; start with --takeover to change it\n"
		"c:5:1: error: service \"a\": slots is 16384, not 4096: it is fixed while the service lives\n");
	errors_free(&errors);
	buf_free(&text);
	config_free(&running);
	config_free(&same);
	config_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(includes),         cmocka_unit_test(cut_off),
		cmocka_unit_test(too_many),         cmocka_unit_test(too_many_stretches),
		cmocka_unit_test(without_a_reader), cmocka_unit_test(what_is_fixed),
	};

	return cmocka_run_group_tests_name("grammar, bad wholes", tests, NULL, NULL);
}
