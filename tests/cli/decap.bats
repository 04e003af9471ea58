#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# weir decap, on a cable between two network namespaces:
#
#    a  eth0 10.77.0.1, fd77::1 ---- eth0 10.77.0.2, fd77::2  b, with the VIPs 192.0.2.10 and 2001:db8::10 on lo
#
# a sends tunnel packets, b has the program and a socket that waits for what was inside.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

a() { nsenter --net="/run/netns/$net-a" -- "$@"; }
b() { nsenter --net="/run/netns/$net-b" -- "$@"; }

setup() {
	net=wdecap$$
	agent=$(mktemp -d) # for call's files
	ip netns add "$net-a"
	ip netns add "$net-b"
	ip link add eth0 netns "$net-a" type veth peer name eth0 netns "$net-b"
	a sysctl -qw net.ipv6.conf.eth0.accept_dad=0
	b sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
	a ip link set eth0 up
	b ip link set eth0 up
	b ip link set lo up
	a ip addr add 10.77.0.1/24 dev eth0
	a ip addr add fd77::1/64 dev eth0 nodad
	b ip addr add 10.77.0.2/24 dev eth0
	b ip addr add fd77::2/64 dev eth0 nodad
	b ip addr add 192.0.2.10/32 dev lo
	b ip addr add 2001:db8::10/128 dev lo nodad
	b ip route add default via 10.77.0.1
	b ip route add default via fd77::1
}

teardown() {
	ip netns del "$net-a"
	ip netns del "$net-b"
	[ -z "${pins:-}" ] || umount "$pins"
	rm -rf "${agent:?}"
}

# call in b
b_call() {
	code=0
	b "$weir" "$@" >"$agent/out" 2>"$agent/err" || code=$?
	out=$(<"$agent/out")
	err=$(<"$agent/err")
}

# Sends a datagram in each of the four tunnels; says which of them arrived.
tunnel() {
	nsenter --net="/run/netns/$net-b" -- timeout 30 /usr/bin/python3 - >"$agent/arrived" 3>&- <<-'EOF' &
		import select, socket
		sockets = []
		for family, vip in ((socket.AF_INET, "192.0.2.10"), (socket.AF_INET6, "2001:db8::10")):
		    sockets.append(socket.socket(family, socket.SOCK_DGRAM))
		    sockets[-1].bind((vip, 7000))
		while True:
		    for ready in select.select(sockets, [], [])[0]:
		        print(ready.recv(100).decode(), flush=True)
	EOF
	receiver=$!
	a /usr/bin/python3 - "$(b ip -j link show eth0 | jq -r '.[0].address')" 2>/dev/null <<-'EOF'
		import sys
		from scapy.all import Ether, IP, IPv6, Raw, UDP, sendp
		outer4 = IP(src="10.77.0.1", dst="10.77.0.2")
		outer6 = IPv6(src="fd77::1", dst="fd77::2")
		inner4 = IP(src="10.77.0.1", dst="192.0.2.10") / UDP(sport=7000, dport=7000)
		inner6 = IPv6(src="fd77::1", dst="2001:db8::10") / UDP(sport=7000, dport=7000)
		for name, outer, inner in (("4in4", outer4, inner4), ("6in4", outer4, inner6), ("4in6", outer6, inner4), ("6in6", outer6, inner6)):
		    sendp(Ether(dst=sys.argv[1]) / outer / inner / Raw(name.encode()), iface="eth0", verbose=False)
		other = IP(src="10.77.0.1", dst="10.77.0.77") / inner4 / Raw(b"other")
		sendp(Ether(dst=sys.argv[1]) / other, iface="eth0", verbose=False)
	EOF
	sleep 0.5
	kill "$receiver"
	wait "$receiver" || true
	sort "$agent/arrived" | xargs
}

count() { jq -r ".interfaces[0].counters[] | select(.reason == \"$1\").packets" <<<"$out"; }

@test "attach, show, detach: packets in four tunnels arrive only while it is attached" {
	b_call decap show
	same out "weir decap is attached nowhere" "$out"
	same before "" "$(tunnel)"
	b_call decap attach eth0
	same code 0 "$code"
	same out "eth0: attached, xdp native, 3 addresses" "$out"
	same arrived "4in4 4in6 6in4 6in6" "$(tunnel)"
	b_call decap show eth0 --json
	jq -e '.schema_version == 1 and .interfaces[0].name == "eth0" and .interfaces[0].mode == "native"' <<<"$out"
	same stripped 4 "$(count stripped)"
	[ "$(count other)" -ge 1 ] # what was for 10.77.0.77
	b_call decap show
	[[ $out == "eth0: xdp native, strips for "*10.77.0.2* ]]
	grep -q '^stripped  *4  the tunnel header was taken off' "$agent/out"
	b_call decap detach eth0
	same out "eth0: detached" "$out"
	same after "" "$(tunnel)"
}

