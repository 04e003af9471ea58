/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that `weir decap` puts on an interface, as the kernel has it. It is known by its name and its maps' names: nothing
 * is pinned or kept anywhere else, so that an interface that goes takes all of it along, in whatever namespace it is.
 */
#ifndef WEIR_CLI_DECAP_PROGRAM_H
#define WEIR_CLI_DECAP_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/error.h"

struct decap_program {
	bool ours; /* else something else runs there, or nothing */
	bool generic;
	uint32_t id; /* 0: nothing runs there */
	char name[16], tag[17];
	int program, addrs, counters; /* descriptors, -1 where it is not ours */
};

/* What runs on the interface. 0, or -1 with error filled; decap_program_close in both cases. */
int decap_program_find(const char *interface, uint32_t ifindex, struct decap_program *found, struct error *error);
void decap_program_close(struct decap_program *found);
/* Whether it is the same code as this one. */
bool decap_program_is(const struct decap_program *found, int program);
/* Attaches; instead of `found` if that is ours. 0, or -1 with error filled. */
int decap_program_attach(const char *interface, uint32_t ifindex, int program, bool generic,
			 const struct decap_program *found, struct error *error);
int decap_program_detach(const char *interface, uint32_t ifindex, const struct decap_program *found,
			 struct error *error);

#endif
