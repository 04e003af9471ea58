/* SPDX-License-Identifier: BSD-2-Clause */
/* IP addresses from text and netlink, to text. IPv4 written as ::ffff:a.b.c.d is the same address as a.b.c.d. */
#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t ip4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

int addr_parse(const char *text, size_t length, struct addr *addr)
{
	char copy[ADDR_TEXT];
	uint8_t ip4[4];

	memset(addr, 0, sizeof(*addr));
	if (length == 0 || length >= sizeof(copy) || memchr(text, 0, length))
		return -EINVAL;
	memcpy(copy, text, length);
	copy[length] = 0;
	/* inet_pton takes four decimal numbers and no leading zeros, other than inet_aton. */
	if (inet_pton(AF_INET, copy, ip4) == 1) {
		addr_from_bytes(addr, AF_INET, ip4);
		return 0;
	}
	if (inet_pton(AF_INET6, copy, addr->byte) == 1)
		return 0;
	memset(addr, 0, sizeof(*addr));
	return -EINVAL;
}

int addr_parse_with_port(const char *text, size_t length, struct addr *addr, const char **port)
{
	const char *colon = memrchr(text, ':', length), *end = text + length, *bracket = NULL;

	*port = NULL;
	if (length && text[0] == '[') {
		bracket = memchr(text, ']', length);
		if (!bracket || (bracket + 1 != end && bracket[1] != ':'))
			return -EINVAL;
		if (bracket + 1 != end)
			*port = bracket + 2;
		if (addr_parse(text + 1, (size_t)(bracket - text) - 1, addr) < 0 ||
		    !memchr(text, ':', (size_t)(bracket - text)))
			return -EINVAL;
		return 0;
	}
	/* One colon: IPv4 and a port; none or several: an address alone. */
	if (!colon || memchr(text, ':', (size_t)(colon - text)))
		return addr_parse(text, length, addr);
	*port = colon + 1;
	return addr_parse(text, (size_t)(colon - text), addr);
}

/* Longest run of zero groups, two or more, the first of equals (RFC 5952 section 4.2). Returns its length. */
static unsigned int longest_zeros(const uint16_t group[8], unsigned int *first)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i < 8;) {
		unsigned int run = 0;

		while (i + run < 8 && group[i + run] == 0)
			run++;
		if (run > best) {
			best = run;
			*first = i;
		}
		i += run ? run : 1;
	}
	return best > 1 ? best : 0;
}

const char *addr_format(const struct addr *addr, char *text)
{
	uint16_t group[8];
	unsigned int first = 0, run, used = 0;

	if (addr_is_ip4(addr)) {
		const uint8_t *ip4 = addr->byte + 12;

		snprintf(text, ADDR_TEXT, "%u.%u.%u.%u", ip4[0], ip4[1], ip4[2], ip4[3]);
		return text;
	}
	for (unsigned int i = 0; i < 8; i++)
		group[i] = (uint16_t)(addr->byte[2 * i] << 8 | addr->byte[2 * i + 1]);
	run = longest_zeros(group, &first);
	text[0] = 0;
	for (unsigned int i = 0; i < 8; i++) {
		const char *colon = i > 0 && !(run && i == first + run) ? ":" : "";

		if (run && i == first) {
			used += (unsigned int)snprintf(text + used, ADDR_TEXT - used, "::");
			i += run - 1;
			continue;
		}
		used += (unsigned int)snprintf(text + used, ADDR_TEXT - used, "%s%x", colon, group[i]);
	}
	return text;
}

bool addr_is_ip4(const struct addr *addr)
{
	return memcmp(addr->byte, ip4_prefix, sizeof(ip4_prefix)) == 0;
}

bool addr_is_none(const struct addr *addr)
{
	static const struct addr none;

	return memcmp(addr, &none, sizeof(none)) == 0;
}

bool addr_is_unicast(const struct addr *addr)
{
	static const struct addr loopback = {.byte = {[15] = 1}};
	const uint8_t *byte = addr->byte;

	if (addr_is_ip4(addr)) {
		uint8_t top = byte[12];

		/* "this network", loopback, multicast, broadcast */
		return top != 0 && top != 127 && (top & 0xf0) != 0xe0 && memcmp(byte + 12, "\xff\xff\xff\xff", 4) != 0;
	}
	if (addr_is_none(addr) || addr_compare(addr, &loopback) == 0)
		return false;
	return byte[0] != 0xff && !(byte[0] == 0xfe && (byte[1] & 0xc0) == 0x80);
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte));
}

void addr_from_bytes(struct addr *addr, int family, const void *bytes)
{
	if (family == AF_INET6) {
		memcpy(addr->byte, bytes, sizeof(addr->byte));
		return;
	}
	memcpy(addr->byte, ip4_prefix, sizeof(ip4_prefix));
	memcpy(addr->byte + sizeof(ip4_prefix), bytes, 4);
}

int addr_family(const struct addr *addr)
{
	return addr_is_ip4(addr) ? AF_INET : AF_INET6;
}

const void *addr_bytes(const struct addr *addr)
{
	return addr_is_ip4(addr) ? addr->byte + 12 : addr->byte;
}

const char *mac_format(const uint8_t mac[6], char *text)
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return text;
}
