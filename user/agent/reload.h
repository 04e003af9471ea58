/* SPDX-License-Identifier: BSD-2-Clause */
/* The file read again, by `weir reload` or SIGHUP: a bad file never replaces what is in force. */
#ifndef WEIR_RELOAD_H
#define WEIR_RELOAD_H

#include "request.h"

void reload_request(struct request *request);
/* SIGHUP. */
void reload_signal(struct agent *agent);

#endif
