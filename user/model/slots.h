/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transitions of slots: when a slot's backend changes, what the slot word says until every flow that the change put
 * at risk has a pin or has gone. Pure: `now` is passed in, in the clock of pins and openings (abi.h), the
 * words are written in place (the mapped `slots`, or an image of them), and nothing is allocated here.
 *
 *             slots_move             hold over              window over        two scans find nothing
 *   settled -----------> holding -----------> learning -----------> remembering -----------> settled
 *                           (the peer holds too)   (the peer's is, too)      (nor the peer's)
 *
 * Nodes agree by notes: each tells the others where each of its slots in transition stands, and goes on to the next
 * phase only when the peer has seen its latest change and stands where that is safe. A node without a reachable peer
 * goes by its own clock. Each node makes its own table; epochs, generations and indexes never leave it.
 *
 * How the agent drives it, in this order:
 *   a backend's role changes     write `role` and the flags and generation in `backends`; stopped serving:
 *                                slots_stop; then slots_move for each slot whose table entry differs
 *   each tick                    slots_tick over a stretch of slots; send a note for each slot that slots_tell names
 *   a scan of both maps          slots_scan_begin; slots_see_pin and slots_see_opening for each element, over as many
 *                                ticks as it takes; delete what they refuse; slots_scan_end
 *   a peer's note                slots_take; then a note back where slots_tell says so
 *   a start on pinned maps       slots_adopt
 */
#ifndef WEIR_SLOTS_H
#define WEIR_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../../include/weir/abi.h"

enum slots_role {                 /* of a backend; from SLOTS_DOWN on it serves */
		  SLOTS_GONE,     /* down under `on-down reset`, disabled, removed, or no backend at all */
		  SLOTS_DOWN,     /* down under `on-down keep` */
		  SLOTS_DRAINING, /* keeps its flows */
		  SLOTS_UP,
};

enum slots_step { /* where a slot stands, as told to peers; each is safe for a peer that stands at most one before it */
		  SLOTS_STEP_NONE, /* nothing heard since the latest change */
		  SLOTS_STEP_HOLDING,
		  SLOTS_STEP_LEARNING,
		  SLOTS_STEP_OVER, /* learning, and every flow at risk has its pin */
		  SLOTS_STEP_REMEMBERING,
		  SLOTS_STEP_CLEAR, /* remembering, and two scans found nothing */
		  SLOTS_STEP_SETTLED,
		  SLOTS_STEP_UDP_OVER = 0x40, /* flags beside the step: UDP flows at risk have their pins */
		  SLOTS_STEP_UDP_DONE = 0x80, /* ... and the others are on current */
		  SLOTS_STEP_MASK = 0xf,
};

enum slots_flags {
	SLOTS_FOUND = 1, /* the scan under way has found something */
	SLOTS_TELL = 2,  /* the peer waits for an answer */
	/* The peer has been told that the window is over, and may have gone on: then so must we, whatever found no room since. */
	SLOTS_PROMISED = 4,
	SLOTS_PROMISED_UDP = 8,
};

struct slots_side {         /* what the agent knows of a slot beyond its word */
	uint32_t since;     /* begin of the hold or of the window, or of remembering */
	uint32_t since_udp; /* begin of previous_udp's window, or when that was over */
	uint16_t version;   /* counts this node's changes of the slot */
	uint16_t heard;     /* the peer's version that we know of */
	uint8_t told;       /* step that the peer has last been told */
	uint8_t peer;       /* step of the peer, SLOTS_STEP_NONE while it has not seen our version */
	uint8_t clean;      /* scans in a row that found nothing, at most 2 */
	uint8_t flags;      /* enum slots_flags */
};

struct slots_limits {                /* all in the clock of `now` */
	uint32_t hold, hold_longest; /* 1 s, 3 s */
	uint32_t learn, learn_udp;   /* the windows; also the idle limits of pins */
	uint32_t closing;            /* idle limit of pins that are closing: 5 min, at most `learn` */
	uint32_t opening;            /* 5 s */
	uint32_t grace;              /* after which no packet acts on an older word: 1 s is plenty */
	uint32_t scan_gap;           /* between two scans: 1 s */
};

struct slots {
	union weir_slot *word;              /* of this service */
	struct slots_side *side;            /* as many */
	const uint32_t *restart;            /* `restarts` of the map, as many */
	const struct weir_backend *backend; /* `backends`: the generations */
	const uint8_t *role;                /* enum slots_role, by backend index */
	uint32_t slots;
	struct slots_limits limits;
	bool peer; /* one is reachable */
	bool scanning;
	uint32_t scanned; /* end of the last scan */
};

struct slots_note {
	uint32_t slot;
	uint16_t backend;       /* current; the agent names it by address on the way */
	uint16_t version, echo; /* the sender's, and the receiver's that the sender knows of */
	uint8_t step;
};

/* After a start, roles are known: phases and epochs are what the words say, windows start again. */
void slots_adopt(struct slots *slots, uint32_t now);
/* The table now says `to` (0 = none). True if the word has changed. */
bool slots_move(struct slots *slots, uint32_t slot, uint16_t to, uint32_t now);
/* The backend has stopped serving (its role says so already): its flows are lost, no slot need learn of them. */
void slots_stop(struct slots *slots, uint16_t backend, uint32_t now);
/* Slots first .. first + count - 1 go on as far as their clocks, the scans and the peer let them. */
void slots_tick(struct slots *slots, uint32_t first, uint32_t count, uint32_t now);

/* Is it time for a scan? Then one has begun. */
bool slots_scan_begin(struct slots *slots, uint32_t now);
/* Both: whether the element stays in the map. `udp`: its key's protocol is UDP and the service has no affinity client. */
bool slots_see_pin(struct slots *slots, const struct weir_pin *pin, bool udp, uint32_t now);
bool slots_see_opening(struct slots *slots, const struct weir_opening *opening, bool udp, uint32_t now);
/* An element that they refuse is still there: the slot does not settle. */
void slots_not_deleted(struct slots *slots, uint32_t slot);
void slots_scan_end(struct slots *slots, uint32_t now);

/* Whether the peer must be told of the slot; if so, what. */
bool slots_tell(struct slots *slots, uint32_t slot, uint32_t now, struct slots_note *note);
/* What the peer tells. */
void slots_take(struct slots *slots, const struct slots_note *note, uint32_t now);
/* The peer is reachable (then it is told of every slot, and tells of every one), or no longer. */
void slots_meet(struct slots *slots, bool peer, uint32_t now);
/* A node that has just started with empty maps takes the word that a peer has: phase, current, previous. */
void slots_copy(struct slots *slots, uint32_t slot, union weir_slot word, uint32_t now);

/* What is left of the slot's hold, or of the window of its UDP or its other flows; 0 = it is over, or there is none. */
uint32_t slots_left(const struct slots *slots, uint32_t slot, bool udp, uint32_t now);

#endif
