/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing memory that packets read at the same time: whole aligned words, and none that holds the value already. */
#ifndef WEIR_STORE_H
#define WEIR_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* to is aligned to 8 bytes, bytes a multiple of 8. */
static inline void store_words(void *to, const void *from, size_t bytes)
{
	uint64_t *word = to;

	for (size_t i = 0; i < bytes / sizeof(*word); i++) {
		uint64_t value;

		memcpy(&value, (const char *)from + i * sizeof(value), sizeof(value));
		if (word[i] != value)
			__atomic_store_n(&word[i], value, __ATOMIC_RELEASE);
	}
}

/* The same from the last word to the first, so that a first word that says "there is something" comes last. */
static inline void store_words_backwards(void *to, const void *from, size_t bytes)
{
	for (size_t i = bytes / sizeof(uint64_t); i-- > 0;)
		store_words((char *)to + i * sizeof(uint64_t), (const char *)from + i * sizeof(uint64_t),
			    sizeof(uint64_t));
}

#endif
