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

# held_by_be1 MIDDLE...: what the client that holds on says of 20 connections to be1, with a control connection to be2, when MIDDLE is
# done in the midst of it; in $flows. $answer is be1's server, $flows_pid the client.
held_by_be1() {
	"$top/tools/lab/lab" exec client "$BUILD/tools/lab/flows" --connections 20 --control 10.71.2.22 10.71.2.21 7000 \
		>"$BATS_TEST_TMPDIR/flows" 2>"$BATS_TEST_TMPDIR/flows.err" 3>&- &
	flows_pid=$!
	# shellcheck disable=SC2034 # for MIDDLE
	answer=$(ip netns pids "$LAB-be1" | xargs -n 1 sh -c 'grep -l "^answer$" /proc/$0/comm' | grep -o '[0-9]*')
	until_true 5 grep -q ready "$BATS_TEST_TMPDIR/flows.err"
	eval "$*"
	sleep 0.5
	kill -TERM $flows_pid
	code=0
	wait $flows_pid || code=$?
	flows=$(cat "$BATS_TEST_TMPDIR/flows")
	echo "$* $code $flows"
}

@test "the client that holds on tells what is cut, what is late and what is the machine's fault" {
	lab_up
	held_by_be1 sleep 1
	[ $code = 0 ]
	[ "$(jq '.alive == 20 and .exchanges >= 100 and .longest_gap_ms < 1000 and .by == {be1: 20} and .cut == {}' <<<"$flows")" = true ]
	held_by_be1 'kill -STOP $answer; sleep 1.5; kill -CONT $answer'
	[ $code = 1 ]
	[ "$(jq '.alive == 20 and .missing_1s == 20 and .excused == 0 and .wrong == 0' <<<"$flows")" = true ]
	held_by_be1 'kill -STOP $flows_pid; sleep 1.5; kill -CONT $flows_pid'
	[ "$(jq '.alive == 20 and .missing_1s == 0 and .excused == 20' <<<"$flows")" = true ]
	held_by_be1 'kill -KILL $answer'
	[ $code = 1 ]
	[ "$(jq '.alive == 0 and .resets == 20 and .cut == {be1: 20} and .control_failed == 0' <<<"$flows")" = true ]
}

@test "a flood is whole: every packet is another one, and the kernel at its end takes them all" {
	lab_up
	lab exec be1 ip route add blackhole 100.64.0.0/10
	was=$(lab exec be1 nstat -asz TcpInSegs TcpInErrs TcpInCsumErrors | awk '/^Tcp/ { print $2 }')
	run lab exec router "$BUILD/tools/lab/flood" --ack --count 20000 --rate 20000 eth0 10.71.2.21 80
	echo "$output"
	[ "$(jq .sent <<<"$output")" = 20000 ]
	now=$(lab exec be1 nstat -asz TcpInSegs TcpInErrs TcpInCsumErrors | awk '/^Tcp/ { print $2 }')
	echo "$was; $now"
	# segments, some of which the wire may lose; errors, checksums
	[ "$(paste <(echo "$was") <(echo "$now") | awk '{ print ($2 - $1 > (NR == 1 ? 19000 : 0)) }' | xargs)" = "1 0 0" ]
}
