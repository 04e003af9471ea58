/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes on by itself after a change. In: a timer, kicked by whoever has changed something. Out: plane_turn (slots go on, openings and pins
 * are scanned), backends that have drained, or have no time left to, told to the model, slow starts brought to their next step. It sleeps when
 * nothing is in transition, and does nothing while another agent may be reading the maps in order to take over.
 */
#include "turn.h"

#include <stdio.h>

#include "tally.h"

#define SOON_NS 1000000ULL
#define WALL_LOOK_NS \
	60000000000ULL /* what is due by the wall clock, which may be set, is looked at this often at least */

bool turn_drain_left(const struct agent *agent, const struct model_service *service,
		     const struct model_backend *backend, uint64_t *left_ns)
{
	const struct tally_backend *tally = tally_find(agent, backend);
	uint64_t now_ns = loop_now_ns(), end_ns;

	if (!backend_is_draining(backend) || service->config.drain_ms == 0 || !tally)
		return false;
	end_ns = tally->role_ns + service->config.drain_ms * 1000000ULL;
	*left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
	return true;
}

/* ---- backends that drain ---- */

struct ends {
	uint64_t left_ns; /* to the next end of a `drain` time; 0 = there is none */
	bool any;         /* something has come to its end now */
};

static void cut(struct agent *agent, struct model_service *service, struct model_backend *backend, const char *why,
		const struct plane_flows *had)
{
	char text[160];

	snprintf(text, sizeof(text), "%s: its flows are cut, of which %u had a pin", why, had->pins);
	events_add(&agent->events, wall_now_ns(), "flows-cut", service->config.name, &backend->config.addr, text);
	model_set_drained(&agent->model, service, backend);
}

/* The backend may be no more when this returns. */
static void look_at(struct agent *agent, struct model_service *service, struct model_backend *backend,
		    struct ends *ends)
{
	struct plane_backend_state state;
	uint64_t left_ns = 0;
	bool limited = turn_drain_left(agent, service, backend, &left_ns);

	plane_backend_state(agent->plane, service, backend->index, &state);
	if (state.free) {
		model_set_drained(&agent->model, service, backend);
		ends->any = true;
	} else if (limited && left_ns == 0) {
		cut(agent, service, backend, "its `drain` time is over", &state.flows);
		ends->any = true;
	} else if (limited && (!ends->left_ns || left_ns < ends->left_ns)) {
		ends->left_ns = left_ns;
	}
}

static void after_ends(struct agent *agent)
{
	model_settle(&agent->model);
	tally_update(agent);
	tally_tell_status(agent);
}

static void end_drains(struct agent *agent, struct ends *ends)
{
	for (size_t s = 0; s < agent->model.services; s++) {
		struct model_service *service = agent->model.service[s];

		/* from the last to the first: one that goes moves only those behind it */
		for (size_t b = service->backends; b-- > 0;)
			if (backend_is_draining(&service->backend[b]))
				look_at(agent, service, &service->backend[b], ends);
	}
	if (ends->any)
		after_ends(agent);
}

bool turn_cut(struct agent *agent, const char *name, const struct addr *addr, struct plane_flows *had)
{
	struct model_service *service = model_service(&agent->model, name);
	struct model_backend *backend = service ? model_backend(service, addr) : NULL;
	struct plane_backend_state state;

	if (!backend || !backend_is_draining(backend))
		return false;
	plane_backend_state(agent->plane, service, backend->index, &state);
	*had = state.flows;
	cut(agent, service, backend, "by command", had);
	after_ends(agent);
	turn_kick(agent);
	return true;
}

/* ---- the timer ---- */

/* Of two times at which to go on, 0 = not at all. */
static uint64_t sooner(uint64_t a_ns, uint64_t b_ns)
{
	return !a_ns || (b_ns && b_ns < a_ns) ? b_ns : a_ns;
}

/* The end of a step of a slow start is by the wall clock, which may be set. */
static uint64_t by_wall_clock(uint64_t now_ns, uint64_t end_ns)
{
	uint64_t wall_ns = wall_now_ns(), left_ns = end_ns > wall_ns ? end_ns - wall_ns : 0;

	return now_ns + (left_ns < SOON_NS ? SOON_NS : left_ns > WALL_LOOK_NS ? WALL_LOOK_NS : left_ns);
}

static void fire(struct timer *timer, uint64_t now_ns)
{
	struct agent *agent = container_of(timer, struct agent, turn.timer);
	struct ends ends = {.any = false};
	uint64_t next_ns, ramp_ns;

	if (agent->handing_over || agent->handed_over)
		return;
	ramp_ns = model_ramp(&agent->model, wall_now_ns());
	next_ns = plane_turn(agent->plane, now_ns);
	end_drains(agent, &ends);
	if (ends.any)
		next_ns = sooner(next_ns, now_ns + SOON_NS);
	if (ends.left_ns)
		next_ns = sooner(next_ns, now_ns + ends.left_ns);
	if (ramp_ns)
		next_ns = sooner(next_ns, by_wall_clock(now_ns, ramp_ns));
	if (next_ns)
		(void)loop_timer_set(agent->loop, timer, next_ns);
}

void turn_start(struct agent *agent)
{
	agent->turn.timer.fire = fire;
	turn_kick(agent);
}

void turn_kick(struct agent *agent)
{
	if (agent->turn.timer.fire)
		(void)loop_timer_set(agent->loop, &agent->turn.timer, 0);
}

void turn_stop(struct agent *agent)
{
	loop_timer_stop(agent->loop, &agent->turn.timer);
	agent->turn.timer.fire = NULL;
}
