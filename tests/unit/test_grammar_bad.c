/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad configurations: the exact errors, at their places, all at once and in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

struct row {
	const char *text, *errors;
};

static void check(const struct row *row, size_t rows)
{
	for (size_t i = 0; i < rows; i++)
		assert_string_equal(conf_errors(row[i].text), row[i].errors);
}

#define CHECK(row) check(row, sizeof(row) / sizeof((row)[0]))

/* Within a service that is good otherwise: columns from 44 on. */
#define SERVICE(words) "service web { listen 192.0.2.10 tcp 80; " words " }"
#define NOT_YET(word)  "c:1:1: error: \"" word "\": not supported yet\n"

static void words_of_the_file(void **state)
{
	static const struct row row[] = {
		{"servce web { }", "c:1:1: error: unknown word \"servce\" (did you mean \"service\"?)\n"},
		{"bogus;",
		 "c:1:1: error: unknown word \"bogus\": known in the file itself are node, interface, cluster, "
		 "limits, control, metrics, include, defaults, service\n"},
		{"\"node\" { }",
		 "c:1:1: error: a word is needed here, not the string \"node\": known in the file itself are "
		 "node, interface, cluster, limits, control, metrics, include, defaults, service\n"},
		{"weight 5;",
		 "c:1:1: error: \"weight\" does not belong in the file itself: it belongs in \"backend\"\n"},
		{"node { hash-seed a; } node { }", "c:1:23: error: \"node\" is given twice, first at c:1:1\n"},
		{"node { hash-seed a; hash-seed b; }", "c:1:21: error: \"hash-seed\" is given twice, first at c:1:8\n"},
		{"node;", "c:1:1: error: \"node\" needs a block: node { hash-seed TEXT; }\n"},
		{"node { hash-seed; }", "c:1:8: error: \"hash-seed\" needs more words: hash-seed TEXT\n"},
		{"node { hash-seed \"\"; }",
		 "c:1:18: error: hash-seed \"\": must be a text of 1 to 63 bytes, none of them 0\n"},
		{"node { hash-seed \"a\\x00\"; }",
		 "c:1:18: error: hash-seed \"a\\x00\": must be a text of 1 to 63 bytes, none of them 0\n"},
		{"node { hash-seed a b; }", "c:1:20: error: unexpected \"b\": hash-seed TEXT\n"},
		{"node { hash-seed a { } }", "c:1:8: error: \"hash-seed\" has no block: hash-seed TEXT\n"},
		{"interface eth0 { xdp nativ; }",
		 "c:1:22: error: xdp \"nativ\": must be native, generic or auto (did you mean \"native\"?)\n"},
		{"interface eth0; interface eth0;",
		 "c:1:27: error: interface \"eth0\": is given twice, first at c:1:1\n"},
		{"interface a/b;",
		 "c:1:11: error: interface \"a/b\": not the name of an interface (1 to 15 characters, no / : or blank)\n"},
		{"interface abcdefghijklmnop;",
		 "c:1:11: error: interface \"abcdefghijklmnop\": not the name of an interface (1 to "
		 "15 characters, no / : or blank)\n"},
		{"cluster { peer 192.0.2.3; peer 192.0.2.3; }", "c:1:32: error: peer 192.0.2.3: is given twice\n"},
		{"cluster { peer ::1; }",
		 "c:1:16: error: peer ::1: must be an address of one machine (not loopback, multicast, "
		 "broadcast or link local)\n"},
		{"control { write grup x; }", "c:1:17: error: unexpected \"grup\": write group NAME\n"},
		{"control { write group \"a b\"; }",
		 "c:1:23: error: group \"a b\": a name has 1 to 31 letters, digits and . _ -\n"},
		{"metrics { file weir.prom; }", "c:1:16: error: file \"weir.prom\": must be an absolute path\n"},
		{"metrics { every 5; }", "c:1:17: error: every 5: a time needs a unit: 5ms, 5s, 5m or 5h\n"},
		{"metrics { every 5x; }", "c:1:17: error: every \"5x\": not a time such as 10ms, 2s, 5m or 1h\n"},
		{"metrics { every 5s1; }", "c:1:17: error: every \"5s1\": not a time such as 10ms, 2s, 5m or 1h\n"},
		{"metrics { every -5s; }", "c:1:17: error: every \"-5s\": not a time such as 10ms, 2s, 5m or 1h\n"},
		{"metrics { every \"5s\"; }", "c:1:17: error: every \"5s\": not a time such as 10ms, 2s, 5m or 1h\n"},
		{"metrics { every 999ms; }", "c:1:17: error: every 999ms: out of range, 1s-1h\n"},
		{"metrics { every 61m; }", "c:1:17: error: every 61m: out of range, 1s-1h\n"},
		{"metrics { every 99999999999999999999h; }",
		 "c:1:17: error: every 99999999999999999999h: out of range, 1s-1h\n"},
	};

	(void)state;
	CHECK(row);
}

