/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links by bpf(BPF_LINK_CREATE): the kernel lets nobody else replace a program that a link holds, and takes a new program
 * in one step. The kernel says only an error number when it refuses; what it means is worked out here, for the message.
 */
#include "link.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/ethtool.h"
#include "../lib/log.h"
#include "holder.h"

enum { MTU_ETHERNET = 1500 };

const char *link_mode_word(enum xdp_mode mode)
{
	static const char *const word[] = {"native", "generic", "auto"};

	return word[mode];
}

/* ---- what an interface is ---- */

static int ask(const char *name, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	err = ioctl(fd, request, ifr) ? -errno : 0;
	close(fd);
	return err;
}

int link_mac(const char *name, uint8_t mac[6])
{
	struct ifreq ifr = {0};
	int err = ask(name, SIOCGIFHWADDR, &ifr);

	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	return err;
}

static int link_mtu(const char *name)
{
	struct ifreq ifr = {0};

	return ask(name, SIOCGIFMTU, &ifr) ? 0 : ifr.ifr_mtu;
}

static void query(uint32_t ifindex, struct bpf_xdp_query_opts *state)
{
	memset(state, 0, sizeof(*state));
	state->sz = sizeof(*state);
	if (bpf_xdp_query((int)ifindex, 0, state)) {
		memset(state, 0, sizeof(*state));
		state->sz = sizeof(*state);
	}
}

bool link_is_here(uint32_t ifindex, uint32_t program_id, enum xdp_mode *mode)
{
	struct bpf_xdp_query_opts state;

	query(ifindex, &state);
	*mode = state.skb_prog_id == program_id ? XDP_MODE_GENERIC : XDP_MODE_NATIVE;
	return program_id && (state.skb_prog_id == program_id || state.drv_prog_id == program_id);
}

/* ---- refusals ---- */

static void program_name(uint32_t id, char *name, size_t size)
{
	struct bpf_prog_info info = {.id = 0};
	__u32 length = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id); /* needs CAP_SYS_ADMIN: without it the number has to do */

	name[0] = 0;
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &length))
		snprintf(name, size, " \"%s\"", info.name);
	close(fd);
}

static int refuse_foreign(const char *name, uint32_t ifindex, int err, struct error *error)
{
	struct bpf_xdp_query_opts state;
	char program[BPF_OBJ_NAME_LEN + 4], who[64];
	uint32_t id;
	pid_t pid;

	query(ifindex, &state);
	id = state.drv_prog_id ? state.drv_prog_id : state.skb_prog_id ? state.skb_prog_id : state.hw_prog_id;
	if (!id)
		return error_set(error, ERROR_REFUSED,
				 "interface %s: the kernel refuses the XDP program: %s (a device above it may run one)",
				 name, strerror(err));
	program_name(id, program, sizeof(program));
	pid = holder_of_program(id);
	return error_set(
		error, ERROR_REFUSED,
		"interface %s: runs another XDP program already,%s id %u, held by %s; weir replaces none: take that off first%s",
		name, program, id,
		pid ? holder_describe(pid, who, sizeof(who)) : "no process that can be told (pinned, or by ip link)",
		pid ? "" : " (ip link set dev IFACE xdp off, or weir-agent --unload --bpffs DIR for one of weir's)");
}

static int refuse(const char *name, uint32_t ifindex, enum xdp_mode mode, int err, struct error *error)
{
	int mtu = link_mtu(name);
	char driver[32] = "";

	if (err == EBUSY || err == EEXIST)
		return refuse_foreign(name, ifindex, err, error);
	(void)ethtool_driver(name, driver, sizeof(driver));
	if (err == ERANGE || ((err == EINVAL || err == EOPNOTSUPP) && mtu > MTU_ETHERNET))
		return error_set(
			error, ERROR_REFUSED,
			"interface %s: xdp %s: the driver (%s) refuses with %s: MTU %d is more than it carries for an XDP program "
			"in one buffer; lower the MTU (of a veth: the peer's), or say xdp generic (larger frames by xdp.frags are not "
			"supported yet)",
			name, link_mode_word(mode), driver, strerror(err), mtu);
	if (err == EOPNOTSUPP)
		return error_set(error, ERROR_REFUSED,
				 "interface %s: xdp %s: the driver (%s) has none; xdp generic works everywhere, slower",
				 name, link_mode_word(mode), driver);
	if (err == EPERM)
		return error_set(error, ERROR_REFUSED, "interface %s: xdp %s: %s: it needs CAP_NET_ADMIN", name,
				 link_mode_word(mode), strerror(err));
	return error_set(error, ERROR_REFUSED, "interface %s: xdp %s: refused by the kernel or the driver (%s): %s",
			 name, link_mode_word(mode), driver, strerror(err));
}

int link_check(const char *name, uint32_t ifindex, struct error *error)
{
	struct bpf_xdp_query_opts state;

	if (!ifindex)
		return error_set(error, ERROR_REFUSED, "interface %s: no such interface", name);
	query(ifindex, &state);
	return state.attach_mode == XDP_ATTACHED_NONE ? 0 : refuse_foreign(name, ifindex, EBUSY, error);
}

/* ---- making ---- */

static int create(uint32_t ifindex, int program, enum xdp_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mode == XDP_MODE_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(program, (int)ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}

int link_create(const char *name, uint32_t ifindex, int program, enum xdp_mode asked, enum xdp_mode *taken,
		struct error *error)
{
	int fd;

	*taken = asked == XDP_MODE_AUTO ? XDP_MODE_NATIVE : asked;
	if (link_check(name, ifindex, error))
		return -1;
	fd = create(ifindex, program, *taken);
	if (fd < 0 && asked == XDP_MODE_AUTO && fd != -EBUSY && fd != -EEXIST && fd != -EPERM) {
		struct error why = {.code = ERROR_NONE};

		refuse(name, ifindex, XDP_MODE_NATIVE, -fd, &why);
		log_warn("%s: taking generic mode, which is slower", why.text);
		*taken = XDP_MODE_GENERIC;
		fd = create(ifindex, program, *taken);
	}
	if (fd < 0)
		return refuse(name, ifindex, *taken, -fd, error);
	log_info("interface %s: attached, xdp %s%s", name, link_mode_word(*taken),
		 asked == XDP_MODE_AUTO ? " (asked for: auto)" : "");
	return fd;
}
