/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What a packet does in a slot that is not settled: which backend it goes to, and what becomes of its flow's opening and
 * pin. Pure: the same code runs in the data path, in `weir explain` and in the tests' model. In: struct flow_ask, filled
 * from the maps. Out: struct flow_verdict, which the caller carries out in this order:
 *
 *   flow_decide
 *   FLOW_WRITE_OPENING   flow_make_opening, update `openings`;  no room: flow_opening_failed
 *   FLOW_WRITE_PIN       flow_make_pin, update `pins`;          no room: flow_pin_failed
 *   FLOW_DROP_OPENING    delete it
 *   FLOW_TOUCH_OPENING, FLOW_TOUCH_PIN   flow_touch_opening, flow_touch_pin: in place, through the maps' pointers
 *   FLOW_RESTART         restarts[slot] = now
 *
 * A settled slot (flow_is_settled) and `affinity none` need none of this: current.
 */
#ifndef WEIR_FLOW_H
#define WEIR_FLOW_H

#include <linux/types.h>

#include "abi.h"

#define FLOW_INLINE static inline __attribute__((always_inline))

enum {
	FLOW_FOLLOWS = 65536, /* a sequence number this far behind an ISN, or around a pin's last one, belongs to it */
	FLOW_AHEAD = 4096,    /* how far another CPU's reading of the clock may at most be ahead of ours */
};

enum flow_kind {
	FLOW_DATA, /* TCP but for the next two; any UDP but QUIC's long headers */
	FLOW_SYN,  /* SYN without ACK; QUIC: Initial */
	FLOW_END,  /* FIN or RST */
	FLOW_LONG, /* QUIC: another long header */
	FLOW_LOOK, /* an ICMP error, by the flow that it quotes; explain */
};

struct flow_backend { /* of `backends` */
	__u16 generation;
	__u16 flags;
};

struct flow_ask {
	union weir_slot slot;
	__u32 slot_index;
	__u8 kind;   /* enum flow_kind */
	__u8 udp;    /* 1 = UDP */
	__u8 client; /* 1 = affinity client */
	__u8 pad;
	__u32 sequence;      /* TCP: sequence number; QUIC long headers: hash of the source connection id */
	__u32 other;         /* QUIC long headers: hash of the destination connection id */
	__u32 now;           /* weir clock (abi.h) */
	__u32 opening_limit; /* WEIR_OPENING_LIVES_MS, in that clock */
	const struct weir_opening *opening; /* as the maps hold them, or NULL */
	const struct weir_pin *pin;
	struct flow_backend of_current, of_previous, of_previous_udp, of_opening, of_pin; /* zero where there is none */
};

enum flow_todo {
	FLOW_WRITE_OPENING = 1,
	FLOW_DROP_OPENING = 2,
	FLOW_TOUCH_OPENING = 4, /* time; a SYN: latest ISN; a packet that confirms it: stands for the pin */
	FLOW_WRITE_PIN = 8,
	FLOW_TOUCH_PIN = 16,  /* time; no SYN: sequence */
	FLOW_CLOSE_PIN = 32,  /* with FLOW_TOUCH_PIN */
	FLOW_REOPEN_PIN = 64, /* with FLOW_TOUCH_PIN: a new connection goes by it */
	FLOW_CONFIRMED = 128, /* with FLOW_WRITE_PIN: an opening made it */
	FLOW_RESTART = 256,   /* the slot's windows start again */
	FLOW_TELL = 512,      /* the peers are to know at once: what was written, or touched */
};

struct flow_verdict {
	__u32 backend; /* 0 = none */
	__u32 generation;
	__u32 todo;    /* enum flow_todo */
	__u32 instead; /* FLOW_WRITE_OPENING: the backend if that fails */
};

struct flow_place {
	__u32 backend;
	struct flow_backend of;
	_Bool passing; /* the slot names a previous that serves no longer: its word is about to change, or has just done so */
};

FLOW_INLINE __u32 flow_phase(const union weir_slot *slot)
{
	return slot->state & WEIR_SLOT_PHASE;
}

FLOW_INLINE __u32 flow_epoch(const union weir_slot *slot)
{
	return slot->state >> WEIR_SLOT_EPOCH_SHIFT;
}

