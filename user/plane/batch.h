/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a hash of the data path a batch of elements at a time, while packets write to it. */
#ifndef WEIR_BATCH_H
#define WEIR_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BATCH = 1024 }; /* elements at a time */

struct batch {
	size_t key_size, value_size, value_max;
	void *keys, *values;
	uint32_t room, count; /* elements that fit; that are there */
	uint32_t position;    /* the kernel's */
	bool begun, ended;
};

/* For maps of such keys, and values of at most that size. 0 or -ENOMEM. */
int batch_open(struct batch *batch, size_t key_size, size_t value_size);
void batch_close(struct batch *batch);
/* From the map's beginning, whose values have this size. */
void batch_begin(struct batch *batch, size_t value_size);
/* The next elements, `count` of them; `ended` with the last ones. What is in the map all the time is there once. 0 or -errno. */
int batch_next(struct batch *batch, int map);

static inline const void *batch_key(const struct batch *batch, uint32_t i)
{
	return (const char *)batch->keys + i * batch->key_size;
}

static inline const void *batch_value(const struct batch *batch, uint32_t i)
{
	return (const char *)batch->values + i * batch->value_size;
}

#endif
