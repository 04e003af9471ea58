/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cuts the listeners of one VIP into disjoint stretches of ports. In: the model's services (whose listeners of one kind do not overlap: the
 * grammar saw to that). Out: what plane/sync writes to `vips` and `listeners`.
 *
 * Narrow beats wide, so wide ones are laid down first and narrower ones cut into them: `any`, then ranges, then single ports.
 */
#include "listeners.h"

#include <errno.h>
#include <string.h>

enum kind { KIND_ANY, KIND_RANGE, KIND_EXACT, KINDS };

struct stretches {
	struct weir_listener *listener;
	int count;
};

static enum kind kind_of(const struct config_listener *listener)
{
	if (listener->first == listener->last)
		return KIND_EXACT;
	return listener->first == 0 && listener->last == 65535 ? KIND_ANY : KIND_RANGE;
}

static int insert(struct stretches *out, int at, struct weir_listener stretch)
{
	if (out->count == WEIR_LISTENERS_MAX)
		return -E2BIG;
	memmove(out->listener + at + 1, out->listener + at, (size_t)(out->count - at) * sizeof(*out->listener));
	out->listener[at] = stretch;
	out->count++;
	return 0;
}

static void erase(struct stretches *out, int at)
{
	out->count--;
	memmove(out->listener + at, out->listener + at + 1, (size_t)(out->count - at) * sizeof(*out->listener));
}

/* Takes the ports first..last of proto away from whatever holds them; returns where a stretch of these ports belongs, or -E2BIG. */
static int cut(struct stretches *out, uint8_t proto, uint16_t first, uint16_t last)
{
	int i = 0;

	while (i < out->count) {
		struct weir_listener *have = &out->listener[i];
		struct weir_listener tail = *have;

		if (have->proto < proto || (have->proto == proto && have->last < first)) {
			i++;
			continue;
		}
		if (have->proto > proto || have->first > last)
			return i;
		if (have->first < first) { /* keeps its head; what is left of it is looked at next */
			have->last = (__u16)(first - 1);
			tail.first = first;
			if (insert(out, ++i, tail))
				return -E2BIG;
		} else if (have->last > last) { /* keeps its tail */
			have->first = (__u16)(last + 1);
			return i;
		} else {
			erase(out, i);
		}
	}
	return i;
}

static int lay(struct stretches *out, const struct config_listener *listener, uint16_t service)
{
	struct weir_listener stretch = {
		.first = listener->first,
		.last = listener->last,
		.service = service,
		.proto = listener->proto,
	};
	int at = cut(out, listener->proto, listener->first, listener->last);

	return at < 0 ? at : insert(out, at, stretch);
}

static void join_neighbours(struct stretches *out)
{
	for (int i = 0; i + 1 < out->count;) {
		struct weir_listener *have = &out->listener[i], *next = have + 1;

		if (have->proto == next->proto && have->service == next->service && have->last + 1 == next->first) {
			have->last = next->last;
			erase(out, i + 1);
		} else {
			i++;
		}
	}
}

static int lay_kind(const struct model *model, const struct addr *vip, const struct model_service *skip, enum kind kind,
		    struct stretches *out)
{
	for (size_t s = 0; s < model->services; s++) {
		const struct model_service *service = model->service[s];

		if (service == skip)
			continue;
		for (size_t l = 0; l < service->config.listeners; l++) {
			const struct config_listener *listener = &service->config.listener[l];

			if (kind_of(listener) == kind && addr_compare(&listener->vip, vip) == 0 &&
			    lay(out, listener, service->index))
				return -E2BIG;
		}
	}
	return 0;
}

int listeners_flatten(const struct model *model, const struct addr *vip, const struct model_service *skip,
		      struct weir_listener *out)
{
	struct stretches stretches = {.listener = out};

	for (enum kind kind = KIND_ANY; kind < KINDS; kind++)
		if (lay_kind(model, vip, skip, kind, &stretches))
			return -E2BIG;
	join_neighbours(&stretches);
	return stretches.count;
}

int listeners_find(const struct weir_listener *listener, int listeners, uint8_t proto, uint16_t port)
{
	for (int i = 0; i < listeners; i++)
		if (listener[i].proto == proto && listener[i].first <= port && port <= listener[i].last)
			return listener[i].service;
	return -ENOENT;
}

/* True if an earlier listener (of an earlier service, or of this one) has the same VIP. */
static bool seen_before(const struct model *model, size_t service, size_t listener)
{
	const struct addr *vip = &model->service[service]->config.listener[listener].vip;

	for (size_t s = 0; s <= service; s++) {
		const struct config_service *config = &model->service[s]->config;
		size_t end = s == service ? listener : config->listeners;

		for (size_t l = 0; l < end; l++)
			if (!addr_compare(&config->listener[l].vip, vip))
				return true;
	}
	return false;
}

size_t listeners_count_vips(const struct model *model)
{
	size_t count = 0;

	for (size_t s = 0; s < model->services; s++)
		for (size_t l = 0; l < model->service[s]->config.listeners; l++)
			count += !seen_before(model, s, l);
	return count;
}
