/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* What flood.c tells flood.bpf.c to send, and hears back; one element of the map `floods`. */
#ifndef LAB_FLOOD_H
#define LAB_FLOOD_H

#include <linux/types.h>

enum {
	FLOOD_FRAME = 64, /* bytes: Ethernet, IPv4, TCP, and what is left is payload of no meaning */
	FLOOD_WORDS = FLOOD_FRAME / 8,
};

struct flood {
	__u64 word[FLOOD_WORDS]; /* the frame, all but what differs from one to the next; checksums 0 */
	__u32 source;            /* prefix, host order */
	__u32 mask;              /* of the bits that are drawn: 2^n - 1 */
	__u32 ip_sum, tcp_sum;   /* of the template, as 16-bit words in host order */
	__u32 seed;
	__u32 number; /* of the next packet */
};

#endif
