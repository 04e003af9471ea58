/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that run a frame, once or as a flood; run_fuzz.c runs mutations. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "run.h"

int run_frame(int program, uint32_t ifindex, const struct frame *in, struct frame *out)
{
	struct xdp_md context = {.data_end = in->size, .ingress_ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in->byte, .data_size_in = in->size, .data_out = out->byte,
		    .data_size_out = sizeof(out->byte), .ctx_in = &context, .ctx_size_in = sizeof(context));
	int rc = bpf_prog_test_run_opts(program, &options);

	if (rc)
		return rc < 0 ? rc : -errno;
	out->size = options.data_size_out;
	return (int)options.retval;
}

int do_run(char **word, int words)
{
	static struct frame in, out;
	int action;

	(void)words;
	if (!hex(word[3], &in))
		return -1;
	action = run_frame(program_fd(word[1]), (uint32_t)number(word[2]), &in, &out);
	if (action < 0)
		return fail("%s", strerror(-action));
	printf("ok %d ", action);
	for (uint32_t i = 0; i < out.size; i++)
		printf("%02x", out.byte[i]);
	putchar('\n');
	return 1;
}

static void put32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

/* IPv4, no tags, no options: source 10.x.x.x and source port by the number, and the header's checksum. */
static void write_source(struct frame *frame, uint32_t number)
{
	uint8_t *ip = frame->byte + 14;
	uint32_t sum = 0;

	put32(ip + 12, 0x0a000000 | (number / 50000 & 0xffffff));
	ip[20] = (uint8_t)((1024 + number % 50000) >> 8);
	ip[21] = (uint8_t)(1024 + number % 50000);
	ip[10] = ip[11] = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
}

int do_flood(char **word, int words)
{
	static struct frame in, out;
	unsigned long counts[WEIR_ACTIONS] = {0};
	uint32_t count = (uint32_t)number(word[3]);

	(void)words;
	if (!hex(word[2], &in) || in.size < 14 + 20 + 4)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		int action;

		write_source(&in, i);
		action = run_frame(program_fd("weir"), (uint32_t)number(word[1]), &in, &out);
		if (action < 0 || action >= WEIR_ACTIONS)
			return fail("run %u: %d", i, action);
		counts[action]++;
	}
	printf("ok");
	for (int i = 0; i < WEIR_ACTIONS; i++)
		printf(" %lu", counts[i]);
	putchar('\n');
	return 1;
}
