/* SPDX-License-Identifier: BSD-2-Clause */
/* What a good configuration becomes: values, defaults, order, includes; and that text made of it loads as the same again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/model/config_text.h"
#include "conf.h"

static const char *addr(const struct addr *a)
{
	static char text[4][ADDR_TEXT];
	static unsigned int next;

	return addr_format(a, text[next++ % 4]);
}

static void nothing_is_a_config(void **state)
{
	struct config config = conf_load("# nothing\n");

	(void)state;
	assert_string_equal(config.hash_seed, "weir");
	assert_int_equal(config.limits.services, 256);
	assert_int_equal(config.limits.backends, 4096);
	assert_int_equal(config.limits.vips, 1024);
	assert_int_equal(config.limits.slots, 256 * 16384);
	assert_int_equal(config.limits.pins, 262144);
	assert_int_equal(config.limits.openings, 65536);
	assert_int_equal(config.metrics_every_ms, 5000);
	assert_string_equal(config.metrics_file, "");
	assert_string_equal(config.write_group, "");
	assert_int_equal(config.services + config.interfaces + config.peers, 0);
	config_free(&config);
}

static void the_node(void **state)
{
	struct config config = conf_load(
		"node { hash-seed \"any \\\"text\\\" \\xe4\"; }\n"
		"interface eth0 { xdp native; }  interface eth1;\n"
		"interface veth-2 { xdp generic; } interface \"a.1\" { xdp auto; }\n"
		"cluster { peer 192.0.2.3; peer 2001:DB8::3; }\n"
		"control { write group netadmin; }\n"
		"metrics { file \"/var/lib/x y.prom\"; every 1500ms; }\n"
		"limits { services 10; backends 100; vips 7; slots 163840; pins 4096; openings 16777216; }\n");

	(void)state;
	assert_string_equal(config.hash_seed, "any \"text\" \xe4");
	assert_int_equal(config.interfaces, 4);
	assert_string_equal(config.interface[0].name, "eth0");
	assert_int_equal(config.interface[0].mode, XDP_MODE_NATIVE);
	assert_int_equal(config.interface[1].mode, XDP_MODE_NATIVE);
	assert_int_equal(config.interface[2].mode, XDP_MODE_GENERIC);
	assert_int_equal(config.interface[3].mode, XDP_MODE_AUTO);
	assert_int_equal(config.interface[1].place.line, 2);
	assert_int_equal(config.interface[1].place.col, 33);
	assert_int_equal(config.peers, 2);
	assert_string_equal(addr(&config.peer[1]), "2001:db8::3");
	assert_string_equal(config.write_group, "netadmin");
	assert_string_equal(config.metrics_file, "/var/lib/x y.prom");
	assert_int_equal(config.metrics_every_ms, 1500);
	assert_int_equal(config.limits.services, 10);
	assert_int_equal(config.limits.backends, 100);
	assert_int_equal(config.limits.vips, 7);
	assert_int_equal(config.limits.slots, 163840);
	assert_int_equal(config.limits.pins, 4096);
	assert_int_equal(config.limits.openings, 16777216);
	config_free(&config);
}

static void limits_follow_services(void **state)
{
	struct config config = conf_load("limits { services 10; }");

	(void)state;
	assert_int_equal(config.limits.vips, 40);
	assert_int_equal(config.limits.slots, 163840);
	assert_int_equal(config.limits.backends, 4096);
	assert_int_equal(config.limits.pins, 262144);
	assert_int_equal(config.limits.openings, 65536);
	config_free(&config);
}

static void assert_listener(const struct config_listener *listener, const char *vip, int proto, int first, int last)
{
	assert_string_equal(addr(&listener->vip), vip);
	assert_int_equal(listener->proto, proto);
	assert_int_equal(listener->first, first);
	assert_int_equal(listener->last, last);
}

static void listeners(void **state)
{
	struct config config =
		conf_load("service web {\n"
			  "  listen 192.0.2.10 tcp 80 443 8000-8099;\n"
			  "  listen 192.0.2.10 udp any;\n"
			  "  listen 2001:DB8:0:0::10 tcp 1-65535;\n"
			  "  listen 192.0.2.11:53 udp;  listen 192.0.2.12:80;\n"
			  "  listen [2001:db8::11]:443-444;  listen [2001:db8::12]:any udp;\n"
			  "}\n"
			  "# exact within a range, range within any, between services too\n"
			  "service other { listen 192.0.2.10 tcp 8000 8099 any; listen 192.0.2.10 udp 53 60-70; }");
	const struct config_listener *listener = config.service[0].listener;

	(void)state;
	assert_int_equal(config.service[0].listeners, 9);
	assert_listener(&listener[0], "192.0.2.10", IPPROTO_TCP, 80, 80);
	assert_listener(&listener[1], "192.0.2.10", IPPROTO_TCP, 443, 443);
	assert_listener(&listener[2], "192.0.2.10", IPPROTO_TCP, 8000, 8099);
	assert_listener(&listener[3], "192.0.2.10", IPPROTO_UDP, 0, 65535);
	assert_listener(&listener[4], "2001:db8::10", IPPROTO_TCP, 1, 65535);
	assert_listener(&listener[5], "192.0.2.11", IPPROTO_UDP, 53, 53);
	assert_listener(&listener[6], "192.0.2.12", IPPROTO_TCP, 80, 80);
	assert_listener(&listener[7], "2001:db8::11", IPPROTO_TCP, 443, 444);
	assert_listener(&listener[8], "2001:db8::12", IPPROTO_UDP, 0, 65535);
	assert_int_equal(listener[1].place.line, 2);
	assert_int_equal(listener[1].place.col, 28);
	config_free(&config);
}

static void a_service(void **state)
{
	struct config config =
		conf_load("service a { listen 192.0.2.1 tcp 80; }\n"
			  "service b.c-d_9 { listen 192.0.2.2 tcp 80; listen 2001:db8::2 tcp 80;\n"
			  "  forward ipip; affinity client; slots 65536;\n"
			  "  backend 10.0.0.2 { weight 1000; } backend 10.0.0.1; fallback 10.0.0.9 { weight 3; }\n"
			  "  backend 2001:db8::1:1 { disabled; } backend 10.0.0.3 { draining; weight 0; } }\n");
	const struct config_service *a = config_service(&config, "a"), *b = config_service(&config, "b.c-d_9");

	(void)state;
	assert_non_null(a);
	assert_int_equal(a->forward, WEIR_DSR);
	assert_int_equal(a->affinity, WEIR_AFFINITY_FLOW);
	assert_int_equal(a->slots, 16384);
	assert_int_equal(a->backends, 0);
	assert_non_null(b);
	assert_int_equal(b->forward, WEIR_IPIP);
	assert_int_equal(b->affinity, WEIR_AFFINITY_CLIENT);
	assert_int_equal(b->slots, 65536);
	assert_int_equal(b->backends, 5);
	assert_string_equal(addr(&b->backend[0].addr), "10.0.0.2");
	assert_int_equal(b->backend[0].weight, 1000);
	assert_int_equal(b->backend[1].weight, 1);
	assert_true(b->backend[2].fallback && !b->backend[1].fallback);
	assert_int_equal(b->backend[3].state, BACKEND_DISABLED);
	assert_int_equal(b->backend[4].state, BACKEND_DRAINING);
	assert_int_equal(b->backend[4].weight, 0);
	assert_true(config_backend_up(&b->backend[0]) && !config_backend_up(&b->backend[2]));
	assert_true(!config_backend_up(&b->backend[3]) && !config_backend_up(&b->backend[4]));
	assert_null(config_service(&config, "c"));
	assert_false(b->runtime || b->backend[0].runtime);
	config_free(&config);
}

static void defaults_hold_wherever_they_stand(void **state)
{
	struct config config = conf_load("service a { listen 192.0.2.1 tcp 80; affinity none; }\n"
					 "defaults { forward ipip; affinity client; slots 4096; }\n");

	(void)state;
	assert_int_equal(config.service[0].forward, WEIR_IPIP);
	assert_int_equal(config.service[0].affinity, WEIR_AFFINITY_NONE);
	assert_int_equal(config.service[0].slots, 4096);
	config_free(&config);
}

struct flow_words {
	uint32_t drain_ms, slow_start_ms, learn_ms, learn_udp_ms;
	enum config_on_down on_down;
};

static void assert_flow_words(const struct config_service *service, struct flow_words words)
{
	assert_int_equal(service->drain_ms, words.drain_ms);
	assert_int_equal(service->slow_start_ms, words.slow_start_ms);
	assert_int_equal(service->learn_ms, words.learn_ms);
	assert_int_equal(service->learn_udp_ms, words.learn_udp_ms);
	assert_int_equal(service->on_down, words.on_down);
}

/* What becomes of flows when backends change: by default, from `defaults`, overruled, and at both ends of the ranges. */
static void words_about_flows(void **state)
{
	struct config config;

	(void)state;
	config = conf_load("service a { listen 192.0.2.1 tcp 80; }");
	assert_flow_words(&config.service[0], (struct flow_words){0, 0, 900000, 30000, ON_DOWN_KEEP});
	config_free(&config);

	config = conf_load(
		"defaults { drain 10m; on-down reset; slow-start 90s; learn 2m; learn-udp 1500ms; }\n"
		"service a { listen 192.0.2.1 tcp 80; }\n"
		"service b { listen 192.0.2.2 tcp 80; drain unlimited; on-down keep; slow-start off; learn 15m; }\n"
		"service c { listen 192.0.2.3 tcp 80; drain 1s; slow-start 1s; learn 1s; learn-udp 1s; }\n"
		"service d { listen 192.0.2.4 tcp 80; drain 720h; slow-start 1h; learn 24h; learn-udp 86400000ms; }");
	assert_flow_words(&config.service[0], (struct flow_words){600000, 90000, 120000, 1500, ON_DOWN_RESET});
	assert_flow_words(&config.service[1], (struct flow_words){0, 0, 900000, 1500, ON_DOWN_KEEP});
	assert_flow_words(&config.service[2], (struct flow_words){1000, 1000, 1000, 1000, ON_DOWN_RESET});
	assert_flow_words(&config.service[3],
			  (struct flow_words){2592000000u, 3600000, 86400000, 86400000, ON_DOWN_RESET});
	config_free(&config);
}

