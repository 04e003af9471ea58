/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What bpf/decap.bpf.c, on a backend, and `weir decap` share: the reasons it counts by. All packets go on to the stack, stripped or untouched.
 *
 *   X(NAME, "word", "sentence")
 */
#ifndef WEIR_DECAP_H
#define WEIR_DECAP_H

#define WEIR_DECAP_REASONS(X)                                                                              \
	X(OTHER, "other", "no tunnel packet for this machine: untouched")                                  \
	X(STRIPPED, "stripped", "the tunnel header was taken off")                                         \
	X(FRAGMENT, "fragment", "a fragment of a tunnel packet: untouched, the stack may put it together") \
	X(MALFORMED, "malformed", "a tunnel packet whose headers or lengths do not fit together: untouched")

enum weir_decap_reason {
#define X(name, word, sentence) WEIR_DECAP_##name,
	WEIR_DECAP_REASONS(X)
#undef X
		WEIR_DECAP_REASON_COUNT,
};

#endif
