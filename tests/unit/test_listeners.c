/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners of many services -> disjoint stretches of ports: compared, port by port, with the plain rule "exact before range before any". */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>

#include "../../user/model/listeners.h"

enum { SERVICES = 6, LISTENERS = 8 };

static struct config_listener listener[SERVICES][LISTENERS];
static struct model_service service[SERVICES];
static struct model_service *pointer[SERVICES];
static const struct addr vip = {.byte = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 10}};
static struct weir_listener out[WEIR_LISTENERS_MAX];

static struct model model_of(size_t services)
{
	for (size_t i = 0; i < services; i++) {
		pointer[i] = &service[i];
		service[i].index = (uint16_t)(100 + i);
		service[i].config.listener = listener[i];
	}
	return (struct model){.service = pointer, .services = services};
}

static void add(size_t s, uint8_t proto, uint16_t first, uint16_t last)
{
	struct config_service *config = &service[s].config;

	listener[s][config->listeners++] =
		(struct config_listener){.vip = vip, .proto = proto, .first = first, .last = last};
}

static void forget(void)
{
	for (size_t i = 0; i < SERVICES; i++)
		service[i].config.listeners = 0;
}

/* The rule itself: the narrowest kind that holds the port. */
static int by_rule(const struct model *model, uint8_t proto, uint16_t port)
{
	int best = -ENOENT, best_kind = -1;

	for (size_t s = 0; s < model->services; s++) {
		for (size_t l = 0; l < model->service[s]->config.listeners; l++) {
			const struct config_listener *have = &model->service[s]->config.listener[l];
			int kind = have->first == have->last ? 2 : have->first == 0 && have->last == 65535 ? 0 : 1;

			if (have->proto == proto && have->first <= port && port <= have->last && kind > best_kind) {
				best = model->service[s]->index;
				best_kind = kind;
			}
		}
	}
	return best;
}

static void assert_agrees(const struct model *model)
{
	int count = listeners_flatten(model, &vip, NULL, out);

	assert_true(count >= 0);
	for (int i = 0; i + 1 < count; i++) /* sorted, disjoint */
		assert_true(out[i].proto < out[i + 1].proto ||
			    (out[i].proto == out[i + 1].proto && out[i].last < out[i + 1].first));
	for (unsigned int port = 0; port <= 65535; port++) {
		assert_int_equal(listeners_find(out, count, IPPROTO_TCP, (uint16_t)port),
				 by_rule(model, IPPROTO_TCP, (uint16_t)port));
		assert_int_equal(listeners_find(out, count, IPPROTO_UDP, (uint16_t)port),
				 by_rule(model, IPPROTO_UDP, (uint16_t)port));
	}
}

static void one_of_each_kind(void **state)
{
	struct model model = model_of(3);

	(void)state;
	forget();
	add(0, IPPROTO_TCP, 0, 65535);
	add(1, IPPROTO_TCP, 8000, 8099);
	add(2, IPPROTO_TCP, 8080, 8080);
	add(2, IPPROTO_UDP, 53, 53);
	assert_int_equal(listeners_flatten(&model, &vip, NULL, out), 6);
	assert_int_equal(out[0].last, 7999);
	assert_int_equal(out[2].first, 8080);
	assert_int_equal(out[2].service, 102);
	assert_int_equal(out[4].first, 8100);
	assert_agrees(&model);
	assert_int_equal(listeners_flatten(&model, &vip, &service[2], out),
			 3); /* the cut heals when the exact port goes */
}

static void borders(void **state)
{
	struct model model = model_of(4);

	(void)state;
	forget();
	add(0, IPPROTO_UDP, 0, 65535);
	add(1, IPPROTO_UDP, 0, 0);
	add(2, IPPROTO_UDP, 65535, 65535);
	add(3, IPPROTO_UDP, 1, 100);
	add(1, IPPROTO_UDP, 1, 1);
	add(2, IPPROTO_UDP, 100, 100);
	assert_agrees(&model);
}

static void neighbours_join(void **state)
{
	struct model model = model_of(2);

	(void)state;
	forget();
	add(0, IPPROTO_TCP, 80, 80);
	add(0, IPPROTO_TCP, 81, 90);
	add(1, IPPROTO_TCP, 91, 91);
	assert_int_equal(listeners_flatten(&model, &vip, NULL, out), 2);
}

/* Random non-overlapping ranges and exact ports, as the grammar lets them pass. */
static void random_sets(void **state)
{
	unsigned int seed = 7;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct model model = model_of(SERVICES);
		unsigned int port = 0;

		forget();
		if (round % 2)
			add((size_t)rand_r(&seed) % SERVICES, IPPROTO_TCP, 0, 65535);
		for (int i = 0; i < 12 && port < 60000; i++) {
			unsigned int first = port + (unsigned int)rand_r(&seed) % 4000 + 1,
				     last = first + (unsigned int)rand_r(&seed) % 900 + 1;
			size_t s = (size_t)rand_r(&seed) % SERVICES, t = (size_t)rand_r(&seed) % SERVICES;

			if (service[s].config.listeners + 2 > LISTENERS || service[t].config.listeners + 2 > LISTENERS)
				break;
			add(s, IPPROTO_TCP, (uint16_t)first, (uint16_t)last);
			add(t, IPPROTO_TCP, (uint16_t)(first + (unsigned int)rand_r(&seed) % (last - first + 1)), 0);
			listener[t][service[t].config.listeners - 1].last =
				listener[t][service[t].config.listeners - 1].first;
			port = last;
		}
		assert_agrees(&model);
	}
}

static void too_many(void **state)
{
	static struct config_listener many[WEIR_LISTENERS_MAX + 1];
	struct model model = model_of(1);

	(void)state;
	for (size_t i = 0; i <= WEIR_LISTENERS_MAX; i++)
		many[i] = (struct config_listener){.vip = vip,
						   .proto = IPPROTO_TCP,
						   .first = (uint16_t)(2 * i + 1),
						   .last = (uint16_t)(2 * i + 1)};
	service[0].config.listener = many;
	service[0].config.listeners = WEIR_LISTENERS_MAX + 1;
	assert_int_equal(listeners_flatten(&model, &vip, NULL, out), -E2BIG);
	service[0].config.listeners = WEIR_LISTENERS_MAX;
	assert_int_equal(listeners_flatten(&model, &vip, NULL, out), WEIR_LISTENERS_MAX);
	assert_int_equal(listeners_count_vips(&model), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_each_kind), cmocka_unit_test(borders),  cmocka_unit_test(neighbours_join),
		cmocka_unit_test(random_sets),      cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests_name("listeners", tests, NULL, NULL);
}
