#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# shellcheck disable=SC2154 # variables of agent.bash
#
# The agent's life: options, --check, start and what refuses it, signals, kill -9, unload. Drawing: tests/lib/agent.bash

load ../lib/agent

setup() {
	net_up
	good >"$dir/weir.conf"
}

teardown() { net_down; }

@test "options: wrong use is exit code 2, help and version 0" {
	for words in "--nonsense" "--take" "--config" "--log-level loud" "--check --unload" "--check=1" "word" "--socket /$(printf '%0120d' 1)"; do
		# shellcheck disable=SC2086
		run "$BUILD/weir-agent" $words
		echo "$words: $output"
		[ "$status" -eq 2 ]
		[ -n "$output" ]
	done
	run "$BUILD/weir-agent" --help
	[ "$status" -eq 0 ]
	for option in config socket state-dir bpffs metrics-file log-level check takeover unload; do [[ $output == *"--$option"* ]]; done
	run "$BUILD/weir-agent" --version
	[ "$status" -eq 0 ]
	[[ $output == "weir-agent "*layout* ]]
}

@test "--check needs no root and no interface, and tells all errors at their places" {
	cp "$BUILD/weir-agent" "$dir/weir-agent"
	check() { setpriv --reuid=65534 --regid=65534 --clear-groups "$dir/weir-agent" --check --config "$dir/weir.conf"; }
	sed -i s/wa0/not-there/ "$dir/weir.conf"
	run check
	echo "$output"
	[ "$status" -eq 0 ]
	printf 'service a {\n\tlisten 192.0.2.1 tcp 80x;\n\tforwrd dsr;\n\tbackend 10.0.0.300;\n}\n' >"$dir/weir.conf"
	run check
	echo "$output"
	[ "$status" -eq 78 ]
	for place in 2:23 3:2 4:10; do [[ $output == *"$dir/weir.conf:$place: error: "* ]]; done
	[[ $output == *"did you mean"*forward* ]]
	printf 'service a { listen 192.0.2.1 tcp 80; backend 10.0.0.3; ' >"$dir/weir.conf"
	run check
	[ "$status" -eq 78 ]
	rm "$dir/weir.conf"
	run check
	echo "$output"
	[ "$status" -eq 78 ]
	[[ $output == *"$dir/weir.conf"* ]]
}

@test "first start: attached and filled when it answers; SIGTERM: exit 0, forwarding stays, the next one adopts all" {
	start
	grep "ready: pid $pid" "$dir/log"
	[ "$(ask show xdp | head -n 1 | jq -r '.interfaces[0].mode')" = native ]
	[ "$(ask show backends | head -n 1 | jq -c '[.backends[] | [.state, .slots]]')" = '[["up",2048],["up",2048]]' ]
	program=$(link_id)
	[ "$program" -gt 0 ]
	ask show | head -n 1 >"$dir/before"
	stop
	[ $code -eq 0 ]
	[ ! -e "$dir/weir.sock" ]
	[ "$(link_id)" = "$program" ]
	start
	grep "maps adopted, program adopted, tables: 1 adopted, 0 built" "$dir/log"
	[ "$(link_id)" = "$program" ]
	ask show | head -n 1 >"$dir/after"
	"$top/tests/lib/only-counters-grew" "$dir/before" "$dir/after"
}

@test "kill -9: the stale socket is replaced, all is adopted" {
	start
	program=$(link_id)
	stop KILL
	[ -S "$dir/weir.sock" ]
	start
	[ "$(link_id)" = "$program" ]
	grep "tables: 1 adopted, 0 built" "$dir/log"
}

