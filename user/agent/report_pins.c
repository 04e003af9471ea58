/* SPDX-License-Identifier: BSD-2-Clause */
/* Openings and pins as JSON. In: the plane's maps, read only. Out: members of the document that is being written. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { PINS_SHOWN = 1000 };

static void add_address(struct json *json, const char *key, const struct weir_addr *addr)
{
	struct addr copy;
	char text[ADDR_TEXT];

	memcpy(&copy, addr, sizeof(copy));
	json_add_string(json, key, addr_is_none(&copy) ? NULL : addr_format(&copy, text));
}

/* Null: affinity client does not go by it. */
static void add_port(struct json *json, const char *key, const struct weir_flow_key *flow, __be16 port)
{
	if (flow->proto)
		json_add_uint(json, key, ntohs(port));
	else
		json_add_string(json, key, NULL);
}

static void add_flow(struct json *json, const struct weir_flow_key *flow)
{
	add_address(json, "source", &flow->src);
	add_port(json, "source_port", flow, flow->sport);
	add_address(json, "vip", &flow->dst);
	add_port(json, "port", flow, flow->dport);
	json_add_string(json, "protocol", flow->proto ? report_protocol_word(flow->proto) : NULL);
}

/* Do packets of the flow go by it? One of a backend that has stopped serving since, or of a slot that has settled, is about to be swept. */
static bool holds(const struct agent *agent, const struct model_service *service, const struct plane_entry *entry,
		  uint32_t slot)
{
	struct plane_flow flow;

	if (plane_flow(agent->plane, service, &entry->key, slot, &flow) != 0)
		return false;
	return entry->opening ? flow.opening_holds : flow.pin_holds;
}

static void add_entry(const struct agent *agent, struct json *json, const struct model_service *service,
		      const struct plane_entry *entry)
{
	uint32_t slot = entry->opening ? entry->as_opening.slot : entry->as_pin.slot;
	uint16_t index = entry->opening ? entry->as_opening.backend : entry->as_pin.backend;
	const struct model_backend *backend = report_backend_by_index(service, index);
	char address[ADDR_TEXT];

	json_add_object(json, NULL);
	json_add_string(json, "service", service->config.name);
	add_flow(json, &entry->key);
	json_add_string(json, "backend", backend ? addr_format(&backend->config.addr, address) : NULL);
	json_add_uint(json, "slot", slot - service->slot_base);
	json_add_string(json, "kind", entry->opening ? "opening" : "pin");
	json_add_bool(json, "confirmed",
		      entry->opening ? entry->as_opening.flags & WEIR_OPENING_CONFIRMED
				     : entry->as_pin.flags & WEIR_PIN_CONFIRMED);
	json_add_bool(json, "closing", !entry->opening && entry->as_pin.flags & WEIR_PIN_CLOSING);
	json_add_bool(json, "holds", holds(agent, service, entry, slot));
	json_add_uint(json, "idle_ms", entry->idle_ns / 1000000);
	json_end_object(json);
}

void report_pins(const struct agent *agent, struct json *json, const char *name)
{
	const struct model_service *one = name ? model_service(&agent->model, name) : NULL;
	struct plane_entry *entry = calloc(PINS_SHOWN, sizeof(*entry));
	size_t count = 0, total = 0, shown = 0;

	if (!entry || plane_entries(agent->plane, one ? one->index : -1, entry, PINS_SHOWN, &count, &total) != 0)
		json->out->failed = true;
	json_add_array(json, "pins");
	for (size_t i = 0; i < count; i++) {
		const struct model_service *service = report_service_by_index(agent, entry[i].key.service);

		if (!service)
			continue; /* removed: swept soon */
		add_entry(agent, json, service, &entry[i]);
		shown++;
	}
	json_end_array(json);
	json_add_uint(json, "shown", shown);
	json_add_uint(json, "total", total);
	free(entry);
}
