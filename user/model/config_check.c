/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must hold between the objects of a config, whether it came from a file or was changed by commands: listeners that do not overlap, addresses that are
 * one thing only, sizes within the limits; and what may not change while the program is loaded. Each fault is reported at the later of the two objects.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/error.h"
#include "config.h"

enum listener_kind { KIND_EXACT, KIND_RANGE, KIND_ANY };

/* A listener with its service, in the order of the config. */
struct entry {
	const struct config_service *service;
	const struct config_listener *listener;
	size_t order;
	enum listener_kind kind;
};

struct place_shown {
	char text[300];
};

/* ` (weir.conf:12:5)` or nothing. */
static struct place_shown show(const struct config *config, const struct place *place)
{
	struct place_shown shown = {.text = ""};

	if (place->line && place->file < config->files)
		snprintf(shown.text, sizeof(shown.text), " (%s:%d:%d)", config->file[place->file], place->line,
			 place->col);
	return shown;
}

static const char *file_of(const struct config *config, const struct place *place)
{
	return place->line && place->file < config->files ? config->file[place->file] : NULL;
}

#define FAULT(config, errors, place, ...) \
	errors_add(errors, file_of(config, place), (place)->line, (place)->col, ERROR_REFUSED, __VA_ARGS__)

static const char *protocol(uint8_t proto)
{
	return proto == IPPROTO_UDP ? "udp" : "tcp";
}

static const char *ports_text(const struct config_listener *listener, char text[16])
{
	if (listener->first == 0)
		return "any";
	snprintf(text, 16, listener->first == listener->last ? "%u" : "%u-%u", listener->first, listener->last);
	return text;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int vip = addr_compare(&a->listener->vip, &b->listener->vip);

	if (vip)
		return vip;
	if (a->listener->proto != b->listener->proto)
		return a->listener->proto < b->listener->proto ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->listener->first != b->listener->first)
		return a->listener->first < b->listener->first ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/* All listeners, sorted by VIP, protocol, kind, first port. *failed when memory is out. */
static struct entry *sorted_listeners(const struct config *config, size_t *count, bool *failed)
{
	struct entry *entry;
	size_t total = 0;

	*count = 0;
	for (size_t s = 0; s < config->services; s++)
		total += config->service[s].listeners;
	if (!total)
		return NULL;
	entry = calloc(total, sizeof(*entry));
	if (!entry) {
		*failed = true;
		return NULL;
	}
	for (size_t s = 0; s < config->services; s++) {
		for (size_t i = 0; i < config->service[s].listeners; i++) {
			const struct config_listener *listener = &config->service[s].listener[i];
			enum listener_kind kind = listener->first == listener->last ? KIND_EXACT
						  : listener->first == 0            ? KIND_ANY
										    : KIND_RANGE;

			entry[*count] = (struct entry){&config->service[s], listener, *count, kind};
			++*count;
		}
	}
	qsort(entry, *count, sizeof(*entry), compare_entries);
	return entry;
}

static bool same_group(const struct entry *a, const struct entry *b)
{
	return addr_compare(&a->listener->vip, &b->listener->vip) == 0 && a->listener->proto == b->listener->proto &&
	       a->kind == b->kind;
}

static void fault_overlap(const struct config *config, const struct entry *a, const struct entry *b,
			  struct errors *errors)
{
	const struct entry *first = a->order < b->order ? a : b, *second = first == a ? b : a;
	char vip[ADDR_TEXT], ports[16], others[16];

	FAULT(config, errors, &second->listener->place,
	      "service \"%s\": listen %s %s %s: overlaps %s of service \"%s\"%s", second->service->name,
	      addr_format(&second->listener->vip, vip), protocol(second->listener->proto),
	      ports_text(second->listener, ports), ports_text(first->listener, others), first->service->name,
	      show(config, &first->listener->place).text);
}

/* An exact port within a range, or a range within `any`, is meant; two of one kind are not. */
static void check_overlaps(const struct config *config, const struct entry *entry, size_t entries,
			   struct errors *errors)
{
	const struct entry *reaching = NULL; /* of its group so far the one that goes furthest */

	for (size_t i = 0; i < entries; i++) {
		if (!reaching || !same_group(reaching, &entry[i])) {
			reaching = &entry[i];
			continue;
		}
		if (entry[i].listener->first <= reaching->listener->last)
			fault_overlap(config, reaching, &entry[i], errors);
		if (entry[i].listener->last > reaching->listener->last)
			reaching = &entry[i];
	}
}

