/* SPDX-License-Identifier: BSD-2-Clause */
/* rtnetlink (netlink.h). In: requests from links, neighbours and routes; events from the kernel. Out: one message at a time to the callers' functions. */
#include "netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum {
	BUFFER_BYTES = 65536,         /* more than the kernel ever puts into one datagram */
	EVENT_BUFFER_BYTES = 4 << 20, /* waiting events, while the loop is busy elsewhere */
	EVENTS_AT_ONCE = 64,
	DRAIN_AT_MOST = 65536,
	TIME_LIMIT_MS = 1000,
	DUMP_TRIES = 8,
};

static const int groups[] = {
	RTNLGRP_LINK,        RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE,
	RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE,   RTNLGRP_NEXTHOP,
};

static int socket_open(struct mnl_socket **socket, int flags)
{
	*socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);
	if (!*socket || mnl_socket_bind(*socket, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	return 0;
}

static int join_groups(struct netlink *netlink)
{
	int bytes = EVENT_BUFFER_BYTES, fd = mnl_socket_get_fd(netlink->event);

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(netlink->event, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
			return -errno;
	}
	/* A small buffer is no fault, only more dumps: the system's limit holds where it cannot be passed. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return 0;
}

int netlink_open(struct netlink *netlink)
{
	struct timeval limit = {.tv_usec = TIME_LIMIT_MS * 1000 / 4};
	int on = 1, err;

	memset(netlink, 0, sizeof(*netlink));
	netlink->answer = malloc(BUFFER_BYTES);
	netlink->told = malloc(BUFFER_BYTES);
	err = netlink->answer && netlink->told ? 0 : -ENOMEM;
	if (!err)
		err = socket_open(&netlink->request, 0);
	if (!err && setsockopt(mnl_socket_get_fd(netlink->request), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		err = -errno;
	if (!err)
		err = socket_open(&netlink->event, SOCK_NONBLOCK);
	if (!err)
		err = join_groups(netlink);
	if (err) {
		netlink_close(netlink);
		return err;
	}
	/* Errors need not carry the request that they answer. */
	(void)mnl_socket_setsockopt(netlink->request, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->request)
		mnl_socket_close(netlink->request);
	if (netlink->event)
		mnl_socket_close(netlink->event);
	free(netlink->answer);
	free(netlink->told);
	memset(netlink, 0, sizeof(*netlink));
}

int netlink_event_fd(const struct netlink *netlink)
{
	return mnl_socket_get_fd(netlink->event);
}

/* One datagram. Returns its bytes, 0 for one that does not count, or -errno. */
static int receive(const struct mnl_socket *socket, char *buffer)
{
	struct sockaddr_nl from = {0};
	struct iovec piece = {buffer, BUFFER_BYTES};
	struct msghdr header = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &piece, .msg_iovlen = 1};
	ssize_t got = recvmsg(mnl_socket_get_fd(socket), &header, 0);

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	if (header.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	/* Another process may send here too; only the kernel (port 0) is believed. */
	return header.msg_namelen == sizeof(from) && from.nl_pid == 0 ? (int)got : 0;
}

/* ---- requests ---- */

void *netlink_prepare(struct netlink_request *request, uint16_t type, uint16_t flags, size_t extra)
{
	memset(request, 0, sizeof(*request));
	mnl_nlmsg_put_header(request->room);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(&request->header, extra);
}

void netlink_put_addr(struct netlink_request *request, uint16_t type, const struct addr *addr)
{
	mnl_attr_put(&request->header, type, addr_is_ip4(addr) ? 4 : 16, addr_bytes(addr));
}

enum { GO_ON = 1 };

/* Returns GO_ON, 0 at the end, or -errno. `torn` is set when the kernel says that a dump is not of one moment. */
static int take_answer(const struct nlmsghdr *message, netlink_each each, void *arg, bool *torn)
{
	int code = 0;

	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		*torn = true;
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return GO_ON;
	case NLMSG_ERROR: /* an acknowledgement is error 0 */
	case NLMSG_DONE:
		if (mnl_nlmsg_get_payload_len(message) >= sizeof(code))
			memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
		return code > 0 ? -EPROTO : code;
	default:
		if (each)
			each(arg, message);
		return GO_ON;
	}
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int collect(struct netlink *netlink, netlink_each each, void *arg)
{
	uint64_t until = now_ms() + TIME_LIMIT_MS;
	bool torn = false;

	do {
		int length = receive(netlink->request, netlink->answer);
		const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)netlink->answer;

		if (length < 0 && length != -EAGAIN)
			return length;
		for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
			int result = GO_ON;

			if (message->nlmsg_seq == netlink->sequence) /* else a late answer to an earlier request */
				result = take_answer(message, each, arg, &torn);
			if (result != GO_ON)
				return result ? result : torn ? -EINTR : 0;
		}
	} while (now_ms() < until);
	return -ETIMEDOUT;
}

