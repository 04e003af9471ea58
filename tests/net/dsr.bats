#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Forwarding by MAC rewrite (dsr): both families, the way a flow keeps to its backend, native and generic attachment.

load ../lib/lab

backends4="10.71.2.21 10.71.2.22 10.71.2.23"
backends6="fd71:2::21 fd71:2::22 fd71:2::23"

# shellcheck disable=SC2086 # lists of addresses
services() { # XDP-MODE
	echo "interface eth0 { xdp $1; }"
	service web4 dsr $VIP4 $backends4
	service web6 dsr $VIP6 $backends6
	service sticky dsr 10.71.9.10 $backends4 | sed 's/dsr;/dsr; affinity client;/'
}

setup_file() {
	lab_up
	services native | config lb1
	lab agent lb1 start
}

teardown_file() { lab_down; }

@test "IPv4 to three backends" { forwarding_works lb1 web4 $VIP4; }

@test "IPv6 to three backends" { forwarding_works lb1 web6 $VIP6; }

@test "affinity client: one client, one backend" {
	result=$(requests --count 300 10.71.9.10 80)
	echo "$result"
	all_answered "$result" 300
	[ "$(jq '.by | length' <<<"$result")" = 1 ]
	# other addresses of this client go to other backends, and each of them always to the same one
	for number in $(seq 101 124); do client ip addr add 10.71.1.$number/24 dev eth0; done
	seen=''
	for number in $(seq 101 124); do
		one=$(client curl -sS -m 5 --interface 10.71.1.$number http://10.71.9.10/)
		again=$(client curl -sS -m 5 --interface 10.71.1.$number http://10.71.9.10:8080/)
		[ "$one" = "$again" ]
		seen+=$one$'\n'
	done
	sort <<<"$seen" | uniq -c
	[ "$(sort -u <<<"$seen" | grep -c be)" = 3 ]
	for number in $(seq 101 124); do client ip addr del 10.71.1.$number/24 dev eth0; done
}

@test "explain names the backend that answers" {
	for port in 40001 40002 40003 40004 40005 40006 40007 40008; do
		who=$(client curl -sS -m 5 --local-port $port http://$VIP4/)
		said=$(weir lb1 explain 10.71.1.2:$port $VIP4:80 --json | jq -r .backend)
		echo "$port: $who, $said"
		[ "$said" = "10.71.2.2${who#be}" ]
	done
	run weir lb1 explain 10.71.1.2:40001 $VIP4:80
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *10.71.2.2* ]]
}

@test "explain counts nothing" {
	before=$(counted lb1 web4)
	weir lb1 explain 10.71.1.2:40001 $VIP4:80
	[ "$(counted lb1 web4)" = "$before" ]
}

@test "what is for no listener of the VIP is not forwarded and is no drop" {
	before=$(weir lb1 show drops --json | jq -c '[.reasons[] | select(.action == "drop") | .packets] | add')
	run client curl -sS -m 1 http://$VIP4:81/
	[ "$status" -ne 0 ]
	[ "$(weir lb1 show drops --json | jq -c '[.reasons[] | select(.action == "drop") | .packets] | add')" = "$before" ]
}

@test "the second node, with the same configuration, sends every flow to the same backend" {
	services native | config lb2
	lab agent lb2 start
	first=$(client "$top/tools/lab/datagrams" ask $VIP4 60 64 41001)
	lab route lb2
	second=$(client "$top/tools/lab/datagrams" ask $VIP4 60 64 41001)
	lab route lb1
	echo "$first"
	echo "$second"
	[ "$(jq '.by | length' <<<"$first")" = 3 ]
	[ "$first" = "$second" ]
	[ "$(counted lb2 web4 | jq .packets)" = 60 ]
	lab agent lb2 stop
}

@test "generic XDP, where it is asked for" {
	lab agent lb1 stop
	lab exec lb1 "$BUILD/weir-agent" --unload --bpffs "$(home lb1)/bpf" --config "$(home lb1)/weir.conf"
	services generic | config lb1
	lab agent lb1 start
	[ "$(weir lb1 show xdp --json | jq -r '.interfaces[0].mode')" = generic ]
	forwarding_works lb1 web4 $VIP4
}
