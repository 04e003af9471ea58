/* SPDX-License-Identifier: BSD-2-Clause */
/* struct config -> text, for `weir show config`, for `save`, and (object by object) for what counts as a change. */
#include "config_text.h"

#include <netinet/in.h>
#include <string.h>

#include "../lib/words.h"
#include "values.h"

#define INDENT "    "

static const char *const state_word[] = {[BACKEND_DRAINING] = "draining", [BACKEND_DISABLED] = "disabled"};

/* Neighbours of one VIP and protocol share a line. */
static void listen_text(const struct config_service *service, const char *indent, const char *end, struct buf *out)
{
	const struct config_listener *last = NULL;
	char vip[ADDR_TEXT];

	for (size_t i = 0; i < service->listeners; i++) {
		const struct config_listener *listener = &service->listener[i];

		if (!last || addr_compare(&last->vip, &listener->vip) != 0 || last->proto != listener->proto)
			buf_printf(out, "%s%slisten %s %s", last ? end : "", indent, addr_format(&listener->vip, vip),
				   listener->proto == IPPROTO_UDP ? "udp" : "tcp");
		if (listener->first == 0)
			buf_puts(out, " any");
		else if (listener->first == listener->last)
			buf_printf(out, " %u", listener->first);
		else
			buf_printf(out, " %u-%u", listener->first, listener->last);
		last = listener;
	}
	if (last)
		buf_puts(out, end);
}

static void own_words(const struct config_service *service, const char *indent, const char *end, struct buf *out)
{
	listen_text(service, indent, end, out);
	buf_printf(out, "%sforward %s%s", indent, value_forward[service->forward], end);
	buf_printf(out, "%saffinity %s%s", indent, value_affinity[service->affinity], end);
	buf_printf(out, "%sslots %u%s", indent, service->slots, end);
	buf_printf(out, "%sdrain %s%s", indent,
		   service->drain_ms ? value_time_text(service->drain_ms).text : "unlimited", end);
	buf_printf(out, "%son-down %s%s", indent, value_on_down[service->on_down], end);
	buf_printf(out, "%sslow-start %s%s", indent,
		   service->slow_start_ms ? value_time_text(service->slow_start_ms).text : "off", end);
	buf_printf(out, "%slearn %s%s", indent, value_time_text(service->learn_ms).text, end);
	buf_printf(out, "%slearn-udp %s;", indent, value_time_text(service->learn_udp_ms).text);
}

void config_text_own_words(const struct config_service *service, struct buf *out)
{
	own_words(service, "", "; ", out);
}

void config_text_backend_words(const struct config_backend *backend, struct buf *out)
{
	if (backend->weight != 1)
		buf_printf(out, "weight %u; ", backend->weight);
	if (backend->state != BACKEND_ENABLED)
		buf_printf(out, "%s; ", state_word[backend->state]);
}

void config_text_backend(const struct config_backend *backend, struct buf *out)
{
	char addr[ADDR_TEXT];

	buf_printf(out, "%s %s", backend->fallback ? "fallback" : "backend", addr_format(&backend->addr, addr));
	if (backend->weight == 1 && backend->state == BACKEND_ENABLED) {
		buf_puts(out, ";");
		return;
	}
	buf_puts(out, " { ");
	config_text_backend_words(backend, out);
	buf_puts(out, "}");
}

void config_text_service(const struct config_service *service, bool marks, struct buf *out)
{
	buf_puts(out, "service ");
	words_quote(out, service->name, strlen(service->name));
	buf_printf(out, " {%s\n", marks && service->runtime ? " # runtime" : "");
	own_words(service, INDENT, ";\n", out);
	buf_puts(out, "\n");
	for (size_t i = 0; i < service->backends; i++) {
		buf_puts(out, INDENT);
		config_text_backend(&service->backend[i], out);
		buf_printf(out, "%s\n", marks && service->backend[i].runtime ? " # runtime" : "");
	}
	buf_puts(out, "}\n");
}

static void node_text(const struct config *config, struct buf *out)
{
	char addr[ADDR_TEXT];

	buf_puts(out, "node { hash-seed ");
	words_quote(out, config->hash_seed, strlen(config->hash_seed));
	buf_puts(out, "; }\n");
	for (size_t i = 0; i < config->interfaces; i++) {
		buf_puts(out, "interface ");
		words_quote(out, config->interface[i].name, strlen(config->interface[i].name));
		buf_printf(out, " { xdp %s; }\n", value_xdp[config->interface[i].mode]);
	}
	if (config->peers)
		buf_puts(out, "cluster {\n");
	for (size_t i = 0; i < config->peers; i++)
		buf_printf(out, INDENT "peer %s;\n", addr_format(&config->peer[i], addr));
	if (config->peers)
		buf_puts(out, "}\n");
}

static void settings_text(const struct config *config, struct buf *out)
{
	buf_printf(out, "limits { services %u; backends %u; vips %u; slots %u; pins %u; openings %u; }\n",
		   config->limits.services, config->limits.backends, config->limits.vips, config->limits.slots,
		   config->limits.pins, config->limits.openings);
	if (config->write_group[0]) {
		buf_puts(out, "control { write group ");
		words_quote(out, config->write_group, strlen(config->write_group));
		buf_puts(out, "; }\n");
	}
	buf_puts(out, "metrics { ");
	if (config->metrics_file[0]) {
		buf_puts(out, "file ");
		words_quote(out, config->metrics_file, strlen(config->metrics_file));
		buf_puts(out, "; ");
	}
	buf_printf(out, "every %s; }\n", value_time_text(config->metrics_every_ms).text);
}

void config_text(const struct config *config, struct buf *out)
{
	node_text(config, out);
	settings_text(config, out);
	for (size_t i = 0; i < config->services; i++) {
		buf_puts(out, "\n");
		config_text_service(&config->service[i], true, out);
	}
}
