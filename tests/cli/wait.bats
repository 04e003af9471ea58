#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Changes of a backend that are waited for: what the agent answers changes with each time that it is asked. What is said, what is
# asked how often, how it ends - also when the agent is away, time is over, or somebody presses Ctrl-C.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { start_agent; }
teardown() { stop_agent; }

# backend STATE [HOLDING [NAMED [PINS [PACKETS]]]]: the agent's answer, with that backend and another one.
backend() {
	printf '{"schema_version":1,"backends":[{"service":"web","address":"10.0.0.1","state":"up"},'
	printf '{"service":"web","address":"10.0.0.11","state":"%s","packets":%d,"drain_left_ms":%s,"way":{"state":"ready","text":"no MAC on eth0 yet"},' \
		"$1" "${5:-0}" "${left:-null}"
	printf '"flows":{"pins":%d,"confirmed":%d,"closing":0,"openings":%d,"longest_idle_ms":%d,"holding":%s,"named":%s,"free":false}}]}\n' \
		"${4:-0}" "$((${4:-0} / 2))" "${openings:-0}" "${idle:-0}" "${2:-false}" "${3:-false}"
	echo '{"done":true,"code":0}'
}
without_it() { printf '%s\n' '{"schema_version":1,"backends":[{"service":"web","address":"10.0.0.1","state":"up"}]}' '{"done":true,"code":0}'; }

# turn N ANSWER: what `show backends web` brings from the Nth time on.
turn() { answers_from "$1" "show backends web" "$2"; }
says() { answers "{\"done\":true,\"code\":0,\"text\":\"$1\"}"; }
looks() { grep -c '^show backends web$' "$agent/requests" || true; }

name='backend 10.0.0.11 of "web"'

# A run that is held for four looks, learns with pins that end, and is drained at the tenth.
scripted() {
	says 'backend 10.0.0.11 of \"web\": draining'
	turn 1 "$(backend draining true true 10)"
	turn 5 "$(openings=1 backend draining false true 12 1000)"
	turn 6 "$(idle=61000 backend draining false true 12 1500)"
	turn 7 "$(idle=61000 backend draining false false 1 1500)"
	turn 8 "$(backend drained)"
}

