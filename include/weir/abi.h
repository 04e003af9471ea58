/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The contract between the data path (bpf/) and the agent (user/): every map key and value, flags, sizes and
 * the layout version. The agent writes, the data path reads; counters go the other way.
 *
 * Addresses are 16 bytes in network order; IPv4 is written ::ffff:a.b.c.d. Ports in maps are in host order.
 * Values that packets read while the agent changes them are written so that no packet sees half a change: a slot and
 * a service are one aligned 64-bit word, a backend holds two ways and one index that says which is in force.
 *
 * Change a struct or the meaning of a field: add one to WEIR_LAYOUT and teach user/plane/adopt.c to read the old one.
 */
#ifndef WEIR_ABI_H
#define WEIR_ABI_H

#include <linux/types.h>

#ifdef __CHECKER__ /* for sparse: the bits of a value in wire order are taken as a number, or the other way round, on purpose */
#define WEIR_BITS(type) type __attribute__((force))
#else
#define WEIR_BITS(type) type
#endif

#ifndef WEIR_LAYOUT /* the upgrade test builds a second agent with another number */
#define WEIR_LAYOUT 1
#endif

enum {
	WEIR_NAME_MAX = 64,       /* bytes of a service's name, the closing 0 included */
	WEIR_BACKEND_NONE = 0,    /* index 0 of `backends` is never used: a zeroed slot names no backend */
	WEIR_VIP_NONE = 0,        /* index 0 of `vips` is never used: it ends a chain */
	WEIR_VIP_BUCKETS = 16384, /* elements of `vip_buckets` */
	WEIR_VIP_CHAIN_MAX = 64,  /* VIPs of one bucket */
	WEIR_LISTENERS_INLINE = 6,
	WEIR_LISTENERS_MAX = 512, /* intervals of one VIP */
	WEIR_PORTS_MAX = 16,      /* interfaces that one agent attaches to */
	WEIR_PEERS_MAX = 16,      /* addresses of peer nodes */
	WEIR_SLOT_BITS_MIN = 12,
	WEIR_SLOT_BITS_MAX = 16,
	WEIR_REASONS_MAX = 64,         /* elements of `reason_counters`; reason.h has fewer */
	WEIR_ACTIONS = 5,              /* XDP_ABORTED..XDP_REDIRECT */
	WEIR_ANSWERS_PER_SECOND = 100, /* ICMP answers (too big), per CPU, and as many at once */
	WEIR_CLOCK_SHIFT = 20, /* times of openings, pins and restarts: ns since boot, shifted: 1.05 ms, low 32 bits */
	WEIR_OPENING_LIVES_MS = 5000, /* how long an opening waits to be confirmed */
};

/* ---- what is a service: `vip_buckets`, by weir_addr_bucket() -> `vips` (mmapable arrays); `listeners` (hash, addr -> listener table) ---- */

struct weir_addr {
	__be32 word[4];
};

/*
 * A stretch of ports of one protocol that belongs to one service. The stretches of a VIP never overlap: the agent has
 * already cut ranges where an exact port lies within, and `any` where a range does (model/listeners.c).
 */
struct weir_listener {
	__u16 first;   /* port, host order */
	__u16 last;    /* port, host order, inclusive */
	__u16 service; /* index into `services` */
	__u8 proto;    /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 pad;
};

enum weir_vip_flags {
	WEIR_VIP_SELF = 1, /* an address of this node: watched for packets that a peer has encapsulated */
};

/*
 * A bucket names the first VIP of a chain, each VIP the next one, 0 ends it. The agent fills an element before it stores
 * the index that leads to it, and fills it anew only a grace period after it has taken that index away; a VIP that
 * changes becomes another element in the place of the old one.
 */
struct weir_vip_bucket {
	__u32 first; /* index into `vips` */
	__u32 pad;
};

struct weir_vip {
	struct weir_addr addr;
	__u32 next;      /* index into `vips` */
	__u16 listeners; /* how many; more than WEIR_LISTENERS_INLINE: all of them are in the map `listeners` */
	__u16 flags;     /* enum weir_vip_flags */
	struct weir_listener listener[WEIR_LISTENERS_INLINE]; /* sorted by proto, first */
};

struct weir_listener_table {
	__u32 listeners;
	__u32 pad;
	struct weir_listener listener[WEIR_LISTENERS_MAX]; /* sorted by proto, first; for binary search */
};

/* ---- `services` (mmapable array): one word each ---- */

enum weir_forward { WEIR_DSR = 0, WEIR_IPIP = 1 };
enum weir_affinity { WEIR_AFFINITY_FLOW = 0, WEIR_AFFINITY_CLIENT = 1, WEIR_AFFINITY_NONE = 2 };

enum weir_service_flags {
	WEIR_SERVICE_LOCAL = 1, /* this node is itself a backend of the service (not disabled) */
};

