/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a packet would go. In: a flow in words. Out: the same steps that the data path takes (bpf/weir.bpf.c), with
 * the same hash, and what each step found, in sentences: the service here, the slot in explain_slot.c.
 */
#include "explain.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/weir/hash.h"
#include "../model/listeners.h"
#include "explain_slot.h"
#include "report.h"
#include "way.h"
#include "ways.h"

struct flow {
	struct addr source, vip;
	uint16_t source_port, port;
	bool has_source_port;
	uint8_t proto;
};

struct verdict {
	const struct model_service *service;
	bool has_slot;
	struct explain_slot slot;
	enum weir_reason reason; /* of the flow's next packet */
	struct buf text;         /* sentences, one a line */
};

__attribute__((format(printf, 2, 3))) static void say(struct verdict *verdict, const char *format, ...)
{
	va_list arguments;
	char text[640];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	buf_printf(&verdict->text, "%s\n", text);
}

/* ---- the flow's words ---- */

static int parse_port(const char *text, size_t length, uint16_t *port)
{
	unsigned long value = 0;

	if (length == 0 || length > 5)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (unsigned long)(text[i] - '0');
	}
	if (value > UINT16_MAX)
		return -1;
	*port = (uint16_t)value;
	return 0;
}

/* ADDR, ADDR:PORT, [ADDR6]:PORT or [ADDR6]. */
static int parse_end(const struct word *word, struct addr *addr, uint16_t *port, bool *has_port)
{
	const char *text;

	if (addr_parse_with_port(word->text, word->length, addr, &text) != 0)
		return -1;
	*has_port = text != NULL;
	return text ? parse_port(text, (size_t)(word->text + word->length - text), port) : 0;
}

static int parse_proto(const struct word *word, uint8_t *proto)
{
	if (word_is(word, "tcp"))
		*proto = IPPROTO_TCP;
	else if (word_is(word, "udp"))
		*proto = IPPROTO_UDP;
	else
		return -1;
	return 0;
}

/* SRC[:PORT] VIP:PORT [PROTO], or VIP PROTO PORT as in the file. */
static int parse_flow(struct request *request, struct flow *flow)
{
	static const char usage[] = "explain SRC[:PORT] VIP:PORT [tcp|udp]";
	const struct word *word = request->word;
	bool has_port = false;

	if (request->words < 3 || request->words > 5)
		return reply_error(request, ERROR_USAGE, "%s", usage);
	if (parse_end(&word[1], &flow->source, &flow->source_port, &flow->has_source_port) != 0)
		return reply_error(request, ERROR_USAGE, "explain: %s: no IP address with or without a port",
				   word[1].text);
	if (parse_end(&word[2], &flow->vip, &flow->port, &has_port) != 0)
		return reply_error(request, ERROR_USAGE, "explain: %s: no IP address and port", word[2].text);
	flow->proto = IPPROTO_TCP;
	if (request->words > 3 && parse_proto(&word[3], &flow->proto) != 0)
		return reply_error(request, ERROR_USAGE, "explain: %s: must be tcp or udp", word[3].text);
	if (has_port == (request->words == 5) ||
	    (request->words == 5 && parse_port(word[4].text, word[4].length, &flow->port) != 0))
		return reply_error(request, ERROR_USAGE, "%s: the VIP's port is missing, twice there, or no number",
				   usage);
	if (addr_is_ip4(&flow->source) != addr_is_ip4(&flow->vip))
		return reply_error(request, ERROR_USAGE, "explain: source and VIP must be of one family");
	return 0;
}

/* ---- the steps ---- */

static const char *range(const struct config_listener *listener, char *text, size_t size)
{
	if (listener->first == 0 && listener->last == UINT16_MAX)
		snprintf(text, size, "any");
	else if (listener->first == listener->last)
		snprintf(text, size, "%u", listener->first);
	else
		snprintf(text, size, "%u-%u", listener->first, listener->last);
	return text;
}

static void say_listeners(const struct agent *agent, const struct flow *flow, struct verdict *verdict)
{
	char address[ADDR_TEXT], ports[16];
	size_t count = 0;

	for (size_t s = 0; s < agent->model.services; s++) {
		const struct config_service *service = &agent->model.service[s]->config;

		for (size_t i = 0; i < service->listeners; i++) {
			const struct config_listener *listener = &service->listener[i];

			if (addr_compare(&listener->vip, &flow->vip) != 0)
				continue;
			say(verdict, "%s listens there on: %s %s (service \"%s\")", addr_format(&flow->vip, address),
			    report_protocol_word(listener->proto), range(listener, ports, sizeof(ports)),
			    service->name);
			count++;
		}
	}
	if (count == 0)
		say(verdict, "%s is no VIP of any service", addr_format(&flow->vip, address));
}

static int find_service(const struct agent *agent, const struct flow *flow, struct verdict *verdict)
{
	struct weir_listener *listeners = calloc(WEIR_LISTENERS_MAX, sizeof(*listeners));
	int count = listeners ? listeners_flatten(&agent->model, &flow->vip, NULL, listeners) : 0;
	int index = count > 0 ? listeners_find(listeners, count, flow->proto, flow->port) : -1;

	free(listeners);
	if (index >= 0)
		verdict->service = report_service_by_index(agent, (uint16_t)index);
	if (verdict->service)
		return 0;
	verdict->reason = WEIR_REASON_NOT_SERVICE;
	say_listeners(agent, flow, verdict);
	return -1;
}

