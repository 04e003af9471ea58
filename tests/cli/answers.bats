#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Exit codes and error texts; agents that are away, slow, broken or no agents.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { start_agent; }
teardown() { stop_agent; }

# fails CODE STDERR WORD...: STDERR is a pattern.
fails() {
	local want=$1 pattern=$2
	shift 2
	call "$@"
	same "code of: $*" "$want" "$code"
	same "stdout of: $*" "" "$out"
	# shellcheck disable=SC2053
	[[ $err == $pattern ]] || same "stderr of: $*" "$pattern" "$err"
}

@test "the agent's codes are the exit codes, its error is said" {
	for number in 1 2 4 5; do
		answers "{\"done\":true,\"code\":$number,\"error\":\"service \\\"wib\\\": it is so\"}"
		fails $number 'weir: service "wib": it is so' show services wib
		fails $number 'weir: service "wib": it is so' show services wib --json
	done
	answers '{"done":true,"code":1,"error":"one\ntwo"}'
	fails 1 $'weir: one\nweir: two' reload
	answers "{\"done\":true,\"code\":1,\"error\":\"$(for n in $(seq 100); do printf 'weir.conf:%d:1: error: one of many\\n' "$n"; done)\"}"
	call reload
	same "lines of errors" 100 "$(grep -c '^weir: weir.conf:[0-9]*:1: error: one of many$' "$agent/err")"
	answers '{"done":true,"code":1}'
	fails 1 'weir: the agent refused, and did not say why' reload
}

@test "usage: no words, unknown words, too many, too few" {
	fails 2 'usage: weir *' ''
	code=0
	"$weir" >"$agent/out" 2>"$agent/err" || code=$?
	same code 2 "$code"
	grep -q '^usage: weir' "$agent/err"
	[ ! -s "$agent/out" ]
	fails 2 'weir: "bakend": no such command (did you mean "backend"?)*' bakend drain
	fails 2 'weir: show: "servces": no such command (did you mean "services"?)*' show servces
	fails 2 'weir: backend: "drian": no such command (did you mean "drain"?)*' backend drian web 10.0.0.1
	fails 2 'weir: "xyzzy": no such command; *' xyzzy
	fails 2 'weir: backend: what? One of: add, *' backend
	fails 2 'weir: status: "x" is too much; usage: weir status' status x
	fails 2 'weir: show services: "b" is too much; *' show services a b
	fails 2 'weir: backend drain: a word is missing; usage: weir backend drain SERVICE ADDRESS' backend drain web
	fails 2 'weir: backend add: a word is missing; *' backend add web
	fails 2 'weir: service set: a word is missing; *' service set web
	fails 2 'weir: service add: a word is missing; *' service add
	fails 2 'weir: backend drain: words are expected here, *' backend drain web 10.0.0.1 ';' x
	fails 2 'weir: *' service add 'web { listen'
	fails 2 'weir: *' service add 'web "abc'
	[ ! -e "$agent/requests" ]
}

@test "usage: options" {
	fails 2 'weir: --jsn: no such option*' status --jsn
	fails 2 'weir: -x: no such option*' status -x
	fails 2 'weir: --force is no option of `weir status`' status --force
	fails 2 'weir: --watch is no option of `weir reload`' reload --watch
	fails 2 'weir: --json takes no value' status --json=1
	fails 2 'weir: --socket: its value (FILE) is missing' status --socket
	for bad in x '' 1e9 inf nan 0x10 -1 0 1.2.3 99999999; do
		fails 2 'weir: --timeout: *' status --timeout="$bad"
		fails 2 'weir: --watch: *' status --watch="$bad"
	done
	fails 2 'weir: --wait and --no-wait exclude each other' backend drain web 10.0.0.1 --wait --no-wait
	for verb in "set web 10.0.0.1 weight 2" "weight web 10.0.0.1 2"; do
		# shellcheck disable=SC2086
		fails 2 "weir: --wait is no option of \`weir backend ${verb%% *}\`" backend $verb --wait
		# shellcheck disable=SC2086
		fails 2 "weir: --no-wait is no option of \`weir backend ${verb%% *}\`" backend $verb --no-wait
	done
	fails 2 'weir: --force is no option of `weir backend add`' backend add web 10.0.0.1 --force
	fails 2 "weir: backend add: --wait needs the backend's address *" backend add web -f "$agent/reply" --wait
	fails 2 'weir: *socket*107*' status --socket "/$(printf '%0120d' 0)"
	[ ! -e "$agent/requests" ]
}

