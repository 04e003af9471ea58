/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the model and the rest. In: the model's calls. Out: the plane's functions of the same names, events. */
#include "observer.h"

#include <string.h>

#include "../lib/log.h"
#include "tally.h"
#include "way.h"
#include "ways.h"

static void service_changed(void *arg, struct model_service *service)
{
	plane_service_changed(((struct agent *)arg)->plane, service);
}

static void vip_changed(void *arg, const struct addr *vip)
{
	plane_vip_changed(((struct agent *)arg)->plane, vip);
}

static void way_changed(void *arg, struct model_service *service, struct model_backend *backend)
{
	struct agent *agent = arg;

	plane_way_changed(agent->plane, service, backend);
	tally_way(agent, service, backend);
}

static void service_removed(void *arg, struct model_service *service)
{
	plane_service_removed(((struct agent *)arg)->plane, service);
}

static void backend_removed(void *arg, struct model_service *service, struct model_backend *backend)
{
	struct agent *agent = arg;

	plane_backend_removed(agent->plane, service, backend);
	ways_trim_soon(agent);
}

static uint64_t now_wall_ns(void *arg)
{
	(void)arg;
	return wall_now_ns();
}

static void event(void *arg, const char *kind, const char *service, const struct addr *backend, const char *text)
{
	struct agent *agent = arg;
	char address[ADDR_TEXT];

	/* All services "come in" when the agent starts: no news, and they would push the news out of the ring. */
	if (!agent->ready && !strstr(kind, "-removed")) {
		log_debug("service %s: %s: %s", service, backend ? addr_format(backend, address) : "-", text);
		return;
	}
	events_add(&agent->events, wall_now_ns(), kind, service, backend, text);
}

struct model_observer observer_make(struct agent *agent)
{
	return (struct model_observer){
		.arg = agent,
		.way = way_make,
		.service_changed = service_changed,
		.vip_changed = vip_changed,
		.way_changed = way_changed,
		.service_removed = service_removed,
		.backend_removed = backend_removed,
		.now_wall_ns = now_wall_ns,
		.event = event,
	};
}
