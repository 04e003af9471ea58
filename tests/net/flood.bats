#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Floods of SYNs and ACKs, each packet from another address and port, as fast as the lab sends: they push nothing out, break nothing,
# and leave nothing behind. The backends have SYN cookies on and no way to the flood's sources.

load ../lib/lab
load ../lib/flows

teardown() { lab_down; }

begin() { # LIMITS: words of the block
	lab_of_six
	{
		echo "interface eth0 { xdp native; }"
		echo "$1"
		kept_service web dsr $VIP4 '' 10.71.2.21 10.71.2.22 10.71.2.23
	} | config lb1
	lab agent lb1 start
	for name in be1 be2 be3 be4 be5 be6; do
		lab exec $name sysctl -qw net.ipv4.tcp_syncookies=2
		lab exec $name ip route add blackhole 100.64.0.0/10
	done
}

flood() { lab exec router "$BUILD/tools/lab/flood" "$@" eth0 $VIP4 80; }

packets() { weir lb1 show services web --json | jq '.services[0].packets'; }

# million: SYNs until a million of them have come to the node and gone on; the wire to it may lose some.
million() {
	local before first=0
	before=$(packets)
	while [ $(($(packets) - before)) -lt 1000000 ] && [ $first -lt 4000000 ]; do
		flood --first $first --count 500000
		first=$((first + 500000))
	done | jq -sc '{sent: (map(.sent) | add), seconds: (map(.seconds) | add)} | . + {per_second: (.sent / .seconds | floor)}'
	echo "of these the node has forwarded, with what else there was: $(($(packets) - before))"
	[ $(($(packets) - before)) -ge 1000000 ]
}

@test "a million SYNs without a change: no state at all" {
	begin ''
	flows_begin web --connections 500 $VIP4 7000
	million >"$BATS_TEST_TMPDIR/flood"
	say "$(cat "$BATS_TEST_TMPDIR/flood")"
	[ "$(in_maps lb1)" = 0 ]
	[ "$(weir lb1 show pins --json | jq .total)" = 0 ]
	[ "$(map_entries lb1 openings)$(map_entries lb1 pins)" = 00 ]
	flows_end web
	unbroken "$flows"
	[ "$(dropped lb1)" = 0 ]
}

# drain_in_flood EVERY COMMAND...: it floods while a backend is drained, under connections that ask every so many ms.
drain_in_flood() {
	flows_begin web --connections 500 --every "$1" $VIP4 7000
	shift
	"$@" >"$BATS_TEST_TMPDIR/flood" 3>&- &
	flood_pid=$!
	sleep 0.3
	weir lb1 backend drain web 10.71.2.22
	wait $flood_pid
	say "$(cat "$BATS_TEST_TMPDIR/flood")"
	say "then: $(weir lb1 show services web --json | jq -c '.services[0] | {pins, openings, slot_states}')"
	# the window of the last of them, and its end
	until_true 20 eval '[ "$(weir lb1 show services web --json | jq ".services[0].slot_states.learning")" = 0 ]'
	sleep 1
	flows_end web
	unbroken "$flows"
	[ "$(dropped lb1)" = 0 ]
	[ "$(jq '.by.be2 >= 100' <<<"$flows")" = true ]
	until_true 20 at_rest lb1
	[ "$(backend_state lb1 web 10.71.2.22)" = drained ]
}

@test "a million SYNs while a backend is drained: no connection is lost" {
	begin ''
	drain_in_flood 200 million
}

@test "the same with maps that are soon full" {
	begin 'limits { pins 4096; openings 1024; }'
	drain_in_flood 200 million
}

@test "the pins are full of an ACK flood for longer than the window: it does not end before the connections have theirs" {
	begin 'limits { pins 1024; }'
	drain_in_flood 1000 flood --ack --for 10 --rate 20000
}

# flooded WORD...: real connections, while SYNs and ACKs flood in; what became of them, in $result.
flooded() {
	flood --for 10 --rate 30000 >"$BATS_TEST_TMPDIR/syn" 3>&- &
	first=$!
	flood --for 10 --rate 30000 --ack --seed 7 >"$BATS_TEST_TMPDIR/ack" 3>&- &
	second=$!
	sleep 1
	load_begin --connections 16 --rate 300 --timeout 5000 $VIP4 80
	sleep 0.5
	"$@"
	wait $first
	wait $second
	load_end
	result=$load
	say "$* $result; $(cat "$BATS_TEST_TMPDIR/syn" "$BATS_TEST_TMPDIR/ack" | tr '\n' ' ')"
}

change_in_full_maps() {
	weir lb1 backend add web 10.71.2.24
	weir lb1 backend drain web 10.71.2.22
	sleep 4
	full=$(weir lb1 show services web --json | jq -c '.services[0] | {pins, openings, slot_states}')
}

@test "both maps full, SYNs and ACKs flood in: a change costs no connection, new ones come about as ever" {
	begin 'limits { pins 4096; openings 1024; }'
	flows_begin web --connections 500 $VIP4 7000
	flooded true
	[ "$(in_maps lb1)" = 0 ]
	ever=$result
	flooded change_in_full_maps
	say "in the midst of it: $full"
	[ "$(jq '.pins >= 4000 and .openings >= 1000' <<<"$full")" = true ]
	flows_end web
	unbroken "$flows"
	[ "$(dropped lb1)" = 0 ]
	# as many succeed: all but one in two hundred of those that did without a change
	[ "$(jq -n --argjson ever "$ever" --argjson now "$result" '$now.failed / $now.sent <= $ever.failed / $ever.sent + 0.005
		and $now.answered >= $ever.answered * 0.95')" = true ]
	until_true 30 at_rest lb1
}
