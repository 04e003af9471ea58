/* SPDX-License-Identifier: BSD-2-Clause */
/* The config as data: made by grammar.c, copied and changed by command.c and overlay.c, read by the model. Nothing here judges: see config_check.c. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS_EVERY_MS = 5000, SERVICES = 256, BACKENDS = 4096, VIPS_PER_SERVICE = 4, SLOTS_PER_SERVICE = 16384 };
enum { OPENINGS = 65536, PINS = 262144, LEARN_MS = 15 * 60 * 1000, LEARN_UDP_MS = 30 * 1000 };

void config_init(struct config *config)
{
	*config = (struct config){
		.hash_seed = "weir",
		.metrics_every_ms = METRICS_EVERY_MS,
		.limits = {.services = SERVICES,
			   .backends = BACKENDS,
			   .vips = VIPS_PER_SERVICE * SERVICES,
			   .slots = SLOTS_PER_SERVICE * SERVICES,
			   .openings = OPENINGS,
			   .pins = PINS},
	};
}

void config_service_init(struct config_service *service)
{
	*service = (struct config_service){
		.forward = WEIR_DSR,
		.affinity = WEIR_AFFINITY_FLOW,
		.slots = SLOTS_PER_SERVICE,
		.learn_ms = LEARN_MS,
		.learn_udp_ms = LEARN_UDP_MS,
		.on_down = ON_DOWN_KEEP,
	};
}

void config_service_free(struct config_service *service)
{
	free(service->listener);
	free(service->backend);
	*service = (struct config_service){0};
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < config->files; i++)
		free(config->file[i]);
	for (size_t i = 0; i < config->services; i++)
		config_service_free(&config->service[i]);
	free(config->file);
	free(config->interface);
	free(config->peer);
	free(config->service);
	*config = (struct config){0};
}

/* A copy of `count` elements; *failed when memory is out. NULL for none. */
static void *copy_array(const void *from, size_t count, size_t size, bool *failed)
{
	void *to;

	if (!count)
		return NULL;
	to = malloc(count * size);
	if (to)
		memcpy(to, from, count * size);
	else
		*failed = true;
	return to;
}

int config_service_copy(struct config_service *to, const struct config_service *from)
{
	bool failed = false;

	*to = *from;
	to->listener = copy_array(from->listener, from->listeners, sizeof(*from->listener), &failed);
	to->backend = copy_array(from->backend, from->backends, sizeof(*from->backend), &failed);
	if (!failed)
		return 0;
	config_service_free(to);
	return -ENOMEM;
}

static bool copy_files(struct config *to, const struct config *from)
{
	if (!from->files)
		return true;
	to->file = calloc(from->files, sizeof(*to->file));
	if (!to->file)
		return false;
	for (; to->files < from->files; to->files++) {
		to->file[to->files] = strdup(from->file[to->files]);
		if (!to->file[to->files])
			return false;
	}
	return true;
}

int config_copy(struct config *to, const struct config *from)
{
	bool failed = false;

	*to = *from;
	to->file = NULL;
	to->service = NULL;
	to->files = to->services = 0;
	to->interface = copy_array(from->interface, from->interfaces, sizeof(*from->interface), &failed);
	to->peer = copy_array(from->peer, from->peers, sizeof(*from->peer), &failed);
	if (failed || !copy_files(to, from))
		goto out;
	for (size_t i = 0; i < from->services; i++)
		if (config_add_service(to, &from->service[i]) < 0)
			goto out;
	return 0;
out:
	config_free(to);
	return -ENOMEM;
}

struct config_service *config_service(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->services; i++)
		if (strcmp(config->service[i].name, name) == 0)
			return &config->service[i];
	return NULL;
}

struct config_backend *config_backend(const struct config_service *service, const struct addr *addr)
{
	for (size_t i = 0; i < service->backends; i++)
		if (addr_compare(&service->backend[i].addr, addr) == 0)
			return &service->backend[i];
	return NULL;
}

