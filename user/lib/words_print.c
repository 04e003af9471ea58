/* SPDX-License-Identifier: BSD-2-Clause */
/* The way back from words to text, and the guess at what a misspelt word was meant to be. */
#include "words.h"

#include <stdio.h>
#include <string.h>

enum { NEAREST_LENGTH_MAX = 63 };

struct word_shown word_show(const struct word *word)
{
	struct word_shown shown;
	size_t used = 0, i;

	for (i = 0; i < word->length && used < sizeof(shown.text) - 8; i++) {
		unsigned char c = (unsigned char)word->text[i];

		if (c < 0x20 || c == 0x7f)
			used += (size_t)snprintf(shown.text + used, sizeof(shown.text) - used, "\\x%02x", c);
		else
			shown.text[used++] = (char)c;
	}
	snprintf(shown.text + used, sizeof(shown.text) - used, "%s", i < word->length ? "..." : "");
	return shown;
}

static void print_string(struct buf *out, const char *text, size_t length)
{
	buf_puts(out, "\"");
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_add(out, text + i, 1);
	}
	buf_puts(out, "\"");
}

void words_quote(struct buf *out, const char *text, size_t length)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:[]*?%@+,=-";
	size_t i = 0;

	/* What begins with - could be taken for an option of a command. */
	if (length && text[0] != '-')
		while (i < length && text[i] && strchr(bare, text[i]))
			i++;
	if (length && i == length)
		buf_add(out, text, length);
	else
		print_string(out, text, length);
}

/* Depth is bounded by the scanner. */
void words_print(const struct statement *first, struct buf *out)
{
	for (const struct statement *statement = first; statement; statement = statement->next) {
		if (statement != first)
			buf_puts(out, " ");
		for (size_t i = 0; i < statement->words; i++) {
			const struct word *word = &statement->word[i];

			if (i)
				buf_puts(out, " ");
			/* What was a string stays one, and a bare word bare: it may be a keyword or an option. */
			if (word->quoted)
				print_string(out, word->text, word->length);
			else
				buf_add(out, word->text, word->length);
		}
		if (!statement->has_block) {
			buf_puts(out, ";");
			continue;
		}
		buf_puts(out, " { ");
		words_print(statement->block, out);
		buf_puts(out, statement->block ? " }" : "}");
	}
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance; two neighbours that have changed places count one. Both at most NEAREST_LENGTH_MAX long. */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][NEAREST_LENGTH_MAX + 1], width = strlen(b), height = strlen(a);

	for (size_t j = 0; j <= width; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= height; i++) {
		size_t *here = row[i % 3], *above = row[(i - 1) % 3], *above2 = row[(i + 1) % 3];

		here[0] = i;
		for (size_t j = 1; j <= width; j++) {
			here[j] = least(above[j], here[j - 1]) + 1;
			here[j] = least(here[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				here[j] = least(here[j], above2[j - 2] + 1);
		}
	}
	return row[height % 3][width];
}

const char *words_nearest(const char *text, const char *const *candidate, size_t candidates)
{
	size_t length = strlen(text), allowed = length < 6 ? 1 : length / 3, best = allowed + 1;
	const char *nearest = NULL;

	if (length > NEAREST_LENGTH_MAX)
		return NULL;
	for (size_t i = 0; i < candidates; i++) {
		size_t d;

		if (strlen(candidate[i]) > NEAREST_LENGTH_MAX)
			continue;
		/* The beginning of a longer word is as near as one slip. */
		d = length >= 3 && strncmp(text, candidate[i], length) == 0 ? 1 : distance(text, candidate[i]);
		if (d < best) {
			best = d;
			nearest = candidate[i];
		}
	}
	return nearest;
}
