#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# What `weir explain` says is what happens: real requests from given ports are answered by the backend that it names, also while slots
# are in transition, and asking changes and counts nothing.

load ../lib/lab

setup_file() {
	lab_up
	{
		echo "interface eth0 { xdp native; }"
		service web4 dsr $VIP4 10.71.2.21 10.71.2.22 10.71.2.23
		service web6 dsr $VIP6 fd71:2::21 fd71:2::22 fd71:2::23
		service sticky dsr 10.71.9.10 10.71.2.21 10.71.2.22 10.71.2.23 | sed 's/forward dsr;/forward dsr; affinity client;/; s/80 8080/80/'
		echo "service moving { listen 10.71.9.10 tcp 8080; learn 4s; learn-udp 1s; backend 10.71.2.21; backend 10.71.2.22; backend 10.71.2.23; }"
	} | config lb1
	lab agent lb1 start
}

teardown_file() { lab_down; }

explained() { weir lb1 explain "$@" --json; }
# told DOCUMENT: the name of the backend's server
told() { jq -r '.backend | "be" + (.[-1:])' <<<"$1"; }
# answered PORT URL: who does
answered() { client curl -sS -m 5 --local-port "$1" "$2/"; }
held() { [ "$(weir lb1 show services "$1" --json | jq '.services[0].slot_states.holding')" = 0 ]; } # SERVICE

