#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# What `weir explain` says is what happens: real requests from given ports are answered by the backend that it names, and asking
# changes and counts nothing.

load ../lib/lab

setup_file() {
	lab_up
	{
		echo "interface eth0 { xdp native; }"
		service web4 dsr $VIP4 10.71.2.21 10.71.2.22 10.71.2.23
		service web6 dsr $VIP6 fd71:2::21 fd71:2::22 fd71:2::23
		service sticky dsr 10.71.9.10 10.71.2.21 10.71.2.22 10.71.2.23 | sed 's/forward dsr;/forward dsr; affinity client;/'
	} | config lb1
	lab agent lb1 start
}

teardown_file() { lab_down; }

explained() { weir lb1 explain "$@" --json; }
# told DOCUMENT: the name of the backend's server
told() { jq -r '.backend | "be" + (.[-1:])' <<<"$1"; }
# answered PORT URL: who does
answered() { client curl -sS -m 5 --local-port "$1" "$2/"; }

@test "the backend it names is the one that answers, IPv4 and IPv6" {
	for port in $(seq 40100 40124); do
		document=$(explained "10.71.1.2:$port" "$VIP4:80")
		[ "$(answered "$port" "http://$VIP4")" = "$(told "$document")" ]
		document=$(explained "[fd71:1::2]:$((port + 1000))" "[$VIP6]:80" tcp)
		[ "$(answered $((port + 1000)) "http://[$VIP6]")" = "$(told "$document")" ]
	done
}

@test "the flow in the file's words, VIP PROTO PORT, is the same one" {
	[ "$(explained 10.71.1.2:40100 "$VIP4" tcp 80)" = "$(explained 10.71.1.2:40100 "$VIP4:80")" ]
	[ "$(explained fd71:1::2 "$VIP6" tcp 80)" = "$(explained fd71:1::2 "[$VIP6]:80" tcp)" ]
	run weir lb1 explain 10.71.1.2 "$VIP4:80" tcp 80
	[ "$status" -eq 2 ]
	run weir lb1 explain 10.71.1.2:80x "$VIP4:80"
	[ "$status" -eq 2 ]
}

@test "affinity client: one backend whatever the port" {
	document=$(explained 10.71.1.2 10.71.9.10:80)
	for port in 40200 40201 40202 40203 40204 40205; do
		[ "$(answered $port http://10.71.9.10)" = "$(told "$document")" ]
	done
}

@test "after a change it still does" {
	weir lb1 backend drain web4 10.71.2.22
	for port in $(seq 40300 40315); do
		document=$(explained "10.71.1.2:$port" "$VIP4:80" tcp)
		[ "$(told "$document")" != be2 ]
		[ "$(answered "$port" "http://$VIP4")" = "$(told "$document")" ]
	done
	weir lb1 backend enable web4 10.71.2.22
}

@test "it counts nothing and changes nothing" {
	before=$(weir lb1 show services --json)
	for port in $(seq 1 50); do explained "10.71.1.2:$port" "$VIP4:80" >/dev/null; done
	[ "$(weir lb1 show services --json)" = "$before" ]
}

@test "no service there: it says so, and where the VIP does listen" {
	document=$(explained 10.71.1.2:5 "$VIP4:81")
	echo "$document"
	[ "$(jq -r .reason <<<"$document")" = not-service ]
	[[ $document == *"tcp 80"*web4* ]]
	document=$(explained 10.71.1.2:5 10.71.9.77:80)
	[[ $document == *"10.71.9.77 is no VIP"* ]]
	for words in "10.71.1.2:5" "10.71.1.2:5 $VIP4" "10.71.1.2:5 $VIP4:80x" "10.71.1.2:x $VIP4:80" "fd71::1 $VIP4:80" "10.71.1.2 $VIP4:80 icmp" "10.71.1.2 $VIP4:99999"; do
		# shellcheck disable=SC2086
		run weir lb1 explain $words
		echo "$words: $output"
		[ "$status" -eq 2 ]
	done
}
