#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# shellcheck disable=SC2154 # variables of agent.bash
#
# The control socket: who may, what it stands, and that nothing is in force that would be forgotten. Drawing: tests/lib/agent.bash

load ../lib/agent

setup() {
	net_up
	good >"$dir/weir.conf"
}

teardown() { net_down; }

# start_with_groups LINE...: as start, in a mount namespace whose /etc/group has these lines too
start_with_groups() {
	{ cat /etc/group; printf '%s\n' "$@"; } >"$dir/group"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nmount --bind %s/group /etc/group && exec %s/weir-agent "$@"\n' "$dir" "$BUILD" >"$dir/in-mounts"
	chmod +x "$dir/in-mounts"
	launch_binary="unshare --mount --propagation private $dir/in-mounts" start
}

# as UID GROUPS WORD...: one request as somebody else; its code
as() {
	local uid=$1 groups=$2
	shift 2
	printf '%s\n' "$*" | setpriv --reuid="$uid" --regid="$uid" --groups="$groups" timeout 5 nc -N -U "$dir/weir.sock" | tail -n 1 | jq .code
}

@test "without a group weir the socket is root's alone, and that is said" {
	if getent group weir; then skip "this machine has a group weir"; fi
	start
	[ "$(stat -c '%a %U' "$dir/weir.sock")" = "600 root" ]
	[ "$(as 12345 12346 status)" = "" ]
	[[ $(problems) == *'no group "weir"'* ]]
}

@test "members of group weir read; members of the write group change; nobody else than root takes over" {
	good >"$dir/weir.conf"
	echo "control { write group weirops; }" >>"$dir/weir.conf"
	start_with_groups weir:x:4711: weirops:x:4712:
	[ "$(stat -c '%a %u %g' "$dir/weir.sock")" = "660 0 4711" ]
	[[ $(problems) != *"no group"* ]]
	[ "$(as 12345 4713 status)" = "" ] # may not connect at all
	for words in status "show config" "explain 10.0.0.1:5 10.99.9.9:80" events diff version; do [ "$(as 12345 4711 "$words")" = 0 ]; done
	for words in "backend drain web 10.99.1.21" "service remove web" reload save revert takeover; do [ "$(as 12345 4711 "$words")" = 1 ]; done
	[ "$(as 12345 4711,4712 backend drain web 10.99.1.21)" = 0 ]
	[ "$(as 12345 4711,4712 reload)" = 0 ]
	[ "$(as 12345 4711,4712 takeover)" = 1 ]
	[ "$(ask show backends | head -n 1 | jq -r '.backends[0].state')" = draining ]
}

@test "what is not supported yet, or no word at all, is refused as such" {
	start
	for words in "vrrp release edge" "show vrrp" "apply x" "trace" "diff other.conf"; do
		run ask "$words"
		echo "$words: $output"
		[[ $output == *'"code":1'*"not supported yet"* ]]
	done
	[[ $(ask statu) == *'"code":2'*'did you mean'*status* ]]
	[[ $(ask show backnds) == *'"code":2'*'did you mean'*backends* ]]
	[[ $(ask show backends wib) == *'"code":4'*'did you mean'*web* ]]
	[[ $(ask backend drain wib 10.99.1.21) == *'"code":4'*'did you mean'*web* ]]
	[[ $(ask "status; status") == *'"code":2'* ]]
	[[ $(ask "events nonsense") == *'"code":2'* ]]
}

@test "no client can make it stop, stall or grow" {
	start
	anonymous() { awk '/^RssAnon:/ { print $2 }' "/proc/$pid/status"; }
	before=$(anonymous)
	for kind in garbage half endless zero many hangup hoard follow unread; do
		echo "$kind"
		"$top/tests/lib/abuse" "$dir/weir.sock" "$kind"
	done
	[ "$(ask status | head -n 1 | jq .pid)" = "$pid" ]
	echo "anonymous memory: $before KiB, then $(anonymous) KiB"
	[ "$(anonymous)" -lt $((before + 8192)) ]
	grep "does not read its reply: dropped" "$dir/log"
}

