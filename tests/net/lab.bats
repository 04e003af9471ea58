#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# The lab itself: it works without weir, two live side by side, and it leaves nothing behind.

load ../lib/lab

teardown() {
	lab_down
	LAB=${LAB}b lab_down
}

nothing_left() { # LAB
	! ip netns list | grep "^$1-" && ! grep "/lab/$1/" /proc/self/mountinfo && [ ! -e "$BUILD/lab/$1" ]
}

@test "servers answer, tagged wires carry traffic, down leaves nothing" {
	lab_up --tags 2
	run client curl -sS -m 5 http://10.71.2.21/ "http://[fd71:2::22]/" http://10.71.2.23:8080/
	echo "$output"
	[ "$output" = $'be1\nbe2\nbe3' ]
	client ping -c 1 -W 2 10.71.2.11
	client ping -c 1 -W 2 fd71:2::12
	pids=$(for node in be1 be2 be3; do ip netns pids "$LAB-$node"; done)
	[ "$(wc -w <<<"$pids")" -ge 9 ]
	lab_down
	nothing_left "$LAB"
	for pid in $pids; do until_true 5 test ! -e "/proc/$pid"; done
}

@test "a wire with tags carries no frame without them" {
	lab_up --tags 1
	client ping -c 1 -W 2 10.71.2.11
	inner=$LAB-lb1
	nsenter --net="/run/netns/$inner" tc filter del dev eth0 egress
	run client ping -c 1 -W 1 10.71.2.11
	[ "$status" -ne 0 ]
}

@test "two labs side by side" {
	lab_up --no-backends
	LAB=${LAB}b lab_up --no-backends
	client ping -c 1 -W 2 10.71.2.11
	LAB=${LAB}b client ping -c 1 -W 2 10.71.2.11
	lab_down
	LAB=${LAB}b client ping -c 1 -W 2 10.71.2.12
}

@test "an up that is interrupted leaves nothing" {
	setsid "$top/tools/lab/lab" up 3>&- &
	until_true 5 test -e "/run/netns/$LAB-router"
	kill -INT -- -$!
	kill -TERM $!
	run wait $!
	until_true 5 nothing_left "$LAB"
}

@test "what the client has sent is counted to the packet and byte" {
	lab_up
	before=$(client cat /sys/class/net/eth0/statistics/tx_packets)
	client curl -sS -m 5 -o /dev/null http://10.71.2.21/
	client ping -c 5 -i 0.01 -s 1000 10.71.2.22
	sent=$(lab sent 10.71.2.22)
	echo "$sent"
	[ "$sent" = '{"packets":5,"bytes":5140}' ]
	# all packets but ARP, which is no IP
	after=$(client cat /sys/class/net/eth0/statistics/tx_packets)
	all=$(lab sent | jq .packets)
	echo "$before $after $all"
	[ "$all" -le "$after" ]
	[ "$all" -ge $((after - before - 4)) ]
	# one big upload: the count is of segments
	client dd if=/dev/zero of="$(home client)/body" bs=1M count=1
	client curl -sS -m 10 -T "$(home client)/body" http://10.71.2.23/files/body
	[ "$(lab sent 10.71.2.23 | jq .packets)" -ge 720 ]
	[ "$(lab sent 10.71.2.23 | jq .bytes)" -ge 1080000 ]
}
