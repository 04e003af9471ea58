/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weir: shows and changes what a running weir-agent does. Input: argv. Output: text or JSON on stdout, errors on stderr,
 * an exit code: 0 done, 1 refused or failed, 2 usage, 3 agent not reachable, 4 no such object, 5 waited in vain.
 *
 *   argv -> options, words -> a row of commands.c -> its function: mostly request.c, which asks the agent
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "commands.h"
#include "complain.h"
#include "complete.h"
#include "help.h"

/* Options go to call->options, all else into one text, a line for each argument: so a comment ends with its argument. */
static int take_arguments(struct call *call, int argc, char **argv, struct buf *text, struct error *error)
{
	const char *first = NULL;
	bool options = true;

	for (int i = 1; i < argc;) {
		int taken = 1;

		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			taken = options_take(&call->options, &argv[i], first && strcmp(first, "events") == 0, error);
			if (taken < 0)
				return -1;
		} else {
			first = first ? first : argv[i];
			buf_puts(text, argv[i]);
			buf_puts(text, "\n");
		}
		i += taken;
	}
	return text->failed ? error_set(error, ERROR_USAGE, "the command is too long") : 0;
}

static int scan(struct words *words, const struct buf *text, struct error *error)
{
	struct errors errors = {.error = NULL};
	int rc = words_scan(words, text->length ? text->data : "", text->length, WORDS_LINE, NULL, &errors);

	if (rc) {
		errors_first(&errors, error);
		error->code = ERROR_USAGE;
	}
	errors_free(&errors);
	return rc;
}

/* Whether what stands behind the command is what its row says. 0 or -1 with error filled. */
static int check_words(const struct call *call, struct error *error)
{
	const struct command *command = call->command;
	bool from_file = call->options.given & OPTION_FILE; /* then it may hold all of them: the agent counts */
	size_t least = from_file ? 0 : (size_t)command->least;
	size_t have = call->words + (call->line->has_block || call->line->next);

	if ((command->most >= 0 || from_file) && (call->line->has_block || call->line->next))
		return error_set(error, ERROR_USAGE,
				 "%s: words are expected here, no `;` and no `{ }`; usage: weir %s %s", command->words,
				 command->words, command->arguments);
	if (command->most >= 0 && call->words > (size_t)command->most)
		return error_set(error, ERROR_USAGE, "%s: \"%.60s\" is too much; usage: weir %s%s%s", command->words,
				 call->word[command->most].text, command->words, *command->arguments ? " " : "",
				 command->arguments);
	if (have < least)
		return error_set(error, ERROR_USAGE, "%s: a word is missing; usage: weir %s %s", command->words,
				 command->words, command->arguments);
	return options_check(&call->options, command->options, command->words, error);
}

static int run(struct call *call, const struct words *words)
{
	struct error error = {.code = ERROR_NONE};
	size_t matched;
	int code;

	call->line = words->first;
	call->command = command_find(call->commands, call->line->word, call->line->words, &matched);
	if (!call->command || (call->command->most == 0 && matched < call->line->words &&
			       command_has_more(call->commands, call->command)))
		return help_unknown(call->commands, call->line->word, call->line->words);
	call->word = call->line->word + matched;
	call->words = call->line->words - matched;
	if (!call->command->run) {
		complain_text(call->command->words, ": not supported yet");
		return ERROR_REFUSED;
	}
	if (call->options.given & OPTION_HELP) {
		help_command(call->command, stdout);
		return ERROR_NONE;
	}
	if (check_words(call, &error))
		return complain(&error);
	code = call->command->run(call);
	if (fflush(stdout) || ferror(stdout)) {
		complain_text("", "standard output: what was asked for could not be written");
		return code ? code : ERROR_REFUSED;
	}
	return code;
}

static int main_without_words(const struct call *call)
{
	if (call->options.given & OPTION_HELP) {
		help_list(call->commands, stdout);
		return ERROR_NONE;
	}
	help_list(call->commands, stderr);
	return ERROR_USAGE;
}

int main(int argc, char **argv)
{
	struct call call = {.commands = &commands};
	struct error error = {.code = ERROR_NONE};
	struct words words = {.first = NULL};
	struct buf text = {.data = NULL};
	int code;

	if (argc > 1 && strcmp(argv[1], "__complete") == 0) { /* for the completion script */
		complete(&commands, argv + 2, argc - 2);
		return ERROR_NONE;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("weir " WEIR_VERSION);
		return ERROR_NONE;
	}
	options_init(&call.options);
	if (take_arguments(&call, argc, argv, &text, &error) || scan(&words, &text, &error))
		code = complain(&error);
	else if (!words.first)
		code = main_without_words(&call);
	else
		code = run(&call, &words);
	words_free(&words);
	buf_free(&text);
	return code;
}
