/* SPDX-License-Identifier: BSD-2-Clause */
/* From options to a running agent, and back. */
#ifndef WEIR_START_H
#define WEIR_START_H

#include "agent.h"

enum { EXIT_BAD_CONFIG = 78 };

/* Reads a configuration, says all that is wrong with it on stderr. 0 or EXIT_BAD_CONFIG. */
int start_read_config(const char *path, struct config *config);
/* 0 with everything running, or the exit code: then it has been said why, and whatever ran before runs on. */
int start_agent(struct agent *agent);
/* Lets go of all that start_agent has made, in whatever state it is; forwarding goes on. */
void start_undo(struct agent *agent);

#endif
