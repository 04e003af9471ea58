#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The manual says what there is: it builds, it has every command, option and word, and its examples load.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

pages="weir.8 weir-agent.8 weir.conf.5"
man=$root/user/man
dir=$BATS_TEST_TMPDIR

teardown() { [ -z "${agent:-}" ] || stop_agent; }

# The lines of a page's section, or of all sections but that one.
section() { sed -n "/^# $2\$/,/^# /{/^# /d;p}" "$man/$1.scd"; }

# has TEXT-OF-A-PAGE WORD: in bold, as a word of its own.
has() { grep -qE "(^|[^A-Za-z-])\*([^*]*[^A-Za-z*-])?$2([^A-Za-z-][^*]*)?\*" <<<"$1"; }

@test "pages build without a warning" {
	for page in $pages; do
		scdoc <"$man/$page.scd" >"$dir/$page" 2>"$dir/warnings"
		same "warnings of scdoc" "" "$(<"$dir/warnings")"
		grep -q '^\.TH' "$dir/$page"
		if command -v man >/dev/null; then
			man -l --warnings=w -E utf8 "$dir/$page" >/dev/null 2>"$dir/warnings"
			same "warnings of man" "" "$(<"$dir/warnings")"
		fi
	done
}

@test "weir(8) has every command of weir help, with its arguments, and no other" {
	"$weir" help | sed -n '/^$/,/^$/{s/^  \(.*[^ ]\)   *[^ ].*/\1/p}' | sort >"$dir/help"
	[ "$(wc -l <"$dir/help")" -ge 28 ]
	# *show services* [_SERVICE_]++
	section weir.8 COMMANDS | grep '^\*' | sed 's/++$//; s/[*_]//g' | sort >"$dir/page"
	sed -i 's/events$/events [-f]/' "$dir/help" # options have a section of their own; this one is said there too
	sort -o "$dir/help" "$dir/help"
	diff -u "$dir/help" "$dir/page"
}

@test "weir(8) has every option, weir-agent(8) has every option of weir-agent --help" {
	text=$(section weir.8 OPTIONS)
	while read -r command; do
		# shellcheck disable=SC2086
		"$weir" help $command | sed -n '/^options:/,$s/.*\(--[a-z-]*\).*/\1/p'
	done < <("$weir" help | sed -n 's/^  \([a-z]*\( [a-z]*\)\?\) .*/\1/p') | sort -u >"$dir/options"
	[ "$(wc -l <"$dir/options")" -ge 10 ]
	while read -r option; do has "$text" "$option" || { echo "weir(8) has no $option"; false; }; done <"$dir/options"

	text=$(section weir-agent.8 OPTIONS)
	"$build/weir-agent" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' >"$dir/options"
	[ "$(wc -l <"$dir/options")" -ge 10 ]
	while read -r option; do has "$text" "$option" || { echo "weir-agent(8) has no $option"; false; }; done <"$dir/options"
}

@test "what the page says is not supported yet is answered so" {
	while read -r words; do
		code=0
		# shellcheck disable=SC2086
		err=$("$weir" ${words//_/} --socket /nonexistent 2>&1) || code=$?
		same "code of $words" 1 "$code"
		[[ $err == *"not supported yet" ]]
	done < <(section weir.8 'NOT SUPPORTED YET' | tr '\n' ' ' | sed 's/^.*exit with 1: //; s/\. *$//; s/\*//g' | tr ',' '\n' | grep -v -- --)
}

# Rows of the grammar's table: {"word", WHERE, "usage", ...}, with an empty usage where it is not supported yet.
words() { sed -n 's/^\t{"\([a-z-]*\)", [A-Z_| ]*, "\([^"]\).*/\1/p' "$root/user/model/schema.c" | sort -u; }
later_words() { sed -n 's/^\t{"\([a-z-]*\)", [A-Z_| ]*, "",.*/\1/p' "$root/user/model/schema.c" | sort -u; }

@test "weir.conf(5) has every word of the grammar's table, where it belongs" {
	[ "$(words | wc -l)" -ge 34 ]
	[ "$(later_words | wc -l)" -ge 6 ]
	text=$(sed '/^# NOT SUPPORTED YET/,/^# EXAMPLES/d' "$man/weir.conf.5.scd")
	for word in $(words); do has "$text" "$word" || { echo "weir.conf(5) has no $word"; false; }; done
	text=$(section weir.conf.5 'NOT SUPPORTED YET')
	for word in $(later_words); do has "$text" "$word" || { echo "weir.conf(5) does not say that $word is not supported yet"; false; }; done
	has "$text" gue
}

# The code blocks of the page's examples, each as a file example-N.
examples() {
	section weir.conf.5 EXAMPLES | awk -v dir="$dir" '/^```/ { open = !open; n += open; next } open { print > (dir "/example-" n) }'
}

@test "the examples of weir.conf(5) and the example file load" {
	examples
	[ -s "$dir/example-3" ]
	for file in "$dir"/example-* "$root/user/weir.conf.example"; do
		echo "$file"
		"$build/weir-agent" --check --config "$file"
	done
	# what is commented out in the example file loads too, once its `#` is away
	sed 's/^#\([a-z}]\|    \)/\1/' "$root/user/weir.conf.example" >"$dir/all.conf"
	[ "$(grep -c '^service\|^interface\|^cluster\|^control\|^limits\|^metrics\|^node' "$dir/all.conf")" = 7 ]
	"$build/weir-agent" --check --config "$dir/all.conf"
}

@test "the examples' words on the command line are what the page says: the same" {
	start_agent
	export WEIR_SOCKET=$agent/sock PATH=$build:$PATH
	section weir.8 'WORDS ON THE COMMAND LINE' | grep '^weir service add' >"$dir/lines"
	same lines 3 "$(wc -l <"$dir/lines")"
	# scdoc takes one of two backslashes away
	sed 's/\\\\/\\/g' "$dir/lines" | bash
	same requests 1 "$(tr -d '{};' <"$agent/requests" | tr -s ' ' | sed 's/ *$//' | sort -u | wc -l)"
}
