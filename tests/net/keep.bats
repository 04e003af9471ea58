#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Changes break nothing: connections that ask and check every 200 ms, and wrk beside them, live through everything that can be done
# to a set of backends and to the agent, and in the end nothing is left in the maps.

load ../lib/lab
load ../lib/flows

teardown() { lab_down; }

begin() { # SERVICES: their text
	lab_of_six
	{
		echo "interface eth0 { xdp native; }"
		echo "$1"
	} | config lb1
	lab agent lb1 start
}

# changes SERVICE NET: three backends come, two are drained, weights change, one that has connections is removed, one comes back.
# NET: first part of the addresses.
changes() {
	weir lb1 backend add "$1" "${2}24"
	weir lb1 backend add "$1" "${2}25" weight 2
	weir lb1 backend add "$1" "${2}26"
	weir lb1 backend drain "$1" "${2}22"
	weir lb1 backend drain "$1" "${2}25"
	weir lb1 backend weight "$1" "${2}21" 3
	weir lb1 backend weight "$1" "${2}26" 2
	weir lb1 backend remove "$1" "${2}23"
	weir lb1 backend enable "$1" "${2}22"
}

two_restarts() { # [BINARY]: of the agent that takes over
	lab agent lb1 stop KILL
	sleep 0.3
	lab agent lb1 start
	lab agent lb1 takeover "$@"
}

@test "2,000 connections and wrk: every change, two restarts, nothing is lost" {
	begin "$(kept_service web dsr $VIP4 '' 10.71.2.21 10.71.2.22 10.71.2.23)"
	flows_begin web --connections 2000 $VIP4 7000
	press_begin 8 $VIP4 20 # so that the machine has time left
	load_from
	changes web 10.71.2.
	result=$(requests --count 1000 --rate 500 $VIP4 80)
	all_answered "$result" 1000
	spread_by_share "$result" lb1 web
	two_restarts
	# the windows of all slots begin again with a restart, and end
	until_true 15 eval '[ "$(weir lb1 show services web --json | jq ".services[0].slot_states.learning")" = 0 ]'
	[ "$(backend_state lb1 web 10.71.2.23)" = removing ]
	say "pins of connections that are not where the table says: $(entries lb1)"
	[ "$(entries lb1)" -ge 500 ]
	result=$(requests --count 3000 --rate 750 $VIP4 80)
	all_answered "$result" 3000
	spread_by_share "$result" lb1 web
	load_to
	press_end
	# the machine keeps a fifth of its time, were it alone with this: short commands, which are not counted, take about a tenth
	[ "$lab_share" -ge 5 ] && [ "$lab_share" -le 70 ]
	[ "$press_errors" = 0 ]
	flows_end web
	kept "$flows" 50000
	# nobody is at 10.71.2.24 or .26 who was there before they came; that be3 was removed was no matter to those that it had
	[ "$(jq '.by | keys == ["be1", "be2", "be3"] and .be3 >= 500' <<<"$flows")" = true ]
	until_true 20 at_rest lb1
	until_true 10 eval '[ "$(backend_state lb1 web 10.71.2.25)" = drained ]'
	until_true 10 eval '[ -z "$(backend_state lb1 web 10.71.2.23)" ]'
}

@test "IPv6, ipip and UDP: every change, a restart and an upgrade to other maps in the midst of it, nothing is lost" {
	begin "$(
		kept_service web dsr $VIP4 '' 10.71.2.21 10.71.2.22 10.71.2.23
		kept_service web6 dsr $VIP6 '' fd71:2::21 fd71:2::22 fd71:2::23
		kept_service tunnel ipip 10.71.9.10 '' 10.71.2.21 10.71.2.22 10.71.2.23
	)"
	lab decap be1 be2 be3 be4 be5 be6
	flows_begin udp --udp --connections 400 $VIP4 7000
	flows_begin ip6 --connections 400 $VIP6 7000
	flows_begin ipip --connections 400 10.71.9.10 7000
	flows_begin udp-ipip --udp --connections 200 10.71.9.10 7000
	changes web 10.71.2. &
	first=$!
	changes tunnel 10.71.2. &
	second=$!
	changes web6 fd71:2::
	wait $first
	wait $second
	two_restarts "$BUILD/tests/weir-agent-layout2"
	[ "$(weir lb1 show xdp --json | jq .program.layout)" = 2 ]
	[ "$(entries lb1)" -ge 300 ]
	until_true 15 eval '[ "$(weir lb1 show services --json | jq "[.services[].slot_states.learning] | add")" = 0 ]'
	for new in "web6 $VIP6" "tunnel 10.71.9.10"; do
		result=$(requests --count 1000 --rate 500 "${new#* }" 80)
		all_answered "$result" 1000
		spread_by_share "$result" lb1 "${new% *}"
	done
	for name in udp ip6 ipip udp-ipip; do
		flows_end $name
		kept "$flows" 5000
	done
	until_true 20 at_rest lb1
}

