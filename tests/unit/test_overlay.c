/* SPDX-License-Identifier: BSD-2-Clause */
/* Runtime changes: kept while the file says the same, overruled when it changes, taken back, told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/model/command.h"
#include "../../user/model/config_text.h"
#include "../../user/model/overlay.h"
#include "conf.h"

/* The file, what is wanted, and what lies between. */
static struct config file, wanted;
static struct overlay overlay;
static struct buf notes;

#define FILE_TEXT                                                                                                           \
	"service web { listen 192.0.2.10 tcp 80; backend 10.0.0.11; backend 10.0.0.12 { weight 2; } backend 10.0.0.13; }\n" \
	"service dns { listen 192.0.2.10 udp 53; backend 10.0.0.11; }\n"

static int begin(void **state)
{
	(void)state;
	file = conf_load(FILE_TEXT);
	return config_copy(&wanted, &file);
}

static int end(void **state)
{
	(void)state;
	config_free(&file);
	config_free(&wanted);
	overlay_free(&overlay);
	buf_free(&notes);
	return 0;
}

/* A command that must succeed, and what the agent does then. */
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

static const char *difference(void)
{
	static struct buf text;

	buf_clear(&text);
	buf_add(&text, "", 0);
	overlay_difference(&overlay, &text);
	return text.data;
}

/* A restart, or a reload if the text is another: state text written and read, applied to the file. Returns the notes. */
static const char *reload(const char *text)
{
	struct errors errors = {0};
	struct buf state = {0};

	overlay_text(&overlay, &state);
	overlay_free(&overlay);
	if (overlay_parse(&overlay, "runtime.conf", state.data, state.length, &errors) < 0)
		fail_msg("%s\n%s", state.data, errors.error[0].text);
	buf_free(&state);
	config_free(&file);
	config_free(&wanted);
	file = conf_load(text);
	buf_clear(&notes);
	buf_add(&notes, "", 0);
	assert_int_equal(overlay_apply(&overlay, &file, &wanted, &notes), 0);
	return notes.data;
}

/* How many changes were taken back; 0 with the error when that is refused. */
static size_t revert(const char *service, const char *text, struct error *error)
{
	struct config then;
	struct addr addr;
	size_t reverted;

	*error = (struct error){0};
	if (text)
		assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	if (overlay_revert(&overlay, &file, service, text ? &addr : NULL, &then, &reverted, error) < 0)
		return 0;
	config_free(&wanted);
	wanted = then;
	return reverted;
}

static const char *backends(const char *name)
{
	static struct buf text;
	const struct config_service *service = config_service(&wanted, name);

	buf_clear(&text);
	buf_add(&text, "", 0);
	for (size_t i = 0; service && i < service->backends; i++) {
		config_text_backend(&service->backend[i], &text);
		buf_puts(&text, service->backend[i].runtime ? "* " : " ");
	}
	return service ? text.data : "gone";
}

static void nothing_changed(void **state)
{
	(void)state;
	assert_int_equal(overlay_make(&overlay, &file, &wanted), 0);
	assert_int_equal(overlay.changes, 0);
	assert_string_equal(difference(), "");
	assert_string_equal(reload(FILE_TEXT), "");
	assert_true(conf_same(&file, &wanted));
}

static void all_kinds_of_change(void **state)
{
	struct config before;

	(void)state;
	run("backend weight web 10.0.0.12 5");
	run("backend remove web 10.0.0.11");
	run("backend add web 10.0.0.14 weight 3; draining");
	run("backend add web 10.0.0.15 fallback");
	run("service set web forward ipip; affinity client");
	run("service add new listen 192.0.2.11 tcp 80; backend 10.0.0.1");
	run("service remove dns");
	assert_string_equal(
		difference(),
		"~ service web: forward ipip; affinity client; (file: forward dsr; affinity flow;)\n"
		"~ backend web 10.0.0.12: weight 5; (file: weight 2;)\n"
		"+ backend web 10.0.0.14: weight 3; draining;\n"
		"+ backend web 10.0.0.15: weight 1; fallback;\n"
		"- backend web 10.0.0.11\n"
		"+ service new: listen 192.0.2.11 tcp 80; forward dsr; affinity flow; slots 16384; drain unlimited; on-down keep; "
		"slow-start off; learn 15m; learn-udp 30s;\n"
		"+ backend new 10.0.0.1: weight 1;\n"
		"- service dns\n");
	assert_string_equal(backends("web"), "backend 10.0.0.12 { weight 5; }* backend 10.0.0.13; "
					     "backend 10.0.0.14 { weight 3; draining; }* fallback 10.0.0.15;* ");
	assert_true(config_service(&wanted, "web")->runtime && config_service(&wanted, "new")->runtime);
	assert_int_equal(config_copy(&before, &wanted), 0);
	assert_string_equal(reload(FILE_TEXT), "");
	assert_true(conf_same(&before, &wanted));
	assert_string_equal(backends("web"), "backend 10.0.0.12 { weight 5; }* backend 10.0.0.13; "
					     "backend 10.0.0.14 { weight 3; draining; }* fallback 10.0.0.15;* ");
	assert_true(config_service(&wanted, "web")->runtime);
	assert_int_equal(overlay.changes, 8);
	config_free(&before);
}

