/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON out, never in. Values come from whoever writes a document (agent/report_*.c, agent/events.c, agent/control.c),
 * bytes go to a struct buf. The writer knows commas, escapes and UTF-8; what is nested in what is the caller's
 * business.
 */
#include "json.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { JSON_DEPTH_MAX = 16 };

void json_init(struct json *json, struct buf *out)
{
	memset(json, 0, sizeof(*json));
	json->out = out;
}

/*
 * Length of the well-formed UTF-8 sequence at `text` (RFC 3629: no overlong form, no surrogate, nothing above
 * U+10FFFF); 0 if there is none.
 */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (text[0] == 0xe0)
		low = 0xa0;
	if (text[0] == 0xed)
		high = 0x9f;
	if (text[0] == 0xf0)
		low = 0x90;
	if (text[0] == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return length;
}

/* Writes one character that cannot stand for itself in a string. */
static void escape(struct buf *out, unsigned char c)
{
	static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *name = strchr(names, c);

	if (name)
		buf_printf(out, "\\%c", letters[name - names]);
	else
		buf_printf(out, "\\u%04x", c);
}

static void quoted(struct buf *out, const char *value)
{
	const unsigned char *text = (const unsigned char *)value;

	buf_puts(out, "\"");
	while (*text) {
		size_t plain = 0, length;

		while ((length = utf8_length(text + plain)) > 0 && text[plain] >= 0x20 && text[plain] != 0x7f &&
		       text[plain] != '"' && text[plain] != '\\')
			plain += length;
		buf_add(out, text, plain);
		text += plain;
		if (!*text)
			break;
		if (length == 0)
			buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
		else
			escape(out, *text);
		text++;
	}
	buf_puts(out, "\"");
}

/* What stands before each value: a comma after an older sibling, and the key. */
static void begin(struct json *json, const char *key)
{
	uint32_t bit = 1U << json->depth;

	if (json->has_member & bit)
		buf_puts(json->out, ",");
	json->has_member |= bit;
	if (key) {
		quoted(json->out, key);
		buf_puts(json->out, ":");
	}
}

static void open_level(struct json *json, const char *key, const char *bracket)
{
	begin(json, key);
	buf_puts(json->out, bracket);
	if (json->depth >=
	    JSON_DEPTH_MAX) { /* a fault of the caller: the document is marked as spoilt, nothing is overrun */
		json->out->failed = true;
		return;
	}
	json->depth++;
	json->has_member &= ~(1U << json->depth);
}

static void close_level(struct json *json, const char *bracket)
{
	if (json->depth == 0) {
		json->out->failed = true;
		return;
	}
	json->depth--;
	buf_puts(json->out, bracket);
}

void json_add_object(struct json *json, const char *key)
{
	open_level(json, key, "{");
}

void json_end_object(struct json *json)
{
	close_level(json, "}");
}

void json_add_array(struct json *json, const char *key)
{
	open_level(json, key, "[");
}

void json_end_array(struct json *json)
{
	close_level(json, "]");
}

void json_add_string(struct json *json, const char *key, const char *value)
{
	begin(json, key);
	if (value)
		quoted(json->out, value);
	else
		buf_puts(json->out, "null");
}

void json_add_uint(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	buf_printf(json->out, "%llu", (unsigned long long)value);
}

void json_add_int(struct json *json, const char *key, int64_t value)
{
	begin(json, key);
	buf_printf(json->out, "%lld", (long long)value);
}

void json_add_fixed(struct json *json, const char *key, double value, int decimals)
{
	begin(json, key);
	if (isfinite(value))
		buf_printf(json->out, "%.*f", decimals, value);
	else
		buf_puts(json->out, "null"); /* JSON has no word for it */
}

void json_add_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	buf_puts(json->out, value ? "true" : "false");
}

void json_add_time(struct json *json, const char *key, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / 1000000000U);
	char text[40];
	struct tm tm;

	begin(json, key);
	if (!gmtime_r(&seconds, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		buf_puts(json->out, "null"); /* a year that does not fit into an int */
	else
		buf_printf(json->out, "\"%s.%03uZ\"", text, (unsigned int)(wall_ns / 1000000U % 1000U));
}

void json_end_line(struct json *json)
{
	if (json->depth != 0)
		json->out->failed = true;
	json->depth = 0;
	json->has_member = 0;
	buf_puts(json->out, "\n");
}
