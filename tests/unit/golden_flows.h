/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows and the bits that their hash has on every build and CPU. In: nothing. Out: a table, for the tests of both compilations. Include cmocka.h first. */
#ifndef WEIR_TESTS_GOLDEN_FLOWS_H
#define WEIR_TESTS_GOLDEN_FLOWS_H

#include <stdint.h>
#include <string.h>

#include "../../include/weir/abi.h"
#include "../../user/lib/addr.h"

struct golden_flow {
	const char *src, *dst;
	uint16_t sport, dport;
	uint8_t proto;
	uint64_t hash;
};

static const struct golden_flow golden[] = {
	{"192.0.2.1", "198.51.100.1", 1024, 80, 6, 0xb5e1ddb660e7fb79ULL},
	{"192.0.2.1", "198.51.100.1", 1024, 80, 17, 0xd25ed6c3e3b06c0aULL},
	{"192.0.2.1", "198.51.100.1", 80, 1024, 6, 0x26d8e9085148ec58ULL},
	{"198.51.100.1", "192.0.2.1", 1024, 80, 6, 0xcbfb94bfd798e80eULL},
	{"2001:db8::1", "2001:db8:1::1", 1024, 443, 6, 0xddf0a2e71c9d70feULL},
	{"2001:db8::1", "198.51.100.1", 65535, 65535, 17, 0x9eb1bb161e5c3afbULL},
	{"0.0.0.0", "::", 0, 0, 0, 0x39535efb2747e1c5ULL},
};

static inline struct weir_addr golden_address(const char *text)
{
	struct weir_addr words;
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	memcpy(&words, &addr, sizeof(words));
	return words;
}

#endif