static void there_and_back_is_no_change(void **state)
{
	(void)state;
	run("backend weight web 10.0.0.12 5");
	run("backend remove web 10.0.0.11");
	run("backend drain web 10.0.0.13");
	assert_int_equal(overlay.changes, 3);
	run("backend weight web 10.0.0.12 2");
	run("backend add web 10.0.0.11");
	run("backend enable web 10.0.0.13");
	assert_int_equal(overlay.changes, 0);
	/* In the file's order again, as after a restart. */
	assert_string_equal(backends("web"), "backend 10.0.0.11; backend 10.0.0.12 { weight 2; } backend 10.0.0.13; ");
	assert_true(conf_same(&file, &wanted));
}

#define WEB(words)                                       \
	"service web { listen 192.0.2.10 tcp 80; " words \
	" }\nservice dns { listen 192.0.2.10 udp 53; backend 10.0.0.11; }"
#define DROPPED "; the change made by command is dropped\n"

static void the_file_wins_when_it_changes(void **state)
{
	(void)state;
	run("backend weight web 10.0.0.12 5");
	run("backend drain web 10.0.0.11");
	run("backend remove web 10.0.0.13");
	/* Of .12 the text has changed; the others' has not, though it is laid out in another way. */
	assert_string_equal(
		reload(WEB(
			"# new\n backend 10.0.0.13 { }\nbackend 10.0.0.12 { weight 3; } backend 10.0.0.11 { weight 1; }")),
		"backend 10.0.0.12 of \"web\": its text in the file has changed: the file wins" DROPPED);
	assert_string_equal(backends("web"), "backend 10.0.0.12 { weight 3; } backend 10.0.0.11 { draining; }* ");
	assert_int_equal(overlay.changes, 2);
	/* Taken out of the file; and caught up with. */
	assert_string_equal(reload(WEB("backend 10.0.0.12 { weight 3; }")),
			    "backend 10.0.0.11 of \"web\": its text in the file has changed: the file wins" DROPPED);
	assert_string_equal(backends("web"), "backend 10.0.0.12 { weight 3; } ");
	assert_int_equal(overlay.changes, 0);
}

static void the_file_catches_up(void **state)
{
	(void)state;
	run("backend weight web 10.0.0.12 5");
	run("service set web affinity none");
	run("service remove dns");
	assert_string_equal(
		reload("service web { listen 192.0.2.10 tcp 80; affinity none; backend 10.0.0.11; backend 10.0.0.12 { weight 5; } "
		       "backend 10.0.0.13; }"),
		"");
	assert_int_equal(overlay.changes, 0);
	assert_true(conf_same(&file, &wanted));
}

static void an_object_alone(void **state)
{
	(void)state;
	run("service set web affinity none");
	run("backend weight web 10.0.0.12 5");
	/* The service's own words change in the file, the backend's do not. */
	assert_string_equal(
		reload("service web { listen 192.0.2.10 tcp 80 81; backend 10.0.0.11; backend 10.0.0.12 { weight 2; } }"),
		"service \"web\": its text in the file has changed: the file wins" DROPPED);
	assert_int_equal(config_service(&wanted, "web")->affinity, WEIR_AFFINITY_FLOW);
	assert_string_equal(backends("web"), "backend 10.0.0.11; backend 10.0.0.12 { weight 5; }* ");
}

static void defaults_are_text_too(void **state)
{
	(void)state;
	run("service set web affinity none");
	assert_string_equal(reload("defaults { forward ipip; }\n" FILE_TEXT),
			    "service \"web\": its text in the file has changed: the file wins" DROPPED);
}

