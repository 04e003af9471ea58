/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of a flow in its slot. In: the slot's word, the flow's opening and pin, as the plane has read them, and where by the data path's
 * own rules (flow.h) a packet would go. Out: which of the rules that was, in sentences and as JSON.
 */
#include "explain_slot.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "../../include/weir/flow.h"
#include "../lib/loop.h"
#include "report.h"

int explain_slot(const struct agent *agent, const struct model_service *service, const struct weir_flow_key *key,
		 uint32_t slot, struct explain_slot *out)
{
	int err = plane_flow(agent->plane, service, key, service->slot_base + slot, &out->flow);

	if (err)
		return err;
	out->slot = slot;
	out->stateless = service->config.affinity == WEIR_AFFINITY_NONE;
	out->udp = key->proto == IPPROTO_UDP;
	if (out->stateless)
		out->flow.next = out->flow.first = out->flow.slot.current;
	out->next = report_backend_by_index(service, out->flow.next);
	out->first = report_backend_by_index(service, out->flow.first);
	return 0;
}

/* ---- sentences ---- */

struct name {
	char text[ADDR_TEXT + 32];
};

/* "backend 10.0.0.11 (draining)" */
static struct name name(const struct model_service *service, uint16_t index)
{
	const struct model_backend *backend = report_backend_by_index(service, index);
	struct name out = {.text = "no backend"};
	char address[ADDR_TEXT];

	if (backend)
		snprintf(out.text, sizeof(out.text), "backend %s (%s)", addr_format(&backend->config.addr, address),
			 backend_role_word(backend->role));
	return out;
}

struct span {
	char text[32];
};

static struct span span(uint64_t ns)
{
	struct span out;

	if (ns < 10000000000U)
		snprintf(out.text, sizeof(out.text), "%.1f s", (double)ns / 1e9);
	else if (ns < 120000000000U)
		snprintf(out.text, sizeof(out.text), "%.0f s", (double)ns / 1e9);
	else
		snprintf(out.text, sizeof(out.text), "%.0f min", (double)ns / 60e9);
	return out;
}

/* How long ago, by the clock of openings and pins. */
static uint64_t age_ns(uint32_t seen)
{
	return (uint64_t)flow_age((uint32_t)(loop_now_ns() >> WEIR_CLOCK_SHIFT), seen) << WEIR_CLOCK_SHIFT;
}

static void say_left(const struct explain_slot *slot, struct buf *text)
{
	if (slot->flow.left_ns)
		buf_printf(text, ", for another %s at least", span(slot->flow.left_ns).text);
	buf_puts(text, "\n");
}

static void say_phase(const struct model_service *service, const struct explain_slot *slot, struct buf *text)
{
	const union weir_slot *word = &slot->flow.slot;
	uint16_t previous = slot->udp ? word->previous_udp : word->previous;
	struct name now = name(service, word->current), before = name(service, previous);

	buf_printf(text, "slot %u of %u, %s: ", slot->slot, service->config.slots,
		   report_phase_word((enum weir_phase)flow_phase(word)));
	if (flow_is_settled(word)) {
		buf_printf(text, "all its flows are on %s\n", now.text);
	} else if (slot->stateless) {
		buf_printf(text, "it goes to %s; affinity none keeps no flow where it was\n", now.text);
	} else if (flow_phase(word) == WEIR_REMEMBERING || previous == WEIR_BACKEND_NONE) {
		buf_printf(text, "it is with %s, only flows that have a pin to another backend keep that one\n",
			   now.text);
	} else if (flow_phase(word) == WEIR_HOLDING) {
		buf_printf(text, "it goes from %s to %s once all nodes know", before.text, now.text);
		say_left(slot, text);
	} else {
		buf_printf(text, "it is with %s, flows of before may still be on %s", now.text, before.text);
		say_left(slot, text);
	}
}

static void say_pin(const struct model_service *service, const struct explain_slot *slot, struct buf *text)
{
	const struct weir_pin *pin = &slot->flow.pin;

	if (!slot->flow.pin_holds) {
		buf_printf(
			text,
			"its pin to %s counts no more: that backend has stopped serving since, or the slot has settled\n",
			name(service, pin->backend).text);
		return;
	}
	buf_printf(text, "pinned to %s: its last packet came %s ago, its connection %s%s\n",
		   name(service, pin->backend).text, span(age_ns(pin->seen)).text,
		   pin->flags & WEIR_PIN_CONFIRMED ? "was seen to begin" : "was there before, as far as is known",
		   pin->flags & WEIR_PIN_CLOSING ? ", and is closing (FIN or RST)" : "");
}

