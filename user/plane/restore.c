/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the live set holds, into the model, before the first config: names with their indexes, digests of tables. In: the
 * ledger, by the reader of its layout. Out: model_restore_*.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/log.h"
#include "plane.h"
#include "state.h"

static int restore_service(const struct old_set *old, uint32_t index, struct model *model, bool *restored)
{
	struct model_restored_service service = {.index = (uint16_t)index};
	struct weir_service_name name;
	union weir_service word;
	int err;

	*restored = false;
	old->reader->service(old->set, index, &name, &word);
	if (name.name[0] == 0 || !adopt_is_sound(old->set, word))
		return 0; /* free, or an agent was killed while it made it: no packet has seen it */
	memcpy(service.name, name.name, sizeof(service.name));
	service.slot_base = word.slot_base;
	service.slots = 1u << word.slot_bits;
	service.digest = name.digest;
	service.slots_moved = name.slots_moved;
	err = model_restore_service(model, &service);
	*restored = !err;
	if (err == -ERANGE || err == -EEXIST) {
		log_warn(
			"service %s: its place in the maps (%u, slots from %u) does not fit the limits: it gets another",
			name.name, index, word.slot_base);
		return 0;
	}
	return err;
}

static int restore_backend(const struct old_set *old, uint32_t index, struct model *model, const bool *restored)
{
	struct model_restored_backend backend = {.index = (uint16_t)index};
	struct weir_backend_name name;
	struct weir_backend ways;
	int err;

	old->reader->backend(old->set, index, &name, &ways);
	if (!name.used || name.service >= old->set->entries[MAP_SERVICES] || !restored[name.service])
		return 0;
	memcpy(&backend.addr, &name.addr, sizeof(backend.addr));
	backend.service_index = name.service;
	backend.role = name.role < ROLES ? (enum backend_role)name.role : ROLE_DISABLED;
	backend.since_ns = name.since_ns;
	err = model_restore_backend(model, &backend);
	return err == -ERANGE || err == -EEXIST ? 0 : err; /* it gets another index */
}

int plane_restore(struct plane *plane, struct model *model, struct error *error)
{
	const struct old_set *old = &plane->old;
	bool *restored;
	int err = 0;

	if (!old->set)
		return 0;
	restored = calloc(old->set->entries[MAP_SERVICES], sizeof(*restored));
	if (!restored)
		err = -ENOMEM;
	for (uint32_t i = 0; !err && i < old->set->entries[MAP_SERVICES]; i++)
		err = restore_service(old, i, model, &restored[i]);
	for (uint32_t i = 1; !err && i < old->set->entries[MAP_BACKENDS]; i++)
		err = restore_backend(old, i, model, restored);
	free(restored);
	if (err)
		return error_set(error, ERROR_REFUSED, "%s: cannot be restored: %s", old->set->path, strerror(-err));
	return 0;
}
