/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interfaces turn to the set and the program that are ready: links that are there take the program in one step, new ones are
 * made first, because only they can be refused; what has been replaced goes last.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/log.h"
#include "../lib/loop.h"
#include "link.h"
#include "load.h"
#include "move.h"
#include "object.h"
#include "plane.h"
#include "ports.h"
#include "state.h"

/* ---- links that are there ---- */

static struct port *port_of_link(struct plane *plane, const struct object_link *link)
{
	for (size_t i = 0; i < WEIR_PORTS_MAX; i++)
		if (plane->port[i].wanted && plane->port[i].link < 0 && plane->port[i].ifindex == link->ifindex)
			return &plane->port[i];
	return NULL;
}

/* An interface that was renamed keeps its link, pinned under the new name if that is free. */
static int follow_name(const struct plane *plane, const struct port *port, const char *path, const char *interface)
{
	char own[BPFFS_PATH];

	if (!strcmp(interface, port->name))
		return 0;
	if (object_link_path(own, plane->path, port->name) || !access(own, F_OK) || rename(path, own))
		return -EEXIST;
	log_info("interface %s: was %s", port->name, interface);
	return 0;
}

/* Looks at one pin: whether it is the link of a wanted interface. */
static void adopt_link(void *arg, const char *path, const char *interface)
{
	struct plane *plane = arg;
	struct object_link link;
	enum xdp_mode mode;
	int fd = object_open_link(path, &link);
	struct port *port;

	if (fd < 0)
		return;
	port = link.ifindex ? port_of_link(plane, &link) : NULL;
	if (!port || !link_is_here(link.ifindex, link.program_id, &mode) || follow_name(plane, port, path, interface)) {
		close(fd);
		return;
	}
	port->link = fd;
	port->mode = mode;
	port->adopted = true;
}

/* A pin of the interface's name, whatever has become of its link. */
static bool has_pin(const struct plane *plane, const struct port *port)
{
	char path[BPFFS_PATH];

	return !object_link_path(path, plane->path, port->name) && access(path, F_OK) == 0;
}

/* ---- links that are made ---- */

static void detach(struct plane *plane, struct port *port)
{
	char path[BPFFS_PATH];

	(void)bpf_link_detach(port->link); /* at once; unlinking the pin alone would let go some time later */
	close(port->link);
	port->link = -1;
	if (!object_link_path(path, plane->path, port->name))
		(void)unlink(path);
}

