/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state directory: a lock against a second agent, and runtime.conf, the changes by command. (The events are in
 * events.c.)
 */
#ifndef WEIR_STATE_H
#define WEIR_STATE_H

#include "agent.h"

/* Makes the directory and takes its lock; lock_fd >= 0: it was handed over. Refuses with path and pid. 0 or -1. */
int state_open(struct agent *agent, int lock_fd, struct error *error);
void state_close(struct agent *agent);
/*
 * runtime.conf -> overlay; none is an empty one. What cannot be read is an error: changes would be lost by going on.
 * 0 or -1.
 */
int state_load(const struct agent *agent, struct overlay *overlay, struct error *error);
/* overlay -> runtime.conf, whole or not at all. 0 or -1. */
int state_save(const struct agent *agent, const struct overlay *overlay, struct error *error);

#endif