int netlink_ask(struct netlink *netlink, struct netlink_request *request, netlink_each each, void *arg)
{
	request->header.nlmsg_seq = ++netlink->sequence;
	if (!(request->header.nlmsg_flags & NLM_F_DUMP))
		request->header.nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(netlink->request, request, request->header.nlmsg_len) < 0)
		return -errno;
	return collect(netlink, each, arg);
}

int netlink_dump(struct netlink *netlink, uint16_t type, netlink_each each, void *arg)
{
	int err = -EINTR;

	for (int i = 0; i < DUMP_TRIES && err == -EINTR; i++) {
		struct netlink_request request;

		/* A header of all zeros, long enough for every kind: family AF_UNSPEC, no filter. */
		netlink_prepare(&request, type, NLM_F_DUMP,
				type == RTM_GETLINK ? sizeof(struct ifinfomsg) : sizeof(struct ifaddrmsg));
		err = netlink_ask(netlink, &request, each, arg);
	}
	return err;
}

/* ---- events ---- */

int netlink_events(struct netlink *netlink, netlink_each each, void *arg)
{
	for (int i = 0; i < EVENTS_AT_ONCE; i++) {
		int length = receive(netlink->event, netlink->told);
		const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)netlink->told;

		if (length < 0)
			return length == -EAGAIN ? 0 : length;
		for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length))
			each(arg, message);
	}
	return 0;
}

void netlink_drain(struct netlink *netlink)
{
	for (int i = 0; i < DRAIN_AT_MOST; i++)
		if (receive(netlink->event, netlink->told) == -EAGAIN)
			return;
}

/* ---- attributes ---- */

struct table {
	const struct nlattr **attr;
	uint16_t max;
};

static int put_in_table(const struct nlattr *attr, void *arg)
{
	const struct table *table = arg;
	uint16_t type = mnl_attr_get_type(attr);

	if (type <= table->max)
		table->attr[type] = attr;
	return MNL_CB_OK;
}

static void parse(const char *attributes, size_t length, const struct nlattr **attr, uint16_t max)
{
	struct table table = {attr, max};

	memset(attr, 0, (max + 1U) * sizeof(*attr));
	(void)mnl_attr_parse_payload(attributes, length, put_in_table, &table);
}

int netlink_attributes(const struct nlmsghdr *message, size_t offset, const struct nlattr **table, uint16_t max)
{
	size_t length = mnl_nlmsg_get_payload_len(message), start = (offset + 3) & ~(size_t)3;

	if (length < offset)
		return -EINVAL;
	parse((const char *)mnl_nlmsg_get_payload(message) + start, length > start ? length - start : 0, table, max);
	return 0;
}

void netlink_nested(const struct nlattr *attr, const struct nlattr **table, uint16_t max)
{
	parse(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), table, max);
}

bool netlink_bytes(const struct nlattr *attr, void *bytes, size_t size)
{
	if (!attr || mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(bytes, mnl_attr_get_payload(attr), size);
	return true;
}

bool netlink_u16(const struct nlattr *attr, uint16_t *value)
{
	return netlink_bytes(attr, value, sizeof(*value));
}

bool netlink_u32(const struct nlattr *attr, uint32_t *value)
{
	return netlink_bytes(attr, value, sizeof(*value));
}

bool netlink_addr(const struct nlattr *attr, int family, struct addr *addr)
{
	uint8_t bytes[16];

	if ((family != AF_INET && family != AF_INET6) || !netlink_bytes(attr, bytes, family == AF_INET ? 4 : 16))
		return false;
	addr_from_bytes(addr, family, bytes);
	return true;
}

bool netlink_string(const struct nlattr *attr, char *text, size_t size)
{
	size_t length;

	if (!attr)
		return false;
	length = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	if (length == 0 || length >= size)
		return false;
	memcpy(text, mnl_attr_get_payload(attr), length);
	text[length] = 0;
	return true;
}