@test "the backend it names is the one that answers, IPv4 and IPv6" {
	for port in $(seq 40100 40124); do
		document=$(explained "10.71.1.2:$port" "$VIP4:80")
		[ "$(answered "$port" "http://$VIP4")" = "$(told "$document")" ]
		document=$(explained "[fd71:1::2]:$((port + 1000))" "[$VIP6]:80" tcp)
		[ "$(answered $((port + 1000)) "http://[$VIP6]")" = "$(told "$document")" ]
	done
}

@test "the flow in the file's words, VIP PROTO PORT, is the same one" {
	[ "$(explained 10.71.1.2:40100 "$VIP4" tcp 80)" = "$(explained 10.71.1.2:40100 "$VIP4:80")" ]
	[ "$(explained fd71:1::2 "$VIP6" tcp 80)" = "$(explained fd71:1::2 "[$VIP6]:80" tcp)" ]
	run weir lb1 explain 10.71.1.2 "$VIP4:80" tcp 80
	[ "$status" -eq 2 ]
	run weir lb1 explain 10.71.1.2:80x "$VIP4:80"
	[ "$status" -eq 2 ]
}

@test "affinity client: one backend whatever the port" {
	document=$(explained 10.71.1.2 10.71.9.10:80)
	for port in 40200 40201 40202 40203 40204 40205; do
		[ "$(answered $port http://10.71.9.10)" = "$(told "$document")" ]
	done
}

@test "after a change it says where a new connection goes, and that the flow stays there" {
	weir lb1 backend drain web4 10.71.2.22
	until_true 5 held web4
	for port in $(seq 40300 40315); do
		document=$(explained "10.71.1.2:$port" "$VIP4:80" tcp)
		first=$(jq -r '.first | "be" + .[-1:]' <<<"$document")
		[ "$first" != be2 ]
		[ "$(answered "$port" "http://$VIP4")" = "$first" ]
		[ "$(told "$(explained "10.71.1.2:$port" "$VIP4:80" tcp)")" = "$first" ]
	done
	# UDP has a window of its own; only QUIC tells a first packet from the others
	for port in $(seq 40400 40440); do
		document=$(explained "10.71.1.2:$port" "$VIP4:8053" udp)
		if [ "$(told "$document")" = be2 ]; then break; fi
	done
	echo "$document"
	[ "$(jq -r '.state + " " + .backend' <<<"$document")" = "learning 10.71.2.22" ]
	[[ $document == *"flows of before may still be on backend 10.71.2.22 (draining), for another"*"first packet (QUIC Initial) goes to"* ]]
	weir lb1 backend enable web4 10.71.2.22
}

# ---- a slot in transition ----

moving() { explained "10.71.1.2:$1" 10.71.9.10:8080; } # PORT
# says PORT WORDS: some sentence does
says() { [ "$(moving "$1" | jq --arg words "$2" '.text | any(contains($words))')" = true ]; }
state_is() { [ "$(moving "$1" | jq -r .state)" = "$2" ]; }

# A connection from that port that stays: `say_so` asks who it is with, it ends with the test.
hold() { # PORT
	mkfifo "$BATS_TEST_TMPDIR/questions"
	"$top/tools/lab/lab" exec client /usr/bin/python3 -u -c '
import http.client, sys
connection = http.client.HTTPConnection("10.71.9.10", 8080, timeout=5, source_address=("10.71.1.2", int(sys.argv[1])))
connection.connect()
connection.auto_open = 0
for line in sys.stdin:
    connection.request("GET", "/")
    print(connection.getresponse().read().decode().strip(), flush=True)' "$1" <"$BATS_TEST_TMPDIR/questions" >"$BATS_TEST_TMPDIR/answers" 3>&- &
	held_pid=$!
	exec 8>"$BATS_TEST_TMPDIR/questions"
}

say_so() {
	local before
	before=$(wc -l <"$BATS_TEST_TMPDIR/answers")
	echo >&8
	until_true 5 eval '[ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" = '$((before + 1))' ]'
	tail -n 1 "$BATS_TEST_TMPDIR/answers"
}

# The first port from there on whose flows are with that backend now.
port_at() { # PORT BACKEND
	local port
	for ((port = $1; port < $1 + 100; port++)); do
		if [ "$(moving "$port" | jq -r .backend)" = "$2" ]; then
			echo "$port"
			return
		fi
	done
	return 1
}

pin_of() { weir lb1 show pins moving --json | jq -c --argjson port "$1" '.pins[] | select(.source_port == $port)'; }

@test "settled, holding, learning, remembering, settled: a connection that lives through them" {
	old=10.71.2.22
	port=$(port_at 41000 $old)
	silent=$(port_at $((port + 1)) $old)
	new=$(port_at $((silent + 1)) $old)
	hold "$port"
	[ "$(say_so)" = be2 ]
	state_is "$port" settled
	says "$port" "all its flows are on backend $old (up)"
	[ "$(moving "$port" | jq -c '[.pin, .opening, .first]')" = '[null,null,"10.71.2.22"]' ]

	weir lb1 backend drain moving $old --no-wait
	state_is "$port" holding
	says "$port" "it goes from backend $old (draining) to backend"
	says "$port" "it has no pin and no opening"
	[ "$(moving "$port" | jq -r .first)" = $old ]
	[ "$(say_so)" = be2 ]
	says "$port" "pinned to backend $old (draining)"

	until_true 5 held moving
	state_is "$port" learning
	[ "$(say_so)" = be2 ]
	moving "$port" | jq -r '.text[]'
	says "$port" "flows of before may still be on backend $old (draining), for another"
	says "$port" "its next packet, if it is a connection that has begun, goes to backend $old"
	says "$port" "a new connection's first packet (SYN) goes to backend"
	[ "$(moving "$port" | jq -c '[.backend, .first != .backend, .pin.backend, .pin.holds, .pin.confirmed, .pin.closing, .pin.idle_ms < 2000]')" = \
		'["10.71.2.22",true,"10.71.2.22",true,false,false,true]' ]
	pin=$(pin_of "$port")
	echo "$pin"
	[ "$(jq -c 'del(.idle_ms, .slot)' <<<"$pin")" = '{"service":"moving","source":"10.71.1.2","source_port":'"$port"',"vip":"10.71.9.10","port":8080,"protocol":"tcp","backend":"10.71.2.22","kind":"pin","confirmed":false,"closing":false,"holds":true}' ]
	[ "$(jq .slot <<<"$pin")" = "$(moving "$port" | jq .slot)" ]

	# one that has sent nothing since has no pin; a new one is confirmed, and elsewhere
	[ "$(moving "$silent" | jq -c '[.backend, .pin, .opening]')" = '["10.71.2.22",null,null]' ]
	first=$(moving "$new" | jq -r '.first | "be" + .[-1:]')
	[ "$first" != be2 ]
	[ "$(answered "$new" http://10.71.9.10:8080)" = "$first" ]
	[ "$(moving "$new" | jq -r '.pin | [.backend[-1:], .confirmed, .holds] | tostring')" = "[\"${first#be}\",true,true]" ]
	says "$new" "its connection was seen to begin"

	for ((i = 0; i < 100; i++)); do
		[ "$(say_so)" = be2 ]
		if state_is "$port" remembering; then break; fi
		sleep 0.2
	done
	state_is "$port" remembering
	[ "$(say_so)" = be2 ]
	says "$port" "only flows that have a pin to another backend keep that one"
	[ "$(moving "$port" | jq -r .backend)" = $old ]
	[ "$(moving "$silent" | jq -r '.backend == .first')" = true ]
	[ "$(weir lb1 show backends moving --json | jq -c '.backends[1] | [.state, .slots, .flows.pins, .flows.free, .flows.longest_idle_ms < 4500]')" = \
		'["draining",0,1,false,true]' ]

	exec 8>&-
	wait $held_pid || true
	gone() { [ "$(weir lb1 show backends moving --json | jq -r '.backends[1].state')" = drained ]; }
	until_true 20 gone
	state_is "$port" settled
	[ "$(moving "$port" | jq -c '[.pin, .opening, .backend == .first, .backend != "10.71.2.22"]')" = "[null,null,true,true]" ]
	weir lb1 backend enable moving $old
}

@test "a handshake under way is told as an opening, until it is too old" {
	weir lb1 backend enable moving 10.71.2.22
	settled() { [ "$(weir lb1 show services moving --json | jq '.services[0] | .slot_states.settled == .slots and .openings == 0')" = true ]; }
	until_true 20 settled
	old=10.71.2.22
	port=$(port_at 43000 $old)
	weir lb1 backend drain moving $old
	until_true 5 held moving
	# from an address that answers nothing, so that the handshake stays where it is
	client /usr/bin/python3 - "$port" <<-'TEXT'
		import sys
		from scapy.all import IP, TCP, send
		send(IP(src="10.71.1.77", dst="10.71.9.10") / TCP(sport=int(sys.argv[1]), dport=8080, seq=1000, flags="S"), verbose=False)
	TEXT
	syn() { explained "10.71.1.77:$port" 10.71.9.10:8080; }
	until_true 3 eval '[ "$(syn | jq .opening)" != null ]'
	document=$(syn)
	echo "$document"
	if [ "$(jq -r .state <<<"$document")" = learning ] && [ "$(jq -r .first <<<"$document")" != $old ]; then
		[[ $document == *"a handshake with backend 10.71.2."*"is under way since"* ]]
	fi
	[ "$(jq -c '.opening | [.backend != "10.71.2.22", .confirmed, .holds]' <<<"$document")" = "[true,false,true]" ]
	[ "$(weir lb1 show pins --json | jq -c '[.pins[] | select(.kind == "opening") | .source, .confirmed, .holds]')" = '["10.71.1.77",false,true]' ]
	sleep 5.5
	[ "$(syn | jq '.opening == null or .opening.holds == false')" = true ]
	weir lb1 backend enable moving $old
}

@test "a connection that is known is live though it is silent: its backend and its service are not taken away without --force" {
	weir lb1 service set moving "learn 1h"
	old=10.71.2.21
	port=$(port_at 44000 $old)
	weir lb1 backend drain moving $old
	until_true 5 held moving
	hold "$port"
	name=$(say_so)
	[ "$name" != be1 ]
	sleep 11
	for words in "backend disable moving 10.71.2.2${name#be}" "service remove moving"; do
		# shellcheck disable=SC2086
		run weir lb1 $words
		echo "$output"
		[ "$status" -eq 1 ]
		[[ $output == *"it is live"*"--force"* ]]
	done
	[ "$(say_so)" = "$name" ]
	exec 8>&-
	wait $held_pid || true
	weir lb1 service set moving "learn 4s"
	weir lb1 backend enable moving $old
}

@test "it counts nothing and changes nothing" {
	counts() { weir lb1 show services --json | jq -c '[.services[] | .name, .packets, .bytes, .slots_moved]'; }
	before=$(counts)
	for port in $(seq 1 50); do explained "10.71.1.2:$port" "$VIP4:80" >/dev/null; done
	[ "$(counts)" = "$before" ]
	# slots of this service are in transition: a packet of these flows would have left something there
	[ "$(weir lb1 show services web4 --json | jq '.services[0].slot_states.learning > 4000')" = true ]
	[ "$(weir lb1 show pins web4 --json | jq '[.pins[] | select(.source_port <= 50)] | length')" = 0 ]
}

@test "no service there: it says so, and where the VIP does listen" {
	document=$(explained 10.71.1.2:5 "$VIP4:81")
	echo "$document"
	[ "$(jq -r .reason <<<"$document")" = not-service ]
	[[ $document == *"tcp 80"*web4* ]]
	document=$(explained 10.71.1.2:5 10.71.9.77:80)
	[[ $document == *"10.71.9.77 is no VIP"* ]]
	for words in "10.71.1.2:5" "10.71.1.2:5 $VIP4" "10.71.1.2:5 $VIP4:80x" "10.71.1.2:x $VIP4:80" "fd71::1 $VIP4:80" "10.71.1.2 $VIP4:80 icmp" "10.71.1.2 $VIP4:99999"; do
		# shellcheck disable=SC2086
		run weir lb1 explain $words
		echo "$words: $output"
		[ "$status" -eq 2 ]
	done
}
