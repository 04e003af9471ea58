#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# The metrics file under real traffic: promtool's check, our own stricter one, and figures equal to what `weir show` says.

load ../lib/lab

setup_file() {
	lab_up
	{
		echo "interface eth0 { xdp native; }"
		echo "metrics { file $(home lb1)/weir.prom; every 1s; }"
		service web4 dsr 10.71.9.9 10.71.2.21 10.71.2.22 10.71.2.23
		service web6 dsr fd71:9::9 fd71:2::21 fd71:2::22 fd71:2::23
	} | config lb1
	lab agent lb1 start
	requests --count 300 10.71.9.9 80 >&2
	requests --count 300 fd71:9::9 80 >&2
	weir lb1 backend drain web4 10.71.2.23
	until_true 10 up_to_date
}

teardown_file() { lab_down; }

metric() { awk -v series="$1 " 'index($0, series) == 1 { print $NF }' "$(home lb1)/weir.prom"; }

up_to_date() {
	[ "$(metric 'weir_service_packets_total{service="web6"}')" = "$(counted lb1 web6 | jq .packets)" ] &&
		[ "$(metric 'weir_backend_state{service="web4",backend="10.71.2.23",state="draining"}')" = 1 ]
}

@test "promtool finds nothing" {
	run promtool check metrics <"$(home lb1)/weir.prom"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "strict: families in one piece, no series twice, no timestamps" {
	run "$top/tests/lib/strict-metrics" "$(home lb1)/weir.prom"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the strict check finds what it is there for" {
	file=$BATS_TEST_TMPDIR/bad.prom
	bad() {
		cp "$(home lb1)/weir.prom" "$file"
		eval "$1"
		run "$top/tests/lib/strict-metrics" "$file"
		echo "$1: $output"
		[ "$status" -eq 1 ]
	}
	# shellcheck disable=SC2016
	for fault in 'tail -n 1 "$file" | tee -a "$file"' 'truncate -s -1 "$file"' 'sed -i "s/^\(weir_service_up.*\)/\1 1700000000/" "$file"' \
		'sed -i "/^# TYPE weir_service_up /d" "$file"' 'sed -n "/weir_service_up/p" "$(home lb1)/weir.prom" >>"$file"'; do
		bad "$fault"
	done
}

@test "mode 0644, whole at every moment, no temporary left" {
	[ "$(stat -c %a "$(home lb1)/weir.prom")" = 644 ]
	for ((i = 0; i < 30; i++)); do
		"$top/tests/lib/strict-metrics" "$(home lb1)/weir.prom" >/dev/null
		sleep 0.1
	done
	[ "$(find "$(home lb1)" -name '*.prom' | wc -l)" = 1 ]
}

@test "figures are those of weir show" {
	show=$(weir lb1 show --json)
	for name in web4 web6; do
		[ "$(metric "weir_service_packets_total{service=\"$name\"}")" = "$(jq ".services[] | select(.name == \"$name\").packets" <<<"$show")" ]
		[ "$(metric "weir_service_bytes_total{service=\"$name\"}")" = "$(jq ".services[] | select(.name == \"$name\").bytes" <<<"$show")" ]
	done
	for number in 1 2 3; do
		[ "$(metric "weir_backend_packets_total{service=\"web6\",backend=\"fd71:2::2$number\"}")" = \
			"$(jq ".backends[] | select(.address == \"fd71:2::2$number\").packets" <<<"$show")" ]
	done
	[ "$(metric 'weir_service_backends{service="web4",state="up"}')" = 2 ]
	[ "$(metric 'weir_service_backends{service="web4",state="draining"}')" = 1 ]
	[ "$(metric 'weir_config_last_reload_success')" = 1 ]
}
