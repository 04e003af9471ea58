/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scanner of words.h: text of the file, the command line or the control socket -> tree of statements.
 * Everything that it gives out lives in one arena, freed as a whole.
 */
#include "words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 16384 };

struct words_chunk {
	struct words_chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

enum token { TOKEN_END, TOKEN_WORD, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_SEMICOLON };

struct scanner {
	const char *text;
	size_t length, at;
	int line;
	size_t line_start;
	enum words_form form;
	const char *file;
	struct errors *errors;
	struct words *words;
	struct word *pending; /* words of the statement being read */
	size_t pendings, pending_room;
	bool stop; /* nothing more can be made of the rest */
	size_t token_at;
	int token_line, token_col;
};

static void *take(struct words *words, size_t size)
{
	struct words_chunk *chunk = words->chunk;
	void *data;

	size = (size + 15) & ~(size_t)15;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		*chunk = (struct words_chunk){.next = words->chunk, .size = room};
		words->chunk = chunk;
	}
	data = chunk->data + chunk->used;
	chunk->used += size;
	return data;
}

static int column(const struct scanner *s)
{
	return (int)(s->at - s->line_start) + 1;
}

/* An error where the scanner stands now, or at the token it has read last. */
#define FAULT_HERE(s, ...) errors_add((s)->errors, (s)->file, (s)->line, column(s), ERROR_USAGE, __VA_ARGS__)
#define FAULT(s, ...)      errors_add((s)->errors, (s)->file, (s)->token_line, (s)->token_col, ERROR_USAGE, __VA_ARGS__)

