/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of all words, and what those about services set. Form (arguments, blocks, repetition) is block.c's, values are values.c's business. */
#include "schema.h"

#include <netinet/in.h>

#include "schema_node.h"
#include "values.h"

enum {
	WEIGHT_MAX = 1000,
	LEARN_LEAST_MS = SECOND_MS,
	LEARN_MAX_MS = 24 * HOUR_MS,
	DRAIN_LEAST_MS = SECOND_MS,
	SLOW_START_LEAST_MS = SECOND_MS,
	SLOW_START_MAX_MS = HOUR_MS,
};
static const uint32_t drain_max_ms = 30u * 24 * HOUR_MS; /* more than an enum's int holds */

static size_t faults(const struct reading *r)
{
	return r->errors->count + r->errors->more;
}

static void out_of_memory(struct reading *r, const struct statement *statement)
{
	block_fault(r, statement->word, "out of memory");
}

/* ---- services ---- */

static void set_include(struct reading *r, const struct statement *s)
{
	/* source.c has put what it names in its place already. */
	(void)r;
	(void)s;
}

static void set_defaults(struct reading *r, const struct statement *s)
{
	r->service = &r->defaults;
	block_read(r, s->block, IN_DEFAULTS);
	r->service = NULL;
}

static void add_service(struct reading *r, const struct statement *s, const struct config_service *service)
{
	const struct config_service *first = config_service(r->config, service->name);

	if (first)
		block_fault(r, &s->word[1], "service \"%s\": is given twice, first at %s:%d:%d", service->name,
			    r->config->file[first->place.file], first->place.line, first->place.col);
	else if (r->config->services == CONFIG_SERVICES_MAX)
		block_fault(r, s->word, "service \"%s\": more than %d services", service->name, CONFIG_SERVICES_MAX);
	else if (config_add_service(r->config, service) < 0)
		out_of_memory(r, s);
}

static void set_service(struct reading *r, const struct statement *s)
{
	struct config_service service = r->defaults;
	bool named = value_name(r, &s->word[1], "service", service.name, sizeof(service.name)) == 0;
	size_t before = faults(r);

	service.place = block_place(r, s->word);
	r->service = &service;
	block_read(r, s->block, IN_SERVICE);
	r->service = NULL;
	if (named && !service.listeners && !r->torn && faults(r) == before)
		block_fault(r, s->word, "service \"%s\": has no listen: for which address, protocol and ports is it?",
			    service.name);
	if (named)
		add_service(r, s, &service);
	config_service_free(&service);
}

static int read_protocol(struct reading *r, const struct word *word, uint8_t *proto)
{
	static const char *const name[] = {"tcp", "udp"};
	size_t choice;

	if (value_choice(r, word, "protocol", name, 2, &choice) < 0)
		return -1;
	*proto = choice ? IPPROTO_UDP : IPPROTO_TCP;
	return 0;
}

/* `A:PORT [PROTO]`: the address has been read, the port is the tail of its word. */
static void listen_short(struct reading *r, const struct statement *s, struct config_listener *listener,
			 const char *port)
{
	listener->proto = IPPROTO_TCP;
	if (s->words > 3)
		block_fault(r, &s->word[3], "unexpected \"%s\": listen ADDR:PORT [tcp|udp]",
			    word_show(&s->word[3]).text);
	else if (value_ports(r, &s->word[1], port, &listener->first, &listener->last) == 0 &&
		 (s->words < 3 || read_protocol(r, &s->word[2], &listener->proto) == 0) &&
		 config_add_listener(r->service, listener) < 0)
		out_of_memory(r, s);
}

