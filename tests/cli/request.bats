#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What each command asks the agent: argv -> the one line of the request.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { start_agent; }
teardown() { stop_agent; }

# asks REQUEST WORD...
asks() {
	local request=$1
	shift
	call "$@"
	same "code of: $*" 0 "$code"
	same "request of: $*" "$request" "$(asked)"
}

@test "questions" {
	asks "status" status
	asks "show" show
	asks "show services" show services
	asks "show services web" show services web
	asks "show backends" show backends
	asks "show backends web" show backends web
	asks "show pins" show pins
	asks "show pins web" show pins web
	asks "show drops" show drops
	asks "show xdp eth0" show xdp eth0
	asks "show config web" show config web
	asks "events" events
	asks "events follow" events -f
	asks "events follow" events --follow
	asks "explain 198.51.100.7:4000 192.0.2.10:80 tcp" explain 198.51.100.7:4000 192.0.2.10:80 tcp
	asks "explain [2001:db8::7]:4000 [2001:db8::10]:80" explain '[2001:db8::7]:4000' '[2001:db8::10]:80'
	asks "diff" diff
}

@test "the singular is the plural" {
	asks "show services" show service
	asks "show services web" show service web
	asks "show backends web" show backend web
	asks "show drops" show drop
	asks "show pins web" show pin web
}

@test "changes" {
	asks "service remove web --force" service remove web --force
	asks "backend add web 10.0.0.13" backend add web 10.0.0.13
	asks "backend add web 10.0.0.13 weight 2" backend add web 10.0.0.13 weight 2
	asks "backend add web 2001:db8::13" backend add web 2001:db8::13
	asks "backend set web 10.0.0.13 weight 0" backend set web 10.0.0.13 weight 0
	asks "backend weight web 10.0.0.13 5" backend weight web 10.0.0.13 5
	asks "backend drain web 10.0.0.13" backend drain web 10.0.0.13 --no-wait
	asks "backend enable web 10.0.0.13" backend enable web 10.0.0.13
	asks "backend disable web 10.0.0.13 --force" backend disable web 10.0.0.13 --force
	asks "backend remove web 10.0.0.13" backend --no-wait remove web 10.0.0.13
	asks "backend remove web 10.0.0.13 --force" backend remove web 10.0.0.13 --force
	asks "reload" reload
	asks "revert" revert
	asks "revert web" revert web
	asks "revert web 10.0.0.13" revert web 10.0.0.13
	asks "save" save
}

@test "an object's words: one argument or many" {
	wanted='service add web listen 192.0.2.10 tcp 80 443; forward ipip; backend 10.0.0.11 { weight 2; } backend 10.0.0.12'
	asks "$wanted" service add web 'listen 192.0.2.10 tcp 80 443; forward ipip; backend 10.0.0.11 { weight 2 } backend 10.0.0.12'
	asks "$wanted" service add web listen 192.0.2.10 tcp 80 443 ';' forward ipip ';' backend 10.0.0.11 '{' weight 2 '}' backend 10.0.0.12
	asks "$wanted" 'service add web listen 192.0.2.10 tcp 80 443; forward ipip; backend 10.0.0.11 { weight 2; } backend 10.0.0.12;'
	asks "service add web { listen 192.0.2.10 tcp 80; }" service add web '{ listen 192.0.2.10 tcp 80 }'
	asks "service add web { listen 192.0.2.10 tcp 80; }" service add "web { # a comment, to the end of its line
		listen 192.0.2.10 tcp 80; }"
	asks "service set web affinity client" service set 'web # a comment, to the end of its argument' affinity client
}

@test "strings arrive as they were" {
	asks 'service set web note "a \"b\" \\ c; { # }"' service set web note '"a \"b\" \\ c; { # }"'
	asks 'show services "foo bar"' show services '"foo bar"'
	asks 'show services "\xc3\xa4"' show services '"ä"'
	asks 'show services "--force"' show services '"--force"'
}

@test "options stand anywhere, -- ends them" {
	asks "show services web" --json show --timeout 3 services --socket "$WEIR_SOCKET" web
	asks "show services web" --timeout=3 --socket="$WEIR_SOCKET" show services -- web
	asks 'show services "-x"' show services -- -x
}

@test "-f: an object from a file or from standard input, as show config prints it" {
	printf 'service web { # from a file\n\tlisten 192.0.2.10 tcp 80;\n\tbackend 10.0.0.11; # runtime\n}\n' >"$agent/web.conf"
	wanted='service add web { listen 192.0.2.10 tcp 80; backend 10.0.0.11; }'
	asks "$wanted" service add -f "$agent/web.conf"
	asks "$wanted" service add --file="$agent/web.conf"
	call service add -f - <"$agent/web.conf"
	same request "$wanted" "$(asked)"
	echo 'listen 192.0.2.10 tcp 80; backend 10.0.0.11' >"$agent/words"
	asks "service add web listen 192.0.2.10 tcp 80; backend 10.0.0.11" service add web -f "$agent/words"
	echo 'backend 10.0.0.13 { weight 2; }' >"$agent/backend"
	asks "backend add web 10.0.0.13 { weight 2; }" backend add web -f "$agent/backend"
	asks "backend set web 10.0.0.13 { weight 2; }" backend set web -f "$agent/backend"
}

@test "-f: a file with a fault is named with its place, and nothing is asked" {
	printf 'service web {\n\tlisten "192\n' >"$agent/web.conf"
	call service add -f "$agent/web.conf"
	same code 2 "$code"
	[[ $err == "weir: $agent/web.conf:2:"* ]]
	call service add -f "$agent/nothing"
	same code 1 "$code"
	same err "weir: $agent/nothing: No such file or directory" "$err"
	head -c 70000 /dev/zero | tr '\0' 'x' >"$agent/big"
	call service add -f "$agent/big"
	same code 1 "$code"
	[[ $err == *"more than 64 KiB"* ]]
	call service add -f - <"$agent/big"
	same code 1 "$code"
	[ ! -e "$agent/requests" ]
}

@test "a request that the agent would not read is not sent" {
	long=$(head -c 70000 /dev/zero | tr '\0' 'x')
	call show services "$long"
	same code 2 "$code"
	same err "weir: the command is longer than 64 KiB" "$err"
	[ ! -e "$agent/requests" ]
}

@test "version asks the agent" {
	answers '{"schema_version":1,"version":"9.8.7"}' '{"done":true,"code":0}'
	asks "version" version
	same out "$("$weir" --version)"$'\nweir-agent 9.8.7' "$out"
	call version --json
	same agent '"9.8.7"' "$(jq .agent <<<"$out")"
	same weir "$("$weir" --version)" "weir $(jq -r .weir <<<"$out")"
}
