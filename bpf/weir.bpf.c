// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/*
 * The data path: the journey of a packet on one screen.
 *
 *   frame -> parse_link -> parse_addresses -> service_find_vip -> peer_tunnel -> service_match -> sanity_check -> peer_check
 *                                                   |                                                                |
 *                                                   |                                      finish <- forward <- pick_backend
 *                                                   `-> not for a service: passed up untouched, after one lookup
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
static __always_inline int finish(const struct packet *p, enum weir_reason reason)
{
	__u32 action = reason_action(reason);

	count_reason(reason);
	count_action(p->port_index, action);
	return (int)action;
}

/* Is it for a service, and may it go on? Nothing of the frame is changed here, but that a tunnel from a peer is taken off. */
static __always_inline enum weir_reason find_service(struct packet *p)
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
	return reason;
}

/*
 * ip6 is a constant: there are two of these in the program, since what is known of a packet decides a dozen times on its way what is done with it. Those
 * that go no further leave in the middle, so that they carry nothing that only the others have.
 */
static __always_inline int journey(struct packet *p, const bool ip6)
{
	enum weir_reason reason;
	int action;

	p->ip6 = ip6;
	reason = find_service(p);
	if (reason == WEIR_REASON_PEER_LOCAL)
		count_service(p);
	if (reason != WEIR_REASON_GO_ON)
		return finish(p, reason);
	reason = pick_backend(p);
	if (reason == WEIR_REASON_GO_ON)
		reason = forward(p);
	if (reason == WEIR_REASON_FORWARDED || reason == WEIR_REASON_REDIRECTED || reason == WEIR_REASON_LOCAL) {
		count_service(p);
		count_backend(p);
	}
	action = finish(p, reason);
	return action == XDP_REDIRECT ? (int)bpf_redirect(p->way->ifindex, 0) : action;
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
	reason = parse_link(&packet);
	if (reason != WEIR_REASON_GO_ON)
		return finish(&packet, reason);
	return packet.ip6 ? journey(&packet, true) : journey(&packet, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
