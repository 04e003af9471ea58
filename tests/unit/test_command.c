/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands: a line and a config in, a config and a sentence out; or the error's code and text, and the config as it was. */
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
#include "conf.h"

static struct config config;

static int begin(void **state)
{
	(void)state;
	config = conf_load("service web { listen 192.0.2.10 tcp 80 443; forward ipip;\n"
			   "  backend 10.0.0.11 { weight 2; } backend 10.0.0.12; backend 10.0.0.13 { draining; }\n"
			   "  backend 10.0.0.14 { disabled; } fallback 10.0.0.99; }\n"
			   "service dns { listen 192.0.2.10 udp 53; backend 2001:db8::1; }\n");
	return 0;
}

static int end(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

/* `=` or `+` (changed) and the sentence; `E` code and the error. */
static const char *run(const char *line)
{
	static char out[800];
	struct config before;
	struct command_result result = {.changed = false};
	struct error error = {0};
	struct command command;
	int err;

	assert_int_equal(config_copy(&before, &config), 0);
	err = command_parse(&command, line, strlen(line), &error);
	if (!err)
		err = command_apply(&command, &config, &result, &error);
	assert_int_equal(err != 0, error.code != ERROR_NONE);
	if (err || !result.changed)
		assert_true(conf_same(&before, &config));
	else
		assert_false(conf_same(&before, &config));
	if (err)
		snprintf(out, sizeof(out), "E%d %s", (int)error.code, error.text);
	else
		snprintf(out, sizeof(out), "%c %s", result.changed ? '+' : '=', result.text);
	command_free(&command);
	config_free(&before);
	return out;
}

/* The service's block, in one line. */
static const char *service(const char *name)
{
	static struct buf text;
	const struct config_service *found = config_service(&config, name);

	if (!found)
		return "gone";
	buf_clear(&text);
	config_text_own_words(found, &text);
	for (size_t i = 0; i < found->backends; i++) {
		buf_puts(&text, " ");
		config_text_backend(&found->backend[i], &text);
	}
	return text.data;
}

#define REST "drain unlimited; on-down keep; slow-start off; learn 15m; learn-udp 30s;"
#define WEB  "listen 192.0.2.10 tcp 80 443; forward ipip; affinity flow; slots 16384; " REST

static void backend_add(void **state)
{
	(void)state;
	assert_string_equal(run("backend add web 10.0.0.21"), "+ backend 10.0.0.21 added to \"web\"");
	assert_string_equal(run("backend add web 10.0.0.21"), "= backend 10.0.0.21 of \"web\": already there");
	assert_string_equal(run("backend add web 10.0.0.22 weight 5;"), "+ backend 10.0.0.22 added to \"web\"");
	assert_string_equal(run("backend add web 2001:DB8::5 { weight 3; draining; }"),
			    "+ backend 2001:db8::5 added to \"web\"");
	assert_string_equal(run("backend add web 10.0.0.23 fallback; weight 4"),
			    "+ backend 10.0.0.23 added to \"web\"");
	assert_string_equal(service("web"),
			    WEB " backend 10.0.0.11 { weight 2; } backend 10.0.0.12; backend 10.0.0.13 { draining; } "
				"backend 10.0.0.14 { disabled; } fallback 10.0.0.99; backend 10.0.0.21; "
				"backend 10.0.0.22 { weight 5; } backend 2001:db8::5 { weight 3; draining; } "
				"fallback 10.0.0.23 { weight 4; }");
	assert_string_equal(run("backend add web 10.0.0.22"),
			    "E1 backend 10.0.0.22 of \"web\": is there already, with other words: use backend set");
	assert_string_equal(run("backend add web 10.0.0.13"),
			    "E1 backend 10.0.0.13 of \"web\": is there already, draining: use backend enable");
	assert_string_equal(run("backend add web 192.0.2.10"),
			    "E1 backend 192.0.2.10: is also a VIP of service \"web\" (c:1:37); a "
			    "backend is named by an address of its own");
}

static void backend_states(void **state)
{
	(void)state;
	assert_string_equal(run("backend drain web 10.0.0.12"), "+ backend 10.0.0.12 of \"web\": draining");
	assert_string_equal(run("backend drain web 10.0.0.12"), "= backend 10.0.0.12 of \"web\": already draining");
	assert_string_equal(run("backend disable web 10.0.0.12"), "+ backend 10.0.0.12 of \"web\": disabled");
	assert_string_equal(run("backend disable web 10.0.0.12"), "= backend 10.0.0.12 of \"web\": already disabled");
	assert_string_equal(run("backend drain web 10.0.0.14"), "+ backend 10.0.0.14 of \"web\": draining");
	assert_string_equal(run("backend enable web 10.0.0.12"), "+ backend 10.0.0.12 of \"web\": enabled");
	assert_string_equal(run("backend enable web 10.0.0.12"), "= backend 10.0.0.12 of \"web\": already enabled");
	assert_string_equal(run("backend weight web 10.0.0.12 0"), "+ backend 10.0.0.12 of \"web\": weight 0");
	assert_string_equal(
		run("backend enable web 10.0.0.12"),
		"= backend 10.0.0.12 of \"web\": already enabled, but it gets no new flows: its weight is 0");
}

static void backend_words(void **state)
{
	(void)state;
	assert_string_equal(run("backend weight web 10.0.0.12 7"), "+ backend 10.0.0.12 of \"web\": weight 7");
	assert_string_equal(run("backend weight web 10.0.0.12 7"), "= backend 10.0.0.12 of \"web\": is so already");
	assert_string_equal(run("backend set web 10.0.0.12 weight 8"), "+ backend 10.0.0.12 of \"web\": weight 8");
	assert_string_equal(run("backend set web 10.0.0.12 { weight 9; disabled; }"),
			    "+ backend 10.0.0.12 of \"web\": weight 9, disabled");
	assert_string_equal(run("backend set web 10.0.0.12 draining"),
			    "+ backend 10.0.0.12 of \"web\": weight 9, draining");
	assert_string_equal(run("backend set web 10.0.0.12 weight 3"),
			    "+ backend 10.0.0.12 of \"web\": weight 3, draining");
	assert_string_equal(run("backend set web 10.0.0.99 weight 3"), "+ backend 10.0.0.99 of \"web\": weight 3");
	assert_true(config_backend(config_service(&config, "web"), &config.service[0].backend[4].addr)->fallback);
	assert_string_equal(run("backend set web 10.0.0.12"),
			    "E2 backend 10.0.0.12 of \"web\": set what? backend set SERVICE ADDR weight N");
	assert_string_equal(run("backend set web 10.0.0.12 wieght 3"),
			    "E2 unknown word \"wieght\" (did you mean \"weight\"?)");
	assert_string_equal(run("backend set web 10.0.0.12 fallback"),
			    "E2 \"fallback\" does not belong in \"backend\": it belongs in \"service\"");
	assert_string_equal(run("backend set web 10.0.0.12 weight 3 weight 4"),
			    "E2 unexpected \"weight\": weight N (or is ; missing before it?)");
	assert_string_equal(run("backend set web 10.0.0.12 weight 3; weight 4"), "E2 \"weight\" is given twice");
	assert_string_equal(run("backend set web 10.0.0.12 check port 81"), "E1 \"check\": not supported yet");
}

static void backend_pasted(void **state)
{
	(void)state;
	assert_string_equal(run("backend add web backend 10.0.0.50 { weight 2; }"),
			    "+ backend 10.0.0.50 added to \"web\"");
	assert_string_equal(run("backend add web backend 10.0.0.50 { weight 2; }"),
			    "= backend 10.0.0.50 of \"web\": already there");
	assert_string_equal(run("backend add web backend"), "E2 needs more words: backend add SERVICE ADDR [weight N]");
	assert_int_equal(run("backend drain web backend 10.0.0.50")[0], 'E');
}

static void the_last_one(void **state)
{
	(void)state;
	assert_string_equal(run("backend remove web 10.0.0.11"), "+ backend 10.0.0.11 removed from \"web\"");
	assert_string_equal(run("backend remove web 10.0.0.12"),
			    "E1 backend 10.0.0.12 of \"web\": is the last one that is up: removing it needs --force, "
			    "which cuts its flows: weight 0 with --force drains it and keeps them");
	assert_string_equal(run("backend drain web 10.0.0.12"),
			    "E1 backend 10.0.0.12 of \"web\": is the last one that is up: draining it needs --force, "
			    "which cuts its flows: weight 0 with --force drains it and keeps them");
	assert_string_equal(run("backend disable web 10.0.0.12"),
			    "E1 backend 10.0.0.12 of \"web\": is the last one that is up: disabling it needs --force");
	assert_string_equal(run("backend weight web 10.0.0.12 0"),
			    "E1 backend 10.0.0.12 of \"web\": is the last one that is up: this needs --force");
	assert_string_equal(run("backend set web 10.0.0.12 disabled"),
			    "E1 backend 10.0.0.12 of \"web\": is the last one that is up: this needs --force");
	assert_string_equal(run("backend remove web 10.0.0.13"), "+ backend 10.0.0.13 removed from \"web\"");
	assert_string_equal(run("backend remove web 10.0.0.99"), "+ backend 10.0.0.99 removed from \"web\"");
	assert_string_equal(run("backend drain web --force 10.0.0.12"), "+ backend 10.0.0.12 of \"web\": draining");
	assert_string_equal(run("--force backend remove dns 2001:db8::1"),
			    "+ backend 2001:db8::1 removed from \"dns\"");
	assert_string_equal(service("dns"), "listen 192.0.2.10 udp 53; forward dsr; affinity flow; slots 16384; " REST);
}

static void removed_twice(void **state)
{
	(void)state;
	assert_string_equal(run("backend remove web 10.0.0.12"), "+ backend 10.0.0.12 removed from \"web\"");
	assert_string_equal(run("backend remove web 10.0.0.12"), "= backend 10.0.0.12 of \"web\": already removed");
	assert_string_equal(run("backend remove dns 10.0.0.12"), "E4 backend 10.0.0.12 of \"dns\": no such backend");
	assert_string_equal(run("backend drain web 10.0.0.12"),
			    "E4 backend 10.0.0.12 of \"web\": no such backend (did you mean 10.0.0.11?)");
	assert_string_equal(run("backend add web 10.0.0.12"), "+ backend 10.0.0.12 added to \"web\"");
	assert_string_equal(run("backend remove web 10.0.0.12"), "+ backend 10.0.0.12 removed from \"web\"");
	/* Only the latest ones are remembered. */
	for (int i = 0; i < CONFIG_GONE; i++) {
		char line[64];

		snprintf(line, sizeof(line), "backend add web 10.1.0.%d", i + 1);
		run(line);
		snprintf(line, sizeof(line), "backend remove web 10.1.0.%d", i + 1);
		assert_int_equal(run(line)[0], '+');
	}
	assert_string_equal(run("backend remove web 10.1.0.1"), "= backend 10.1.0.1 of \"web\": already removed");
	assert_int_equal(run("backend remove web 10.0.0.12")[0], 'E');
}

static void no_such_object(void **state)
{
	(void)state;
	assert_string_equal(run("backend drain wib 10.0.0.11"),
			    "E4 service \"wib\": no such service (did you mean \"web\"?)");
	assert_string_equal(run("service remove nothing"), "E4 service \"nothing\": no such service");
	assert_string_equal(run("service set wbe affinity none"),
			    "E4 service \"wbe\": no such service (did you mean \"web\"?)");
	assert_string_equal(run("backend enable web 10.0.0.1"),
			    "E4 backend 10.0.0.1 of \"web\": no such backend (did you mean 10.0.0.11?)");
	assert_string_equal(run("backend weight dns 10.9.9.9 1"), "E4 backend 10.9.9.9 of \"dns\": no such backend");
	assert_string_equal(run("backend add wib 10.0.0.11"),
			    "E4 service \"wib\": no such service (did you mean \"web\"?)");
}

static void service_add(void **state)
{
	(void)state;
	assert_string_equal(run("service add a { listen 192.0.2.11 tcp 80; backend 10.0.0.1; }"),
			    "+ service \"a\" added");
	assert_string_equal(run("service add a { listen 192.0.2.11 tcp 80; backend 10.0.0.1; }"),
			    "= service \"a\": already there");
	assert_string_equal(run("service add b listen 192.0.2.12:80; backend 10.0.0.1 { weight 2; } fallback 10.0.0.2"),
			    "+ service \"b\" added");
	assert_string_equal(service("b"), "listen 192.0.2.12 tcp 80; forward dsr; affinity flow; slots 16384; " REST
					  " backend 10.0.0.1 { weight 2; } fallback 10.0.0.2;");
	assert_string_equal(run("service add service e { listen 192.0.2.15 tcp 80; }"),
			    "+ service \"e\" added"); /* pasted */
	assert_string_equal(run("service add service listen 192.0.2.16 tcp 80"), "+ service \"service\" added");
	assert_string_equal(run("service add c listen 192.0.2.13 tcp 80; forward ipip"), "+ service \"c\" added");
	assert_string_equal(run("service add a { listen 192.0.2.11 tcp 81; }"),
			    "E1 service \"a\": is there already, with other words: use service set, backend add");
	assert_string_equal(run("service add d { forward dsr; }"),
			    "E2 service \"d\": has no listen: for which address, protocol and ports is it?");
	assert_string_equal(run("service add d listen 192.0.2.10 tcp 443"),
			    "E1 service \"d\": listen 192.0.2.10 tcp 443: overlaps 443 of service \"web\" (c:1:40)");
	assert_string_equal(run("service add d listen 192.0.2.10 tcp 8x"),
			    "E2 port \"8x\": must be 1-65535, a range such as 8000-8099, or any");
	assert_string_equal(run("service add d listen 192.0.2.14 tcp 80; backend 10.0.0.1; backend 10.0.0.1"),
			    "E1 backend 10.0.0.1: is given twice in service \"d\"");
	assert_string_equal(run("service add d/e listen 192.0.2.14 tcp 80"),
			    "E2 service \"d/e\": a name has 1 to 63 letters, digits and . _ -");
	assert_string_equal(
		run("service add d { listen 192.0.2.14 tcp 80; } forward ipip"),
		"E2 unexpected \"forward\": service add NAME { listen ADDR tcp|udp PORT...; backend ADDR; ... }");
	assert_string_equal(
		run("service add d { listen 192.0.2.14 tcp 80; bogus; lisen 1; }"),
		"E2 unknown word \"bogus\": known in \"service\" are listen, forward, affinity, slots, drain, on-down, "
		"slow-start, learn, learn-udp, backend, fallback "
		"(and 1 more error)");
	assert_string_equal(run("service add"),
			    "E2 needs more words: service add NAME { listen ADDR tcp|udp PORT...; backend ADDR; ... }");
}

static void service_remove_and_set(void **state)
{
	(void)state;
	assert_string_equal(run("service set web affinity client; forward dsr"), "+ service \"web\" changed");
	assert_string_equal(run("service set web { affinity client; }"), "= service \"web\": is so already");
	assert_string_equal(run("service set dns listen 192.0.2.10 udp 53 54; listen 192.0.2.10 tcp 53"),
			    "+ service \"dns\" changed");
	assert_string_equal(service("dns"),
			    "listen 192.0.2.10 udp 53 54; listen 192.0.2.10 tcp 53; forward dsr; affinity flow; slots "
			    "16384; " REST " backend 2001:db8::1;");
	assert_string_equal(run("service set dns listen 192.0.2.10 tcp 80"),
			    "E1 service \"dns\": listen 192.0.2.10 tcp 80: overlaps 80 of service \"web\" (c:1:37)");
	assert_string_equal(run("service set web slots 4096"),
			    "E1 service \"web\": slots is 16384 and fixed while the service lives");
	assert_string_equal(run("service set web slots 16384"), "= service \"web\": is so already");
	assert_string_equal(run("service set web"), "E2 service \"web\": set what? service set NAME WORDS");
	assert_string_equal(run("service set web backend 10.0.0.1"),
			    "E2 \"backend\" does not belong in \"service set\": it belongs in \"service\"");
	assert_string_equal(run("service set web forward gue"), "E1 \"gue\": not supported yet");
	assert_string_equal(run("service remove web"), "+ service \"web\" removed");
	assert_string_equal(service("web"), "gone");
	assert_string_equal(run("service remove web"), "= service \"web\": already removed");
	assert_string_equal(run("service set web affinity none"), "E4 service \"web\": no such service");
	assert_string_equal(run("backend remove web 10.0.0.11"), "E4 service \"web\": no such service");
	assert_string_equal(run("service remove dns now"), "E2 unexpected \"now\": service remove NAME");
}

static void words_about_flows(void **state)
{
	(void)state;
	assert_string_equal(run("service set web drain 10m"), "+ service \"web\" changed");
	assert_string_equal(run("service set web drain 600s"), "= service \"web\": is so already");
	assert_string_equal(run("service set web learn 2m; learn-udp 1500ms; slow-start 90s; on-down reset"),
			    "+ service \"web\" changed");
	/* What is not mentioned stays. */
	assert_string_equal(run("service set web affinity client"), "+ service \"web\" changed");
	assert_non_null(strstr(service("web"),
			       "affinity client; slots 16384; drain 10m; on-down reset; slow-start 90s; learn 2m; "
			       "learn-udp 1500ms; backend 10.0.0.11"));
	assert_string_equal(run("service set web drain unlimited; on-down keep; slow-start off; learn 15m; "
				"learn-udp 30s; affinity flow"),
			    "+ service \"web\" changed");
	assert_non_null(strstr(service("web"), WEB));
	assert_string_equal(run("service set web learn 1m; drain 1"),
			    "E2 drain 1: a time needs a unit: 1ms, 1s, 1m or 1h");
	assert_string_equal(run("service set web slow-start 2h"), "E2 slow-start 2h: out of range, 1s-1h or off");
	assert_string_equal(run("service set web panic 30%"), "E1 \"panic\": not supported yet");
	assert_string_equal(run("service set web pins 4096"),
			    "E2 \"pins\" does not belong in \"service set\": it belongs in \"limits\"");
	assert_string_equal(run("backend set web 10.0.0.11 drain 5m"),
			    "E2 \"drain\" does not belong in \"backend\": it belongs in \"service\"");
	assert_string_equal(run("service add a listen 192.0.2.11 tcp 80; learn 1h; drain 1s; slow-start 1h"),
			    "+ service \"a\" added");
	assert_string_equal(service("a"),
			    "listen 192.0.2.11 tcp 80; forward dsr; affinity flow; slots 16384; drain 1s; "
			    "on-down keep; slow-start 1h; learn 1h; learn-udp 30s;");
	assert_string_equal(run("service add a listen 192.0.2.11 tcp 80; learn 60m; drain 1s; slow-start 1h"),
			    "= service \"a\": already there");
	assert_string_equal(run("service add a listen 192.0.2.11 tcp 80; learn 61m; drain 1s; slow-start 1h"),
			    "E1 service \"a\": is there already, with other words: use service set, backend add");
}

static void malformed(void **state)
{
	(void)state;
	assert_string_equal(run(""), "E2 no command");
	assert_string_equal(run(" ; "), "E2 no command");
	assert_string_equal(run("--force"), "E2 no command");
	assert_string_equal(run("{ backend add web 10.0.0.1; }"), "E2 a block without a word before its {");
	assert_string_equal(run("backend"), "E2 \"backend\" needs more words: see weir backend in weir(8)");
	assert_string_equal(run("backend ad web 10.0.0.1"),
			    "E2 unknown command \"backend ad\" (did you mean \"add\"?)");
	assert_string_equal(run("backend add"), "E2 needs more words: backend add SERVICE ADDR [weight N]");
	assert_string_equal(run("backend add web"), "E2 needs more words: backend add SERVICE ADDR [weight N]");
	assert_string_equal(
		run("backend add web 10.0.0.1:80"),
		"E2 backend \"10.0.0.1:80\": a backend has no port: direct server return cannot change ports, let it listen on "
		"the VIP's port");
	assert_string_equal(run("backend add web ten"), "E2 backend \"ten\": not an IPv4 or IPv6 address");
	assert_string_equal(run("backend drain web 10.0.0.11 now"),
			    "E2 unexpected \"now\": backend drain SERVICE ADDR");
	assert_string_equal(run("backend weight web 10.0.0.11"),
			    "E2 one number is needed: backend weight SERVICE ADDR N");
	assert_string_equal(run("backend weight web 10.0.0.11 1 2"),
			    "E2 one number is needed: backend weight SERVICE ADDR N");
	assert_string_equal(run("backend weight web 10.0.0.11 1x"), "E2 weight \"1x\": not a number (0-1000)");
	assert_string_equal(run("backend weight web 10.0.0.11 1001"), "E2 weight 1001: out of range, 0-1000");
	assert_string_equal(run("backend drain web 10.0.0.11 --fore"),
			    "E2 unknown option \"--fore\" (did you mean \"--force\"?)");
	assert_string_equal(run("backend drain web 10.0.0.11 --wait --no-wait"),
			    "E2 --wait and --no-wait exclude each other");
	assert_string_equal(run("backend drain web 10.0.0.11 --wait=0"), "E2 --wait 0: out of range, 1-86400");
	assert_string_equal(run("backend drain web 10.0.0.11 --wait=5s"), "E2 --wait \"5s\": not a number (1-86400)");
	assert_string_equal(run("backend drain web \"10.0.0.11"),
			    "E2 the text ends inside the string that begins at column 19");
	assert_string_equal(run("reload"), "E2 unknown command \"reload\"");
	assert_string_equal(run("backend drain \"--force\" 10.0.0.11"), "E4 service \"--force\": no such service");
}

/* The object stays the limit of the config: too many of them is refused as in a file. */
static void limits_hold(void **state)
{
	(void)state;
	config_free(&config);
	config = conf_load(
		"limits { services 1; backends 1; }\nservice a { listen 192.0.2.1 tcp 80; backend 10.0.0.1; }");
	assert_string_equal(run("backend add a 10.0.0.2"),
			    "E1 limits: backends 1 is less than the 2 that are configured");
	assert_string_equal(run("service add b listen 192.0.2.2 tcp 80"),
			    "E1 limits: services 1 is less than the 2 that are configured (and 1 more error)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(backend_add, begin, end),
		cmocka_unit_test_setup_teardown(backend_states, begin, end),
		cmocka_unit_test_setup_teardown(backend_words, begin, end),
		cmocka_unit_test_setup_teardown(backend_pasted, begin, end),
		cmocka_unit_test_setup_teardown(the_last_one, begin, end),
		cmocka_unit_test_setup_teardown(removed_twice, begin, end),
		cmocka_unit_test_setup_teardown(no_such_object, begin, end),
		cmocka_unit_test_setup_teardown(service_add, begin, end),
		cmocka_unit_test_setup_teardown(service_remove_and_set, begin, end),
		cmocka_unit_test_setup_teardown(words_about_flows, begin, end),
		cmocka_unit_test_setup_teardown(malformed, begin, end),
		cmocka_unit_test_setup_teardown(limits_hold, begin, end),
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
