/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runtime changes <-> the text that keeps them over restarts (the file's words in blocks of their own), and one line each for people (`weir diff`).
 *
 *   service web { now { listen 192.0.2.10 tcp 80; forward ipip; ... } file { listen 192.0.2.10 tcp 80; forward dsr; ... } }
 *   backend web 10.0.0.12 { now { weight 5; } file { } }      changed
 *   backend web 10.0.0.13 { now { } }                         added: the file has none
 *   backend web 10.0.0.11 { file { weight 2; } }              removed
 */
#include <string.h>

#include "config_text.h"
#include "overlay.h"
#include "schema.h"
#include "values.h"

/* ---- text -> overlay ---- */

struct change_reading {
	struct reading reading; /* by the table below */
	struct overlay *overlay;
	struct overlay_change change;
};

static struct change_reading *whole(struct reading *r)
{
	return (struct change_reading *)(void *)((char *)r - offsetof(struct change_reading, reading));
}

static void read_value(struct reading *r, const struct statement *s, struct overlay_value *value)
{
	struct reading words;

	schema_begin(&words, NULL, r->errors);
	words.file = r->file;
	words.service = &value->own;
	words.backend = &value->backend;
	value->present = true;
	config_service_init(&value->own);
	value->backend = (struct config_backend){.addr = whole(r)->change.backend, .weight = 1};
	block_read(&words, s->block, addr_is_none(&value->backend.addr) ? IN_SERVICE_SET : IN_BACKEND_ADD);
}

static void set_now(struct reading *r, const struct statement *s)
{
	read_value(r, s, &whole(r)->change.now);
}

static void set_file(struct reading *r, const struct statement *s)
{
	read_value(r, s, &whole(r)->change.file);
}

static void read_change(struct reading *r, const struct statement *s, bool backend)
{
	struct change_reading *all = whole(r);
	struct overlay_change *change = &all->change;

	*change = (struct overlay_change){.backend = {{0}}};
	if (value_name(r, &s->word[1], "service", change->service, sizeof(change->service)) < 0)
		return;
	if (backend && schema_backend_address(r, &s->word[2], &change->backend) < 0)
		return;
	block_read(r, s->block, IN_CHANGE);
	if (overlay_find(all->overlay, change->service, &change->backend))
		block_fault(r, s->word, "the change is given twice");
	else if (overlay_add(all->overlay, change) == 0)
		return;
	else
		block_fault(r, s->word, "out of memory");
	config_service_free(&change->now.own);
	config_service_free(&change->file.own);
}

static void set_service(struct reading *r, const struct statement *s)
{
	read_change(r, s, false);
}

static void set_backend(struct reading *r, const struct statement *s)
{
	read_change(r, s, true);
}

static const struct block_rule rules[] = {
	{"service", IN_FILE, "service NAME { now { WORDS } file { WORDS } }", 1, 1, BLOCK_NEEDED, true, set_service},
	{"backend", IN_FILE, "backend SERVICE ADDR { now { WORDS } file { WORDS } }", 2, 2, BLOCK_NEEDED, true,
	 set_backend},
	{"now", IN_CHANGE, "now { WORDS }", 0, 0, BLOCK_NEEDED, false, set_now},
	{"file", IN_CHANGE, "file { WORDS }", 0, 0, BLOCK_NEEDED, false, set_file},
};

int overlay_parse(struct overlay *overlay, const char *file, const char *text, size_t length, struct errors *errors)
{
	struct change_reading all = {.overlay = overlay};
	size_t before = errors->count + errors->more;
	struct words words;

	*overlay = (struct overlay){0};
	all.reading = (struct reading){
		.rule = rules, .rules = sizeof(rules) / sizeof(rules[0]), .errors = errors, .file = file};
	words_scan(&words, text, length, WORDS_FILE, file, errors);
	block_read(&all.reading, words.first, IN_FILE);
	words_free(&words);
	if (errors->count + errors->more == before)
		return 0;
	overlay_free(overlay);
	return -1;
}

/* ---- overlay -> text ---- */

static void print_value(const char *word, const struct overlay_value *value, bool service, struct buf *out)
{
	if (!value->present)
		return;
	buf_printf(out, "    %s { ", word);
	if (service) {
		config_text_own_words(&value->own, out);
		buf_puts(out, " ");
	} else {
		if (value->backend.fallback)
			buf_puts(out, "fallback; ");
		config_text_backend_words(&value->backend, out);
	}
	buf_puts(out, "}\n");
}

/* `service web` or `backend web 10.0.0.11` */
static bool object_text(const struct overlay_change *change, struct buf *out)
{
	bool service = addr_is_none(&change->backend);
	char addr[ADDR_TEXT];

	buf_printf(out, "%s ", service ? "service" : "backend");
	words_quote(out, change->service, strlen(change->service));
	if (!service)
		buf_printf(out, " %s", addr_format(&change->backend, addr));
	return service;
}

void overlay_text(const struct overlay *overlay, struct buf *out)
{
	size_t before = out->length;

	buf_puts(
		out,
		"# Changes made by command, kept over restarts. Written by weir-agent: use weir revert and weir save.\n");
	for (size_t i = 0; i < overlay->changes; i++) {
		const struct overlay_change *change = &overlay->change[i];
		bool service = object_text(change, out);

		buf_puts(out, " {\n");
		print_value("now", &change->now, service, out);
		print_value("file", &change->file, service, out);
		buf_puts(out, "}\n");
	}
	/* More than the scanner would read back. */
	if (out->length - before > WORDS_SIZE_MAX)
		out->failed = true;
}

/* ---- for people ---- */

static void words_of(const struct overlay_value *value, bool service, struct buf *out)
{
	if (!value->present)
		return;
	if (service) {
		config_text_own_words(&value->own, out);
		return;
	}
	buf_printf(out, "weight %u; ", value->backend.weight);
	if (value->backend.fallback)
		buf_puts(out, "fallback; ");
	if (value->backend.state != BACKEND_ENABLED)
		buf_printf(out, "%s; ", value->backend.state == BACKEND_DRAINING ? "draining" : "disabled");
}

/* The statements of `text` that `other` does not have, each with its `;`. */
static void only_in(const struct buf *text, const struct buf *other, struct buf *out)
{
	const char *at = text->data ? text->data : "", *end;
	size_t before = out->length;

	for (; (end = strchr(at, ';')) != NULL; at = end + 1 + (end[1] == ' ')) {
		struct buf statement = {0};
		bool known;

		buf_add(&statement, at, (size_t)(end - at) + 1);
		known = statement.data && other->data && strstr(other->data, statement.data);
		if (!known && statement.data)
			buf_printf(out, "%s%s", out->length > before ? " " : "", statement.data);
		buf_free(&statement);
	}
}

static void change_line(const struct overlay_change *change, struct buf *out)
{
	struct buf now = {0}, file = {0}, gone = {0};
	bool service;

	buf_puts(out, !change->file.present ? "+ " : !change->now.present ? "- " : "~ ");
	service = object_text(change, out);
	words_of(&change->now, service, &now);
	words_of(&change->file, service, &file);
	if (now.length) {
		buf_puts(out, ": ");
		only_in(&now, &file, out);
	}
	only_in(&file, &now, &gone);
	if (change->now.present && gone.length)
		buf_printf(out, "%s(file: %s)", out->data && out->data[out->length - 1] == ' ' ? "" : " ", gone.data);
	buf_puts(out, "\n");
	out->failed |= now.failed || file.failed || gone.failed;
	buf_free(&now);
	buf_free(&file);
	buf_free(&gone);
}

void overlay_difference(const struct overlay *overlay, struct buf *out)
{
	for (size_t i = 0; i < overlay->changes; i++)
		change_line(&overlay->change[i], out);
}
