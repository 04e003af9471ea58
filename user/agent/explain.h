/* SPDX-License-Identifier: BSD-2-Clause */
/* `explain SRC[:PORT] VIP:PORT [PROTO]`: where a packet would go, and why. Changes nothing, counts nothing. */
#ifndef WEIR_EXPLAIN_H
#define WEIR_EXPLAIN_H

#include "request.h"

void explain_request(struct request *request);

#endif