@test "what later versions will have is not unknown" {
	fails 1 'weir: vrrp: not supported yet' vrrp release edge
	fails 1 'weir: apply: not supported yet' apply file
	fails 1 'weir: confirm: not supported yet' confirm
	fails 1 'weir: rollback: not supported yet' rollback
	fails 1 'weir: doctor: not supported yet' doctor
	fails 1 'weir: top: not supported yet' top
	fails 1 'weir: trace: not supported yet' trace x
	fails 1 'weir: import: not supported yet' import keepalived file
	fails 1 'weir: show checks: not supported yet' show check
	fails 1 'weir: show vrrp: not supported yet' show vrrp
	fails 1 'weir: diff FILE: not supported yet' diff file
	fails 1 'weir: --local: not supported yet' backend drain web 10.0.0.1 --local
	fails 1 'weir: --dry-run: not supported yet' reload --dry-run
	fails 1 'weir: decap attach: gue: not supported yet' decap attach eth0 gue
	fails 1 'weir: vrrp: not supported yet' help vrrp
	[ ! -e "$agent/requests" ]
}

@test "help goes to stdout and needs no agent" {
	export WEIR_SOCKET=/nonexistent
	call help
	same code 0 "$code"
	list=$out
	call --help
	same "--help" "$list" "$out"
	while read -r command; do
		# shellcheck disable=SC2086
		call help $command
		same "code of help $command" 0 "$code"
		[[ $out == "usage: weir $command"* ]]
		help=$out
		# shellcheck disable=SC2086
		call $command --help
		same "code of $command --help" 0 "$code"
		[[ $help == "$out"* ]]
	done < <(sed -n 's/^  \([a-z]*\( [a-z]*\)\?\)\( [][A-Z:. ]*\(\[ipip\]\)\?\)\?  .*/\1/p' <<<"$list")
	call help backend
	same lines 7 "$(wc -l <<<"$out")"
	fails 2 'weir: "bakend": no such command (did you mean "backend"?)*' help bakend
}

@test "no agent: exit 3, the socket, what starts it" {
	fails 3 "weir: /nonexistent/sock: No such file or directory: no agent answers there; start weir-agent*" \
		status --socket /nonexistent/sock
	touch "$agent/file"
	fails 3 "weir: $agent/file: Connection refused: *" status --socket "$agent/file"
	call version --socket /nonexistent/sock
	same code 3 "$code"
	same out "$("$weir" --version)" "$out"
}

@test "version: an agent that does not say it" {
	call version
	same code 1 "$code"
	same out "$("$weir" --version)" "$out"
	grep -q 'does not say its version' "$agent/err"
}

@test "not allowed: exit 3, what would help" {
	chmod 711 "$agent"
	chmod 600 "$agent/sock"
	code=0
	cp "$weir" "$agent/weir"
	chmod 755 "$agent/weir"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$agent/weir" status 2>"$agent/err" || code=$?
	same code 3 "$code"
	grep -q 'Permission denied: .*sudo.*adduser nobody weir' "$agent/err"
}

@test "an agent that never answers: exit 3 in the time given" {
	misbehaves silent
	SECONDS=0
	fails 3 'weir: the agent at * did not answer within 0.5 s (*' status --timeout 0.5
	[ "$SECONDS" -le 3 ]
}

