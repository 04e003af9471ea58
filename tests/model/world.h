/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world small enough to be walked through a million times: two nodes with the product's rules (include/weir/flow.h,
 * user/model/slots.c), tiny maps, a stream between them that is late, four backends, six clients' tuples that are
 * played by the book, and somebody who spoofs. Events come in, one by one; what must never happen is found by `play`.
 *
 *   walk.c  random events, shrinking, printing      play.c   time, backends, nodes
 *   clients.c  the clients, and what must hold
 *   news.c  what nodes send each other              node.c   a node's agent
 *   path.c  a node's data path and maps
 */
#ifndef WEIR_TESTS_WORLD_H
#define WEIR_TESTS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "../../include/weir/flow.h"
#include "../../include/weir/hash.h"
#include "../../user/model/slots.h"

enum {
	SLOTS = 3,
	NODES = 2,
	BACKENDS = 5, /* indexes; 0 is none */
	TUPLES = 6,
	PINS = 12,
	OPENINGS = 12,
	QUEUE = 96,
	EVENTS = 128,
	CLIENT_KEYS = 50, /* keys of clients begin here, those of floods at FLOOD_KEYS */
	FLOOD_KEYS = 100,

	MS = 1,
	SECOND = 1000,
	HOLD = SECOND,
	LEARN = 900 * SECOND,
	LEARN_UDP = 30 * SECOND,
	CLOSING = 300 * SECOND,
	OPENING = 5 * SECOND,
	GRACE = SECOND,
	INFLIGHT = 50, /* longest time that a packet is in the data path, and news in the stream */
	STREAM_DELAY = 10,
};

struct pin_entry {
	uint16_t key;
	bool udp;
	bool spoofed;  /* its last sequence number, or the pin itself, was written by a spoofed packet */
	bool overdue;  /* met by a packet when it was past its limit, by no scan since */
	bool far;      /* ... far past it, and the other node has not been told since */
	uint32_t link; /* a copy: the link that it has last come by */
	struct weir_pin pin;
};

struct opening_entry {
	uint16_t key;
	bool udp;
	bool spoofed;
	bool overdue, far;
	uint32_t link;
	struct weir_opening opening;
};

enum news_kind {
	NEWS_PIN,
	NEWS_REFRESH,
	NEWS_REMOVE,
	NEWS_OPENING,
	NEWS_REMOVE_OPENING,
	NEWS_SYNCED, /* that was all: what it has told before this link and not again is no more */
	NEWS_NOTE,
	NEWS_ROLE,
	NEWS_SHIFT
};

struct news {
	enum news_kind kind;
	uint32_t sent;
	uint32_t life; /* of the backend that `index` names */
	uint16_t key;  /* or the slot */
	uint16_t index;
	uint8_t value; /* role, shift */
	bool udp, spoofed, overdue;
	uint32_t age;
	union {
		struct weir_pin pin;
		struct weir_opening opening;
		struct slots_note note;
		uint32_t change; /* its number, of all in the world: the latest one wins */
	};
};

struct queue {
	struct news item[QUEUE];
	uint32_t from, to;
};

struct node {
	bool alive;
	bool fresh; /* has started with empty maps, and not yet heard all that the other one knows */
	union weir_slot word[SLOTS];
	struct slots_side side[SLOTS];
	uint32_t restart[SLOTS];
	struct weir_backend backend[BACKENDS];
	uint32_t life[BACKENDS];
	uint32_t stopped[BACKENDS]; /* when it last stopped serving */
	uint8_t role[BACKENDS];
	uint8_t shift[SLOTS];
	uint32_t changed[BACKENDS + SLOTS]; /* number of the latest change that it knows of: roles, shifts */
	struct slots slots;
	struct pin_entry pin[PINS];
	struct opening_entry opening[OPENINGS];
	uint32_t pins, openings;
	uint32_t refreshed;
	uint32_t scan_pins, scan_openings;  /* elements that the scan under way has to look at still */
	uint32_t deletes;                   /* ... and may delete */
	bool missed_pin[FLOOD_KEYS];        /* a peer's pin of the key found no room here */
	uint8_t missed_opening[FLOOD_KEYS]; /* ... an opening: its backend */
	struct queue out;
};

struct packet {
	uint16_t key;
	uint8_t slot;
	uint8_t kind;
	bool udp, client, spoofed;
	uint32_t sequence, other;
	uint8_t slow[2]; /* ms between its look at the slot and at the maps, and from there to what it writes */
};

