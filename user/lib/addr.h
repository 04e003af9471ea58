/* SPDX-License-Identifier: BSD-2-Clause */
/* IP addresses: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. All-zero is "none". */
#ifndef WEIR_ADDR_H
#define WEIR_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr {
	uint8_t byte[16];
};

enum { ADDR_TEXT = 46, MAC_TEXT = 18 };

/* Parses IPv4 (four decimal numbers, no leading zeros) or IPv6 in any spelling of RFC 4291, no zone. 0 or -EINVAL. */
int addr_parse(const char *text, size_t length, struct addr *addr);
/* The same, but `A:PORT` and `[A6]:PORT` too (and `[A6]`): *port = the text behind the colon, NULL when there is none. 0 or -EINVAL. */
int addr_parse_with_port(const char *text, size_t length, struct addr *addr, const char **port);
/* Prints as RFC 5952 has it into text[ADDR_TEXT]; returns text. */
const char *addr_format(const struct addr *addr, char *text);
bool addr_is_ip4(const struct addr *addr);
bool addr_is_none(const struct addr *addr);
/* Usable as a VIP or a backend: not none, unspecified, loopback, multicast, broadcast or IPv6 link local. */
bool addr_is_unicast(const struct addr *addr);
/* <0, 0, >0 by unsigned bytes. */
int addr_compare(const struct addr *a, const struct addr *b);
/* From and to the bytes of netlink attributes: family AF_INET (4 bytes) or AF_INET6 (16). */
void addr_from_bytes(struct addr *addr, int family, const void *bytes);
int addr_family(const struct addr *addr);
const void *addr_bytes(const struct addr *addr);
const char *mac_format(const uint8_t mac[6], char *text);

#endif