@test "an agent that trickles, or floods: the time limit holds for the whole" {
	answers '{"schema_version":1,"text":"so slow that it never comes to an end"}'
	misbehaves trickle
	SECONDS=0
	fails 3 'weir: the agent at * did not answer within 1 s (*' status --timeout 1
	[ "$SECONDS" -le 4 ]
	misbehaves flood
	code=0
	SECONDS=0
	"$weir" explain a b --timeout 1 >/dev/null 2>"$agent/err" || code=$?
	same code 3 "$code"
	[ "$SECONDS" -le 6 ]
}

@test "a queue of connections that is full is waited for, not for ever" {
	/usr/bin/python3 - "$agent/deaf" 3>&- <<-'EOF' &
		import socket, sys, time
		s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(0)
		c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1])
		time.sleep(20)
	EOF
	pid=$!
	for _ in $(seq 100); do [ -S "$agent/deaf" ] && break; sleep 0.05; done
	sleep 0.3
	code=0
	timeout 10 "$weir" status --socket "$agent/deaf" --timeout 1 2>"$agent/err" || code=$?
	kill $pid
	same code 3 "$code"
}

@test "an agent that hangs up early: exit 3" {
	misbehaves reset
	fails 3 'weir: the agent at * hung up before its answer was complete*' status
	misbehaves hangup
	printf '{"schema_version":1,"half' >"$agent/reply"
	fails 3 'weir: the agent at * hung up before its answer was complete' reload
	printf '' >"$agent/reply"
	fails 3 'weir: the agent at * hung up before its answer was complete' reload
}

@test "an agent that says its word and hangs up before the request is read is heard" {
	misbehaves hangup
	answers '{"done":true,"code":1,"error":"too many of you"}'
	fails 1 'weir: too many of you' reload
}

@test "what is no agent: exit 1, it is said" {
	misbehaves hangup
	for rubbish in 'HTTP/1.1 400 Bad Request' '[1,2]' '7' '"text"' '{"a":1}}' $'\xff\xfe' '{"a":"\xff"}' ''; do
		printf '%b\n' "$rubbish" >"$agent/reply"
		fails 1 'weir: what answers at * is no weir-agent: line 1 of its answer is no JSON object*' explain a b
	done
	head -c 100000 /dev/urandom | tr -d '\n' >"$agent/reply"
	echo >>"$agent/reply"
	fails 1 'weir: what answers *' explain a b
	printf '{"a":1}\0{"b":2}\n{"done":true,"code":0}\n' >"$agent/reply"
	call explain a b
	same code 1 "$code"
	{ head -c 100000 /dev/zero | tr '\0' '['; echo; } >"$agent/reply"
	fails 1 'weir: what answers *' explain a b
}

@test "a verdict that cannot be" {
	for verdict in '{"done":true}' '{"done":true,"code":"0"}' '{"done":true,"code":-1}' '{"done":true,"code":77}' '{"done":true,"code":0.5}'; do
		answers "$verdict"
		fails 1 "weir: the agent's verdict has no code that this program knows*" reload
	done
	answers '{"done":true,"code":0,"text":7,"warnings":"x"}'
	call reload
	same code 0 "$code"
}

@test "events -f: lines as they come, until the agent goes" {
	answers '{"time":"2026-11-24T06:08:37.123Z","kind":"reload","service":null,"backend":null,"text":"3 services"}'
	misbehaves keep
	"$weir" events -f --timeout 0.3 >"$agent/out" 2>"$agent/err" 3>&- &
	pid=$!
	sleep 1
	grep -q '3 services' "$agent/out" # it is there while the connection stays open, and the time limit is none here
	kill -0 $pid
	kill "$agent_pid"
	code=0
	wait $pid || code=$?
	same code 3 "$code"
}

@test "a reader that goes away ends it quietly" {
	answers '{"text":"x"}' '{"done":true,"code":0}'
	misbehaves flood
	code=0
	timeout 10 "$weir" explain a b --timeout 30 2>"$agent/err" | head -n 1 >/dev/null || true
	[ "${PIPESTATUS[0]}" != 124 ]
	[ ! -s "$agent/err" ]
}
