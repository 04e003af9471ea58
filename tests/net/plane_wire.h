/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames on the wires of plane_lab.h: sent through a packet socket, counted by an XDP program at the ends. */
#ifndef TEST_PLANE_WIRE_H
#define TEST_PLANE_WIRE_H

#include <stdint.h>

/* Sends `count` UDP frames of as many flows (source ports from `first_flow` on) from end number `wire` to vip:port. */
void wire_send(int wire, const char *vip, uint16_t port, uint32_t first_flow, uint32_t count);
/* Frames that have come back to an end since the last call; waits until all those sent have had the time. */
uint64_t wire_received(int wire);
/* A process that sends to 192.0.2.10:80 without a pause, and counts. */
void wire_load_start(void);
/* Stops it: how many it sent and how many came back. */
void wire_load_stop(uint64_t *sent, uint64_t *received);
/* Ends one that a failed test has left. */
void wire_load_end(void);

void wire_open(void);
/* Counts (and drops) what comes to this end: c0, c1 or c2. */
void wire_count(const char *end);
/* A program that passes everything, for who needs a foreign one. Its descriptor. */
int wire_program(void);
void wire_ignore(const char *line);

#endif
