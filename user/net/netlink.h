/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnetlink through libmnl: one socket for requests, which waits for the kernel's answer at most a second, and one for events, which
 * never waits. Attributes are taken only when their length is right: what is malformed is as if it were not there.
 */
#ifndef WEIR_NETLINK_H
#define WEIR_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/addr.h"

struct netlink {
	struct mnl_socket *request, *event;
	uint32_t sequence;
	char *answer, *told; /* receive buffers of the two */
};

typedef void (*netlink_each)(void *arg, const struct nlmsghdr *message);

/* Opens both sockets; events are collected from now on. 0 or -errno. */
int netlink_open(struct netlink *netlink);
void netlink_close(struct netlink *netlink);
int netlink_event_fd(const struct netlink *netlink);

/* A request to fill: attributes are put behind `extra`, the family's own header (zeroed). */
struct netlink_request {
	union {
		struct nlmsghdr header;
		char room[256];
	};
};
void *netlink_prepare(struct netlink_request *request, uint16_t type, uint16_t flags, size_t extra);
void netlink_put_addr(struct netlink_request *request, uint16_t type, const struct addr *addr);
/* Sends a request and hands the answers, if any, to `each` (may be NULL). 0, what the kernel answered (-errno), or -ETIMEDOUT. */
int netlink_ask(struct netlink *netlink, struct netlink_request *request, netlink_each each, void *arg);
/* All objects of a kind (RTM_GETLINK, RTM_GETADDR). A dump that a change has torn is asked for again: `each` may see an object twice. 0 or -errno. */
int netlink_dump(struct netlink *netlink, uint16_t type, netlink_each each, void *arg);

/* Hands waiting events to `each`, a bounded number of them. 0, or -ENOBUFS when events were lost: everything has to be dumped again. */
int netlink_events(struct netlink *netlink, netlink_each each, void *arg);
/* Throws waiting events away: before a dump, that nothing older than it is told after it. */
void netlink_drain(struct netlink *netlink);

/* Attributes by type into table[0..max]; `offset` = bytes of the family's header. 0, or -EINVAL for a message shorter than that. */
int netlink_attributes(const struct nlmsghdr *message, size_t offset, const struct nlattr **table, uint16_t max);
void netlink_nested(const struct nlattr *attr, const struct nlattr **table, uint16_t max);
/* The value, if the attribute is there and as long as it has to be. */
bool netlink_u16(const struct nlattr *attr, uint16_t *value);
bool netlink_u32(const struct nlattr *attr, uint32_t *value);
bool netlink_bytes(const struct nlattr *attr, void *bytes, size_t size);
bool netlink_addr(const struct nlattr *attr, int family, struct addr *addr);
/* A string that fits `size` with its closing 0 (which the kernel may leave out). */
bool netlink_string(const struct nlattr *attr, char *text, size_t size);

#endif
