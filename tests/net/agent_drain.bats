#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2154 # variables of agent.bash
#
# What becomes of a backend that is drained or removed, and of one that comes slowly, as the agent tells it; over restarts too. No packets here:
# what becomes of connections is change.bats's. Drawing: tests/lib/agent.bash

load ../lib/agent

setup() {
	net_up
	config >"$dir/weir.conf"
}

teardown() { net_down; }

# config WORDS...: of the service, beside short windows
config() {
	echo "interface wa0 { xdp native; }"
	echo "service web { listen 10.99.9.9 tcp 80; slots 4096; learn 1s; learn-udp 1s; $* backend 10.99.1.21; backend 10.99.1.22; }"
}

backends() { ask show backends web | head -n 1; }
# told ADDR FILTER: of that backend
told() { backends | jq -r --arg address "$1" ".backends[] | select(.address == \$address) | $2"; }
is() { [ "$(told "$1" .state)" = "$2" ]; }
gone() { [ -z "$(told "$1" .state)" ]; }
slot_states() { ask show services web | head -n 1 | jq -c '.services[0].slot_states'; }
settled() { [ "$(ask show services web | head -n 1 | jq '.services[0] | .slot_states.settled == .slots')" = true ]; }
text() { ask "$@" | tail -n 1 | jq -r '.text // .error'; }
kinds() { ask events | jq -r 'select(.kind) | .kind + " " + (.backend // "")'; }

@test "a drained backend that has no flow is drained within seconds, and all slots settle" {
	start
	run text backend drain web 10.99.1.21
	echo "$output"
	[[ $output == 'backend 10.99.1.21 of "web" is draining: '*"stay until they end" ]]
	is 10.99.1.21 draining
	[ "$(told 10.99.1.21 '.slots, .drain_left_ms, .flows.holding, .flows.named, .flows.free' | tr '\n' ' ')" = "0 null true true false " ]
	[ "$(slot_states | jq .holding)" = 2048 ]
	[ "$(ask status | head -n 1 | jq '.services[0].slots_in_transition')" = 2048 ]
	[[ $(problems) != *transition* ]]
	held() { [ "$(told 10.99.1.21 .flows.holding)" = false ]; }
	until_true 3 held
	is 10.99.1.21 draining
	[[ $(text backend drain web 10.99.1.21) == *"already draining"* ]]
	until_true 20 is 10.99.1.21 drained
	settled
	[ "$(told 10.99.1.21 '.flows.named, .flows.free' | tr '\n' ' ')" = "false true " ]
	[[ $(text backend drain web 10.99.1.21) == *"already drained"* ]]
	[[ $(kinds) == *$'backend-draining 10.99.1.21\nbackend-drained 10.99.1.21' ]]
	metric() { grep -c '^weir_backend_transitions_total{service="web",backend="10.99.1.21",to="drained"} 1$' "$dir/weir.prom"; }
	until_true 10 metric
	[ "$(code backend enable web 10.99.1.21)" = 0 ]
	is 10.99.1.21 up
	[ "$(told 10.99.1.21 .slots)" = 2048 ]
	until_true 20 settled
}

@test "a removed backend stays until it has no flow; only then its index is another's" {
	start
	index=$(told 10.99.1.21 .index)
	run text backend remove web 10.99.1.21
	echo "$output"
	[[ $output == 'backend 10.99.1.21 of "web" is being removed: it keeps the flows it has until they end' ]]
	is 10.99.1.21 removing
	[[ $(text backend remove web 10.99.1.21) == *"already being removed"* ]]
	[[ $(ask show config | head -n 1) != *10.99.1.21* ]]
	[[ $(text backend add web 10.99.1.23) == *added* ]]
	[ "$(told 10.99.1.23 .index)" != "$index" ]
	until_true 30 gone 10.99.1.21
	[[ $(kinds) == *"backend-removed 10.99.1.21"* ]]
	[[ $(text backend remove web 10.99.1.21) == *"already removed"* ]]
	[[ $(text backend add web 10.99.1.24) == *added* ]]
	[ "$(told 10.99.1.24 .index)" = "$index" ]
}

