/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of this room (sorted.h): few changes, many look-ups, and walks in order. */
#include "sorted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t sorted_position(const struct sorted *sorted, const void *key)
{
	size_t low = 0, high = sorted->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sorted->compare(key, sorted->item[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void *sorted_find(const struct sorted *sorted, const void *key)
{
	size_t position = sorted_position(sorted, key);

	if (position == sorted->count || sorted->compare(key, sorted->item[position]) != 0)
		return NULL;
	return sorted->item[position];
}

int sorted_insert(struct sorted *sorted, const void *key, void *item)
{
	size_t position = sorted_position(sorted, key);

	if (sorted->count == sorted->room) {
		size_t room = sorted->room ? sorted->room * 2 : 16;
		void **items = realloc(sorted->item, room * sizeof(void *));

		if (!items)
			return -ENOMEM;
		sorted->item = items;
		sorted->room = room;
	}
	memmove(&sorted->item[position + 1], &sorted->item[position], (sorted->count - position) * sizeof(void *));
	sorted->item[position] = item;
	sorted->count++;
	return 0;
}

void sorted_remove(struct sorted *sorted, size_t position)
{
	sorted->count--;
	memmove(&sorted->item[position], &sorted->item[position + 1], (sorted->count - position) * sizeof(void *));
}

void sorted_free(struct sorted *sorted)
{
	for (size_t i = 0; i < sorted->count; i++)
		free(sorted->item[i]);
	free(sorted->item);
	sorted->item = NULL;
	sorted->count = sorted->room = 0;
}