static void words_about_flows(void **state)
{
	const struct config_service *web;
	struct error error;

	(void)state;
	run("service set web learn 2m; drain 10m; slow-start 30s; on-down reset; learn-udp 1500ms");
	assert_string_equal(
		difference(),
		"~ service web: drain 10m; on-down reset; slow-start 30s; learn 2m; learn-udp 1500ms; (file: drain "
		"unlimited; on-down keep; slow-start off; learn 15m; learn-udp 30s;)\n");
	assert_string_equal(reload(FILE_TEXT), "");
	web = config_service(&wanted, "web");
	assert_true(web->runtime);
	assert_int_equal(web->learn_ms, 120000);
	assert_int_equal(web->learn_udp_ms, 1500);
	assert_int_equal(web->drain_ms, 600000);
	assert_int_equal(web->slow_start_ms, 30000);
	assert_int_equal(web->on_down, ON_DOWN_RESET);
	/* Each alone is a difference. */
	run("service set web learn 15m; on-down keep; slow-start off; drain unlimited");
	assert_string_equal(difference(), "~ service web: learn-udp 1500ms; (file: learn-udp 30s;)\n");
	run("service set web learn-udp 30s; on-down reset");
	assert_string_equal(difference(), "~ service web: on-down reset; (file: on-down keep;)\n");
	run("service set web on-down keep; slow-start 1h");
	assert_string_equal(difference(), "~ service web: slow-start 1h; (file: slow-start off;)\n");
	run("service set web slow-start off; drain 720h");
	assert_string_equal(difference(), "~ service web: drain 720h; (file: drain unlimited;)\n");
	run("service set web drain unlimited; learn 1h");
	assert_string_equal(difference(), "~ service web: learn 1h; (file: learn 15m;)\n");
	/* The file says another time: it wins, by `defaults` too; and taken back it is the file's. */
	assert_string_equal(reload("defaults { learn 14m; }\n" FILE_TEXT),
			    "service \"web\": its text in the file has changed: the file wins" DROPPED);
	assert_int_equal(config_service(&wanted, "web")->learn_ms, 840000);
	run("service set web learn 15m");
	assert_string_equal(difference(), "~ service web: learn 15m; (file: learn 14m;)\n");
	assert_int_equal(revert("web", NULL, &error), 1);
	assert_int_equal(config_service(&wanted, "web")->learn_ms, 840000);
	assert_int_equal(overlay.changes, 0);
}

static void services_that_go(void **state)
{
	(void)state;
	run("backend add web 10.0.0.14");
	run("backend drain web 10.0.0.11");
	run("service remove dns");
	assert_string_equal(reload("service dns { listen 192.0.2.10 udp 53; backend 10.0.0.11; }"),
			    "backend 10.0.0.11 of \"web\": its text in the file has changed: the file wins" DROPPED
			    "backend 10.0.0.14 of \"web\": the service is gone" DROPPED);
	assert_int_equal(wanted.services, 0);
	/* A removed service comes back when the file changes its words. */
	assert_string_equal(reload("service dns { listen 192.0.2.10 udp 53 54; backend 10.0.0.11; }"),
			    "service \"dns\": its text in the file has changed: the file wins" DROPPED);
	assert_string_equal(backends("dns"), "backend 10.0.0.11; ");
}

static void what_does_not_fit_the_new_file(void **state)
{
	(void)state;
	run("service add new listen 192.0.2.11 tcp 80; backend 10.0.0.1");
	run("service add more listen 192.0.2.12 tcp 80; backend 10.0.0.2");
	run("backend add dns 192.0.2.99");
	assert_string_equal(
		reload(FILE_TEXT "service taken { listen 192.0.2.11 tcp 80; listen 192.0.2.99 tcp 1; }"),
		"service \"new\": service \"new\": listen 192.0.2.11 tcp 80: overlaps 80 of service \"taken\" (c:3:39)" DROPPED
		"backend 192.0.2.99 of \"dns\": backend 192.0.2.99: is also a VIP of service \"taken\" (c:3:65); a backend is named by an "
		"address of its own" DROPPED "backend 10.0.0.1 of \"new\": the service is gone" DROPPED);
	assert_string_equal(backends("more"), "backend 10.0.0.2;* ");
	assert_string_equal(backends("new"), "gone");
	assert_string_equal(backends("dns"), "backend 10.0.0.11; ");
	assert_int_equal(overlay.changes, 2);
	assert_string_equal(reload(FILE_TEXT), "");
	assert_string_equal(backends("more"), "backend 10.0.0.2;* ");
}

