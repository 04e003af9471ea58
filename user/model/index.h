/* SPDX-License-Identifier: BSD-2-Clause */
/* Which indexes of the maps are taken: services, backends (index 0 never given out), and runs of slots. Pure. */
#ifndef WEIR_INDEX_H
#define WEIR_INDEX_H

#include "model_types.h"

int index_init(struct model_indexes *used, const struct config_limits *limits);
void index_free(struct model_indexes *used);
int index_copy(struct model_indexes *to, const struct model_indexes *from, const struct config_limits *limits);
/* The lowest free index, now taken, or -ENOSPC. */
int index_take_service(struct model_indexes *used, const struct config_limits *limits);
int index_take_backend(struct model_indexes *used, const struct config_limits *limits);
/* First slot of a free run of `slots` (aligned to its own size), now taken, or -ENOSPC. */
int64_t index_take_slots(struct model_indexes *used, const struct config_limits *limits, uint32_t slots);
/* Marks a run taken or free. -ERANGE if it does not fit the limits. */
int index_mark_slots(struct model_indexes *used, const struct config_limits *limits, uint32_t base, uint32_t slots,
		     bool taken);

#endif
