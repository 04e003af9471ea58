/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON writer: commas, escapes, UTF-8, numbers, times; a document as a whole is read back by jansson, which is not ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/lib/json.h"

static struct buf out;
static struct json json;

static int begin(void **state)
{
	(void)state;
	memset(&out, 0, sizeof(out));
	json_init(&json, &out);
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

static void commas_and_nesting(void **state)
{
	(void)state;
	json_add_object(&json, NULL);
	json_add_uint(&json, "schema_version", 1);
	json_add_array(&json, "list");
	json_add_uint(&json, NULL, 1);
	json_add_object(&json, NULL);
	json_end_object(&json);
	json_add_array(&json, NULL);
	json_end_array(&json);
	json_add_string(&json, NULL, NULL);
	json_end_array(&json);
	json_add_bool(&json, "yes", true);
	json_add_bool(&json, "no", false);
	json_end_object(&json);
	json_end_line(&json);
	json_add_object(&json, NULL);
	json_end_object(&json);
	json_end_line(&json);
	assert_false(out.failed);
	assert_string_equal(out.data, "{\"schema_version\":1,\"list\":[1,{},[],null],\"yes\":true,\"no\":false}\n{}\n");
}

static void escapes(void **state)
{
	(void)state;
	json_add_string(&json, NULL, "a\"b\\c/\b\f\n\r\t\x01\x1f\x7f");
	assert_string_equal(out.data, "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
}

static void expect_text(const char *value, const char *text)
{
	buf_clear(&out);
	json_init(&json, &out);
	json_add_string(&json, NULL, value);
	assert_string_equal(out.data, text);
}

static void utf8_is_kept_and_what_is_none_is_replaced(void **state)
{
	(void)state;
	expect_text("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8a", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8a\"");
	expect_text("a\xff"
		    "b",
		    "\"a\xef\xbf\xbd"
		    "b\"");
	expect_text("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");                                 /* overlong */
	expect_text("\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");                 /* overlong */
	expect_text("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");                 /* surrogate */
	expect_text("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* above U+10FFFF */
	expect_text("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"");                                 /* cut off */
}

static void numbers(void **state)
{
	(void)state;
	json_add_array(&json, NULL);
	json_add_uint(&json, NULL, UINT64_MAX);
	json_add_int(&json, NULL, INT64_MIN);
	json_add_fixed(&json, NULL, 0.33333, 4);
	json_add_fixed(&json, NULL, 2, 0);
	json_add_fixed(&json, NULL, NAN, 2);
	json_add_fixed(&json, NULL, INFINITY, 2);
	json_end_array(&json);
	assert_string_equal(out.data, "[18446744073709551615,-9223372036854775808,0.3333,2,null,null]");
}

static void times(void **state)
{
	(void)state;
	json_add_array(&json, NULL);
	json_add_time(&json, NULL, 0);
	json_add_time(&json, NULL, 1795500517123999999U);
	json_end_array(&json);
	assert_string_equal(out.data, "[\"1970-01-01T00:00:00.000Z\",\"2026-11-24T06:08:37.123Z\"]");
}

/* Any bytes as a string give a document that another library reads. */
static void any_bytes_are_a_document(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char value[24] = {0};
		json_t *read;

		for (size_t i = 0; i < sizeof(value) - 1; i++)
			value[i] = (char)(rand_r(&seed) >> 7);
		buf_clear(&out);
		json_init(&json, &out);
		json_add_object(&json, NULL);
		json_add_string(&json, value, value);
		json_end_object(&json);
		read = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(read);
		assert_int_equal(json_object_size(read), 1);
		json_decref(read);
	}
}

static void too_deep_is_told_and_overruns_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++)
		json_add_array(&json, NULL);
	assert_true(out.failed);
	for (int i = 0; i < 40; i++)
		json_end_array(&json);
	assert_int_equal(json.depth, 0);
}

static void a_bound_is_told(void **state)
{
	(void)state;
	out.limit = 10;
	json_add_string(&json, NULL, "0123456789");
	assert_true(out.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(commas_and_nesting, begin, end),
		cmocka_unit_test_setup_teardown(escapes, begin, end),
		cmocka_unit_test_setup_teardown(utf8_is_kept_and_what_is_none_is_replaced, begin, end),
		cmocka_unit_test_setup_teardown(numbers, begin, end),
		cmocka_unit_test_setup_teardown(times, begin, end),
		cmocka_unit_test_setup_teardown(any_bytes_are_a_document, begin, end),
		cmocka_unit_test_setup_teardown(too_deep_is_told_and_overruns_nothing, begin, end),
		cmocka_unit_test_setup_teardown(a_bound_is_told, begin, end),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
