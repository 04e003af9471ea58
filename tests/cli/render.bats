#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The agent's documents as people read them, against golden texts; as JSON, as the agent sent them; in colour.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { start_agent; }
teardown() { stop_agent; }

# shows DOCUMENT WORD...: the table is golden/DOCUMENT.txt, the JSON is the document.
shows() {
	local name=$1
	shift
	answers "$(document "$name.json")" '{"done":true,"code":0,"text":""}'
	call "$@"
	same code 0 "$code"
	same stderr "" "$err"
	same_as_golden "$name.txt"
	call "$@" --json
	same code 0 "$code"
	jq -e '.schema_version == 1' <<<"$out" >/dev/null
	same json "$(head -n 1 "$agent/reply")" "$out"
}

@test "show services" { shows services show services; }
@test "show backends" { shows backends show backends; }
@test "show services: slots in transition" { shows services-moving show services; }
@test "show backends: flows" { shows backends-moving show backends; }
@test "show pins" { shows pins show pins; }
@test "status: slots in transition" { shows status-moving status; }
@test "show drops" { shows drops show drops; }
@test "show xdp" { shows xdp show xdp; }
@test "show config is the text itself" { shows config show config; }
@test "status" { shows status status; }

@test "show: everything in one document" {
	answers "$(for part in services backends drops xdp; do document $part.json; done | jq -sc add)" '{"done":true,"code":0}'
	call show
	same code 0 "$code"
	same_as_golden all.txt
}

@test "nothing there: said in words" {
	answers '{"schema_version":1,"services":[]}' '{"done":true,"code":0}'
	call show services
	same out "no services" "$out"
	answers '{"schema_version":1,"backends":[]}' '{"done":true,"code":0}'
	call show backends
	same out "no backends" "$out"
	answers '{"schema_version":1,"pins":[],"shown":0,"total":0}' '{"done":true,"code":0}'
	call show pins
	same out "no pins" "$out"
}

@test "documents that lack members do not break a table" {
	answers '{"schema_version":1,"services":[{}]}' '{"done":true,"code":0}'
	call show services
	same code 0 "$code"
	answers '{"schema_version":1,"backends":[{"way":7,"share":"x"},null,3]}' '{"done":true,"code":0}'
	call show backends
	same code 0 "$code"
	answers '{"schema_version":1,"backends":[{"flows":[],"ramp":"x","drain_left_ms":{}}]}' '{"done":true,"code":0}'
	call show backends
	same code 0 "$code"
	answers '{"schema_version":1,"pins":[{},7,{"source":3,"source_port":"x"}],"total":"x"}' '{"done":true,"code":0}'
	call show pins
	same code 0 "$code"
	answers '{"schema_version":1,"services":[{"slot_states":7}]}' '{"done":true,"code":0}'
	call show services
	same code 0 "$code"
	answers '{"schema_version":1,"pid":"x","config":3,"services":{},"problems":[1],"interfaces":[[]]}' '{"done":true,"code":0}'
	call status
	same code 0 "$code"
}

@test "events: one line each, the sentence last" {
	answers '{"time":"2026-11-24T06:08:37.123Z","kind":"backend-added","service":"web","backend":"10.0.0.13","text":"added by pid 7"}' \
		'{"time":"2026-11-24T06:08:38.000Z","kind":"reload","service":null,"backend":null,"text":"3 services"}' '{"done":true,"code":0}'
	call events
	same_as_golden events.txt
	call events --json
	same lines 2 "$(jq -s length <<<"$out")"
}

@test "explain: the agent's lines" {
	answers '{"schema_version":1,"service":"web","backend":"10.0.0.12","slot":4711,"state":"settled","text":["flow of web","slot 4711"]}' \
		'{"done":true,"code":0}'
	call explain 198.51.100.7:4000 192.0.2.10:80
	same out $'flow of web\nslot 4711' "$out"
}

@test "a change: the agent's sentence, or JSON" {
	answers '{"done":true,"code":0,"text":"backend 10.0.0.13 added to \"web\"","warnings":["one","two"]}'
	call backend add web 10.0.0.13
	same out 'backend 10.0.0.13 added to "web"' "$out"
	same err $'weir: warning: one\nweir: warning: two' "$err"
	call backend add web 10.0.0.13 --json
	same json 'backend 10.0.0.13 added to "web"' "$(jq -r .text <<<"$out")"
	same version 1 "$(jq .schema_version <<<"$out")"
}

@test "control characters of a message do not reach the terminal" {
	answers '{"done":true,"code":1,"error":"bad \u001b[31mred\u0007"}'
	call reload
	same err 'weir: bad ?[31mred?' "$err"
	answers '{"schema_version":1,"services":[{"name":"a\u001b[2J","listeners":[]}]}' '{"done":true,"code":0}'
	call show services
	same escapes 0 "$(grep -c $'\033' "$agent/out")"
}

# script(1) gives it a terminal.
on_terminal() { script -qec "$weir $*" /dev/null </dev/null; }

@test "colour: on a terminal, not with NO_COLOR, not on a pipe, not with --json" {
	answers "$(document backends.json)" '{"done":true,"code":0}'
	unset NO_COLOR
	export TERM=xterm
	coloured=$(on_terminal show backends)
	[[ $coloured == *$'\033[32mup\033[0m'* ]]
	[[ $coloured == *$'\033[33mdraining\033[0m'* ]]
	[[ $coloured == *$'\033[33mstandby\033[0m'* ]]
	[[ $coloured == *$'\033[31mdisabled\033[0m'* ]]
	[[ $coloured == *$'\033[31mno-route\033[0m'* ]]
	[[ $(NO_COLOR=1 on_terminal show backends) != *$'\033'* ]]
	[[ $(TERM=dumb on_terminal show backends) != *$'\033'* ]]
	[[ $(on_terminal show backends --json) != *$'\033'* ]]
	[[ $("$weir" show backends) != *$'\033'* ]]
}

@test "--watch draws again and again, and lives through a restart of the agent" {
	answers '{"schema_version":1,"services":[]}' '{"done":true,"code":0}'
	"$weir" show services --watch=0.2 >"$agent/out" 2>"$agent/err" 3>&- &
	pid=$!
	sleep 1
	kill "$agent_pid"
	wait "$agent_pid" || true
	rm "$agent/sock"
	sleep 0.5
	/usr/bin/python3 "$BATS_TEST_DIRNAME/fake_agent.py" "$agent" 3>&- &
	agent_pid=$!
	sleep 1
	before=$(grep -c 'no services' "$agent/out")
	sleep 1
	kill "$pid"
	[ "$before" -ge 3 ]
	[ "$(grep -c 'no services' "$agent/out")" -gt "$before" ]
	grep -q 'weir show services: every 0.2 s' "$agent/out"
	grep -q 'no agent answers' "$agent/err"
}

@test "--watch ends when the question itself is wrong" {
	answers '{"done":true,"code":4,"error":"no such service"}'
	call show services nothing --watch=0.1
	same code 4 "$code"
	misbehaves reset
	call show services --watch=0.1
	same code 3 "$code"
}

@test "a full disk is no success" {
	answers "$(document services.json)" '{"done":true,"code":0}'
	code=0
	"$weir" show services >/dev/full 2>"$agent/err" || code=$?
	same code 1 "$code"
	grep -q 'could not be written' "$agent/err"
}