static void set_listen(struct reading *r, const struct statement *s)
{
	struct config_listener listener = {.place = block_place(r, &s->word[1])};
	const struct word *word = &s->word[1];
	const char *port;
	bool good;

	if (addr_parse_with_port(word->text, word->length, &listener.vip, &port) == 0 && port) {
		if (value_unicast(r, word, "listen", &listener.vip) == 0)
			listen_short(r, s, &listener, port);
		return;
	}
	if (value_address(r, word, "listen", &listener.vip) < 0)
		return;
	if (s->words < 4) {
		block_fault(r, s->word, "\"listen\" needs more words: listen ADDR tcp|udp PORT...");
		return;
	}
	good = read_protocol(r, &s->word[2], &listener.proto) == 0;
	for (size_t i = 3; i < s->words; i++) {
		listener.place = block_place(r, &s->word[i]);
		if (value_ports(r, &s->word[i], s->word[i].text, &listener.first, &listener.last) == 0 && good &&
		    config_add_listener(r->service, &listener) < 0)
			out_of_memory(r, s);
	}
}

static void set_forward(struct reading *r, const struct statement *s)
{
	size_t forward;

	if (word_is(&s->word[1], "gue"))
		block_not_supported(r, &s->word[1]);
	else if (value_choice(r, &s->word[1], "forward", value_forward, 2, &forward) == 0)
		r->service->forward = (enum weir_forward)forward;
}

static void set_affinity(struct reading *r, const struct statement *s)
{
	size_t affinity;

	if (value_choice(r, &s->word[1], "affinity", value_affinity, 3, &affinity) == 0)
		r->service->affinity = (enum weir_affinity)affinity;
}

static void set_slots(struct reading *r, const struct statement *s)
{
	static const char *const slots[] = {"4096", "16384", "65536"};
	static const uint32_t number[] = {4096, 16384, 65536};
	size_t choice;

	if (value_choice(r, &s->word[1], "slots", slots, 3, &choice) == 0)
		r->service->slots = number[choice];
}

/* ---- slots in transition ---- */

static void set_drain(struct reading *r, const struct statement *s)
{
	value_time_or(r, &s->word[1], "drain", "unlimited", DRAIN_LEAST_MS, drain_max_ms, &r->service->drain_ms);
}

static void set_on_down(struct reading *r, const struct statement *s)
{
	size_t on_down;

	if (value_choice(r, &s->word[1], "on-down", value_on_down, 2, &on_down) == 0)
		r->service->on_down = (enum config_on_down)on_down;
}

static void set_slow_start(struct reading *r, const struct statement *s)
{
	value_time_or(r, &s->word[1], "slow-start", "off", SLOW_START_LEAST_MS, SLOW_START_MAX_MS,
		      &r->service->slow_start_ms);
}

static void set_learn(struct reading *r, const struct statement *s)
{
	value_time(r, &s->word[1], "learn", LEARN_LEAST_MS, LEARN_MAX_MS, &r->service->learn_ms);
}

static void set_learn_udp(struct reading *r, const struct statement *s)
{
	value_time(r, &s->word[1], "learn-udp", LEARN_LEAST_MS, LEARN_MAX_MS, &r->service->learn_udp_ms);
}

/* ---- backends ---- */

int schema_backend_address(struct reading *r, const struct word *word, struct addr *addr)
{
	const char *port;

	if (addr_parse_with_port(word->text, word->length, addr, &port) == 0 && port)
		return block_fault(
			r, word,
			"backend \"%s\": a backend has no port: direct server return cannot change ports, let it listen on the VIP's port",
			word_show(word).text);
	return value_address(r, word, "backend", addr);
}

static void read_backend(struct reading *r, const struct statement *s, bool fallback)
{
	struct config_backend backend = {.weight = 1, .fallback = fallback, .place = block_place(r, s->word)};
	bool good;

	if (s->words > 2) {
		block_fault(r, &s->word[2],
			    "unexpected \"%s\": words of a backend stand in its block: %s %s { %s ...; }",
			    word_show(&s->word[2]).text, fallback ? "fallback" : "backend", word_show(&s->word[1]).text,
			    word_show(&s->word[2]).text);
		return;
	}
	good = schema_backend_address(r, &s->word[1], &backend.addr) == 0;
	r->backend = &backend;
	block_read(r, s->block, IN_BACKEND);
	r->backend = NULL;
	if (good && config_add_backend(r->service, &backend) < 0)
		out_of_memory(r, s);
}

