/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that is wrong now. In: the whole agent, read only. Out: sentences for `weir status`; many backends of
 * one service with the same trouble are one sentence.
 */
#include "problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../lib/ethtool.h"
#include "tally.h"
#include "way.h"
#include "ways.h"

struct list {
	void (*say)(void *arg, const char *text);
	void *arg;
};

__attribute__((format(printf, 2, 3))) static void add(const struct list *list, const char *format, ...)
{
	va_list arguments;
	char text[640];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	list->say(list->arg, text);
}

/* ---- backends ---- */

struct trouble { /* of one kind, within one service */
	const struct model_backend *first;
	size_t count;
};

static void count_trouble(struct trouble *trouble, const struct model_backend *backend)
{
	if (trouble->count++ == 0)
		trouble->first = backend;
}

/* "backend 10.0.0.11 of "web" and 3 more" */
static const char *whom(const struct trouble *trouble, const struct model_service *service, char *text, size_t size)
{
	char address[ADDR_TEXT], more[32] = "";

	if (trouble->count > 1)
		snprintf(more, sizeof(more), " and %zu more", trouble->count - 1);
	snprintf(text, size, "backend %s of \"%s\"%s", addr_format(&trouble->first->config.addr, address),
		 service->config.name, more);
	return text;
}

static unsigned int outer_bytes(const struct model_backend *backend)
{
	return backend->way.image.flags & WEIR_WAY_IP6 ? 40 : 20;
}

struct service_troubles {
	struct trouble way, mtu, egress;
};

static void look_at_backend(const struct agent *agent, const struct model_service *service,
			    const struct model_backend *backend, struct service_troubles *troubles)
{
	const struct weir_way *image = &backend->way.image;

	if (backend->role == ROLE_DISABLED || backend->role == ROLE_DRAINED)
		return;
	if (backend->way.state != WAY_READY && backend->way.state != WAY_LOCAL)
		count_trouble(&troubles->way, backend);
	if (backend->way.state != WAY_READY)
		return;
	if (service->config.forward == WEIR_IPIP && image->mtu < 1500 + outer_bytes(backend))
		count_trouble(&troubles->mtu, backend);
	if (!ways_is_port(agent, image->ifindex))
		count_trouble(&troubles->egress, backend);
}

static void say_backends(const struct agent *agent, const struct list *list, const struct model_service *service,
			 const struct service_troubles *troubles)
{
	char who[256], way[256];
	struct nexthop_link link = {.name = "?"};

	if (troubles->way.count)
		add(list, "%s: way %s: %s", whom(&troubles->way, service, who, sizeof(who)),
		    way_state_word(troubles->way.first->way.state),
		    way_describe(agent, service->config.forward, &troubles->way.first->config.addr, way, sizeof(way)));
	if (troubles->egress.count) {
		(void)nexthops_link_by_index(agent->nexthops, troubles->egress.first->way.image.ifindex, &link);
		add(list,
		    "%s: the way out is %s, which has no program of weir: some drivers drop frames redirected to such an interface; "
		    "configure `interface %s`",
		    whom(&troubles->egress, service, who, sizeof(who)), link.name, link.name);
	}
	if (troubles->mtu.count) {
		const struct model_backend *first = troubles->mtu.first;

		add(list,
		    "%s: the way carries %u bytes, with the outer header packets of at most %u: raise the MTU there to %u, or clients get "
		    "ICMP \"too big\"",
		    whom(&troubles->mtu, service, who, sizeof(who)), first->way.image.mtu,
		    first->way.image.mtu - outer_bytes(first), 1500 + outer_bytes(first));
	}
}

static void services(const struct agent *agent, const struct list *list)
{
	for (size_t s = 0; s < agent->model.services; s++) {
		const struct model_service *service = agent->model.service[s];
		struct service_troubles troubles = {.way.count = 0};
		size_t fallback = 0;

		for (size_t b = 0; b < service->backends; b++) {
			look_at_backend(agent, service, &service->backend[b], &troubles);
			fallback += service->backend[b].role == ROLE_FALLBACK;
		}
		if (!model_service_up(service))
			add(list, "service \"%s\": no usable backend: its packets are dropped", service->config.name);
		else if (fallback)
			add(list, "service \"%s\": its fallback serves, no other backend is up", service->config.name);
		say_backends(agent, list, service, &troubles);
	}
}

/* ---- interfaces and the rest ---- */

