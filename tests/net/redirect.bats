#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Two interfaces: clients' packets come in by eth0, the backends are reached by eth1.

load ../lib/lab

setup_file() {
	lab_up --backends second
	lab decap be1 be2 be3
	{
		echo "interface eth0 { xdp native; }"
		echo "interface eth1 { xdp native; }"
		service web4 dsr 10.71.9.9 10.71.3.21 10.71.3.22 10.71.3.23
		service web6 dsr fd71:9::9 fd71:3::21 fd71:3::22 fd71:3::23
		service tunnel4 ipip 10.71.9.10 10.71.3.21 10.71.3.22 10.71.3.23
		service tunnel6 ipip fd71:9::10 fd71:3::21 fd71:3::22 fd71:3::23
	} | config lb1
	lab agent lb1 start
}

teardown_file() { lab_down; }

@test "dsr, IPv4" { forwarding_works lb1 web4 10.71.9.9; }

@test "dsr, IPv6" { forwarding_works lb1 web6 fd71:9::9; }

@test "ipip, IPv4" { forwarding_works lb1 tunnel4 10.71.9.10; }

@test "ipip, IPv6" { forwarding_works lb1 tunnel6 fd71:9::10; }

@test "all of it went by redirect" {
	xdp=$(weir lb1 show xdp --json)
	echo "$xdp"
	[ "$(jq '.interfaces[] | select(.name == "eth0").packets.redirect' <<<"$xdp")" -ge 10000 ]
	[ "$(jq '[.interfaces[].packets.tx] | add' <<<"$xdp")" = 0 ]
}
