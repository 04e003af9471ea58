#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Forwarding by encapsulation (ipip): all four mixes of inner and outer family, on one network and through a router. The
# backends decapsulate with `weir decap attach`.

load ../lib/lab

teardown() { lab_down; }

# four NET: a service for each mix, its backends on 10.71.NET.0/24 and fd71:NET::/64
four() {
	echo "interface eth0 { xdp native; }"
	service web44 ipip 10.71.9.9 "10.71.$1.21" "10.71.$1.22" "10.71.$1.23"
	service web46 ipip 10.71.9.10 "fd71:$1::21" "fd71:$1::22" "fd71:$1::23"
	service web64 ipip fd71:9::9 "10.71.$1.21" "10.71.$1.22" "10.71.$1.23"
	service web66 ipip fd71:9::10 "fd71:$1::21" "fd71:$1::22" "fd71:$1::23"
}

all_mixes_work() {
	forwarding_works lb1 web44 10.71.9.9
	forwarding_works lb1 web46 10.71.9.10
	forwarding_works lb1 web64 fd71:9::9
	forwarding_works lb1 web66 fd71:9::10
}

@test "backends on the node's own network" {
	lab_up
	lab decap be1 be2 be3
	four 2 | config lb1
	lab agent lb1 start
	all_mixes_work
}

@test "backends behind a router" {
	lab_up --backends routed
	lab decap be1 be2 be3
	four 3 | config lb1
	lab agent lb1 start
	all_mixes_work
}

@test "without decapsulation at the backend nothing is answered, with it again" {
	lab_up
	lab decap be1 be2 be3
	four 2 | config lb1
	lab agent lb1 start
	all_answered "$(requests --count 30 10.71.9.9 80)" 30
	for node in be1 be2 be3; do lab exec $node "$BUILD/weir" decap detach eth0; done
	result=$(requests --count 5 --timeout 500 10.71.9.9 80)
	echo "$result"
	[ "$(jq .answered <<<"$result")" = 0 ]
	lab decap be1 be2 be3
	all_answered "$(requests --count 30 10.71.9.9 80)" 30
}
