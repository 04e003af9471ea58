/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints what the next-hop room says, one line an event, for nexthop.bats:
 *
 *   nexthop_watch [--driver INTERFACE] [--first ADDR --count N] [ADDR...]
 *
 *   way ADDR STATE DEVICE PORT gw GATEWAY src SOURCE mac MAC from MAC mtu MTU tags N: words for people
 *   link NAME up|down mac MAC mtu MTU        link NAME gone
 *   own ADDR...
 *
 * Lines that come at the start are of what is known then; "ready" follows them. SIGTERM ends it with a line
 * "end cpu MS lag MS": time on the CPU since "ready", longest lateness of the loop. --count watches N addresses from --first up;
 * --driver prints "driver NAME rxvlan on|off" of an interface.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../user/lib/ethtool.h"
#include "../../user/lib/log.h"
#include "../../user/net/nexthop.h"

static struct nexthops *nexthops;
static struct loop *loop;

static const char *text_of(const struct addr *addr, char *text)
{
	return addr_is_none(addr) ? "-" : addr_format(addr, text);
}

static void print_way(void *arg, const struct addr *addr, const struct nexthop *way)
{
	static const char *const words[] = {"unresolved", "resolved", "local", "no-route", "down"};
	char own[ADDR_TEXT], gateway[ADDR_TEXT], source[ADDR_TEXT], mac[MAC_TEXT], from[MAC_TEXT],
		words_for_people[200];
	struct nexthop_link port = {.name = "-"};

	(void)arg;
	nexthops_link_by_index(nexthops, way->ifindex, &port);
	printf("way %s %s %s %s gw %s src %s mac %s from %s mtu %u tags %u: %s\n", addr_format(addr, own),
	       words[way->state], way->device[0] ? way->device : "-", port.name, text_of(&way->gateway, gateway),
	       text_of(&way->source, source), mac_format(way->mac, mac), mac_format(way->source_mac, from), way->mtu,
	       way->tags, nexthop_describe(way, words_for_people, sizeof(words_for_people)));
}

static void print_link(void *arg, const struct nexthop_link *link, bool gone)
{
	char mac[MAC_TEXT];

	(void)arg;
	if (gone)
		printf("link %s gone\n", link->name);
	else
		printf("link %s %s mac %s mtu %u\n", link->name, link->up ? "up" : "down", mac_format(link->mac, mac),
		       link->mtu);
}

static bool print_own_one(void *arg, const struct addr *addr)
{
	char text[ADDR_TEXT];

	(void)arg;
	printf(" %s", addr_format(addr, text));
	return true;
}

static void print_own(void *arg)
{
	printf("own");
	nexthops_own_addresses(nexthops, print_own_one, arg);
	printf("\n");
}

static void watch(const struct addr *addr, bool quiet)
{
	struct nexthop way;

	if (nexthops_watch(nexthops, addr, &way)) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	if (!quiet)
		print_way(NULL, addr, &way);
}

static void watch_many(struct addr addr, unsigned long count)
{
	while (count--) {
		watch(&addr, true);
		for (int i = 15; i >= 0 && ++addr.byte[i] == 0; i--)
			;
	}
}

static void stop(int signo, void *arg)
{
	(void)signo;
	(void)arg;
	loop_stop(loop);
}

static unsigned long cpu_ms(void)
{
	return (unsigned long)clock() / (CLOCKS_PER_SEC / 1000);
}

static void parse(const char *text, struct addr *addr)
{
	if (addr_parse(text, strlen(text), addr)) {
		fprintf(stderr, "%s: no address\n", text);
		exit(2);
	}
}

static void print_driver(const char *interface)
{
	char driver[32];
	bool on;
	int err = ethtool_driver(interface, driver, sizeof(driver));

	if (!err)
		err = ethtool_rxvlan(interface, &on);
	if (err)
		printf("driver %s: %s\n", interface, strerror(-err));
	else
		printf("driver %s rxvlan %s\n", driver, on ? "on" : "off");
}

int main(int argc, char **argv)
{
	const struct nexthops_callbacks callbacks = {NULL, print_way, print_link, print_own};
	struct error error = {0};
	struct addr first = {0};
	unsigned long from_ms;

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_level(LOG_LEVEL_DEBUG);
	loop = loop_new();
	nexthops = loop ? nexthops_new(loop, &callbacks, &error) : NULL;
	if (!nexthops || loop_signal(loop, SIGTERM, stop, NULL)) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--first") == 0 && i + 3 < argc) {
			parse(argv[i + 1], &first);
			watch_many(first, strtoul(argv[i + 3], NULL, 10));
			i += 3;
			continue;
		}
		if (strcmp(argv[i], "--driver") == 0 && i + 1 < argc) {
			print_driver(argv[++i]);
			continue;
		}
		parse(argv[i], &first);
		watch(&first, false);
	}
	print_own(NULL);
	from_ms = cpu_ms();
	loop_lag_ns(loop);
	printf("ready start-cpu %lu\n", from_ms);
	if (loop_run(loop))
		return 1;
	printf("end cpu %lu lag %lu\n", cpu_ms() - from_ms, (unsigned long)(loop_lag_ns(loop) / 1000000));
	nexthops_free(nexthops);
	loop_free(loop);
	return 0;
}
