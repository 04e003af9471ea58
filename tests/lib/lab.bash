# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
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

# all_answered JSON [MIN]: nothing failed and at least MIN (1) requests were sent.
all_answered() {
	[ "$(jq --argjson min "${2:-1}" '.failed == 0 and .sent == .answered and .sent >= $min' <<<"$1")" = true ]
}
