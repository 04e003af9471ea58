#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# Ways as the next-hop room tells them, in real namespaces: each change is told once, within a second, and nothing else is.
#
#            e0 10.81.1.1/24 ----- gw1  10.81.1.254, fd81:1::254
#   node                                                            10.81.9.0/24 and fd81:9::/64 lie behind both
#            e1 10.81.2.1/24 ----- gw2  10.81.2.254, fd81:2::254

in_ns() {
	local name=$W-$1
	shift
	ip netns exec "$name" "$@"
}
node() { ip -n "$W-node" "$@"; }
gw() { ip -n "$W-gw$1" "${@:2}"; }
mac_of() { cat_in "gw$1" /sys/class/net/e0/address; }
cat_in() { in_ns "$1" cat "$2"; }

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	program=$(realpath -m "${BUILD:-$top/build}")/tests/net/nexthop_watch
	out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err
	watcher=
	W=nh$$
	for name in node gw1 gw2; do
		ip netns add "$W-$name"
		ip -n "$W-$name" link set lo up
		in_ns "$name" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
	done
	for i in 1 2; do
		node link add "e$((i - 1))" type veth peer name e0 netns "$W-gw$i"
		node link set "e$((i - 1))" up
		gw $i link set e0 up
		node addr add "10.81.$i.1/24" dev "e$((i - 1))"
		gw $i addr add "10.81.$i.254/24" dev e0
		node addr add "fd81:$i::1/64" dev "e$((i - 1))" nodad
		gw $i addr add "fd81:$i::254/64" dev e0 nodad
	done
	node route add 10.81.9.0/24 via 10.81.1.254
	node -6 route add fd81:9::/64 via fd81:1::254
	settled
}

teardown() {
	ended=0
	if [ -n "$watcher" ]; then
		kill -TERM "$watcher"
		wait "$watcher" || ended=$?
	fi
	for name in node gw1 gw2; do ip netns del "$W-$name"; done
	head -n 50 "$out" "$err" || true
	[ "$ended" -eq 0 ]
}

# Links come up in the background: no event of that is to be left when a test begins.
settled() {
	for link in e0 e1; do
		for _ in {1..50}; do
			[ "$(cat_in node "/sys/class/net/$link/operstate")" = up ] && break
			sleep 0.1
		done
	done
	sleep 0.3
}

# watch WORDS...: begins to watch, waits until the last way is resolved (or 2 s).
watch() {
	(exec ip netns exec "$W-node" "$program" "$@") >"$out" 2>"$err" 3>&- &
	watcher=$!
	for _ in {1..20}; do
		sleep 0.1
		grep -q '^ready' "$out" && break
	done
	sleep 0.5
	mark
}

mark() { marked=$(wc -l <"$out"); }
told() { tail -n "+$((marked + 1))" "$out" | grep "^${1:-way}" || true; }

# once KIND PATTERN: within a second there is a line of this kind, it fits, and it stays the only one.
once() {
	for _ in {1..20}; do
		[ -n "$(told "$1")" ] && break
		sleep 0.05
	done
	local at_once
	at_once=$(told "$1")
	sleep 0.4
	echo "told: $at_once, then: $(told "$1")"
	[ "$(told "$1" | wc -l)" -eq 1 ]
	# shellcheck disable=SC2053 # a pattern
	[[ $at_once == $2 ]]
}

# finally SECONDS PATTERN: the last line about a way fits within that time.
finally() {
	local end=$(($(date +%s%N) / 1000000 + $1 * 1000))
	# shellcheck disable=SC2053 # a pattern
	until [[ $(told way | tail -n 1) == $2 ]]; do
		if [ $(($(date +%s%N) / 1000000)) -ge $end ]; then
			echo "not told within $1 s: $2"
			return 1
		fi
		sleep 0.05
	done
}

silent() {
	sleep 0.5
	[ -z "$(told .)" ]
}

@test "an unknown gateway is asked for at once" {
	watch 10.81.9.9
	[[ $(grep ^way "$out" | tail -n 1) == "way 10.81.9.9 resolved e0 e0 gw 10.81.1.254 src 10.81.1.1 mac $(mac_of 1) from $(cat_in node /sys/class/net/e0/address) mtu 1500 tags 0:"* ]]
	silent
}

@test "IPv6: gateway, address on the link" {
	watch fd81:9::9 fd81:1::254
	grep "^way fd81:9::9 resolved e0 e0 gw fd81:1::254 src fd81:1::1 mac $(mac_of 1)" "$out"
	grep "^way fd81:1::254 resolved e0 e0 gw - src fd81:1::1 mac $(mac_of 1)" "$out"
	node -6 route replace fd81:9::/64 via fd81:2::254
	finally 2 "way fd81:9::9 resolved e1 e1 gw fd81:2::254 src fd81:2::1 mac $(mac_of 2)*"
}