/* By the largest unit that gives a whole number, so that what was written is what is shown. */
static void times_as_text(void **state)
{
	static const char *const words[] = {
		"drain 1s; on-down reset; slow-start 90s; learn 1500ms; learn-udp 1001ms;",
		"drain 720h; on-down keep; slow-start 1h; learn 90m; learn-udp 61m;",
		"drain 43199m; on-down reset; slow-start off; learn 23h; learn-udp 86399999ms;",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct buf in = {0}, out = {0};
		struct config config;

		buf_printf(&in, "service a { listen 192.0.2.1 tcp 80; forward dsr; affinity flow; slots 16384; %s }",
			   words[i]);
		config = conf_load(in.data);
		config_text_own_words(&config.service[0], &out);
		assert_non_null(strstr(out.data, words[i]));
		buf_free(&in);
		buf_free(&out);
		config_free(&config);
	}
}

static void includes(void **state)
{
	static const struct conf_file files[] = {
		{"/etc/weir/weir.conf",
		 "include \"conf.d/*.conf\";\nservice z { listen 192.0.2.9 tcp 80; }\ninclude /x/y;\n"},
		{"/etc/weir/conf.d/b.conf", "service b { listen 192.0.2.2 tcp 80; }"},
		{"/etc/weir/conf.d/c.conf", "service c { listen 192.0.2.3 tcp 80; } include \"more/d\";"},
		{"/etc/weir/conf.d/more/d", "service d { listen 192.0.2.4 tcp 80; }"},
		{"/etc/weir/conf.d/not", "no such word;"},
		{"/x/y", "include \"none/*\"; defaults { forward ipip; }"},
		{NULL, NULL},
	};
	struct config config = conf_load_files(files);

	(void)state;
	assert_int_equal(config.services, 4);
	assert_string_equal(config.service[0].name, "b");
	assert_string_equal(config.service[1].name, "c");
	assert_string_equal(config.service[2].name, "d");
	assert_string_equal(config.service[3].name, "z");
	assert_int_equal(config.service[3].forward, WEIR_IPIP);
	assert_int_equal(config.files, 5);
	assert_string_equal(config.file[config.service[2].place.file], "/etc/weir/conf.d/more/d");
	assert_string_equal(config.file[config.service[3].place.file], "/etc/weir/weir.conf");
	config_free(&config);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* The reader of real files: relative to the including file, in the order of names. */
static void real_files(void **state)
{
	char directory[] = "/tmp/weir-grammar-XXXXXX", path[64];
	struct errors errors = {0};
	struct config config;

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	snprintf(path, sizeof(path), "%s/main", directory);
	put("main", "include \"*.conf\"; include \"none*\";");
	put("2.conf", "service two { listen 192.0.2.2 tcp 80; }");
	put("1.conf", "service one { listen 192.0.2.1 tcp 80; }");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(grammar_load(&config, path, &errors), 0);
	assert_int_equal(config.services, 2);
	assert_string_equal(config.service[0].name, "one");
	config_free(&config);

	put(path, "include \"gone.conf\";");
	assert_true(grammar_load(&config, path, &errors) < 0);
	assert_non_null(strstr(errors.error[0].text, "/gone.conf\": cannot be read: No such file or directory"));
	assert_int_equal(errors.error[0].col, 9);
	config_free(&config);
	errors_free(&errors);
	unlink(path);
	assert_true(grammar_load(&config, path, &errors) < 0);
	assert_string_equal(errors.error[0].text, "cannot be read: No such file or directory");
	assert_string_equal(errors.error[0].file, path);
	config_free(&config);
	errors_free(&errors);
	assert_int_equal(chdir(directory), 0);
	unlink("1.conf");
	unlink("2.conf");
	assert_int_equal(chdir("/"), 0);
	rmdir(directory);
}

static void text_loads_again(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct config config = conf_random(seed), again = conf_load(conf_text(&config));

		assert_true(conf_same(&config, &again));
		config_free(&config);
		config_free(&again);
	}
}

