/* SPDX-License-Identifier: BSD-2-Clause */
/* Help and usage errors, out of the table of commands. */
#ifndef WEIR_CLI_HELP_H
#define WEIR_CLI_HELP_H

#include "command.h"

/* `weir help [COMMAND]`. Returns the exit code. */
int help_run(const struct call *call);
/* The list of commands. */
void help_list(const struct commands *commands, FILE *out);
/* What one command does and takes. */
void help_command(const struct command *command, FILE *out);
/* Says that no command begins with these words, and what may have been meant. Returns the exit code. */
int help_unknown(const struct commands *commands, const struct word *word, size_t words);

#endif
