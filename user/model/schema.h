/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of the configuration, one table for the file, the command line and the state of runtime changes: see interface.md and weir.conf(5).
 * grammar.c reads whole files by it (IN_FILE); command.c and overlay_text.c single blocks.
 */
#ifndef WEIR_SCHEMA_H
#define WEIR_SCHEMA_H

#include "block.h"

/* A reading by this table. config may be NULL where no word of IN_FILE is read. */
void schema_begin(struct reading *r, struct config *config, struct errors *errors);
/* The address of a backend; says why a port is wrong there. */
int schema_backend_address(struct reading *r, const struct word *word, struct addr *addr);

#endif