FLOW_INLINE _Bool flow_is_settled(const union weir_slot *slot)
{
	return flow_phase(slot) == WEIR_SETTLED;
}

/* How long ago; what another CPU has written since we read the clock is no age at all, not nearly all there is. */
FLOW_INLINE __u32 flow_age(__u32 now, __u32 then)
{
	return then - now < FLOW_AHEAD ? 0 : now - then;
}

/* A pin of a backend that has since died, or of a time before the slot last settled, is none. */
FLOW_INLINE _Bool flow_pin_holds(const struct flow_ask *ask)
{
	return ask->pin && ask->pin->epoch == flow_epoch(&ask->slot) &&
	       ask->pin->generation == ask->of_pin.generation && (ask->of_pin.flags & WEIR_BACKEND_SERVES);
}

FLOW_INLINE _Bool flow_opening_holds(const struct flow_ask *ask)
{
	const struct weir_opening *opening = ask->opening;

	return opening && opening->epoch == flow_epoch(&ask->slot) &&
	       opening->generation == ask->of_opening.generation && (ask->of_opening.flags & WEIR_BACKEND_SERVES) &&
	       (opening->flags & WEIR_OPENING_CONFIRMED || flow_age(ask->now, opening->seen) <= ask->opening_limit);
}

FLOW_INLINE _Bool flow_follows(__u32 sequence, __u32 isn)
{
	return sequence - isn - 1 < FLOW_FOLLOWS;
}

FLOW_INLINE _Bool flow_is_known(const struct flow_ask *ask)
{
	return ask->sequence == ask->opening->first || ask->sequence == ask->opening->latest;
}

/* Does the packet prove that the opening's handshake is its own, and that the backend has answered? */
FLOW_INLINE _Bool flow_confirms(const struct flow_ask *ask)
{
	const struct weir_opening *opening = ask->opening;

	if (ask->udp) /* it aims at a connection id that the server has chosen */
		return (ask->kind == FLOW_SYN || ask->kind == FLOW_LONG) && flow_is_known(ask) &&
		       ask->other != opening->aimed;
	return (ask->kind == FLOW_DATA || ask->kind == FLOW_END) &&
	       (flow_follows(ask->sequence, opening->first) || flow_follows(ask->sequence, opening->latest));
}

/* Where packets of the flow go as long as no opening has a say: the pin, or where flows without one are. */
FLOW_INLINE struct flow_place flow_rest(const struct flow_ask *ask)
{
	__u32 phase = flow_phase(&ask->slot);
	struct flow_place previous = {0};
	struct flow_place place = {ask->slot.current, ask->of_current, 0};

	if (flow_pin_holds(ask)) {
		place.backend = ask->pin->backend;
		place.of = ask->of_pin;
		return place;
	}
	if (ask->udp && !ask->client) {
		previous.backend = ask->slot.previous_udp;
		previous.of = ask->of_previous_udp;
	} else if (phase == WEIR_HOLDING || phase == WEIR_LEARNING) {
		previous.backend = ask->slot.previous;
		previous.of = ask->of_previous;
	}
	if (previous.of.flags & WEIR_BACKEND_SERVES)
		return previous;
	place.passing = previous.backend != WEIR_BACKEND_NONE && place.backend != WEIR_BACKEND_NONE;
	return place;
}

FLOW_INLINE void flow_go(struct flow_verdict *verdict, __u32 backend, const struct flow_backend *of)
{
	verdict->backend = backend;
	verdict->generation = of->generation;
}

/* Where the table has new connections. */
FLOW_INLINE void flow_go_new(const struct flow_ask *ask, struct flow_verdict *verdict, _Bool holding)
{
	if (holding && ask->of_previous.flags & WEIR_BACKEND_ANSWERS)
		flow_go(verdict, ask->slot.previous, &ask->of_previous);
	else
		flow_go(verdict, ask->slot.current, &ask->of_current);
}

