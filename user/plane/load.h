/* SPDX-License-Identifier: BSD-2-Clause */
/* The pins of the program that plane_load has made or found, for those who make it the one in force. */
#ifndef WEIR_LOAD_H
#define WEIR_LOAD_H

#include "state.h"

/* Path of a pin in the plane's set. 0 or -ENAMETOOLONG. */
int load_pin_path(const struct plane *plane, const char *name, char *path);
/* `prog-new`, which the links run now, becomes `prog`, and `digest` speaks of it. 0 or -errno. */
int load_settle_program(struct plane *plane, uint64_t digest);

#endif
