/* SPDX-License-Identifier: BSD-2-Clause */
/* A byte buffer that grows up to a bound; always closed by a 0 byte, which does not count. A failed growth is remembered, so that callers check once, at the end. */
#ifndef WEIR_BUF_H
#define WEIR_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t length, capacity, limit; /* limit 0 = 64 MiB */
	bool failed;                    /* out of memory, or over the limit: nothing more is added */
};

void buf_free(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const void *data, size_t length);
void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Removes the first `length` bytes. */
void buf_drop(struct buf *buf, size_t length);

#endif
