/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether what is wanted at a start fits beside what the maps of before hold. In: what was restored, the first config. Out: a model that will
 * have room: where it would not, what was restored and is not wanted is forgotten, and the caller takes new maps. Backends that serve are forgotten last.
 */
#include "index.h"
#include "model.h"
#include "stage.h"

static bool service_has_room(struct model_indexes *used, const struct model *model, const struct config_service *want)
{
	const struct model_restored_service *restored = stage_restored_service(model, want);

	if (!restored &&
	    (index_take_service(used, &model->limits) < 0 || index_take_slots(used, &model->limits, want->slots) < 0))
		return false;
	for (size_t i = 0; i < want->backends; i++)
		if (!(restored && stage_restored_backend(model, restored->index, &want->backend[i].addr)) &&
		    index_take_backend(used, &model->limits) < 0)
			return false;
	return true;
}

static bool has_room(const struct model *model, const struct config *wanted)
{
	struct model_indexes used;
	bool room = true;

	if (index_copy(&used, &model->used, &model->limits))
		return true; /* out of memory: model_apply will say it */
	for (size_t i = 0; i < wanted->services && room; i++)
		room = service_has_room(&used, model, &wanted->service[i]);
	index_free(&used);
	return room;
}

static const struct config_service *wanted_service(const struct config *wanted,
						   const struct model_restored_service *restored)
{
	const struct config_service *service = config_service(wanted, restored->name);

	return service && service->slots == restored->slots ? service : NULL;
}

/* Named by the config; or, if `serving`, one that serves as one that is being removed. */
static bool backend_stays(const struct model *model, const struct config *wanted,
			  const struct model_restored_backend *restored, bool serving)
{
	for (size_t i = 0; i < model->restored_services; i++) {
		const struct config_service *service = wanted_service(wanted, &model->restored_service[i]);

		if (model->restored_service[i].index == restored->service_index)
			return service && (config_backend(service, &restored->addr) ||
					   (serving && stage_restored_serves(service, restored)));
	}
	return false;
}

static void forget_backends(struct model *model, const struct config *wanted, bool keep_serving)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->restored_backends; i++) {
		const struct model_restored_backend restored = model->restored_backend[i];

		if (backend_stays(model, wanted, &restored, keep_serving))
			model->restored_backend[kept++] = restored;
		else
			model->used.backend[restored.index] = 0;
	}
	model->restored_backends = kept;
}

static void forget_services(struct model *model, const struct config *wanted)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->restored_services; i++) {
		const struct model_restored_service restored = model->restored_service[i];

		if (wanted_service(wanted, &restored)) {
			model->restored_service[kept++] = restored;
			continue;
		}
		model->used.service[restored.index] = 0;
		(void)index_mark_slots(&model->used, &model->limits, restored.slot_base, restored.slots, false);
	}
	model->restored_services = kept;
}

bool model_make_room(struct model *model, const struct config *wanted)
{
	if (has_room(model, wanted))
		return true;
	forget_backends(model, wanted, true);
	forget_services(model, wanted);
	if (!has_room(model, wanted)) /* then their flows are lost */
		forget_backends(model, wanted, false);
	return false;
}
