/* SPDX-License-Identifier: BSD-2-Clause */
/* What the model has to say of its changes, in words. In: services and backends before and after. Out: the observer's event. */
#ifndef WEIR_TELL_H
#define WEIR_TELL_H

#include "model_types.h"

void tell_service(const struct model *model, const struct model_service *service, const char *what);
/* What has changed of it since `before`; NULL = it is new. */
void tell_backend(const struct model *model, const struct model_service *service, const struct model_backend *backend,
		  const struct model_backend *before);
void tell_backend_removed(const struct model *model, const struct model_service *service,
			  const struct model_backend *backend);

#endif
