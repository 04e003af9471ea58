/* SPDX-License-Identifier: BSD-2-Clause */
/* Statements of a block -> the setters of their rules, or a fault that says what would be right. */
#include "block.h"

#include <stdio.h>
#include <string.h>

static const char *where_text(unsigned int where)
{
	static const struct {
		unsigned int where;
		const char *text;
	} name[] = {
		{IN_FILE, "the file itself"},
		{IN_NODE, "\"node\""},
		{IN_INTERFACE, "\"interface\""},
		{IN_CLUSTER, "\"cluster\""},
		{IN_CONTROL, "\"control\""},
		{IN_LIMITS, "\"limits\""},
		{IN_METRICS, "\"metrics\""},
		{IN_SERVICE, "\"service\""},
		{IN_BACKEND, "\"backend\""},
		{IN_DEFAULTS, "\"defaults\""},
		{IN_SERVICE_SET, "\"service set\""},
		{IN_BACKEND_ADD, "\"backend add\""},
		{IN_CHANGE, "a change"},
	};

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (where & name[i].where)
			return name[i].text;
	return "nothing";
}

static const struct block_rule *find_rule(const struct reading *r, const struct word *word, unsigned int where)
{
	for (size_t i = 0; i < r->rules && !word->quoted; i++)
		if ((r->rule[i].where & where) && word_is(word, r->rule[i].word))
			return &r->rule[i];
	return NULL;
}

/* Where the word does belong; a block in which it works goes before one in which it will. */
static const struct block_rule *find_elsewhere(const struct reading *r, const struct word *word, unsigned int where)
{
	const struct block_rule *found = NULL;

	for (size_t i = 0; i < r->rules && !word->quoted; i++)
		if ((r->rule[i].where & ~where) && word_is(word, r->rule[i].word) && (!found || !found->set))
			found = &r->rule[i];
	return found;
}

struct place block_place(const struct reading *r, const struct word *word)
{
	struct place place = {.file = r->file_index};

	if (r->file) {
		place.line = word->line;
		place.col = word->col < UINT16_MAX ? (uint16_t)word->col : UINT16_MAX;
	}
	return place;
}

int block_not_supported(const struct reading *r, const struct word *word)
{
	return errors_add(r->errors, r->file, word->line, word->col, ERROR_REFUSED, "\"%s\": not supported yet",
			  word_show(word).text);
}

struct block_hint block_hint(const struct word *word, const char *const *candidate, size_t candidates)
{
	const char *nearest = words_nearest(word->text, candidate, candidates);
	struct block_hint hint = {.text = ""};

	if (nearest)
		snprintf(hint.text, sizeof(hint.text), " (did you mean \"%s\"?)", nearest);
	return hint;
}

static void fault_unknown(const struct reading *r, const struct word *word, enum block_where where)
{
	const char *known[BLOCK_RULES_MAX];
	char list[320] = "";
	size_t knowns = 0, used = 0;
	const char *nearest;
	const struct block_rule *elsewhere = find_elsewhere(r, word, where);

	if (elsewhere) {
		block_fault(r, word, "\"%s\" does not belong in %s: it belongs in %s", elsewhere->word,
			    where_text(where), where_text(elsewhere->where));
		return;
	}
	for (size_t i = 0; i < r->rules; i++) {
		if (!(r->rule[i].where & where))
			continue;
		known[knowns++] = r->rule[i].word;
		if (r->rule[i].set && used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
						 r->rule[i].word);
	}
	nearest = word->quoted ? NULL : words_nearest(word->text, known, knowns);
	if (nearest)
		block_fault(r, word, "unknown word \"%s\" (did you mean \"%s\"?)", word_show(word).text, nearest);
	else
		block_fault(r, word, "%s \"%s\": known in %s are %s",
			    word->quoted ? "a word is needed here, not the string" : "unknown word",
			    word_show(word).text, where_text(where), list);
}

static bool form_is_good(const struct reading *r, const struct block_rule *rule, const struct statement *statement)
{
	const struct word *word = statement->word;

	if (statement->words - 1 < rule->least) {
		block_fault(r, word, "\"%s\" needs more words: %s", rule->word, rule->usage);
		return false;
	}
	if (statement->words - 1 > rule->most) {
		const struct word *extra = &word[rule->most + 1];

		if (find_rule(r, extra, ~0u) && !statement->has_block)
			block_fault(r, extra, "unexpected \"%s\": %s (or is ; missing before it?)",
				    word_show(extra).text, rule->usage);
		else
			block_fault(r, extra, "unexpected \"%s\": %s", word_show(extra).text, rule->usage);
		return false;
	}
	if (statement->has_block && rule->block == BLOCK_NONE) {
		block_fault(r, word, "\"%s\" has no block: %s", rule->word, rule->usage);
		return false;
	}
	if (!statement->has_block && rule->block == BLOCK_NEEDED) {
		block_fault(r, word, "\"%s\" needs a block: %s", rule->word, rule->usage);
		return false;
	}
	return true;
}

/* Remembers the word's place; false when it has been given before and may be given only once. */
static bool is_first(const struct reading *r, const struct block_rule *rule, const struct word *word,
		     struct block_seen *seen)
{
	struct place *first = &seen->first[rule - r->rule];

	if (rule->repeats)
		return true;
	if (first->col == 0) {
		*first = block_place(r, word);
		if (!first->col)
			first->col = 1;
		return true;
	}
	if (first->line && r->config)
		block_fault(r, word, "\"%s\" is given twice, first at %s:%d:%d", rule->word,
			    r->config->file[first->file], first->line, first->col);
	else
		block_fault(r, word, "\"%s\" is given twice", rule->word);
	return false;
}

static void read_one(struct reading *r, const struct statement *statement, enum block_where where,
		     struct block_seen *seen)
{
	const struct block_rule *rule = find_rule(r, statement->word, where);

	if (!rule) {
		fault_unknown(r, statement->word, where);
		return;
	}
	if (!is_first(r, rule, statement->word, seen))
		return;
	if (!rule->set)
		block_not_supported(r, statement->word);
	else if (form_is_good(r, rule, statement))
		rule->set(r, statement);
}

/* A known word at the beginning of a line, in the middle of a statement: the one before it lacks its `;`. Returns its position, or 0. */
static size_t find_cut(const struct reading *r, const struct statement *statement, enum block_where where)
{
	const struct word *word = statement->word;

	for (size_t i = 1; i < statement->words; i++)
		if (word[i].line > word[i - 1].line && find_rule(r, &word[i], where))
			return i;
	return 0;
}

void block_read_statement(struct reading *r, const struct statement *statement, enum block_where where,
			  struct block_seen *seen)
{
	struct statement rest = *statement;
	size_t cut;

	while ((cut = find_cut(r, &rest, where))) {
		struct statement before = {.word = rest.word, .words = cut};

		block_fault(r, &rest.word[cut], "; is missing after \"%s\" in line %d",
			    word_show(&rest.word[cut - 1]).text, rest.word[cut - 1].line);
		read_one(r, &before, where, seen);
		rest.word += cut;
		rest.words -= cut;
	}
	read_one(r, &rest, where, seen);
}

void block_read(struct reading *r, const struct statement *first, enum block_where where)
{
	struct block_seen seen = {0};

	for (const struct statement *statement = first; statement; statement = statement->next)
		block_read_statement(r, statement, where, &seen);
}
