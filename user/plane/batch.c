/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF_MAP_LOOKUP_BATCH (kernel 5.6). The kernel hands out whole buckets: where one is longer than the memory, more is needed. */
#include "batch.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

static int make_room(struct batch *batch, uint32_t room)
{
	void *keys = realloc(batch->keys, room * batch->key_size);
	void *values;

	if (!keys)
		return -ENOMEM;
	batch->keys = keys;
	values = realloc(batch->values, room * batch->value_max);
	if (!values)
		return -ENOMEM;
	batch->values = values;
	batch->room = room;
	return 0;
}

int batch_open(struct batch *batch, size_t key_size, size_t value_size)
{
	*batch = (struct batch){.key_size = key_size, .value_size = value_size, .value_max = value_size};
	return make_room(batch, BATCH);
}

void batch_close(struct batch *batch)
{
	free(batch->keys);
	free(batch->values);
	*batch = (struct batch){.keys = NULL};
}

void batch_begin(struct batch *batch, size_t value_size)
{
	batch->value_size = value_size;
	batch->begun = batch->ended = false;
	batch->count = 0;
}

int batch_next(struct batch *batch, int map)
{
	uint32_t ask = BATCH, next = 0;
	int err;

	for (;;) {
		batch->count = ask;
		if (!bpf_map_lookup_batch(map, batch->begun ? &batch->position : NULL, &next, batch->keys,
					  batch->values, &batch->count, NULL))
			break;
		if (errno == ENOENT) {
			batch->ended = true;
			break;
		}
		err = -errno;
		ask *= 2;
		if (err == -ENOSPC)
			err = ask > batch->room ? make_room(batch, ask) : 0;
		if (err) {
			batch->count = 0;
			return err;
		}
	}
	batch->begun = true;
	batch->position = next;
	return 0;
}
