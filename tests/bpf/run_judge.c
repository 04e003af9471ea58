/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold for every frame, whatever it is: judged from frame, verdict and what came out, without knowing what the frame was meant to be. */
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "run.h"

enum {
	LINK_MIN = 14,
	GROWTH_MAX = 40 + 8, /* an IPv6 header, and two tags or the ICMPv6 header of an answer */
	QUOTE_MIN = 548,     /* of a packet that is longer, an answer quotes as much at least */
};

static uint32_t word16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

/* Where the IP header begins; 0 = there is none. Up to two tags, as the data path reads them. */
static uint32_t find_l3(const struct frame *frame)
{
	uint32_t at = 12;

	for (int i = 0; i < 2 && at + 2 <= frame->size; i++)
		if (word16(frame->byte + at) == ETH_P_8021Q || word16(frame->byte + at) == ETH_P_8021AD)
			at += 4;
	if (at + 2 + 40 > FRAME_MAX || at + 2 + 20 > frame->size)
		return 0;
	return word16(frame->byte + at) == ETH_P_IP || word16(frame->byte + at) == ETH_P_IPV6 ? at + 2 : 0;
}

static bool is_ip6(const struct frame *frame, uint32_t l3)
{
	return word16(frame->byte + l3 - 2) == ETH_P_IPV6;
}

static bool is_peer(const uint8_t *source, bool ip6)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct weir_node node;
	uint32_t zero = 0;
	uint8_t addr[16];

	memcpy(addr, mapped, sizeof(mapped));
	memcpy(ip6 ? addr : addr + 12, source, ip6 ? 16 : 4);
	if (bpf_map_lookup_elem(bpf_map__fd(loaded.weir->maps.node), &zero, &node))
		return false;
	for (uint32_t i = 0; i < node.peers && i < WEIR_PEERS_MAX; i++)
		if (memcmp(&node.peer[i].addr, addr, sizeof(addr)) == 0)
			return true;
	return false;
}

/* Can `cut` bytes from l3 on be an outer IP header, so that another IP header follows? */
static bool is_outer(const struct frame *in, uint32_t l3, uint32_t cut)
{
	uint32_t inner = l3 + cut, ihl = in->byte[l3] & 15U;

	if (inner + 20 > in->size || (in->byte[inner] >> 4 != 4 && in->byte[inner] >> 4 != 6))
		return false;
	if (is_ip6(in, l3)) /* others may be behind it */
		return cut >= 40 && cut % 4 == 0;
	return cut == (ihl < 5 ? 5 : ihl) * 4;
}

/* Is `out` the frame `in` without its outer IP header? `marked`: the inner one's ECN bits, and its checksum, may be others. */
static bool is_stripped(const struct frame *in, const struct frame *out, bool marked)
{
	uint32_t l3 = find_l3(in), cut = in->size - out->size, inner = l3 + cut;
	bool inner6;
	struct frame want;

	if (!l3 || out->size >= in->size || !is_outer(in, l3, cut))
		return false;
	inner6 = in->byte[inner] >> 4 == 6;
	want.size = out->size;
	memcpy(want.byte, in->byte, l3);
	memcpy(want.byte + l3, in->byte + inner, in->size - inner);
	want.byte[l3 - 2] = inner6 ? 0x86 : 0x08;
	want.byte[l3 - 1] = inner6 ? 0xdd : 0x00;
	if (marked)
		want.byte[l3 + 1] |= inner6 ? 0x30 : 0x03;
	if (marked && !inner6)
		memcpy(want.byte + l3 + 10, out->byte + l3 + 10, 2);
	return memcmp(want.byte, out->byte, want.size) == 0;
}

static const char *judge_passed(const char *program, const struct frame *in, const struct frame *out)
{
	uint32_t l3 = find_l3(in);

	if (out->size == in->size && memcmp(out->byte, in->byte, in->size) == 0)
		return NULL;
	if (strcmp(program, "decap") == 0)
		return is_stripped(in, out, false) || is_stripped(in, out, true) ? NULL : "passed, but changed";
	if (!is_stripped(in, out, false))
		return "passed, but changed";
	return is_peer(in->byte + l3 + (is_ip6(in, l3) ? 8 : 12), is_ip6(in, l3)) ? NULL
										  : "stripped, but not from a peer";
}

/* What is sent on holds the packet as it came; an answer, as much of it as is quoted. */
static const char *judge_sent(const struct frame *in, const struct frame *out)
{
	uint32_t l3 = find_l3(in), length;

	if (!l3)
		return "sent, but no IP packet";
	length = is_ip6(in, l3) ? word16(in->byte + l3 + 4) + 40 : word16(in->byte + l3 + 2);
	if (l3 + length > in->size)
		return "sent, but shorter than it says";
	if (length > QUOTE_MIN)
		length = QUOTE_MIN;
	length &= ~3U;
	return memmem(out->byte, out->size, in->byte + l3, length) ? NULL : "sent, but not the packet that came";
}

const char *judge_frame(const char *program, const struct frame *in, int action, const struct frame *out)
{
	if (action != XDP_DROP && action != XDP_PASS && action != XDP_TX && action != XDP_REDIRECT)
		return "no verdict that may be";
	if (out->size < LINK_MIN || out->size > in->size + GROWTH_MAX)
		return "a length that no encapsulation makes";
	if (action == XDP_PASS)
		return judge_passed(program, in, out);
	if (strcmp(program, "decap") == 0)
		return "not passed";
	return action == XDP_DROP ? NULL : judge_sent(in, out);
}

int do_judge(char **word, int words)
{
	static struct frame in, out;
	const char *wrong;

	(void)words;
	if (!hex(word[3], &in) || !hex(word[4], &out))
		return -1;
	wrong = judge_frame(word[1], &in, (int)number(word[2]), &out);
	printf("ok %s\n", wrong ? wrong : "good");
	return 1;
}