static void limits(void **state)
{
	static const struct row row[] = {
		{"limits { services 0; }", "c:1:19: error: services 0: out of range, 1-4096\n"},
		{"limits { services 4097; }", "c:1:19: error: services 4097: out of range, 1-4096\n"},
		{"limits { backends 65536; }", "c:1:19: error: backends 65536: out of range, 1-65535\n"},
		{"limits { backends 99999999999999; }",
		 "c:1:19: error: backends 99999999999999: out of range, 1-65535\n"},
		{"limits { vips 1k; }", "c:1:15: error: vips \"1k\": not a number (1-65536)\n"},
		{"limits { vips 010; }", "c:1:15: error: vips \"010\": not a number (1-65536)\n"},
		{"limits { vips +1; }", "c:1:15: error: vips \"+1\": not a number (1-65536)\n"},
		{"limits { slots 5000; }", "c:1:16: error: slots 5000: must be a multiple of 4096\n"},
		{"limits { pins 1023; }", "c:1:15: error: pins 1023: out of range, 1024-16777216\n"},
		{"limits { pins 16777217; }", "c:1:15: error: pins 16777217: out of range, 1024-16777216\n"},
		{"limits { pins 256k; }", "c:1:15: error: pins \"256k\": not a number (1024-16777216)\n"},
		{"limits { pins; }", "c:1:10: error: \"pins\" needs more words: pins N\n"},
		{"limits { pins 4096; pins 4096; }", "c:1:21: error: \"pins\" is given twice, first at c:1:10\n"},
		{"limits { openings 0; }", "c:1:19: error: openings 0: out of range, 1024-16777216\n"},
		{"limits { openings 20000000; }", "c:1:19: error: openings 20000000: out of range, 1024-16777216\n"},
		{"limits { opening 4096; }", "c:1:10: error: unknown word \"opening\" (did you mean \"openings\"?)\n"},
		{"defaults { pins 4096; }",
		 "c:1:12: error: \"pins\" does not belong in \"defaults\": it belongs in \"limits\"\n"},
		{"limits { services 1; services 2; }", "c:1:22: error: \"services\" is given twice, first at c:1:10\n"},
		{"limits { services 1; }\nservice a { listen 192.0.2.1 tcp 80; }\nservice b { listen 192.0.2.2 tcp 80; }",
		 "c:1:1: error: limits: services 1 is less than the 2 that are configured\n"
		 "c:1:1: error: limits: slots 16384 is less than the 32768 that the services have together\n"},
		{"limits { services 1; vips 1; }\nservice a { listen 192.0.2.1 tcp 80; listen 192.0.2.2 tcp 80; }",
		 "c:1:1: error: limits: vips 1 is less than the 2 that are configured\n"},
		{"limits { backends 1; }\nservice a { listen 192.0.2.1 tcp 80; backend 10.0.0.1; backend 10.0.0.2; }",
		 "c:1:1: error: limits: backends 1 is less than the 2 that are configured\n"},
	};

	(void)state;
	CHECK(row);
}

