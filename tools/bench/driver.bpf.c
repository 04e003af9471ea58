// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/*
 * What is run a million times in place of the program under test: BPF_PROG_TEST_RUN does not put a packet back, so that from the second time on an encapsulating
 * program would see its own output. The driver moves the head back, writes the first bytes again, with the next flow in them, calls the program under test as it
 * is (by a tail call out of a subprogram, whose caller gets the verdict back), and counts the verdicts.
 *
 * Input: `driver` (driver.h), filled by packets.c, and `targets`. Output: driver.verdicts.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "driver.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} targets SEC(".maps");

struct driver driver;

static __always_inline __u64 frame_size(const struct xdp_md *ctx)
{
	__u64 size = (__u64)ctx->data_end - ctx->data;

	asm volatile("" : "+r"(size));
	return size;
}

/* 15 bits of the flow's number go into the source port, the others into the source address, and that into the header's checksum. */
static __always_inline void write_flow4(void *ip, __u32 flow)
{
	__u32 high = flow >> 15, sum = driver.sum + high;

	*(__be16 *)(ip + 14) = bpf_htons((__u16)high); /* the source's lower half, 0 in the template */
	*(__be16 *)(ip + 20) = bpf_htons((__u16)(1024 + (flow & 0x7fff)));
	*(__be16 *)(ip + 10) = bpf_htons((__u16) ~((sum & 0xffff) + (sum >> 16)));
}

static __always_inline void write_flow6(void *ip, __u32 flow)
{
	*(__be32 *)(ip + 20) = bpf_htonl(flow >> 15);
	*(__be16 *)(ip + 40) = bpf_htons((__u16)(1024 + (flow & 0x7fff)));
}

static __always_inline int put_back(struct xdp_md *ctx)
{
	int moved = (int)(frame_size(ctx) - driver.length);
	__u64 *word;
	__u32 flow;
	int i;

	if (moved && bpf_xdp_adjust_head(ctx, moved))
		return -1;
	word = (void *)(long)ctx->data;
	if ((void *)(word + DRIVER_WORDS) > (void *)(long)ctx->data_end)
		return -1;
#pragma unroll
	for (i = 0; i < DRIVER_WORDS; i++)
		word[i] = driver.word[i];
	flow = driver.flow;
	driver.flow = flow + 1 < driver.flows ? flow + 1 : 0;
	if (driver.ip6)
		write_flow6((void *)word + ETH_HLEN, flow);
	else
		write_flow4((void *)word + ETH_HLEN, flow);
	return 0;
}

static __noinline int call_target(struct xdp_md *ctx)
{
	int verdict = DRIVER_FAILED;

	asm volatile("" : "+r"(verdict)); /* else clang takes this for what is always returned */
	bpf_tail_call(ctx, &targets, 0);
	return verdict;
}

static __always_inline int count(__u32 verdict)
{
	driver.verdicts[verdict & (DRIVER_VERDICTS - 1)]++;
	return (int)verdict;
}

SEC("xdp")
int run(struct xdp_md *ctx)
{
	if (put_back(ctx))
		return count(DRIVER_FAILED);
	return count((__u32)call_target(ctx));
}

/* The driver's own cost: all of the above but the call. */
SEC("xdp")
int run_alone(struct xdp_md *ctx)
{
	return count(put_back(ctx) ? DRIVER_FAILED : XDP_TX);
}

/* Targets that say what the least is: to return, and to make room for an outer header. */
SEC("xdp")
int floor_return(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_TX;
}

SEC("xdp")
int floor_move4(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_head(ctx, -20) ? XDP_DROP : XDP_TX;
}

SEC("xdp")
int floor_move6(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_head(ctx, -40) ? XDP_DROP : XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
