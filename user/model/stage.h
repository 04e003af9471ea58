/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The services as they will be, made beside those that are: everything that can fail happens here, nothing that is in force is touched.
 * model_apply commits a stage, or throws it away.
 */
#ifndef WEIR_STAGE_H
#define WEIR_STAGE_H

#include "../lib/error.h"
#include "model_types.h"

struct stage {
	const struct config *wanted;
	struct model_service **service; /* in the wanted order; the model's own object where nothing has changed */
	bool *fresh;                    /* this one is new or changed */
	size_t services;
	struct model_place *place; /* of all backends, by address */
	size_t places;
	struct model_indexes used;
};

/* 0 or -1 with error filled. stage_free in both cases. */
int stage_make(struct stage *stage, struct model *model, const struct config *wanted, struct error *error);
/* What was restored for a wanted service, for a backend of it; NULL = nothing. */
const struct model_restored_service *stage_restored_service(const struct model *model,
							    const struct config_service *want);
const struct model_restored_backend *stage_restored_backend(const struct model *model, uint16_t service,
							    const struct addr *addr);
/* Whether a backend that was restored with this role serves: then it stays until its flows have gone, also if no config names it. */
bool stage_restored_serves(const struct config_service *want, const struct model_restored_backend *restored);
/* Frees what the stage still owns: all fresh services, unless the commit has set `service` to NULL. */
void stage_free(struct stage *stage);
void stage_free_service(struct model_service *service);

#endif