/* At most so many disjoint stretches do the listeners of one VIP and protocol make (listeners_flatten). */
static size_t stretches(const size_t count[3])
{
	size_t ports = count[KIND_EXACT] + (count[KIND_RANGE] ? count[KIND_EXACT] + count[KIND_RANGE] : 0);

	return count[KIND_ANY] ? 2 * (count[KIND_EXACT] + count[KIND_RANGE]) + 1 : ports;
}

/* Entries of one VIP: room in its tables? */
static void check_stretches(const struct config *config, const struct entry *entry, size_t entries,
			    struct errors *errors)
{
	size_t count[2][3] = {{0}}, total;
	char vip[ADDR_TEXT];

	for (size_t i = 0; i < entries; i++)
		count[entry[i].listener->proto == IPPROTO_UDP][entry[i].kind]++;
	total = stretches(count[0]) + stretches(count[1]);
	if (total > WEIR_LISTENERS_MAX)
		FAULT(config, errors, &entry[entries - 1].listener->place,
		      "VIP %s: its listeners make up to %zu stretches of ports, %d is the most",
		      addr_format(&entry->listener->vip, vip), total, WEIR_LISTENERS_MAX);
}

/* Walks the VIPs. Returns how many there are. */
static size_t check_vips(const struct config *config, const struct entry *entry, size_t entries, struct errors *errors)
{
	size_t vips = 0;

	for (size_t i = 0, end; i < entries; i = end) {
		for (end = i + 1;
		     end < entries && addr_compare(&entry[i].listener->vip, &entry[end].listener->vip) == 0; end++)
			;
		check_stretches(config, &entry[i], end - i, errors);
		vips++;
	}
	return vips;
}

static int compare_vip(const void *key, const void *element)
{
	const struct entry *entry = element;

	return addr_compare(key, &entry->listener->vip);
}

/* The first listener of this VIP, or NULL. */
static const struct entry *find_vip(const struct entry *entry, size_t entries, const struct addr *addr)
{
	const struct entry *vip = entries ? bsearch(addr, entry, entries, sizeof(*entry), compare_vip) : NULL;

	while (vip && vip > entry && compare_vip(addr, vip - 1) == 0)
		vip--;
	return vip;
}

static int compare_backends(const void *left, const void *right)
{
	const struct config_backend *a = *(const struct config_backend *const *)left,
				    *b = *(const struct config_backend *const *)right;
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : a < b ? -1 : a > b;
}

static void check_twins(const struct config *config, const struct config_service *service, struct errors *errors)
{
	const struct config_backend **sorted = calloc(service->backends + 1, sizeof(*sorted));
	char text[ADDR_TEXT];

	for (size_t i = 0; sorted && i < service->backends; i++)
		sorted[i] = &service->backend[i];
	if (sorted)
		qsort(sorted, service->backends, sizeof(*sorted), compare_backends);
	else
		errors_add(errors, NULL, 0, 0, ERROR_REFUSED, "out of memory");
	for (size_t i = 1; sorted && i < service->backends; i++)
		if (addr_compare(&sorted[i]->addr, &sorted[i - 1]->addr) == 0)
			FAULT(config, errors, &sorted[i]->place, "backend %s: is given twice in service \"%s\"%s",
			      addr_format(&sorted[i]->addr, text), service->name,
			      show(config, &sorted[i - 1]->place).text);
	free(sorted);
}

static void check_backends(const struct config *config, const struct config_service *service, const struct entry *entry,
			   size_t entries, struct errors *errors)
{
	char text[ADDR_TEXT];

	check_twins(config, service, errors);
	if (service->backends > CONFIG_BACKENDS_MAX)
		FAULT(config, errors, &service->place, "service \"%s\": has %zu backends, %d is the most",
		      service->name, service->backends, CONFIG_BACKENDS_MAX);
	for (size_t i = 0; i < service->backends; i++) {
		const struct config_backend *backend = &service->backend[i];
		const struct entry *vip = find_vip(entry, entries, &backend->addr);

		if (vip)
			FAULT(config, errors, &backend->place,
			      "backend %s: is also a VIP of service \"%s\"%s; a backend is named by an address of its own",
			      addr_format(&backend->addr, text), vip->service->name,
			      show(config, &vip->listener->place).text);
	}
}

