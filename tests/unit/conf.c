/* SPDX-License-Identifier: BSD-2-Clause */
/* Configs for tests; see conf.h. */
#include "conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/lib/error.h"
#include "../../user/model/config_text.h"

static int list(void *arg, const char *pattern, int (*found)(void *found_arg, const char *path), void *found_arg)
{
	for (const struct conf_file *file = arg; file->path; file++)
		if (fnmatch(pattern, file->path, FNM_PATHNAME) == 0)
			found(found_arg, file->path);
	return 0;
}

static int read_text(void *arg, const char *path, struct buf *text)
{
	for (const struct conf_file *file = arg; file->path; file++) {
		if (strcmp(file->path, path) == 0) {
			buf_puts(text, file->text);
			return 0;
		}
	}
	return -ENOENT;
}

struct source_reader conf_reader(const struct conf_file *files)
{
	union {
		const void *in;
		void *out;
	} arg = {files}; /* the callbacks only read it */

	return (struct source_reader){arg.out, list, read_text};
}

static struct buf printed;

static const char *print(const struct errors *errors)
{
	buf_clear(&printed);
	errors_print(errors, &printed);
	return printed.data ? printed.data : "";
}

const char *conf_errors_files(const struct conf_file *files)
{
	struct source_reader reader = conf_reader(files);
	struct errors errors = {0};
	struct config config;

	if (grammar_parse(&config, files->path, files->text, strlen(files->text), &reader, &errors) == 0 &&
	    errors.count)
		errors_add(&errors, NULL, 0, 0, ERROR_REFUSED, "grammar_parse: errors, but it returned 0");
	print(&errors);
	config_free(&config);
	errors_free(&errors);
	return printed.data ? printed.data : "";
}

const char *conf_errors(const char *text)
{
	const struct conf_file files[] = {{"c", text}, {NULL, NULL}};

	return conf_errors_files(files);
}

struct config conf_load_files(const struct conf_file *files)
{
	struct source_reader reader = conf_reader(files);
	struct errors errors = {0};
	struct config config;

	if (grammar_parse(&config, files->path, files->text, strlen(files->text), &reader, &errors) < 0) {
		fprintf(stderr, "not good:\n%s\n%s", files->text, print(&errors));
		abort();
	}
	return config;
}

struct config conf_load(const char *text)
{
	const struct conf_file files[] = {{"c", text}, {NULL, NULL}};

	return conf_load_files(files);
}

static struct buf text_of;

const char *conf_text(const struct config *config)
{
	buf_clear(&text_of);
	config_text(config, &text_of);
	return text_of.data ? text_of.data : "";
}

static bool same_services(const struct config *a, const struct config *b)
{
	if (a->services != b->services)
		return false;
	for (size_t i = 0; i < a->services; i++) {
		const struct config_service *x = &a->service[i], *y = &b->service[i];

		if (strcmp(x->name, y->name) != 0 || !config_service_same_words(x, y) || x->backends != y->backends)
			return false;
		for (size_t n = 0; n < x->backends; n++)
			if (!config_backend_same(&x->backend[n], &y->backend[n]))
				return false;
	}
	return true;
}

static bool same_limits(const struct config_limits *a, const struct config_limits *b)
{
	return a->services == b->services && a->backends == b->backends && a->vips == b->vips && a->slots == b->slots &&
	       a->pins == b->pins && a->openings == b->openings;
}

bool conf_same(const struct config *a, const struct config *b)
{
	if (strcmp(a->hash_seed, b->hash_seed) != 0 || strcmp(a->metrics_file, b->metrics_file) != 0 ||
	    strcmp(a->write_group, b->write_group) != 0 || a->metrics_every_ms != b->metrics_every_ms)
		return false;
	if (!same_limits(&a->limits, &b->limits))
		return false;
	if (a->interfaces != b->interfaces || a->peers != b->peers)
		return false;
	for (size_t i = 0; i < a->interfaces; i++)
		if (strcmp(a->interface[i].name, b->interface[i].name) != 0 ||
		    a->interface[i].mode != b->interface[i].mode)
			return false;
	for (size_t i = 0; i < a->peers; i++)
		if (addr_compare(&a->peer[i], &b->peer[i]) != 0)
			return false;
	return same_services(a, b);
}

/* ---- random ones ---- */

uint64_t conf_rand(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)(conf_rand(state) % limit);
}

/* net: 0 for VIPs, 1 for backends, so that none is both. */
static struct addr random_addr(uint64_t *state, uint8_t net)
{
	uint8_t ip4[4] = {10, net, (uint8_t)below(state, 4), (uint8_t)(1 + below(state, 200))};
	uint8_t ip6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, net};
	struct addr addr;

	for (size_t i = 6; i < sizeof(ip6); i++)
		ip6[i] = below(state, 3) ? 0 : (uint8_t)conf_rand(state);
	if (below(state, 2))
		addr_from_bytes(&addr, AF_INET, ip4);
	else
		addr_from_bytes(&addr, AF_INET6, ip6);
	return addr;
}

