/* SPDX-License-Identifier: BSD-2-Clause */
/* From next hops (net/nexthop) to the ways of the model; peers, own addresses and interfaces likewise to the plane. */
#ifndef WEIR_WAYS_H
#define WEIR_WAYS_H

#include "agent.h"

/* Opens netlink. 0 or -1. */
int ways_open(struct agent *agent, struct error *error);
void ways_close(struct agent *agent);
/* Watches the addresses of `config` beside those watched already. 0 or -ENOMEM. */
int ways_watch(struct agent *agent, const struct config *config);
/* After an apply: those of backends that are being removed, which no config names, too. What is not known of one yet leaves its way as it is. */
void ways_watch_leaving(struct agent *agent);
/* Lets go of all that neither `config` names nor a backend that is being removed needs. */
void ways_trim(struct agent *agent, const struct config *config);
/* The same by and by: a backend is gone. */
void ways_trim_soon(struct agent *agent);
/* How many of the watched addresses have a next hop that may yet answer. */
size_t ways_unresolved(const struct agent *agent);
/* Whether it is one of the configured interfaces. */
bool ways_is_port(const struct agent *agent, uint32_t ifindex);
/* Peers and interfaces of `config`, own addresses: all of it to the plane. */
void ways_tell_plane(struct agent *agent, const struct config *config);

#endif
