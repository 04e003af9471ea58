/* SPDX-License-Identifier: BSD-2-Clause */
/* The interfaces that the plane uses, each at the position that it has in the maps. */
#include "ports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ethtool.h"
#include "link.h"
#include "object.h"
#include "percpu.h"
#include "plane.h"

struct port *ports_find(struct plane *plane, const char *name)
{
	for (size_t i = 0; i < WEIR_PORTS_MAX; i++)
		if (!strcmp(plane->port[i].name, name))
			return &plane->port[i];
	return NULL;
}

/* The position that the interface has in the maps already, or one that nobody has there; else any. */
static struct port *free_port(struct plane *plane, uint32_t ifindex)
{
	const struct weir_port *mapped = set_node(plane->set)->port;
	struct port *unmapped = NULL, *any = NULL;

	for (size_t i = 0; i < WEIR_PORTS_MAX; i++) {
		struct port *port = &plane->port[i];

		if (port->name[0])
			continue;
		if (ifindex && mapped[i].ifindex == ifindex)
			return port;
		if (!any)
			any = port;
		if (!unmapped && !mapped[i].ifindex)
			unmapped = port;
	}
	return unmapped ? unmapped : any;
}

void ports_problem(struct port *port, const char *text)
{
	snprintf(port->problem, sizeof(port->problem), "%.*s", (int)sizeof(port->problem) - 1, text);
}

void ports_write(struct plane *plane, const struct port *port)
{
	size_t position = (size_t)(port - plane->port);
	uint8_t mac[6];

	if (port->ifindex && !link_mac(port->name, mac))
		node_set_port(plane, position, port->ifindex, mac);
}

/* The position goes to an interface that has not had it: it counts from 0. */
static void take_position(struct plane *plane, const struct port *port)
{
	uint32_t position = (uint32_t)(port - plane->port);

	if (port->ifindex && set_node(plane->set)->port[position].ifindex == port->ifindex)
		return;
	(void)percpu_zero(plane->cpus, plane->set->fd[MAP_ACTION_COUNTERS], position, WEIR_ACTIONS);
	memset(&set_info(plane->set)->actions[position], 0, sizeof(struct weir_actions));
}

int ports_want(struct plane *plane, const struct config_interface *interface, struct error *error)
{
	struct port *port = ports_find(plane, interface->name);
	uint32_t ifindex = if_nametoindex(interface->name);

	if (port) {
		port->wanted = true;
		return 0;
	}
	port = free_port(plane, ifindex);
	if (!port)
		return error_set(error, ERROR_REFUSED, "interface %s: more than %d interfaces", interface->name,
				 WEIR_PORTS_MAX);
	*port = (struct port){
		.ifindex = ifindex, .link = -1, .asked = interface->mode, .mode = interface->mode, .wanted = true};
	memcpy(port->name, interface->name, sizeof(port->name));
	take_position(plane, port);
	ports_write(plane, port);
	return 0;
}

void ports_forget(struct port *port)
{
	if (port->link >= 0)
		close(port->link);
	*port = (struct port){.link = -1};
}

void ports_close(struct plane *plane)
{
	for (size_t i = 0; i < WEIR_PORTS_MAX; i++)
		ports_forget(&plane->port[i]);
}

/* ---- what there is ---- */

static void describe(const struct plane *plane, const struct port *port, struct plane_port *out)
{
	uint32_t position = (uint32_t)(port - plane->port);
	struct object_link link = {.ifindex = 0};

	*out = (struct plane_port){
		.ifindex = port->ifindex, .asked = port->asked, .mode = port->mode, .adopted = port->adopted};
	memcpy(out->name, port->name, sizeof(out->name));
	memcpy(out->problem, port->problem, sizeof(out->problem));
	(void)ethtool_driver(port->name, out->driver, sizeof(out->driver));
	if (port->link >= 0 && !object_link_info(port->link, &link)) {
		out->link_id = link.id;
		out->program_id = link.program_id;
		out->attached = link.ifindex != 0;
		if (!link.ifindex)
			snprintf(out->problem, sizeof(out->problem), "the interface is gone");
	}
	(void)percpu_sum(plane->cpus, plane->set->fd[MAP_ACTION_COUNTERS], position, (uint64_t *)out->actions.packets,
			 WEIR_ACTIONS);
	for (size_t a = 0; a < WEIR_ACTIONS; a++)
		out->actions.packets[a] += set_info(plane->set)->actions[position].packets[a];
}

size_t plane_ports(const struct plane *plane, struct plane_port *out, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < WEIR_PORTS_MAX && count < max; i++)
		if (plane->port[i].name[0])
			describe(plane, &plane->port[i], &out[count++]);
	return count;
}
