#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The command and a real agent, in a namespace of its own with a cable to nowhere: the documents are those that the other
# tests replay, the words arrive as they were meant, the exit codes are the promised ones.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

inside() { nsenter --net="/run/netns/$net" -- "$@"; }

setup_file() {
	export net=wagent$$ home
	home=$(mktemp -d)
	mkdir "$home/bpf"
	mount -t bpf bpf "$home/bpf"
	ip netns add "$net"
	inside ip link add eth0 type veth peer name far
	inside ip link set eth0 up
	inside ip link set far up
	inside ip addr add 10.77.0.1/24 dev eth0
	inside ip addr add 10.77.0.21/24 dev eth0
	cat >"$home/weir.conf" <<-'EOF2'
		interface eth0 { xdp native; }
		service web {
		    listen 192.0.2.10 tcp 80 443;
		    listen 2001:db8::10 tcp 80;
		    backend 10.77.0.1;
		    backend 10.77.0.12 { weight 2; }
		    fallback 10.77.0.99;
		}
	EOF2
	nsenter --net="/run/netns/$net" -- "$build/weir-agent" --config "$home/weir.conf" --socket "$home/sock" \
		--state-dir "$home/state" --bpffs "$home/bpf/weir" >"$home/log" 2>&1 3>&- &
	echo $! >"$home/pid"
	for _ in $(seq 100); do
		"$weir" status --socket "$home/sock" >/dev/null 2>&1 && return
		sleep 0.1
	done
	cat "$home/log"
	return 1
}

teardown_file() {
	kill "$(<"$home/pid")"
	ip netns del "$net"
	umount "$home/bpf"
	rm -rf "${home:?}"
}

setup() {
	agent=$BATS_TEST_TMPDIR # for call's files
	export WEIR_SOCKET=$home/sock
}

# Names of all members of a document, places in arrays taken as one.
members() {
	jq -r '[paths(type != "object" and type != "array")] | map(map(if type == "number" then "[]" else . end) | join(".")) | unique[]'
}

# does CODE PATTERN WORD...
does() {
	local want=$1 pattern=$2
	shift 2
	call "$@"
	same "code of: $*" "$want" "$code"
	# shellcheck disable=SC2053
	[[ $out$err == $pattern ]] || same "answer to: $*" "$pattern" "$out$err"
}

@test "its documents have the members of those in golden/" {
	for what in services backends drops xdp config; do
		call show $what --json
		same "code of show $what" 0 "$code"
		same "members of $what" "$(members <"$golden/$what.json")" "$(members <<<"$out")"
	done
	call status --json
	same "members of status" "$(members <"$golden/status.json")" "$(members <<<"$out")"
	call show --json
	same "members of show" "$(jq -s add "$golden"/{services,backends,drops,xdp}.json | members)" "$(members <<<"$out")"
	call events --json
	[ "$(jq -r '.time, .kind, .text' <<<"$out" | wc -l)" -ge 3 ]
}

@test "everything is shown" {
	does 0 "*web *up *192.0.2.10 tcp 80 443*2001:db8::10 tcp 80*" status
	does 0 "*web *10.77.0.1 *up *this machine itself*10.77.0.12 *joining*10.77.0.99*" show backends
	does 0 "*no-backend *drop *0 *" show drops no-backend
	does 0 "program weir, tag *eth0 *native*" show xdp eth0
	does 0 "weir *weir-agent *" version
	does 0 "*backend 10.77.0.1 *" explain 198.51.100.7:4000 192.0.2.10:80
	does 0 "*backend 10.77.0.1 *" explain '[2001:db8:7::7]:4000' '[2001:db8::10]:80' tcp
}

@test "exit codes" {
	does 4 'weir: service "wib": no such service (did you mean "web"?)' show services wib
	does 4 'weir: service "wib": *' backend drain wib 10.77.0.12
	does 4 'weir: *10.77.0.13*' backend drain web 10.77.0.13
	does 2 'weir: *' backend add web 10.77.0.13 weigth 2
	does 2 'weir: *' backend add web 10.77.0.13:80
	does 2 'weir: *' explain 198.51.100.7 nowhere:80
	does 1 'weir: *--force*' backend drain web 10.77.0.1
	does 1 'weir: *not supported yet*' service set web panic 30%
}

@test "backends: every verb, each idempotent" {
	does 0 'backend 10.77.0.13 added to "web"' backend add web 10.77.0.13 weight 2
	does 0 '*already*' backend add web 10.77.0.13 weight 2
	does 0 '*draining*takes no new flows*' backend drain web 10.77.0.13
	does 0 '*already draining*' backend drain web 10.77.0.13 --no-wait
	does 0 '*' backend enable web 10.77.0.13
	does 0 '*already*' backend enable web 10.77.0.13
	does 0 '*weight 5*' backend set web 10.77.0.13 weight 5
	does 0 '*weight 6*' backend weight web 10.77.0.13 6
	same weight 6 "$("$weir" show backends web --json | jq '.backends[] | select(.address == "10.77.0.13").weight')"
	does 0 '*' backend disable web 10.77.0.13
	does 0 '*already*' backend disable web 10.77.0.13
	does 0 '*removed*' backend remove web 10.77.0.13 --wait=10
	does 0 '*already*' backend remove web 10.77.0.13 --no-wait
}

