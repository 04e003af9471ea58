/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that change something, and those about such changes. */
#ifndef WEIR_CHANGES_H
#define WEIR_CHANGES_H

#include "request.h"

void changes_command(struct request *request); /* service ..., backend ... */
void changes_revert(struct request *request);
void changes_save(struct request *request);
void changes_diff(struct request *request);

#endif