/* Whether a way over this interface writes VLAN tags, or writes none because the interface has VLAN devices. */
static bool has_vlans(const struct agent *agent, uint32_t ifindex)
{
	for (size_t s = 0; s < agent->model.services; s++) {
		const struct model_service *service = agent->model.service[s];

		for (size_t b = 0; b < service->backends; b++) {
			const struct model_way *way = &service->backend[b].way;

			if (way->state == WAY_READY && way->image.ifindex == ifindex &&
			    way->image.tags != WEIR_TAGS_KEEP)
				return true;
		}
	}
	return false;
}

static void interface(const struct agent *agent, const struct list *list, const struct ways_port *port)
{
	bool taken_off = false;

	if (port->ifindex == 0) {
		add(list, "interface %s: is not there", port->name);
		return;
	}
	if (!port->up)
		add(list, "interface %s: is down", port->name);
	if (has_vlans(agent, port->ifindex) && ethtool_rxvlan(port->name, &taken_off) == 0 && taken_off)
		add(list,
		    "interface %s: takes VLAN tags off frames before the program sees them: `ethtool -K %s rxvlan off`",
		    port->name, port->name);
}

static void interfaces(const struct agent *agent, const struct list *list)
{
	struct plane_port ports[WEIR_PORTS_MAX];
	size_t count = plane_ports(agent->plane, ports, WEIR_PORTS_MAX);

	for (size_t i = 0; i < count; i++) {
		if (ports[i].problem[0])
			add(list, "interface %s: %s", ports[i].name, ports[i].problem);
		else if (!ports[i].attached)
			add(list, "interface %s: the program is not attached", ports[i].name);
		else if (ports[i].asked == XDP_MODE_AUTO && ports[i].mode == XDP_MODE_GENERIC)
			add(list,
			    "interface %s: `xdp auto` took generic mode: it costs several times as much per packet",
			    ports[i].name);
	}
	for (size_t i = 0; i < agent->ways.ports; i++)
		interface(agent, list, &agent->ways.port[i]);
}

static void peers(const struct agent *agent, const struct list *list)
{
	for (size_t i = 0; i < agent->wanted.peers; i++) {
		char address[ADDR_TEXT], way[256];
		struct nexthop nexthop;

		if (nexthops_find(agent->nexthops, &agent->wanted.peer[i], &nexthop) &&
		    nexthop.state == NEXTHOP_RESOLVED)
			continue;
		add(list, "peer %s: %s: what it forwards cannot be told from a client's packet by its MAC",
		    addr_format(&agent->wanted.peer[i], address),
		    way_describe(agent, WEIR_IPIP, &agent->wanted.peer[i], way, sizeof(way)));
	}
}

/* ---- openings and pins ---- */

static void room(const struct agent *agent, const struct list *list, const char *map,
		 const struct tally_failures *failures)
{
	uint32_t used = plane_map_entries(agent->plane, map), most = plane_map_max_entries(agent->plane, map);

	if (tally_failed_lately(failures))
		add(list,
		    "%s: some found no room within the last %d s (%u of %u in use): no flow is lost by that, but changes take longer to settle "
		    "and backends to drain: raise `limits { %s N; }`, and start with --takeover",
		    map, TALLY_FAILED_S, used, most, map);
	else if (used > most / 5 * 4)
		add(list,
		    "%s: %u of %u in use: when they are full changes take longer to settle and backends to drain: raise `limits { %s N; }`, "
		    "and start with --takeover",
		    map, used, most, map);
}

static void the_rest(const struct agent *agent, const struct list *list)
{
	if (agent->metrics.failed)
		add(list, "metrics: %s", agent->metrics.problem);
	if (agent->wanted.write_group[0] && agent->write_group == (gid_t)-1)
		add(list, "control: there is no group %s to be allowed changes", agent->wanted.write_group);
	if (!agent->control.open_to_group)
		add(list,
		    "control: there is no group \"weir\": only root may ask this agent (`addgroup --system weir`, then restart)");
}

void problems_list(const struct agent *agent, void (*say)(void *arg, const char *text), void *arg)
{
	const struct list list = {.say = say, .arg = arg};

	if (!agent->loaded.ok)
		add(&list, "config: the last reload failed: %s", agent->loaded.error);
	if (plane_has_failed(agent->plane))
		add(&list,
		    "maps: something could not be written (see the log): restart weir-agent, which loses no packet");
	services(agent, &list);
	interfaces(agent, &list);
	peers(agent, &list);
	room(agent, &list, "openings", &agent->tally.openings);
	room(agent, &list, "pins", &agent->tally.pins);
	the_rest(agent, &list);
}
