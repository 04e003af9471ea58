#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Completion, through bash's own machinery: the script is loaded, a line is typed, the candidates are read.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	start_agent
	answers '{"done":true,"code":0}'
	answers_to "show services" "$(document services.json)" '{"done":true,"code":0}'
	answers_to "show backends web" "$(document backends.json)" '{"done":true,"code":0}'
	answers_to "show drops" "$(document drops.json)" '{"done":true,"code":0}'
	PATH=$build:$PATH
}
teardown() { stop_agent; }

# completes LINE CANDIDATE...: exactly these, in any order.
completes() {
	local line=$1 got
	shift
	# shellcheck disable=SC2016
	got=$(bash --norc -c '
		. "$1"
		COMP_LINE=$2 COMP_POINT=${#2}
		_weir
		printf "%s\n" "${COMPREPLY[@]}"' - "$root/user/completion/weir.bash" "$line" | sort)
	same "candidates for: $line" "$(printf '%s\n' "$@" | sort)" "$got"
}

@test "the script loads and is bound to weir" {
	bash --norc -ec ". '$root/user/completion/weir.bash'; complete -p weir" | grep -q -- '-F _weir weir$'
}

@test "commands and their second words" {
	completes "weir st" status
	completes "weir s" service show save status
	completes "weir backend " add set weight drain enable disable remove
	completes "weir backend d" drain disable
	completes "weir show " services backends pins drops xdp config
	completes "weir show s" services
	completes "weir --json show b" backends
	completes "weir help " status show service backend reload diff revert save events explain version decap help
	completes "weir help backend r" remove
	completes "weir xyzzy " ""
	completes "weir de" decap
}

@test "names of services, addresses of backends" {
	completes "weir show services " web dns sorry
	completes "weir show service w" web
	completes "weir show pins w" web
	completes "weir backend drain " web dns sorry
	completes "weir backend drain web " 10.0.0.11 10.0.0.12 10.0.0.99 2001:db8::13
	completes "weir backend drain web 10.0.0.1" 10.0.0.11 10.0.0.12
	completes "weir service remove s" sorry
	completes "weir show drops no" not-service no-backend
	completes "weir revert web 10.0.0.9" 10.0.0.99
	completes "weir show xdp l" lo
	completes "weir decap detach l" lo
}

@test "IPv6: bash takes the part behind the last colon" {
	completes "weir backend drain web 2001:db8::" 13
	completes "weir backend drain web 2001:d" db8::13
}

@test "options" {
	completes "weir backend drain web 10.0.0.11 --" --json --socket --timeout --help --force --wait --no-wait
	completes "weir show services --w" --watch
	completes "weir backend weight web 10.0.0.11 --" --json --socket --timeout --help --force
	completes "weir backend add web 10.0.0.13 --w" --wait
	completes "weir --" --json --socket --timeout --help
	completes "weir events --f" --follow
	completes "weir service add -f " "" # a file name: bash's business
}

@test "the socket named on the line is the one that is asked" {
	WEIR_SOCKET=/nonexistent completes "weir --socket $agent/sock show services w" web
}

@test "an agent that is down or hangs: no names, no words, no waiting" {
	WEIR_SOCKET=/nonexistent completes "weir show services " ""
	WEIR_SOCKET=/nonexistent completes "weir backend d" drain disable
	misbehaves silent
	SECONDS=0
	completes "weir show services " ""
	[ "$SECONDS" -le 3 ]
	call __complete show services ''
	same stderr "" "$err"
}

@test "an interactive bash completes on Tab" {
	export INPUTRC=/dev/null TERM=dumb
	typed=$(printf '. %q\nweir backend dr\tweb 10.0.0.9\t\nexit\n' "$root/user/completion/weir.bash" |
		script -qec "bash --norc --noprofile -i" /dev/null 2>&1) || true
	sleep 0.2
	grep -q '^backend drain web 10.0.0.99 *$' "$agent/requests" || { echo "$typed"; cat "$agent/requests"; false; }
}