static void fill_key(const struct flow *flow, const struct model_service *service, struct weir_flow_key *key)
{
	memset(key, 0, sizeof(*key));
	memcpy(&key->src, &flow->source, sizeof(key->src));
	key->service = service->index;
	if (service->config.affinity == WEIR_AFFINITY_CLIENT)
		return;
	memcpy(&key->dst, &flow->vip, sizeof(key->dst));
	key->sport = htons(flow->source_port);
	key->dport = htons(flow->port);
	key->proto = flow->proto;
}

static uint8_t slot_bits(uint32_t slots)
{
	uint8_t bits = 0;

	while (slots >> bits > 1)
		bits++;
	return bits;
}

static void say_no_backend(const struct model_service *service, struct verdict *verdict)
{
	size_t by_role[ROLES];

	verdict->reason = WEIR_REASON_NO_BACKEND;
	model_count_roles(service, by_role);
	say(verdict, "it goes to no backend: of %zu, %zu are up, %zu joining, %zu draining, %zu down, %zu disabled",
	    service->backends, by_role[ROLE_UP] + by_role[ROLE_FALLBACK], by_role[ROLE_JOINING],
	    by_role[ROLE_DRAINING] + by_role[ROLE_DRAINED] + by_role[ROLE_REMOVING], by_role[ROLE_DOWN],
	    by_role[ROLE_DISABLED]);
}

static void say_way(const struct agent *agent, struct verdict *verdict)
{
	const struct model_backend *backend = verdict->slot.next;
	enum weir_forward forward = verdict->service->config.forward;
	char address[ADDR_TEXT], way[256];

	way_describe(agent, forward, &backend->config.addr, way, sizeof(way));
	addr_format(&backend->config.addr, address);
	if (backend->way.state == WAY_LOCAL) {
		verdict->reason = WEIR_REASON_LOCAL;
		say(verdict, "backend %s is this machine: passed up to its stack", address);
		return;
	}
	if (backend->way.state != WAY_READY) {
		verdict->reason = WEIR_REASON_UNRESOLVED;
		say(verdict, "way out: %s: %s", way_state_word(backend->way.state), way);
		return;
	}
	/* By which port it comes in is not asked for: with one port it is that one. */
	verdict->reason = agent->ways.ports == 1 && ways_is_port(agent, backend->way.image.ifindex)
				  ? WEIR_REASON_FORWARDED
				  : WEIR_REASON_REDIRECTED;
	say(verdict, "way out: %s, %s", forward == WEIR_IPIP ? "encapsulated (ipip)" : "with the next hop's MAC (dsr)",
	    way);
	if (agent->ways.ports > 1)
		say(verdict, "sent back by the interface it came in by if that is the way out, else redirected to it");
}

static int follow(const struct agent *agent, const struct flow *flow, struct verdict *verdict)
{
	const struct model_service *service;
	struct weir_flow_key key;
	uint64_t hash;
	int err;

	if (find_service(agent, flow, verdict) != 0)
		return 0;
	service = verdict->service;
	say(verdict, "service \"%s\": forward %s, affinity %s", service->config.name,
	    report_forward_word(service->config.forward), report_affinity_word(service->config.affinity));
	if (!flow->has_source_port && service->config.affinity != WEIR_AFFINITY_CLIENT)
		say(verdict, "no source port was given, and each takes a slot of its own: this is port 0's");
	fill_key(flow, service, &key);
	hash = weir_flow_hash(&key.src, &key.dst, key.sport, key.dport, key.proto);
	err = explain_slot(agent, service, &key, weir_flow_slot(hash, slot_bits(service->config.slots)),
			   &verdict->slot);
	if (err)
		return err;
	verdict->has_slot = true;
	explain_slot_say(service, &verdict->slot, &verdict->text);
	if (verdict->slot.next)
		say_way(agent, verdict);
	else
		say_no_backend(service, verdict);
	return 0;
}

/* ---- the document ---- */

static const struct {
	const char *word, *sentence;
} reasons[] = {
#define X(name, word, action, sentence) {word, sentence},
	WEIR_REASONS(X)
#undef X
};

static void add_document(struct json *json, struct verdict *verdict)
{
	char *line, *rest = verdict->text.data;

	json_add_object(json, NULL);
	json_add_uint(json, "schema_version", 1);
	json_add_string(json, "service", verdict->service ? verdict->service->config.name : NULL);
	explain_slot_add(json, verdict->service, verdict->has_slot ? &verdict->slot : NULL);
	json_add_string(json, "reason", reasons[verdict->reason].word);
	json_add_array(json, "text");
	while (rest && (line = strsep(&rest, "\n")) != NULL)
		if (*line)
			json_add_string(json, NULL, line);
	json_add_string(json, NULL, reasons[verdict->reason].sentence);
	json_end_array(json);
	json_end_object(json);
	json_end_line(json);
}

void explain_request(struct request *request)
{
	struct verdict verdict = {.reason = WEIR_REASON_NOT_SERVICE};
	struct flow flow = {.proto = 0};
	struct json json;
	int err;

	if (parse_flow(request, &flow) != 0)
		return;
	err = follow(request->agent, &flow, &verdict);
	if (err) {
		(void)reply_error(request, ERROR_REFUSED, "explain: the maps cannot be read: %s", strerror(-err));
	} else {
		json_init(&json, request->out);
		add_document(&json, &verdict);
		reply_done(request, "%s", "");
	}
	buf_free(&verdict.text);
}
