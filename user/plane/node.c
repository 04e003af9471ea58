/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This node's ports, peers and own addresses. In: from the agent (netlink, config) and attach.c. Out: the maps `node` and,
 * for own addresses, `vips`.
 */
#include <errno.h>
#include <string.h>

#include "../lib/log.h"
#include "plane.h"
#include "state.h"
#include "store.h"

void node_set_port(struct plane *plane, size_t position, uint32_t ifindex, const uint8_t mac[6])
{
	struct weir_port *port = &set_node(plane->set)->port[position];
	struct weir_port wanted = {.ifindex = ifindex};

	if (ifindex)
		memcpy(wanted.mac, mac, 6);
	if (port->ifindex != ifindex) /* no packet may see the one port's index with the other's MAC */
		store_words(port, &(struct weir_port){0}, sizeof(port->ifindex) + sizeof(port->pad));
	store_words_backwards(port, &wanted, sizeof(wanted)); /* the MAC, then the word with the index */
}

void plane_set_port_mac(struct plane *plane, const char *name, const uint8_t mac[6])
{
	for (size_t i = 0; plane->set && i < WEIR_PORTS_MAX; i++)
		if (!strcmp(plane->port[i].name, name) && plane->port[i].ifindex)
			node_set_port(plane, i, plane->port[i].ifindex, mac);
}

void plane_set_peers(struct plane *plane, const struct weir_peer *peer, size_t count)
{
	struct weir_node *node = set_node(plane->set);
	uint32_t peers[2] = {0}; /* the number, and the padding behind it */

	if (count > WEIR_PEERS_MAX) {
		log_error("cluster: %zu addresses of peers: only the first %d are watched for", count, WEIR_PEERS_MAX);
		count = WEIR_PEERS_MAX;
	}
	for (size_t i = 0; i < count; i++) {
		struct weir_peer *have = &node->peer[i];

		if (memcmp(&have->addr, &peer[i].addr, sizeof(have->addr)) != 0) {
			store_words(have->mac, &(struct weir_peer){0},
				    sizeof(have->mac)); /* never the one's MAC with the other's address */
			store_words(&have->addr, &peer[i].addr, sizeof(have->addr));
		}
		store_words(have->mac, peer[i].mac, sizeof(have->mac));
	}
	peers[0] = (uint32_t)count;
	store_words(&node->peers, peers, sizeof(peers));
}

static bool is_among(const struct addr *addr, const struct addr *among, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!addr_compare(addr, &among[i]))
			return true;
	return false;
}

/* Own addresses of before that are none any more. */
static int release_own(struct plane *plane, const struct addr *own, size_t count)
{
	for (size_t i = plane->vips.count;
	     i-- > 0;) { /* from behind: an entry that goes leaves its place to the last one */
		const struct vip *vip = &plane->vips.vip[i];
		struct addr addr = vip->addr;
		int err;

		if (!(vip->flags & WEIR_VIP_SELF) || is_among(&vip->addr, own, count))
			continue;
		err = vips_set(&plane->vips, &addr, vip->flags & (uint16_t)~WEIR_VIP_SELF, vip->listener,
			       vip->listeners);
		if (err)
			return err;
	}
	return 0;
}

int plane_set_own(struct plane *plane, const struct addr *own, size_t count)
{
	int err;

	if (count > SET_OWN_MAX) {
		log_error("this node has %zu addresses: packets from peers are told only on the first %d", count,
			  SET_OWN_MAX);
		count = SET_OWN_MAX;
	}
	err = release_own(plane, own, count);
	for (size_t i = 0; !err && i < count; i++) {
		const struct vip *vip = vips_find(&plane->vips, &own[i]);

		err = vips_set(&plane->vips, &own[i], vip ? vip->flags | WEIR_VIP_SELF : WEIR_VIP_SELF,
			       vip ? vip->listener : NULL, vip ? vip->listeners : 0);
	}
	if (err)
		log_error("own addresses: cannot be written to the map: %s", strerror(-err));
	return err;
}
