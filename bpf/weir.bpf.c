// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/*
 * The data path: the journey of a packet on one screen.
 *
 *   frame -> parse_network -> service_find_vip -> peer_tunnel -> service_match -> sanity_check -> peer_check -> pick_backend -> forward -> finish
 *                                   |
 *                                   `-> not for a service: passed up untouched, after one hash lookup
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

static __always_inline int finish(const struct packet *p, enum weir_reason reason)
{
	__u32 action = reason_action(reason);

	if (reason == WEIR_REASON_FORWARDED || reason == WEIR_REASON_REDIRECTED || reason == WEIR_REASON_LOCAL ||
	    reason == WEIR_REASON_PEER_LOCAL)
		count_carried(p);
	count_reason(reason);
	count_action(p->port_index, action);
	return action == XDP_REDIRECT ? (int)bpf_redirect(p->way->ifindex, 0) : (int)action;
}

SEC("xdp")
int weir(struct xdp_md *ctx)
{
	struct packet packet = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};
	enum weir_reason reason;

	find_port(&packet);
	reason = parse_network(&packet);
	if (reason == WEIR_REASON_GO_ON)
		reason = service_find_vip(&packet);
	if (reason == WEIR_REASON_GO_ON)
		reason = peer_tunnel(&packet);
	if (reason == WEIR_REASON_GO_ON)
		reason = service_match(&packet);
	if (reason == WEIR_REASON_GO_ON)
		reason = sanity_check(&packet);
	if (reason == WEIR_REASON_GO_ON)
		reason = peer_check(&packet);
	if (reason == WEIR_REASON_GO_ON)
		reason = pick_backend(&packet);
	if (reason == WEIR_REASON_GO_ON)
		reason = forward(&packet);
	return finish(&packet, reason);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
