# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# For .bats files about connections that live through changes: clients that hold on (tools/lab/flows.c), floods, what is left in the
# maps, how busy the machine was. Loaded after lab.bash; the lab has backends be1 ... be6, 10.71.2.21 ... .26.

# lab_of_six: a lab with six backends.
lab_of_six() {
	lab_up "$@"
	for number in 4 5 6; do lab add-backend $number; done
}

# kept_service NAME FORWARD VIP WORDS BACKEND...: a service with flows' port; its windows are short, so that a test sees their end.
kept_service() {
	printf 'service %s {\n\tforward %s;\n\tlisten %s tcp 80 7000;\n\tlisten %s udp 7000;\n' "$1" "$2" "$3" "$3"
	printf '\tlearn 5s;\n\tlearn-udp 5s;\n\t%s\n' "$4"
	printf '\tbackend %s;\n' "${@:5}"
	printf '}\n'
}

# flows_begin NAME WORDS-OF-flows...: in the background; waits until all have had their first answer. Beside them, connections
# straight to the backends.
# shellcheck disable=SC2154 # $top: lab.bash
flows_begin() {
	local name=$1 number words=()
	shift
	for number in 1 2 3 4 5 6; do words+=(--control "10.71.2.2$number"); done
	"$top/tools/lab/lab" exec client "$BUILD/tools/lab/flows" "${words[@]}" "$@" >"$BATS_TEST_TMPDIR/$name.json" \
		2>"$BATS_TEST_TMPDIR/$name.err" 3>&- &
	echo $! >"$BATS_TEST_TMPDIR/$name.pid"
	until_true 20 grep -q ready "$BATS_TEST_TMPDIR/$name.err"
}

# flows_end NAME: what it says, in $flows.
flows_end() {
	local pid
	pid=$(cat "$BATS_TEST_TMPDIR/$1.pid")
	kill -TERM "$pid"
	wait "$pid" || true
	cat "$BATS_TEST_TMPDIR/$1.err"
	flows=$(cat "$BATS_TEST_TMPDIR/$1.json")
	say "$1: $flows"
}

# say WORD...: on the test's output whether it fails or not
say() { sed 's/^/# /' <<<"$*" | tee /dev/fd/3; }

# kept JSON [EXCHANGES]: no connection was cut or answered by another one, none was without an answer for a second.
kept() {
	[ "$(jq --argjson min "${2:-1}" '.alive == .connections and .resets == 0 and .wrong == 0 and .missing_1s == 0 and .exchanges >= $min' \
		<<<"$1")" = true ]
}

# unbroken JSON: the same, but late answers are allowed, as when the wire is full.
unbroken() { [ "$(jq '.alive == .connections and .resets == 0 and .wrong == 0' <<<"$1")" = true ]; }

# lab_ticks: time of CPU that all have taken so far who run in the lab's namespaces now; forwarding is done in the senders' time.
lab_ticks() {
	local name pid
	for name in $(ip netns list | sed -n "s/^\($LAB-[^ ]*\).*/\1/p"); do
		for pid in $(ip netns pids "$name"); do cat "/proc/$pid/stat" 2>/dev/null || true; done
	done | sed 's/.*) //' | awk '{ sum += $12 + $13 } END { print sum + 0 }'
}

# load_from, then load_to: of the machine's time since, what the lab has taken ($lab_share) and what nobody has, in per cent. What else
# runs on the machine takes from the latter.
load_from() {
	read -r -a busy_from </proc/stat
	lab_from=$(lab_ticks)
}
load_to() {
	local now i total=0
	read -r -a now </proc/stat
	for ((i = 1; i <= 8; i++)); do total=$((total + now[i] - busy_from[i])); done
	# shellcheck disable=SC2034 # for the test that calls
	lab_share=$((100 * ($(lab_ticks) - lab_from) / total))
	say "machine: $((100 * (now[4] - busy_from[4]) / total)) % idle, $lab_share % taken by the lab"
}

# entries NODE: openings and pins of all services, as the agent's last search has found them, as one number.
entries() { weir "$1" show services --json | jq '[.services[] | .pins + .openings] | add'; }

# in_maps NODE: the same, of the kernel's maps themselves: the agent does not search maps in which nothing can be.
in_maps() {
	local map
	for map in openings pins; do
		PATH=$PATH:/usr/sbin bpftool -j map dump pinned "$(echo "$(home "$1")"/bpf/set-*/$map)" | jq length
	done | jq -s add
}

# unsettled NODE: slots that are not settled, of all services.
unsettled() {
	weir "$1" show services --json | jq '[.services[].slot_states | to_entries[] | select(.key != "settled").value] | add'
}

# at_rest NODE: nothing is left of any change.
at_rest() { [ "$(unsettled "$1")" = 0 ] && [ "$(entries "$1")" = 0 ] && [ "$(in_maps "$1")" = 0 ]; }

# dropped NODE: packets, for whatever reason
dropped() { weir "$1" show drops --json | jq '[.reasons[] | select(.action == "drop").packets] | add'; }

# map_entries NODE MAP: by the metrics
map_entries() { sed -n "s/^weir_map_entries{map=\"$2\"} //p" "$(home "$1")/weir.prom"; }

backend_state() { # NODE SERVICE ADDRESS
	weir "$1" show backends "$2" --json | jq -r --arg address "$3" '.backends[] | select(.address == $address).state'
}

# spread_by_share JSON NODE SERVICE: who has answered how many is what the shares say, within five standard deviations.
spread_by_share() {
	local shares
	shares=$(weir "$2" show backends "$3" --json | jq -c '[.backends[] | {name: ("be" + .address[-1:]), share}]')
	say "$3: $1 for shares $(jq -c 'map({(.name): .share}) | add' <<<"$shares")"
	[ "$(jq --argjson shares "$shares" '.answered as $n | .by as $by
		| all($shares[]; (.share * $n) as $m | (($by[.name] // 0) - $m) as $d | $d * $d <= 25 * $m * (1 - .share) + 1)
		and (($by | keys) - [$shares[] | select(.share > 0).name] == [])' <<<"$1")" = true ]
}
