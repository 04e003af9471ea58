/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of one backend that take time. The agent answers them at once; these then ask it again and again how far it is,
 * say what is true, and come back with 0, or with 5 when they have waited in vain.
 *
 *   wait_drain   until no new flows go to the backend; with --wait until it has none left (drained)
 *   wait_remove  the same; with --wait until it is gone. With --force it goes at once
 *   wait_up      not at all; with --wait until it is up, a fallback in use or on standby
 *   wait_off     not at all; with --wait until it gets nothing
 */
#ifndef WEIR_CLI_WAIT_H
#define WEIR_CLI_WAIT_H

#include "command.h"

int wait_drain(const struct call *call);
int wait_remove(const struct call *call);
int wait_up(const struct call *call);
int wait_off(const struct call *call);

#endif