@test "a backend that is being removed and comes back has its index, and is up" {
	start
	index=$(told 10.99.1.21 .index)
	[ "$(code backend remove web 10.99.1.21)" = 0 ]
	is 10.99.1.21 removing
	[ "$(code backend add web 10.99.1.21)" = 0 ]
	is 10.99.1.21 up
	[ "$(told 10.99.1.21 .index)" = "$index" ]
	[ "$(backends | jq '.backends | length')" = 2 ]
	until_true 20 settled
	is 10.99.1.21 up
}

@test "--force cuts at once: drain, remove, and what drains or is being removed already" {
	config "learn 1h;" | sed 's/learn 1s; //' >"$dir/weir.conf"
	start
	run text backend drain web 10.99.1.21 --force
	echo "$output"
	[[ $output == *"is drained: its flows are cut"* ]]
	is 10.99.1.21 drained
	[ "$(code backend enable web 10.99.1.21)" = 0 ]
	[ "$(code backend drain web 10.99.1.21)" = 0 ]
	is 10.99.1.21 draining
	[[ $(text backend drain web 10.99.1.21 --force) == *"is drained: its flows are cut"* ]]
	is 10.99.1.21 drained
	[ "$(code backend enable web 10.99.1.21)" = 0 ]
	[[ $(text backend remove web 10.99.1.21 --force) == *"is removed: its flows are cut"* ]]
	gone 10.99.1.21
	[ "$(code backend add web 10.99.1.21)" = 0 ]
	[ "$(code backend remove web 10.99.1.21)" = 0 ]
	is 10.99.1.21 removing
	[[ $(text backend remove web 10.99.1.21 --force) == *"is removed: its flows are cut"* ]]
	gone 10.99.1.21
	[[ $(text backend remove web 10.99.1.21 --force) == *"already removed" ]]
	[ "$(kinds | grep -c "flows-cut 10.99.1.21")" = 4 ]
	[ "$(told 10.99.1.22 .slots)" = 4096 ]
}

@test "drain TIME: at its end the flows are cut, not before" {
	config "drain 4s;" | sed 's/learn 1s;/learn 1h;/' >"$dir/weir.conf"
	start
	[[ $(text backend drain web 10.99.1.21) == *"stay until they end, at most 4s" ]]
	left=$(told 10.99.1.21 .drain_left_ms)
	echo "left $left ms"
	[ "$left" -gt 2000 ] && [ "$left" -le 4000 ]
	sleep 2
	is 10.99.1.21 draining
	until_true 4 is 10.99.1.21 drained
	[ "$(told 10.99.1.21 .drain_left_ms)" = null ]
	ask events | grep '"flows-cut".*10.99.1.21.*time is over'
	# the same for one that is being removed, and over a restart
	[ "$(code backend enable web 10.99.1.21)" = 0 ]
	[ "$(code backend remove web 10.99.1.21)" = 0 ]
	stop KILL
	start
	is 10.99.1.21 removing
	[ "$(told 10.99.1.21 .drain_left_ms)" -le 4000 ]
	until_true 6 gone 10.99.1.21
}

@test "weight 0 drains too, and says so" {
	start
	[[ $(text backend weight web 10.99.1.21 0) == *'weight 0: it is draining: '*"stay until they end" ]]
	is 10.99.1.21 draining
	until_true 20 is 10.99.1.21 drained
	[[ $(text backend weight web 10.99.1.21 1) == *'"web": weight 1' ]]
	is 10.99.1.21 up
}

@test "a limit that is set later counts from when the drain began" {
	config | sed 's/learn 1s;/learn 1h;/' >"$dir/weir.conf"
	start
	[ "$(code backend drain web 10.99.1.21)" = 0 ]
	sleep 1
	is 10.99.1.21 draining
	[ "$(code service set web "drain 1s")" = 0 ]
	until_true 3 is 10.99.1.21 drained
}

