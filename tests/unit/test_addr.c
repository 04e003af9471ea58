/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses from text and back: what is taken, what is not, RFC 5952, what can be a VIP or a backend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/lib/addr.h"

static void spelling_and_print(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{"10.0.0.11", "10.0.0.11"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"::", "::"},
		{"::1", "::1"},
		{"2001:db8::1", "2001:db8::1"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"1::", "1::"},
		{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
		{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
		{"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::FFFF:C000:0201", "192.0.2.1"},
		{"fe80::AbCd", "fe80::abcd"},
	};
	char text[ADDR_TEXT];
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(addr_parse(row[i].in, strlen(row[i].in), &addr), 0);
		assert_string_equal(addr_format(&addr, text), row[i].out);
	}
}

static void what_is_no_address(void **state)
{
	static const char *const row[] = {
		"",
		" ",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.04",
		"1.2.3.4 ",
		"x",
		"1.2.3.x",
		"1.2.3.4/8",
		"1.2.3.4:80",
		":",
		":::",
		"1::2::3",
		"12345::",
		"fe80::1%eth0",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"[::1]",
		"g::1",
		"0x7f.1.1.1",
		"1.2.3.4\n",
		"::1.2.3",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_true(addr_parse(row[i], strlen(row[i]), &addr) < 0);
		assert_true(addr_is_none(&addr));
	}
	assert_true(addr_parse("1.2.3.4\0", 8, &addr) < 0);
}

/* The length is obeyed, not a closing 0. */
static void a_part_of_a_text(void **state)
{
	struct addr addr;
	char text[ADDR_TEXT];

	(void)state;
	assert_int_equal(addr_parse("10.0.0.119999", 9, &addr), 0);
	assert_string_equal(addr_format(&addr, text), "10.0.0.11");
}

static void with_port(void **state)
{
	static const struct {
		const char *in, *addr, *port; /* addr NULL: refused */
	} row[] = {
		{"10.0.0.1:80", "10.0.0.1", "80"},
		{"10.0.0.1", "10.0.0.1", NULL},
		{"10.0.0.1:", "10.0.0.1", ""},
		{"[2001:db8::1]:8000-8099", "2001:db8::1", "8000-8099"},
		{"[2001:db8::1]", "2001:db8::1", NULL},
		{"2001:db8::1", "2001:db8::1", NULL},
		{"::1", "::1", NULL},
		{"[10.0.0.1]:80", NULL, NULL},
		{"[2001:db8::1]80", NULL, NULL},
		{"[2001:db8::1", NULL, NULL},
		{"[]:80", NULL, NULL},
		{"[", NULL, NULL},
		{"", NULL, NULL},
		{":80", NULL, NULL},
		{"10.0.0.1:80:90", NULL, NULL},
	};
	char text[ADDR_TEXT];
	struct addr addr;
	const char *port;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int err = addr_parse_with_port(row[i].in, strlen(row[i].in), &addr, &port);

		assert_int_equal(err < 0, row[i].addr == NULL);
		if (err)
			continue;
		assert_string_equal(addr_format(&addr, text), row[i].addr);
		assert_int_equal(port == NULL, row[i].port == NULL);
		if (port)
			assert_string_equal(port, row[i].port);
	}
}

static void who_can_be_a_backend(void **state)
{
	static const struct {
		const char *text;
		bool unicast;
	} row[] = {
		{"10.0.0.1", true},
		{"192.0.2.255", true},
		{"223.255.255.255", true},
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"127.0.0.1", false},
		{"127.9.9.9", false},
		{"224.0.0.1", false},
		{"239.255.255.255", false},
		{"255.255.255.255", false},
		{"::", false},
		{"::1", false},
		{"::2", true},
		{"fe80::1", false},
		{"febf::1", false},
		{"fec0::1", true},
		{"ff02::1", false},
		{"fd00::1", true},
		{"2001:db8::1", true},
		{"::ffff:127.0.0.1", false},
	};
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(addr_parse(row[i].text, strlen(row[i].text), &addr), 0);
		assert_int_equal(addr_is_unicast(&addr), row[i].unicast);
	}
}

/* libc's own parser and printer of IPv6 as the judge, over random addresses with many zero groups. */
static void as_libc_has_it(void **state)
{
	unsigned int seed = 42;
	char text[ADDR_TEXT], theirs[INET6_ADDRSTRLEN];
	struct addr addr, back;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		for (size_t b = 0; b < 16; b++)
			addr.byte[b] = rand_r(&seed) % 3 ? 0 : (uint8_t)rand_r(&seed);
		addr_format(&addr, text);
		assert_int_equal(addr_parse(text, strlen(text), &back), 0);
		assert_memory_equal(&addr, &back, sizeof(addr));
		inet_ntop(AF_INET6, addr.byte, theirs, sizeof(theirs));
		if (!strchr(theirs, '.')) /* it prints ::1.2.3.4 where the RFC leaves the choice */
			assert_string_equal(text, theirs);
	}
}

static void family_and_bytes(void **state)
{
	static const uint8_t ip4[] = {192, 0, 2, 1}, ip6[16] = {0x20, 1, [15] = 9},
			     mac[] = {0, 0x1b, 0x21, 0xff, 0xa, 1};
	char text[MAC_TEXT];
	struct addr a, b;

	(void)state;
	addr_from_bytes(&a, AF_INET, ip4);
	addr_from_bytes(&b, AF_INET6, ip6);
	assert_int_equal(addr_family(&a), AF_INET);
	assert_int_equal(addr_family(&b), AF_INET6);
	assert_memory_equal(addr_bytes(&a), ip4, 4);
	assert_memory_equal(addr_bytes(&b), ip6, 16);
	assert_true(addr_compare(&a, &b) < 0 && addr_compare(&b, &a) > 0 && addr_compare(&a, &a) == 0);
	assert_string_equal(mac_format(mac, text), "00:1b:21:ff:0a:01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spelling_and_print),   cmocka_unit_test(what_is_no_address),
		cmocka_unit_test(a_part_of_a_text),     cmocka_unit_test(with_port),
		cmocka_unit_test(who_can_be_a_backend), cmocka_unit_test(as_libc_has_it),
		cmocka_unit_test(family_and_bytes),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