static void names(void **state)
{
	static const struct row row[] = {
		{"service { }",
		 "c:1:1: error: \"service\" needs more words: service NAME { listen ADDR tcp|udp PORT...; backend "
		 "ADDR; ... }\n"},
		{"service web;",
		 "c:1:1: error: \"service\" needs a block: service NAME { listen ADDR tcp|udp PORT...; backend "
		 "ADDR; ... }\n"},
		{"service a b { }",
		 "c:1:11: error: unexpected \"b\": service NAME { listen ADDR tcp|udp PORT...; backend ADDR; "
		 "... }\n"},
		{"service a/b { listen 192.0.2.1 tcp 80; }",
		 "c:1:9: error: service \"a/b\": a name has 1 to 63 letters, digits and . _ -\n"},
		{"service \"\" { listen 192.0.2.1 tcp 80; }",
		 "c:1:9: error: service \"\": a name has 1 to 63 letters, digits and . _ -\n"},
		{"service aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa { listen 192.0.2.1 tcp 80; }",
		 "c:1:9: error: service \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": a name has 1 to "
		 "63 letters, digits and . _ -\n"},
		{"service a { listen 192.0.2.1 tcp 80; }\nservice a { listen 192.0.2.2 tcp 80; }",
		 "c:2:9: error: service \"a\": is given twice, first at c:1:1\n"},
		{"service a { }",
		 "c:1:1: error: service \"a\": has no listen: for which address, protocol and ports is it?\n"},
	};

	(void)state;
	CHECK(row);
}

static void listen_words(void **state)
{
	static const struct row row[] = {
		{SERVICE("lisen 192.0.2.10 tcp 81;"),
		 "c:1:41: error: unknown word \"lisen\" (did you mean \"listen\"?)\n"},
		{SERVICE("listen;"), "c:1:41: error: \"listen\" needs more words: listen ADDR tcp|udp PORT...\n"},
		{SERVICE("listen 192.0.2.10 tcp;"),
		 "c:1:41: error: \"listen\" needs more words: listen ADDR tcp|udp PORT...\n"},
		{SERVICE("listen tcp 81;"), "c:1:48: error: listen \"tcp\": not an IPv4 or IPv6 address\n"},
		{SERVICE("listen 192.0.2.300 tcp 81;"),
		 "c:1:48: error: listen \"192.0.2.300\": not an IPv4 or IPv6 address\n"},
		{SERVICE("listen 192.0.2.0/24 tcp 81;"),
		 "c:1:48: error: listen \"192.0.2.0/24\": not an IPv4 or IPv6 address (no prefix length belongs here)\n"},
		{SERVICE("listen 127.0.0.1 tcp 81;"),
		 "c:1:48: error: listen 127.0.0.1: must be an address of one machine (not "
		 "loopback, multicast, broadcast or link local)\n"},
		{SERVICE("listen [ff02::1]:81;"),
		 "c:1:48: error: listen ff02::1: must be an address of one machine (not "
		 "loopback, multicast, broadcast or link local)\n"},
		{SERVICE("listen 192.0.2.10 tpc 81;"),
		 "c:1:59: error: protocol \"tpc\": must be tcp or udp (did you mean \"tcp\"?)\n"},
		{SERVICE("listen 192.0.2.10 sctp 80x;"),
		 "c:1:59: error: protocol \"sctp\": must be tcp or udp\n"
		 "c:1:64: error: port \"80x\": must be 1-65535, a range such as 8000-8099, or any\n"},
		{SERVICE("listen 192.0.2.10 tcp 0 65536 8099-8000 -1 81- 0x50 8000-8099-1 081;"),
		 "c:1:63: error: port \"0\": must be 1-65535, a range such as 8000-8099, or any\n"
		 "c:1:65: error: port \"65536\": must be 1-65535, a range such as 8000-8099, or any\n"
		 "c:1:71: error: port \"8099-8000\": must be 1-65535, a range such as 8000-8099, or any\n"
		 "c:1:81: error: port \"-1\": must be 1-65535, a range such as 8000-8099, or any\n"
		 "c:1:84: error: port \"81-\": must be 1-65535, a range such as 8000-8099, or any\n"
		 "c:1:88: error: port \"0x50\": must be 1-65535, a range such as 8000-8099, or any\n"
		 "c:1:93: error: port \"8000-8099-1\": must be 1-65535, a range such as 8000-8099, or any\n"
		 "c:1:105: error: port \"081\": must be 1-65535, a range such as 8000-8099, or any\n"},
		{SERVICE("listen 192.0.2.10:81x;"),
		 "c:1:48: error: port \"81x\": must be 1-65535, a range such as 8000-8099, or any\n"},
		{SERVICE("listen 192.0.2.10: ;"),
		 "c:1:48: error: port \"\": must be 1-65535, a range such as 8000-8099, or any\n"},
		{SERVICE("listen 192.0.2.10:81 tcp 82;"),
		 "c:1:66: error: unexpected \"82\": listen ADDR:PORT [tcp|udp]\n"},
		{SERVICE("listen 192.0.2.10 tcp 81 { }"),
		 "c:1:41: error: \"listen\" has no block: listen ADDR tcp|udp PORT...\n"},
	};

	(void)state;
	CHECK(row);
}

