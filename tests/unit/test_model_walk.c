/* SPDX-License-Identifier: BSD-2-Clause */
/* The model under random histories of changes and restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "model_world.h"

static void mutate(struct config *config, unsigned int *seed)
{
	unsigned int s = (unsigned int)rand_r(seed) % SERVICES;
	struct config_service *service = NULL;

	for (size_t i = 0; i < config->services; i++) {
		char name[12];

		snprintf(name, sizeof(name), "s%u", s);
		if (!strcmp(config->service[i].name, name))
			service = &config->service[i];
	}
	if (!service) {
		config->service = realloc(config->service, (config->services + 1) * sizeof(*config->service));
		config->service[config->services++] = world_service(s, 1 + (unsigned int)rand_r(seed) % 7);
	} else if (rand_r(seed) % 4 == 0) {
		free(service->listener);
		free(service->backend);
		*service = config->service[--config->services];
	} else if (service->backends) {
		struct config_backend *backend = &service->backend[(unsigned int)rand_r(seed) % service->backends];

		switch (rand_r(seed) % 5) {
		case 0:
			*backend = service->backend[--service->backends];
			break;
		case 1:
			backend->weight = (uint16_t)(rand_r(seed) % 4);
			break;
		case 2:
			backend->state = (enum config_backend_state)(rand_r(seed) % 3);
			break;
		case 3:
			backend->fallback = !backend->fallback;
			break;
		default:
			service->listener->first = service->listener->last = (uint16_t)(rand_r(seed) % 65535 + 1);
			break;
		}
	}
}

/* Random histories; at the end the tables are those of a model that never saw the history. */
static void random_walks(void **state)
{
	(void)state;
	for (unsigned int walk = 0; walk < 40; walk++) {
		struct config config = world_config(2, 3);
		unsigned int seed = walk;

		for (int step = 0; step < 60; step++) {
			mutate(&config, &seed);
			if (rand_r(&seed) % 8 == 0)
				world_restart();
			world_apply(&config);
			for (size_t i = 0; i < SERVICES; i++)
				assert_int_equal(maps.service_used[i], model.used.service[i]);
			for (size_t i = 1; i <= BACKENDS; i++)
				assert_int_equal(maps.backend_used[i], model.used.backend[i]);
		}
		for (size_t i = 0; i < config.services; i++) {
			struct model_service *service = model_service(&model, config.service[i].name);
			struct addr *owner = calloc(service->config.slots, sizeof(*owner));

			for (uint32_t s = 0; s < service->config.slots; s++)
				for (size_t b = 0; b < service->backends; b++)
					if (service->backend[b].index == service->table[s])
						owner[s] = service->backend[b].config.addr;
			free(service->table);
			free(service->own);
			service->table = service->own = NULL;
			maps.slot[service->slot_base].current = 63;
			(void)table_adopt(&model, service, &maps.slot[service->slot_base]); /* builds it from nothing */
			for (uint32_t s = 0; s < service->config.slots; s++)
				for (size_t b = 0; b < service->backends; b++)
					if (service->backend[b].index == service->table[s])
						assert_int_equal(
							addr_compare(&owner[s], &service->backend[b].config.addr), 0);
			maps.slot[service->slot_base].current = service->table[0];
			free(owner);
		}
		world_free_config(&config);
		config = (struct config){0};
		world_apply(&config);
		for (size_t i = 0; i < SERVICES; i++)
			assert_false(maps.service_used[i]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {TEST(random_walks)};

	return cmocka_run_group_tests_name("model walk", tests, NULL, NULL);
}
