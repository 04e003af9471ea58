/* SPDX-License-Identifier: BSD-2-Clause */
/* What may come next on a command line, for the shell's completion. */
#ifndef WEIR_CLI_COMPLETE_H
#define WEIR_CLI_COMPLETE_H

#include "command.h"

/*
 * Prints candidates for the last of `word` (which may be empty), one a line; the words before it are as they stand
 * behind `weir`. Never complains and never takes more than a second: an agent that does not answer has no names to offer.
 */
void complete(const struct commands *commands, char *const *word, int words);

#endif
