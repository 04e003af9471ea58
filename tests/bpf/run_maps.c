/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that write what the agent would write. Listeners have to be given in order, as the agent has them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include "../../include/weir/hash.h"
#include "../../user/lib/addr.h"
#include "run.h"

bool address(const char *word, struct weir_addr *out)
{
	struct addr addr;

	if (addr_parse(word, strlen(word), &addr))
		return false;
	memcpy(out, &addr, sizeof(*out));
	return true;
}

static bool mac(const char *word, uint8_t *out)
{
	return sscanf(word, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", out, out + 1, out + 2, out + 3, out + 4, out + 5) ==
	       6;
}

int put(struct bpf_map *map, const void *key, const void *value)
{
	return bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY);
}

static bool has(const char *words, const char *word)
{
	return strstr(words, word) != NULL;
}

int do_service(char **word, int words)
{
	union weir_service service = {};
	uint32_t index = (uint32_t)number(word[1]);

	service.slot_base = (uint32_t)number(word[2]);
	service.slot_bits = (uint8_t)number(word[3]);
	service.forward = strcmp(word[4], "ipip") == 0 ? WEIR_IPIP : WEIR_DSR;
	service.affinity = strcmp(word[5], "client") == 0 ? WEIR_AFFINITY_CLIENT
			   : strcmp(word[5], "none") == 0 ? WEIR_AFFINITY_NONE
							  : WEIR_AFFINITY_FLOW;
	service.flags = words > 6 && strcmp(word[6], "local") == 0 ? WEIR_SERVICE_LOCAL : 0;
	return put(loaded.weir->maps.services, &index, &service);
}

int do_slots(char **word, int words)
{
	uint32_t first = (uint32_t)number(word[1]), count = (uint32_t)number(word[2]);
	union weir_slot slot = {.current = (uint16_t)number(word[3])};

	(void)words;
	for (uint32_t index = first; index < first + count; index++)
		if (put(loaded.weir->maps.slots, &index, &slot))
			return -1;
	return 0;
}

static bool listener(char *word, struct weir_listener *out)
{
	unsigned proto, first, last, service;

	if (sscanf(word, "%u:%u-%u:%u", &proto, &first, &last, &service) != 4)
		return false;
	*out = (struct weir_listener){.proto = (uint8_t)proto,
				      .first = (uint16_t)first,
				      .last = (uint16_t)last,
				      .service = (uint16_t)service};
	return true;
}

/* ---- VIPs, in chains; packets run one after the other with this, so that an element may be used again at once ---- */

static bool used[4096]; /* elements of `vips` */

static int bucket_of(const struct weir_addr *addr, uint32_t *nr, struct weir_vip_bucket *bucket)
{
	*nr = weir_addr_bucket(addr);
	return bpf_map_lookup_elem(bpf_map__fd(loaded.weir->maps.vip_buckets), nr, bucket);
}

/* Takes the address out of its chain, if it is there. */
static int unlink_vip(const struct weir_addr *addr)
{
	uint32_t nr, index, before = WEIR_VIP_NONE;
	struct weir_vip_bucket bucket;
	struct weir_vip vip, last;

	if (bucket_of(addr, &nr, &bucket))
		return -1;
	for (index = bucket.first; index != WEIR_VIP_NONE; before = index, last = vip, index = vip.next) {
		if (bpf_map_lookup_elem(bpf_map__fd(loaded.weir->maps.vips), &index, &vip))
			return -1;
		if (memcmp(&vip.addr, addr, sizeof(*addr)) != 0)
			continue;
		used[index] = false;
		if (before != WEIR_VIP_NONE) {
			last.next = vip.next;
			return put(loaded.weir->maps.vips, &before, &last);
		}
		bucket.first = vip.next;
		return put(loaded.weir->maps.vip_buckets, &nr, &bucket);
	}
	return 0;
}

/* Puts it in front of its chain. */
static int link_vip(struct weir_vip *vip)
{
	struct weir_vip_bucket bucket;
	uint32_t nr, index = 1;

	if (unlink_vip(&vip->addr) || bucket_of(&vip->addr, &nr, &bucket))
		return -1;
	while (used[index])
		if (++index == sizeof(used) / sizeof(*used))
			return -1;
	used[index] = true;
	vip->next = bucket.first;
	bucket.first = index;
	return put(loaded.weir->maps.vips, &index, vip) ? -1 : put(loaded.weir->maps.vip_buckets, &nr, &bucket);
}

