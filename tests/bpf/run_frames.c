/* SPDX-License-Identifier: BSD-2-Clause */
/* The command that runs a frame; run_fuzz.c runs many. */
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
