/* SPDX-License-Identifier: BSD-2-Clause */
/* See tell.h. */
#include "tell.h"

#include <stdio.h>

static void tell(const struct model *model, const char *kind, const struct model_service *service,
		 const struct model_backend *backend, const char *text)
{
	model->observer.event(model->observer.arg, kind, service->config.name, backend ? &backend->config.addr : NULL,
			      text);
}

void tell_service(const struct model *model, const struct model_service *service, const char *what)
{
	char kind[32];

	snprintf(kind, sizeof(kind), "service-%s", what);
	tell(model, kind, service, NULL, what);
}

void tell_backend_removed(const struct model *model, const struct model_service *service,
			  const struct model_backend *backend)
{
	tell(model, "backend-removed", service, backend, "removed");
}

static void tell_added(const struct model *model, const struct model_service *service,
		       const struct model_backend *backend, const char *again)
{
	char text[128];

	snprintf(text, sizeof(text), "added%s: %s, weight %u", again, backend_role_word(backend->role),
		 backend->config.weight);
	tell(model, "backend-added", service, backend, text);
}

static void tell_role(const struct model *model, const struct model_service *service,
		      const struct model_backend *backend, enum backend_role before)
{
	char kind[32], text[128];

	snprintf(kind, sizeof(kind), "backend-%s", backend_role_word(backend->role));
	snprintf(text, sizeof(text), "%s, was %s", backend_role_word(backend->role), backend_role_word(before));
	tell(model, kind, service, backend, text);
}

static void tell_weight(const struct model *model, const struct model_service *service,
			const struct model_backend *backend, uint16_t before)
{
	char text[64];

	snprintf(text, sizeof(text), "weight %u, was %u", backend->config.weight, before);
	tell(model, "backend-weight", service, backend, text);
}

/* Its beginning and its end, not the steps. */
static void tell_ramp(const struct model *model, const struct model_service *service,
		      const struct model_backend *backend, uint8_t before)
{
	bool ramps = backend->ramp < RAMP_FULL;
	char text[64];

	if (ramps == (before < RAMP_FULL) || backend->role != ROLE_UP)
		return;
	snprintf(text, sizeof(text), "slow start: its whole share in %g s", service->config.slow_start_ms / 1000.0);
	tell(model, "backend-slow-start", service, backend, ramps ? text : "slow start over: it has its whole share");
}

void tell_backend(const struct model *model, const struct model_service *service, const struct model_backend *backend,
		  const struct model_backend *before)
{
	if (!before) {
		tell_added(model, service, backend, "");
	} else if (before->role == ROLE_REMOVING && backend->role != ROLE_REMOVING) {
		tell_added(model, service, backend, " again");
	} else {
		if (backend->config.weight != before->config.weight)
			tell_weight(model, service, backend, before->config.weight);
		if (backend->role != before->role)
			tell_role(model, service, backend, before->role);
	}
	tell_ramp(model, service, backend, before ? before->ramp : RAMP_FULL);
}