/* In one of the units, or by the millisecond; both ends are met. */
static uint32_t random_time(uint64_t *state, uint32_t least_ms, uint32_t most_ms)
{
	static const uint32_t unit[] = {1, 1000, 60000, 3600000};
	uint32_t ms = unit[below(state, 4)] * below(state, 1000);

	return ms < least_ms ? least_ms : ms > most_ms ? most_ms : ms;
}

static void random_times(uint64_t *state, struct config_service *service)
{
	const uint32_t hour = 3600000;

	service->learn_ms = random_time(state, 1000, 24 * hour);
	service->learn_udp_ms = random_time(state, 1000, 24 * hour);
	service->drain_ms = below(state, 2) ? 0 : random_time(state, 1000, 720 * hour);
	service->slow_start_ms = below(state, 2) ? 0 : random_time(state, 1000, hour);
	service->on_down = below(state, 2) ? ON_DOWN_KEEP : ON_DOWN_RESET;
}

static void random_service(uint64_t *state, struct config_service *service, size_t number)
{
	static const uint32_t slots[] = {4096, 16384, 65536};
	size_t listeners = 1 + below(state, 5), backends = below(state, 8);

	config_service_init(service);
	snprintf(service->name, sizeof(service->name), "%c-%zu_.%u", 'A' + (int)below(state, 26), number,
		 below(state, 1000));
	service->forward = below(state, 2) ? WEIR_DSR : WEIR_IPIP;
	service->affinity = (enum weir_affinity)below(state, 3);
	service->slots = slots[below(state, 3)];
	if (below(state, 2))
		random_times(state, service);
	for (size_t i = 0; i < listeners; i++) {
		struct config_listener listener = {.vip = random_addr(state, 0)};

		/* A stretch of ports for each service: they never overlap. */
		listener.proto = below(state, 2) ? IPPROTO_TCP : IPPROTO_UDP;
		listener.first = (uint16_t)(1 + number * 500 + i * 60);
		listener.last = (uint16_t)(listener.first + (below(state, 2) ? 0 : below(state, 50)));
		config_add_listener(service, &listener);
	}
	for (size_t i = 0; i < backends; i++) {
		struct config_backend backend = {.addr = random_addr(state, 1)};

		backend.weight = (uint16_t)(below(state, 2) ? 1 : below(state, 1001));
		backend.state = (enum config_backend_state)(below(state, 3) ? 0 : below(state, 3));
		backend.fallback = below(state, 5) == 0;
		if (!config_backend(service, &backend.addr))
			config_add_backend(service, &backend);
	}
}

static void random_text(uint64_t *state, char *out, size_t size, bool any_byte)
{
	size_t length = 1 + below(state, (uint32_t)size - 1);

	for (size_t i = 0; i < length; i++)
		out[i] = (char)(any_byte ? 1 + below(state, 255) : 'a' + below(state, 26));
	out[length] = 0;
}

struct config conf_random(uint64_t seed)
{
	uint64_t state = seed;
	struct config config;
	size_t services = below(&state, 12);

	config_init(&config);
	random_text(&state, config.hash_seed, sizeof(config.hash_seed), true);
	if (below(&state, 2)) {
		random_text(&state, config.metrics_file, sizeof(config.metrics_file), true);
		config.metrics_file[0] = '/';
	}
	if (below(&state, 2))
		random_text(&state, config.write_group, sizeof(config.write_group), false);
	config.metrics_every_ms = 1000 + below(&state, 3599001);
	config.limits = (struct config_limits){.services = 12 + below(&state, 100),
					       .backends = 200 + below(&state, 65000),
					       .vips = 100 + below(&state, 1000),
					       .slots = 4096 * (200 + below(&state, 1000)),
					       .pins = 1024 + below(&state, (1 << 24) - 1023),
					       .openings = 1024 + below(&state, (1 << 24) - 1023)};
	config.interfaces = below(&state, 4);
	config.interface = calloc(config.interfaces + 1, sizeof(*config.interface));
	for (size_t i = 0; i < config.interfaces; i++) {
		snprintf(config.interface[i].name, IFNAMSIZ, "e%u\"{\\%u", (unsigned int)i % 10, below(&state, 99));
		config.interface[i].mode = (enum xdp_mode)below(&state, 3);
	}
	config.peers = below(&state, 3);
	config.peer = calloc(config.peers + 1, sizeof(*config.peer));
	for (size_t i = 0; i < config.peers; i++)
		do
			config.peer[i] = random_addr(&state, 2);
		while (i && addr_compare(&config.peer[i], &config.peer[i - 1]) == 0);
	for (size_t i = 0; i < services; i++) {
		struct config_service service;

		random_service(&state, &service, i);
		config_add_service(&config, &service);
		config_service_free(&service);
	}
	return config;
}