struct outcome { /* what the data path did, for those who check it */
	uint32_t backend;
	uint32_t todo;      /* enum flow_todo, after failures */
	bool opening_full;  /* an opening could not be written */
	bool rest_down;     /* ... and its flow's next packets would go to a backend that is down */
	uint8_t phase;      /* of the slot */
	bool joined;        /* an opening decided about a SYN */
	bool spoofed_proof; /* an opening was confirmed, and it or the packet was spoofed */
	bool overdue; /* a pin was past its limit and not yet deleted, or a copy was deleted as the packet went by it */
	bool spoofed_close; /* a spoofed packet closed a pin */
};

enum tuple_state { TUPLE_CLOSED, TUPLE_OPENING, TUPLE_OPEN };

enum excuse {
	EXCUSE_NONE,
	EXCUSE_TICK,   /* moved to a node that the stream had not told yet */
	EXCUSE_PARTED, /* moved to a node that was, or had been, cut off while the slot was changing */
	EXCUSE_RACED, /* moved after both nodes had changed its slot within one tick of the stream, in different order */
	EXCUSE_SLOW_HANDSHAKE,    /* the handshake took longer than an opening lives */
	EXCUSE_LONG_HANDSHAKE,    /* its SYN, sent again, came to a second backend, and the first one answered */
	EXCUSE_IDLE,              /* it was silent longer than its limit once, and found its way all the same then */
	EXCUSE_SPOOFED_PAIR,      /* a spoofed SYN and a packet that follows it */
	EXCUSE_SPOOFED_HANDSHAKE, /* spoofed SYNs in the very handshake: its opening knows two others */
	EXCUSE_SPOOFED_CLOSE,     /* a spoofed packet and a FIN that follows it */
	EXCUSE_CLIENT_DOWN, /* affinity client: its backend is down, and another of its connections has moved it */
	EXCUSE_FULL_THERE,  /* moved to a node whose maps had no room for what the stream told of it */
	EXCUSE_FULL_LATE,   /* no room for its pin after its node had said that the window is over */
	EXCUSE_FULL_DOWN,   /* no room for the opening while the old backend is down */
	EXCUSES,
};

struct tuple {
	enum tuple_state state;
	uint8_t node;
	bool udp, quic;
	bool acked, closing;
	uint8_t home;
	uint8_t answered;        /* backends that have had this SYN */
	uint32_t life[BACKENDS]; /* ... when they had it, as the node knew */
	uint32_t home_life;
	uint32_t isn, sequence;
	bool noted;      /* an opening knows of its last SYN */
	bool unheld;     /* the slot may move again without a hold, here or on the node that it has moved to */
	bool by_pin;     /* it went by a pin, which binds it only while the backend is up */
	uint32_t opened; /* the SYN that was sent last */
	uint32_t last;
	enum excuse excuse;
	bool stale; /* has met a pin past its limit that scans overlook: its slot may settle on that node alone */
	bool torn;  /* has moved so that the node it left may know another backend of it than the one it is at now */
};

struct rules { /* of a walk */
	uint8_t slots, pins, openings, deletes;
	bool client;
	bool overlooks; /* scans do not see all elements that are past their limit */
	uint8_t piece;  /* elements that a scan looks at in one tick */
	uint8_t lag;    /* ms that the agents' clocks are behind what packets write, and the nodes' clocks apart */
	uint8_t udp;    /* bits: tuple is UDP */
	uint8_t quic;
	uint16_t epoch, generation; /* to begin with */
};

enum op {
	OP_DATA,
	OP_SYN,
	OP_SYN_LOST, /* no SYN-ACK comes back, or not yet */
	OP_SYNACK,   /* ... now it does */
	OP_FIN,
	OP_RST,
	OP_SPOOF_SYN,
	OP_SPOOF_DATA,
	OP_SPOOF_FIN,
	OP_ICMP,
	OP_FLOOD_SYN,
	OP_FLOOD_ACK,
	OP_UP,
	OP_DRAIN,
	OP_DOWN_KEEP,
	OP_DOWN_RESET,
	OP_REMOVE,
	OP_SHIFT,
	OP_RESTART,
	OP_MOVE,
	OP_TAKEOVER,
	OP_KILL,
	OP_REVIVE,
	OP_CUT,
	OP_JOIN,
	OP_WAIT,
	OPS,
};

