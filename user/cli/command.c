/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding rows of a table of commands by words. Pure. */
#include "command.h"

#include <string.h>

const char *command_word(const struct command *command, size_t n, char text[COMMAND_WORD])
{
	const char *at = command->words;
	size_t length;

	while (n-- && *at) {
		at += strcspn(at, " ");
		at += *at == ' ';
	}
	length = strcspn(at, " ");
	if (length >= COMMAND_WORD)
		length = COMMAND_WORD - 1;
	memcpy(text, at, length);
	text[length] = '\0';
	return text;
}

static bool same(const char *expected, size_t place, const struct word *word)
{
	size_t length = strlen(expected);

	if (word->quoted)
		return false;
	if (strcmp(expected, word->text) == 0)
		return true;
	return place > 0 && expected[length - 1] == 's' && strlen(word->text) == length - 1 &&
	       strncmp(expected, word->text, length - 1) == 0;
}

size_t command_match(const struct command *command, const struct word *word, size_t words)
{
	char text[COMMAND_WORD];
	size_t n;

	for (n = 0; *command_word(command, n, text); n++)
		if (n == words || !same(text, n, &word[n]))
			return 0;
	return n;
}

const struct command *command_find(const struct commands *commands, const struct word *word, size_t words,
				   size_t *matched)
{
	const struct command *best = NULL;

	*matched = 0;
	for (size_t i = 0; i < commands->count; i++) {
		size_t n = command_match(&commands->command[i], word, words);

		if (n > *matched) {
			*matched = n;
			best = &commands->command[i];
		}
	}
	return best;
}

bool command_has_more(const struct commands *commands, const struct command *command)
{
	size_t length = strlen(command->words);

	for (size_t i = 0; i < commands->count; i++)
		if (strncmp(commands->command[i].words, command->words, length) == 0 &&
		    commands->command[i].words[length] == ' ')
			return true;
	return false;
}