@test "changes: idempotent, kept over kill -9, reverted, saved" {
	start
	text() { ask "$@" | tail -n 1 | jq -r '.text // .error'; }
	text backend drain web 10.99.1.21
	generation=$(ask status | head -n 1 | jq .config.generation)
	[[ $(text backend drain web 10.99.1.21) == *already* ]]
	[ "$(ask status | head -n 1 | jq .config.generation)" = "$generation" ]
	[ "$(code service add other "{ listen 10.99.9.9 udp 53; slots 4096; backend 10.99.1.22; }")" = 0 ]
	stop KILL
	start
	[ "$(ask show backends | head -n 1 | jq -c '[.backends[] | [.service, .state, .runtime]]')" = \
		'[["web","draining",true],["web","up",false],["other","up",true]]' ]
	text diff
	[ "$(text diff | wc -l)" -ge 2 ]
	[ "$(code revert web 10.99.1.21)" = 0 ]
	[ "$(ask show backends | head -n 1 | jq -r '.backends[0].state')" = up ]
	[ "$(code revert nosuch)" = 4 ]
	[ "$(code save)" = 0 ]
	cat "$dir/weir.conf"
	grep -q "service other" "$dir/weir.conf"
	good | cmp - "$dir/weir.conf.before-save"
	[ "$(ask status | head -n 1 | jq .config.runtime_changes)" = 0 ]
	[ "$(code reload)" = 0 ]
	[ "$(ask show services | head -n 1 | jq '.services | length')" = 2 ]
	[[ $(text save) == *"no runtime changes"* ]]
}

@test "save keeps what the file is: a link, its owner, its mode" {
	mv "$dir/weir.conf" "$dir/real.conf"
	ln -s real.conf "$dir/weir.conf"
	chown 12345:12346 "$dir/real.conf"
	chmod 640 "$dir/real.conf"
	start
	[ "$(code backend drain web 10.99.1.21)" = 0 ]
	[ "$(code save)" = 0 ]
	[ "$(readlink "$dir/weir.conf")" = real.conf ]
	grep -q draining "$dir/real.conf"
	good | cmp - "$dir/real.conf.before-save"
	for file in real.conf real.conf.before-save; do [ "$(stat -c '%a %u %g' "$dir/$file")" = "640 12345 12346" ]; done
}

@test "where the file's text for an object has changed, the file wins, for good, and it is said" {
	start
	[ "$(code backend drain web 10.99.1.21)" = 0 ]
	[ "$(code backend weight web 10.99.1.22 7)" = 0 ]
	states() { ask show backends | head -n 1 | jq -c '[.backends[] | [.state, .weight, .runtime]]'; }
	good | sed 's/10.99.1.21;/10.99.1.21 { weight 3; }/' >"$dir/weir.conf"
	run ask reload
	echo "$output"
	[[ $output == *'"code":0'*'"warnings":['*10.99.1.21* ]]
	[ "$(states)" = '[["up",3,false],["up",7,true]]' ]
	good | sed 's/10.99.1.21;/10.99.1.21 { weight 3; }/; s/10.99.1.22;/10.99.1.22 { weight 2; }/' >"$dir/weir.conf"
	stop KILL
	start
	[ "$(states)" = '[["up",3,false],["up",2,false]]' ]
	[ "$(events | grep -c file-wins)" = 2 ]
	good >"$dir/weir.conf"
	stop
	start
	[ "$(states)" = '[["up",1,false],["up",1,false]]' ]
	[ "$(events | grep -c file-wins)" = 2 ]
}

@test "a change that cannot be kept is not made" {
	mkdir "$dir/state"
	mount -t tmpfs -o size=64k,mode=0750 tmpfs "$dir/state"
	start
	dd if=/dev/zero of="$dir/state/full" bs=4k 2>/dev/null || true
	before=$(ask show | head -n 1)
	run ask backend drain web 10.99.1.21
	echo "$output"
	[[ $output == *'"code":1'*"$dir/state/runtime.conf"* ]]
	[ "$(ask show | head -n 1 | jq -S 'del(.. | .packets?, .bytes?)')" = "$(jq -S 'del(.. | .packets?, .bytes?)' <<<"$before")" ]
	rm "$dir/state/full"
	[ "$(code backend drain web 10.99.1.21)" = 0 ]
	stop KILL
	umount "$dir/state"
}

@test "harm needs --force: the last backend, and one that packets go to" {
	start
	[ "$(code backend drain web 10.99.1.21)" = 0 ]
	for words in "backend remove web 10.99.1.22" "backend drain web 10.99.1.22" "backend disable web 10.99.1.22" "backend weight web 10.99.1.22 0"; do
		run ask "$words"
		echo "$output"
		[[ $output == *'"code":1'*--force* ]]
	done
	[ "$(code backend add web 10.99.1.99)" = 0 ] # nobody answers there
	[[ $(ask backend drain web 10.99.1.22) == *"last one that is up: --force does it all the same, and cuts its flows"* ]]
	[ "$(code backend remove web 10.99.1.99)" = 0 ]
	[ "$(code backend disable web 10.99.1.22 --force)" = 0 ]
	[[ $(problems) == *'"web": no usable backend'* ]]
	[ "$(code backend enable web 10.99.1.21)" = 0 ]
	[ "$(code backend enable web 10.99.1.22)" = 0 ]

	# traffic to both: a client behind the veth, whose SYNs the agent's interface gets
	ip -n "$net-far" route add 10.99.9.9 via 10.99.1.11
	for ((i = 0; i < 20; i++)); do nsenter --net="/run/netns/$net-far" -- timeout 0.05 nc 10.99.9.9 80 </dev/null || true; done
	[ "$(ask show backends | head -n 1 | jq '[.backends[].packets] | min')" -gt 0 ]
	run ask backend disable web 10.99.1.21
	echo "$output"
	[[ $output == *'"code":1'*--force* ]]
	[ "$(code backend disable web 10.99.1.21 --force)" = 0 ]
}