static void overlaps(void **state)
{
	static const struct row row[] = {
		{SERVICE("listen 192.0.2.10 tcp 80;"),
		 "c:1:63: error: service \"web\": listen 192.0.2.10 tcp 80: overlaps 80 of service \"web\" (c:1:37)\n"},
		{SERVICE("listen 192.0.2.10:80;"),
		 "c:1:48: error: service \"web\": listen 192.0.2.10 tcp 80: overlaps 80 of service \"web\" (c:1:37)\n"},
		{SERVICE("listen 192.0.2.10 udp 1-10 10-20;"),
		 "c:1:68: error: service \"web\": listen 192.0.2.10 udp 10-20: overlaps 1-10 of service \"web\" (c:1:63)\n"},
		/* The one that stands later is at fault, whichever port comes first; the long one is remembered. */
		{SERVICE("listen 192.0.2.10 udp 500-600 1-1000 2-3 700-800;"),
		 "c:1:71: error: service \"web\": listen 192.0.2.10 udp 1-1000: overlaps 500-600 of service \"web\" (c:1:63)\n"
		 "c:1:78: error: service \"web\": listen 192.0.2.10 udp 2-3: overlaps 1-1000 of service \"web\" (c:1:71)\n"
		 "c:1:82: error: service \"web\": listen 192.0.2.10 udp 700-800: overlaps 1-1000 of service \"web\" (c:1:71)\n"},
		{SERVICE("listen ::ffff:192.0.2.10 tcp 80;"),
		 "c:1:70: error: service \"web\": listen 192.0.2.10 tcp 80: overlaps 80 of service \"web\" (c:1:37)\n"},
		{"service a { listen 2001:db8::1 udp any; }\nservice b { listen 2001:DB8:0::1 udp any; }",
		 "c:2:38: error: service \"b\": listen 2001:db8::1 udp any: overlaps any of service \"a\" (c:1:36)\n"},
	};

	(void)state;
	CHECK(row);
}

static void service_words(void **state)
{
	static const struct row row[] = {
		{SERVICE("forward nat;"), "c:1:49: error: forward \"nat\": must be dsr or ipip\n"},
		{SERVICE("forward ipi;"),
		 "c:1:49: error: forward \"ipi\": must be dsr or ipip (did you mean \"ipip\"?)\n"},
		{SERVICE("forward dsr; forward ipip;"), "c:1:54: error: \"forward\" is given twice, first at c:1:41\n"},
		{SERVICE("affinity \"flow\";"),
		 "c:1:50: error: affinity \"flow\": must be flow, client or none (did you mean "
		 "\"flow\"?)\n"},
		{SERVICE("slots 16383;"),
		 "c:1:47: error: slots \"16383\": must be 4096, 16384 or 65536 (did you mean \"16384\"?)\n"},
		{SERVICE("affinity client forward ipip;"),
		 "c:1:57: error: unexpected \"forward\": affinity flow|client|none (or is ; missing before it?)\n"},
		{"service web { listen 192.0.2.10 tcp 80\n affinity client\n forward ipip; backend 10.0.0.1; }",
		 "c:2:2: error: ; is missing after \"80\" in line 1\nc:3:2: error: ; is missing after \"client\" in line 2\n"},
		{SERVICE("service b { }"),
		 "c:1:41: error: \"service\" does not belong in \"service\": it belongs in the file itself\n"},
		{"defaults { listen 192.0.2.10 tcp 80; }",
		 "c:1:12: error: \"listen\" does not belong in \"defaults\": it belongs in \"service\"\n"},
		{"defaults { backend 10.0.0.1; }",
		 "c:1:12: error: \"backend\" does not belong in \"defaults\": it belongs in \"service\"\n"},
		{"defaults { } defaults { }", "c:1:14: error: \"defaults\" is given twice, first at c:1:1\n"},
	};

	(void)state;
	CHECK(row);
}

