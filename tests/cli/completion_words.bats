#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Completion of the configuration's words behind `service add|set` and `backend add|set`: those of the grammar's table, all of them and no others.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

# The socket is asked for nothing here.
export WEIR_SOCKET=/nonexistent

# offers TEXT... : what comes next after `weir TEXT...`, sorted.
offers() { "$weir" __complete "$@" | sort; }

# Rows of the grammar's table that a place (a pattern for its second column) knows and that are supported: WORD USAGE.
rows() { sed -nE "s/^\t\{\"([a-z-]*)\", [A-Z_| ]*($1)[A-Z_| ]*, \"([^\"]+)\".*/\1 \3/p" "$root/user/model/schema.c"; }
words() { rows "$1" | cut -d' ' -f1 | sort -u; }

@test "words of services" {
	[ "$(words 'OWN_WORDS|IN_SERVICE_SET' | wc -l)" -ge 9 ]
	same "service set" "$(words 'OWN_WORDS|IN_SERVICE_SET')" "$(offers service set web '')"
	same "service add" "$(words 'OWN_WORDS|IN_SERVICE\>')" "$(offers service add new '')"
	same "a prefix" "$(printf 'learn\nlearn-udp')" "$(offers service set web l | grep -v listen)"
	same "behind a value" drain "$(offers service set web affinity 'client;' d)"
	same "a word that it does not have" "" "$(offers service set web weig)"
}

@test "words of backends" {
	same "backend set" "$(words 'BACKEND_WORDS')" "$(offers backend set web 10.0.0.1 '')"
	same "backend add" "$(words 'BACKEND_WORDS|IN_BACKEND_ADD')" "$(offers backend add web 10.0.0.1 '')"
}

@test "values: what the table's usage has as words" {
	while read -r word _ values; do
		# dsr|ipip: both; TIME|unlimited: unlimited; TIME, ADDR: nothing
		values=$(tr '|' '\n' <<<"$values" | grep -xE '[a-z]+|[0-9]+' | sort || true)
		same "behind $word" "$values" "$(offers service set web "$word" '')"
	done < <(rows 'OWN_WORDS|IN_SERVICE_SET' | awk '{ print $1, $2, $NF }')
}

@test "nothing of it where no words of the configuration belong" {
	same "service remove" "" "$(offers service remove '')"
	same "service add" "" "$(offers service add '')"
	same "backend weight" "" "$(offers backend weight web 10.0.0.1 '')"
}
