/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the statements of a block by a table of rules: which words may stand where, with how many arguments, how often.
 * What a word means is its setter's business (schema.c); the faults of form are found here, for all words alike.
 */
#ifndef WEIR_BLOCK_H
#define WEIR_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/error.h"
#include "../lib/words.h"
#include "config.h"

enum block_where { /* bits */
		   IN_FILE = 1 << 0,
		   IN_NODE = 1 << 1,
		   IN_INTERFACE = 1 << 2,
		   IN_CLUSTER = 1 << 3,
		   IN_CONTROL = 1 << 4,
		   IN_LIMITS = 1 << 5,
		   IN_METRICS = 1 << 6,
		   IN_SERVICE = 1 << 7,
		   IN_DEFAULTS = 1 << 8,
		   IN_SERVICE_SET = 1 << 9, /* `service set`: the service's own words, no backends */
		   IN_BACKEND = 1 << 10,
		   IN_BACKEND_ADD = 1 << 11, /* `backend add`: as in the block of a backend, and `fallback` */
		   IN_CHANGE = 1 << 12,      /* of the runtime state, see overlay_text.c */
};

enum block_form { BLOCK_NONE, BLOCK_ALLOWED, BLOCK_NEEDED };

struct reading;

struct block_rule {
	const char *word;
	unsigned int where; /* enum block_where bits */
	const char *usage;  /* for messages */
	size_t least, most; /* arguments */
	enum block_form block;
	bool repeats;                                                      /* may stand several times in one block */
	void (*set)(struct reading *r, const struct statement *statement); /* NULL: known, but not supported yet */
};

enum { BLOCK_RULES_MAX = 64 };

/* What is being read, and into what. */
struct reading {
	const struct block_rule *rule;
	size_t rules;
	struct errors *errors;
	const char *file; /* where the statement stands; NULL = in no file */
	uint16_t file_index;
	bool torn;                      /* the scanner found faults: what seems to be missing may be there */
	struct config *config;          /* NULL for a command */
	struct config_service defaults; /* what a service has that says nothing */
	struct config_service *service; /* the one being read */
	struct config_backend *backend;
	struct config_interface *interface;
};

/* Which words have been met in a block: by rule. All zero at its beginning. */
struct block_seen {
	struct place first[BLOCK_RULES_MAX];
};

/* Reads all statements of a block. */
void block_read(struct reading *r, const struct statement *first, enum block_where where);
/* Reads one, where a block's statements do not come as one list. */
void block_read_statement(struct reading *r, const struct statement *statement, enum block_where where,
			  struct block_seen *seen);

/* A fault at a word. Returns -1. */
#define block_fault(r, word, ...) \
	errors_add((r)->errors, (r)->file, (word)->line, (word)->col, ERROR_USAGE, __VA_ARGS__)
/* A word or value that interface and grammar know but this version does not have. */
int block_not_supported(const struct reading *r, const struct word *word);
struct place block_place(const struct reading *r, const struct word *word);
/* ` (did you mean "listen"?)` or nothing. */
struct block_hint {
	char text[96];
};
struct block_hint block_hint(const struct word *word, const char *const *candidate, size_t candidates);

#endif
