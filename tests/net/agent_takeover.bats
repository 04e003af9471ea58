#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2154 # variables of agent.bash
#
# One agent after the other without a gap; and what a takeover that fails must leave: the old agent, as if nothing had been.
# Drawing: tests/lib/agent.bash

load ../lib/agent

setup() {
	net_up
	good >"$dir/weir.conf"
}

teardown() { net_down; }

# All that is shown but how far slots in transition are, which time alone changes.
shown() { ask show | head -n 1 | jq -c 'del(.. | .slot_states?, .flows?)'; }

# half_taken SECONDS [WORD]: a process that asks for a takeover, says WORD after that time, and goes.
half_taken() {
	/usr/bin/python3 - "$dir/weir.sock" "$@" 3>&- <<-'TEXT'
		import array, socket, sys, time
		s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
		s.connect(sys.argv[1])
		s.sendall(b"takeover\n")
		text, control, *_ = s.recvmsg(4096, 4096)
		print(text.decode(), sum(len(data) // 4 for level, kind, data in control), "descriptors", flush=True)
		time.sleep(float(sys.argv[2]))
		s.sendall("".join(sys.argv[3:]).encode())
	TEXT
}

@test "without a running agent --takeover just starts" {
	start --takeover
	[ "$(events)" = started ]
	stop
	start --takeover
	grep "tables: 1 adopted, 0 built" "$dir/log"
}

@test "takeover: the new one answers, the old one has exited with 0, link, socket and changes are the same" {
	start
	old=$pid program=$(link_id) socket=$(stat -c %i "$dir/weir.sock")
	ask backend drain web 10.99.1.21
	shown >"$dir/before"
	ask events follow >"$dir/followed" 3>&- &
	until_true 5 grep -q backend-draining "$dir/followed"
	start --takeover
	code=0
	wait "$old" || code=$?
	[ $code -eq 0 ]
	[ "$pid" != "$old" ]
	[ "$(link_id)" = "$program" ]
	[ "$(stat -c %i "$dir/weir.sock")" = "$socket" ]
	shown >"$dir/after"
	"$top/tests/lib/only-counters-grew" "$dir/before" "$dir/after"
	[ "$(events | tr '\n' ' ')" = "started backend-draining took-over " ]
	[ "$(code backend enable web 10.99.1.21)" = 0 ]
	until_true 5 grep -q took-over "$dir/followed" # who follows events goes on to do so
	until_true 5 grep -q backend-up "$dir/followed"
	# the next agent that is refused is told of the new one
	for options in "" "--socket $dir/two.sock" "--socket $dir/two.sock --state-dir $dir/two"; do
		# shellcheck disable=SC2086
		run agent $options
		echo "$output"
		[ "$status" -eq 1 ]
		[[ $output == *"$pid"* ]]
	done
}

@test "a new agent with another state directory holds that one" {
	start
	start --takeover --state-dir "$dir/other"
	none flock -n "$dir/other/lock" true
	flock -n "$dir/state/lock" true
}

@test "no client is turned away while ten agents follow each other" {
	start
	asking() {
		local n
		for ((n = 0; n < 600; n++)); do ask version | tail -n 1; done >"$dir/answers"
	}
	asking 3>&- &
	asker=$!
	for ((i = 0; i < 10; i++)); do
		old=$pid
		start --takeover
		wait "$old"
	done
	wait "$asker"
	grep -c '"code":0' "$dir/answers"
	[ "$(grep -c '"code":0' "$dir/answers")" = 600 ]
}

@test "other limits: another set of maps, filled before the old one goes; backends and changes are kept" {
	start
	ask backend drain web 10.99.1.21
	echo "limits { services 12; backends 100; }" >>"$dir/weir.conf"
	run ask reload
	echo "$output"
	[[ $output == *'"code":1'*limits*takeover* ]]
	start --takeover
	grep "maps new" "$dir/log"
	[ "$(ask show backends | head -n 1 | jq -c '[.backends[] | [.state, .slots]]')" = '[["draining",0],["up",4096]]' ]
	[ "$(find "$dir/bpf/w" -maxdepth 1 -name 'set-*' | wc -l)" = 1 ]
}

@test "a file that fits the limits, but not beside what it replaces, starts on new maps" {
	echo "limits { services 2; backends 3; }" >>"$dir/weir.conf"
	echo "service b { listen 10.99.9.10 tcp 80; slots 4096; backend 10.99.1.21; }" >>"$dir/weir.conf"
	start
	sed -i 's/service b /service c /' "$dir/weir.conf"
	run ask reload
	echo "$output"
	[[ $output == *'"code":1'*takeover* ]]
	start --takeover
	[ "$(ask show services | head -n 1 | jq -r '[.services[] | [.name, .slot_states.settled]] | tostring')" = '[["web",4096],["c",4096]]' ]
	grep "maps new" "$dir/log"
	[ "$(find "$dir/bpf/w" -maxdepth 1 -name 'set-*' | wc -l)" = 1 ]
	# the same where no agent runs meanwhile, with a backend
	stop KILL
	sed -i 's/backend 10.99.1.22/backend 10.99.1.23/' "$dir/weir.conf"
	start
	[ "$(ask show backends web | head -n 1 | jq -r '[.backends[].address] | tostring')" = '["10.99.1.21","10.99.1.23"]' ]
	[ "$(find "$dir/bpf/w" -maxdepth 1 -name 'set-*' | wc -l)" = 1 ]
}

@test "a new agent that cannot start leaves the old one as it was" {
	start
	program=$(link_id)
	fails() { # EXIT-CODE OPTION...
		local want=$1
		shift
		shown >"$dir/before"
		run agent --takeover "$@"
		echo "$output"
		[ "$status" -eq "$want" ]
		[ "$(ask status | head -n 1 | jq .pid)" = "$pid" ]
		[ "$(link_id)" = "$program" ]
		shown >"$dir/after"
		"$top/tests/lib/only-counters-grew" "$dir/before" "$dir/after"
		[ "$(code backend drain web 10.99.1.21)" = 0 ]
		[ "$(code backend enable web 10.99.1.21)" = 0 ]
		"$top/tests/lib/abuse" "$dir/weir.sock" half
	}
	echo nonsense >"$dir/bad.conf"
	fails 78 --config "$dir/bad.conf"
	{ good; echo "interface not-there { xdp native; }"; } >"$dir/bad.conf"
	fails 1 --config "$dir/bad.conf"
	fails 1 --bpffs "$dir/bpf/other"
	[ ! -e "$dir/bpf/other" ]
	ask show | head -n 1 | jq -c '[.backends[].slots]'
}

@test "a new agent that dies on the way, or stops saying anything, is not waited for for ever" {
	start
	[[ $(half_taken 0) == *'"code":0'*"descriptors"* ]]
	[ "$(code version)" = 0 ]
	half_taken 1 >"$dir/taken" &
	until_true 5 grep descriptors "$dir/taken"
	began=$(date +%s%N)
	[ "$(code version)" = 0 ] # waits until the other one is gone
	waited=$((($(date +%s%N) - began) / 1000000))
	echo "waited $waited ms"
	[ $waited -lt 3000 ]
	half_taken 30 >"$dir/taken" &
	silent=$!
	sleep 0.5
	until_true 13 grep -c "has not taken over: going on" "$dir/log"
	[ "$(code version)" = 0 ]
	half_taken 0.1 nonsense
	[ "$(code backend drain web 10.99.1.21)" = 0 ]
	kill "$silent"
	[ "$(ask status | head -n 1 | jq .pid)" = "$pid" ]
	kill -0 "$pid"
}
