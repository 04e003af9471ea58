/* SPDX-License-Identifier: BSD-2-Clause */
/* The text that keeps runtime changes: what is wrong with it, and what an older version wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/model/overlay.h"
#include "conf.h"

static void bad_state(void **state)
{
	static const struct {
		const char *text, *error;
	} row[] = {
		{"service web { now {",
		 "s:1:20: error: the text ends inside the block of \"now\" that begins in line 1: } is missing\n"},
		{"change web { }",
		 "s:1:1: error: unknown word \"change\": known in the file itself are service, backend\n"},
		{"service web { now { backend 10.0.0.1; } }",
		 "s:1:21: error: \"backend\" does not belong in \"service set\": it belongs in \"service\"\n"},
		{"backend web 10.0.0.1 { now { weight 2000; } was { } }",
		 "s:1:37: error: weight 2000: out of range, 0-1000\ns:1:45: error: unknown word \"was\": known in a change are now, file\n"},
		{"backend web 10.0.0.1 { } backend web 10.0.0.1 { }", "s:1:26: error: the change is given twice\n"},
		{"service a/b { }", "s:1:9: error: service \"a/b\": a name has 1 to 63 letters, digits and . _ -\n"},
	};

	struct overlay overlay;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct errors errors = {0};
		struct buf text = {0};

		assert_true(overlay_parse(&overlay, "s", row[i].text, strlen(row[i].text), &errors) < 0);
		errors_print(&errors, &text);
		assert_string_equal(text.data, row[i].error);
		assert_int_equal(overlay.changes, 0);
		errors_free(&errors);
		buf_free(&text);
	}
}

/* State that an older version wrote has fewer words: what it does not say is the default, and is no change of the file. */
static void state_with_fewer_words(void **state)
{
	static const char text[] =
		"service web { now { listen 192.0.2.10 tcp 80; forward ipip; affinity flow; slots 16384; }\n"
		"file { listen 192.0.2.10 tcp 80; forward dsr; affinity flow; slots 16384; } }\n";
	struct config file = conf_load("service web { listen 192.0.2.10 tcp 80; }"), wanted;
	struct buf notes = {0}, difference = {0};
	struct errors errors = {0};
	struct overlay overlay;

	(void)state;
	assert_int_equal(overlay_parse(&overlay, "s", text, strlen(text), &errors), 0);
	assert_int_equal(overlay_apply(&overlay, &file, &wanted, &notes), 0);
	assert_int_equal(notes.length, 0);
	overlay_difference(&overlay, &difference);
	assert_string_equal(difference.data, "~ service web: forward ipip; (file: forward dsr;)\n");
	assert_int_equal(wanted.service[0].forward, WEIR_IPIP);
	assert_int_equal(wanted.service[0].learn_ms, 900000);
	assert_int_equal(wanted.service[0].learn_udp_ms, 30000);
	overlay_free(&overlay);
	buf_free(&difference);
	config_free(&file);
	config_free(&wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_state),
		cmocka_unit_test(state_with_fewer_words),
	};

	return cmocka_run_group_tests_name("overlay, state", tests, NULL, NULL);
}
