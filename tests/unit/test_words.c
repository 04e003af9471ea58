/* SPDX-License-Identifier: BSD-2-Clause */
/* The scanner: trees (printed back in one line), places, and every way in which a text can be broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/lib/words.h"

static struct buf out;

static int begin(void **state)
{
	(void)state;
	memset(&out, 0, sizeof(out));
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

/* The tree as one line, then the errors. */
static const char *scan_bytes(const char *text, size_t length, enum words_form form)
{
	/* A copy of its exact size: what reads past it is caught. */
	char *copy = malloc(length ? length : 1);
	struct errors errors = {0};
	struct words words;
	int err;

	assert_non_null(copy);
	memcpy(copy, text, length);
	err = words_scan(&words, copy, length, form, form == WORDS_FILE ? "f" : NULL, &errors);
	assert_int_equal(err<0, errors.count> 0);
	buf_clear(&out);
	buf_add(&out, "", 0);
	words_print(words.first, &out);
	if (errors.count) {
		buf_puts(&out, "\n");
		errors_print(&errors, &out);
	}
	words_free(&words);
	errors_free(&errors);
	free(copy);
	return out.data;
}

static const char *file(const char *text)
{
	return scan_bytes(text, strlen(text), WORDS_FILE);
}

static const char *line(const char *text)
{
	return scan_bytes(text, strlen(text), WORDS_LINE);
}

static void trees(void **state)
{
	(void)state;
	assert_string_equal(file(""), "");
	assert_string_equal(file("  \n\t# only a comment"), "");
	assert_string_equal(file("a;"), "a;");
	assert_string_equal(file("a b  c\n\td;e;"), "a b c d; e;");
	assert_string_equal(file("a{b;c{d;}}e;"), "a { b; c { d; } } e;");
	assert_string_equal(file("a { } b { };"), "a { } b { }");
	assert_string_equal(file(";;a;;"), "a;");
	assert_string_equal(file("a; # b; {\nc; # \"\r\n#\nd;\r\n"), "a; c; d;");
	assert_string_equal(file("x 2001:db8::1 [::1]:80 a/b*.conf --force \xc3\xa4;"),
			    "x 2001:db8::1 [::1]:80 a/b*.conf --force \xc3\xa4;");
}

static void strings(void **state)
{
	(void)state;
	assert_string_equal(file("a \"b c\";"), "a \"b c\";");
	assert_string_equal(file("a \"\" \"{;}#\";"), "a \"\" \"{;}#\";");
	assert_string_equal(file("a \"q\\\"\\\\\\x41\\xfF\";"), "a \"q\\\"\\\\A\\xff\";");
	assert_string_equal(file("a \"\\x00\\x0a\";"), "a \"\\x00\\x0a\";");
	assert_string_equal(file("a \"tab\there\";"), "a \"tab\\x09here\";");
	assert_string_equal(file("\"a\"{\"b\";}"), "\"a\" { \"b\"; }");
}

static void a_command_may_end_early(void **state)
{
	(void)state;
	assert_string_equal(line("a b"), "a b;");
	assert_string_equal(line("a b; c"), "a b; c;");
	assert_string_equal(line("a { b; c }"), "a { b; c; }");
	assert_string_equal(line("a b # c"), "a b;");
	assert_string_equal(line("a { b"),
			    "a { }\nerror: the text ends inside a statement: ; is missing after \"b\"\n");
	assert_string_equal(
		line("a { b;"),
		"a { b; }\nerror: the text ends inside the block of \"a\" that begins in line 1: } is missing\n");
}

static void a_file_must_not(void **state)
{
	(void)state;
	assert_string_equal(file("a;\nb c"),
			    "a;\nf:2:4: error: the text ends inside a statement: ; is missing after \"c\"\n");
	assert_string_equal(file("a { b;\n"),
			    "a { b; }\nf:2:1: error: the text ends inside the block of \"a\" that begins in "
			    "line 1: } is missing\n");
	assert_string_equal(file("a { b }"), "a { b; }\nf:1:7: error: ; is missing after \"b\"\n");
	assert_string_equal(file("a \"bc"),
			    "\nf:1:6: error: the text ends inside the string that begins at column 3\n");
	assert_string_equal(file("a \"b\\"), "\nf:1:5: error: unknown escape: strings have \\\\ \\\" and \\xNN (two "
					     "hexadecimal digits)\nf:1:6: error: the text ends inside the string that "
					     "begins at column 3\n");
	assert_string_equal(
		file("a \"b\n c; d;"),
		"a \"b\" c; d;\nf:1:5: error: the string that begins at column 3 is not closed on its line\n");
	assert_string_equal(file("a { b { c;"),
			    "a { b { c; } }\nf:1:11: error: the text ends inside the block of \"b\" that "
			    "begins in line 1: } is missing\n");
}

