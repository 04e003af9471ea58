/* SPDX-License-Identifier: BSD-2-Clause */
/* What the model calls: the plane writes, the agent remembers. */
#ifndef WEIR_OBSERVER_H
#define WEIR_OBSERVER_H

#include "agent.h"

struct model_observer observer_make(struct agent *agent);

#endif
