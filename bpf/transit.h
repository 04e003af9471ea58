/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * A packet in a slot that is not settled: its flow's opening and pin are looked up, flow.h says where it goes and what becomes of the two, and that is carried
 * out here. In: the packet, the slot's word, the maps. Out: the backend; `openings`, `pins`, `restarts`, `flow_counters`.
 *
 * Several CPUs may do this at once for one flow, and the agent may delete an element meanwhile, whose memory then is another flow's. So:
 *   - What is decided by is a copy, taken once, and it counts only if it is of this slot.
 *   - What is touched in place, through the map's pointer, is a time, a sequence number, flags. If two packets of a flow do it at once, either's will do. If the
 *     element has just become another flow's, that flow's time is later than it should be, or a FIN of its is not known for one, or it is closing, which
 *     shortens its silence to five minutes: nothing moves.
 *   - What decides where a flow goes (backend, epoch, generation) is never touched, but written whole, by the map's own update.
 *
 * Two global functions, one after the other: the verifier walks them once, not once for each of the journeys that lead here, none of what they need is carried
 * along by packets in settled slots, and each has the whole of the stack that the journey leaves.
 */
#ifndef WEIR_BPF_TRANSIT_H
#define WEIR_BPF_TRANSIT_H

#include <asm/errno.h>

#include "../include/weir/flow.h"
#include "icmp.h"
#include "maps.h"
#include "parse.h"
#include "quic.h"

/* What transit_read is told of a packet beside where its IP header lies: service | flags. (Global functions take no pointers before Linux 5.12.) */
enum { TRANSIT_CLIENT = 1 << 16, TRANSIT_IP6 = 1 << 17 };

/* A packet that is under way here. */
struct transit {
	struct weir_flow_key key;
	__u32 sequence, other; /* as in struct flow_ask */
	__u8 kind, udp, client, pad;
	struct weir_opening opening, new_opening; /* as the maps had them, and as they get them */
	struct weir_pin pin, new_pin;
};

/* Per CPU: an XDP program is not interrupted by another one on its CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct transit);
} transits SEC(".maps");

static __always_inline struct transit *transit_find(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&transits, &zero);
}

/* ---- the packet ---- */

/* Kind and numbers of a packet with a TCP header at p->l4. */
static __always_inline bool transit_read_tcp(const struct packet *p, struct transit *t)
{
	const struct tcphdr *tcp = p->data + p->l4;

	if ((void *)(tcp + 1) > p->end)
		return false;
	t->sequence = bpf_ntohl(tcp->seq);
	if (tcp->fin || tcp->rst)
		t->kind = FLOW_END;
	else if (tcp->syn && !tcp->ack)
		t->kind = FLOW_SYN;
	return true;
}

static __always_inline void transit_read_udp(const struct packet *p, struct transit *t)
{
	struct quic quic;

	if (!quic_read(p, &quic))
		return;
	t->kind = quic.initial ? FLOW_SYN : FLOW_LONG;
	t->sequence = quic.from;
	t->other = quic.to;
}

static __always_inline void transit_write_key(const struct packet *p, struct transit *t, __u16 service)
{
	struct weir_flow_key key = {.src = p->flow.src, .service = service};

	if (!t->client) {
		key.dst = p->flow.dst;
		key.sport = p->flow.sport;
		key.dport = p->flow.dport;
		key.proto = p->flow.proto;
	}
	t->key = key;
}

/*
 * Fills in what the packet says; 0 = it cannot be read, which it could be before. It is parsed once more: what would have to be carried here else would cost
 * packets in settled slots.
 */
__noinline __u32 transit_read(struct xdp_md *ctx, __u32 l3, __u32 about)
{
	struct packet p = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.l3 = l3 & OFFSET_MAX,
		.ip6 = (about & TRANSIT_IP6) != 0,
	};
	struct transit *t = transit_find();
	bool read = true;

	if (!t || parse_addresses(&p) != WEIR_REASON_GO_ON || !parse_transport(&p))
		return 0;
	t->sequence = 0;
	t->other = 0;
	t->kind = FLOW_DATA;
	t->client = (about & TRANSIT_CLIENT) != 0;
	if (p.proto == IPPROTO_TCP) {
		read = transit_read_tcp(&p, t);
	} else if (p.proto == IPPROTO_UDP) {
		transit_read_udp(&p, t);
	} else {
		t->kind = FLOW_LOOK;
		read = icmp_find_flow(&p);
	}
	t->udp = p.flow.proto == IPPROTO_UDP;
	transit_write_key(&p, t, (__u16)about);
	return read;
}

/* ---- the maps ---- */

/* Flags and generation in one load: a pin of an earlier generation must not meet the later one's flags. */
static __always_inline struct flow_backend transit_backend(__u32 index)
{
	const struct weir_backend *backend = bpf_map_lookup_elem(&backends, &index);
	union {
		__u32 word;
		struct flow_backend of;
	} both = {};

	if (backend)
		both.word = *(const volatile __u32 *)&backend->generation;
	return both.of;
}

static __always_inline void transit_ask_backends(struct flow_ask *ask)
{
	ask->of_current = transit_backend(ask->slot.current);
	ask->of_previous = transit_backend(ask->slot.previous);
	ask->of_previous_udp = transit_backend(ask->slot.previous_udp);
}

/*
 * No pin, or no opening: what is left in `t` of an earlier packet, of_... zero, so that it is of a backend that serves nobody. (A NULL pointer would do as
 * well, but make more ways for the verifier.)
 */
