#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# The metrics file under real traffic: promtool's check, our own stricter one, and figures equal to what `weir show` says.

load ../lib/lab

setup_file() {
	lab_up
	{
		echo "interface eth0 { xdp native; }"
		echo "limits { openings 1024; pins 1024; }"
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

@test "every family is there, with its type and its labels" {
	while read -r name type labels; do
		echo "$name $type $labels"
		grep -qx "# TYPE $name $type" "$(home lb1)/weir.prom"
		[ "$(grep -m 1 "^${name}[{ ]" "$(home lb1)/weir.prom" | grep -oE '[a-z_]+="' | tr -d '="' | tr '\n' ',')" = "$labels" ]
	done <<-TEXT
		weir_build_info gauge version,
		weir_start_time_seconds gauge
		weir_config_generation gauge
		weir_config_last_reload_success gauge
		weir_xdp_info gauge interface,mode,
		weir_xdp_packets_total counter interface,action,
		weir_drop_packets_total counter reason,
		weir_service_up gauge service,
		weir_service_packets_total counter service,
		weir_service_bytes_total counter service,
		weir_service_backends gauge service,state,
		weir_service_slots gauge service,state,
		weir_service_pins gauge service,
		weir_service_openings gauge service,
		weir_service_slots_moved_total counter service,
		weir_backend_up gauge service,backend,
		weir_backend_state gauge service,backend,state,
		weir_backend_weight gauge service,backend,
		weir_backend_share_ratio gauge service,backend,
		weir_backend_packets_total counter service,backend,
		weir_backend_bytes_total counter service,backend,
		weir_backend_transitions_total counter service,backend,to,
		weir_pin_write_failures_total counter reason,
		weir_map_entries gauge map,
		weir_map_max_entries gauge map,
		weir_loop_lag_seconds gauge
	TEXT
	for state in settled holding learning remembering; do
		[ -n "$(metric "weir_service_slots{service=\"web6\",state=\"$state\"}")" ]
	done
	for map in openings pins; do [ "$(metric "weir_map_max_entries{map=\"$map\"}")" = 1024 ]; done
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

@test "slots, pins and openings: the same, also where some find no room; then status says what to raise" {
	none grep -q "found no room\|in use" <<<"$(weir lb1 status)"
	[ "$(metric 'weir_pin_write_failures_total{reason="openings-full"}')" = 0 ]
	lab exec router "$BUILD/tools/lab/flood" --count 20000 --rate 10000 eth0 10.71.9.9 80
	requests --count 50 10.71.9.9 80
	full() { [ "$(metric 'weir_pin_write_failures_total{reason="openings-full"}')" -gt 1000 ] && [ "$(metric 'weir_map_entries{map="openings"}')" = 1024 ]; }
	until_true 4 full
	status=$(weir lb1 status --json)
	jq -r '.problems[]' <<<"$status"
	[[ $(jq -r '.problems[]' <<<"$status") == *'openings: some found no room within the last 60 s'*'limits { openings N; }'*--takeover* ]]
	[ "$(jq '.services[] | select(.name == "web4").slots_in_transition > 4000' <<<"$status")" = true ]
	# they are swept; what is left is what the scan says, everywhere
	empty() { [ "$(metric 'weir_map_entries{map="openings"}')" = 0 ]; }
	until_true 12 empty
	pins_agree() {
		[ "$(metric 'weir_service_pins{service="web4"}')" = "$(weir lb1 show services web4 --json | jq '.services[0].pins')" ] &&
			[ "$(metric 'weir_map_entries{map="pins"}')" = "$(weir lb1 show pins --json | jq .total)" ]
	}
	until_true 5 pins_agree
	[ "$(weir lb1 show pins web4 --json | jq '.total > 5 and .shown == .total')" = true ]
	[ "$(weir lb1 show pins web6 --json | jq -c .)" = '{"schema_version":1,"pins":[],"shown":0,"total":0}' ]
	[ "$(metric 'weir_service_slots{service="web4",state="learning"}')" = "$(weir lb1 show services web4 --json | jq '.services[0].slot_states.learning')" ]
	"$top/tests/lib/strict-metrics" "$(home lb1)/weir.prom"
}