@test "a route by a gateway that is known" {
	watch 10.81.2.254 10.81.9.9
	node route replace 10.81.9.0/24 via 10.81.2.254
	once way "way 10.81.9.9 resolved e1 e1 gw 10.81.2.254 src 10.81.2.1 mac $(mac_of 2)*"
	mark
	node route add 10.81.9.9/32 via 10.81.1.254 # more specific
	finally 1 "way 10.81.9.9 resolved e0 e0 gw 10.81.1.254*"
}

@test "a route goes, comes, says no" {
	watch 10.81.1.254 10.81.9.9
	node route del 10.81.9.0/24
	once way "way 10.81.9.9 no-route - - gw - src -*: no route"
	mark
	node route add 10.81.9.0/24 via 10.81.1.254
	once way "way 10.81.9.9 resolved e0*"
	mark
	node route add blackhole 10.81.9.8/31
	once way "way 10.81.9.9 no-route*"
	mark
	node route add 10.81.7.0/24 via 10.81.1.254 # somebody else's
	silent
}

@test "a rule sends it elsewhere" {
	watch 10.81.2.254 10.81.9.9
	node route add default via 10.81.2.254 table 7
	silent
	node rule add to 10.81.9.0/24 lookup 7 pref 100
	once way "way 10.81.9.9 resolved e1 e1 gw 10.81.2.254*"
}

@test "an address of this machine comes and goes" {
	watch 10.81.1.254 10.81.9.9 10.81.1.9
	node addr add 10.81.1.9/32 dev e0
	once way "way 10.81.1.9 local*: this machine itself"
	[ "$(told own | wc -l)" -eq 1 ]
	[[ $(told own) == *" 10.81.1.9"* ]]
	mark
	node route replace 10.81.9.0/24 via 10.81.1.254 src 10.81.1.9
	once way "way 10.81.9.9 resolved e0 e0 gw 10.81.1.254 src 10.81.1.9 mac*"
	mark
	node addr del 10.81.1.9/32 dev e0 # the kernel takes the route away and tells nobody
	sleep 1
	told way | grep "way 10.81.9.9 no-route"
	told way | grep "way 10.81.1.9 unresolved"
	[ "$(told own | wc -l)" -eq 1 ]
	[ "$(told way | wc -l)" -eq 2 ]
}

@test "the carrier goes and comes back" {
	watch 10.81.9.9
	gw 1 link set e0 down
	once way "way 10.81.9.9 down e0*: by e0 over 10.81.1.254, which is down"
	[ "$(told link)" = "link e0 down mac $(cat_in node /sys/class/net/e0/address) mtu 1500" ]
	mark
	gw 1 link set e0 up
	once way "way 10.81.9.9 resolved e0 e0 gw 10.81.1.254 src 10.81.1.1 mac $(mac_of 1)*"
	[[ $(told link) == "link e0 up "* ]]
}

@test "a gateway that was never heard is asked for when the carrier comes" {
	gw 1 link set e0 down
	watch 10.81.9.9
	grep "^way 10.81.9.9 down e0" "$out"
	sleep 1.5
	gw 1 link set e0 up
	finally 1 "way 10.81.9.9 resolved e0*"
}

@test "a link set down takes its routes with it, and the kernel does not say so" {
	in_ns node sysctl -qw net.ipv6.conf.e0.disable_ipv6=1 # it would speak of its addresses
	watch 10.81.9.9 10.81.2.254
	mark
	node link set e0 down
	once way "way 10.81.9.9 no-route*"
}

@test "a link set down and up" {
	watch 10.81.9.9 fd81:9::9 10.81.2.254
	node link set e0 down
	sleep 1
	told way | grep "way 10.81.9.9 no-route"
	told way | grep "way fd81:9::9 no-route"
	[ "$(told way | wc -l)" -eq 2 ]
	mark
	node link set e0 up
	node route add 10.81.9.0/24 via 10.81.1.254
	finally 2 "way 10.81.9.9 resolved e0*"
}

@test "MTU of the link, of the route" {
	watch 10.81.9.9
	node link set e0 mtu 1400
	once way "way 10.81.9.9 resolved e0 e0 gw 10.81.1.254 * mtu 1400 tags 0:*"
	[[ $(told link) == "link e0 up "*" mtu 1400" ]]
	mark
	node route replace 10.81.9.0/24 via 10.81.1.254 mtu 1300
	once way "way 10.81.9.9 resolved e0 e0 gw 10.81.1.254 * mtu 1300 tags 0:*"
	mark
	node link set e0 mtu 1280
	once way "way 10.81.9.9 resolved e0 e0 gw 10.81.1.254 * mtu 1280 tags 0:*"
}

