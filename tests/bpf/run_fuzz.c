/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that run mutations of given frames, the same ones for the same seed, and stop at the first run that must not be (run_judge.c). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <linux/bpf.h>

#include "run.h"

enum { CORPUS_MAX = 256, ROOM = FRAME_MAX - 128 };

static struct frame corpus[CORPUS_MAX];
static size_t corpus_size;
static uint64_t random_state;

int do_corpus(char **word, int words)
{
	(void)words;
	if (corpus_size == CORPUS_MAX || !hex(word[1], &corpus[corpus_size]) || corpus[corpus_size].size < 14)
		return -1;
	corpus_size++;
	return 0;
}

static uint32_t below(uint32_t limit) /* SplitMix64 */
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)((x ^ x >> 31) >> 33) % limit;
}

/* Offset of what follows the ethertype. */
static uint32_t skip_tags(const struct frame *frame)
{
	uint32_t at = 12;

	while (at + 6 <= frame->size &&
	       (memcmp(frame->byte + at, "\x81\x00", 2) == 0 || memcmp(frame->byte + at, "\x88\xa8", 2) == 0))
		at += 4;
	return at + 2;
}

/* ---- mutations: each leaves 14 bytes at least, and no more than ROOM + 8 for each that grows it ---- */

/* Somewhere, three times in four in the headers. */
static uint8_t *anywhere(struct frame *frame)
{
	uint32_t span = below(4) ? 100 : frame->size;

	return &frame->byte[below(span < frame->size ? span : frame->size)];
}

static void flip_bit(struct frame *frame)
{
	*anywhere(frame) ^= (uint8_t)(1U << below(8));
}

static void set_byte(struct frame *frame)
{
	static const uint8_t edges[] = {0, 1, 4, 5, 6, 17, 41, 44, 58, 0x3f, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xfe, 0xff};

	*anywhere(frame) = below(4) ? edges[below(sizeof(edges))] : (uint8_t)below(256);
}

static void cut(struct frame *frame)
{
	frame->size = 14 + below(frame->size - 13);
}

static void pad(struct frame *frame)
{
	uint32_t more = 1 + below(64);

	if (frame->size + more > ROOM)
		return;
	for (uint32_t i = 0; i < more; i++)
		frame->byte[frame->size++] = (uint8_t)below(256);
}

/* One of the fields that say how long something is, or where it begins, says something else. */
static void lie(struct frame *frame)
{
	/* IPv4: header, total, place; IPv6: payload; extension header; behind 20 or 40 bytes: TCP offset, UDP length */
	static const uint8_t fields[] = {0,  2,  3,       6,       7,      4,      5,      41,
					 42, 43, 20 + 12, 40 + 12, 20 + 4, 20 + 5, 40 + 4, 40 + 5};
	uint32_t at = skip_tags(frame) + fields[below(sizeof(fields))];

	if (at >= frame->size)
		return;
	if (below(2))
		frame->byte[at] = (uint8_t)(frame->byte[at] + below(9) - 4);
	else
		frame->byte[at] = (uint8_t)below(256);
}

/* Bytes put in somewhere: a tag behind the MACs, or a header behind the IP header. */
static void insert(struct frame *frame, uint32_t at, const uint8_t *bytes, uint32_t count)
{
	if (at > frame->size || frame->size + count > ROOM)
		return;
	memmove(frame->byte + at + count, frame->byte + at, frame->size - at);
	memcpy(frame->byte + at, bytes, count);
	frame->size += count;
}

static void push_tag(struct frame *frame)
{
	static const uint8_t kinds[2][2] = {{0x81, 0x00}, {0x88, 0xa8}};
	const uint8_t *kind = kinds[below(2)], tag[4] = {kind[0], kind[1], (uint8_t)below(256), (uint8_t)below(256)};

	insert(frame, 12, tag, sizeof(tag));
}

static void pop_tag(struct frame *frame)
{
	if (skip_tags(frame) == 14 || frame->size < 18)
		return;
	memmove(frame->byte + 12, frame->byte + 16, frame->size - 16);
	frame->size -= 4;
}

static void put_extension(struct frame *frame)
{
	static const uint8_t kinds[] = {0, 43, 44, 51, 60, 50, 135};
	uint32_t l3 = skip_tags(frame);
	uint8_t header[8] = {0, (uint8_t)below(3), 0, (uint8_t)below(2), 0, 0, 0, 0};

	if (l3 + 40 > frame->size || frame->byte[l3] >> 4 != 6)
		return;
	header[0] = frame->byte[l3 + 6];
	frame->byte[l3 + 6] = kinds[below(sizeof(kinds))];
	frame->byte[l3 + 5] = (uint8_t)(frame->byte[l3 + 5] + 8);
	insert(frame, l3 + 40, header, sizeof(header));
}

/* The whole IP header but for the addresses, or all that is behind it, is something random. */
static void noise(struct frame *frame)
{
	uint32_t l3 = skip_tags(frame), from = below(2) ? l3 : l3 + 20, to = from == l3 ? l3 + 12 : frame->size;

	for (uint32_t at = from; at < to && at < frame->size; at++)
		frame->byte[at] = (uint8_t)below(256);
}

/* The IPv4 header's checksum is right again: else every change there would end at the same check. */
static void mend_checksum(struct frame *frame)
{
	uint32_t l3 = skip_tags(frame), length, sum = 0;

	if (l3 + 20 > frame->size || frame->byte[l3] >> 4 != 4)
		return;
	length = (frame->byte[l3] & 15U) * 4;
	frame->byte[l3 + 10] = frame->byte[l3 + 11] = 0;
	for (uint32_t at = l3; at + 1 < l3 + length && at + 1 < frame->size; at += 2)
		sum += (uint32_t)frame->byte[at] << 8 | frame->byte[at + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	frame->byte[l3 + 10] = (uint8_t)(~sum >> 8);
	frame->byte[l3 + 11] = (uint8_t)~sum;
}

static void mutate(const struct frame *from, struct frame *to)
{
	static void (*const mutations[])(struct frame *) = {
		flip_bit, flip_bit, set_byte, set_byte, lie, lie, cut, pad, push_tag, pop_tag, noise, put_extension};

	*to = *from;
	for (uint32_t n = below(4); n > 0; n--)
		mutations[below(sizeof(mutations) / sizeof(*mutations))](to);
	if (below(4))
		mend_checksum(to);
}

/* ---- the runs ---- */

static void print_hex(const struct frame *frame)
{
	for (uint32_t i = 0; i < frame->size; i++)
		printf("%02x", frame->byte[i]);
	putchar(' ');
}

int do_fuzz(char **word, int words)
{
	static struct frame in, out;
	unsigned long action_count[WEIR_ACTIONS] = {0}, runs, count = number(word[4]);
	time_t end = time(NULL) + (time_t)number(word[5]);
	int program = program_fd(word[1]);

	(void)words;
	random_state = number(word[3]);
	for (runs = 0; runs < count && corpus_size > 0 && (runs % 1024 || time(NULL) < end); runs++) {
		const char *wrong;
		int action;

		mutate(&corpus[below((uint32_t)corpus_size)], &in);
		action = run_frame(program, (uint32_t)number(word[2]), &in, &out);
		wrong = judge_frame(word[1], &in, action, &out);
		if (wrong) {
			printf("ok fault %lu %d ", runs, action);
			print_hex(&in);
			print_hex(&out);
			puts(wrong);
			return 1;
		}
		action_count[action]++;
	}
	printf("ok %lu", runs);
	for (int i = 0; i < WEIR_ACTIONS; i++)
		printf(" %lu", action_count[i]);
	putchar('\n');
	return 1;
}
