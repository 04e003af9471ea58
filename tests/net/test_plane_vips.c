/* SPDX-License-Identifier: BSD-2-Clause */
/* VIPs that share a bucket: put in, taken out and changed at every place of the chain, read back as packets read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "../../include/weir/hash.h"
#include "plane_lab.h"
#include "plane_maps.h"

static struct lab_agent agent;

#define HEAD "interface e0 { xdp native; } limits { services 8; backends 64; vips 16; }\n"

static int clean(void **state)
{
	(void)state;
	if (agent.plane)
		lab_agent_stop(&agent);
	return 0;
}

enum { CHAIN = 7 };

static char chain[CHAIN][ADDR_TEXT]; /* addresses that all fall into the first one's bucket */

static void find_chain(void)
{
	struct weir_addr words;
	uint32_t bucket = 0;

	for (uint32_t host = 0, found = 0; found < CHAIN; host++) {
		char text[ADDR_TEXT];
		struct addr addr;

		sprintf(text, "203.%u.%u.%u", host >> 16 & 0x3f, host >> 8 & 0xff, host & 0xff);
		addr = maps_address(text);
		memcpy(&words, &addr, sizeof(words));
		if (!found)
			bucket = weir_addr_bucket(&words);
		if (weir_addr_bucket(&words) == bucket)
			strcpy(chain[found++], text);
	}
}

/* A service on those of the addresses whose bits are set, at `port`; all of it is looked up in the maps. */
static void apply_chain(uint32_t set, uint16_t port)
{
	char config[1024] = HEAD "service web { backend 10.0.0.1; slots 4096;";
	struct weir_vip vip;

	for (uint32_t i = 0; i < CHAIN; i++)
		if (set >> i & 1)
			sprintf(config + strlen(config), " listen %s udp %u;", chain[i], port);
	strcat(config, " }");
	maps_apply(&agent, config);
	assert_int_equal(plane_map_entries(agent.plane, "vips"), __builtin_popcount(set));
	for (uint32_t i = 0; i < CHAIN; i++) {
		assert_int_equal(maps_read_vip(chain[i], &vip), set >> i & 1 ? 0 : -ENOENT);
		assert_true(!(set >> i & 1) || (vip.listeners == 1 && vip.listener[0].first == port));
	}
}

static void one_bucket(void **state)
{
	static const uint32_t set[] = {0x7f, 0x01, 0x7f, 0x3e, 0x40, 0x55, 0x2a, 0x7f, 0x77, 0x7f};

	(void)state;
	find_chain();
	maps_start(&agent, HEAD "service web { listen 192.0.2.10 udp 80; backend 10.0.0.1; slots 4096; }");
	for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++)
		apply_chain(set[i], (uint16_t)(80 + i / 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_bucket, lab_cmocka_reset, clean),
	};
	int failed;

	lab_up();
	failed = cmocka_run_group_tests_name("plane: vips", tests, NULL, NULL);
	lab_reset();
	return failed;
}