@test "slow start: the share grows in steps, never for the first backend nor after a start" {
	config "slow-start 6s;" >"$dir/weir.conf"
	start
	[ "$(backends | jq -c '[.backends[] | .ramp, .slots]')" = "[null,2048,null,2048]" ]
	[ "$(code backend add web 10.99.1.23)" = 0 ]
	if [ "$(told 10.99.1.23 .state)" = joining ]; then # nobody has that address in this net: it joins when it answers
		ip -n "$net-far" addr add 10.99.1.23/24 dev far0
		until_true 10 is 10.99.1.23 up
	fi
	last=0 steps=0
	for ((n = 0; n < 200; n++)); do
		read -r slots ramp < <(told 10.99.1.23 '"\(.slots) \(.ramp)"')
		[ "$slots" -ge "$last" ]
		if [ "$slots" -gt "$last" ]; then steps=$((steps + 1)); fi
		last=$slots
		if [ "$ramp" = null ]; then break; fi
		# the share is the quota's part that it says, to a step
		[ "$(jq -n --argjson slots "$slots" --argjson ramp "$ramp" '($slots / 4096 - $ramp / 3 | fabs) < 0.04')" = true ]
		sleep 0.1
	done
	echo "steps $steps, at last $last slots"
	[ "$ramp" = null ]
	[ "$steps" -ge 10 ]
	[ "$(jq -n --argjson slots "$last" '($slots - 4096 / 3 | fabs) <= 1')" = true ]
	stop KILL
	start
	[ "$(told 10.99.1.23 .ramp)" = null ]
	[ "$(told 10.99.1.23 .slots)" = "$last" ]
}

# The words of state, and that something is still in transition.
states() { backends | jq -c '[.backends[] | [.address, .index, .state]]'; }

@test "a restart, and a takeover, in the middle: states and indexes are kept, and it goes on" {
	config | sed 's/learn 1s;/learn 5s;/; s/backend 10.99.1.22;/backend 10.99.1.22; backend 10.99.1.23;/' >"$dir/weir.conf"
	ip -n "$net-far" addr add 10.99.1.23/24 dev far0
	start
	[ "$(code backend drain web 10.99.1.21)" = 0 ]
	[ "$(code backend remove web 10.99.1.23)" = 0 ]
	before=$(states)
	echo "$before"
	[[ $before == *draining*removing* ]]
	for how in KILL TERM; do
		stop $how
		start
		[ "$(states)" = "$before" ]
		[ "$(slot_states | jq '.holding + .learning > 0')" = true ]
	done
	old=$pid
	start --takeover
	wait "$old" || true
	[ "$(states)" = "$before" ]
	[ "$(slot_states | jq '.holding + .learning > 0')" = true ]
	until_true 30 is 10.99.1.21 drained
	until_true 30 gone 10.99.1.23
	settled
	stop KILL
	start
	is 10.99.1.21 drained
	gone 10.99.1.23
}

@test "a file that no longer names a backend removes it, by reload and by a restart" {
	config | sed 's/learn 1s;/learn 4s;/' >"$dir/weir.conf"
	start
	sed -i 's/backend 10.99.1.21; //' "$dir/weir.conf"
	[ "$(code reload)" = 0 ]
	is 10.99.1.21 removing
	[[ $(text reload) == *"1 of 1 backends up"* ]]
	config | sed 's/learn 1s;/learn 4s;/' >"$dir/weir.conf"
	[ "$(code reload)" = 0 ]
	is 10.99.1.21 up
	stop KILL
	sed -i 's/backend 10.99.1.21; //' "$dir/weir.conf"
	start
	is 10.99.1.21 removing
	[ "$(told 10.99.1.21 .way.state)" = ready ]
	until_true 30 gone 10.99.1.21
}
