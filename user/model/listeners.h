/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the listeners of all services to the stretches of ports of one VIP that the data path searches: an exact port before a range before `any`, never
 * overlapping, sorted by protocol and first port. Pure.
 */
#ifndef WEIR_LISTENERS_H
#define WEIR_LISTENERS_H

#include "model_types.h"

/*
 * Stretches of `vip` over all services of the model; `skip` (may be NULL) is left out. out has room for WEIR_LISTENERS_MAX.
 * Neighbouring stretches of one service are joined. Returns how many, or -E2BIG.
 */
int listeners_flatten(const struct model *model, const struct addr *vip, const struct model_service *skip,
		      struct weir_listener *out);

/* As the data path finds it: service index, or -ENOENT. */
int listeners_find(const struct weir_listener *listener, int listeners, uint8_t proto, uint16_t port);

/* How many different VIPs the model's services have. */
size_t listeners_count_vips(const struct model *model);

#endif
