/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting until no packet can still be looking at what was taken out of the maps. A packet's program runs within one RCU
 * read section; membarrier(MEMBARRIER_CMD_GLOBAL) is the system call that waits until all that had begun are over.
 */
#ifndef WEIR_GRACE_H
#define WEIR_GRACE_H

#include <stdint.h>

struct grace {
	uint64_t began_ns; /* start of the latest grace period; CLOCK_MONOTONIC */
};

/*
 * Returns when nobody sees any more what was taken out at retired_ns (loop_now_ns(), read after the store; 0 = nothing
 * was). A grace period that began later has done for it, so that a burst of changes waits once.
 */
void grace_wait(struct grace *grace, uint64_t retired_ns);

#endif
