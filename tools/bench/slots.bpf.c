// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/*
 * Where slots may lie: in one flat array for all services, or in an array of arrays, one for each service. The same lookups in both, at places that
 * jump about in all tables; `nothing` does all but the lookup.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../../include/weir/hash.h"
#include "slots.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SLOTS_SERVICES *SLOTS_EACH);
	__type(key, __u32);
	__type(value, union weir_slot);
} flat SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SLOTS_EACH);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(union weir_slot));
};

struct inner_any { /* tables of several sizes in one outer array need this flag */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, SLOTS_EACH);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(union weir_slot));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SLOTS_SERVICES);
	__type(key, __u32);
	__array(values, struct inner);
} nested SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SLOTS_SERVICES);
	__type(key, __u32);
	__array(values, struct inner_any);
} nested_any SEC(".maps");

struct slots_state slots_state;

static __always_inline __u64 load_flat(__u32 service, __u32 slot)
{
	__u32 index = service * SLOTS_EACH + slot;
	union weir_slot *word = bpf_map_lookup_elem(&flat, &index);

	return word ? *(volatile __u64 *)&word->word : 0;
}

static __always_inline __u64 load_nested(void *outer, __u32 service, __u32 slot)
{
	void *table = bpf_map_lookup_elem(outer, &service);
	union weir_slot *word = table ? bpf_map_lookup_elem(table, &slot) : NULL;

	return word ? *(volatile __u64 *)&word->word : 0;
}

static __always_inline __u64 load_nothing(__u32 service, __u32 slot)
{
	__u64 word = service + slot;

	asm volatile("" : "+r"(word));
	return word;
}

#define LOOKUPS(load)                                                              \
	({                                                                         \
		__u64 state = slots_state.seed, sum = 0;                           \
		for (int i = 0; i < SLOTS_LOOKUPS; i++) {                          \
			__u64 hash;                                                \
			state += 0x9e3779b97f4a7c15ULL;                            \
			hash = weir_mix(state);                                    \
			__u32 service = (__u32)hash & slots_state.services_mask;   \
			__u32 slot = (__u32)(hash >> 32) & slots_state.slots_mask; \
			sum += load;                                               \
		}                                                                  \
		slots_state.seed = state;                                          \
		slots_state.sum += sum;                                            \
		XDP_PASS;                                                          \
	})

SEC("xdp")
int nothing(struct xdp_md *ctx)
{
	(void)ctx;
	return LOOKUPS(load_nothing(service, slot));
}

SEC("xdp")
int by_flat(struct xdp_md *ctx)
{
	(void)ctx;
	return LOOKUPS(load_flat(service, slot));
}

SEC("xdp")
int by_nested(struct xdp_md *ctx)
{
	(void)ctx;
	return LOOKUPS(load_nested(&nested, service, slot));
}

SEC("xdp")
int by_nested_any(struct xdp_md *ctx)
{
	(void)ctx;
	return LOOKUPS(load_nested(&nested_any, service, slot));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
