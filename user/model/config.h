/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wanted state, as data: what the file and the runtime changes on top of it say. Nothing here knows indexes,
 * maps, health or time. Made by grammar.c (text -> config) and overlay.c (runtime changes), compared and applied by model.c.
 */
#ifndef WEIR_CONFIG_H
#define WEIR_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../include/weir/abi.h"
#include "../lib/addr.h"

enum xdp_mode { XDP_MODE_NATIVE, XDP_MODE_GENERIC, XDP_MODE_AUTO };

/* Where something is written, for messages. line 0: in no file, it came by a command. */
struct place {
	uint16_t file; /* index into config.file */
	uint16_t col;
	int line;
};

struct config_interface {
	char name[IFNAMSIZ];
	enum xdp_mode mode;
	struct place place;
};

struct config_limits {
	uint32_t services; /* default 256 */
	uint32_t backends; /* default 4096; at most 65535 */
	uint32_t vips;     /* default 4 x services */
	uint32_t slots;    /* of all services together; default 16384 x services; a multiple of 4096 */
	uint32_t openings; /* default 65536 */
	uint32_t pins;     /* default 262144 */
	struct place place;
};

struct config_listener {
	struct addr vip;
	uint8_t proto;        /* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t first, last; /* ports, host order; `any` = 0..65535 */
	struct place place;
};

/* How a backend stands by the operator's will; health is not the config's business. */
enum config_backend_state { BACKEND_ENABLED, BACKEND_DRAINING, BACKEND_DISABLED };

struct config_backend {
	struct addr addr;
	uint16_t weight; /* 0-1000, default 1; 0 = draining */
	enum config_backend_state state;
	bool fallback;
	bool runtime; /* differs from the file by a command */
	struct place place;
};

/* What becomes of the flows of a backend that checks find down. */
enum config_on_down { ON_DOWN_KEEP, ON_DOWN_RESET };

struct config_service {
	char name[WEIR_NAME_MAX];
	struct config_listener *listener;
	size_t listeners;
	enum weir_forward forward;   /* default dsr */
	enum weir_affinity affinity; /* default flow */
	uint32_t slots;              /* 4096, 16384 (default), 65536 */
	uint32_t learn_ms;           /* window of slots in transition; default 15 min, 1 s to 24 h */
	uint32_t learn_udp_ms;       /* the same for UDP; default 30 s, 1 s to 24 h */
	uint32_t drain_ms; /* longest time that a drained backend keeps its flows; 0 (default) = unlimited; to 30 d */
	uint32_t slow_start_ms;         /* 0 (default) = none; to 1 h */
	enum config_on_down on_down;    /* default keep */
	struct config_backend *backend; /* in the file's order, fallbacks among them */
	size_t backends;
	bool runtime; /* its own words differ from the file by a command */
	struct place place;
};

/* A backend, or a service (addr: none), that a command has removed: removing it once more is `already removed`, not `no such`. */
struct config_gone {
	char service[WEIR_NAME_MAX];
	struct addr addr;
};

enum { CONFIG_GONE = 16, CONFIG_SERVICES_MAX = 4096, CONFIG_BACKENDS_MAX = 4096 /* of one service */ };

struct config {
	char **file; /* what it was read from, the main file first */
	size_t files;
	char hash_seed[64]; /* default "weir" */
	struct place hash_seed_place;
	struct config_interface *interface;
	size_t interfaces;
	struct addr *peer; /* cluster { peer ... } */
	size_t peers;
	struct config_limits limits;
	char metrics_file[256]; /* empty = none */
	uint32_t metrics_every_ms;
	char write_group[32];           /* control { write group NAME; }, empty = root only */
	struct config_service *service; /* in the file's order */
	size_t services;
	struct config_gone gone[CONFIG_GONE]; /* the latest ones, a ring */
	unsigned int next_gone;
};

/* Empty, with the defaults of every word. */
void config_init(struct config *config);
void config_free(struct config *config);
/* Deep copy. 0 or -ENOMEM (then `to` is empty). */
int config_copy(struct config *to, const struct config *from);
struct config_service *config_service(const struct config *config, const char *name);
struct config_backend *config_backend(const struct config_service *service, const struct addr *addr);

/* Appending a copy. 0 or -ENOMEM. */
int config_add_service(struct config *config, const struct config_service *service);
int config_add_backend(struct config_service *service, const struct config_backend *backend);
int config_add_listener(struct config_service *service, const struct config_listener *listener);
void config_remove_service(struct config *config, const char *name);
void config_remove_backend(struct config_service *service, const struct addr *addr);
/* Empty, with the defaults of every word. */
void config_service_init(struct config_service *service);
void config_service_free(struct config_service *service);
int config_service_copy(struct config_service *to, const struct config_service *from);

/* Equal in meaning: places and runtime marks do not count. Own words: all but the backends. */
bool config_service_same_words(const struct config_service *a, const struct config_service *b);
bool config_backend_same(const struct config_backend *a, const struct config_backend *b);
/* Own words but the listeners: what `from` says. */
void config_service_take_words(struct config_service *to, const struct config_service *from);

/* Remembers a removed backend; was this one removed by a command? */
void config_add_gone(struct config *config, const char *service, const struct addr *addr);
bool config_is_gone(const struct config *config, const char *service, const struct addr *addr);

/* Takes flows as far as the operator's will goes: enabled, weight > 0, no fallback. */
bool config_backend_up(const struct config_backend *backend);

/* The rules that hold between objects: overlaps, addresses, sizes (config_check.c). 0, or -1 with an error added for each fault, at its place. */
struct errors;
int config_check(const struct config *config, struct errors *errors);
/* What is fixed while the program is loaded: limits, slots of a service, interfaces and their mode, hash-seed. Names word, place and the way (--takeover). */
int config_check_fixed(const struct config *running, const struct config *wanted, struct errors *errors);

#endif
