/* SPDX-License-Identifier: BSD-2-Clause */
/* Backends in the maps: way, role, name. */
#ifndef WEIR_BACKEND_H
#define WEIR_BACKEND_H

#include "state.h"

/* Makes the element say what the model says. True if the backend has stopped serving: slots are to be told (turns_stop). */
bool backend_write(struct plane *plane, const struct model_service *service, const struct model_backend *backend);
void backend_write_way(struct plane *plane, uint16_t index, const struct weir_way *way);
/* It serves no more, at once. True if it did. */
bool backend_stop(struct plane *plane, uint16_t index);
/* Whether the element is this backend's. */
bool backend_is_written(const struct plane *plane, const struct model_service *service,
			const struct model_backend *backend);
/* Nobody's any more; a grace period after the last slot that named it has gone. */
void backend_clear(struct plane *plane, uint16_t index);

#endif