@test "affinity client: nobody moves when a backend comes, all of one that is drained move within its time" {
	begin "$(kept_service web dsr $VIP4 'affinity client; drain 6s;' 10.71.2.21 10.71.2.22 10.71.2.23)"
	for ((i = 100; i < 200; i++)); do echo "addr add 10.71.1.$i/24 dev eth0"; done | client ip -batch -
	"$top/tools/lab/lab" exec client "$BUILD/tools/lab/clients" 10.71.1.100 100 $VIP4 7000 \
		>"$BATS_TEST_TMPDIR/clients.json" 2>"$BATS_TEST_TMPDIR/clients.err" 3>&- &
	pid=$!
	until_true 10 grep -q ready "$BATS_TEST_TMPDIR/clients.err"
	weir lb1 backend add web 10.71.2.24
	sleep 8 # the window, and more
	drained_ms=$(date +%s%3N)
	weir lb1 backend drain web 10.71.2.22
	sleep 9
	kill -TERM $pid
	wait $pid || true
	cat "$BATS_TEST_TMPDIR/clients.err"
	clients=$(cat "$BATS_TEST_TMPDIR/clients.json")
	say "$(jq -c --argjson at "$drained_ms" '{clients, answered, failed, changes: (.changes | length), by,
		after_drain_ms: ([.changes[].at_ms - $at] | [min, max])}' <<<"$clients")"
	# 6 s, until the client's next connection, and what the machine is late
	[ "$(jq --argjson at "$drained_ms" '[.changes[] | .from == "be2" and .at_ms >= $at and .at_ms <= $at + 8500] | all' <<<"$clients")" = true ]
	[ "$(jq '(.changes | length) >= 15 and (.by | has("be2") | not) and .failed <= 1 and .answered >= 1500' <<<"$clients")" = true ]
}

@test "what is to be cut is cut, and nothing else: remove and disable with --force, the end of drain's time" {
	begin "$(kept_service web dsr $VIP4 'drain 3s;' 10.71.2.21 10.71.2.22 10.71.2.23 10.71.2.24)"
	flows_begin web --connections 400 $VIP4 7000
	weir lb1 backend drain web 10.71.2.22
	sleep 1
	none grep be2 "$BATS_TEST_TMPDIR/web.err"
	weir lb1 backend remove web 10.71.2.23 --force
	until_true 2 grep be3 "$BATS_TEST_TMPDIR/web.err"
	weir lb1 backend disable web 10.71.2.24 --force
	until_true 5 eval '[ "$(backend_state lb1 web 10.71.2.22)" = drained ]'
	sleep 1
	flows_end web
	[ "$(jq '(.cut | keys) == ["be2", "be3", "be4"] and (.by | keys) == ["be1"] and (.cut | add) + .by.be1 == 400 and .wrong == 0' \
		<<<"$flows")" = true ]
}

@test "drain --wait says what is still there, until nothing is; remove --wait comes back when it is gone" {
	begin "$(kept_service web dsr $VIP4 'drain 90s;' 10.71.2.21 10.71.2.22 10.71.2.23)"
	weir lb1 backend drain web 10.71.2.23
	flows_begin web --connections 400 $VIP4 7000 # those in slots that were be3's are seen to begin
	waited() { # CODE WORDS...: what it says, in $output
		local code=$1 begun=$SECONDS
		shift
		run weir lb1 backend "$@"
		say "$* ($((SECONDS - begun)) s): $output"
		[ "$status" = "$code" ]
	}
	waited 5 drain web 10.71.2.22 --wait=4
	[[ $output =~ "still draining after 4 s, and goes on: "([0-9]+)" pins ("([0-9]+)" confirmed), "([0-9]+)" packets/s, longest idle "[0-9]+m?s,\ [0-9m\ ]+"s left" ]]
	[ "${BASH_REMATCH[1]}" -ge 100 ] && [ "${BASH_REMATCH[2]}" -ge 20 ] && [ "${BASH_REMATCH[2]}" -lt "${BASH_REMATCH[1]}" ]
	# each of its connections asks five times a second
	[ "${BASH_REMATCH[3]}" -ge $((BASH_REMATCH[1] * 4)) ]
	[[ $output == *"silent flows not known yet"* ]]
	waited 0 drain web 10.71.2.22
	[[ $output =~ "already draining".*": takes no new flows, keeps those it has, for "[0-9m\ ]+"s at most: "[0-9]+" known by pins" ]]
	# the last one that is up: drain would cut, weight 0 does not
	waited 1 drain web 10.71.2.21
	[[ $output == *"needs --force, which cuts its flows: weight 0 with --force"* ]]
	weir lb1 backend weight web 10.71.2.21 0 --force
	sleep 2
	flows_end web
	kept "$flows"
	weir lb1 backend weight web 10.71.2.21 1
	waited 0 drain web 10.71.2.22 --wait=40
	[[ $output == *"drained: it has no flows any more" ]]
	waited 0 remove web 10.71.2.22 --wait=20
	[[ $output == *"gone" ]]
	[ -z "$(backend_state lb1 web 10.71.2.22)" ]
	waited 4 drain web 10.71.2.22 --wait
}
