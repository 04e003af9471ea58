/* SPDX-License-Identifier: BSD-2-Clause */
/* The one way by which a wanted configuration comes into force. */
#ifndef WEIR_APPLY_H
#define WEIR_APPLY_H

#include "agent.h"

/* Makes `wanted` the effective state: 0, and it is taken (left empty); or -1, and nothing has changed. */
int apply_config(struct agent *agent, struct config *wanted, struct error *error);
/*
 * The same for a change by command: `overlay` (taken on success) is what runtime.conf then holds. It is written
 * first, so that nothing is in force that a restart would forget.
 */
int apply_change(struct agent *agent, struct overlay *overlay, struct config *wanted, struct error *error);
/* 0 or -ENOMEM. */
int apply_copy_overlay(const struct overlay *from, struct overlay *to);

#endif
