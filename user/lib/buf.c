/* SPDX-License-Identifier: BSD-2-Clause */
/* The growing byte buffer that texts are written into: JSON, configs, metrics, socket lines. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };
static const size_t default_limit = (size_t)64 << 20;

/* Room for `more` bytes and the closing 0. */
static bool grow(struct buf *buf, size_t more)
{
	size_t limit = buf->limit ? buf->limit : default_limit;
	size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
	char *data;

	if (buf->failed)
		return false;
	if (more > limit || buf->length > limit - more) {
		buf->failed = true;
		return false;
	}
	if (buf->data && buf->length + more < buf->capacity)
		return true;
	while (capacity <= buf->length + more)
		capacity *= 2;
	data = realloc(buf->data, capacity);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->capacity = capacity;
	return true;
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){.limit = buf->limit};
}

void buf_clear(struct buf *buf)
{
	buf->length = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = 0;
}

void buf_add(struct buf *buf, const void *data, size_t length)
{
	if (!grow(buf, length))
		return;
	if (length)
		memcpy(buf->data + buf->length, data, length);
	buf->length += length;
	buf->data[buf->length] = 0;
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0) {
		buf->failed = true;
		return;
	}
	if (!grow(buf, (size_t)length))
		return;
	va_start(args, format);
	vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
	va_end(args);
	buf->length += (size_t)length;
}

void buf_drop(struct buf *buf, size_t length)
{
	if (length > buf->length)
		length = buf->length;
	if (!length)
		return;
	memmove(buf->data, buf->data + length, buf->length - length);
	buf->length -= length;
	buf->data[buf->length] = 0;
}