static void faults_and_on(void **state)
{
	(void)state;
	assert_string_equal(file("a; } b;"), "a; b;\nf:1:4: error: } without a block to close\n");
	assert_string_equal(file("{ a; } b;"), "b;\nf:1:1: error: a block without a word before its {\n");
	assert_string_equal(file("a\"b\" c;"), "a c;\nf:1:2: error: a blank is missing between two words\n");
	assert_string_equal(file("\"a\"b c;"), "\"a\" c;\nf:1:4: error: a blank is missing between two words\n");
	assert_string_equal(
		file("a#b c;"),
		"a c;\nf:1:2: error: # inside a word: put a blank before a comment, or quotes around the word\n");
	assert_string_equal(file("a \\b;"), "a;\nf:1:3: error: \\ outside of a string: put quotes around the word\n");
	assert_string_equal(
		file("a \"\\n\";"),
		"a \"\\\\n\";\nf:1:4: error: unknown escape: strings have \\\\ \\\" and \\xNN (two hexadecimal "
		"digits)\n");
	assert_string_equal(
		file("a \"\\x4\";"),
		"a \"\\\\x4\";\nf:1:4: error: unknown escape: strings have \\\\ \\\" and \\xNN (two hexadecimal "
		"digits)\n");
	assert_string_equal(file("a\x01\x02 b;"),
			    "a b;\nf:1:2: error: byte 0x01: control characters are not allowed\n");
	assert_string_equal(file("a; # \x1b[1m\nb;"),
			    "a; b;\nf:1:6: error: byte 0x1b: control characters are not allowed\n");
	assert_string_equal(file("a \"\x7f\";"),
			    "a \"\";\nf:1:4: error: byte 0x7f: control characters are not allowed\n");
	assert_string_equal(file("a\rb;"), "a b;\nf:1:2: error: byte 0x0d: control characters are not allowed\n");
	assert_string_equal(scan_bytes("a \0b;", 5, WORDS_FILE),
			    "a b;\nf:1:3: error: byte 0x00: control characters are not allowed\n");
}

static void places(void **state)
{
	const char text[] = "one;\n\ttwo \"thr\\x65e\" {\n  four;\n}";
	struct errors errors = {0};
	const struct statement *two;
	struct words words;

	(void)state;
	assert_int_equal(words_scan(&words, text, strlen(text), WORDS_FILE, "f", &errors), 0);
	two = words.first->next;
	assert_int_equal(two->word[0].line, 2);
	assert_int_equal(two->word[0].col, 2);
	assert_int_equal(two->word[1].col, 6);
	assert_true(two->word[1].quoted && !two->word[0].quoted);
	assert_int_equal(two->word[1].length, 5);
	assert_string_equal(two->word[1].text, "three");
	assert_int_equal(two->block->word->line, 3);
	assert_int_equal(two->block->word->col, 3);
	assert_int_equal(words.first->start, 0);
	assert_int_equal(words.first->end, 4);
	assert_memory_equal(text + two->block->start, "four;", 5);
	assert_int_equal(two->block->end - two->block->start, 5);
	assert_int_equal(text[two->start], 't');
	assert_int_equal(two->end, strlen(text));
	assert_true(word_is(&two->word[0], "two") && !word_is(&two->word[1], "three"));
	words_free(&words);
}

static void depth_and_size_are_bounded(void **state)
{
	char deep[2 * (WORDS_DEPTH_MAX + 1) * 3] = "", *big;
	struct errors errors = {0};
	struct words words;

	(void)state;
	for (int i = 0; i < WORDS_DEPTH_MAX; i++)
		strcat(deep, "a{");
	for (int i = 0; i < WORDS_DEPTH_MAX; i++)
		strcat(deep, "}");
	assert_int_equal(words_scan(&words, deep, strlen(deep), WORDS_FILE, "f", &errors), 0);
	words_free(&words);
	memmove(deep + 2, deep, strlen(deep) + 1);
	memcpy(deep, "a{", 2);
	assert_non_null(strstr(file(deep), "f:1:34: error: blocks are nested more than 16 deep\n"));

	big = malloc(WORDS_SIZE_MAX + 1);
	assert_non_null(big);
	memset(big, ' ', WORDS_SIZE_MAX + 1);
	assert_int_equal(words_scan(&words, big, WORDS_SIZE_MAX, WORDS_FILE, "f", &errors), 0);
	words_free(&words);
	assert_string_equal(scan_bytes(big, WORDS_SIZE_MAX + 1, WORDS_FILE),
			    "\nf:1:1: error: the text has 1048577 bytes: more than 1048576 are not read\n");
	/* The worst for memory and time: all words, all strings, all braces. */
	for (size_t i = 0; i < WORDS_SIZE_MAX; i++)
		big[i] = "a "[i % 2];
	assert_int_equal(words_scan(&words, big, WORDS_SIZE_MAX, WORDS_LINE, NULL, &errors), 0);
	assert_int_equal(words.first->words, WORDS_SIZE_MAX / 2);
	words_free(&words);
	for (size_t i = 0; i < WORDS_SIZE_MAX; i++)
		big[i] = "\"\" "[i % 3];
	words_scan(&words, big, WORDS_SIZE_MAX, WORDS_LINE, NULL, &errors);
	words_free(&words);
	memset(big, '{', WORDS_SIZE_MAX);
	words_scan(&words, big, WORDS_SIZE_MAX, WORDS_LINE, NULL, &errors);
	words_free(&words);
	free(big);
	errors_free(&errors);
}