union weir_service {
	struct {
		__u32 slot_base; /* first slot in `slots` */
		__u8 slot_bits;  /* log2 of the number of slots, 12..16; 0 = no such service */
		__u8 forward;    /* enum weir_forward */
		__u8 affinity;   /* enum weir_affinity */
		__u8 flags;      /* enum weir_service_flags */
	};
	__u64 word;
};

/*
 * ---- `slots` (mmapable array): one word each. In the settled phase every live flow is on `current` and nothing else is
 * looked at; what a packet does in the other phases is flow.h's to say ----
 */

enum weir_phase { WEIR_SETTLED = 0, WEIR_HOLDING = 1, WEIR_LEARNING = 2, WEIR_REMEMBERING = 3 };

enum {
	WEIR_SLOT_PHASE = 3,           /* bits of weir_slot.state: enum weir_phase */
	WEIR_SLOT_EPOCH_SHIFT = 2,     /* the rest: counts how often the slot has left the settled phase */
	WEIR_SLOT_EPOCH_MASK = 0x3fff, /* once shifted down */
};

union weir_slot {
	struct {
		__u16 state;        /* phase and epoch; lowest in the word, for every packet tests it */
		__u16 current;      /* index into `backends` */
		__u16 previous;     /* holding, learning: flows that have no pin are there */
		__u16 previous_udp; /* the same for UDP, by its own window; 0 = they are on `current` */
	};
	__u64 word;
};

/* ---- `openings`, `pins` (hashes, never LRU): looked at only where the slot is not settled ---- */

struct weir_flow_key {
	struct weir_addr src;
	struct weir_addr dst; /* affinity client: this, ports and proto are zero */
	__be16 sport;
	__be16 dport;
	__u16 service; /* index */
	__u8 proto;
	__u8 pad;
};

enum weir_opening_flags {
	WEIR_OPENING_CONFIRMED = 1, /* its pin could not be written: stands for the pin until that can */
	WEIR_OPENING_PEER = 2,      /* from a peer, no packet has met it here yet */
};

struct weir_opening { /* a handshake under way */
	__u16 backend;
	__u16 epoch;      /* of the slot */
	__u16 generation; /* of the backend */
	__u16 flags;      /* enum weir_opening_flags */
	__u32 slot;       /* index into `slots` */
	__u32 first;      /* ISN of its first SYN; QUIC: hash of the client's own connection id */
	__u32 latest;     /* the same of its latest SYN */
	__u32 aimed;      /* QUIC: hash of the connection id that the client's latest Initial was for */
	__u32 seen;       /* weir clock; of the latest SYN, or, once confirmed, packet */
};

enum weir_pin_flags {
	WEIR_PIN_CLOSING = 1,   /* FIN or RST was seen */
	WEIR_PIN_CONFIRMED = 2, /* made by an opening, not by a packet that had none */
	WEIR_PIN_PEER = 4,      /* from a peer, no packet has met it here yet */
	WEIR_PIN_ALONE = 8, /* there is no opening beside it, so that none need be looked for; the data path's own */
};

struct weir_pin { /* a flow that belongs to a backend */
	__u16 backend;
	__u16 epoch;
	__u16 generation;
	__u16 flags; /* enum weir_pin_flags */
	__u32 slot;
	__u32 sequence; /* of the client's last packet */
	__u32 seen;     /* weir clock, of that packet */
};

enum { WEIR_ELEMENT_OVERHEAD = 48 }; /* what the kernel adds to each element of a hash */

/*
 * `restarts` (mmapable array): when something of a slot could last not be written, weir clock; 0 = never. An array's element takes eight bytes at
 * least: each holds two slots, 2 i and 2 i + 1, so that the mapped memory is one __u32 for each slot.
 */
struct weir_restarts {
	__u32 slot[2];
};

struct weir_flow_counts {                /* `flow_counters` (per-CPU array, one element) */
	__u64 openings, openings_failed; /* written; found no room */
	__u64 pins, pins_failed;
};

/* ---- `backends` (mmapable array): index -> way out ---- */

enum weir_way_flags {
	WEIR_WAY_RESOLVED = 1, /* MACs and interface are known */
	WEIR_WAY_LOCAL = 2,    /* the backend is this machine: pass up */
	WEIR_WAY_IP6 = 4,      /* outer header (ipip) is IPv6 */
};

enum { WEIR_TAGS_KEEP = 0xff }; /* leave the frame's VLAN tags as they came */

struct weir_tag {
	__be16 tpid; /* 0x8100 or 0x88a8 */
	__be16 tci;
};

