/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to one backend: for the data path, and for people. */
#ifndef WEIR_WAY_H
#define WEIR_WAY_H

#include "agent.h"

/* For the model: the way to a backend of a service, as known now. arg = agent. */
struct model_way way_make(void *arg, const struct model_service *service, const struct model_backend *backend);
/* In words, the reason if there is no way. Returns text. */
const char *way_describe(const struct agent *agent, enum weir_forward forward, const struct addr *addr, char *text,
			 size_t size);

#endif
