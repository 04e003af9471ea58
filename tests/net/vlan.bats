#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# One and two VLAN tags on the wires of the nodes: frames leave with the tags that they came with. The lab drops whatever
# lacks them.

load ../lib/lab

teardown() { lab_down; }

tagged_works() { # TAGS
	lab_up --tags "$1"
	lab decap be1 be2 be3
	{
		echo "interface eth0 { xdp native; }"
		service web4 dsr 10.71.9.9 10.71.2.21 10.71.2.22 10.71.2.23
		service web6 dsr fd71:9::9 fd71:2::21 fd71:2::22 fd71:2::23
		service tunnel4 ipip 10.71.9.10 10.71.2.21 10.71.2.22 10.71.2.23
		service tunnel6 ipip fd71:9::10 fd71:2::21 fd71:2::22 fd71:2::23
	} | config lb1
	lab agent lb1 start
	forwarding_works lb1 web4 10.71.9.9
	forwarding_works lb1 web6 fd71:9::9
	forwarding_works lb1 tunnel4 10.71.9.10
	forwarding_works lb1 tunnel6 fd71:9::10
}

@test "one tag" { tagged_works 1; }

@test "two tags" { tagged_works 2; }