@test "events: the last 1,000, kept over SIGTERM and SIGKILL, whatever the file's end looks like; followers get each" {
	start
	ask events follow >"$dir/followed" 3>&- &
	until_true 5 grep -q started "$dir/followed"
	ask backend drain web 10.99.1.21
	stop KILL
	wait # the follower ends with the agent
	grep backend-draining "$dir/followed"
	printf '{"time":"2026-01-01T00:00:00.000Z","kind":"cut' >>"$dir/state/events"
	start
	grep "left out 1 line" "$dir/log"
	[ "$(events | tr '\n' ' ')" = "started backend-draining started " ]
	for ((i = 0; i < 1100; i++)); do echo "backend set web 10.99.1.22 weight $((1 + i % 2 * 7))"; done |
		nc -N -U "$dir/weir.sock" | grep -c '"code":0'
	[ "$(events | wc -l)" = 1000 ]
	stop
	start
	[ "$(events | wc -l)" = 1000 ]
	[ "$(events | tail -n 2 | tr '\n' ' ')" = "stopped started " ]
	[ "$(wc -l <"$dir/state/events")" -le 3000 ]
}

@test "an interface that goes and comes back is attached again" {
	start
	ip -n "$net-far" link del far0
	gone() { problems | grep -q "wa0.*is not there"; }
	until_true 5 gone
	wire
	back() { [ "$(link_id)" != null ] && [ "$(ask show backends | head -n 1 | jq -r '[.backends[].way.state] | unique[]')" = ready ]; }
	until_true 10 back
	events
	events | grep interface-gone
	events | grep interface-back
	none gone
}

@test "a link that fails with many backends does not push everything out of the events" {
	{
		echo "interface wa0 { xdp native; }"
		for ((i = 1; i <= 10; i++)); do
			echo "service s$i { listen 10.99.9.$i tcp 80; slots 4096;"
			for ((k = 100; k < 150; k++)); do echo "backend 10.99.1.$k;"; done
			echo "}"
		done
	} >"$dir/weir.conf"
	for ((k = 100; k < 150; k++)); do ip -n "$net-node" neigh add 10.99.1.$k lladdr 02:00:00:00:00:02 dev wa0; done
	start
	[[ $(ask status | head -n 1 | jq -c '[.services[].backends.up] | add') = 500 ]]
	ip -n "$net-far" link set far0 down
	down() { [ "$(ask show backends | head -n 1 | jq '[.backends[] | select(.way.state == "down")] | length')" = 500 ]; }
	until_true 5 down
	until_true 5 eval 'events | grep ways-changed'
	[ "$(events | grep -c way-down)" -le 40 ]
	problems
	[ "$(problems | grep -c "and 49 more: way down")" = 10 ]
}

@test "status tells what is wrong" {
	good >"$dir/weir.conf"
	start --metrics-file "$dir/no/such/dir/weir.prom"
	metrics() { problems | grep "metrics: .*no/such/dir"; }
	until_true 5 metrics
	[ "$(code service add t "{ listen 10.99.9.8 tcp 80; forward ipip; slots 4096; backend 10.99.1.21; backend 10.99.1.77; backend 10.55.0.1; }")" = 0 ]
	ip -n "$net-node" link add wa1 type veth peer name wa2
	ip -n "$net-node" addr add 10.99.2.1/24 dev wa1
	ip -n "$net-node" link set wa1 up
	ip -n "$net-node" link set wa2 up
	ip -n "$net-node" neigh add 10.99.2.2 lladdr 02:00:00:00:00:02 dev wa1
	[ "$(code service add u "{ listen 10.99.9.7 tcp 80; slots 4096; backend 10.99.2.2; backend 10.99.1.21; }")" = 0 ]
	problems
	problems | grep 'backend 10.99.1.21 of "t".*1480'
	problems | grep 'backend 10.99.1.77 of "t" and 1 more: way unresolved'
	problems | grep 'backend 10.99.2.2 of "u": the way out is wa1'
	echo nonsense >>"$dir/weir.conf"
	[ "$(code reload)" = 1 ]
	problems | grep "last reload failed: .*nonsense"
	good >"$dir/weir.conf"
	[ "$(code reload)" = 0 ]
	none grep "last reload failed" <<<"$(problems)"
	ip -n "$net-node" link set wa0 down
	down() { problems | grep "interface wa0: is down"; }
	until_true 5 down
}
