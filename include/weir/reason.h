/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * Why a packet went where it went: one closed list. The data path counts by it, finish() takes the XDP action from it,
 * metrics, `weir show drops` and `weir explain` take word and sentence from it.
 *
 *   X(NAME, "word", XDP action, "sentence")
 */
#ifndef WEIR_REASON_H
#define WEIR_REASON_H

#define WEIR_REASONS(X)                                                                                               \
	X(GO_ON, "go-on", XDP_ABORTED, "the journey is not over; a packet that ends so shows a fault in weir")        \
	/* untouched, up to the host's own stack */                                                                   \
	X(NOT_SERVICE, "not-service", XDP_PASS, "not for a service: the host's own traffic")                          \
	X(LOCAL, "local", XDP_PASS, "the backend is this machine: passed up to its stack")                            \
	X(PEER_LOCAL, "peer-local", XDP_PASS, "forwarded by a peer node to this machine as a backend: passed up")     \
	/* sent on */                                                                                                 \
	X(FORWARDED, "forwarded", XDP_TX, "sent to the backend by the port it came in by")                            \
	X(REDIRECTED, "redirected", XDP_REDIRECT, "sent to the backend by another port")                              \
	X(TOO_BIG_ANSWERED, "too-big-answered", XDP_TX,                                                               \
	  "larger than the way to the backend carries: the client was told by ICMP")                                  \
	/* dropped */                                                                                                 \
	X(BAD_LENGTH, "bad-length", XDP_DROP, "a length in the packet's headers does not fit the frame")              \
	X(BAD_HEADER, "bad-header", XDP_DROP, "IP or TCP header that no sender makes (version, length, offset)")      \
	X(BAD_CHECKSUM, "bad-checksum", XDP_DROP, "the IPv4 header's checksum is wrong")                              \
	X(BAD_SOURCE, "bad-source", XDP_DROP,                                                                         \
	  "the source cannot be answered (unspecified, loopback, multicast, broadcast, or the VIP itself)")           \
	X(BAD_FLAGS, "bad-flags", XDP_DROP,                                                                           \
	  "TCP flags that no sender sets together (none, SYN+FIN, SYN+RST, FIN alone)")                               \
	X(TTL, "ttl", XDP_DROP, "time to live, or hop limit, was 0")                                                  \
	X(FRAGMENT, "fragment", XDP_DROP, "a fragment for a service: not supported yet")                              \
	X(NO_BACKEND, "no-backend", XDP_DROP, "the service has no usable backend")                                    \
	X(UNRESOLVED, "unresolved", XDP_DROP, "the MAC address of the backend's next hop is not known (yet)")         \
	X(PEER_LOOP, "peer-loop", XDP_DROP, "a peer node has forwarded it already and this node is no backend of it") \
	X(TOO_BIG, "too-big", XDP_DROP, "larger than the way to the backend carries, and may be fragmented")          \
	X(TOO_BIG_LIMITED, "too-big-limited", XDP_DROP,                                                               \
	  "larger than the way to the backend carries; too many such packets to answer each")                         \
	X(NO_HEADROOM, "no-headroom", XDP_DROP, "the driver left no room in front of the frame for the outer header") \
	X(INTERNAL, "internal", XDP_DROP, "a map held something that the agent never writes: a fault in weir")

enum weir_reason {
#define X(name, word, action, sentence) WEIR_REASON_##name,
	WEIR_REASONS(X)
#undef X
		WEIR_REASON_COUNT,
};

#endif