static void set_backend(struct reading *r, const struct statement *s)
{
	read_backend(r, s, false);
}

static void set_fallback(struct reading *r, const struct statement *s)
{
	read_backend(r, s, true);
}

static void set_as_fallback(struct reading *r, const struct statement *s)
{
	(void)s;
	r->backend->fallback = true;
}

static void set_weight(struct reading *r, const struct statement *s)
{
	uint32_t weight;

	if (value_number(r, &s->word[1], "weight", 0, WEIGHT_MAX, &weight) == 0)
		r->backend->weight = (uint16_t)weight;
}

static void set_state(struct reading *r, const struct statement *s, enum config_backend_state state)
{
	if (r->backend->state != BACKEND_ENABLED)
		block_fault(r, s->word, "\"%s\": a backend is either draining or disabled", s->word->text);
	r->backend->state = state;
}

static void set_draining(struct reading *r, const struct statement *s)
{
	set_state(r, s, BACKEND_DRAINING);
}

static void set_disabled(struct reading *r, const struct statement *s)
{
	set_state(r, s, BACKEND_DISABLED);
}

/* ---- the table ---- */

enum {
	OWN_WORDS = IN_SERVICE | IN_DEFAULTS | IN_SERVICE_SET,
	BACKEND_WORDS = IN_BACKEND | IN_BACKEND_ADD,
	MANY = 1 << 20
};

