#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Nodes that are themselves backends. Both nodes are, and they hash differently on purpose: without the peers' loop
# protection a packet would go to and fro between them.

load ../lib/lab

teardown() { lab_down; }

both() { # FORWARD: lb1 and lb2 serve, be1 too; the nodes' tables differ
	lab_up
	lab serve lb1
	lab serve lb2
	local node other seed=one
	for node in lb1 lb2; do
		[ $node = lb1 ] && other=12 || other=11
		{
			echo "node { hash-seed \"$seed\"; }"
			echo "interface eth0 { xdp native; }"
			echo "cluster { peer 10.71.2.$other; peer fd71:2::$other; }"
			service web4 "$1" 10.71.9.9 10.71.2.11 10.71.2.12 10.71.2.21
			service web6 "$1" fd71:9::9 fd71:2::11 fd71:2::12 fd71:2::21
		} | config $node
		lab agent $node start
		seed=two
	done
	[ "$1" = dsr ] || lab decap be1
	# the peer's MAC is known from now on
	until_true 5 all_ready lb1
	until_true 5 all_ready lb2
}

all_ready() { weir "$1" show backends --json | jq -e '[.backends[].way.state | . == "ready" or . == "local"] | all' >/dev/null; }

sent_on() { weir "$1" show xdp --json | jq '[.interfaces[].packets | .tx + .redirect] | add'; }

reason() { weir "$1" show drops --json | jq --arg reason "$2" '.reasons[] | select(.reason == $reason).packets'; }

no_loops() {
	result4=$(requests --count 600 10.71.9.9 80)
	result6=$(requests --count 600 fd71:9::9 80)
	echo "$result4 $result6"
	all_answered "$result4" 600
	all_answered "$result6" 600
	spread "$result4" "be1 lb1 lb2" 120
	spread "$result6" "be1 lb1 lb2" 120
	# lb2 was sent a third by lb1 and has sent nothing on
	echo "lb2: sent on $(sent_on lb2), peer-local $(reason lb2 peer-local)"
	[ "$(sent_on lb2)" = 0 ]
	[ "$(reason lb2 peer-local)" -ge 1500 ]
	[ "$(reason lb1 local)" -ge 1500 ]
	[ "$(reason lb1 peer-local)" = 0 ]
}

@test "two nodes that are both backends, dsr: no packet passes between them more than once" {
	both dsr
	no_loops
}

@test "two nodes that are both backends, ipip: no packet passes between them more than once" {
	both ipip
	no_loops
}

@test "what a peer has sent to a node that is no backend is dropped, not sent on" {
	lab_up
	# lb1 thinks that lb2 is a backend; lb2 has the service with others, and knows lb1 as a peer
	{
		echo "interface eth0 { xdp native; }"
		service web dsr 10.71.9.9 10.71.2.12
	} | config lb1
	{
		echo "interface eth0 { xdp native; }"
		echo "cluster { peer 10.71.2.11; }"
		service web dsr 10.71.9.9 10.71.2.21
	} | config lb2
	lab agent lb1 start
	lab agent lb2 start
	until_true 5 all_ready lb1
	until_true 5 peer_known
	[ "$(sent_on lb2)" = 0 ]
}

# Sends until lb2 has learnt its peer's MAC and says so by its reason.
peer_known() {
	requests --count 1 --timeout 200 10.71.9.9 80
	[ "$(reason lb2 peer-loop)" -ge 1 ]
}
