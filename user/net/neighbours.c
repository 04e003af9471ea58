/* SPDX-License-Identifier: BSD-2-Clause */
/* Neighbours (neighbours.h). In: RTM_NEWNEIGH, RTM_DELNEIGH and time. Out: MACs, and questions to the kernel that keep them true. */
#include "neighbours.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/log.h"
#include "links.h"
#include "netlink.h"

#define MS_NS 1000000ULL

enum {
	VERIFY_MS = 12000,
	VERIFY_SPREAD_MS = 4096, /* by the address, so that 4,096 neighbours are not asked for all at once */
	RETRY_SECONDS_MAX = 5,
	SAY_FULL_MS = 60000,
	ANSWER_MS = 200, /* a question fails no sooner: an earlier "failed" is about an earlier question */
};

enum {
	NUD_FIXED = NUD_PERMANENT | NUD_NOARP,
	NUD_USABLE = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_FIXED,
	NUD_ASKING = NUD_INCOMPLETE | NUD_DELAY | NUD_PROBE, /* the kernel is at it already */
};

struct key {
	uint32_t ifindex;
	struct addr addr;
};

static int compare(const void *key, const void *item)
{
	const struct key *wanted = key;
	const struct neighbour *neighbour = item;

	if (wanted->ifindex != neighbour->ifindex)
		return wanted->ifindex < neighbour->ifindex ? -1 : 1;
	return addr_compare(&wanted->addr, &neighbour->addr);
}

static struct neighbour *neighbour_at(const struct neighbours *neighbours, size_t i)
{
	return neighbours->by_key.item[i];
}

void neighbours_init(struct neighbours *neighbours)
{
	neighbours->by_key.compare = compare;
}

void neighbours_free(struct neighbours *neighbours)
{
	for (size_t i = 0; i < neighbours->by_key.count; i++)
		loop_timer_stop(neighbours->loop, &neighbour_at(neighbours, i)->timer);
	sorted_free(&neighbours->by_key);
}

static void wake_at(struct neighbour *neighbour, uint64_t at_ns)
{
	if (loop_timer_set(neighbour->all->loop, &neighbour->timer, at_ns))
		log_error("neighbours: out of memory"); /* the next event of this neighbour sets it again */
}

static uint64_t spread_ns(const struct neighbour *neighbour)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < sizeof(neighbour->addr.byte); i++)
		hash = (hash ^ neighbour->addr.byte[i]) * 16777619U;
	return (hash >> 8) % VERIFY_SPREAD_MS * MS_NS;
}

/* ---- what the kernel says ---- */

static bool sure(const struct neighbour *neighbour)
{
	return neighbour->known && neighbour->state & NUD_USABLE;
}

static void set_known(struct neighbour *neighbour, const uint8_t *mac)
{
	if (!neighbour->known || neighbour->attempts)
		wake_at(neighbour, loop_now_ns() + VERIFY_MS * MS_NS + spread_ns(neighbour));
	neighbour->attempts = 0;
	neighbour->asked_ns = 0;
	if (neighbour->known && memcmp(neighbour->mac, mac, sizeof(neighbour->mac)) == 0)
		return;
	neighbour->known = true;
	memcpy(neighbour->mac, mac, sizeof(neighbour->mac));
	neighbour->version++;
	neighbour->all->changed(neighbour->all->arg);
}

static void set_unknown(struct neighbour *neighbour)
{
	neighbour->known = false;
	memset(neighbour->mac, 0, sizeof(neighbour->mac));
	neighbour->version++;
	neighbour->all->changed(neighbour->all->arg);
}

static void take_state(struct neighbour *neighbour, uint16_t state, const uint8_t *mac)
{
	static const uint8_t no_mac[6];
	uint64_t now_ns = loop_now_ns();

	neighbour->state = state;
	neighbour->foreign = neighbour->foreign && state;
	if (state & NUD_USABLE && mac && memcmp(mac, no_mac, sizeof(no_mac)) != 0) {
		set_known(neighbour, mac);
		return;
	}
	if (!neighbour->known || state & NUD_INCOMPLETE)
		return;
	/* Failed, or the entry is gone: everybody is asked before the MAC is given up. */
	if (state & NUD_FAILED && neighbour->asked_ns && now_ns - neighbour->asked_ns >= ANSWER_MS * MS_NS)
		set_unknown(neighbour);
	else
		wake_at(neighbour, now_ns);
}

void neighbours_message(struct neighbours *neighbours, const struct nlmsghdr *message)
{
	const struct nlattr *attr[NDA_FLAGS_EXT + 1];
	struct neighbour *neighbour;
	struct ndmsg info;
	struct key key;
	uint32_t more_flags = 0;
	uint8_t mac[6];

	if (netlink_attributes(message, sizeof(info), attr, NDA_FLAGS_EXT))
		return;
	memcpy(&info, mnl_nlmsg_get_payload(message), sizeof(info));
	/* Proxy entries are answers given for others, bridge entries (AF_BRIDGE) are ports. */
	if (info.ndm_flags & NTF_PROXY || !netlink_addr(attr[NDA_DST], info.ndm_family, &key.addr))
		return;
	key.ifindex = (uint32_t)info.ndm_ifindex;
	neighbour = sorted_find(&neighbours->by_key, &key);
	if (!neighbour)
		return;
	(void)netlink_u32(attr[NDA_FLAGS_EXT], &more_flags);
	neighbour->foreign = info.ndm_flags & NTF_EXT_LEARNED || more_flags & NTF_EXT_MANAGED;
	if (message->nlmsg_type == RTM_DELNEIGH)
		take_state(neighbour, 0, NULL);
	else
		take_state(neighbour, info.ndm_state, netlink_bytes(attr[NDA_LLADDR], mac, sizeof(mac)) ? mac : NULL);
}

