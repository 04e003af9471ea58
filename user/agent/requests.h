/* SPDX-License-Identifier: BSD-2-Clause */
/* Which request does what. */
#ifndef WEIR_REQUESTS_H
#define WEIR_REQUESTS_H

#include "request.h"

/* For struct control: answers one line. arg = agent. */
void requests_answer(void *arg, struct connection *connection, char *line, size_t length);

#endif
