/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's JSON documents as people read them. What a document does not hold is left out or shown as a dash: an older
 * or a newer agent is no reason to fail.
 */
#ifndef WEIR_CLI_RENDER_H
#define WEIR_CLI_RENDER_H

#include <jansson.h>

#include "screen.h"

/* `show`: each of services, backends, pins, reasons, interfaces, config that the document has. */
void render_show(const struct screen *screen, const json_t *document);
void render_status(const struct screen *screen, const json_t *document);
void render_event(const struct screen *screen, const json_t *document);
/* "text" (a string, or an array of lines), or the document as JSON. */
void render_text(const struct screen *screen, const json_t *document);

/* Parts that several of them use. */
const char *render_string(const json_t *object, const char *key); /* NULL if it is none */
uint64_t render_number(const json_t *object, const char *key);    /* 0 if it is none */
void render_interfaces(const struct screen *screen, const json_t *interfaces);
/* "2/3 up, 1 draining" into text; its colour. */
enum colour render_backend_counts(const json_t *counts, char *text, size_t size);
/* The n-th line of a service's listeners, "192.0.2.10 tcp 80 443", into buf; false when there are not so many. */
struct buf;
bool render_listeners(const json_t *listeners, size_t *at, struct buf *text);

#endif