static void out_of_memory(struct scanner *s)
{
	FAULT_HERE(s, "out of memory");
	s->stop = true;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_bare(char c)
{
	return !is_control(c) && !strchr(" {};#\"\\", c);
}

/* Reports the run of control bytes that begins here, once, and steps over it. */
static void skip_control(struct scanner *s)
{
	FAULT_HERE(s, "byte 0x%02x: control characters are not allowed", (unsigned char)s->text[s->at]);
	while (s->at < s->length && is_control(s->text[s->at]) && s->text[s->at] != '\n' && s->text[s->at] != '\t')
		s->at++;
}

static bool at_line_end(const struct scanner *s)
{
	return s->text[s->at] == '\n' ||
	       (s->text[s->at] == '\r' && s->at + 1 < s->length && s->text[s->at + 1] == '\n');
}

static void skip_comment(struct scanner *s)
{
	while (s->at < s->length && !at_line_end(s)) {
		if (is_control(s->text[s->at]) && s->text[s->at] != '\t')
			skip_control(s);
		else
			s->at++;
	}
}

static void skip_blanks(struct scanner *s)
{
	while (s->at < s->length) {
		char c = s->text[s->at];

		if (c == '\n') {
			s->at++;
			s->line++;
			s->line_start = s->at;
		} else if (c == ' ' || c == '\t' || at_line_end(s)) {
			s->at++;
		} else if (c == '#') {
			skip_comment(s);
		} else if (is_control(c)) {
			skip_control(s);
		} else {
			return;
		}
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The scanner stands on a backslash inside a string; the byte that the escape means goes to *out. */
static void scan_escape(struct scanner *s, char *out)
{
	const char *left = s->text + s->at;
	size_t room = s->length - s->at;

	if (room >= 2 && (left[1] == '\\' || left[1] == '"')) {
		*out = left[1];
		s->at += 2;
		return;
	}
	if (room >= 4 && left[1] == 'x' && hex_digit(left[2]) >= 0 && hex_digit(left[3]) >= 0) {
		*out = (char)(hex_digit(left[2]) << 4 | hex_digit(left[3]));
		s->at += 4;
		return;
	}
	FAULT_HERE(s, "unknown escape: strings have \\\\ \\\" and \\xNN (two hexadecimal digits)");
	*out = '\\';
	s->at++;
}

/* The scanner stands behind the opening quote. */
static void scan_string(struct scanner *s, char *out, size_t *length)
{
	while (s->at < s->length && s->text[s->at] != '"') {
		if (at_line_end(s)) {
			FAULT_HERE(s, "the string that begins at column %d is not closed on its line", s->token_col);
			return;
		}
		if (s->text[s->at] == '\\') {
			scan_escape(s, &out[(*length)++]);
		} else if (is_control(s->text[s->at]) && s->text[s->at] != '\t') {
			skip_control(s);
		} else {
			out[(*length)++] = s->text[s->at++];
		}
	}
	if (s->at < s->length) {
		s->at++;
		return;
	}
	FAULT_HERE(s, "the text ends inside the string that begins at column %d", s->token_col);
	s->stop = true;
}

static void scan_bare(struct scanner *s, char *out, size_t *length)
{
	while (s->at < s->length && is_bare(s->text[s->at]))
		out[(*length)++] = s->text[s->at++];
}

/* Two words need a blank between them: `a"b"` and `a#b` are more often a slip than meant. Skips what is glued on. */
static void check_word_end(struct scanner *s)
{
	char c;

	if (s->at == s->length || s->stop)
		return;
	c = s->text[s->at];
	if (c == '#')
		FAULT_HERE(s, "# inside a word: put a blank before a comment, or quotes around the word");
	else if (c == '\\')
		FAULT_HERE(s, "\\ outside of a string: put quotes around the word");
	else if (c == '"' || is_bare(c))
		FAULT_HERE(s, "a blank is missing between two words");
	else
		return;
	while (s->at < s->length && (is_bare(s->text[s->at]) || strchr("\"\\#", s->text[s->at])) && s->text[s->at])
		s->at++;
}

/* At most so many bytes does the word that begins here have. */
static size_t word_room(const struct scanner *s)
{
	size_t end = s->at;

	if (s->text[end] != '"') {
		while (end < s->length && is_bare(s->text[end]))
			end++;
		return end - s->at;
	}
	for (end++; end < s->length && s->text[end] != '"' && s->text[end] != '\n'; end++)
		if (s->text[end] == '\\' && end + 1 < s->length && s->text[end + 1] != '\n')
			end++;
	return end - s->at;
}

static void scan_word(struct scanner *s, struct word *word)
{
	size_t length = 0;
	char *text = take(s->words, word_room(s) + 1);

	*word = (struct word){.line = s->line, .col = column(s), .quoted = s->text[s->at] == '"'};
	if (!text) {
		out_of_memory(s);
		return;
	}
	if (word->quoted) {
		s->at++;
		scan_string(s, text, &length);
	} else {
		scan_bare(s, text, &length);
	}
	text[length] = 0;
	word->text = text;
	word->length = length;
	check_word_end(s);
}

static enum token next_token(struct scanner *s, struct word *word)
{
	for (;;) {
		skip_blanks(s);
		s->token_at = s->at;
		s->token_line = s->line;
		s->token_col = column(s);
		if (s->stop || s->at == s->length)
			return TOKEN_END;
		switch (s->text[s->at]) {
		case '{':
			s->at++;
			return TOKEN_OPEN;
		case '}':
			s->at++;
			return TOKEN_CLOSE;
		case ';':
			s->at++;
			return TOKEN_SEMICOLON;
		default:
			scan_word(s, word);
			if (word->length || word->quoted)
				return TOKEN_WORD;
		}
	}
}

static void push_word(struct scanner *s, const struct word *word)
{
	if (s->pendings == s->pending_room) {
		size_t room = s->pending_room ? 2 * s->pending_room : 64;
		struct word *pending = realloc(s->pending, room * sizeof(*pending));

		if (!pending) {
			out_of_memory(s);
			return;
		}
		s->pending = pending;
		s->pending_room = room;
	}
	s->pending[s->pendings++] = *word;
}

/* The pending words become a statement; NULL when there are none. */
static struct statement *make_statement(struct scanner *s, size_t start)
{
	size_t size = s->pendings * sizeof(*s->pending);
	struct statement *statement;
	struct word *word;

	if (!s->pendings)
		return NULL;
	statement = take(s->words, sizeof(*statement));
	word = take(s->words, size);
	if (!statement || !word) {
		out_of_memory(s);
		return NULL;
	}
	memcpy(word, s->pending, size);
	*statement = (struct statement){.word = word, .words = s->pendings, .start = start, .end = s->at};
	s->pendings = 0;
	return statement;
}

static struct statement *scan_block(struct scanner *s, const struct statement *owner, unsigned int depth);

/* The statement's words are read, its `{` too. */
static struct statement *scan_owned_block(struct scanner *s, size_t start, unsigned int depth)
{
	struct statement *statement = make_statement(s, start), *inside;

	if (s->stop)
		return statement;
	if (!statement)
		FAULT(s, "a block without a word before its {");
	if (depth + 1 > WORDS_DEPTH_MAX) {
		FAULT(s, "blocks are nested more than %d deep", WORDS_DEPTH_MAX);
		s->stop = true;
		return NULL;
	}
	inside = scan_block(s, statement, depth + 1);
	if (statement) {
		statement->has_block = true;
		statement->block = inside;
		statement->end = s->at;
	}
	return statement;
}

/* The text has ended (or nothing can be made of its rest) within a statement or a block. */
static struct statement *scan_end(struct scanner *s, const struct statement *owner, size_t start)
{
	if (s->pendings && s->form == WORDS_LINE && !owner && !s->stop)
		return make_statement(s, start);
	if (!s->stop && s->pendings)
		FAULT(s, "the text ends inside a statement: ; is missing after \"%s\"",
		      word_show(&s->pending[s->pendings - 1]).text);
	else if (!s->stop && owner)
		FAULT(s, "the text ends inside the block of \"%s\" that begins in line %d: } is missing",
		      word_show(owner->word).text, owner->word->line);
	s->stop = true;
	s->pendings = 0;
	return NULL;
}

static void missing_semicolon(struct scanner *s)
{
	if (s->form == WORDS_FILE)
		FAULT(s, "; is missing after \"%s\"", word_show(&s->pending[s->pendings - 1]).text);
}

/* One statement; *token = what closed it: `;`, `{` (a block of its own), the `}` of the block around it, or the end. */
static struct statement *scan_statement(struct scanner *s, const struct statement *owner, unsigned int depth,
					enum token *token)
{
	struct word word;
	size_t start = 0;

	while ((*token = next_token(s, &word)) == TOKEN_WORD) {
		if (!s->pendings)
			start = s->token_at;
		push_word(s, &word);
	}
	switch (*token) {
	case TOKEN_OPEN:
		return scan_owned_block(s, start, depth);
	case TOKEN_END:
		return scan_end(s, owner, start);
	case TOKEN_CLOSE:
		if (s->pendings)
			missing_semicolon(s);
		break;
	default:
		break;
	}
	return make_statement(s, start);
}

/* Statements up to the `}` of `owner`, or to the end of the text (depth 0). */
static struct statement *scan_block(struct scanner *s, const struct statement *owner, unsigned int depth)
{
	struct statement *first = NULL, **tail = &first;
	enum token token;

	do {
		struct statement *statement = scan_statement(s, owner, depth, &token);

		if (statement) {
			*tail = statement;
			tail = &statement->next;
		}
		if (token == TOKEN_CLOSE && depth > 0)
			return first;
		if (token == TOKEN_CLOSE)
			FAULT(s, "} without a block to close");
	} while (token != TOKEN_END && !s->stop);
	return first;
}

int words_scan(struct words *words, const char *text, size_t length, enum words_form form, const char *file,
	       struct errors *errors)
{
	size_t before = errors->count + errors->more;
	struct scanner s = {.text = text,
			    .length = length,
			    .line = 1,
			    .form = form,
			    .file = file,
			    .errors = errors,
			    .words = words};

	*words = (struct words){0};
	if (length > WORDS_SIZE_MAX)
		return errors_add(errors, file, 1, 1, ERROR_USAGE, "the text has %zu bytes: more than %d are not read",
				  length, WORDS_SIZE_MAX);
	words->first = scan_block(&s, NULL, 0);
	free(s.pending);
	return errors->count + errors->more == before ? 0 : -1;
}

void words_free(struct words *words)
{
	struct words_chunk *next;

	for (struct words_chunk *chunk = words->chunk; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*words = (struct words){0};
}

bool word_is(const struct word *word, const char *keyword)
{
	return !word->quoted && strcmp(word->text, keyword) == 0;
}
