#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Backends come and go by command while wrk presses. A change moves slots, and until pins are there a connection that is
# under way in a slot that moves is lost: so at most those under way at that moment may fail, and none after it.

load ../lib/lab

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

# No more has failed than was under way when the slots moved.
pressed() {
	sleep 1
	press_end
	[ "$press_errors" -le $connections ]
}

slots() { weir lb1 show services web --json | jq ".services[0].$1"; }

settled() { # NAMES: from now on nothing fails, and just these answer
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
	[ "$(weir lb1 show backends web --json | jq -r '.backends[] | select(.address == "10.71.2.22") | .state, .slots')" = $'draining\n0' ]
	weir lb1 backend enable web 10.71.2.22
	settled "be1 be2 be3"
}

@test "a backend is removed under load and comes back: the table is the old one again" {
	before=$(for port in $(seq 42001 42030); do weir lb1 explain 10.71.1.2:$port $VIP4:80 --json | jq -r .backend; done)
	press
	weir lb1 backend remove web 10.71.2.23 --force
	pressed
	settled "be1 be2"
	press
	weir lb1 backend add web 10.71.2.23
	pressed
	settled "be1 be2 be3"
	after=$(for port in $(seq 42001 42030); do weir lb1 explain 10.71.1.2:$port $VIP4:80 --json | jq -r .backend; done)
	[ "$before" = "$after" ]
}

@test "connections on slots that do not move are not disturbed" {
	load_begin --keepalive --connections 12 --rate 300 $VIP4 80
	was=$(weir lb1 show services web --json | jq -c '.services[0] | [.name, .index]')
	for ((i = 0; i < 5; i++)); do
		weir lb1 backend add web 10.71.2.24
		weir lb1 backend remove web 10.71.2.24 --force
	done
	load_end
	# those in the quarter of slots that went to 10.71.2.24 and back may be gone; the others not once
	[ "$(jq .failed <<<"$load")" -le 12 ]
	[ "$(jq .answered <<<"$load")" -ge 100 ]
	[ "$(weir lb1 show services web --json | jq -c '.services[0] | [.name, .index]')" = "$was" ]
	settled "be1 be2 be3"
}

@test "weights share the load" {
	weir lb1 backend weight web 10.71.2.21 8
	weir lb1 backend weight web 10.71.2.22 1
	weir lb1 backend weight web 10.71.2.23 1
	result=$(requests --count 4000 $VIP4 80)
	echo "$result"
	all_answered "$result" 4000
	[ "$(jq '.by.be1 > 3000 and .by.be1 < 3400 and .by.be2 > 280 and .by.be3 > 280' <<<"$result")" = true ]
}

@test "a second service is added and removed under load of the first" {
	load_begin --connections 8 --rate 400 $VIP4 80
	weir lb1 service add other "{ listen 10.71.9.10 tcp 80; backend 10.71.2.22; }"
	result=$(requests --count 100 10.71.9.10 80)
	weir lb1 service remove other
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