static int pin_link(struct plane *plane, const struct port *port, struct error *error)
{
	char path[BPFFS_PATH];
	int err = bpffs_path(path, sizeof(path), "%s/links", plane->path);

	if (!err && mkdir(path, 0700) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = object_link_path(path, plane->path, port->name);
	if (!err && unlink(path) && errno != ENOENT) /* of an interface of this name that is gone */
		err = -errno;
	if (!err && bpf_obj_pin(port->link, path))
		err = -errno;
	if (err)
		return error_set(error, ERROR_REFUSED, "interface %s: its link cannot be pinned: %s", port->name,
				 strerror(-err));
	return 0;
}

static int attach_port(struct plane *plane, struct port *port, struct error *error)
{
	port->link = link_create(port->name, port->ifindex, plane->program, port->asked, &port->mode, error);
	if (port->link < 0)
		return -1;
	port->adopted = false;
	port->made = true;
	if (!pin_link(plane, port, error)) {
		port->problem[0] = 0;
		return 0;
	}
	detach(plane, port);
	return -1;
}

/* Interfaces without a link get one. One that was attached before and is not there now may come back: that stops nobody. */
static int attach_new(struct plane *plane, struct error *error)
{
	for (size_t i = 0; i < WEIR_PORTS_MAX; i++) {
		struct port *port = &plane->port[i];

		if (!port->wanted || port->link >= 0)
			continue;
		if (!port->ifindex && (plane->in_force || has_pin(plane, port))) {
			ports_problem(port, "no such interface now");
			log_warn("interface %s: no such interface now: attached as soon as it is there", port->name);
			continue;
		}
		if (attach_port(plane, port, error))
			return -1;
	}
	return 0;
}

/* Everything as it was before plane_attach; positions in a map that is in use stay with the links that are. */
static void undo_new(struct plane *plane)
{
	for (size_t i = 0; i < WEIR_PORTS_MAX; i++) {
		struct port *port = &plane->port[i];

		if (port->made) {
			detach(plane, port);
			log_info("interface %s: let go again", port->name);
		}
		if (port->fresh && port->link < 0)
			node_set_port(plane, i, 0, NULL);
		if (port->fresh)
			ports_forget(port);
		port->made = port->fresh = false;
	}
}

/* ---- links that turn to the program ---- */

static int turn(struct plane *plane, struct port *port, struct error *error)
{
	struct object_link link;
	int err = object_link_info(port->link, &link);

	if (!err && link.program_id == plane->program_id)
		return 0;
	if (!err && bpf_link_update(port->link, plane->program, NULL))
		err = -errno;
	if (err == -ENOLINK) {
		ports_problem(port, "the interface is gone");
		return 0;
	}
	if (err)
		return error_set(error, ERROR_REFUSED, "interface %s: cannot turn to the new program: %s", port->name,
				 strerror(-err));
	log_info("interface %s: turned to the new program", port->name);
	return 0;
}

/* The mode is a link's for life: another one is another link, and packets pass by while there is none. */
static int change_mode(struct plane *plane, struct port *port, struct error *error)
{
	enum xdp_mode had = port->mode, asked = port->asked;

	log_warn("interface %s: xdp %s, was %s: detached and attached again", port->name, link_mode_word(asked),
		 link_mode_word(had));
	detach(plane, port);
	if (!attach_port(plane, port, error))
		return 0;
	port->asked = had; /* as it was is better than not at all */
	if (attach_port(plane, port, NULL))
		ports_problem(port, "the mode could be neither changed nor put back");
	port->asked = asked;
	return -1;
}

static int turn_all(struct plane *plane, struct error *error)
{
	for (size_t i = 0; i < WEIR_PORTS_MAX; i++) {
		struct port *port = &plane->port[i];
		bool other_mode = port->asked != XDP_MODE_AUTO && port->asked != port->mode;

		if (port->link < 0 || port->made)
			continue;
		if (other_mode ? change_mode(plane, port, error) : turn(plane, port, error))
			return -1;
	}
	return 0;
}

/* ---- what has been replaced ---- */

static void remove_unwanted_link(void *arg, const char *path, const char *interface)
{
	struct plane *plane = arg;
	const struct port *port = ports_find(plane, interface);
	int link;

	if (port && port->wanted)
		return;
	link = bpf_obj_get(path);
	if (link >= 0) {
		(void)bpf_link_detach(link);
		close(link);
	}
	(void)unlink(path);
	log_info("interface %s: no longer wanted: detached", interface);
}

static void remove_unwanted_ports(struct plane *plane)
{
	object_for_each_link(plane->path, remove_unwanted_link, plane);
	for (size_t i = 0; i < WEIR_PORTS_MAX; i++) {
		struct port *port = &plane->port[i];

		if (!port->wanted)
			ports_forget(port);
		if (!port->name[0])
			node_set_port(plane, i, 0, NULL);
	}
}

/* What the set before holds moves once no packet is there any more; then it can go. */
static void remove_old_sets(struct plane *plane, struct move *move)
{
	char path[BPFFS_PATH];
	int err;

	if (plane->old.set) {
		grace_wait(&plane->grace, loop_now_ns());
		move_end(move, plane->cpus);
		adopt_close(&plane->old);
	}
	for (size_t i = 0; i < plane->list.count; i++) {
		const struct set_found *found = &plane->list.found[i];

		if (found->serial == plane->set->serial || set_path(path, plane->path, found->layout, found->serial))
			continue;
		err = set_remove(path);
		if (!err)
			log_info("%s: replaced by %s: removed", path, plane->set->path);
		else if (err != -ENOENT)
			log_warn("%s: cannot be removed: %s", path, strerror(-err));
	}
	plane->live = NULL;
	set_list_free(&plane->list);
}

static void settle(struct plane *plane, struct move *move)
{
	int err = 0;

	if (plane->program_beside)
		err = load_settle_program(plane, plane->digest);
	if (err)
		log_warn("%s: prog-new: %s: the next start loads the program again", plane->set->path, strerror(-err));
	plane->program_beside = false;
	remove_unwanted_ports(plane);
	remove_old_sets(plane, move);
	if (plane->handed_over)
		bpffs_claim_lock(plane->lock);
}

struct looked_for {
	const char *name;
	uint32_t ifindex;
	bool found;
};

static void look_for_link(void *arg, const char *path, const char *interface)
{
	struct looked_for *looked_for = arg;
	struct object_link link;
	int fd = object_open_link(path, &link);

	if (fd < 0)
		return;
	close(fd);
	if (looked_for->ifindex ? link.ifindex == looked_for->ifindex : !strcmp(interface, looked_for->name))
		looked_for->found = true; /* also by name alone: it is gone, and may come back */
}

int plane_check(const struct plane *plane, const struct config_interface *interface, size_t interfaces,
		struct error *error)
{
	for (size_t i = 0; i < interfaces; i++) {
		struct looked_for link = {.name = interface[i].name, .ifindex = if_nametoindex(interface[i].name)};

		object_for_each_link(plane->path, look_for_link, &link);
		if (!link.found && link_check(link.name, link.ifindex, error))
			return -1;
	}
	return 0;
}

int plane_attach(struct plane *plane, const struct config_interface *interface, size_t interfaces, struct error *error)
{
	int err = sync_complete(plane, error);
	struct move *move = NULL;

	if (err)
		return err;
	for (size_t i = 0; i < WEIR_PORTS_MAX; i++)
		plane->port[i].wanted = plane->port[i].fresh = plane->port[i].made = false;
	for (size_t i = 0; !err && i < interfaces; i++)
		err = ports_want(plane, &interface[i], error);
	if (!err && !plane->in_force)
		object_for_each_link(plane->path, adopt_link, plane);
	if (!err)
		err = attach_new(plane, error);
	if (err) {
		undo_new(plane);
		return err;
	}
	if (plane->old.set)
		move = move_begin(&plane->old, plane->set);
	move_flows(move);
	plane->in_force = true; /* from the first link that turns */
	err = turn_all(plane, error);
	move_turned(move);
	if (!err)
		settle(plane, move);
	else
		move_free(move);
	return err;
}

int plane_reattach(struct plane *plane, const char *name, struct error *error)
{
	struct port *port = ports_find(plane, name);
	struct object_link link;

	if (!port || !name[0])
		return error_set(error, ERROR_REFUSED, "interface %s: weir does not use it", name);
	if (port->link >= 0 && !object_link_info(port->link, &link) && link.ifindex &&
	    link.ifindex == if_nametoindex(name))
		return 0;
	if (port->link >= 0)
		close(port->link);
	port->link = -1;
	port->ifindex = if_nametoindex(name);
	ports_write(plane, port);
	if (!attach_port(plane, port, error))
		return 0;
	ports_problem(port, error ? error->text : "cannot be attached");
	return -1;
}