@test "a second agent on the same socket, state directory, bpffs or interface: exit 1 with path and pid; the first is unharmed" {
	start
	first=$pid program=$(link_id)
	second() { # WORDS in the message, then options
		local words=$1 word
		shift
		run agent "$@"
		echo "$output"
		[ "$status" -eq 1 ]
		for word in $words; do [[ $output == *"$word"* ]]; done
		[ "$(ask status | head -n 1 | jq .pid)" = "$first" ]
		[ "$(link_id)" = "$program" ]
		[ "$(code backend drain web 10.99.1.21)" = 0 ]
		[ "$(code backend enable web 10.99.1.21)" = 0 ]
	}
	second "$dir/weir.sock $first"
	second "$dir/state $first" --socket "$dir/two.sock" --bpffs "$dir/bpf/two"
	second "$dir/bpf/w $first" --socket "$dir/two.sock" --state-dir "$dir/two"
	second "wa0 $first" --socket "$dir/two.sock" --state-dir "$dir/two" --bpffs "$dir/bpf/two"
	[ ! -e "$dir/two.sock" ]
	[ ! -e "$dir/bpf/two" ]
}

@test "what cannot be started: exit 1 or 78 with one clear message, and nothing left behind" {
	refused() { # EXIT-CODE WORD OPTION...
		local want=$1 word=$2
		shift 2
		run agent "$@"
		echo "$output"
		[ "$status" -eq "$want" ]
		[[ $output == *"$word"* ]]
		[ "$(link_id)" = null ]
		[ -z "$(find "$dir/bpf" -mindepth 1 -name 'set-*')" ]
		[ ! -S "$dir/weir.sock" ]
	}
	refused 78 none.conf --config "$dir/none.conf"
	sed s/wa0/not-there/ "$dir/weir.conf" >"$dir/other.conf"
	refused 1 not-there --config "$dir/other.conf"
	echo text >"$dir/weir.sock"
	refused 1 "$dir/weir.sock" --config "$dir/weir.conf"
	[ "$(cat "$dir/weir.sock")" = text ]
	rm "$dir/weir.sock"
	refused 1 /proc/nonsense --state-dir /proc/nonsense
	mkdir -p "$dir/state"
	echo "this is { no" >"$dir/state/runtime.conf"
	refused 1 runtime.conf
	rm "$dir/state/runtime.conf"
	inside ip link set wa0 xdpgeneric obj "$BUILD/tools/lab/lab.bpf.o" sec xdp
	foreign=$(link_id)
	run agent
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *wa0*"$foreign"* ]]
	[ "$(link_id)" = "$foreign" ]
}

@test "--unload: not while an agent runs; then it says what it takes off, and leaves nothing" {
	start
	run agent --unload
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"$pid"* ]]
	[ "$(code version)" = 0 ]
	stop
	run agent --unload
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *wa0* ]]
	[ "$(link_id)" = null ]
	[ ! -e "$dir/bpf/w" ]
	run agent --unload
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the service manager is told: READY when attached, STATUS, RELOADING, WATCHDOG, STOPPING" {
	/usr/bin/python3 - "$dir/notify" >"$dir/told" 3>&- <<-'TEXT' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.settimeout(30)
		while True:
		    text = s.recv(4096).decode()
		    print(text.replace("\n", " "), flush=True)
		    if "STOPPING=1" in text:
		        break
	TEXT
	listener=$!
	until_true 5 test -S "$dir/notify"
	export NOTIFY_SOCKET=$dir/notify WATCHDOG_USEC=200000
	start
	unset NOTIFY_SOCKET WATCHDOG_USEC
	cat "$dir/told"
	grep "READY=1.*MAINPID=$pid.*STATUS=1 services, 2 of 2 backends up" "$dir/told"
	sleep 0.5
	[ "$(grep -c WATCHDOG=1 "$dir/told")" -ge 3 ]
	ask backend drain web 10.99.1.21
	grep "STATUS=1 services, 1 of 2 backends up" "$dir/told"
	: >"$dir/told"
	kill -HUP "$pid"
	until_true 5 grep READY=1 "$dir/told"
	grep "RELOADING=1 MONOTONIC_USEC=[0-9]" "$dir/told"
	stop
	wait "$listener"
	grep STOPPING=1 "$dir/told"
}

@test "the agent alone is small" {
	echo "interface wa0 { xdp native; } limits { services 1; }" >"$dir/weir.conf"
	start
	kib() { awk "/^$1:/ { print \$2 }" "/proc/$pid/status"; }
	echo "anonymous $(kib RssAnon) KiB, all $(kib VmRSS) KiB"
	[ "$(kib VmRSS)" -lt 16384 ]
}
