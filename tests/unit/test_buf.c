/* SPDX-License-Identifier: BSD-2-Clause */
/* The growing buffer, its bound, and lists of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../user/lib/buf.h"
#include "../../user/lib/error.h"

static void grows_and_stays_closed(void **state)
{
	struct buf buf = {0};

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		buf_add(&buf, "x", 1);
		assert_int_equal(buf.length, i + 1);
		assert_int_equal(strlen(buf.data), i + 1);
	}
	assert_false(buf.failed);
	buf_clear(&buf);
	assert_string_equal(buf.data, "");
	buf_puts(&buf, "one");
	buf_printf(&buf, " %d %s", 2, "three");
	buf_add(&buf, "", 0);
	assert_string_equal(buf.data, "one 2 three");
	buf_drop(&buf, 4);
	assert_string_equal(buf.data, "2 three");
	buf_drop(&buf, 100);
	assert_string_equal(buf.data, "");
	buf_free(&buf);
	assert_null(buf.data);
}

static void an_empty_one_can_be_emptied(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_drop(&buf, 1);
	buf_clear(&buf);
	buf_add(&buf, NULL, 0);
	assert_string_equal(buf.data, "");
	buf_free(&buf);
}

static void the_bound_holds_and_is_remembered(void **state)
{
	struct buf buf = {.limit = 10};

	(void)state;
	buf_puts(&buf, "0123456789");
	assert_false(buf.failed);
	buf_puts(&buf, "x");
	assert_true(buf.failed);
	assert_string_equal(buf.data, "0123456789");
	buf_drop(&buf, 5);
	buf_puts(&buf, "y");
	assert_string_equal(buf.data, "56789");
	buf_clear(&buf);
	buf_printf(&buf, "%011d", 1);
	assert_true(buf.failed);
	assert_string_equal(buf.data, "");
	buf_free(&buf);
	assert_int_equal(buf.limit, 10);
}

static void an_error_is_set_once(void **state)
{
	struct error error = {0};

	(void)state;
	assert_int_equal(error_set(&error, ERROR_NO_SUCH, "service \"%s\": no such service", "wib"), -1);
	assert_int_equal(error_set(&error, ERROR_USAGE, "later"), -1);
	assert_int_equal(error.code, ERROR_NO_SUCH);
	assert_string_equal(error.text, "service \"wib\": no such service");
	assert_int_equal(error_set(NULL, ERROR_USAGE, "nobody cares"), -1);
}

static void lists_of_errors(void **state)
{
	struct errors errors = {0};
	struct error first = {0}, none = {0};
	struct buf buf = {0};

	(void)state;
	errors_first(&errors, &none);
	assert_int_equal(none.code, ERROR_NONE);
	errors_add(&errors, "weir.conf", 3, 7, ERROR_REFUSED, "port \"%s\"", "80x");
	errors_add(&errors, "weir.conf", 0, 0, ERROR_REFUSED, "cannot be read");
	errors_add(&errors, NULL, 5, 5, ERROR_USAGE, "no place");
	errors_print(&errors, &buf);
	assert_string_equal(buf.data,
			    "weir.conf:3:7: error: port \"80x\"\nweir.conf: error: cannot be read\nerror: no place\n");
	for (int i = 0; i < 200; i++)
		errors_add(&errors, NULL, 0, 0, ERROR_USAGE, "%d", i);
	assert_int_equal(errors.count, ERRORS_MAX);
	assert_int_equal(errors.more, 103);
	buf_clear(&buf);
	errors_print(&errors, &buf);
	assert_non_null(strstr(buf.data, "\nand 103 more errors\n"));
	errors_first(&errors, &first);
	assert_int_equal(first.code, ERROR_REFUSED);
	assert_int_equal(first.line, 3);
	assert_string_equal(first.text, "port \"80x\" (and 202 more errors)");
	errors_free(&errors);
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_stays_closed),
		cmocka_unit_test(an_empty_one_can_be_emptied),
		cmocka_unit_test(the_bound_holds_and_is_remembered),
		cmocka_unit_test(an_error_is_set_once),
		cmocka_unit_test(lists_of_errors),
	};

	return cmocka_run_group_tests_name("buf, error", tests, NULL, NULL);
}
