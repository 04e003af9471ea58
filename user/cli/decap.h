/* SPDX-License-Identifier: BSD-2-Clause */
/* `weir decap`: on a backend, strip the tunnel header where there is no tunnel device. Needs no agent. */
#ifndef WEIR_CLI_DECAP_H
#define WEIR_CLI_DECAP_H

#include "command.h"

/* Each returns the exit code. */
int decap_attach(const struct call *call);
int decap_detach(const struct call *call);
int decap_show(const struct call *call);

#endif
