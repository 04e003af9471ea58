/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From backends, whose roles say who gets flows, to a slot table: rank.c's two stages, then indexes in place of positions. The fallbacks make a table
 * of their own, which is used when no other backend gets flows. In: model services. Out: service->table, for plane/sync.
 */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/weir/hash.h"
#include "rank.h"

_Static_assert((int)RAMP_FULL == (int)RANK_PARTS, "a step of a slow start is a part of a share");

static bool is_member(const struct model_backend *backend)
{
	return backend->role != ROLE_REMOVING;
}

static bool any_in_role(const struct model_service *service, enum backend_role role)
{
	for (size_t i = 0; i < service->backends; i++)
		if (service->backend[i].role == role)
			return true;
	return false;
}

/* Fills member and position (of member in service->backend) with the fallbacks, or with the others. Both have room for all. */
static struct rank_input members(const char *seed, const struct model_service *service, bool fallback,
				 struct rank_member *member, uint16_t *position)
{
	struct rank_input input = {
		.seed = seed, .service = service->config.name, .slots = service->config.slots, .member = member};

	for (size_t i = 0; i < service->backends; i++) {
		const struct model_backend *backend = &service->backend[i];

		if (!is_member(backend) || backend->config.fallback != fallback)
			continue;
		member[input.members] = (struct rank_member){
			.id = backend->config.addr,
			.weight = backend->config.weight,
			.eligible = backend->role == ROLE_UP || backend->role == ROLE_FALLBACK,
			.held_back = (uint8_t)(RAMP_FULL - backend->ramp),
		};
		if (position)
			position[input.members] = (uint16_t)i;
		input.members++;
	}
	return input;
}

uint64_t table_digest(const char *seed, const struct model_service *service)
{
	struct rank_member *member = calloc(service->backends + 1, sizeof(*member));
	struct rank_input input;
	uint64_t digest, indexes = 0;

	if (!member)
		return 0; /* never equal to a restored digest: the table is built anew */
	input = members(seed, service, false, member, NULL);
	digest = rank_digest(&input);
	input = members(seed, service, true, member, NULL);
	digest = weir_mix(digest ^ rank_digest(&input));
	for (size_t i = 0; i < service->backends; i++) {
		uint64_t words[2];

		if (!is_member(&service->backend[i]))
			continue;
		memcpy(words, &service->backend[i].config.addr, sizeof(words));
		indexes += weir_mix(weir_mix(words[0] ^ service->backend[i].index) ^ words[1]);
	}
	free(member);
	digest = weir_mix(digest ^ indexes);
	return digest ? digest : 1;
}

/* The fallbacks' table: both stages, nothing kept. */
static int build_fallback(const struct rank_input *input, uint16_t *table)
{
	uint16_t *own = malloc(input->slots * sizeof(*own));
	int err = own ? rank_own(input, own) : -ENOMEM;

	if (!err)
		err = rank_table(input, own, table);
	free(own);
	return err;
}

static int build_main(const struct rank_input *input, struct model_service *service, uint16_t *table)
{
	int err;

	if (!service->own) {
		uint16_t *own = malloc(input->slots * sizeof(*own));

		err = own ? rank_own(input, own) : -ENOMEM;
		if (err) {
			free(own);
			return err;
		}
		service->own = own;
	}
	return rank_table(input, service->own, table);
}

static void count_slots(struct model_service *service, const uint16_t *position, const uint16_t *before)
{
	for (size_t i = 0; i < service->backends; i++)
		service->backend[i].slots_owned = 0;
	for (uint32_t slot = 0; slot < service->config.slots; slot++) {
		uint16_t member = service->table[slot], index = WEIR_BACKEND_NONE;

		if (member != RANK_NONE) {
			struct model_backend *backend = &service->backend[position[member]];

			index = backend->index;
			backend->slots_owned++;
		}
		service->table[slot] = index;
		if (before && before[slot] != index && before[slot] != WEIR_BACKEND_NONE)
			service->slots_moved++;
	}
}

int table_build(const char *seed, struct model_service *service, const uint16_t *before)
{
	struct rank_member *member = calloc(service->backends + 1, sizeof(*member));
	uint16_t *position = calloc(service->backends + 1, sizeof(*position));
	uint16_t *table = malloc(service->config.slots * sizeof(*table));
	bool fallback = any_in_role(service, ROLE_FALLBACK);
	int err = -ENOMEM;

	if (member && position && table) {
		struct rank_input input = members(seed, service, fallback, member, position);

		err = fallback ? build_fallback(&input, table) : build_main(&input, service, table);
	}
	if (!err) {
		uint16_t *old = service->table;

		service->table = table;
		count_slots(service, position, before);
		service->built = true;
		table = old;
	}
	free(member);
	free(position);
	free(table);
	return err;
}

/* The next member from *at on that is no fallback, or NULL. */
static const struct model_backend *next_member(const struct model_service *service, size_t *at)
{
	while (*at < service->backends) {
		const struct model_backend *backend = &service->backend[(*at)++];

		if (is_member(backend) && !backend->config.fallback)
			return backend;
	}
	return NULL;
}

bool table_same_members(const struct model_service *a, const struct model_service *b)
{
	size_t i = 0, j = 0;

	for (;;) {
		const struct model_backend *x = next_member(a, &i), *y = next_member(b, &j);

		if (!x || !y)
			return x == y;
		if (addr_compare(&x->config.addr, &y->config.addr) || x->config.weight != y->config.weight)
			return false;
	}
}

/* Position of the member with this index, tried first at `hint`; service->backends if there is none. */
static size_t find_index(const struct model_service *service, uint16_t index, size_t hint)
{
	for (size_t i = 0; i < service->backends; i++, hint++) {
		if (hint >= service->backends)
			hint = 0;
		if (service->backend[hint].index == index && is_member(&service->backend[hint]))
			return hint;
	}
	return service->backends;
}

int table_adopt(struct model *model, struct model_service *service, const union weir_slot *slot)
{
	uint16_t *table = malloc(service->config.slots * sizeof(*table));
	size_t last = 0;

	if (!table)
		goto build;
	for (size_t i = 0; i < service->backends; i++)
		service->backend[i].slots_owned = 0;
	for (uint32_t s = 0; s < service->config.slots; s++) {
		table[s] = slot[s].current;
		if (table[s] == WEIR_BACKEND_NONE)
			continue;
		last = find_index(service, table[s], last);
		if (last == service->backends)
			goto build;
		service->backend[last].slots_owned++;
	}
	service->table = table;
	return 0;
build:
	free(table);
	(void)table_build(model->hash_seed, service, NULL);
	return -EINVAL;
}
