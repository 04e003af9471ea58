/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Roles of backends. In: what the operator wants, what is known of the way, what checks say. Out: role, since_ns, ramp. A slow start begins where a
 * backend comes up while another one is; it ends where nobody else is left who has its whole share: someone must take the flows.
 */
#include "roles.h"

/* The operator has it give up its flows. */
static bool is_to_drain(const struct config_backend *config)
{
	return config->state == BACKEND_DRAINING || (config->state == BACKEND_ENABLED && config->weight == 0);
}

/* Without a look at the others: a fallback that could be used is on standby. */
static enum backend_role role_alone(const struct model_backend *backend)
{
	if (backend->role == ROLE_REMOVING)
		return ROLE_REMOVING;
	if (backend->config.state == BACKEND_DISABLED)
		return ROLE_DISABLED;
	if (is_to_drain(&backend->config))
		return backend->drained ? ROLE_DRAINED : ROLE_DRAINING;
	if (!backend->joined)
		return ROLE_JOINING;
	if (backend->down)
		return ROLE_DOWN;
	return backend->config.fallback ? ROLE_STANDBY : ROLE_UP;
}

static uint64_t slow_start_ns(const struct model_service *service)
{
	return service->config.slow_start_ms * 1000000ULL;
}

/* A clock that was set back far would hold the backend back for as long. */
static bool ramp_is_over(const struct model_service *service, const struct model_backend *backend, uint64_t now)
{
	uint64_t whole = slow_start_ns(service);

	return now >= backend->since_ns ? now - backend->since_ns >= whole : backend->since_ns - now > whole;
}

/* 1 at the beginning, RAMP_FULL at the end; never less than it was. */
static uint8_t ramp_step(const struct model_service *service, const struct model_backend *backend, uint64_t now)
{
	uint64_t passed = now > backend->since_ns ? now - backend->since_ns : 0, step;

	if (ramp_is_over(service, backend, now))
		return RAMP_FULL;
	step = 1 + passed * (RAMP_FULL - 1) / slow_start_ns(service);
	return step > backend->ramp ? (uint8_t)step : backend->ramp;
}

static void set_role(struct model_backend *backend, enum backend_role role, uint64_t now)
{
	if (role != backend->role || !backend->since_ns)
		backend->since_ns = now;
	backend->role = role;
	if (role != ROLE_UP)
		backend->ramp = RAMP_FULL;
	if (role != ROLE_JOINING)
		backend->from_start = false;
	if (!is_to_drain(&backend->config))
		backend->drained = false;
}

static void set_ramps(struct model_service *service, uint64_t now)
{
	bool whole = false; /* someone has its whole share */

	for (size_t i = 0; i < service->backends; i++) {
		struct model_backend *backend = &service->backend[i];

		if (backend->ramp < RAMP_FULL)
			backend->ramp = ramp_step(service, backend, now);
		whole = whole || (backend->role == ROLE_UP && backend->ramp == RAMP_FULL);
	}
	for (size_t i = 0; i < service->backends && !whole; i++)
		service->backend[i].ramp = RAMP_FULL;
}

void roles_set(struct model_service *service, uint64_t now_wall_ns)
{
	bool any_up = false, one_stays_up = false;

	for (size_t i = 0; i < service->backends; i++) {
		bool up = role_alone(&service->backend[i]) == ROLE_UP;

		any_up = any_up || up;
		one_stays_up = one_stays_up || (up && service->backend[i].role == ROLE_UP);
	}
	for (size_t i = 0; i < service->backends; i++) {
		struct model_backend *backend = &service->backend[i];
		enum backend_role role = role_alone(backend);

		if (role == ROLE_STANDBY && !any_up)
			role = ROLE_FALLBACK;
		if (role == ROLE_UP && backend->role != ROLE_UP && one_stays_up && !backend->from_start)
			backend->ramp = 1;
		set_role(backend, role, now_wall_ns);
	}
	set_ramps(service, now_wall_ns);
}

uint64_t roles_next_step(const struct model_service *service, uint64_t now_wall_ns)
{
	uint64_t whole = slow_start_ns(service), next = 0;

	for (size_t i = 0; i < service->backends; i++) {
		const struct model_backend *backend = &service->backend[i];
		uint64_t due;

		if (backend->ramp == RAMP_FULL)
			continue;
		due = backend->since_ns + (backend->ramp * whole + RAMP_FULL - 2) / (RAMP_FULL - 1);
		if (ramp_is_over(service, backend, now_wall_ns))
			due = now_wall_ns;
		if (!next || due < next)
			next = due;
	}
	return next;
}