static const char *quote(const char *text, size_t length)
{
	buf_clear(&out);
	words_quote(&out, text, length);
	return out.data;
}

static void quoted_words_come_back(void **state)
{
	char text[64], every[256];

	(void)state;
	assert_string_equal(quote("web-1._", 7), "web-1._");
	assert_string_equal(quote("", 0), "\"\"");
	assert_string_equal(quote("a b", 3), "\"a b\"");
	assert_string_equal(quote("--force", 7), "\"--force\"");
	assert_string_equal(quote("\"\\\x00\xe4", 4), "\"\\\"\\\\\\x00\\xe4\"");
	for (size_t i = 0; i < sizeof(every); i++)
		every[i] = (char)i;
	for (size_t from = 0; from < sizeof(every); from += 16) {
		struct errors errors = {0};
		struct words words;

		buf_clear(&out);
		words_quote(&out, every + from, 16);
		assert_int_equal(words_scan(&words, out.data, out.length, WORDS_LINE, NULL, &errors), 0);
		assert_int_equal(words.first->word->length, 16);
		assert_memory_equal(words.first->word->text, every + from, 16);
		words_free(&words);
	}
	/* A printed tree is read back as the same one. */
	strcpy(text, "a \"b c\" { \"d\" --x; e { } }");
	assert_string_equal(line(text), text);
}

static void the_nearest_word(void **state)
{
	static const char *const words[] = {"listen",   "forward", "affinity", "backend",
					    "fallback", "slots",   "web",      "dsr"};
	static const struct {
		const char *in, *out;
	} row[] = {
		{"lisen", "listen"},     {"lsiten", "listen"},
		{"list", "listen"},      {"listenn", "listen"},
		{"backed", "backend"},   {"backends", "backend"},
		{"fallbak", "fallback"}, {"afinitty", "affinity"},
		{"wib", "web"},          {"slot", "slots"},
		{"dsx", "dsr"},          {"x", NULL},
		{"xyz", NULL},           {"fd", NULL},
		{"forlorn", NULL},       {"", NULL},
	};
	char huge[300];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const char *nearest = words_nearest(row[i].in, words, sizeof(words) / sizeof(words[0]));

		assert_int_equal(nearest == NULL, row[i].out == NULL);
		if (nearest)
			assert_string_equal(nearest, row[i].out);
	}
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = 0;
	assert_null(words_nearest(huge, words, 8));
}

static void a_word_in_a_message(void **state)
{
	struct word word = {.text = "a\x1b[m\nb", .length = 6};
	char huge[300];

	(void)state;
	assert_string_equal(word_show(&word).text, "a\\x1b[m\\x0ab");
	memset(huge, 1, sizeof(huge));
	word = (struct word){.text = huge, .length = sizeof(huge)};
	assert_true(strlen(word_show(&word).text) < sizeof(struct word_shown));
	assert_non_null(strstr(word_show(&word).text, "..."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trees, begin, end),
		cmocka_unit_test_setup_teardown(strings, begin, end),
		cmocka_unit_test_setup_teardown(a_command_may_end_early, begin, end),
		cmocka_unit_test_setup_teardown(a_file_must_not, begin, end),
		cmocka_unit_test_setup_teardown(faults_and_on, begin, end),
		cmocka_unit_test_setup_teardown(places, begin, end),
		cmocka_unit_test_setup_teardown(depth_and_size_are_bounded, begin, end),
		cmocka_unit_test_setup_teardown(quoted_words_come_back, begin, end),
		cmocka_unit_test_setup_teardown(the_nearest_word, begin, end),
		cmocka_unit_test_setup_teardown(a_word_in_a_message, begin, end),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
