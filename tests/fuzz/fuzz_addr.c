/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an address, alone or with a port. What is accepted must come back from its own text as the same address, and must be what inet_pton
 * makes of it; a port is text within what was given.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../../user/lib/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what) ((what) ? (void)0 : fail(#what))

static void fail(const char *what)
{
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* What the C library says: which it does of a text that ends in a 0. */
static bool reference(const char *text, size_t length, struct addr *addr)
{
	char *copy = strndup(text, length);
	uint8_t ip4[4];
	bool good;

	MUST(copy);
	memset(addr, 0, sizeof(*addr));
	good = inet_pton(AF_INET6, copy, addr->byte) == 1;
	if (!good && inet_pton(AF_INET, copy, ip4) == 1) {
		addr->byte[10] = addr->byte[11] = 0xff;
		memcpy(addr->byte + 12, ip4, sizeof(ip4));
		good = true;
	}
	good = good && strlen(copy) == length;
	free(copy);
	return good;
}

static void check_accepted(const struct addr *addr)
{
	char text[ADDR_TEXT], again_text[ADDR_TEXT];
	struct addr again;
	size_t length = strlen(addr_format(addr, text));

	MUST(length < sizeof(text));
	MUST(addr_parse(text, length, &again) == 0 && addr_compare(addr, &again) == 0);
	MUST(strcmp(addr_format(&again, again_text), text) == 0);
	MUST(addr_is_ip4(addr) == (addr_family(addr) == AF_INET) && addr_is_ip4(addr) == !strchr(text, ':'));
	addr_from_bytes(&again, addr_family(addr), addr_bytes(addr));
	MUST(addr_compare(addr, &again) == 0);
	MUST(!addr_is_unicast(addr) || !addr_is_none(addr));
}

static void check_with_port(const char *text, size_t length)
{
	struct addr addr, alone;
	const char *port;

	if (addr_parse_with_port(text, length, &addr, &port) < 0)
		return;
	check_accepted(&addr);
	MUST(!port || (port > text && port <= text + length && port[-1] == ':'));
	if (!port && length && text[0] != '[')
		MUST(addr_parse(text, length, &alone) == 0 && addr_compare(&addr, &alone) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1); /* of its exact size, so that reading past it is caught */
	struct addr addr, wanted;
	int err;

	MUST(text);
	memcpy(text, data, size);
	err = addr_parse(text, size, &addr);
	if (err == 0) {
		MUST(reference(text, size, &wanted) && addr_compare(&addr, &wanted) == 0);
		check_accepted(&addr);
	} else {
		MUST(size >= ADDR_TEXT || !reference(text, size, &wanted));
	}
	check_with_port(text, size);
	if (size >= 17) { /* and any 16 bytes are an address that has a text */
		memcpy(&addr, text, sizeof(addr));
		check_accepted(&addr);
	}
	free(text);
	return 0;
}
