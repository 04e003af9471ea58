/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes on by itself after a change: slots in transition, backends that drain, slow starts. */
#ifndef WEIR_TURN_H
#define WEIR_TURN_H

#include "agent.h"

/* Once the agent is ready: it may have found slots in the middle of a transition. */
void turn_start(struct agent *agent);
/* Something has changed, so that there may be something to do. */
void turn_kick(struct agent *agent);
void turn_stop(struct agent *agent);
/* Is the time limited for which the backend, draining or being removed, keeps its flows? Then what is left of it. */
bool turn_drain_left(const struct agent *agent, const struct model_service *service,
		     const struct model_backend *backend, uint64_t *left_ns);
/* A backend that drains or is being removed loses its flows at once. False: it does neither. In *had what it had, as far as it is known. */
bool turn_cut(struct agent *agent, const char *service, const struct addr *addr, struct plane_flows *had);

#endif
