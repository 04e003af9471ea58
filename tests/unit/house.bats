#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# tools/layers and tools/measure find what they are there to find: each rule is broken once in a small tree.

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree"/include/weir "$tree"/bpf "$tree"/user/{lib,net,model,plane,agent,cli} "$tree"/tests
	echo '#include <linux/types.h>' >"$tree/include/weir/abi.h"
	echo '#include <stdio.h>' >"$tree/user/lib/log.h"
	echo '#include "../lib/log.h"' >"$tree/user/net/netlink.h"
	echo '#include "../lib/log.h"' >"$tree/user/model/model.h"
	printf '#include "../model/model.h"\n#include <weir.skel.h>\n#include "../../include/weir/abi.h"\n' >"$tree/user/plane/plane.c"
	echo '#include "../net/netlink.h"' >"$tree/user/agent/main.c"
}

# layers_finds FILE LINE TEXT: the line in that file is a fault, told with TEXT.
layers_finds() {
	echo "$2" >>"$tree/$1"
	run "$top/tools/layers" "$tree"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"$1:"*"$3"* ]]
}

@test "layers: a tree by the rules passes" {
	run "$top/tools/layers" "$tree"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == "layers: 6 files, 0 faults" ]]
}

@test "layers: upward" { layers_finds user/lib/log.h '#include "../model/model.h"' "not user/model"; }

@test "layers: sideways" { layers_finds user/net/netlink.h '#include "../model/model.h"' "not user/model"; }

@test "layers: the client never includes the agent" {
	echo >"$tree/user/agent/control.h"
	layers_finds user/cli/main.c '#include "../agent/control.h"' "not user/agent"
}

@test "layers: the data path never includes user space" { layers_finds bpf/maps.h '#include "../user/lib/log.h"' "not user/lib"; }

@test "layers: the contract includes only linux/types.h" { layers_finds include/weir/abi.h '#include <stdint.h>' "no system header"; }

@test "layers: the skeleton is for plane and client" { layers_finds user/model/model.h '#include <weir.skel.h>' "no skeleton"; }

@test "layers: a file that is not there" { layers_finds user/lib/log.h '#include "nothing.h"' "no such file"; }

@test "layers: a circle" {
	echo '#include "b.h"' >"$tree/user/lib/a.h"
	echo '#include "a.h"' >"$tree/user/lib/b.h"
	run "$top/tools/layers" "$tree"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"circle of files: user/lib/a.h -> user/lib/b.h -> user/lib/a.h"* ]]
}

@test "layers: a circle of modules" {
	echo '#include "b.h"' >"$tree/user/lib/a.c"
	echo '#include "a.h"' >"$tree/user/lib/b.c"
	touch "$tree"/user/lib/{a,b}.h
	run "$top/tools/layers" "$tree"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"circle of modules: user/lib/a -> user/lib/b -> user/lib/a"* ]]
}

# function LINES [BRANCH...]: a function of that many lines that holds the given code.
function_of() {
	printf 'int f(int a)\n{\n'
	for ((line = 4; line <= $1; line++)); do echo "	${2-}"; done
	printf '}\n'
}

measured() {
	run "$top/tools/measure" "$tree"
	echo "$output"
}

@test "measure: 60 lines, complexity 15 and 450 lines pass" {
	{ function_of 60; function_of 10; function_of 10; function_of 10; function_of 10; function_of 10; function_of 17 "if (a) a++;"; } >"$tree/bpf/a.h"
	yes '/* */' | head -n 450 >"$tree/bpf/b.h"
	measured
	[ "$status" -eq 0 ]
}

@test "measure: a function of 61 lines" {
	function_of 61 >"$tree/bpf/a.h"
	measured
	[ "$status" -eq 1 ]
	[[ $output == *"bpf/a.h:1: f: 61 lines, more than 60"* ]]
}

@test "measure: a complexity of 16, comments and strings not counted" {
	function_of 17 'a = a ? 1 : 0; /* if */ puts("&& || ?"); // while' >"$tree/bpf/a.h"
	measured
	[ "$status" -eq 0 ]
	function_of 18 'a = a ? 1 : 0;' >>"$tree/bpf/a.h"
	measured
	[ "$status" -eq 1 ]
	[[ $output == *"bpf/a.h:18: f: complexity 16, more than 15"* ]]
}

@test "measure: a file of 451 lines" {
	yes '/* */' | head -n 451 >"$tree/tests/b.h"
	measured
	[ "$status" -eq 1 ]
	[[ $output == *"tests/b.h: 451 lines, more than 450"* ]]
}

@test "measure: too few functions fit 40 lines" {
	{ function_of 41; function_of 41; function_of 40; function_of 40; function_of 40; function_of 40; function_of 40; function_of 40; function_of 40; } >"$tree/bpf/a.h"
	measured
	[ "$status" -eq 1 ]
	[[ $output == *"only 78% of the functions fit 40 lines"* ]]
}