static const struct block_rule rules[] = {
	{"node", IN_FILE, "node { hash-seed TEXT; }", 0, 0, BLOCK_NEEDED, false, node_set_node},
	{"hash-seed", IN_NODE, "hash-seed TEXT", 1, 1, BLOCK_NONE, false, node_set_hash_seed},
	{"interface", IN_FILE, "interface NAME { xdp native|generic|auto; }", 1, 1, BLOCK_ALLOWED, true,
	 node_set_interface},
	{"xdp", IN_INTERFACE, "xdp native|generic|auto", 1, 1, BLOCK_NONE, false, node_set_xdp},
	{"vrrp", IN_FILE, "", 0, MANY, BLOCK_ALLOWED, true, NULL},
	{"cluster", IN_FILE, "cluster { peer ADDR; ... }", 0, 0, BLOCK_NEEDED, false, node_set_cluster},
	{"peer", IN_CLUSTER, "peer ADDR", 1, 3, BLOCK_NONE, true, node_set_peer},
	{"listen", IN_CLUSTER, "", 0, MANY, BLOCK_ALLOWED, true, NULL},
	{"port", IN_CLUSTER, "", 0, MANY, BLOCK_ALLOWED, true, NULL},
	{"key-file", IN_CLUSTER, "", 0, MANY, BLOCK_ALLOWED, true, NULL},
	{"limits", IN_FILE, "limits { services N; backends N; vips N; slots N; pins N; openings N; }", 0, 0,
	 BLOCK_NEEDED, false, node_set_limits},
	{"services", IN_LIMITS, "services N", 1, 1, BLOCK_NONE, false, node_set_limit_services},
	{"backends", IN_LIMITS, "backends N", 1, 1, BLOCK_NONE, false, node_set_limit_backends},
	{"vips", IN_LIMITS, "vips N", 1, 1, BLOCK_NONE, false, node_set_limit_vips},
	{"slots", IN_LIMITS, "slots N", 1, 1, BLOCK_NONE, false, node_set_limit_slots},
	{"pins", IN_LIMITS, "pins N", 1, 1, BLOCK_NONE, false, node_set_limit_pins},
	{"openings", IN_LIMITS, "openings N", 1, 1, BLOCK_NONE, false, node_set_limit_openings},
	{"control", IN_FILE, "control { write group NAME; }", 0, 0, BLOCK_NEEDED, false, node_set_control},
	{"write", IN_CONTROL, "write group NAME", 2, 2, BLOCK_NONE, false, node_set_write},
	{"metrics", IN_FILE, "metrics { file PATH; every TIME; }", 0, 0, BLOCK_NEEDED, false, node_set_metrics},
	{"file", IN_METRICS, "file PATH", 1, 1, BLOCK_NONE, false, node_set_file},
	{"every", IN_METRICS, "every TIME", 1, 1, BLOCK_NONE, false, node_set_every},
	{"include", IN_FILE, "include \"DIR/*.conf\"", 1, 1, BLOCK_NONE, true, set_include},
	{"defaults", IN_FILE, "defaults { WORDS OF A SERVICE }", 0, 0, BLOCK_NEEDED, false, set_defaults},
	{"service", IN_FILE, "service NAME { listen ADDR tcp|udp PORT...; backend ADDR; ... }", 1, 1, BLOCK_NEEDED,
	 true, set_service},
	{"listen", IN_SERVICE | IN_SERVICE_SET, "listen ADDR tcp|udp PORT...", 1, MANY, BLOCK_NONE, true, set_listen},
	{"forward", OWN_WORDS, "forward dsr|ipip", 1, 1, BLOCK_NONE, false, set_forward},
	{"affinity", OWN_WORDS, "affinity flow|client|none", 1, 1, BLOCK_NONE, false, set_affinity},
	{"slots", OWN_WORDS, "slots 4096|16384|65536", 1, 1, BLOCK_NONE, false, set_slots},
	{"drain", OWN_WORDS, "drain TIME|unlimited", 1, 1, BLOCK_NONE, false, set_drain},
	{"on-down", OWN_WORDS, "on-down keep|reset", 1, 1, BLOCK_NONE, false, set_on_down},
	{"slow-start", OWN_WORDS, "slow-start TIME|off", 1, 1, BLOCK_NONE, false, set_slow_start},
	{"learn", OWN_WORDS, "learn TIME", 1, 1, BLOCK_NONE, false, set_learn},
	{"learn-udp", OWN_WORDS, "learn-udp TIME", 1, 1, BLOCK_NONE, false, set_learn_udp},
	{"check", OWN_WORDS, "", 0, MANY, BLOCK_ALLOWED, true, NULL},
	{"panic", OWN_WORDS, "", 0, MANY, BLOCK_ALLOWED, true, NULL},
	{"backend", IN_SERVICE, "backend ADDR { weight N; }", 1, MANY, BLOCK_ALLOWED, true, set_backend},
	{"fallback", IN_SERVICE, "fallback ADDR { weight N; }", 1, MANY, BLOCK_ALLOWED, true, set_fallback},
	{"fallback", IN_BACKEND_ADD, "fallback", 0, 0, BLOCK_NONE, false, set_as_fallback},
	{"weight", BACKEND_WORDS, "weight N", 1, 1, BLOCK_NONE, false, set_weight},
	{"draining", BACKEND_WORDS, "draining", 0, 0, BLOCK_NONE, false, set_draining},
	{"disabled", BACKEND_WORDS, "disabled", 0, 0, BLOCK_NONE, false, set_disabled},
	{"check", BACKEND_WORDS, "", 0, MANY, BLOCK_ALLOWED, true, NULL},
};

_Static_assert(sizeof(rules) / sizeof(rules[0]) <= BLOCK_RULES_MAX, "block_seen");

void schema_begin(struct reading *r, struct config *config, struct errors *errors)
{
	*r = (struct reading){
		.rule = rules, .rules = sizeof(rules) / sizeof(rules[0]), .errors = errors, .config = config};
	config_service_init(&r->defaults);
}
