# SPDX-License-Identifier: BSD-2-Clause
# What the tests of the command share: the program, a fake agent to talk to, a way to say what it answers.
# shellcheck disable=SC2034 # variables for those who read this
root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
build=$(cd "$root" && cd "${BUILD:-build}" && pwd)
weir=$build/weir
golden=$BATS_TEST_DIRNAME/golden
export NO_COLOR="" TERM=dumb TZ=UTC LC_ALL=C.UTF-8

# One fake agent a test: $agent is its directory, WEIR_SOCKET names its socket.
start_agent() {
	agent=$(mktemp -d)
	mkdir "$agent/replies"
	/usr/bin/python3 "$BATS_TEST_DIRNAME/fake_agent.py" "$agent" 3>&- &
	agent_pid=$!
	export WEIR_SOCKET=$agent/sock
	for _ in $(seq 100); do
		[ -S "$agent/sock" ] && break
		sleep 0.05
	done
	answers '{"done":true,"code":0,"text":"done"}'
}

stop_agent() {
	kill "$agent_pid" 2>/dev/null || true
	wait "$agent_pid" 2>/dev/null || true
	rm -rf "${agent:?}"
}

# What the agent answers from now on, one argument a line.
answers() { printf '%s\n' "$@" >"$agent/reply"; }
# What it answers to one request.
answers_to() {
	local request=$1
	shift
	printf '%s\n' "$@" >"$agent/replies/${request//[ \/]/_}"
}
# What it answers to the Nth time that REQUEST is asked, and from then on: answers_from N REQUEST LINE...
answers_from() {
	local n=$1 request=$2
	shift 2
	printf '%s\n' "$@" >"$agent/replies/${request//[ \/]/_}.$n"
}
misbehaves() { echo "$1" >"$agent/mode"; }

# A document of golden/ as the agent sends it: on one line, each @SECONDS@ a time that lies so far back.
document() {
	local text mark
	text=$(jq -c . "$golden/$1")
	for mark in $(grep -o '@[0-9]*@' <<<"$text" | sort -u); do
		text=${text//$mark/$(date -u -d "-${mark//@/} seconds" +%FT%T.123Z)}
	done
	printf '%s' "$text"
}

# The last request that the agent got.
asked() { tail -n 1 "$agent/requests"; }

# Runs the program and holds stdout, stderr and exit code apart.
call() {
	code=0
	"$weir" "$@" >"$agent/out" 2>"$agent/err" || code=$?
	out=$(<"$agent/out")
	err=$(<"$agent/err")
}

# same WHAT EXPECTED GOT
same() {
	[ "$2" = "$3" ] && return 0
	printf '%s\nexpected: %s\ngot:      %s\n' "$1" "$2" "$3"
	diff <(printf '%s\n' "$2") <(printf '%s\n' "$3")
	return 1
}

# The program's output is, byte for byte, what golden/NAME holds. UPDATE_GOLDEN=1 writes it instead: read the difference.
same_as_golden() {
	[ -z "${UPDATE_GOLDEN:-}" ] || cp "$agent/out" "$golden/$1"
	diff -u "$golden/$1" "$agent/out"
}
