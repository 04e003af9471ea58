// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/*
 * The data path: the journey of a packet on one screen.
 *
 *   frame -> parse_link -> parse_addresses -> service_find_vip -> peer_tunnel -> service_match -> sanity_check
 *                                                   |                                                  |
 *                                                   |    finish <- forward <- pick_backend <- peer_check
 *                                                   `-> not for a service: passed up untouched, after one look-up
 *
 * Input: frames of the ports that the agent has attached this program to, and the maps (maps.h), which the agent writes. Output: the frame, to a
 * backend or up to this machine's stack or nowhere, and the counters. Each stage fills in more of struct packet (parse.h) and returns a reason
 * (weir/reason.h), GO_ON for the next stage; finish alone turns a reason into an action, and counts.
 */
#include "count.h"
#include "forward.h"
#include "maps.h"
#include "parse.h"
#include "peer.h"
#include "pick.h"
#include "sanity.h"
#include "service.h"

static __always_inline __u32 reason_action(enum weir_reason reason)
{
	switch (reason) {
#define X(name, word, action, sentence) \
	case WEIR_REASON_##name:        \
		return action;
		WEIR_REASONS(X)
#undef X
	default:
		return XDP_ABORTED;
	}
}

/* The only place where a reason becomes an action. */
static __always_inline int finish(struct outcome *out, enum weir_reason reason)
{
	__u32 action = reason_action(reason);

	if (reason == WEIR_REASON_FORWARDED || reason == WEIR_REASON_REDIRECTED || reason == WEIR_REASON_LOCAL ||
	    reason == WEIR_REASON_PEER_LOCAL)
		count_carried(out);
	out->reason = reason;
	count_all(out, action);
	return action == XDP_REDIRECT ? (int)bpf_redirect(out->ifindex, 0) : (int)action;
}

static __always_inline enum weir_reason journey(struct packet *p)
{
	enum weir_reason reason = parse_addresses(p);

	if (reason == WEIR_REASON_GO_ON)
		reason = service_find_vip(p);
	if (reason == WEIR_REASON_GO_ON)
		reason = peer_tunnel(p);
	if (reason == WEIR_REASON_GO_ON)
		reason = service_match(p);
	if (reason == WEIR_REASON_GO_ON)
		reason = sanity_check(p);
	if (reason == WEIR_REASON_GO_ON)
		reason = peer_check(p);
	if (reason == WEIR_REASON_GO_ON)
		reason = pick_backend(p);
	if (reason == WEIR_REASON_GO_ON)
		reason = forward(p);
	return reason;
}

/*
 * The journey is compiled three times, since what is known there then costs nothing: for IPv4 and for IPv6 without VLAN tags, and for all the rest.
 */
static __always_inline enum weir_reason begin(struct packet *p)
{
	__be16 type = parse_link(p);

	p->ip6 = type == bpf_htons(ETH_P_IPV6);
	if (type != bpf_htons(ETH_P_IP) && !p->ip6)
		return WEIR_REASON_NOT_SERVICE;
	if (p->tags > 0)
		return journey(p);
	p->tags = 0; /* all four are so already: it is the compiler that is told */
	p->l3 = ETH_HLEN;
	if (p->ip6) {
		p->ip6 = true;
		return journey(p);
	}
	p->ip6 = false;
	return journey(p);
}

SEC("xdp")
int weir(struct xdp_md *ctx)
{
	struct outcome out = {};
	struct packet packet = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.node = node_find(),
		.out = &out,
	};

	if (!packet.node) /* never: its only element is always there */
		return finish(&out, WEIR_REASON_INTERNAL);
	out.port = port_find(packet.node, ctx->ingress_ifindex);
	return finish(&out, begin(&packet));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