@test "drain and remove come back when the hold is over; --wait: when there is nothing left" {
	does 0 '*added*' service add hold 'listen 192.0.2.30 tcp 80; learn 1s; learn-udp 1s; backend 10.77.0.1; backend 10.77.0.21'
	does 0 '*10.77.0.21*: up' backend enable hold 10.77.0.21 --wait=5
	begun=$(date +%s%3N)
	does 0 '*takes no new flows, keeps those it has: 0 known by pins; silent ones are known only after `learn`' backend drain hold 10.77.0.21
	took=$(($(date +%s%3N) - begun))
	[ $took -ge 900 ] && [ $took -lt 4000 ]
	same holding false "$("$weir" show backends hold --json | jq '.backends[] | select(.address == "10.77.0.21").flows.holding')"
	does 5 '*still draining after 0.2 s, and goes on: 0 pins *' backend drain hold 10.77.0.21 --wait=0.2
	does 0 '*: drained: it has no flows any more' backend drain hold 10.77.0.21 --wait=20
	does 0 '*: up' backend enable hold 10.77.0.21 --wait=5
	does 0 '*: gone' backend remove hold 10.77.0.21 --wait=20
	does 0 '*' service remove hold --force
}

@test "services: words with and without braces, one argument or many, from a file" {
	does 0 '*' service add a 'listen 192.0.2.20 tcp 80; affinity client; backend 10.77.0.1 { weight 3; }'
	does 0 '*' service add b listen 192.0.2.21 tcp 80 ';' affinity client ';' backend 10.77.0.1 '{' weight 3 '}'
	does 0 '*' service add 'c { listen 192.0.2.22 tcp 80; affinity client; backend 10.77.0.1 { weight 3 } }'
	call show config a
	a=$out
	for name in b c; do
		call show config $name
		same "text of $name" "$(sed "s/service a /service $name /; s/192.0.2.20/192.0.2.2$([ $name = b ] && echo 1 || echo 2)/" <<<"$a")" "$out"
	done
	does 0 '*' service remove a --force
	"$weir" service add -f - <<<"$a"
	does 0 "$a" show config a
	does 0 '*' service set a 'affinity none; forward ipip'
	same words "none ipip" "$("$weir" show services a --json | jq -r '.services[0] | "\(.affinity) \(.forward)"')"
	does 0 '*a*b*c*' diff
	does 0 '*reverted' revert
	does 0 'nothing differs from the file' diff
}

@test "words about flows: set, told by diff, taken back; limits are fixed" {
	does 0 'service "web" changed' service set web drain 10m ';' learn 2m ';' slow-start 90s
	does 0 '*is so already' service set web 'drain 600s; learn 120s'
	does 0 '*~ service web: drain 10m; slow-start 90s; learn 2m; (file: drain unlimited; slow-start off; learn 15m;)*' diff
	does 0 '*service web { # runtime*drain 10m;*on-down keep;*slow-start 90s;*learn 2m;*learn-udp 30s;*' show config web
	does 2 'weir: drain 10: a time needs a unit*' service set web drain 10
	does 2 'weir: learn 999ms: out of range, 1s-24h' service set web learn 999ms
	does 0 '*1 runtime change reverted*' revert web
	does 0 '*drain unlimited;*slow-start off;*learn 15m;*' show config web
	cp "$home/weir.conf" "$home/kept.conf"
	echo 'limits { pins 4096; }' >>"$home/weir.conf"
	does 1 '*weir.conf:*: error: limits: pins is 262144, not 4096: it is fixed while weir runs; start with --takeover to change it*' reload
	mv "$home/kept.conf" "$home/weir.conf"
}

@test "save and reload: the file says what is in force; a bad file is told with all its errors" {
	does 0 '*' backend add web 10.77.0.14
	does 0 '*' save
	grep -q 'backend 10.77.0.14' "$home/weir.conf"
	same "before" 0 "$(grep -c 'backend 10.77.0.14' "$home/weir.conf.before-save")"
	does 0 '*' reload
	does 0 'nothing differs from the file' diff
	cp "$home/weir.conf" "$home/good"
	printf 'lisen 1;\nservice web {\n' >>"$home/weir.conf"
	call reload
	same code 1 "$code"
	[ "$(grep -c "^weir: $home/weir.conf:[0-9]*:[0-9]*: error: " "$agent/err")" -ge 2 ]
	does 0 '*the last reload failed*' status
	cp "$home/good" "$home/weir.conf"
	does 0 '*' reload
}

@test "events -f follows" {
	"$weir" events -f >"$agent/out" 2>"$agent/err" 3>&- &
	pid=$!
	sleep 0.5
	"$weir" backend weight web 10.77.0.12 77
	sleep 0.5
	kill $pid
	grep -q 'web 10.77.0.12: weight 77' "$agent/out"
}

@test "completion offers what the agent has" {
	same services web "$("$weir" __complete show services w)"
	same backends "10.77.0.12 10.77.0.14" "$("$weir" __complete backend drain web 10.77.0.1 | grep -v '0.1$' | sort | xargs)"
}
