/* SPDX-License-Identifier: BSD-2-Clause */
/* A sorted array of pointers, found by binary search: the tables of this room. Walked by item[0..count). */
#ifndef WEIR_SORTED_H
#define WEIR_SORTED_H

#include <stddef.h>

struct sorted {
	void **item;
	size_t count, room;
	int (*compare)(const void *key, const void *item); /* <0, 0, >0 */
};

/* Position of the first item that is not below `key`. */
size_t sorted_position(const struct sorted *sorted, const void *key);
/* The item that equals `key`, or NULL. */
void *sorted_find(const struct sorted *sorted, const void *key);
/* Puts in an item of which there is none with this key. 0 or -ENOMEM. */
int sorted_insert(struct sorted *sorted, const void *key, void *item);
void sorted_remove(struct sorted *sorted, size_t position);
/* Frees the items (each by free) and the array. */
void sorted_free(struct sorted *sorted);

#endif