static __always_inline struct weir_pin *transit_ask_pin(struct transit *t, struct flow_ask *ask)
{
	struct weir_pin *pin = bpf_map_lookup_elem(&pins, &t->key);

	ask->pin = &t->pin;
	if (!pin)
		return NULL;
	t->pin = *pin;
	if (t->pin.slot == ask->slot_index)
		ask->of_pin = transit_backend(t->pin.backend);
	return pin;
}

/*
 * Most flows that have a pin never have an opening again, and to look for it in vain is a third of what their packets cost. So a pin says that there is none
 * beside it: whoever writes the pin sees that, and the SYN that leaves one takes it back first. What the agent writes does not say so.
 */
static __always_inline bool transit_is_alone(const struct transit *t, const struct flow_ask *ask,
					     const struct weir_pin *pin)
{
	return pin && t->pin.slot == ask->slot_index && t->pin.flags & WEIR_PIN_ALONE && ask->kind != FLOW_SYN;
}

static __always_inline struct weir_opening *transit_ask_opening(struct transit *t, struct flow_ask *ask,
								const struct weir_pin *pin)
{
	struct weir_opening *opening;

	ask->opening = &t->opening;
	if (transit_is_alone(t, ask, pin))
		return NULL;
	opening = bpf_map_lookup_elem(&openings, &t->key);
	if (!opening)
		return NULL;
	t->opening = *opening;
	if (t->opening.slot == ask->slot_index)
		ask->of_opening = transit_backend(t->opening.backend);
	return opening;
}

static __always_inline void transit_write_opening(struct transit *t, const struct flow_ask *ask,
						  struct flow_verdict *verdict, struct weir_flow_counts *count,
						  struct weir_pin *pin)
{
	if (pin)
		pin->flags &= (__u16)~WEIR_PIN_ALONE;
	flow_make_opening(ask, verdict, &t->new_opening);
	if (bpf_map_update_elem(&openings, &t->key, &t->new_opening, BPF_ANY) == 0) {
		count->openings++;
	} else {
		count->openings_failed++;
		flow_opening_failed(ask, verdict);
	}
}

static __always_inline void transit_write_pin(struct transit *t, const struct flow_ask *ask,
					      struct flow_verdict *verdict, struct weir_flow_counts *count,
					      const struct weir_opening *opening, const struct weir_pin *pin)
{
	__u64 how = pin || verdict->todo & FLOW_CONFIRMED ? BPF_ANY : BPF_NOEXIST;
	const struct weir_pin *other;
	long err;

	flow_make_pin(ask, verdict, &t->new_pin);
	if (!opening || verdict->todo & FLOW_DROP_OPENING)
		t->new_pin.flags |= WEIR_PIN_ALONE;
	err = bpf_map_update_elem(&pins, &t->key, &t->new_pin, how);
	if (err == 0) {
		count->pins++;
	} else if (err == -EEXIST) {
		/* another CPU's, which has taken the flow's opening away: it was not to be found here */
		other = bpf_map_lookup_elem(&pins, &t->key);
		if (other && other->slot == ask->slot_index)
			verdict->backend = other->backend;
	} else {
		count->pins_failed++;
		flow_pin_failed(ask, verdict);
	}
}

static __always_inline void transit_restart(const struct flow_ask *ask)
{
	__u32 half = ask->slot_index / 2;
	struct weir_restarts *restart = bpf_map_lookup_elem(&restarts, &half);

	if (restart)
		restart->slot[ask->slot_index & 1] = ask->now ? ask->now : 1; /* 0 = never */
}

/* The backend of the packet that transit_read has read. */
__noinline __u32 transit_pick(__u64 slot, __u32 slot_index)
{
	struct flow_ask ask = {
		.slot.word = slot,
		.slot_index = slot_index,
		.now = (__u32)(bpf_ktime_get_ns() >> WEIR_CLOCK_SHIFT),
		.opening_limit = (__u32)((WEIR_OPENING_LIVES_MS * 1000000ULL) >> WEIR_CLOCK_SHIFT),
	};
	struct weir_flow_counts *count;
	struct flow_verdict verdict;
	struct weir_opening *opening;
	struct transit *t = transit_find();
	struct weir_pin *pin;
	__u32 zero = 0;

	count = bpf_map_lookup_elem(&flow_counters, &zero);
	if (!t || !count) /* never */
		return ask.slot.current;
	ask.kind = t->kind;
	ask.udp = t->udp;
	ask.client = t->client;
	ask.sequence = t->sequence;
	ask.other = t->other;
	transit_ask_backends(&ask);
	pin = transit_ask_pin(t, &ask);
	opening = transit_ask_opening(t, &ask, pin);
	asm volatile("" : : "r"(&ask) : "memory"); /* it stays where it is: in registers there is no room for it */
	flow_decide(&ask, &verdict);
	if (verdict.todo & FLOW_WRITE_OPENING)
		transit_write_opening(t, &ask, &verdict, count, pin);
	if (verdict.todo & FLOW_WRITE_PIN)
		transit_write_pin(t, &ask, &verdict, count, opening, pin);
	if (verdict.todo & FLOW_DROP_OPENING)
		bpf_map_delete_elem(&openings, &t->key);
	if (verdict.todo & FLOW_TOUCH_OPENING && opening)
		flow_touch_opening(&ask, &verdict, opening);
	if (verdict.todo & FLOW_TOUCH_PIN && pin)
		flow_touch_pin(&ask, &verdict, pin);
	if (verdict.todo & FLOW_RESTART)
		transit_restart(&ask);
	return verdict.backend;
}

#endif
