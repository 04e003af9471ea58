#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Path MTU in both directions: what would not fit with the outer header is answered, and ICMP errors about a flow's answers
# reach the backend that serves the flow.

load ../lib/lab

setup_file() {
	lab_up --mtu 1500
	lab decap be1 be2 be3
	{
		echo "interface eth0 { xdp native; }"
		service web44 ipip 10.71.9.9 10.71.2.21 10.71.2.22 10.71.2.23
		service web66 ipip fd71:9::9 fd71:2::21 fd71:2::22 fd71:2::23
		service web4 dsr 10.71.9.10 10.71.2.21 10.71.2.22 10.71.2.23
		service web6 dsr fd71:9::10 fd71:2::21 fd71:2::22 fd71:2::23
	} | config lb1
	lab agent lb1 start
}

teardown_file() { lab_down; }

ask() { client "$top/tools/lab/datagrams" ask "$@"; }

route_mtu() { client ip route get "$1" | sed -n 's/.* mtu \([0-9]*\).*/\1/p'; }

# too_big VIP HEADERS FITS: a datagram that is one byte too long for the tunnel is answered with the MTU that fits.
too_big() {
	result=$(ask "$1" 3 $(($3 - $2)))
	echo "fits: $result"
	[ "$(jq .answered <<<"$result")" = 3 ]
	[ -z "$(route_mtu "$1")" ]
	# the first one is lost, the kernel learns from the answer and refuses the second
	result=$(ask "$1" 2 $(($3 - $2 + 1)) 45001)
	echo "does not fit: $result"
	[ "$(jq -r .error <<<"$result")" = EMSGSIZE ]
	[ "$(route_mtu "$1")" = "$3" ]
	[ "$(weir lb1 show drops --json | jq '.reasons[] | select(.reason == "too-big-answered").packets')" -ge 1 ]
}

@test "IPv4: frag-needed with the MTU less the outer header" { too_big 10.71.9.9 28 1480; }

@test "IPv6: packet-too-big with the MTU less the outer header" { too_big fd71:9::9 48 1460; }

# A flood of too long packets is not answered one by one.
@test "answers are rate limited" {
	client ip route flush cache
	/usr/bin/python3 -c 'print("x" * 1473, end="")' >"$BATS_TEST_TMPDIR/long"
	icmp() { client nstat -asz IcmpInDestUnreachs | awk '/IcmpInDestUnreachs/ { print $2 }'; }
	before=$(icmp)
	lab exec client /usr/bin/python3 -c '
import socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IP, 10, 3)  # DF set, but the learnt MTU is not heeded
for _ in range(2000):
    try:
        udp.sendto(b"x" * 1472, ("10.71.9.9", 8053))
    except OSError:  # an ICMP error that came back
        pass
'
	answered=$(($(icmp) - before))
	echo "$answered answers"
	[ "$answered" -ge 20 ]
	[ "$answered" -le 500 ]
	[ "$(weir lb1 show drops --json | jq '.reasons[] | select(.reason == "too-big-limited").packets')" -ge 1000 ]
}

@test "a large upload works by ipip, from a client that first has to learn the MTU" {
	client ip route flush cache
	client ip -6 route flush cache
	body=$(home client)/body
	head -c 8388608 /dev/urandom >"$body"
	for url in http://10.71.9.9 "http://[fd71:9::9]"; do
		client curl -sS -m 20 -o /dev/null -T "$body" "$url/files/up"
		one_has "be1 be2 be3" up "$body"
		rm -f "$BUILD/lab/$LAB"/be*/nginx/files/up
	done
}

# The link to the client becomes narrower than both ends know: the router tells the sender, that is the VIP.
narrow_path() { # VIP...
	lab exec router ip link set eth0 mtu 1400
	for vip in "$@"; do
		for _ in 1 2 3 4 5 6; do
			client curl -sS -m 10 -o "$(home client)/body" "http://$(bracketed "$vip")/files/big"
			[ "$(stat -c %s "$(home client)/body")" = 8388608 ]
		done
	done
	lab exec router ip link set eth0 mtu 1500
	learnt=0
	for node in be1 be2 be3; do
		lab exec $node ip route flush cache
		lab exec $node ip -6 route flush cache
		if [ "$(lab exec $node nstat -asz | awk '/^IcmpInDestUnreachs|^Icmp6InPktTooBigs/ { n += $2 } END { print n }')" -gt 0 ]; then
			learnt=$((learnt + 1))
		fi
	done
	[ $learnt -ge 2 ]
}

@test "frag-needed and packet-too-big about the answers reach the flow's backend: dsr" { narrow_path 10.71.9.10 fd71:9::10; }

@test "frag-needed and packet-too-big about the answers reach the flow's backend: ipip" { narrow_path 10.71.9.9 fd71:9::9; }

# unreachable VIP COUNTER: the client goes away before the late answer; its "port unreachable" reaches just the backend of the flow.
unreachable() {
	icmp() { lab exec "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'; }
	for port in 46001 46002 46003 46004 46005 46006; do
		name=$(ask "$1" 1 64 $port | jq -r '.by | keys[0]')
		before="$(icmp be1 "$2") $(icmp be2 "$2") $(icmp be3 "$2")"
		client "$top/tools/lab/datagrams" leave "$1" $port
		sleep 0.8
		after="$(icmp be1 "$2") $(icmp be2 "$2") $(icmp be3 "$2")"
		echo "$port is for $name: $before -> $after"
		[ "$(awk -v at="${name#be}" '{ for (i = 1; i <= 3; i++) printf "%s%d", (i > 1 ? " " : ""), $i + (i == at) }' <<<"$before")" = "$after" ]
	done
}

@test "port unreachable reaches the flow's backend: dsr, IPv4" { unreachable 10.71.9.10 IcmpInDestUnreachs; }

@test "port unreachable reaches the flow's backend: dsr, IPv6" { unreachable fd71:9::10 Icmp6InDestUnreachs; }

@test "port unreachable reaches the flow's backend: ipip, IPv4" { unreachable 10.71.9.9 IcmpInDestUnreachs; }
