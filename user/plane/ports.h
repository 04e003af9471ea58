/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of ports: who is in it, at which position. Attaching them is attach.c's. */
#ifndef WEIR_PORTS_H
#define WEIR_PORTS_H

#include "state.h"

/* NULL if there is none of this name. */
struct port *ports_find(struct plane *plane, const char *name);
/* Marks the interface wanted; one that is not there yet gets a position. 0 or -1. */
int ports_want(struct plane *plane, const struct config_interface *interface, struct error *error);
/* Writes the port's index and MAC to the map `node`. */
void ports_write(struct plane *plane, const struct port *port);
void ports_problem(struct port *port, const char *text);
/* Closes the link's descriptor; the place is free. */
void ports_forget(struct port *port);
void ports_close(struct plane *plane);

#endif
