#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Backends come and go by command while wrk presses: no connection is lost, but to --force, which cuts them; and new connections go by
# the new shares as soon as the slots that moved hold no more.

load ../lib/lab
load ../lib/flows

connections=8

setup() {
	lab_up
	{
		echo "interface eth0 { xdp native; }"
		service web dsr $VIP4 10.71.2.21 10.71.2.22 10.71.2.23
	} | config lb1
	lab agent lb1 start
}

teardown() { lab_down; }

press() { press_begin $connections $VIP4; }

# pressed [MOST]: no more has failed.
pressed() {
	sleep 1
	press_end
	[ "$press_errors" -le "${1:-0}" ]
}

slots() { weir lb1 show services web --json | jq ".services[0].$1"; }

held() { [ "$(slots slot_states.holding)" = 0 ]; }

settled() { # NAMES: from now on nothing fails, and just these answer
	until_true 5 held
	result=$(requests --count 2000 $VIP4 80)
	echo "$result"
	all_answered "$result" 2000
	spread "$result" "$1" 300
}

@test "a backend is added under load and takes its share" {
	lab add-backend
	press
	weir lb1 backend add web 10.71.2.24
	pressed
	settled "be1 be2 be3 be4"
	# a quarter of the slots has moved, and hardly more
	[ "$(slots slots_moved)" -ge 4096 ]
	[ "$(slots slots_moved)" -le $((4096 + 16384 * 12 / 1000)) ]
}

@test "a backend is drained under load: no new connection reaches it" {
	press
	weir lb1 backend drain web 10.71.2.22
	pressed
	settled "be1 be3"
	# what begins after the command has returned does not go there: all whose beginning was seen are at their end (of those that
	# were there before, the last packet alone may have made a pin)
	be2() { weir lb1 show backends web --json | jq -c '.backends[] | select(.address == "10.71.2.22") | '"$1"; }
	[ "$(be2 '[.state, .slots]')" = '["draining",0]' ]
	all_closing() { [ "$(be2 '.flows | .confirmed > 0 and .closing >= .confirmed and .pins - .closing <= '$connections)" = true ]; }
	until_true 5 all_closing
	weir lb1 backend enable web 10.71.2.22
	settled "be1 be2 be3"
}

@test "a backend is removed under load and comes back: the table is the old one again" {
	firsts() { for port in $(seq 42001 42030); do weir lb1 explain 10.71.1.2:$port $VIP4:80 --json | jq -r .first; done; }
	before=$(firsts)
	press
	weir lb1 backend remove web 10.71.2.23 --force
	pressed $connections
	settled "be1 be2"
	press
	weir lb1 backend add web 10.71.2.23
	pressed
	settled "be1 be2 be3"
	[ "$before" = "$(firsts)" ]
}

@test "kept connections are not disturbed by what comes and goes" {
	load_begin --keepalive --connections 12 --rate 300 $VIP4 80
	was=$(weir lb1 show services web --json | jq -c '.services[0] | [.name, .index]')
	for ((i = 0; i < 5; i++)); do
		weir lb1 backend add web 10.71.2.24
		weir lb1 backend remove web 10.71.2.24
	done
	load_end
	all_answered "$load" 100
	[ "$(weir lb1 show services web --json | jq -c '.services[0] | [.name, .index]')" = "$was" ]
	settled "be1 be2 be3"
}

@test "weights share the load" {
	weir lb1 backend weight web 10.71.2.21 8
	weir lb1 backend weight web 10.71.2.22 1
	weir lb1 backend weight web 10.71.2.23 1
	until_true 5 held
	result=$(requests --count 4000 $VIP4 80)
	echo "$result"
	all_answered "$result" 4000
	[ "$(jq '.by.be1 > 3000 and .by.be1 < 3400 and .by.be2 > 280 and .by.be3 > 280' <<<"$result")" = true ]
}

@test "a second service is added and removed under load of the first" {
	load_begin --connections 8 --rate 400 $VIP4 80
	weir lb1 service add other "{ listen 10.71.9.10 tcp 80; backend 10.71.2.22; }"
	result=$(requests --count 100 10.71.9.10 80)
	run weir lb1 service remove other
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *'service "other"'*"--force"* ]]
	weir lb1 service remove other --force
	sleep 0.3
	load_end
	echo "$result"
	spread "$result" be2 100
	all_answered "$load" 100
	run requests --count 1 --timeout 500 10.71.9.10 80
	[ "$(jq .failed <<<"${lines[-1]}")" = 1 ]
}

@test "the last backend that is up is not removed without --force; without one packets drop with their own reason" {
	weir lb1 backend remove web 10.71.2.21 --force
	weir lb1 backend remove web 10.71.2.22 --force
	run weir lb1 backend remove web 10.71.2.23
	echo "$output"
	[ "$status" -eq 1 ]
	weir lb1 backend remove web 10.71.2.23 --force
	run requests --count 2 --timeout 500 $VIP4 80
	[ "$(weir lb1 show drops --json | jq '.reasons[] | select(.reason == "no-backend").packets')" -ge 2 ]
	weir lb1 backend add web 10.71.2.21
	result=$(requests --count 50 $VIP4 80)
	all_answered "$result" 50
}
