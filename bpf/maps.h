/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * All maps, in the order in which a packet meets them. Keys and values are those of weir/abi.h; the sizes here are only defaults: the agent
 * sets them from `limits` before it loads the program.
 *
 * `listeners` is not preallocated: its elements are large and few are used. A kernel may reuse an element as soon as it is freed: the agent lets a
 * grace period pass before it adds one after it has replaced or deleted one (plane/vips.c).
 */
#ifndef WEIR_BPF_MAPS_H
#define WEIR_BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../include/weir/abi.h"
#include "../include/weir/reason.h"

/* this node: its ports (their MACs, and their places in `action_counters`) and its peers */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weir_node);
} node SEC(".maps");

/*
 * destination address -> bucket -> what is served there. A hash table of our own, in arrays: the kernel's costs a packet 20 to 30 ns, this one
 * three, and a host's own traffic mostly no more than a look at an empty bucket.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WEIR_VIP_BUCKETS);
	__type(key, __u32);
	__type(value, struct weir_vip_bucket);
} vip_buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct weir_vip);
} vips SEC(".maps");

/* destination address -> all its listeners, where they are more than fit into `vips` */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct weir_addr);
	__type(value, struct weir_listener_table);
} listeners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, union weir_service);
} services SEC(".maps");

/* the slot tables of all services, one after the other: service.slot_base + slot of the flow -> backend index */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << 20);
	__type(key, __u32);
	__type(value, union weir_slot);
} slots SEC(".maps");

/* flows whose slot is not settled: handshakes under way, and who belongs to which backend. Never LRU: a full map takes nothing more, and loses nothing */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct weir_flow_key);
	__type(value, struct weir_opening);
} openings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__type(key, struct weir_flow_key);
	__type(value, struct weir_pin);
} pins SEC(".maps");

/* slot / 2 -> when something of it found no room in those */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << 19);
	__type(key, __u32);
	__type(value, struct weir_restarts);
} restarts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weir_flow_counts);
} flow_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct weir_backend);
} backends SEC(".maps");

/* when the next ICMP answer may be sent, in ns since boot; per CPU, so that a flood on one CPU takes no lock */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} answer_clock SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct weir_count);
} service_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct weir_count);
} backend_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEIR_REASONS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} reason_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEIR_PORTS_MAX);
	__type(key, __u32);
	__type(value, struct weir_actions);
} action_counters SEC(".maps");

/* ---- the ledger: no packet reads it; it lives here so that it is pinned with the maps that it explains ---- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct weir_service_name);
} service_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct weir_backend_name);
} backend_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weir_set_info);
} set_info SEC(".maps");

#endif