@test "the MAC of this machine's port" {
	watch 10.81.9.9
	node link set e0 address 02:00:00:00:81:01
	once way "way 10.81.9.9 resolved e0*from 02:00:00:00:81:01*"
}

@test "a gateway that announces its new MAC" {
	watch 10.81.9.9 fd81:9::9
	gw 1 link set e0 address 02:00:00:00:81:fe
	in_ns gw1 arping -q -c 1 -U -I e0 10.81.1.254 || true # nobody answers
	finally 1 "way 10.81.9.9 resolved * mac 02:00:00:00:81:fe from*"
	[ "$(told "way 10.81" | wc -l)" -eq 1 ]
}

@test "a gateway whose MAC changes silently is found out within 22 s" {
	watch 10.81.9.9
	gw 1 link set e0 address 02:00:00:00:81:fd
	since=$(date +%s%N)
	finally 22 "way 10.81.9.9 resolved * mac 02:00:00:00:81:fd from*"
	echo "# found out after $((($(date +%s%N) - since) / 1000000)) ms" >&3
	[ "$(told way | wc -l)" -eq 1 ] # never given up in between
}

@test "a gateway that is gone is given up, and found when it is back" {
	in_ns node sysctl -qw net.ipv4.neigh.e0.retrans_time_ms=200
	node neigh replace 10.81.1.254 lladdr "$(mac_of 1)" dev e0 nud stale # verified within 4.1 s
	gw 1 addr del 10.81.1.254/24 dev e0
	watch 10.81.9.9
	grep "^way 10.81.9.9 resolved" "$out"
	finally 8 "way 10.81.9.9 unresolved e0 e0 gw 10.81.1.254*no answer*"
	[ "$(told way | wc -l)" -eq 1 ]
	sleep 3
	mark
	gw 1 addr add 10.81.1.254/24 dev e0
	finally 6 "way 10.81.9.9 resolved*"
}

@test "entries made by hand are taken and left as they are" {
	node neigh replace 10.81.2.254 lladdr 02:00:00:00:81:cc dev e1 nud permanent
	gw 1 addr del 10.81.1.254/24 dev e0
	watch 10.81.9.9 10.81.2.254
	grep "^way 10.81.2.254 resolved e1 .* mac 02:00:00:00:81:cc" "$out"
	node neigh replace 10.81.1.254 lladdr 02:00:00:00:81:aa dev e0 nud permanent
	once way "way 10.81.9.9 resolved * mac 02:00:00:00:81:aa from*"
	sleep 4.5 # an entry that was there at the start is seen after within 4.1 s
	[[ $(node neigh show 10.81.1.254) == *"02:00:00:00:81:aa PERMANENT"* ]]
	[[ $(node neigh show 10.81.2.254) == *"02:00:00:00:81:cc PERMANENT"* ]]
}

@test "entries of a routing daemon, or managed by the kernel, are taken and left as they are" {
	node neigh replace 10.81.1.254 lladdr "$(mac_of 1)" dev e0 nud stale extern_learn
	node neigh replace 10.81.2.254 dev e1 managed
	watch 10.81.9.9 10.81.2.254
	grep "^way 10.81.9.9 resolved e0" "$out"
	grep "^way 10.81.2.254 resolved e1" "$out"
	sleep 4.5 # an entry that was there at the start is verified within 4.1 s
	[[ $(node neigh show 10.81.1.254) == *extern_learn* ]]
	[[ $(node neigh show 10.81.2.254) == *managed* ]]
}

@test "an entry that was there, but wrong, is found out soon" {
	node neigh replace 10.81.1.254 lladdr 02:00:00:00:81:bb dev e0 nud stale
	watch 10.81.9.9
	grep "^way 10.81.9.9 resolved e0 .* mac 02:00:00:00:81:bb" "$out"
	finally 8 "way 10.81.9.9 resolved e0 * mac $(mac_of 1) from*"
	[ "$(told way | wc -l)" -eq 1 ]
}

@test "IPv6: an entry that was there, but wrong, is found out soon" {
	node -6 neigh replace fd81:1::254 lladdr 02:00:00:00:81:bb dev e0 nud stale
	watch fd81:9::9
	grep "^way fd81:9::9 resolved e0 .* mac 02:00:00:00:81:bb" "$out"
	finally 8 "way fd81:9::9 resolved e0 * mac $(mac_of 1) from*"
	[ "$(told way | wc -l)" -eq 1 ]
}

@test "a link without ARP" {
	node link set e0 arp off
	watch 10.81.9.9
	[[ $(grep ^way "$out" | tail -n 1) == "way 10.81.9.9 resolved e0 e0 "* ]]
}

