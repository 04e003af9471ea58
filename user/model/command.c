/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of the control socket -> struct command: which verb, which object, which options, and the file's words that follow. */
#include "command.h"

#include <string.h>

#include "schema.h"
#include "values.h"

enum { WAIT_MAX_S = 24 * 3600 };

enum { FORCE = 1, WAIT = 2 };

struct verb {
	const char *object, *word, *usage;
	enum command_verb verb;
	bool addr, body;      /* an address follows the service; the file's words may follow */
	unsigned int options; /* that mean something with it */
};

static const struct verb verbs[] = {
	{"service", "add", "service add NAME { listen ADDR tcp|udp PORT...; backend ADDR; ... }", COMMAND_SERVICE_ADD,
	 false, true, 0},
	{"service", "remove", "service remove NAME", COMMAND_SERVICE_REMOVE, false, false, FORCE},
	{"service", "set", "service set NAME WORDS", COMMAND_SERVICE_SET, false, true, 0},
	{"backend", "add", "backend add SERVICE ADDR [weight N]", COMMAND_BACKEND_ADD, true, true, WAIT},
	{"backend", "remove", "backend remove SERVICE ADDR", COMMAND_BACKEND_REMOVE, true, false, FORCE | WAIT},
	{"backend", "drain", "backend drain SERVICE ADDR", COMMAND_BACKEND_DRAIN, true, false, FORCE | WAIT},
	{"backend", "enable", "backend enable SERVICE ADDR", COMMAND_BACKEND_ENABLE, true, false, FORCE | WAIT},
	{"backend", "disable", "backend disable SERVICE ADDR", COMMAND_BACKEND_DISABLE, true, false, FORCE | WAIT},
	{"backend", "set", "backend set SERVICE ADDR weight N", COMMAND_BACKEND_SET, true, true, FORCE | WAIT},
	{"backend", "weight", "backend weight SERVICE ADDR N", COMMAND_BACKEND_WEIGHT, true, true, FORCE | WAIT},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

bool command_changes(const char *line, size_t length)
{
	size_t start = 0, end;

	while (start < length && (line[start] == ' ' || line[start] == '\t'))
		start++;
	for (end = start; end < length && line[end] >= 'a' && line[end] <= 'z';)
		end++;
	return end - start == strlen("service") &&
	       (memcmp(line + start, "service", end - start) == 0 || memcmp(line + start, "backend", end - start) == 0);
}

/* ---- options ---- */

static bool is_option(const struct word *word)
{
	return !word->quoted && strncmp(word->text, "--", 2) == 0;
}

static int read_option(struct command *command, struct reading *r, const struct word *word)
{
	static const char *const options[] = {"--force", "--no-wait", "--wait"};
	static const char wait_is[] = "--wait=";
	struct word seconds = *word;

	if (word_is(word, "--force")) {
		command->force = true;
	} else if (word_is(word, "--no-wait")) {
		command->no_wait = true;
	} else if (word_is(word, "--wait")) {
		command->wait = true;
	} else if (strncmp(word->text, wait_is, strlen(wait_is)) == 0) {
		command->wait = true;
		seconds.text += strlen(wait_is);
		seconds.length -= strlen(wait_is);
		return value_number(r, &seconds, "--wait", 1, WAIT_MAX_S, &command->wait_s);
	} else {
		return block_fault(r, word, "unknown option \"%s\"%s", word_show(word).text,
				   block_hint(word, options, 3).text);
	}
	return 0;
}

/* Takes the options out of the statements of the line itself; what is left without words and block goes. */
static void read_options(struct command *command, struct reading *r)
{
	struct statement **link = &command->body;

	while (*link) {
		struct statement *statement = *link;
		size_t kept = 0;

		for (size_t i = 0; i < statement->words; i++) {
			if (is_option(&statement->word[i]))
				read_option(command, r, &statement->word[i]);
			else
				statement->word[kept++] = statement->word[i];
		}
		statement->words = kept;
		if (kept || statement->has_block)
			link = &statement->next;
		else
			*link = statement->next;
	}
	if (command->wait && command->no_wait)
		errors_add(r->errors, NULL, 0, 0, ERROR_USAGE, "--wait and --no-wait exclude each other");
}

static int check_options(const struct command *command, const struct reading *r, const struct verb *verb)
{
	const char *given = command->force && !(verb->options & FORCE)    ? "--force"
			    : command->wait && !(verb->options & WAIT)    ? "--wait"
			    : command->no_wait && !(verb->options & WAIT) ? "--no-wait"
									  : NULL;

	if (!given)
		return 0;
	return errors_add(r->errors, NULL, 0, 0, ERROR_USAGE, "%s means nothing with \"%s %s\"", given, verb->object,
			  verb->word);
}

/* ---- verb and object ---- */

static const struct verb *find_verb(struct reading *r, const struct statement *statement)
{
	const struct word *object = &statement->word[0], *word = &statement->word[1];
	const char *known[VERBS];
	size_t knowns = 0;

	for (size_t i = 0; i < VERBS; i++) {
		if (!word_is(object, verbs[i].object))
			continue;
		if (statement->words > 1 && word_is(word, verbs[i].word))
			return &verbs[i];
		known[knowns++] = verbs[i].word;
	}
	if (!knowns)
		block_fault(r, object, "unknown command \"%s\"", word_show(object).text);
	else if (statement->words < 2)
		block_fault(r, object, "\"%s\" needs more words: see weir %s in weir(8)", object->text, object->text);
	else
		block_fault(r, word, "unknown command \"%s %s\"%s", object->text, word_show(word).text,
			    block_hint(word, known, knowns).text);
	return NULL;
}

/* The words behind the object are the body's first statement; where there are none, its block is the body. */
static int cut_head(struct command *command, struct reading *r, const struct verb *verb, size_t head)
{
	struct statement *first = command->body;

	if (first->words < head)
		return block_fault(r, first->word, "needs more words: %s", verb->usage);
	first->word += head;
	first->words -= head;
	if (first->words)
		return 0;
	if (first->has_block && first->next)
		return block_fault(r, first->next->word, "unexpected \"%s\": %s", word_show(first->next->word).text,
				   verb->usage);
	command->body = first->has_block ? first->block : first->next;
	return 0;
}

/* `service add service web { ... }`, `backend add web backend 10.0.0.11 ...`: pasted as `show config` prints it. */
static void skip_pasted_kind(struct statement *first, const struct verb *verb)
{
	size_t at = verb->addr ? 3 : 2;

	if (first->words <= at || !word_is(&first->word[at], verb->object))
		return;
	if (verb->verb == COMMAND_BACKEND_ADD ||
	    (verb->verb == COMMAND_SERVICE_ADD && first->words == 4 && first->has_block)) {
		memmove(&first->word[at], &first->word[at + 1], (first->words - at - 1) * sizeof(*first->word));
		first->words--;
	}
}

/* The service's name and, where the verb wants one, the backend's address. */
static int read_object(struct command *command, struct reading *r, const struct verb *verb,
		       const struct statement *first)
{
	if (first->words > 2 &&
	    value_name(r, &first->word[2], "service", command->service, sizeof(command->service)) < 0)
		return -1;
	if (verb->addr && first->words > 3 && schema_backend_address(r, &first->word[3], &command->addr) < 0)
		return -1;
	return cut_head(command, r, verb, verb->addr ? 4 : 3);
}

static bool is_one_word(const struct statement *body)
{
	return body && !body->next && body->words == 1 && !body->has_block;
}

static int read_line(struct command *command, struct reading *r)
{
	struct statement *first = command->body;
	const struct verb *verb;

	if (!first || !first->words)
		return errors_add(r->errors, NULL, 0, 0, ERROR_USAGE, "no command");
	verb = find_verb(r, first);
	if (!verb)
		return -1;
	command->verb = verb->verb;
	skip_pasted_kind(first, verb);
	if (check_options(command, r, verb) < 0 || read_object(command, r, verb, first) < 0)
		return -1;
	if (!verb->body && command->body)
		return block_fault(r, command->body->word, "unexpected \"%s\": %s", word_show(command->body->word).text,
				   verb->usage);
	if (verb->verb == COMMAND_BACKEND_WEIGHT && !is_one_word(command->body))
		return errors_add(r->errors, NULL, 0, 0, ERROR_USAGE, "one number is needed: %s", verb->usage);
	return 0;
}

int command_parse(struct command *command, const char *line, size_t length, struct error *error)
{
	struct errors errors = {0};
	struct reading r;
	int err;

	*command = (struct command){.force = false};
	schema_begin(&r, NULL, &errors);
	err = words_scan(&command->words, line, length, WORDS_LINE, NULL, &errors);
	command->body = command->words.first;
	if (!err) {
		read_options(command, &r);
		err = errors.count || errors.more ? -1 : read_line(command, &r);
	}
	errors_first(&errors, error);
	errors_free(&errors);
	return err;
}

void command_free(struct command *command)
{
	words_free(&command->words);
	*command = (struct command){.force = false};
}