static void text_for_people(void **state)
{
	struct config config =
		conf_load("service web { listen 192.0.2.10 tcp 80 443 8000-8099; listen 192.0.2.10 udp any;\n"
			  "backend 10.0.0.11 { weight 2; } fallback 2001:db8::9 { disabled; } backend 10.0.0.12; }");
	struct buf text = {0};

	(void)state;
	config.service[0].runtime = config.service[0].backend[1].runtime = true;
	config_text_service(&config.service[0], true, &text);
	assert_string_equal(text.data, "service web { # runtime\n"
				       "    listen 192.0.2.10 tcp 80 443 8000-8099;\n"
				       "    listen 192.0.2.10 udp any;\n"
				       "    forward dsr;\n"
				       "    affinity flow;\n"
				       "    slots 16384;\n"
				       "    drain unlimited;\n"
				       "    on-down keep;\n"
				       "    slow-start off;\n"
				       "    learn 15m;\n"
				       "    learn-udp 30s;\n"
				       "    backend 10.0.0.11 { weight 2; }\n"
				       "    fallback 2001:db8::9 { disabled; } # runtime\n"
				       "    backend 10.0.0.12;\n"
				       "}\n");
	buf_free(&text);
	config_free(&config);
}

static void a_copy_is_its_own(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct config config = conf_random(seed), copy;

		assert_int_equal(config_copy(&copy, &config), 0);
		assert_true(conf_same(&config, &copy));
		if (copy.services && copy.service[0].backends) {
			struct addr first = copy.service[0].backend[0].addr;

			config_remove_backend(&copy.service[0], &first);
			assert_null(config_backend(&copy.service[0], &first));
			assert_non_null(config_backend(&config.service[0], &first));
			assert_false(conf_same(&config, &copy));
		}
		while (copy.services) {
			char name[WEIR_NAME_MAX];

			strcpy(name, copy.service[copy.services / 2].name);
			config_remove_service(&copy, name);
			assert_null(config_service(&copy, name));
		}
		config_free(&copy);
		config_free(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_a_config),
		cmocka_unit_test(the_node),
		cmocka_unit_test(limits_follow_services),
		cmocka_unit_test(listeners),
		cmocka_unit_test(a_service),
		cmocka_unit_test(defaults_hold_wherever_they_stand),
		cmocka_unit_test(words_about_flows),
		cmocka_unit_test(times_as_text),
		cmocka_unit_test(includes),
		cmocka_unit_test(real_files),
		cmocka_unit_test(text_loads_again),
		cmocka_unit_test(text_for_people),
		cmocka_unit_test(a_copy_is_its_own),
	};

	return cmocka_run_group_tests_name("grammar", tests, NULL, NULL);
}
