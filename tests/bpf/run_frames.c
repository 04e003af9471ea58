/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that run frames, one as given, or many that are mutations of those given. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "run.h"

enum { CORPUS_MAX = 64 };

static struct frame corpus[CORPUS_MAX];
static size_t corpus_size;

/* Returns the XDP action or -errno; out: what came of the frame. */
static int run(int program, uint32_t ifindex, const struct frame *in, struct frame *out)
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
	action = run(program_fd(word[1]), (uint32_t)number(word[2]), &in, &out);
	if (action < 0)
		return fail("%s", strerror(-action));
	printf("ok %d ", action);
	for (uint32_t i = 0; i < out.size; i++)
		printf("%02x", out.byte[i]);
	putchar('\n');
	return 1;
}

int do_corpus(char **word, int words)
{
	(void)words;
	return corpus_size < CORPUS_MAX && hex(word[1], &corpus[corpus_size]) ? (int)(corpus_size++, 0) : -1;
}

static uint64_t random_state;

static uint32_t random_below(uint32_t limit) /* SplitMix64: the same run for the same seed, everywhere */
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)((x ^ x >> 31) >> 33) % limit;
}

/* A few bytes changed, most of them in the headers, now and then the end cut off or padded. */
static void mutate(const struct frame *from, struct frame *to)
{
	static const uint8_t edges[] = {0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xff};

	*to = *from;
	for (uint32_t n = random_below(4); n > 0; n--) {
		uint32_t span = random_below(4) ? 12 + random_below(80) : to->size;
		uint8_t *byte = &to->byte[random_below(span < to->size ? span : to->size)];

		*byte = random_below(2) ? edges[random_below(sizeof(edges))] : (uint8_t)(*byte ^ 1U << random_below(8));
	}
	if (random_below(4) == 0)
		to->size = 14 + random_below(to->size - 13);
	else if (random_below(8) == 0 && to->size + 64 < FRAME_MAX)
		to->size += random_below(64);
}

int do_fuzz(char **word, int words)
{
	static struct frame in, out;
	unsigned long action_count[WEIR_ACTIONS] = {0}, runs, odd = 0, count = number(word[4]);
	time_t end = time(NULL) + (time_t)number(word[5]);
	int program = program_fd(word[1]);

	(void)words;
	random_state = number(word[3]);
	for (runs = 0; runs < count && corpus_size > 0 && (runs % 1024 || time(NULL) < end); runs++) {
		int action;

		mutate(&corpus[random_below((uint32_t)corpus_size)], &in);
		action = run(program, (uint32_t)number(word[2]), &in, &out);
		if (action < 0 || action >= WEIR_ACTIONS)
			return fail("run %lu: %d", runs, action);
		action_count[action]++;
		/* at most an outer header and two tags more, never less than a link layer */
		if (out.size < 14 || out.size > in.size + 40 + 8 + 8)
			odd++;
	}
	printf("ok %lu %lu", runs, odd);
	for (int i = 0; i < WEIR_ACTIONS; i++)
		printf(" %lu", action_count[i]);
	putchar('\n');
	return 1;
}
