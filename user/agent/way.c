/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One way. In: the next hop of a backend's address and its service's forwarding mode. Out: the image that the data
 * path goes by, or why there is none, in the model's word and in a sentence.
 */
#include "way.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Why a next hop that answers is still no way for this forwarding mode; NULL if it is one. */
static const char *unfit(const struct nexthop *nexthop, enum weir_forward forward)
{
	if (nexthop->state != NEXTHOP_RESOLVED)
		return NULL;
	if (forward == WEIR_DSR && nexthop->has_gateway)
		return "it is behind a router, and dsr reaches only the same LAN: use `forward ipip`";
	if (forward == WEIR_IPIP && addr_is_none(&nexthop->source))
		return "this node has no address of that family to send from";
	return NULL;
}

static void fill_tags(struct weir_way *image, const struct nexthop *nexthop)
{
	if (nexthop->tags == 0) {
		image->tags = nexthop->port_has_vlans ? 0 : WEIR_TAGS_KEEP;
		return;
	}
	image->tags = nexthop->tags;
	for (size_t i = 0; i < nexthop->tags && i < 2; i++) {
		image->tag[i].tpid = htons(nexthop->tag[i].tpid);
		image->tag[i].tci = htons(nexthop->tag[i].tci);
	}
}

static void fill(struct weir_way *image, const struct nexthop *nexthop, const struct addr *addr)
{
	image->ifindex = nexthop->ifindex;
	image->mtu = nexthop->mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)nexthop->mtu;
	image->flags = WEIR_WAY_RESOLVED | (addr_is_ip4(addr) ? 0 : WEIR_WAY_IP6);
	memcpy(image->dst_mac, nexthop->mac, sizeof(image->dst_mac));
	memcpy(image->src_mac, nexthop->source_mac, sizeof(image->src_mac));
	fill_tags(image, nexthop);
	memcpy(&image->src, &nexthop->source, sizeof(image->src));
	memcpy(&image->dst, addr, sizeof(image->dst));
}

static struct model_way make(const struct nexthop *nexthop, enum weir_forward forward, const struct addr *addr)
{
	static const enum way_state states[] = {
		[NEXTHOP_UNRESOLVED] = WAY_UNRESOLVED, [NEXTHOP_RESOLVED] = WAY_READY, [NEXTHOP_LOCAL] = WAY_LOCAL,
		[NEXTHOP_NO_ROUTE] = WAY_NO_ROUTE,     [NEXTHOP_DOWN] = WAY_DOWN,
	};
	struct model_way way = {.state = states[nexthop->state]};

	if (unfit(nexthop, forward))
		way.state = WAY_NO_ROUTE;
	else if (way.state == WAY_LOCAL)
		way.image.flags = WEIR_WAY_LOCAL;
	else if (way.state == WAY_READY)
		fill(&way.image, nexthop, addr);
	return way;
}

struct model_way way_make(void *arg, const struct model_service *service, const struct model_backend *backend)
{
	const struct agent *agent = arg;
	struct nexthop nexthop;

	if (!nexthops_find(agent->nexthops, &backend->config.addr, &nexthop))
		return (struct model_way){.state = WAY_UNKNOWN};
	return make(&nexthop, service->config.forward, &backend->config.addr);
}

const char *way_describe(const struct agent *agent, enum weir_forward forward, const struct addr *addr, char *text,
			 size_t size)
{
	struct nexthop nexthop;
	char address[ADDR_TEXT];

	if (!nexthops_find(agent->nexthops, addr, &nexthop))
		snprintf(text, size, "not watched");
	else if (unfit(&nexthop, forward))
		snprintf(text, size, "%s by %s: %s", addr_format(addr, address), nexthop.device,
			 unfit(&nexthop, forward));
	else
		nexthop_describe(&nexthop, text, size);
	return text;
}