@test "a macvlan's frames leave by its parent" {
	node link add link e0 name m0 address 00:00:5e:00:01:33 type macvlan mode private
	node link set m0 up mtu 1480
	node addr add 10.81.3.1/24 dev m0
	watch 10.81.3.9
	port=$(cat_in node /sys/class/net/e0/address)
	[[ $(grep ^way "$out") == "way 10.81.3.9 unresolved m0 e0 gw - src 10.81.3.1 mac 00:00:00:00:00:00 from $port mtu 1480 "* ]]
	gw 1 addr add 10.81.3.9/24 dev e0
	finally 6 "way 10.81.3.9 resolved m0 e0 *mac $(mac_of 1) from $port*"
	node link del m0
	finally 1 "way 10.81.3.9 no-route*"
}

@test "IPv4 over an IPv6 gateway" {
	node route replace 10.81.9.0/24 via inet6 fd81:2::254 dev e1
	watch 10.81.9.9
	[[ $(grep ^way "$out" | tail -n 1) == "way 10.81.9.9 resolved e1 e1 gw fd81:2::254 src 10.81.2.1 mac $(mac_of 2)"* ]]
}

@test "a link goes and comes back under its name" {
	watch 10.81.9.9
	node link del e0
	finally 1 "way 10.81.9.9 no-route*"
	[[ $(told link) == *"link e0 gone"* ]]
	mark
	node link add e0 type veth peer name e0 netns "$W-gw1"
	node link set e0 up
	gw 1 link set e0 up
	gw 1 addr add 10.81.1.254/24 dev e0
	node addr add 10.81.1.1/24 dev e0
	node route add 10.81.9.0/24 via 10.81.1.254
	finally 3 "way 10.81.9.9 resolved e0 e0 gw 10.81.1.254 src 10.81.1.1 mac $(mac_of 1)*"
	told link | grep "^link e0 up"
}

@test "4,096 addresses behind one gateway, and a flood of events" {
	watch --first 10.81.9.0 --count 4096 10.81.2.254
	gw 2 addr add 10.81.0.254/16 dev e0
	node route add 10.81.0.0/16 via 10.81.1.254
	sleep 1
	told way | tail -n 1
	mark
	gw 1 link set e0 address 02:00:00:00:81:fe
	in_ns gw1 arping -q -c 1 -U -I e0 10.81.1.254 || true # nobody answers
	for _ in {1..20}; do
		sleep 0.05
		[ "$(told way | wc -l)" -ge 4096 ] && break
	done
	[ "$(told way | grep -c "resolved .* mac 02:00:00:00:81:fe from")" -eq 4096 ]
	[ "$(told way | wc -l)" -eq 4096 ]
	mark
	# 2,000 events that cover every one of them and change none
	awk 'BEGIN {
		route = "10.81.0.0/16 via 10.81.2.254 metric"
		for (i = 1; i <= 1000; i++) printf "route add %s %d\nroute del %s %d\n", route, i, route, i
	}' >"$BATS_TEST_TMPDIR/batch"
	node -batch "$BATS_TEST_TMPDIR/batch"
	sleep 1
	silent
	kill -TERM "$watcher"
	wait "$watcher"
	watcher=
	end=$(grep ^end "$out")
	start=$(grep ^ready "$out")
	echo "# $start; after it: $end" >&3
	cpu=$(cut -d' ' -f3 <<<"$end")
	[ "$cpu" -lt 1500 ]
}

@test "events that were lost: everything is read again" {
	watch 10.81.9.9
	awk 'BEGIN { for (i = 0; i < 20000; i++) printf "route add 10.82.%d.%d dev e1\n", i / 256, i % 256 }' >"$BATS_TEST_TMPDIR/batch"
	kill -STOP "$watcher"
	node -batch "$BATS_TEST_TMPDIR/batch"
	node link set e0 mtu 1400
	node addr add 10.81.1.7/32 dev e0
	kill -CONT "$watcher"
	once way "way 10.81.9.9 resolved e0 * mtu 1400 *"
	[ "$(told own | wc -l)" -eq 1 ]
	[[ $(told own) == *" 10.81.1.7"* ]]
	grep "events of the kernel were lost" "$err"
}

@test "driver and VLAN offload of an interface" {
	watch --driver e0 --driver none 10.81.9.9
	grep "^driver veth rxvlan on" "$out"
	grep "^driver none: No such device" "$out"
	in_ns node ethtool -K e0 rxvlan off
	kill -TERM "$watcher"
	wait "$watcher"
	watch --driver e0
	grep "^driver veth rxvlan off" "$out"
}
