/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion. Input: the words of a command line, the table of commands, the agent's names. Output: candidates. */
#include "complete.h"

#include <net/if.h>
#include <string.h>

#include "request.h"

enum { WORDS_MAX = 64, AGENT_MS = 1000 };

struct completion {
	const char *prefix;
	struct call call; /* what stands before the last word */
	struct word word[WORDS_MAX];
	size_t words;
};

static void offer(const struct completion *completion, const char *text)
{
	if (text && strncmp(text, completion->prefix, strlen(completion->prefix)) == 0)
		puts(text);
}

/* ---- names that the agent knows ---- */

struct query {
	const struct completion *completion;
	const char *array, *key;
};

static bool offer_members(void *arg, const char *line, const json_t *document)
{
	const struct query *query = arg;
	const json_t *member;
	size_t i;

	(void)line;
	json_array_foreach(json_object_get(document, query->array), i, member)
		offer(query->completion, json_string_value(json_object_get(member, query->key)));
	return true;
}

static void offer_from_agent(const struct completion *completion, const char *request, const char *array,
			     const char *key)
{
	struct query query = {completion, array, key};
	struct error error = {.code = ERROR_NONE};

	(void)request_quietly(&completion->call, request, offer_members, &query, &error);
}

static void offer_addresses(const struct completion *completion, const char *service)
{
	struct buf request = {.data = NULL};

	buf_puts(&request, "show backends ");
	words_quote(&request, service, strlen(service));
	if (!request.failed)
		offer_from_agent(completion, request.data, "backends", "address");
	buf_free(&request);
}

static void offer_interfaces(const struct completion *completion)
{
	struct if_nameindex *interfaces = if_nameindex();

	for (struct if_nameindex *i = interfaces; i && i->if_name; i++)
		offer(completion, i->if_name);
	if (interfaces)
		if_freenameindex(interfaces);
}

/* ---- words of the configuration ---- */

/* Which commands take a word. */
enum { SERVICE_SET = 1, SERVICE_ADD = 2, BACKEND_SET = 4, BACKEND_ADD = 8 };

static const struct {
	const char *word;
	unsigned int commands;
	const char *value[4]; /* what may follow, where that is a word */
} config_word[] = {
	{"listen", SERVICE_SET | SERVICE_ADD, {NULL}},
	{"forward", SERVICE_SET | SERVICE_ADD, {"dsr", "ipip"}},
	{"affinity", SERVICE_SET | SERVICE_ADD, {"flow", "client", "none"}},
	{"slots", SERVICE_SET | SERVICE_ADD, {"4096", "16384", "65536"}},
	{"drain", SERVICE_SET | SERVICE_ADD, {"unlimited"}},
	{"on-down", SERVICE_SET | SERVICE_ADD, {"keep", "reset"}},
	{"slow-start", SERVICE_SET | SERVICE_ADD, {"off"}},
	{"learn", SERVICE_SET | SERVICE_ADD, {NULL}},
	{"learn-udp", SERVICE_SET | SERVICE_ADD, {NULL}},
	{"backend", SERVICE_ADD, {NULL}},
	{"fallback", SERVICE_ADD | BACKEND_ADD, {NULL}},
	{"weight", BACKEND_SET | BACKEND_ADD, {NULL}},
	{"draining", BACKEND_SET | BACKEND_ADD, {NULL}},
	{"disabled", BACKEND_SET | BACKEND_ADD, {NULL}},
};

enum { CONFIG_WORDS = sizeof(config_word) / sizeof(config_word[0]) };

