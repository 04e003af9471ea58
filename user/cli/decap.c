/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `weir decap`. Input: an interface, its addresses. Output: bpf/decap.bpf.c attached to it; it stays when this has ended.
 * Attaching again brings addresses, and an older program, up to date; counters go on.
 */
#include "decap.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include <decap.skel.h>

#include "../lib/addr.h"
#include "complain.h"
#include "decap_program.h"

struct decap {
	const char *interface;
	uint32_t ifindex;
	struct decap_program found; /* what runs there when we come */
	struct decap_bpf *skeleton;
	size_t addresses;
};

static char last_words[256]; /* of libbpf, for the case that it fails; its print callback has no argument */

__attribute__((format(printf, 2, 0))) static int keep_last_words(enum libbpf_print_level level, const char *format,
								 va_list arguments)
{
	if (level == LIBBPF_WARN)
		vsnprintf(last_words, sizeof(last_words), format, arguments);
	return 0;
}

static int failed(const char *what, int err, struct error *error)
{
	size_t length = strcspn(last_words, "\n");

	if (err == -EPERM || err == -EACCES)
		return error_set(error, ERROR_REFUSED, "decap: %s: %s: root is needed (CAP_BPF, CAP_NET_ADMIN)", what,
				 strerror(-err));
	return error_set(error, ERROR_REFUSED, "decap: %s: %s%s%.*s", what, strerror(-err), length ? ": " : "",
			 (int)length, last_words);
}

/* ---- addresses ---- */

/* For IPv4 the kernel gives an address's label, which may be `eth0:1`. */
static bool is_of(const struct ifaddrs *address, const char *interface)
{
	size_t length = strlen(interface);

	return address->ifa_addr && strncmp(address->ifa_name, interface, length) == 0 &&
	       (address->ifa_name[length] == '\0' || address->ifa_name[length] == ':');
}

static bool take_address(const struct sockaddr *sockaddr, struct addr *addr)
{
	if (sockaddr->sa_family == AF_INET)
		addr_from_bytes(addr, AF_INET, &((const struct sockaddr_in *)(const void *)sockaddr)->sin_addr);
	else if (sockaddr->sa_family == AF_INET6)
		addr_from_bytes(addr, AF_INET6, &((const struct sockaddr_in6 *)(const void *)sockaddr)->sin6_addr);
	else
		return false;
	return true;
}

static bool is_among(const struct ifaddrs *addresses, const char *interface, const struct addr *addr)
{
	for (const struct ifaddrs *i = addresses; i; i = i->ifa_next) {
		struct addr each;

		if (is_of(i, interface) && take_address(i->ifa_addr, &each) && addr_compare(&each, addr) == 0)
			return true;
	}
	return false;
}

/* Addresses that the interface has lost; a key that goes is no place to go on from, so it begins anew. */
static void remove_old(int map, const struct ifaddrs *addresses, const char *interface)
{
	struct addr key;
	const struct addr *last = NULL;
	struct addr next;

	while (bpf_map_get_next_key(map, last, &next) == 0) {
		key = next;
		last = &key;
		if (!is_among(addresses, interface, &key) && bpf_map_delete_elem(map, &key) == 0)
			last = NULL;
	}
}

static int fill_addresses(struct decap *decap, struct error *error)
{
	int map = bpf_map__fd(decap->skeleton->maps.decap_addrs), err = 0;
	struct ifaddrs *addresses;
	uint32_t yes = 1;

	if (getifaddrs(&addresses) != 0)
		return failed("addresses of the interface", -errno, error);
	remove_old(map, addresses, decap->interface);
	for (const struct ifaddrs *i = addresses; i && !err; i = i->ifa_next) {
		struct addr addr;

		if (!is_of(i, decap->interface) || !take_address(i->ifa_addr, &addr))
			continue;
		err = bpf_map_update_elem(map, &addr, &yes, BPF_ANY) ? -errno : 0;
		decap->addresses++;
	}
	freeifaddrs(addresses);
	return err ? failed("addresses of the interface", err, error) : 0;
}

