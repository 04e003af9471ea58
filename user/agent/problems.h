/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that is wrong now, in words. */
#ifndef WEIR_PROBLEMS_H
#define WEIR_PROBLEMS_H

#include "agent.h"

/* Calls say() for each problem, the worst kinds first. */
void problems_list(const struct agent *agent, void (*say)(void *arg, const char *text), void *arg);

#endif
