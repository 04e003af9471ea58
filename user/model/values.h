/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single words -> values, all of the word or nothing: no number with a tail, no time without a unit. `what` names the value in faults
 * (`weight 1001: out of range, 0-1000`), which go where the reading's faults go. All return 0 or -1.
 */
#ifndef WEIR_VALUES_H
#define WEIR_VALUES_H

#include "block.h"

/* The words of the enums in abi.h and config.h, for value_choice and for printing. */
extern const char *const value_forward[2];
extern const char *const value_affinity[3];
extern const char *const value_xdp[3];
extern const char *const value_on_down[2];

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };

int value_number(struct reading *r, const struct word *word, const char *what, uint32_t least, uint32_t most,
		 uint32_t *out);
/* Milliseconds; 10ms 2s 5m 1h. */
int value_time(struct reading *r, const struct word *word, const char *what, uint32_t least_ms, uint32_t most_ms,
	       uint32_t *out_ms);
/* The same, or a word that stands for none: 0. */
int value_time_or(struct reading *r, const struct word *word, const char *what, const char *none, uint32_t least_ms,
		  uint32_t most_ms, uint32_t *out_ms);
struct value_time_text {
	char text[16];
};
/* As it is read: by the largest unit that gives a whole number. */
struct value_time_text value_time_text(uint32_t ms);
/* One of some words: its position. */
int value_choice(struct reading *r, const struct word *word, const char *what, const char *const *choice,
		 size_t choices, size_t *out);
/* [A-Za-z0-9._-]{1,size-1} */
int value_name(struct reading *r, const struct word *word, const char *what, char *out, size_t size);
/* Any text of 1 to size-1 bytes without a 0 byte. */
int value_text(struct reading *r, const struct word *word, const char *what, char *out, size_t size);
/* An address that a VIP, a backend or a peer can have: of one machine. */
int value_unicast(struct reading *r, const struct word *word, const char *what, const struct addr *addr);
int value_address(struct reading *r, const struct word *word, const char *what, struct addr *out);
/* 80, 8000-8099, any; `text` is the word or its tail. */
int value_ports(struct reading *r, const struct word *word, const char *text, uint16_t *first, uint16_t *last);
/* The name of a network interface into name[IFNAMSIZ]. */
int value_interface(struct reading *r, const struct word *word, char *name);

#endif