static void words_about_flows(void **state)
{
	static const struct row row[] = {
		{SERVICE("drain 10;"), "c:1:47: error: drain 10: a time needs a unit: 10ms, 10s, 10m or 10h\n"},
		{SERVICE("drain 0;"), "c:1:47: error: drain 0: a time needs a unit: 0ms, 0s, 0m or 0h\n"},
		{SERVICE("drain 0s;"), "c:1:47: error: drain 0s: out of range, 1s-720h or unlimited\n"},
		{SERVICE("drain 721h;"), "c:1:47: error: drain 721h: out of range, 1s-720h or unlimited\n"},
		{SERVICE("drain 30d;"),
		 "c:1:47: error: drain \"30d\": not a time such as 10ms, 2s, 5m or 1h, or unlimited\n"},
		{SERVICE("drain unlimitd;"),
		 "c:1:47: error: drain \"unlimitd\": not a time such as 10ms, 2s, 5m or 1h, or unlimited (did you mean "
		 "\"unlimited\"?)\n"},
		{SERVICE("drain off;"),
		 "c:1:47: error: drain \"off\": not a time such as 10ms, 2s, 5m or 1h, or unlimited\n"},
		{SERVICE("drain;"), "c:1:41: error: \"drain\" needs more words: drain TIME|unlimited\n"},
		{SERVICE("drain 5m 6m;"), "c:1:50: error: unexpected \"6m\": drain TIME|unlimited\n"},
		{SERVICE("drain 5m; drain 6m;"), "c:1:51: error: \"drain\" is given twice, first at c:1:41\n"},
		{SERVICE("on-down kep;"),
		 "c:1:49: error: on-down \"kep\": must be keep or reset (did you mean \"keep\"?)\n"},
		{SERVICE("on-down cut;"), "c:1:49: error: on-down \"cut\": must be keep or reset\n"},
		{SERVICE("on-down keep { }"), "c:1:41: error: \"on-down\" has no block: on-down keep|reset\n"},
		{SERVICE("slow-start 999ms;"), "c:1:52: error: slow-start 999ms: out of range, 1s-1h or off\n"},
		{SERVICE("slow-start 61m;"), "c:1:52: error: slow-start 61m: out of range, 1s-1h or off\n"},
		{SERVICE("slow-start none;"),
		 "c:1:52: error: slow-start \"none\": not a time such as 10ms, 2s, 5m or 1h, or off\n"},
		{SERVICE("slow-start \"off\";"),
		 "c:1:52: error: slow-start \"off\": not a time such as 10ms, 2s, 5m or 1h, or off (did you mean "
		 "\"off\"?)\n"},
		{SERVICE("learn 999ms;"), "c:1:47: error: learn 999ms: out of range, 1s-24h\n"},
		{SERVICE("learn 86400001ms;"), "c:1:47: error: learn 86400001ms: out of range, 1s-24h\n"},
		{SERVICE("learn 15;"), "c:1:47: error: learn 15: a time needs a unit: 15ms, 15s, 15m or 15h\n"},
		{SERVICE("learn off;"), "c:1:47: error: learn \"off\": not a time such as 10ms, 2s, 5m or 1h\n"},
		{SERVICE("learn-udp 0ms;"), "c:1:51: error: learn-udp 0ms: out of range, 1s-24h\n"},
		{SERVICE("learn-udp 25h;"), "c:1:51: error: learn-udp 25h: out of range, 1s-24h\n"},
		{SERVICE("learn-upd 30s;"),
		 "c:1:41: error: unknown word \"learn-upd\" (did you mean \"learn-udp\"?)\n"},
		{"defaults { learn 1ms; }", "c:1:18: error: learn 1ms: out of range, 1s-24h\n"},
		{"drain 5m;",
		 "c:1:1: error: \"drain\" does not belong in the file itself: it belongs in \"service\"\n"},
		{SERVICE("backend 10.0.0.1 { drain 5m; }"),
		 "c:1:60: error: \"drain\" does not belong in \"backend\": it belongs in \"service\"\n"},
	};

	(void)state;
	CHECK(row);
}

