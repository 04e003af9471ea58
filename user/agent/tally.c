/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is remembered of each backend beyond the model. In: the model after each change, the packet counters every 2
 * s. Out: transitions for metrics.c, "is it still being sent packets, has it pins" for changes.c (of flows in slots that are settled that is
 * all that can be known), whether something found no room lately for problems.c, events when a way comes or goes. Begins anew with the process.
 */
#include "tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "way.h"

enum { WAYS_TOLD_MAX = 20 };

#define SAMPLE_NS 2000000000ULL

int tally_open(struct agent *agent)
{
	agent->tally.backends = agent->model.limits.backends + 1;
	agent->tally.backend = calloc(agent->tally.backends, sizeof(*agent->tally.backend));
	return agent->tally.backend ? 0 : -ENOMEM;
}

void tally_close(struct agent *agent)
{
	loop_timer_stop(agent->loop, &agent->tally.timer);
	free(agent->tally.backend);
	agent->tally.backend = NULL;
	agent->tally.backends = 0;
}

static struct tally_backend *entry(const struct agent *agent, uint16_t index)
{
	return index < agent->tally.backends ? &agent->tally.backend[index] : NULL;
}

const struct tally_backend *tally_find(const struct agent *agent, const struct model_backend *backend)
{
	return entry(agent, backend->index);
}

/* Packets now against packets when it was last looked at. */
static void look(struct agent *agent, const struct model_backend *backend, uint64_t now_ns)
{
	struct tally_backend *tally = entry(agent, backend->index);
	struct weir_count count;

	if (!tally || plane_backend_count(agent->plane, backend->index, &count) != 0)
		return;
	if (count.packets != tally->packets)
		tally->active_ns = now_ns;
	tally->packets = count.packets;
}

static void count_failures(struct tally_failures *failures, uint64_t count, uint64_t now_ns)
{
	if (count > failures->count)
		failures->grew_ns = now_ns;
	failures->count = count;
}

static void look_at_failures(struct agent *agent, uint64_t now_ns)
{
	struct weir_flow_counts counts;

	if (plane_flow_counts(agent->plane, &counts) != 0)
		return;
	count_failures(&agent->tally.openings, counts.openings_failed, now_ns);
	count_failures(&agent->tally.pins, counts.pins_failed, now_ns);
}

bool tally_failed_lately(const struct tally_failures *failures)
{
	return failures->grew_ns && loop_now_ns() - failures->grew_ns < TALLY_FAILED_S * 1000000000ULL;
}

static void sample(struct timer *timer, uint64_t now_ns)
{
	struct agent *agent = container_of(timer, struct agent, tally.timer);

	look_at_failures(agent, now_ns);
	for (size_t s = 0; s < agent->model.services; s++)
		for (size_t b = 0; b < agent->model.service[s]->backends; b++)
			look(agent, &agent->model.service[s]->backend[b], now_ns);
	(void)loop_timer_set(agent->loop, timer, now_ns + SAMPLE_NS);
}

void tally_start(struct agent *agent)
{
	struct weir_flow_counts counts;

	if (plane_flow_counts(agent->plane, &counts) == 0) { /* of before this process: no news */
		agent->tally.openings.count = counts.openings_failed;
		agent->tally.pins.count = counts.pins_failed;
	}
	agent->tally.timer.fire = sample;
	(void)loop_timer_set(agent->loop, &agent->tally.timer, loop_now_ns() + SAMPLE_NS);
}

bool tally_is_live(struct agent *agent, const struct model_service *service, const struct model_backend *backend)
{
	const struct tally_backend *tally = entry(agent, backend->index);
	uint64_t now_ns = loop_now_ns();
	struct plane_backend_state state;

	look(agent, backend, now_ns);
	if (tally && tally->active_ns && now_ns - tally->active_ns < TALLY_LIVE_S * 1000000000ULL)
		return true;
	plane_backend_state(agent->plane, service, backend->index, &state);
	return state.flows.pins > state.flows.closing;
}

