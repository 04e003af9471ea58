/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes to stderr: `weir: ` and a sentence. */
#ifndef WEIR_CLI_COMPLAIN_H
#define WEIR_CLI_COMPLAIN_H

#include "../lib/error.h"

/* Prints the error (with its place, where it has one); returns its code, for exit. */
int complain(const struct error *error);
/* Each line of the text behind `weir: ` and the prefix ("" or "warning: "). */
void complain_text(const char *prefix, const char *text);

#endif