static void backend_words(void **state)
{
	static const struct row row[] = {
		{SERVICE("backend 10.0.0.11:8080;"),
		 "c:1:49: error: backend \"10.0.0.11:8080\": a backend has no port: direct server return cannot change ports, let "
		 "it listen on the VIP's port\n"},
		{SERVICE("fallback [2001:db8::1]:80;"),
		 "c:1:50: error: backend \"[2001:db8::1]:80\": a backend has no port: direct server return cannot change ports, "
		 "let it listen on the VIP's port\n"},
		{SERVICE("backend web1;"), "c:1:49: error: backend \"web1\": not an IPv4 or IPv6 address\n"},
		{SERVICE("backend 224.0.0.1;"),
		 "c:1:49: error: backend 224.0.0.1: must be an address of one machine (not "
		 "loopback, multicast, broadcast or link local)\n"},
		{SERVICE("backend 10.0.0.1 { weight 1001; }"), "c:1:67: error: weight 1001: out of range, 0-1000\n"},
		{SERVICE("backend 10.0.0.1 { weight 2x; }"), "c:1:67: error: weight \"2x\": not a number (0-1000)\n"},
		{SERVICE("backend 10.0.0.1 { wieght 2; }"),
		 "c:1:60: error: unknown word \"wieght\" (did you mean \"weight\"?)\n"},
		{SERVICE("backend 10.0.0.1 { weight 2; weight 3; }"),
		 "c:1:70: error: \"weight\" is given twice, first at c:1:60\n"},
		{SERVICE("backend 10.0.0.1 { disabled; draining; }"),
		 "c:1:70: error: \"draining\": a backend is either draining or disabled\n"},
		{SERVICE("backend 10.0.0.1 { disabled yes; }"), "c:1:69: error: unexpected \"yes\": disabled\n"},
		{SERVICE("backend 10.0.0.1 weight 2;"),
		 "c:1:58: error: unexpected \"weight\": words of a backend stand in its "
		 "block: backend 10.0.0.1 { weight ...; }\n"},
		{SERVICE("backend 10.0.0.1; fallback 10.0.0.1;"),
		 "c:1:59: error: backend 10.0.0.1: is given twice in service \"web\" (c:1:41)\n"},
		{SERVICE("backend 192.0.2.10;"),
		 "c:1:41: error: backend 192.0.2.10: is also a VIP of service \"web\" (c:1:37); a "
		 "backend is named by an address of its own\n"},
		{"service a { listen 192.0.2.1 tcp 80; backend 192.0.2.2; }\nservice b { listen 192.0.2.2 tcp 80; }",
		 "c:1:38: error: backend 192.0.2.2: is also a VIP of service \"b\" (c:2:34); a backend is named by an address of "
		 "its own\n"},
	};

	(void)state;
	CHECK(row);
}

static void known_but_not_yet(void **state)
{
	static const struct row row[] = {
		{"vrrp edge { interface eth0; id 51; track interface eth1 release; }", NOT_YET("vrrp")},
		{"vrrp;", NOT_YET("vrrp")},
		{"cluster { listen 192.0.2.2 port 7946; key-file /etc/k; peer 192.0.2.3 port 7946; port 1; }",
		 "c:1:11: error: \"listen\": not supported yet\nc:1:39: error: \"key-file\": not supported yet\n"
		 "c:1:71: error: \"port\": not supported yet\nc:1:82: error: \"port\": not supported yet\n"},
		{SERVICE("forward gue;"), "c:1:49: error: \"gue\": not supported yet\n"},
		{SERVICE("check http { port 8080; }"), "c:1:41: error: \"check\": not supported yet\n"},
		{SERVICE("panic 30%;"), "c:1:41: error: \"panic\": not supported yet\n"},
		{SERVICE("backend 10.0.0.1 { check port 81; }"), "c:1:60: error: \"check\": not supported yet\n"},
		{"defaults { check tcp; }", "c:1:12: error: \"check\": not supported yet\n"},
	};

	(void)state;
	CHECK(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_the_file),
		cmocka_unit_test(limits),
		cmocka_unit_test(names),
		cmocka_unit_test(listen_words),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(service_words),
		cmocka_unit_test(words_about_flows),
		cmocka_unit_test(backend_words),
		cmocka_unit_test(known_but_not_yet),
	};

	return cmocka_run_group_tests_name("grammar, bad words", tests, NULL, NULL);
}
