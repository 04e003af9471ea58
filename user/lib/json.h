/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streaming JSON writer into a struct buf: commas and escapes are its business, nesting is the caller's (at most 16
 * deep). (Functions are json_add_ and json_end_, since jansson, which the CLI reads with, has taken json_object and
 * its like.) `key` is NULL inside an array and for the outermost value. Strings that are not UTF-8 get U+FFFD for
 * each bad byte. json_end_line() closes a line ("JSON lines": one value a line).
 */
#ifndef WEIR_JSON_H
#define WEIR_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct json {
	struct buf *out;
	unsigned int depth;
	uint32_t has_member; /* bit d: something has been written at depth d */
};

void json_init(struct json *json, struct buf *out);
void json_add_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_add_array(struct json *json, const char *key);
void json_end_array(struct json *json);
void json_add_string(struct json *json, const char *key, const char *value); /* NULL writes null */
void json_add_uint(struct json *json, const char *key, uint64_t value);
void json_add_int(struct json *json, const char *key, int64_t value);
void json_add_fixed(struct json *json, const char *key, double value, int decimals);
void json_add_bool(struct json *json, const char *key, bool value);
/* Wall-clock time in ns since 1970 as RFC 3339 in UTC with milliseconds: 2026-11-24T06:08:37.123Z */
void json_add_time(struct json *json, const char *key, uint64_t wall_ns);
void json_end_line(struct json *json);

#endif
