/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding things in the model, and their names in words. Input: the model, unchanged. Output: pointers into it. */
#include "model_types.h"

#include <string.h>

struct model_service *model_service(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->services; i++)
		if (!strcmp(model->service[i]->config.name, name))
			return model->service[i];
	return NULL;
}

struct model_backend *model_backend(const struct model_service *service, const struct addr *addr)
{
	for (size_t i = 0; i < service->backends; i++)
		if (!addr_compare(&service->backend[i].config.addr, addr))
			return &service->backend[i];
	return NULL;
}

bool model_service_up(const struct model_service *service)
{
	for (size_t i = 0; i < service->backends; i++)
		if (service->backend[i].role == ROLE_UP || service->backend[i].role == ROLE_FALLBACK)
			return true;
	return false;
}

void model_count_roles(const struct model_service *service, size_t by_role[ROLES])
{
	memset(by_role, 0, ROLES * sizeof(*by_role));
	for (size_t i = 0; i < service->backends; i++)
		by_role[service->backend[i].role]++;
}

const char *backend_role_word(enum backend_role role)
{
	static const char *const word[] = {"disabled", "draining", "joining", "up",      "standby",
					   "fallback", "down",     "drained", "removing"};

	_Static_assert(sizeof(word) / sizeof(word[0]) == ROLES, "a word for each role");

	return word[role];
}

enum slots_role model_slots_role(const struct model_service *service, const struct model_backend *backend)
{
	switch (backend->role) {
	case ROLE_UP:
	case ROLE_FALLBACK:
		return SLOTS_UP;
	case ROLE_DRAINING:
	case ROLE_STANDBY: /* no longer needed, but what it took it keeps */
	case ROLE_REMOVING:
		if (!backend->down)
			return SLOTS_DRAINING;
		/* fallthrough */
	case ROLE_DOWN:
		return service->config.on_down == ON_DOWN_KEEP ? SLOTS_DOWN : SLOTS_GONE;
	default:
		return SLOTS_GONE;
	}
}

bool backend_is_draining(const struct model_backend *backend)
{
	return backend->role == ROLE_DRAINING || backend->role == ROLE_REMOVING;
}

size_t model_wanted_backends(const struct model_service *service)
{
	size_t count = service->backends;

	while (count && service->backend[count - 1].role == ROLE_REMOVING)
		count--;
	return count;
}

const char *way_state_word(enum way_state state)
{
	static const char *const word[] = {"unknown", "ready", "local", "unresolved", "no-route", "down"};

	return word[state];
}