/* ---- questions to the kernel ---- */

static struct ndmsg *prepare(struct netlink_request *request, const struct neighbour *neighbour, uint16_t type,
			     uint16_t flags)
{
	struct ndmsg *info = netlink_prepare(request, type, flags, sizeof(*info));

	info->ndm_family = (uint8_t)addr_family(&neighbour->addr);
	info->ndm_ifindex = (int)neighbour->ifindex;
	netlink_put_addr(request, NDA_DST, &neighbour->addr);
	return info;
}

static void take_answer(void *arg, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWNEIGH)
		neighbours_message(arg, message);
}

static void read_entry(struct neighbour *neighbour)
{
	struct netlink_request request;

	prepare(&request, neighbour, RTM_GETNEIGH, 0);
	if (netlink_ask(neighbour->all->netlink, &request, take_answer, neighbour->all) == -ENOENT)
		take_state(neighbour, 0, NULL);
}

/* Three unicast questions to the MAC that is known. It is not named here: the kernel may have a newer one. */
static int verify(const struct neighbour *neighbour)
{
	struct netlink_request request;
	struct ndmsg *info = prepare(&request, neighbour, RTM_NEWNEIGH, 0);

	info->ndm_state = NUD_PROBE;
	return netlink_ask(neighbour->all->netlink, &request, NULL, NULL);
}

/* As if the kernel had a packet for it. Never for a permanent entry: newer kernels would make it an ordinary one. */
static void use(struct neighbour *neighbour)
{
	struct neighbours *all = neighbour->all;
	struct netlink_request request;
	struct ndmsg *info = prepare(&request, neighbour, RTM_NEWNEIGH, NLM_F_CREATE);
	int err;

	info->ndm_flags = NTF_USE;
	err = netlink_ask(all->netlink, &request, NULL, NULL);
	neighbour->asked_ns = loop_now_ns();
	if (err == -ENOBUFS && neighbour->asked_ns >= all->say_full_ns) {
		log_warn("the kernel's table of neighbours is full: raise net.ipv%d.neigh.default.gc_thresh3",
			 addr_is_ip4(&neighbour->addr) ? 4 : 6);
		all->say_full_ns = neighbour->asked_ns + SAY_FULL_MS * MS_NS;
	}
	/* Links without ARP have their entry at once, and tell nobody. */
	read_entry(neighbour);
}

static bool may_ask(const struct neighbour *neighbour)
{
	return !(neighbour->state & (NUD_ASKING | NUD_FIXED)) && !neighbour->foreign;
}

/* Sees after a neighbour: verifies it or asks for it, whatever its state needs, and says when to do so again. */
static void attend(struct neighbour *neighbour)
{
	uint64_t pause_ns = RETRY_SECONDS_MAX * 1000 * MS_NS;

	if (!links_up(neighbour->all->links, neighbour->ifindex)) { /* neighbours_hurry comes when it is up */
		wake_at(neighbour, loop_now_ns() + pause_ns);
		return;
	}
	read_entry(neighbour);
	if (may_ask(neighbour) && (!sure(neighbour) || verify(neighbour)))
		use(neighbour);
	if (sure(neighbour)) {
		pause_ns = VERIFY_MS * MS_NS + spread_ns(neighbour);
	} else if (neighbour->attempts < RETRY_SECONDS_MAX) {
		neighbour->attempts++;
		pause_ns = neighbour->attempts * 1000 * MS_NS;
	}
	wake_at(neighbour, loop_now_ns() + pause_ns);
}

static void wake(struct timer *timer, uint64_t now_ns)
{
	(void)now_ns;
	attend(container_of(timer, struct neighbour, timer));
}

/* ---- users ---- */

struct neighbour *neighbours_take(struct neighbours *neighbours, uint32_t ifindex, const struct addr *addr)
{
	struct key key = {.ifindex = ifindex, .addr = *addr};
	struct neighbour *neighbour = sorted_find(&neighbours->by_key, &key);

	if (neighbour) {
		neighbour->users++;
		return neighbour;
	}
	neighbour = calloc(1, sizeof(*neighbour));
	if (!neighbour)
		return NULL;
	*neighbour = (struct neighbour){
		.all = neighbours, .ifindex = ifindex, .addr = *addr, .users = 1, .timer.fire = wake};
	if (sorted_insert(&neighbours->by_key, &key, neighbour)) {
		free(neighbour);
		return NULL;
	}
	read_entry(neighbour);
	if (sure(neighbour))
		wake_at(neighbour, loop_now_ns() + spread_ns(neighbour)); /* it may be an old entry */
	else
		attend(neighbour);
	return neighbour;
}

void neighbours_drop(struct neighbour *neighbour)
{
	struct neighbours *all = neighbour->all;
	struct key key = {.ifindex = neighbour->ifindex, .addr = neighbour->addr};

	if (--neighbour->users)
		return;
	loop_timer_stop(all->loop, &neighbour->timer);
	sorted_remove(&all->by_key, sorted_position(&all->by_key, &key));
	free(neighbour);
}

void neighbours_read(struct neighbours *neighbours)
{
	for (size_t i = 0; i < neighbours->by_key.count; i++)
		read_entry(neighbour_at(neighbours, i));
}

void neighbours_hurry(struct neighbours *neighbours)
{
	for (size_t i = 0; i < neighbours->by_key.count; i++)
		if (!sure(neighbour_at(neighbours, i)))
			wake_at(neighbour_at(neighbours, i), loop_now_ns());
}