static void taken_back(void **state)
{
	struct error error;

	(void)state;
	run("backend weight web 10.0.0.12 5");
	run("backend remove web 10.0.0.11");
	run("service set web affinity none");
	run("service add new listen 192.0.2.11 tcp 80; backend 10.0.0.1");
	run("backend drain dns 10.0.0.11 --force");
	assert_int_equal(revert("web", "10.0.0.12", &error), 1);
	assert_string_equal(backends("web"), "backend 10.0.0.12 { weight 2; } backend 10.0.0.13; ");
	assert_int_equal(revert("web", "10.0.0.12", &error), 0);
	assert_int_equal(error.code, ERROR_NONE);
	assert_int_equal(revert("web", NULL, &error), 2);
	assert_string_equal(backends("web"), "backend 10.0.0.11; backend 10.0.0.12 { weight 2; } backend 10.0.0.13; ");
	assert_false(config_service(&wanted, "web")->runtime);
	assert_int_equal(revert("new", NULL, &error), 2);
	assert_string_equal(backends("new"), "gone");
	assert_string_equal(backends("dns"), "backend 10.0.0.11 { draining; }* ");
	assert_int_equal(revert(NULL, NULL, &error), 1);
	assert_true(conf_same(&file, &wanted));
	assert_int_equal(overlay.changes, 0);
}

static void not_taken_back(void **state)
{
	struct error error;

	(void)state;
	run("service remove dns");
	run("service add more listen 192.0.2.10 udp 53");
	assert_int_equal(revert("dns", NULL, &error), 0);
	assert_int_equal(error.code, ERROR_REFUSED);
	assert_string_equal(
		error.text,
		"revert: service \"more\": listen 192.0.2.10 udp 53: overlaps 53 of service \"dns\" (c:2:37)");
	assert_int_equal(overlay.changes, 2);
	assert_string_equal(backends("dns"), "gone");
	revert("dns", "10.0.0.11", &error);
	assert_string_equal(error.text, "service \"dns\": has been removed by a command: revert the service");
	revert("dsn", NULL, &error);
	assert_int_equal(error.code, ERROR_NO_SUCH);
	assert_string_equal(error.text, "service \"dsn\": no such service (did you mean \"dns\"?)");
	revert("web", "10.9.9.9", &error);
	assert_int_equal(error.code, ERROR_NO_SUCH);
	assert_string_equal(error.text, "backend 10.9.9.9 of \"web\": no such backend");
	assert_int_equal(revert("more", NULL, &error), 1);
	assert_int_equal(revert("dns", NULL, &error), 1);
}

/* Any two configs: the overlay between them, written and read, makes the one of the other; its marks are where they differ. */
static void between_any_two(void **state)
{
	static char marked[65536];

	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct config other;

		end(NULL);
		file = conf_random(seed);
		wanted = conf_random(seed);
		other = conf_random(seed + 1);
		/* Some of the services with other words, some gone, some more. */
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
		config_free(&other);
		assert_int_equal(overlay_make(&overlay, &file, &wanted), 0);
		assert_int_equal(config_copy(&other, &wanted), 0);
		assert_string_equal(reload(conf_text(&file)), "");
		assert_true(conf_same(&other, &wanted));
		snprintf(marked, sizeof(marked), "%s", conf_text(&other));
		assert_string_equal(conf_text(&wanted), marked);
		config_free(&other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_changed, begin, end),
		cmocka_unit_test_setup_teardown(all_kinds_of_change, begin, end),
		cmocka_unit_test_setup_teardown(there_and_back_is_no_change, begin, end),
		cmocka_unit_test_setup_teardown(the_file_wins_when_it_changes, begin, end),
		cmocka_unit_test_setup_teardown(the_file_catches_up, begin, end),
		cmocka_unit_test_setup_teardown(an_object_alone, begin, end),
		cmocka_unit_test_setup_teardown(defaults_are_text_too, begin, end),
		cmocka_unit_test_setup_teardown(words_about_flows, begin, end),
		cmocka_unit_test_setup_teardown(services_that_go, begin, end),
		cmocka_unit_test_setup_teardown(what_does_not_fit_the_new_file, begin, end),
		cmocka_unit_test_setup_teardown(taken_back, begin, end),
		cmocka_unit_test_setup_teardown(not_taken_back, begin, end),
		cmocka_unit_test_setup_teardown(between_any_two, begin, end),
	};

	return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
