/* SPDX-License-Identifier: BSD-2-Clause */
/* One interface and its XDP link: made, looked at; refusals in words that name what is in the way. */
#ifndef WEIR_LINK_H
#define WEIR_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/error.h"
#include "../model/config.h"

/* Refuses an interface that is not there, and one that runs a program already, by whomever. 0 or -1. */
int link_check(const char *name, uint32_t ifindex, struct error *error);
/* Makes a link by the mode asked for; `taken` gets what `auto` came to. The descriptor, or -1 with error filled. */
int link_create(const char *name, uint32_t ifindex, int program, enum xdp_mode asked, enum xdp_mode *taken,
		struct error *error);
/* True if this network namespace's interface runs the program; how gets the mode. */
bool link_is_here(uint32_t ifindex, uint32_t program_id, enum xdp_mode *mode);
const char *link_mode_word(enum xdp_mode mode);

/* All zero if it has none. 0 or -errno. */
int link_mac(const char *name, uint8_t mac[6]);

#endif