/* Room for one more element. Capacities are not kept: copies have none to spare, and changes are rare. */
static void *grow(void *array, size_t count, size_t size)
{
	return realloc(array, (count + 1) * size);
}

int config_add_service(struct config *config, const struct config_service *service)
{
	struct config_service copy, *grown;

	if (config_service_copy(&copy, service) < 0)
		return -ENOMEM;
	grown = grow(config->service, config->services, sizeof(*grown));
	if (!grown) {
		config_service_free(&copy);
		return -ENOMEM;
	}
	config->service = grown;
	config->service[config->services++] = copy;
	return 0;
}

int config_add_backend(struct config_service *service, const struct config_backend *backend)
{
	struct config_backend *grown = grow(service->backend, service->backends, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	service->backend = grown;
	service->backend[service->backends++] = *backend;
	return 0;
}

int config_add_listener(struct config_service *service, const struct config_listener *listener)
{
	struct config_listener *grown = grow(service->listener, service->listeners, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	service->listener = grown;
	service->listener[service->listeners++] = *listener;
	return 0;
}

void config_remove_service(struct config *config, const char *name)
{
	struct config_service *service = config_service(config, name);
	size_t behind;

	if (!service)
		return;
	behind = config->services - (size_t)(service - config->service) - 1;
	config_service_free(service);
	memmove(service, service + 1, behind * sizeof(*service));
	config->services--;
}

void config_remove_backend(struct config_service *service, const struct addr *addr)
{
	struct config_backend *backend = config_backend(service, addr);

	if (!backend)
		return;
	memmove(backend, backend + 1,
		(service->backends - (size_t)(backend - service->backend) - 1) * sizeof(*backend));
	service->backends--;
}

void config_service_take_words(struct config_service *to, const struct config_service *from)
{
	to->forward = from->forward;
	to->affinity = from->affinity;
	to->slots = from->slots;
	to->learn_ms = from->learn_ms;
	to->learn_udp_ms = from->learn_udp_ms;
	to->drain_ms = from->drain_ms;
	to->slow_start_ms = from->slow_start_ms;
	to->on_down = from->on_down;
}

bool config_service_same_words(const struct config_service *a, const struct config_service *b)
{
	if (a->forward != b->forward || a->affinity != b->affinity || a->slots != b->slots ||
	    a->listeners != b->listeners)
		return false;
	if (a->learn_ms != b->learn_ms || a->learn_udp_ms != b->learn_udp_ms || a->drain_ms != b->drain_ms ||
	    a->slow_start_ms != b->slow_start_ms || a->on_down != b->on_down)
		return false;
	for (size_t i = 0; i < a->listeners; i++) {
		const struct config_listener *x = &a->listener[i], *y = &b->listener[i];

		if (addr_compare(&x->vip, &y->vip) != 0 || x->proto != y->proto || x->first != y->first ||
		    x->last != y->last)
			return false;
	}
	return true;
}

bool config_backend_same(const struct config_backend *a, const struct config_backend *b)
{
	return addr_compare(&a->addr, &b->addr) == 0 && a->weight == b->weight && a->state == b->state &&
	       a->fallback == b->fallback;
}

void config_add_gone(struct config *config, const char *service, const struct addr *addr)
{
	struct config_gone *gone = &config->gone[config->next_gone];

	if (config_is_gone(config, service, addr))
		return;
	config->next_gone = (config->next_gone + 1) % CONFIG_GONE;
	snprintf(gone->service, sizeof(gone->service), "%s", service);
	gone->addr = *addr;
}

bool config_is_gone(const struct config *config, const char *service, const struct addr *addr)
{
	for (size_t i = 0; i < CONFIG_GONE; i++)
		if (strcmp(config->gone[i].service, service) == 0 && addr_compare(&config->gone[i].addr, addr) == 0)
			return true;
	return false;
}

bool config_backend_up(const struct config_backend *backend)
{
	return backend->state == BACKEND_ENABLED && backend->weight > 0 && !backend->fallback;
}