@test "both are idempotent; attaching again takes new addresses and keeps the counters" {
	b_call decap attach eth0 ipip
	tunnel >/dev/null
	b ip addr del 10.77.0.2/24 dev eth0
	b ip addr add 10.77.0.3/24 dev eth0 label eth0:1
	b_call decap attach eth0 ipip
	same code 0 "$code"
	same out "eth0: already attached, xdp native, 3 addresses" "$out"
	b_call decap show --json
	same stripped 4 "$(count stripped)"
	jq -e '.interfaces[0].addresses | index("10.77.0.3") and (index("10.77.0.2") | not)' <<<"$out"
	b_call decap detach eth0
	b_call decap detach eth0
	same code 0 "$code"
	same out "eth0: already detached" "$out"
}

@test "an older program is replaced in one step" {
	clang -target bpf -mcpu=v3 -O2 -g -I"$root/bpf" -idirafter "/usr/include/$(uname -m)-linux-gnu" -c -o "$agent/old.o" -xc - <<-'EOF'
		#include <linux/bpf.h>
		#include <bpf/bpf_helpers.h>
		struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 256); __uint(key_size, 16); __uint(value_size, 4); } decap_addrs SEC(".maps");
		struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 4); __uint(key_size, 4); __uint(value_size, 8); } decap_counters SEC(".maps");
		SEC("xdp") int decap(struct xdp_md *ctx)
		{
			__u32 key[4] = {ctx->rx_queue_index & 3};
			return bpf_map_lookup_elem(&decap_addrs, key) && bpf_map_lookup_elem(&decap_counters, key) ? XDP_DROP : XDP_PASS;
		}
		char LICENSE[] SEC("license") = "Dual BSD/GPL";
	EOF
	pins=$agent/bpf
	mkdir "$pins"
	mount -t bpf bpf "$pins"
	bpftool prog load "$agent/old.o" "$pins/old" type xdp
	b ip link set dev eth0 xdp pinned "$pins/old"
	b_call decap attach eth0
	same code 0 "$code"
	same out "eth0: program replaced, xdp native, 3 addresses" "$out"
	same arrived "4in4 4in6 6in4 6in6" "$(tunnel)"
}

@test "a foreign program is named, not replaced" {
	pins=$agent/bpf
	mkdir "$pins"
	mount -t bpf bpf "$pins"
	bpftool prog load "$build/tools/lab/lab.bpf.o" "$pins/foreign" type xdp 2>/dev/null ||
		bpftool prog loadall "$build/tools/lab/lab.bpf.o" "$pins/foreign"
	foreign=$pins/foreign
	[ ! -d "$foreign" ] || foreign=$foreign/pass
	b ip link set dev eth0 xdp pinned "$foreign"
	before=$(b ip -j link show eth0 | jq '.[0].xdp.prog.id')
	b_call decap attach eth0
	same code 1 "$code"
	[[ $err == "weir: interface eth0: runs another XDP program already, \"pass\", id $before: it is not replaced"* ]]
	same id "$before" "$(b ip -j link show eth0 | jq '.[0].xdp.prog.id')"
	b_call decap detach eth0
	same code 0 "$code"
	same id "$before" "$(b ip -j link show eth0 | jq '.[0].xdp.prog.id')"
	b_call decap show eth0
	same code 4 "$code"
}

@test "generic only when it is asked for" {
	b_call decap attach lo
	same code 1 "$code"
	same err "weir: interface lo: its driver has no XDP: --generic works with every driver, slower" "$err"
	b_call decap attach lo --generic
	same code 0 "$code"
	[[ $out == "lo: attached, xdp generic, "* ]]
	b_call decap attach lo
	[[ $out == "lo: already attached, xdp generic, "* ]]
	b_call decap detach lo
	same out "lo: detached" "$out"
}

@test "errors: no such interface, no such word, no address, no root" {
	b_call decap attach eth9
	same code 4 "$code"
	same err 'weir: interface "eth9": no such interface' "$err"
	b_call decap detach eth9
	same code 4 "$code"
	b_call decap show eth0
	same code 4 "$code"
	b_call decap attach eth0 vxlan
	same code 2 "$code"
	b ip addr flush dev eth0
	b_call decap attach eth0
	same code 0 "$code"
	[[ $err == "weir: warning: the interface has no address"* ]]
	cp "$weir" "$agent/weir"
	chmod 755 "$agent" "$agent/weir"
	code=0
	setpriv --reuid=65534 --regid=65534 --clear-groups "$agent/weir" decap attach lo 2>"$agent/err" || code=$?
	same code 1 "$code"
	grep -q 'root is needed' "$agent/err"
}
