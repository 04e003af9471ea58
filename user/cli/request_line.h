/* SPDX-License-Identifier: BSD-2-Clause */
/* The line that is sent to the agent: the words of a call, quoted so that the scanner there reads them as they were. */
#ifndef WEIR_CLI_REQUEST_LINE_H
#define WEIR_CLI_REQUEST_LINE_H

#include "../lib/buf.h"
#include "../lib/error.h"
#include "command.h"

/* 0, or -1 with error filled. */
int request_line(struct buf *line, const struct call *call, struct error *error);

#endif
