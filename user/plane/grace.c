/* SPDX-License-Identifier: BSD-2-Clause */
/* Grace periods, by membarrier; where the kernel refuses that (nohz_full), by a pause far longer than a packet takes. */
#include "grace.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/loop.h"

enum { PAUSE_US = 20000 };

void grace_wait(struct grace *grace, uint64_t retired_ns)
{
	uint64_t now_ns;

	if (retired_ns == 0 || grace->began_ns > retired_ns)
		return;
	now_ns = loop_now_ns();
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(PAUSE_US);
	grace->began_ns = now_ns;
}
