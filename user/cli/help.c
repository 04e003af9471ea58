/* SPDX-License-Identifier: BSD-2-Clause */
/* Help and usage errors. Input: the table of commands. Output: text for people. */
#include "help.h"

#include <string.h>

#include "../lib/buf.h"
#include "complain.h"

enum { CANDIDATES = 64 };

/* Rows that people are told of: they do something. */
static bool is_listed(const struct command *command)
{
	return command->run && command->summary;
}

static void list(const struct commands *commands, const struct word *word, size_t words, FILE *out)
{
	char left[96], text[COMMAND_WORD];

	for (size_t i = 0; i < commands->count; i++) {
		const struct command *command = &commands->command[i];

		if (!is_listed(command) || (words && strcmp(command_word(command, 0, text), word->text) != 0))
			continue;
		snprintf(left, sizeof(left), "%s%s%s", command->words, *command->arguments ? " " : "",
			 command->arguments);
		fprintf(out, "  %-42s  %s\n", left, command->summary);
	}
}

void help_list(const struct commands *commands, FILE *out)
{
	struct screen screen = {.out = out};

	fputs("usage: weir [OPTION...] COMMAND [WORD...]\n\n", out);
	list(commands, NULL, 0, out);
	fputs("\noptions of every command:\n", out);
	options_help(&screen, OPTION_COMMON);
	fputs("\n`weir help COMMAND` tells more; weir(8) and weir.conf(5) tell all.\n", out);
}

void help_command(const struct command *command, FILE *out)
{
	struct screen screen = {.out = out};

	fprintf(out, "usage: weir %s%s%s [OPTION...]\n\n%s\n", command->words, *command->arguments ? " " : "",
		command->arguments, command->summary);
	if (command->details)
		fprintf(out, "\n%s\n", command->details);
	fputs("\noptions:\n", out);
	options_help(&screen, command->options | OPTION_COMMON);
}

int help_run(const struct call *call)
{
	const struct command *command;
	size_t matched;

	if (call->words == 0) {
		help_list(call->commands, stdout);
		return ERROR_NONE;
	}
	command = command_find(call->commands, call->word, call->words, &matched);
	if (command && matched == call->words && is_listed(command)) {
		help_command(command, stdout);
		if (matched == 1 && strcmp(command->words, "show") == 0) {
			fputs("\n", stdout);
			list(call->commands, call->word, 1, stdout);
		}
		return ERROR_NONE;
	}
	if (command && !is_listed(command)) {
		complain_text(command->words, ": not supported yet");
		return ERROR_REFUSED;
	}
	for (size_t i = 0; call->words == 1 && i < call->commands->count; i++) {
		char text[COMMAND_WORD];

		if (word_is(call->word, command_word(&call->commands->command[i], 0, text))) {
			list(call->commands, call->word, 1, stdout);
			return ERROR_NONE;
		}
	}
	return help_unknown(call->commands, call->word, call->words);
}

/* ---- unknown words ---- */

struct candidates {
	char text[CANDIDATES][COMMAND_WORD];
	const char *word[CANDIDATES];
	size_t count;
};

static void add_candidate(struct candidates *candidates, const char *text)
{
	for (size_t i = 0; i < candidates->count; i++)
		if (strcmp(candidates->word[i], text) == 0)
			return;
	if (candidates->count == CANDIDATES)
		return;
	strcpy(candidates->text[candidates->count], text);
	candidates->word[candidates->count] = candidates->text[candidates->count];
	candidates->count++;
}

/* The words that may stand in place `n` behind the first `n` of `word`. */
static void find_candidates(struct candidates *candidates, const struct commands *commands, const struct word *word,
			    size_t n)
{
	char text[COMMAND_WORD];

	candidates->count = 0;
	for (size_t i = 0; i < commands->count; i++) {
		const struct command *command = &commands->command[i];
		bool fits = is_listed(command);

		for (size_t k = 0; k < n; k++)
			fits = fits && word_is(&word[k], command_word(command, k, text));
		if (fits && *command_word(command, n, text))
			add_candidate(candidates, text);
	}
}

int help_unknown(const struct commands *commands, const struct word *word, size_t words)
{
	struct error error = {.code = ERROR_NONE};
	struct candidates second;
	struct candidates first;
	const char *near;

	find_candidates(&first, commands, word, 0);
	find_candidates(&second, commands, word, 1);
	if (second.count == 0) {
		near = words_nearest(word[0].text, first.word, first.count);
		error_set(&error, ERROR_USAGE, "\"%.60s\": no such command%s%s%s; `weir help` lists them", word[0].text,
			  near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
	} else if (words > 1) {
		near = words_nearest(word[1].text, second.word, second.count);
		error_set(&error, ERROR_USAGE, "%s: \"%.60s\": no such command%s%s%s; `weir help %s` lists them",
			  word[0].text, word[1].text, near ? " (did you mean \"" : "", near ? near : "",
			  near ? "\"?)" : "", word[0].text);
	} else {
		struct buf choice = {.data = NULL};

		for (size_t i = 0; i < second.count; i++)
			buf_printf(&choice, "%s%s", i ? ", " : "", second.word[i]);
		error_set(&error, ERROR_USAGE, "%s: what? One of: %s", word[0].text, choice.data ? choice.data : "");
		buf_free(&choice);
	}
	return complain(&error);
}