static void check_limits(const struct config *config, size_t vips, struct errors *errors)
{
	const struct config_limits *limits = &config->limits;
	const struct place *place = &limits->place;
	size_t backends = 0;
	uint64_t slots = 0;

	for (size_t s = 0; s < config->services; s++) {
		backends += config->service[s].backends;
		slots += config->service[s].slots;
	}
	/* Limits that are not written anywhere: the last service is the one too many. */
	if (!place->line && config->services)
		place = &config->service[config->services - 1].place;
	if (config->services > limits->services)
		FAULT(config, errors, place, "limits: services %u is less than the %zu that are configured",
		      limits->services, config->services);
	if (backends > limits->backends)
		FAULT(config, errors, place, "limits: backends %u is less than the %zu that are configured",
		      limits->backends, backends);
	if (vips > limits->vips)
		FAULT(config, errors, place, "limits: vips %u is less than the %zu that are configured", limits->vips,
		      vips);
	if (slots > limits->slots)
		FAULT(config, errors, place, "limits: slots %u is less than the %llu that the services have together",
		      limits->slots, (unsigned long long)slots);
}

int config_check(const struct config *config, struct errors *errors)
{
	size_t before = errors->count + errors->more, entries, vips;
	bool failed = false;
	struct entry *entry = sorted_listeners(config, &entries, &failed);

	if (failed)
		return errors_add(errors, NULL, 0, 0, ERROR_REFUSED, "out of memory");
	check_overlaps(config, entry, entries, errors);
	vips = check_vips(config, entry, entries, errors);
	for (size_t s = 0; s < config->services; s++)
		check_backends(config, &config->service[s], entry, entries, errors);
	check_limits(config, vips, errors);
	free(entry);
	return errors->count + errors->more == before ? 0 : -1;
}

/* ---- what is fixed while the program is loaded ---- */

#define FIXED "is fixed while weir runs; start with --takeover to change it"

static const struct config_interface *interface(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->interfaces; i++)
		if (strcmp(config->interface[i].name, name) == 0)
			return &config->interface[i];
	return NULL;
}

static void check_fixed_interfaces(const struct config *running, const struct config *wanted, struct errors *errors)
{
	static const struct place nowhere;

	for (size_t i = 0; i < wanted->interfaces; i++) {
		const struct config_interface *want = &wanted->interface[i], *have = interface(running, want->name);

		if (!have)
			FAULT(wanted, errors, &want->place, "interface \"%s\": is new; the list " FIXED, want->name);
		else if (have->mode != want->mode)
			FAULT(wanted, errors, &want->place, "interface \"%s\": xdp " FIXED, want->name);
	}
	for (size_t i = 0; i < running->interfaces; i++)
		if (!interface(wanted, running->interface[i].name))
			FAULT(wanted, errors, &nowhere, "interface \"%s\": is no longer there; the list " FIXED,
			      running->interface[i].name);
}

static void check_fixed_limits(const struct config *running, const struct config *wanted, struct errors *errors)
{
	const struct config_limits *have = &running->limits, *want = &wanted->limits;
	const struct {
		const char *word;
		uint32_t have, want;
	} limit[] = {
		{"services", have->services, want->services},
		{"backends", have->backends, want->backends},
		{"vips", have->vips, want->vips},
		{"slots", have->slots, want->slots},
		{"pins", have->pins, want->pins},
		{"openings", have->openings, want->openings},
	};

	for (size_t i = 0; i < sizeof(limit) / sizeof(limit[0]); i++)
		if (limit[i].have != limit[i].want)
			FAULT(wanted, errors, &want->place, "limits: %s is %u, not %u: it " FIXED, limit[i].word,
			      limit[i].have, limit[i].want);
}

int config_check_fixed(const struct config *running, const struct config *wanted, struct errors *errors)
{
	size_t before = errors->count + errors->more;

	check_fixed_limits(running, wanted, errors);
	check_fixed_interfaces(running, wanted, errors);
	if (strcmp(running->hash_seed, wanted->hash_seed) != 0)
		FAULT(wanted, errors, &wanted->hash_seed_place, "node: hash-seed " FIXED);
	for (size_t i = 0; i < wanted->services; i++) {
		const struct config_service *want = &wanted->service[i], *have = config_service(running, want->name);

		if (have && have->slots != want->slots)
			FAULT(wanted, errors, &want->place,
			      "service \"%s\": slots is %u, not %u: it is fixed while the service lives", want->name,
			      have->slots, want->slots);
	}
	return errors->count + errors->more == before ? 0 : -1;
}