struct weir_way {
	__u32 ifindex;          /* the port the frame leaves by */
	__u16 mtu;              /* bytes of IP packet (outer one included) that the way carries */
	__u8 flags;             /* enum weir_way_flags */
	__u8 tags;              /* how many of `tag` to write, 0..2, or WEIR_TAGS_KEEP */
	__u8 dst_mac[6];        /* next hop */
	__u8 src_mac[6];        /* the port's own */
	struct weir_tag tag[2]; /* outer one first */
	struct weir_addr src;   /* outer source: an address of this node */
	struct weir_addr dst;   /* outer destination: the backend */
	__u32 pad;
};

enum weir_backend_flags {
	WEIR_BACKEND_SERVES = 1,  /* keeps the flows that it has: up, draining, or down under `on-down keep` */
	WEIR_BACKEND_ANSWERS = 2, /* up or draining: a SYN may go there if it must */
	WEIR_BACKEND_OPEN = 4,    /* up: takes new flows */
};

struct weir_backend {
	__u32 active;     /* which way is in force, 0 or 1; the agent fills the other one, then stores this */
	__u16 generation; /* counts the times that this index has begun to serve: a pin of an earlier one is none */
	__u16 flags;      /* enum weir_backend_flags */
	struct weir_way way[2];
};

/* ---- `node` (mmapable array, one element) ---- */

struct weir_port {
	__u32 ifindex; /* 0 = unused */
	__u32 pad;
	__u8 mac[8]; /* 6 used, 2 zero */
};

struct weir_peer {
	struct weir_addr addr; /* an address of another weir node; all zero = unused */
	__u8 mac[8];           /* its MAC, 6 used; all zero = not known */
};

struct weir_node {
	struct weir_port port[WEIR_PORTS_MAX];
	struct weir_peer peer[WEIR_PEERS_MAX];
	__u32 peers; /* how many of `peer` to look at */
	__u32 pad;
};

/* ---- counters: per-CPU arrays, only ever counting up ---- */

struct weir_count {
	__u64 packets;
	__u64 bytes; /* of IP packets as they came in: no Ethernet header, no padding */
};
/* service_counters[service], backend_counters[backend]: struct weir_count
 * reason_counters[enum weir_reason]: __u64 packets
 * action_counters[port index]: struct weir_actions */
struct weir_actions {
	__u64 packets[WEIR_ACTIONS]; /* by XDP action */
};

/* ---- the ledger: maps that no packet reads. With them a new agent finds out what the pinned maps mean. ---- */

struct weir_service_name {         /* `service_names` (mmapable array), by service index */
	char name[WEIR_NAME_MAX];  /* empty = index is free */
	__u64 digest;              /* of everything the slot table was built from; equal = need not be built again */
	__u64 slots_moved;         /* slots whose backend changed, ever */
	struct weir_count carried; /* counted in maps that this set replaced */
};

struct weir_backend_name { /* `backend_names` (mmapable array), by backend index */
	struct weir_addr addr;
	__u16 service; /* index */
	__u8 used;     /* 0 = index is free */
	__u8 role;     /* as the agent numbers it, with the time since when: shown again after a restart */
	__u32 pad;
	__u64 since_ns; /* wall clock */
	struct weir_count carried;
};

struct weir_set_info {       /* `set_info` (mmapable array, one element) */
	__u64 object_digest; /* of the object file whose program runs on this set; equal = need not be loaded again */
	__u64 reasons[WEIR_REASONS_MAX];             /* carried, as above */
	struct weir_actions actions[WEIR_PORTS_MAX]; /* carried */
	struct weir_flow_counts flows;               /* carried */
};

_Static_assert(sizeof(struct weir_listener) == 8, "layout");
_Static_assert(sizeof(struct weir_vip_bucket) == 8, "layout");
_Static_assert(sizeof(struct weir_vip) == 72, "layout");
_Static_assert(sizeof(union weir_service) == 8, "layout");
_Static_assert(sizeof(union weir_slot) == 8, "layout");
_Static_assert(sizeof(struct weir_way) == 64, "layout");
_Static_assert(sizeof(struct weir_backend) == 136, "layout");
_Static_assert(sizeof(struct weir_flow_key) == 40, "layout");
_Static_assert(sizeof(struct weir_opening) == 28, "layout");
_Static_assert(sizeof(struct weir_pin) == 20, "layout");
_Static_assert(WEIR_ELEMENT_OVERHEAD + sizeof(struct weir_flow_key) + sizeof(struct weir_opening) <= 128, "budget");
_Static_assert(WEIR_ELEMENT_OVERHEAD + sizeof(struct weir_flow_key) + sizeof(struct weir_pin) <= 128, "budget");
_Static_assert(sizeof(struct weir_port) == 16, "layout");
_Static_assert(sizeof(struct weir_peer) == 24, "layout");
_Static_assert(sizeof(struct weir_service_name) == 96, "layout");
_Static_assert(sizeof(struct weir_backend_name) == 48, "layout");

#endif