@test "drain comes back when the hold is over and says what is left" {
	scripted
	call backend drain web 10.0.0.11
	same code 0 "$code"
	same err "" "$err"
	same out "$name: draining
$name: takes no new flows, keeps those it has: 12 known by pins, 1 handshake under way; silent ones are known only after \`learn\`" "$out"
	same looks 5 "$(looks)"
	same first "backend drain web 10.0.0.11" "$(head -n 1 "$agent/requests")"
}

@test "the time that drain leaves, and that all flows are known, are said" {
	says 'already draining'
	turn 1 "$(left=300000 backend draining false false 1234)"
	call backend drain web 10.0.0.11
	same out "already draining
$name: takes no new flows, keeps those it has, for 5m 0s at most: 1,234 known by pins" "$out"
	same looks 1 "$(looks)"
}

@test "remove: the same, then it is gone; --no-wait, and --force: nothing is waited for" {
	says 'backend 10.0.0.11 of \"web\": removing'
	turn 1 "$(backend removing true true)"
	turn 3 "$(backend removing false true 2)"
	call backend remove web 10.0.0.11
	same code 0 "$code"
	same "last line" "$name: takes no new flows, keeps those it has: 2 known by pins; silent ones are known only after \`learn\`; then it is gone" "${out##*$'\n'}"
	same looks 3 "$(looks)"
	call backend remove web 10.0.0.11 --no-wait
	call backend remove web 10.0.0.11 --force
	call backend drain web 10.0.0.11 --no-wait
	same out "$name: removing" "$out"
	same looks 3 "$(looks)"
	turn 4 "$(without_it)"
	call backend remove web 10.0.0.11
	same "it is gone" "$name: removing
$name: gone" "$out"
}

@test "a service that is gone has no backend" {
	says 'removed'
	answers_from 1 "show backends web" '{"done":true,"code":4,"error":"service \"web\": no such service"}'
	call backend remove web 10.0.0.11
	same code 0 "$code"
	same "last line" "$name: gone" "${out##*$'\n'}"
}

@test "what was refused is not waited for" {
	answers '{"done":true,"code":1,"error":"it is the last one"}'
	call backend drain web 10.0.0.11 --wait
	same code 1 "$code"
	same looks 0 "$(looks)"
}

@test "a hold that does not end: exit 5 after four seconds" {
	says 'draining'
	turn 1 "$(backend draining true true)"
	SECONDS=0
	call backend drain web 10.0.0.11
	same code 5 "$code"
	[ "$SECONDS" -ge 4 ] && [ "$SECONDS" -le 6 ]
	same out draining "$out"
	same err "weir: $name: still gets new flows after 4 s; \`weir show backends\` tells on" "$err"
	[ "$(looks)" -ge 20 ]
}

@test "--wait: until it is drained, with a line when something has changed" {
	scripted
	call backend drain web 10.0.0.11 --wait
	same code 0 "$code"
	same err "" "$err"
	same lines 5 "$(wc -l <"$agent/out")"
	# half a second's packets more or less: the machine may be slow
	sed -i 's/, [1-9][0-9]* packets/, N packets/' "$agent/out"
	same out "$name: draining
$name: takes no new flows, keeps those it has: 12 known by pins, 1 handshake under way; silent ones are known only after \`learn\`
12 pins (6 confirmed), N packets/s, longest idle 1m 1s, no time limit, silent flows not known yet
1 pin (0 confirmed), 0 packets/s, longest idle 1m 1s, no time limit
$name: drained: it has no flows any more" "$(<"$agent/out")"
	same looks 8 "$(looks)"
}

@test "--wait: where only numbers change there is a line every ten seconds" {
	says draining
	for n in $(seq 1 20); do turn "$n" "$(left=$((100000 - n * 1000)) backend draining false true $((100 - n)) $((n * 100)))"; done
	turn 14 "$(backend drained)"
	call backend drain web 10.0.0.11 --wait=30
	same code 0 "$code"
	same lines 2 "$(grep -c 'pins (.*packets/s, 1m [0-9]*s left, silent flows not known yet$' "$agent/out")"
}

@test "--wait on a terminal: one line, written over, never wider than the terminal" {
	scripted
	export TERM=xterm
	script -qec "stty cols 60; $weir backend drain web 10.0.0.11 --wait" /dev/null </dev/null >"$agent/out"
	same "lines written over" 2 "$(grep -o $'\r\033\[K' "$agent/out" | wc -l)"
	grep -q $'\r\033\[K12 pins (6 confirmed), [0-9]* packets/s, longest idle 1m 1s, n\r\033\[K1 pin ' "$agent/out"
	same "last line" "$name: drained: it has no flows any more" "$(tail -n 1 "$agent/out" | tr -d '\r')"
}

@test "--wait=SEC: exit 5 in time, with what is still there" {
	says draining
	turn 1 "$(openings=3 idle=2000 backend draining false true 4)"
	SECONDS=0
	call backend drain web 10.0.0.11 --wait=1.5
	same code 5 "$code"
	[ "$SECONDS" -le 4 ]
	[[ $err == "weir: $name: still draining after 1.5 s, and goes on: 4 pins (2 confirmed), 3 handshakes, "*"longest idle 2s, no time limit, silent flows not known yet" ]]
	turn 1 "$(backend removing)"
	call backend remove web 10.0.0.11 --wait=0.3
	same code 5 "$code"
	[[ $err == "weir: $name: still removing after 0.3 s, and goes on: "* ]]
}

@test "remove --wait: until it is gone, --force too" {
	says 'being removed'
	turn 1 "$(backend removing)"
	turn 2 "$(without_it)"
	call backend remove web 10.0.0.11 --wait=5
	same code 0 "$code"
	same "last line" "$name: gone" "${out##*$'\n'}"
	call backend remove web 10.0.0.11 --wait=5 --force
	same code 0 "$code"
	same looks 3 "$(looks)"
}

@test "somebody takes it back, or disables it, meanwhile" {
	says draining
	turn 1 "$(backend draining)"
	turn 2 "$(backend up)"
	call backend drain web 10.0.0.11 --wait=10
	same code 5 "$code"
	same err "weir: $name: is up: it was changed again, or has weight 0" "$err"
	turn 3 "$(backend disabled)"
	call backend drain web 10.0.0.11 --wait=10
	same code 0 "$code"
	same "last line" "$name: disabled: it gets nothing" "${out##*$'\n'}"
}

@test "enable and add: at once; with --wait until it is up" {
	says 'enabled'
	call backend enable web 10.0.0.11
	call backend add web 10.0.0.11
	call backend disable web 10.0.0.11
	same looks 0 "$(looks)"
	turn 1 "$(backend joining)"
	turn 3 "$(backend up)"
	call backend enable web 10.0.0.11 --wait=10
	same code 0 "$code"
	same out "enabled"$'\n'"$name: up" "$out"
	same looks 3 "$(looks)"
	for state in standby fallback; do
		turn 1 "$(backend $state)"
		turn 3 "$(backend $state)"
		call backend add web 10.0.0.11 weight 2 --wait=10
		same code 0 "$code"
		same "last line" "$name: $state" "${out##*$'\n'}"
	done
	turn 3 "$(backend joining)"
	call backend add web 10.0.0.11 --wait=0.3
	same code 5 "$code"
	same err "weir: $name: still joining after 0.3 s: no MAC on eth0 yet" "$err"
	turn 3 "$(backend draining)"
	call backend enable web 10.0.0.11 --wait
	same code 5 "$code"
	same err "weir: $name: is draining: it was changed again, or has weight 0" "$err"
	turn 3 "$(backend disabled)"
	call backend disable web 10.0.0.11 --wait
	same code 0 "$code"
}

@test "the address is the agent's spelling of it, the service's name is quoted" {
	says 'draining'
	printf '%s\n' '{"schema_version":1,"backends":[{"address":"2001:db8::13","state":"drained"}]}' '{"done":true,"code":0}' >"$agent/replies/show_backends_\"a_b\""
	call backend drain '"a b"' 2001:DB8:0:0::0013 --wait=5
	same code 0 "$code"
	same "last line" 'backend 2001:db8::13 of "a b": drained: it has no flows any more' "${out##*$'\n'}"
	same asked 'show backends "a b"' "$(asked)"
	turn 1 "$(backend up)"
	call backend add web 'backend 10.0.0.11 { weight 2; }' --wait=5
	same "as show config prints it" 0 "$code"
}

@test "--json: one document, at the end" {
	scripted
	call backend drain web 10.0.0.11 --json
	same code 0 "$code"
	same documents 1 "$(wc -l <"$agent/out")"
	same document '[1,"backend 10.0.0.11 of \"web\": draining","web","10.0.0.11","draining",12,false]' \
		"$(jq -c '[.schema_version, .text, .service, .address, .state, .flows.pins, .flows.holding]' <<<"$out")"
	jq -e '.waited_ms >= 400 and .waited_ms < 3000' <<<"$out"
	call backend drain web 10.0.0.11 --wait --json
	same documents 1 "$(wc -l <"$agent/out")"
	same state drained "$(jq -r .state <<<"$out")"
	turn 8 "$(left=5000 backend draining false true 7)"
	call backend drain web 10.0.0.11 --wait=0.2 --json
	same code 5 "$code"
	same "what is still there" '["draining",7,5000]' "$(jq -c '[.state, .flows.pins, .drain_left_ms]' <<<"$out")"
	[[ $err == "weir: $name: still draining after 0.2 s"* ]]
	turn 8 "$(without_it)"
	call backend remove web 10.0.0.11 --json
	same gone gone "$(jq -r .state <<<"$out")"
}

# The agent is away from one second on, for two.
restart() {
	sleep 1
	kill "$agent_pid"
	wait "$agent_pid" || true
	rm "$agent/sock"
	sleep 2
	/usr/bin/python3 "$BATS_TEST_DIRNAME/fake_agent.py" "$agent" 3>&- &
	agent_pid=$!
}

@test "an agent that is restarted meanwhile is waited for" {
	says draining
	turn 1 "$(backend draining false true 3)"
	"$weir" backend drain web 10.0.0.11 --wait >"$agent/out" 2>"$agent/err" 3>&- &
	pid=$!
	restart
	sleep 1.5
	turn 1 "$(backend drained)"
	wait $pid
	same "last line" "$name: drained: it has no flows any more" "$(tail -n 1 "$agent/out")"
	same "times that it is said" 2 "$(wc -l <"$agent/err")"
	grep -q 'no agent answers there.*; waiting for the agent to come back$' "$agent/err"
	same "last word" "weir: the agent is back" "$(tail -n 1 "$agent/err")"
}

@test "an agent that does not come back, or says nothing of use: exit 5 when time is over" {
	says draining
	turn 1 "$(backend draining false true 3)"
	(sleep 0.8; kill "$agent_pid") 3>&- &
	call backend drain web 10.0.0.11 --wait=3
	same code 5 "$code"
	same "last word" "weir: $name: waited 3 s; how far it is only the agent knows, and it is away" "$(tail -n 1 "$agent/err")"
	stop_agent
	start_agent
	answers_to "show backends web" '{"done":true,"code":0,"text":"what?"}'
	call backend drain web 10.0.0.11 --wait=0.5
	same code 5 "$code"
	grep -q 'does not tell of backends' "$agent/err"
	answers_to "show backends web" '{"done":true,"code":1,"error":"too many of you"}'
	call backend drain web 10.0.0.11 --wait=0.5 --json
	same code 5 "$code"
	grep -q 'weir: too many of you; waiting' "$agent/err"
	same state null "$(jq -c .state <<<"$out")"
}

@test "an agent that hangs: the time given holds" {
	says draining
	turn 1 "$(backend draining false true 3)"
	(sleep 0.8; misbehaves silent) 3>&- &
	SECONDS=0
	call backend drain web 10.0.0.11 --wait=2
	same code 5 "$code"
	[ "$SECONDS" -le 4 ]
}

@test "Ctrl-C ends the waiting, and says that the rest goes on" {
	says draining
	turn 1 "$(backend draining false true 3)"
	code=0
	timeout --preserve-status -s INT 1.5 "$weir" backend drain web 10.0.0.11 --wait >"$agent/out" 2>"$agent/err" || code=$?
	same "code: the signal" 130 "$code"
	grep -q "^weir: $name: no longer waited for; what was begun goes on$" "$agent/err"
	same "no more is asked" "$(looks)" "$(sleep 1.5; looks)"
	code=0
	timeout --preserve-status -s TERM 1.5 "$weir" backend enable web 10.0.0.11 --wait >"$agent/out" 2>"$agent/err" || code=$?
	same code 5 "$code" # it is draining: there is nothing to wait for
}
