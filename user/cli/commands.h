/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands. A new command is a row there. */
#ifndef WEIR_CLI_COMMANDS_H
#define WEIR_CLI_COMMANDS_H

#include "command.h"

extern const struct commands commands;

#endif