/* A SYN that meets an opening. False: the opening is not for it. */
FLOW_INLINE _Bool flow_join_opening(const struct flow_ask *ask, struct flow_verdict *verdict)
{
	__u32 wanted = flow_is_known(ask) ? WEIR_BACKEND_ANSWERS : WEIR_BACKEND_OPEN;

	flow_go(verdict, ask->opening->backend, &ask->of_opening);
	if (ask->opening->flags & WEIR_OPENING_CONFIRMED) { /* a live flow's: nothing may be written over it */
		if (ask->of_opening.flags & WEIR_BACKEND_ANSWERS)
			verdict->todo = FLOW_TOUCH_OPENING | FLOW_TELL;
		else
			flow_go(verdict, ask->slot.current, &ask->of_current);
		return 1;
	}
	verdict->todo = FLOW_TOUCH_OPENING | FLOW_TELL;
	return (ask->of_opening.flags & wanted) != 0;
}

/*
 * A new connection. It goes where the table says, and leaves an opening if its next packet would else go somewhere
 * else, or might (passing), or if a SYN that is sent again might (holding).
 */
FLOW_INLINE void flow_open(const struct flow_ask *ask, struct flow_verdict *verdict)
{
	struct flow_place rest = flow_rest(ask);
	_Bool holding = flow_phase(&ask->slot) == WEIR_HOLDING;

	if (flow_opening_holds(ask)) {
		if (flow_join_opening(ask, verdict))
			return;
		verdict->todo = FLOW_DROP_OPENING | FLOW_TELL;
	}
	if (flow_pin_holds(ask) && !(ask->pin->flags & WEIR_PIN_CLOSING) && ask->of_pin.flags & WEIR_BACKEND_OPEN) {
		flow_go(verdict, ask->pin->backend, &ask->of_pin);
		verdict->todo |= FLOW_TOUCH_PIN | (ask->pin->flags & WEIR_PIN_PEER ? FLOW_TELL : 0);
		return;
	}
	flow_go_new(ask, verdict, holding);
	if (verdict->backend == WEIR_BACKEND_NONE) { /* it is no connection that could make an older one give way */
		verdict->todo = 0;
		return;
	}
	if (verdict->backend == rest.backend && flow_pin_holds(ask))
		verdict->todo |= FLOW_TOUCH_PIN | FLOW_REOPEN_PIN | FLOW_TELL;
	if (verdict->backend == rest.backend && !holding && !rest.passing)
		return;
	verdict->todo = (verdict->todo & ~(__u32)FLOW_DROP_OPENING) | FLOW_WRITE_OPENING | FLOW_TELL;
	verdict->instead = rest.of.flags & WEIR_BACKEND_ANSWERS ? rest.backend : verdict->backend;
}

/* A packet of a connection that it has begun, as far as one can tell. */
FLOW_INLINE void flow_keep(const struct flow_ask *ask, struct flow_verdict *verdict)
{
	struct flow_place rest = flow_rest(ask);

	if (flow_opening_holds(ask)) {
		_Bool stands = ask->opening->flags & WEIR_OPENING_CONFIRMED;

		if (stands || flow_confirms(ask)) {
			flow_go(verdict, ask->opening->backend, &ask->of_opening);
			if (ask->kind != FLOW_LOOK)
				verdict->todo = FLOW_WRITE_PIN | FLOW_CONFIRMED | FLOW_DROP_OPENING | FLOW_TELL;
			return;
		}
		if (ask->kind == FLOW_LONG && flow_is_known(ask)) {
			flow_go(verdict, ask->opening->backend, &ask->of_opening);
			return;
		}
	}
	flow_go(verdict, rest.backend, &rest.of);
	if (ask->kind == FLOW_LOOK)
		return;
	if (flow_pin_holds(ask)) {
		verdict->todo = FLOW_TOUCH_PIN | (ask->pin->flags & WEIR_PIN_PEER ? FLOW_TELL : 0);
		if (ask->kind == FLOW_END && !ask->client &&
		    ask->sequence - ask->pin->sequence + FLOW_FOLLOWS < 2 * FLOW_FOLLOWS)
			verdict->todo |= FLOW_CLOSE_PIN | FLOW_TELL;
	} else if (rest.backend != ask->slot.current || rest.passing) {
		verdict->todo = FLOW_WRITE_PIN | FLOW_TELL;
	}
}