static unsigned int config_command(const char *words)
{
	static const char *const name[] = {"service set", "service add", "backend set", "backend add"};

	for (unsigned int i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (strcmp(words, name[i]) == 0)
			return 1U << i;
	return 0;
}

/* Values of the word that stands last, or else, if it is none of these, the words. */
static void offer_config_words(const struct completion *completion, const char *command, const struct word *last)
{
	unsigned int taken_by = config_command(command);

	for (size_t i = 0; i < CONFIG_WORDS; i++) {
		if (!(config_word[i].commands & taken_by) || !word_is(last, config_word[i].word))
			continue;
		for (size_t v = 0; config_word[i].value[v]; v++)
			offer(completion, config_word[i].value[v]);
		return;
	}
	for (size_t i = 0; i < CONFIG_WORDS; i++)
		if (config_word[i].commands & taken_by)
			offer(completion, config_word[i].word);
}

/* ---- what comes next ---- */

/* Command words that may follow the first `n` of `word`, each once: the rows of one group stand together. */
static void offer_commands(const struct completion *completion, const struct word *word, size_t n)
{
	const struct commands *commands = completion->call.commands;
	char last[COMMAND_WORD] = "", text[COMMAND_WORD];

	for (size_t i = 0; i < commands->count; i++) {
		const struct command *command = &commands->command[i];
		bool fits = command->run != NULL;

		for (size_t k = 0; k < n; k++)
			fits = fits && word_is(&word[k], command_word(command, k, text));
		if (!fits || !*command_word(command, n, text) || strcmp(text, last) == 0)
			continue;
		offer(completion, text);
		strcpy(last, text);
	}
}

/* The n-th of a row's arguments, brackets taken off: "SERVICE". One with dots stands for all that follow. */
static void argument_name(const char *arguments, size_t n, char *name, size_t size)
{
	for (; n > 0 && *arguments; n--) {
		size_t length = strcspn(arguments, " ");

		if (memmem(arguments, length, "...", 3))
			break;
		arguments += length + (arguments[length] == ' ');
	}
	arguments += *arguments == '[';
	snprintf(name, size, "%.*s", (int)strcspn(arguments, " ]."), arguments);
}

static void offer_argument(const struct completion *completion, const struct command *command, const struct word *own,
			   size_t n)
{
	char name[32];

	argument_name(command->arguments, n, name, sizeof(name));
	if (strcmp(name, "SERVICE") == 0)
		offer_from_agent(completion, "show services", "services", "name");
	else if (strcmp(name, "ADDRESS") == 0 && n > 0)
		offer_addresses(completion, own[n - 1].text);
	else if (strcmp(name, "REASON") == 0)
		offer_from_agent(completion, "show drops", "reasons", "reason");
	else if (strcmp(name, "INTERFACE") == 0)
		offer_interfaces(completion);
	else if (strcmp(name, "WORD") == 0 && n > 0)
		offer_config_words(completion, command->words, &own[n - 1]);
	else if (strcmp(name, "COMMAND") == 0)
		offer_commands(completion, own, n);
	else if (strcmp(name, "ipip") == 0)
		offer(completion, name);
}

/* Takes options out of the words before the last one. False: the last word is an option's value (a path, a number). */
static bool take_words(struct completion *completion, char *const *word, int words)
{
	struct error ignored = {.code = ERROR_NONE};

	for (int i = 0; i + 1 < words;) {
		bool follow = completion->words && word_is(&completion->word[0], "events");
		char *const pair[] = {word[i], i + 2 < words ? word[i + 1] : NULL, NULL};
		int taken = 1;

		if (*word[i] == '-' && word[i][1]) {
			taken = options_take(&completion->call.options, pair, follow, &ignored);
			if (taken < 0)
				return false;
		} else if (completion->words < WORDS_MAX) {
			completion->word[completion->words++] =
				(struct word){.text = word[i], .length = strlen(word[i])};
		}
		i += taken;
	}
	return true;
}

void complete(const struct commands *commands, char *const *word, int words)
{
	struct completion completion = {.prefix = words ? word[words - 1] : "", .call.commands = commands};
	struct screen screen = {.out = stdout};
	const struct command *command;
	size_t matched;

	options_init(&completion.call.options);
	if (!take_words(&completion, word, words))
		return;
	completion.call.options.timeout_ms = AGENT_MS;
	command = command_find(commands, completion.word, completion.words, &matched);
	if (*completion.prefix == '-') {
		options_list(&screen, OPTION_COMMON | (command ? command->options : 0), completion.prefix);
		return;
	}
	offer_commands(&completion, completion.word, completion.words);
	if (command && command->run)
		offer_argument(&completion, command, &completion.word[matched], completion.words - matched);
}