/* When it came to its role, by the monotonic clock: it may have been before this process. */
static uint64_t begin_of(const struct model_backend *backend)
{
	uint64_t now_ns = loop_now_ns(), wall_ns = wall_now_ns();
	uint64_t age_ns = wall_ns > backend->since_ns ? wall_ns - backend->since_ns : 0;

	return age_ns < now_ns ? now_ns - age_ns : 0;
}

/* The index has another owner than before, or its first one. */
static void begin(struct agent *agent, struct tally_backend *tally, const struct model_service *service,
		  const struct model_backend *backend)
{
	struct weir_count count = {0};

	(void)plane_backend_count(agent->plane, backend->index, &count);
	memset(tally, 0, sizeof(*tally));
	tally->used = true;
	tally->addr = backend->config.addr;
	tally->service = service->index;
	tally->role = backend->role;
	tally->role_ns = begin_of(backend);
	tally->way = backend->way.state;
	tally->packets = count.packets;
}

void tally_update(struct agent *agent)
{
	for (size_t s = 0; s < agent->model.services; s++) {
		const struct model_service *service = agent->model.service[s];

		for (size_t b = 0; b < service->backends; b++) {
			const struct model_backend *backend = &service->backend[b];
			struct tally_backend *tally = entry(agent, backend->index);

			if (!tally)
				continue;
			if (!tally->used || tally->service != service->index ||
			    addr_compare(&tally->addr, &backend->config.addr) != 0)
				begin(agent, tally, service, backend);
			if (tally->role == backend->role)
				continue;
			tally->transitions[backend->role]++;
			tally->role = backend->role;
			tally->role_ns = begin_of(backend);
		}
	}
}

void tally_way(struct agent *agent, const struct model_service *service, const struct model_backend *backend)
{
	struct tally_backend *tally = entry(agent, backend->index);
	char text[300], way[200], kind[32];

	if (!tally || tally->way == backend->way.state)
		return;
	tally->way = backend->way.state;
	if (!agent->ready)
		return;
	if (agent->tally.ways_told >= WAYS_TOLD_MAX) {
		agent->tally.ways_not_told++;
		return;
	}
	agent->tally.ways_told++;
	snprintf(kind, sizeof(kind), "way-%s", way_state_word(backend->way.state));
	snprintf(text, sizeof(text), "way %s: %s", way_state_word(backend->way.state),
		 way_describe(agent, service->config.forward, &backend->config.addr, way, sizeof(way)));
	events_add(&agent->events, wall_now_ns(), kind, service->config.name, &backend->config.addr, text);
}

void tally_ways_end(struct agent *agent)
{
	char text[80];

	if (agent->tally.ways_not_told > 0) {
		snprintf(text, sizeof(text), "%u more ways have changed: see `weir status`",
			 agent->tally.ways_not_told);
		events_add(&agent->events, wall_now_ns(), "ways-changed", NULL, NULL, text);
	}
	agent->tally.ways_told = agent->tally.ways_not_told = 0;
}

const char *tally_summary(const struct agent *agent, char *text, size_t size)
{
	size_t up = 0, backends = 0;

	for (size_t s = 0; s < agent->model.services; s++) {
		const struct model_service *service = agent->model.service[s];

		for (size_t b = 0; b < service->backends; b++) {
			up += service->backend[b].role == ROLE_UP || service->backend[b].role == ROLE_FALLBACK;
			backends += service->backend[b].role != ROLE_REMOVING;
		}
	}
	snprintf(text, size, "%zu services, %zu of %zu backends up", agent->model.services, up, backends);
	return text;
}

void tally_tell_status(struct agent *agent)
{
	char summary[128];

	notify_send(&agent->notify, "STATUS=%s", tally_summary(agent, summary, sizeof(summary)));
}
