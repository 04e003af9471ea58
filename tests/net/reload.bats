#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# The file under load: a bad one changes nothing, a good one changes what it says and nothing else.

load ../lib/lab

good() {
	echo "interface eth0 { xdp native; }"
	service web dsr $VIP4 10.71.2.21 10.71.2.22 10.71.2.23
}

setup_file() {
	lab_up
	good | config lb1
	lab agent lb1 start
}

teardown_file() { lab_down; }

held() { [ "$(weir lb1 show services "$1" --json | jq '.services[0].slot_states.holding')" = 0 ]; } # SERVICE

setup() {
	good | config lb1
	weir lb1 reload
}

# refused WORDS... <FILE: reload refuses it, each of WORDS is in the message, and the running configuration is what it was.
refused() {
	local before word
	before=$(weir lb1 show --json | jq -S 'del(.. | .packets?, .bytes?)')
	config lb1
	run weir lb1 reload
	echo "$output"
	[ "$status" -eq 1 ]
	for word in "$@"; do [[ $output == *"$word"* ]]; done
	[ "$(weir lb1 show --json | jq -S 'del(.. | .packets?, .bytes?)')" = "$before" ]
}

@test "bad files are refused whole, under load, with all their errors" {
	load_begin --rate 300 $VIP4 80
	good | sed 's/10.71.2.22;/10.71.2.222.1;/; s/8080/80x/' | refused 10.71.2.222.1 80x
	good | head -c -3 | refused "weir.conf:"
	good | sed 's/backend 10.71.2.23/bakend 10.71.2.23/' | refused bakend backend
	{ good; service web2 dsr $VIP4 10.71.2.21; } | refused web2
	{ good; echo "vrrp edge { interface eth0; id 51; }"; } | refused "not supported yet"
	good | sed 's/dsr;/gue;/' | refused "not supported yet"
	good | sed 's/native/generic/' | refused takeover
	{ good; echo "limits { services 12; }"; } | refused takeover
	load_end
	all_answered "$load" 100
}

@test "an agent does not start with a bad file, exit code 78" {
	good | sed 's/10.71.2.22;/10.71.2.222.1;/' | config lb2
	run lab exec lb2 "$BUILD/weir-agent" --config "$(home lb2)/weir.conf" --socket "$(home lb2)/weir.sock" \
		--state-dir "$(home lb2)/state" --bpffs "$(home lb2)/bpf"
	echo "$output"
	[ "$status" -eq 78 ]
	line=$(grep -n 10.71.2.222.1 "$(home lb2)/weir.conf" | cut -d: -f1)
	[[ $output == *"weir.conf:$line:10: error: "*"10.71.2.222.1"* ]]
	[ ! -e "$(home lb2)/weir.sock" ]
}

@test "a reload that changes another service does not disturb this one" {
	load_begin --keepalive --rate 300 $VIP4 80
	for ((i = 0; i < 5; i++)); do
		{ good; service other dsr 10.71.9.10 10.71.2.2$((1 + i % 3)); } | config lb1
		weir lb1 reload
		until_true 5 held other
		result=$(requests --count 20 10.71.9.10 80)
		spread "$result" be$((1 + i % 3)) 20
	done
	load_end
	all_answered "$load" 100
}

@test "SIGHUP reloads too" {
	{ good; service other dsr 10.71.9.10 10.71.2.22; } | config lb1
	kill -HUP "$(cat "$(home lb1)/agent.pid")"
	there() { weir lb1 show services --json | jq -e '.services | length == 2' >/dev/null; }
	until_true 5 there
}

@test "a change by command outlives restart and reload, and is told as such" {
	weir lb1 backend drain web 10.71.2.22
	weir lb1 reload
	lab agent lb1 stop KILL
	lab agent lb1 start
	result=$(requests --count 300 $VIP4 80)
	spread "$result" "be1 be3" 100
	[[ $(weir lb1 show config) == *"10.71.2.22"*"# runtime"* ]]
	[[ $(weir lb1 diff) == *10.71.2.22* ]]
	weir lb1 revert
	result=$(requests --count 300 $VIP4 80)
	spread "$result" "be1 be2 be3" 50
}