int do_vip(char **word, int words)
{
	static struct weir_listener_table table;
	struct weir_vip vip = {};
	struct weir_addr addr;
	bool self = strcmp(word[0], "self") == 0;

	memset(&table, 0, sizeof(table));
	if (!address(word[1], &addr))
		return -1;
	if (strcmp(word[0], "none") == 0) {
		bpf_map_delete_elem(bpf_map__fd(loaded.weir->maps.listeners), &addr);
		return unlink_vip(&addr);
	}
	if (words - 2 > WEIR_LISTENERS_MAX)
		return -1;
	for (int i = 2; i < words; i++)
		if (!listener(word[i], &table.listener[table.listeners++]))
			return -1;
	vip.listeners = (uint16_t)table.listeners;
	vip.flags = self ? WEIR_VIP_SELF : 0;
	if (table.listeners <= WEIR_LISTENERS_INLINE)
		memcpy(vip.listener, table.listener, sizeof(vip.listener));
	else if (put(loaded.weir->maps.listeners, &addr, &table))
		return -1;
	vip.addr = addr;
	return link_vip(&vip);
}

static bool tags(char *word, struct weir_way *way)
{
	unsigned tpid[2], tci[2];
	int got = sscanf(word, "%x.%x,%x.%x", &tpid[0], &tci[0], &tpid[1], &tci[1]);

	way->tags = strcmp(word, "keep") == 0 ? WEIR_TAGS_KEEP : strcmp(word, "0") == 0 ? 0 : (uint8_t)(got / 2);
	for (int i = 0; i < way->tags && i < 2; i++)
		way->tag[i] = (struct weir_tag){htons((uint16_t)tpid[i]), htons((uint16_t)tci[i])};
	return way->tags == WEIR_TAGS_KEEP || strcmp(word, "0") == 0 || got == 2 || got == 4;
}

/* Writes the way that is not in force, then turns over, as the agent does: both ways get tested. */
int do_backend(char **word, int words)
{
	struct weir_backend backend;
	struct weir_way way = {};
	uint32_t index = (uint32_t)number(word[1]);

	(void)words;
	way.flags = (uint8_t)((has(word[2], "resolved") ? WEIR_WAY_RESOLVED : 0) |
			      (has(word[2], "local") ? WEIR_WAY_LOCAL : 0) | (has(word[2], "ip6") ? WEIR_WAY_IP6 : 0));
	way.ifindex = (uint32_t)number(word[3]);
	way.mtu = (uint16_t)number(word[4]);
	if (!mac(word[5], way.dst_mac) || !mac(word[6], way.src_mac) || !tags(word[7], &way) ||
	    !address(word[8], &way.src) || !address(word[9], &way.dst) ||
	    bpf_map_lookup_elem(bpf_map__fd(loaded.weir->maps.backends), &index, &backend))
		return -1;
	backend.active = !backend.active;
	backend.way[backend.active] = way;
	memset(&backend.way[!backend.active], 0xee, sizeof(way));
	return put(loaded.weir->maps.backends, &index, &backend);
}

static int change_node(struct weir_node *node)
{
	uint32_t zero = 0;

	return put(loaded.weir->maps.node, &zero, node);
}

int do_node(char **word, int words)
{
	struct weir_node node;
	uint32_t zero = 0;
	size_t index = number(word[1]);

	if (bpf_map_lookup_elem(bpf_map__fd(loaded.weir->maps.node), &zero, &node))
		return -1;
	if (strcmp(word[0], "peers") == 0) {
		node.peers = (uint32_t)index;
	} else if (words < 4) {
		return -1;
	} else if (strcmp(word[0], "port") == 0) {
		node.port[index % WEIR_PORTS_MAX].ifindex = (uint32_t)number(word[2]);
		if (!mac(word[3], node.port[index % WEIR_PORTS_MAX].mac))
			return -1;
	} else if (!address(word[2], &node.peer[index % WEIR_PEERS_MAX].addr) ||
		   !mac(word[3], node.peer[index % WEIR_PEERS_MAX].mac)) {
		return -1;
	}
	return change_node(&node);
}

int do_decap(char **word, int words)
{
	struct weir_addr addr;
	uint32_t one = 1;

	(void)words;
	return address(word[1], &addr) ? put(loaded.decap->maps.decap_addrs, &addr, &one) : -1;
}