struct event {
	uint8_t op;
	uint8_t a, b;
	uint32_t wait; /* before it */
	uint32_t random;
};

struct world {
	struct rules rules;
	uint32_t now;
	struct node node[NODES];
	struct tuple tuple[TUPLES];
	uint8_t role[BACKENDS];
	uint32_t life[BACKENDS];
	uint8_t shift[SLOTS];
	uint32_t changes, links;
	bool linked;
	bool overflow; /* more news than the stream takes: it breaks */
	bool parted[SLOTS];
	bool raced[SLOTS];   /* changed on both nodes within one tick of the stream */
	const char *finding; /* what must not be, or NULL */
	uint64_t *used;      /* excuses, by enum excuse */
	int verbose;
};

/* path.c */
struct outcome path_packet(struct world *world, struct node *node, const struct packet *packet);
struct pin_entry *path_pin(struct node *node, uint16_t key);
struct opening_entry *path_opening(struct node *node, uint16_t key);
/* Has the node a pin or an opening that no other one has told it of? */
bool path_has_own(struct node *node, uint16_t key);
/* How long it may be idle. */
uint32_t path_limit(const struct pin_entry *pin);
/* ... one past its limit? */
bool path_is_far(const struct world *world, struct node *node, uint16_t key);
/* NULL = no room */
struct pin_entry *path_write_pin(const struct world *world, struct node *node, const struct pin_entry *entry);
struct opening_entry *path_write_opening(const struct world *world, struct node *node,
					 const struct opening_entry *entry);
void path_drop_pin(struct node *node, uint32_t i);
void path_drop_opening(struct node *node, uint32_t i);

/* news.c */
void news_pin(struct world *world, struct node *node, const struct pin_entry *entry, enum news_kind kind);
void news_opening(struct world *world, struct node *node, const struct opening_entry *entry, enum news_kind kind);
void news_notes(struct world *world, struct node *node);
void news_synced(struct world *world, struct node *node);
void news_config(struct world *world, struct node *node, enum news_kind kind, uint16_t index);
void news_deliver(struct world *world, struct node *from);
/* Is there something under way from the node that decides about the flow? */
bool news_pending(const struct world *world, const struct node *node, uint16_t key, uint16_t slot);

/* Is there something that the other node has told of the flow, and that found no room? */
bool news_missed(const struct node *node, uint16_t key);
/* Is a change of configuration under way from the node? */
bool news_changes(const struct node *node);

/* node.c */
void node_start(struct world *world, struct node *node);
void node_set_role(struct world *world, struct node *node, uint16_t backend, uint8_t role, uint32_t life);
void node_set_shift(struct world *world, struct node *node, uint16_t slot, uint8_t shift);
/* All that the world's state says, at once. */
void node_set_all(struct world *world, struct node *node);
/* `whole`: for so long that a scan has come to its end. */
void node_tick(struct world *world, struct node *node, bool whole);
void node_restart(struct world *world, struct node *node);
void node_link(struct world *world, bool linked);
/* As the agents have read it. */
static inline uint32_t node_clock(const struct world *world)
{
	return world->now - world->rules.lag;
}

static inline struct node *node_other(struct world *world, const struct node *node)
{
	return &world->node[node == &world->node[0]];
}

/* play.c */
void play_init(struct world *world, const struct rules *rules, uint64_t *used);
/* The finding, or NULL. */
const char *play_event(struct world *world, const struct event *event);
/* Silence until all is settled. */
const char *play_end(struct world *world);
/* Time passes: news arrive, agents act. */
void play_pass(struct world *world, uint32_t time);
uint16_t play_key(const struct world *world, uint32_t tuple);
uint8_t play_slot(const struct world *world, uint32_t tuple);
/* Where flows without a pin are. */
uint16_t play_base(bool udp, const union weir_slot *word);

/* clients.c: events up to OP_FLOOD_ACK */
void clients_play(struct world *world, const struct event *event);

/* walk.c */
struct walk {
	struct rules rules;
	struct event event[EVENTS];
	uint32_t events;
};

void walk_make(struct walk *walk, uint64_t seed, uint32_t events);
const char *walk_run(const struct walk *walk, uint64_t *used, int verbose);
void walk_shrink(struct walk *walk);
void walk_print(const struct walk *walk);
/* As walk_print writes it, from the `+` on. */
bool walk_read_event(const char *line, struct event *event);
extern const char *const excuse_text[EXCUSES];

#endif
