# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# For .bats files that need the lab: one lab a file, under a name of its own, taken down whatever happens.
#
#   load ../lib/lab
#   setup_file() { lab_up --tags 1; config lb1 <<<"..."; lab agent lb1 start; }
#   teardown_file() { lab_down; }

top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$top/build}")
export BUILD LAB=${LAB:-wt$$}

VIP4=10.71.9.9 VIP6=fd71:9::9
export VIP4 VIP6

lab() { "$top/tools/lab/lab" "$@"; }
lab_up() { lab up "$@"; }
lab_down() { lab down; }
home() { echo "$BUILD/lab/$LAB/$1"; }
client() { lab exec client "$@"; }
requests() { client "$BUILD/tools/lab/requests" "$@"; }
weir() { lab weir "$@"; }

# config NODE <TEXT: the node's weir.conf
config() { cat >"$(home "$1")/weir.conf"; }

# fields JSON FILTER: jq -r
fields() { jq -r "$2" <<<"$1"; }

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
		sleep 0.1
	done
}

# Load in the background: load_begin WORDS-OF-requests..., then load_end: its JSON in $load, which must tell of no failure.
load_begin() {
	"$top/tools/lab/lab" exec client "$BUILD/tools/lab/requests" "$@" >"$BATS_TEST_TMPDIR/load.json" 2>"$BATS_TEST_TMPDIR/load.err" 3>&- &
	load_pid=$!
	sleep 0.5
}

load_end() {
	# `lab exec` becomes the command: the pid is the client's own
	kill -TERM "$load_pid"
	wait "$load_pid" || true
	load=$(cat "$BATS_TEST_TMPDIR/load.json")
	echo "$load"
	cat "$BATS_TEST_TMPDIR/load.err"
}

# wrk in the background, a new connection for each request: press_begin CONNECTIONS ADDRESS [PAUSE], then press_end: its report
# goes to stdout, the number of its socket errors to $press_errors. PAUSE: ms that each connection waits, so that the machine does.
press_begin() {
	local pause=()
	if [ -n "${3-}" ]; then
		echo "function delay() return $3 end" >"$BATS_TEST_TMPDIR/pause.lua"
		pause=(-s "$BATS_TEST_TMPDIR/pause.lua")
	fi
	"$top/tools/lab/lab" exec client wrk -t 1 -c "$1" -d 120 --timeout 5s "${pause[@]}" -H "Connection: close" "http://$(bracketed "$2")/" \
		>"$BATS_TEST_TMPDIR/wrk" 2>&1 3>&- &
	press_pid=$!
	sleep 0.5
}

press_end() {
	# it ends early and reports all the same; said again, as a thread that is not its main one may have taken the signal
	while kill -INT $press_pid 2>/dev/null; do sleep 0.1; done
	wait $press_pid || true
	cat "$BATS_TEST_TMPDIR/wrk"
	[ "$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$BATS_TEST_TMPDIR/wrk")" -ge 300 ]
	none grep Non-2xx "$BATS_TEST_TMPDIR/wrk"
	# shellcheck disable=SC2034 # for the test that calls
	press_errors=$(($(sed -n 's/.*Socket errors: connect \([0-9]*\), read \([0-9]*\), write \([0-9]*\), timeout \([0-9]*\).*/\1+\2+\3+\4/p' \
		"$BATS_TEST_TMPDIR/wrk")))
}

# all_answered JSON [MIN]: nothing failed and at least MIN (1) requests were sent.
all_answered() {
	[ "$(jq --argjson min "${2:-1}" '.failed == 0 and .sent == .answered and .sent >= $min' <<<"$1")" = true ]
}

# service NAME FORWARD VIP BACKEND...: text of a service with the ports that the lab's servers have.
service() {
	printf 'service %s {\n\tforward %s;\n\tlisten %s tcp 80 8080;\n\tlisten %s udp 8053;\n' "$1" "$2" "$3" "$3"
	shift 3
	printf '\tbackend %s;\n' "$@"
	printf '}\n'
}

bracketed() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac }

# counted NODE SERVICE: packets and bytes, as `lab sent` writes them.
counted() {
	weir "$1" show services "$2" --json | jq -c --arg name "$2" '.services[] | select(.name == $name) | {packets, bytes}'
}

# difference BEFORE AFTER: of two {packets, bytes}
difference() { jq -nc --argjson a "$1" --argjson b "$2" '{packets: ($b.packets - $a.packets), bytes: ($b.bytes - $a.bytes)}'; }

# wire_lost NODE: packets that were lost between client and node by queues of veth that were full, as a burst of segments may.
wire_lost() {
	lab exec router ip -j -s link show | jq --arg port "$1-eth0" \
		'[.[] | (select(.ifname == "eth0").stats64.rx.dropped), (select(.ifname == $port).stats64.tx.dropped)] | add'
}

# all_counted SENT COUNTED LOST: the node has counted, to the packet and byte, what the client sent and the wire did not lose.
all_counted() {
	echo "client sent $1, node counted $2, lost before the node $3"
	if [ "$3" = 0 ]; then [ "$1" = "$2" ]; else [ "$(jq .packets <<<"$1")" = $(($(jq .packets <<<"$2") + $3)) ]; fi
}

# spread JSON NAMES MIN: each of NAMES (be1 be2) has answered MIN at least and nobody else has answered.
spread() {
	[ "$(jq --arg names "$2" --argjson min "$3" '(.by | keys) == ($names | split(" ")) and ([.by[]] | min) >= $min' <<<"$1")" = true ]
}

# one_has NAMES FILE COPY: one of these backends serves FILE with the very bytes of COPY.
one_has() {
	local name
	for name in $1; do
		if cmp -s "$(home "$name")/nginx/files/$2" "$3"; then return 0; fi
	done
	echo "$3 is no backend's $2"
	return 1
}

# forwarding_works NODE SERVICE VIP [NAMES]: real traffic of every kind reaches all backends and comes back whole, and the
# service has counted just what the client has sent.
forwarding_works() {
	local node=$1 service=$2 vip=$3 names=${4:-be1 be2 be3} url sent counted lost result body
	url=http://$(bracketed "$vip")
	sent=$(lab sent "$vip")
	counted=$(counted "$node" "$service")
	lost=$(wire_lost "$node")

	result=$(requests --count 600 --timeout 1000 "$vip" 80)
	echo "requests: $result"
	all_answered "$result" 600
	spread "$result" "$names" 120

	result=$(client "$top/tools/lab/datagrams" ask "$vip" 60 1200)
	echo "datagrams: $result"
	[ "$(jq .answered <<<"$result")" = 60 ]
	spread "$result" "$names" 5

	body=$(home client)/body
	client curl -sS -m 20 -o "$body" "$url/files/big"
	[ "$(stat -c %s "$body")" = 8388608 ]
	one_has "$names" big "$body"
	client curl -sS -m 20 -o /dev/null -T "$body" "$url:8080/files/up"
	one_has "$names" up "$body"
	for name in $names; do rm -f "$(home "$name")/nginx/files/up"; done

	all_counted "$(difference "$sent" "$(lab sent "$vip")")" "$(difference "$counted" "$(counted "$node" "$service")")" \
		$(($(wire_lost "$node") - lost))
}
