#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# The demo shows what it promises, and leaves nothing behind, also when it is interrupted. tools/deps has nothing to do here.

load ../lib/lab

teardown() { lab_down; }

nothing_left() { none grep -q "^$LAB-" <(ip netns list) && none grep "/lab/$LAB/" /proc/self/mountinfo && [ ! -e "$BUILD/lab/$LAB" ]; }

@test "tools/deps: silent where nothing is missing" {
	run "$top/tools/deps"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the demo: no request is lost that should not be, nothing is left behind" {
	run "$top/tools/demo"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"No request was lost that should not have been."* ]]
	[ "$(grep -c "requests sent [0-9]" <<<"$output")" = 10 ]
	[[ $output == *"connections held 300 of 300, "*" cut 0, answered by another backend 0, "* ]]
	nothing_left
}

@test "the demo, interrupted by Ctrl-C under load: nothing is left behind" {
	setsid env --default-signal=INT "$top/tools/demo" >"$BATS_TEST_TMPDIR/demo" 2>&1 3>&- &
	pid=$!
	until_true 40 grep -q "A backend is added under load" "$BATS_TEST_TMPDIR/demo"
	sleep 1
	kill -INT -- -$pid
	code=0
	wait $pid || code=$?
	[ $code = 130 ]
	nothing_left
}