/* The slot is not settled. */
FLOW_INLINE void flow_decide(const struct flow_ask *ask, struct flow_verdict *verdict)
{
	_Bool opens = ask->kind == FLOW_SYN;

	verdict->todo = 0;
	verdict->instead = 0;
	if (opens && ask->client) /* only a client whose backend is, or has just been, down is a new one */
		opens = !(flow_rest(ask).of.flags & WEIR_BACKEND_ANSWERS) || flow_opening_holds(ask);
	if (opens && ask->udp && flow_opening_holds(ask))
		opens = !flow_confirms(ask);
	if (opens)
		flow_open(ask, verdict);
	else
		flow_keep(ask, verdict);
}

/* The opening could not be written: the packet goes where its flow's next one will go, unless that backend is down. */
FLOW_INLINE void flow_opening_failed(const struct flow_ask *ask, struct flow_verdict *verdict)
{
	_Bool by_pin = flow_pin_holds(ask) && verdict->instead == ask->pin->backend;

	verdict->todo = by_pin ? FLOW_TOUCH_PIN | FLOW_REOPEN_PIN | FLOW_TELL : FLOW_RESTART;
	verdict->backend = verdict->instead;
}

/* The pin could not be written: its opening stands for it, or the slot goes on learning. */
FLOW_INLINE void flow_pin_failed(const struct flow_ask *ask, struct flow_verdict *verdict)
{
	if (!(verdict->todo & FLOW_CONFIRMED))
		verdict->todo = FLOW_RESTART;
	else if ((ask->opening->flags & (WEIR_OPENING_CONFIRMED | WEIR_OPENING_PEER)) == WEIR_OPENING_CONFIRMED)
		verdict->todo = FLOW_TOUCH_OPENING | FLOW_CONFIRMED;
	else
		verdict->todo = FLOW_TOUCH_OPENING | FLOW_CONFIRMED | FLOW_TELL;
}

FLOW_INLINE void flow_make_opening(const struct flow_ask *ask, const struct flow_verdict *verdict,
				   struct weir_opening *opening)
{
	opening->backend = (__u16)verdict->backend;
	opening->epoch = (__u16)flow_epoch(&ask->slot);
	opening->generation = (__u16)verdict->generation;
	opening->slot = ask->slot_index;
	opening->first = ask->sequence;
	opening->latest = ask->sequence;
	opening->aimed = ask->other;
	opening->seen = ask->now;
	opening->flags = 0;
}

FLOW_INLINE void flow_touch_opening(const struct flow_ask *ask, const struct flow_verdict *verdict,
				    struct weir_opening *opening)
{
	opening->seen = ask->now;
	opening->flags &= (__u16)~WEIR_OPENING_PEER;
	if (verdict->todo & FLOW_CONFIRMED) {
		opening->flags |= WEIR_OPENING_CONFIRMED;
	} else if (!(opening->flags & WEIR_OPENING_CONFIRMED)) {
		opening->latest = ask->sequence;
		opening->aimed = ask->other;
	}
}

FLOW_INLINE void flow_make_pin(const struct flow_ask *ask, const struct flow_verdict *verdict, struct weir_pin *pin)
{
	pin->backend = (__u16)verdict->backend;
	pin->epoch = (__u16)flow_epoch(&ask->slot);
	pin->generation = (__u16)verdict->generation;
	pin->slot = ask->slot_index;
	pin->sequence = ask->sequence;
	pin->seen = ask->now;
	pin->flags = verdict->todo & FLOW_CONFIRMED ? WEIR_PIN_CONFIRMED : 0;
}

FLOW_INLINE void flow_touch_pin(const struct flow_ask *ask, const struct flow_verdict *verdict, struct weir_pin *pin)
{
	pin->seen = ask->now;
	if ((ask->kind != FLOW_SYN && ask->kind != FLOW_END) || verdict->todo & (FLOW_REOPEN_PIN | FLOW_CLOSE_PIN))
		pin->sequence = ask->sequence;
	pin->flags &= (__u16)~WEIR_PIN_PEER;
	if (verdict->todo & FLOW_REOPEN_PIN)
		pin->flags &= (__u16)~WEIR_PIN_CLOSING;
	if (verdict->todo & FLOW_CLOSE_PIN)
		pin->flags |= WEIR_PIN_CLOSING;
}

#endif
