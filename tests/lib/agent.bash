# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
#
# For .bats files about the agent itself: no servers, no clients of the network, only
#
#     namespace $net-node: wa0 10.99.1.11/24 ---- veth ---- far0 10.99.1.21/24, 10.99.1.22/24 :namespace $net-far
#
# and a directory $dir outside of any namespace with bpf/ (a bpffs of its own), weir.conf, state/, weir.sock, weir.prom, log.

top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$top/build}")
export BUILD

net_up() {
	net=wa$$
	dir=$(mktemp -d "/tmp/weir-$net-XXXXXX")
	export net dir
	chmod 755 "$dir"
	mkdir "$dir/bpf"
	mount -t bpf bpf "$dir/bpf"
	ip netns add "$net-node"
	ip netns add "$net-far"
	wire
}

# The veth and its addresses; again after `ip -n $net-far link del far0`.
wire() {
	ip -n "$net-far" link add far0 type veth peer name wa0 netns "$net-node"
	ip -n "$net-far" addr add 10.99.1.21/24 dev far0
	ip -n "$net-far" addr add 10.99.1.22/24 dev far0
	ip -n "$net-far" link set far0 up
	ip -n "$net-node" addr add 10.99.1.11/24 dev wa0
	ip -n "$net-node" link set wa0 up
}

net_down() {
	local pid
	for pid in $(ip netns pids "$net-node" 2>/dev/null); do kill -9 "$pid"; done
	until_true 5 eval '[ -z "$(ip netns pids "$net-node")" ]'
	umount "$dir/bpf" || umount -l "$dir/bpf"
	ip netns del "$net-node"
	ip netns del "$net-far"
	rm -rf "$dir"
}

good() {
	echo "interface wa0 { xdp native; }"
	echo "service web { listen 10.99.9.9 tcp 80; slots 4096; backend 10.99.1.21; backend 10.99.1.22; }"
}

inside() { nsenter --net="/run/netns/$net-node" -- "$@"; }

# shellcheck disable=SC2086
launch() { # becomes the agent
	exec nsenter --net="/run/netns/$net-node" -- ${launch_binary:-"$BUILD/weir-agent"} --config "$dir/weir.conf" --socket "$dir/weir.sock" --state-dir "$dir/state" \
		--bpffs "$dir/bpf/w" --metrics-file "$dir/weir.prom" "$@"
}

# agent OPTION...: in the foreground; options given twice: the last one counts
agent() { (launch "$@"); }

# start OPTION...: in the background; waits until this very process answers. Its pid in $pid.
start() {
	launch "$@" >>"$dir/log" 2>&1 3>&- </dev/null &
	pid=$!
	until_true 10 answers $pid || { tail -n 20 "$dir/log"; return 1; }
}

answers() { [ "$(ask status 2>/dev/null | head -n 1 | jq .pid 2>/dev/null)" = "$1" ]; }

# stop [SIGNAL]: of $pid; its exit code in $code
stop() {
	kill "-${1:-TERM}" "$pid"
	code=0
	wait "$pid" || code=$?
}

# ask WORD...: one request, all lines of the reply
ask() { printf '%s\n' "$*" | timeout 20 nc -N -U "$dir/weir.sock"; }
# code WORD...: one request, its code
code() { ask "$@" | tail -n 1 | jq .code; }
problems() { ask status | head -n 1 | jq -r '.problems[]'; }
events() { ask events | jq -r 'select(.kind) | .kind'; }
link_id() { inside ip -d -j link show wa0 | jq '.[0].xdp.prog.id'; }

# none COMMAND...: it must fail (`! COMMAND` alone does not make a test fail).
none() { if "$@"; then return 1; fi; }

# until_true SECONDS COMMAND...: waits for it.
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		if [ $SECONDS -ge $end ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}
