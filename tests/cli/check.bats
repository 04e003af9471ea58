#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# weir-agent --check: all errors at once, each at its place, by exit code 0 or 78; without root, interfaces or anything running.

setup() {
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	build=$(cd "$root" && cd "${BUILD:-build}" && pwd)
	cd "$BATS_TEST_TMPDIR" || return 1
	chmod 755 .
}

# By nobody, with no capability, in an empty namespace of the network.
check() { run unshare --net setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all -- "$agent" --check --config "$1"; }

# nobody may not be let into the build directory.
use_copy() {
	agent=$BATS_TEST_TMPDIR/weir-agent
	cp "$build/weir-agent" "$agent"
}

@test "a good file: exit 0, one line" {
	use_copy
	cat >good.conf <<-'EOF2'
		interface nowhere0 { xdp native; }
		limits { pins 4096; openings 1024; }
		defaults { forward ipip; drain 10m; on-down reset; slow-start 30s; learn 2m; learn-udp 1500ms; }
		service web { listen 192.0.2.10 tcp 80 443 8000-8099; drain unlimited; slow-start off; backend 10.0.0.11 { weight 2; } fallback 10.0.0.99; }
		service dns { listen [2001:db8::53]:53 udp; affinity none; backend 10.0.0.11; }
	EOF2
	check good.conf
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = "good.conf: good: 2 services, 1 interfaces" ]
}

@test "a bad file: exit 78, every error at its place" {
	use_copy
	cat >bad.conf <<-'EOF2'
		service web {
		    lisen 192.0.2.10 tcp 80;
		    listen 192.0.2.10 tcp 80x;
		    listen 192.0.2.11 tcp 80 80;
		    affinity client; affinity flow;
		    backend 10.0.0.11:8080;
		}
		service old { listen 192.0.2.13 tcp 80; drain 10; on-down kep; slow-start 2h; learn 999ms; learn-upd 30s; }
		limits { pins 64; openings 32k; }
		service cut { listen 192.0.2.12 tcp 80;
	EOF2
	check bad.conf
	echo "$output"
	[ "$status" -eq 78 ]
	[ "$output" = "bad.conf:2:5: error: unknown word \"lisen\" (did you mean \"listen\"?)
bad.conf:3:27: error: port \"80x\": must be 1-65535, a range such as 8000-8099, or any
bad.conf:4:30: error: service \"web\": listen 192.0.2.11 tcp 80: overlaps 80 of service \"web\" (bad.conf:4:27)
bad.conf:5:22: error: \"affinity\" is given twice, first at bad.conf:5:5
bad.conf:6:13: error: backend \"10.0.0.11:8080\": a backend has no port: direct server return cannot change ports, let it listen on the VIP's port
bad.conf:8:47: error: drain 10: a time needs a unit: 10ms, 10s, 10m or 10h
bad.conf:8:59: error: on-down \"kep\": must be keep or reset (did you mean \"keep\"?)
bad.conf:8:75: error: slow-start 2h: out of range, 1s-1h or off
bad.conf:8:85: error: learn 999ms: out of range, 1s-24h
bad.conf:8:92: error: unknown word \"learn-upd\" (did you mean \"learn-udp\"?)
bad.conf:9:15: error: pins 64: out of range, 1024-16777216
bad.conf:9:28: error: openings \"32k\": not a number (1024-16777216)
bad.conf:11:1: error: the text ends inside the block of \"service\" that begins in line 10: } is missing" ]
}

@test "included files: their own names, from their own directory" {
	use_copy
	mkdir conf.d
	echo 'include "conf.d/*.conf";' >main.conf
	echo 'service a { listen 192.0.2.10 tcp 80; }' >conf.d/a.conf
	printf 'include "a.conf";\nservice a { listen 192.0.2.11 tcp 80; }\n' >conf.d/b.conf
	check main.conf
	echo "$output"
	[ "$status" -eq 78 ]
	[ "$output" = "conf.d/b.conf:1:9: error: include \"conf.d/a.conf\": is read already (a circle, or two includes that name it)
conf.d/b.conf:2:9: error: service \"a\": is given twice, first at conf.d/a.conf:1:1" ]
}

@test "no file, a directory, bytes that are no text" {
	use_copy
	check none.conf
	[ "$status" -eq 78 ]
	[ "$output" = "none.conf: error: cannot be read: No such file or directory" ]
	check /
	[ "$status" -eq 78 ]
	[ "$output" = "/: error: cannot be read: Is a directory" ]
	head -c 100000 /bin/bash >binary.conf
	check binary.conf
	[ "$status" -eq 78 ]
	grep -q '^and [0-9]* more errors$' <<<"$output"
	head -c 2000000 /dev/zero | tr '\0' ' ' >big.conf
	check big.conf
	echo "$output"
	[ "$status" -eq 78 ]
	[ "${#lines[@]}" -eq 1 ]
}

# What is to come is named as that, word by word, and nothing else is wrong with a file that uses it all.
@test "words of later versions: not supported yet" {
	use_copy
	cat >later.conf <<-'EOF2'
		node { hash-seed "any text"; }
		interface eth0 { xdp native; }
		vrrp edge { interface eth0; id 51; priority 254; preempt after 30s; address 192.0.2.10/24; peer 192.0.2.3; }
		cluster { listen 192.0.2.2 port 7946; peer 192.0.2.3 port 7946; key-file /etc/weir/cluster.key; }
		limits { services 256; backends 4096; pins 262144; openings 65536; }
		service web {
		    listen 192.0.2.10 tcp 80 443 8000-8099;
		    forward gue;
		    affinity flow;
		    check http { port 8080; path /healthz; host www.example; expect 200-399; every 2s; rise 2; fall 3; }
		    drain unlimited;
		    on-down keep;
		    slow-start 30s;
		    learn 15m; learn-udp 30s; slots 16384;
		    panic 30%;
		    backend 10.0.0.11 { weight 2; check port 81; }
		    backend 10.0.0.12;
		    fallback 10.0.0.99;
		}
		metrics { file /var/lib/prometheus/node-exporter/weir.prom; every 5s; }
	EOF2
	check later.conf
	echo "$output"
	[ "$status" -eq 78 ]
	[ "$(sed 's/^later.conf:\([0-9]*\):[0-9]*: error: "\(.*\)": not supported yet$/\1 \2/' <<<"$output" | paste -sd,)" = \
		"3 vrrp,4 listen,4 port,4 key-file,8 gue,10 check,15 panic,16 check" ]
}
