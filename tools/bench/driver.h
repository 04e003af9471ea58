/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* What packets.c tells driver.bpf.c, and hears from it. */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <linux/types.h>

enum {
	DRIVER_WORDS = 10,   /* of 8 bytes at the frame's start that are written again each time: all of it */
	DRIVER_VERDICTS = 8, /* XDP actions, and: */
	DRIVER_FAILED = 7,   /* the driver itself could not go on */
};

struct driver {
	__u64 word[DRIVER_WORDS]; /* the frame's start; source and checksum are those of flow 0 */
	__u32 length;             /* of the frame */
	__u32 flows, flow;        /* how many; the next one */
	__u32 ip6;
	__u32 sum; /* of the IPv4 header's words in host order, checksum and lower half of the source left out; < 0x10000 */
	__u32 pad;
	__u64 verdicts[DRIVER_VERDICTS];
};

#endif
