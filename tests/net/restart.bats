#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# The agent may die, be restarted or be replaced: forwarding does not notice. The load is wrk, to press, and a client that
# checks every answer, to notice.

load ../lib/lab

services() {
	echo "interface eth0 { xdp native; }"
	service web4 dsr $VIP4 10.71.2.21 10.71.2.22 10.71.2.23
	service web6 dsr $VIP6 fd71:2::21 fd71:2::22 fd71:2::23
}

setup() {
	lab_up
	services | config lb1
	lab agent lb1 start
}

teardown() { lab_down; }

both_begin() {
	press_begin 16 $VIP4
	load_begin --connections 8 --rate 400 $VIP6 80
}

# Both clients have sent enough and nothing has failed.
both_end() { # MIN
	load_end
	press_end
	[ "$press_errors" = 0 ]
	all_answered "$load" "$1"
}

show() { weir lb1 show --json >"$BATS_TEST_TMPDIR/$1"; }

@test "20 times SIGKILL under load: no failed request, exact counters" {
	sent4=$(lab sent $VIP4) sent6=$(lab sent $VIP6)
	count4=$(counted lb1 web4) count6=$(counted lb1 web6)
	show before
	both_begin
	for ((i = 0; i < 20; i++)); do
		lab agent lb1 stop KILL
		sleep 0.2
		lab agent lb1 start
	done
	both_end 1000
	show after
	"$BATS_TEST_DIRNAME/../lib/only-counters-grew" "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	[ "$(wire_lost lb1)" = 0 ]
	all_counted "$(difference "$sent4" "$(lab sent $VIP4)")" "$(difference "$count4" "$(counted lb1 web4)")" 0
	all_counted "$(difference "$sent6" "$(lab sent $VIP6)")" "$(difference "$count6" "$(counted lb1 web6)")" 0
}

@test "without an agent forwarding goes on" {
	lab agent lb1 stop
	result=$(requests --count 2000 $VIP4 80)
	echo "$result"
	all_answered "$result" 2000
	lab agent lb1 start
	[ "$(counted lb1 web4 | jq .packets)" -ge 8000 ]
}

@test "takeover under load, five times: no failed request" {
	show before
	both_begin
	for ((i = 0; i < 5; i++)); do
		old=$(cat "$(home lb1)/agent.pid")
		lab agent lb1 takeover
		until_true 5 test ! -e "/proc/$old/exe"
	done
	both_end 200
	show after
	"$BATS_TEST_DIRNAME/../lib/only-counters-grew" "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

@test "upgrade to another map layout under load: no failed request, counters carried; the way back is refused" {
	before=$(counted lb1 web4)
	[ "$(weir lb1 show xdp --json | jq .program.layout)" = 1 ]
	both_begin
	lab agent lb1 takeover "$BUILD/tests/weir-agent-layout2"
	both_end 100
	[ "$(weir lb1 show xdp --json | jq .program.layout)" = 2 ]
	sent=$(lab sent $VIP4)
	count=$(counted lb1 web4)
	echo "before $before, sent $sent, counted $count"
	[ "$sent" = "$count" ]
	[ "$(find "$(home lb1)/bpf" -maxdepth 1 -name 'set-*' | wc -l)" = 1 ]

	run lab agent lb1 takeover
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *layout* ]]
	all_answered "$(requests --count 200 $VIP4 80)" 200
	[ "$(weir lb1 show xdp --json | jq .program.layout)" = 2 ]
}

@test "unload takes everything off" {
	lab agent lb1 stop
	run lab exec lb1 "$BUILD/weir-agent" --unload --bpffs "$(home lb1)/bpf"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -n "$output" ]
	[[ $(lab exec lb1 ip -d link show eth0) != *xdp* ]]
	[ -z "$(find "$(home lb1)/bpf" -mindepth 1 ! -name '*.debug')" ] # the kernel's own two files
}
