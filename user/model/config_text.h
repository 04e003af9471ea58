/* SPDX-License-Identifier: BSD-2-Clause */
/* struct config -> text in the file's words that loads again to an equal config. Runtime items end in `# runtime`. */
#ifndef WEIR_CONFIG_TEXT_H
#define WEIR_CONFIG_TEXT_H

#include <stdbool.h>

#include "../lib/buf.h"
#include "config.h"

void config_text(const struct config *config, struct buf *out);
/* One service block, backends and all; marks: with `# runtime`. */
void config_text_service(const struct config_service *service, bool marks, struct buf *out);

/*
 * Canonical text of one object, all words written out: a service's own words (`listen 192.0.2.10 tcp 80; forward dsr; ...`), a backend
 * (`backend 10.0.0.11 { weight 2; }`), what stands in the block of a backend (`weight 2; `). Equal text = equal meaning.
 */
void config_text_own_words(const struct config_service *service, struct buf *out);
void config_text_backend(const struct config_backend *backend, struct buf *out);
void config_text_backend_words(const struct config_backend *backend, struct buf *out);

#endif