/* ---- attach, detach ---- */

/* The maps of a program of ours that is there stay in use: its counters go on, and it sees the new addresses at once. */
static int load(struct decap *decap, struct error *error)
{
	const struct decap_program *found = &decap->found;
	int err = 0;

	decap->skeleton = decap_bpf__open();
	if (!decap->skeleton)
		return failed("program", -errno, error);
	if (found->ours)
		err = bpf_map__reuse_fd(decap->skeleton->maps.decap_addrs, found->addrs);
	if (!err && found->ours)
		err = bpf_map__reuse_fd(decap->skeleton->maps.decap_counters, found->counters);
	if (!err)
		err = decap_bpf__load(decap->skeleton);
	return err ? failed("program", err, error) : 0;
}

static void say(const struct decap *decap, const char *how, bool generic)
{
	printf("%s: %s, xdp %s, %zu address%s\n", decap->interface, how, generic ? "generic" : "native",
	       decap->addresses, decap->addresses == 1 ? "" : "es");
	if (decap->addresses == 0)
		complain_text(
			"warning: ",
			"the interface has no address: nothing is stripped until it has one and this is run again");
}

static int attach(struct decap *decap, bool generic, struct error *error)
{
	const struct decap_program *found = &decap->found;
	int program;

	if (load(decap, error) || fill_addresses(decap, error))
		return -1;
	program = bpf_program__fd(decap->skeleton->progs.decap);
	if (found->ours && decap_program_is(found, program)) {
		say(decap, "already attached", found->generic);
		return 0;
	}
	if (decap_program_attach(decap->interface, decap->ifindex, program, generic, found, error))
		return -1;
	say(decap, found->ours ? "program replaced" : "attached", found->ours ? found->generic : generic);
	return 0;
}

static int check_kind(const struct call *call, struct error *error)
{
	if (call->words < 2 || word_is(&call->word[1], "ipip"))
		return 0;
	if (word_is(&call->word[1], "gue"))
		return error_set(error, ERROR_REFUSED, "decap attach: gue: not supported yet");
	return error_set(error, ERROR_USAGE, "decap attach: \"%.60s\": must be ipip", call->word[1].text);
}

static int find_interface(struct decap *decap, const struct call *call, struct error *error)
{
	*decap = (struct decap){
		.interface = call->word[0].text,
		.ifindex = if_nametoindex(call->word[0].text),
		.found = {.program = -1, .addrs = -1, .counters = -1},
	};
	libbpf_set_print(keep_last_words);
	if (!decap->ifindex)
		return error_set(error, ERROR_NO_SUCH, "interface \"%.60s\": no such interface", decap->interface);
	return decap_program_find(decap->interface, decap->ifindex, &decap->found, error);
}

int decap_attach(const struct call *call)
{
	struct error error = {.code = ERROR_NONE};
	struct decap decap;
	int rc = check_kind(call, &error);

	if (rc)
		return complain(&error);
	rc = find_interface(&decap, call, &error);
	if (!rc)
		rc = attach(&decap, call->options.given & OPTION_GENERIC, &error);
	decap_bpf__destroy(decap.skeleton);
	decap_program_close(&decap.found);
	return rc ? complain(&error) : 0;
}

int decap_detach(const struct call *call)
{
	struct error error = {.code = ERROR_NONE};
	struct decap decap;
	int rc = find_interface(&decap, call, &error);

	if (!rc && decap.found.ours)
		rc = decap_program_detach(decap.interface, decap.ifindex, &decap.found, &error);
	if (!rc)
		printf("%s: %s\n", decap.interface, decap.found.ours ? "detached" : "already detached");
	decap_program_close(&decap.found);
	return rc ? complain(&error) : 0;
}