static void say_opening(const struct model_service *service, const struct explain_slot *slot, struct buf *text)
{
	const struct weir_opening *opening = &slot->flow.opening;
	struct name backend = name(service, opening->backend);

	if (!slot->flow.opening_holds)
		buf_printf(text, "a handshake with %s was not confirmed in time, or counts no more\n", backend.text);
	else if (opening->flags & WEIR_OPENING_CONFIRMED)
		buf_printf(text, "its opening stands for a pin to %s that found no room\n", backend.text);
	else
		buf_printf(
			text,
			"a handshake with %s is under way since %s: a packet that follows it goes there too, and pins the flow\n",
			backend.text, span(age_ns(opening->seen)).text);
}

static void say_rule(const struct model_service *service, const struct explain_slot *slot, struct buf *text)
{
	if (slot->stateless || flow_is_settled(&slot->flow.slot))
		return;
	if (slot->flow.has_opening)
		say_opening(service, slot, text);
	if (slot->flow.has_pin)
		say_pin(service, slot, text);
	if (!slot->flow.has_opening && !slot->flow.has_pin)
		buf_puts(text, "it has no pin and no opening\n");
	if (slot->flow.next == slot->flow.first) {
		buf_printf(text, "its packets go to %s\n", name(service, slot->flow.next).text);
		return;
	}
	buf_printf(text, "its next packet, if it is a connection that has begun, goes to %s\n",
		   name(service, slot->flow.next).text);
	buf_printf(text, "a new connection's first packet (%s) goes to %s\n", slot->udp ? "QUIC Initial" : "SYN",
		   name(service, slot->flow.first).text);
}

void explain_slot_say(const struct model_service *service, const struct explain_slot *slot, struct buf *text)
{
	const struct model_backend *owner = report_backend_by_index(service, slot->flow.slot.current);
	char address[ADDR_TEXT];

	say_phase(service, slot, text);
	if (owner)
		buf_printf(text, "the slot's owner by the table: backend %s (%s, weight %u, %u slots)\n",
			   addr_format(&owner->config.addr, address), backend_role_word(owner->role),
			   owner->config.weight, owner->slots_owned);
	else
		buf_puts(text, "the slot has no owner by the table\n");
	say_rule(service, slot, text);
}

/* ---- JSON ---- */

static void add_backend(struct json *json, const char *key, const struct model_backend *backend)
{
	char address[ADDR_TEXT];

	json_add_string(json, key, backend ? addr_format(&backend->config.addr, address) : NULL);
}

static void add_pin(struct json *json, const struct model_service *service, const struct plane_flow *flow)
{
	json_add_object(json, "pin");
	add_backend(json, "backend", report_backend_by_index(service, flow->pin.backend));
	json_add_uint(json, "idle_ms", age_ns(flow->pin.seen) / 1000000);
	json_add_bool(json, "confirmed", flow->pin.flags & WEIR_PIN_CONFIRMED);
	json_add_bool(json, "closing", flow->pin.flags & WEIR_PIN_CLOSING);
	json_add_bool(json, "holds", flow->pin_holds);
	json_end_object(json);
}

static void add_opening(struct json *json, const struct model_service *service, const struct plane_flow *flow)
{
	json_add_object(json, "opening");
	add_backend(json, "backend", report_backend_by_index(service, flow->opening.backend));
	json_add_uint(json, "idle_ms", age_ns(flow->opening.seen) / 1000000);
	json_add_bool(json, "confirmed", flow->opening.flags & WEIR_OPENING_CONFIRMED);
	json_add_bool(json, "holds", flow->opening_holds);
	json_end_object(json);
}

void explain_slot_add(struct json *json, const struct model_service *service, const struct explain_slot *slot)
{
	add_backend(json, "backend", slot ? slot->next : NULL);
	add_backend(json, "first", slot ? slot->first : NULL);
	if (slot)
		json_add_uint(json, "slot", slot->slot);
	else
		json_add_string(json, "slot", NULL);
	json_add_string(json, "state", slot ? report_phase_word((enum weir_phase)flow_phase(&slot->flow.slot)) : NULL);
	if (slot && slot->flow.has_pin && !slot->stateless)
		add_pin(json, service, &slot->flow);
	else
		json_add_string(json, "pin", NULL);
	if (slot && slot->flow.has_opening && !slot->stateless)
		add_opening(json, service, &slot->flow);
	else
		json_add_string(json, "opening", NULL);
}
