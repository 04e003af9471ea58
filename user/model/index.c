/* SPDX-License-Identifier: BSD-2-Clause */
/* Index allocation by first fit over one byte per index: changes are rare, the arrays are small, and a test can read them. */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_UNIT = 1 << WEIR_SLOT_BITS_MIN };

int index_init(struct model_indexes *used, const struct config_limits *limits)
{
	used->service = calloc(limits->services, 1);
	used->backend = calloc(limits->backends + 1UL, 1); /* index 0 is not one of them */
	used->slots = calloc(limits->slots / SLOTS_UNIT + 1, 1);
	if (!used->service || !used->backend || !used->slots) {
		index_free(used);
		return -ENOMEM;
	}
	used->backend[WEIR_BACKEND_NONE] = 1;
	return 0;
}

void index_free(struct model_indexes *used)
{
	free(used->service);
	free(used->backend);
	free(used->slots);
	memset(used, 0, sizeof(*used));
}

int index_copy(struct model_indexes *to, const struct model_indexes *from, const struct config_limits *limits)
{
	int err = index_init(to, limits);

	if (err)
		return err;
	memcpy(to->service, from->service, limits->services);
	memcpy(to->backend, from->backend, limits->backends + 1UL);
	memcpy(to->slots, from->slots, limits->slots / SLOTS_UNIT);
	return 0;
}

static int take(uint8_t *used, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!used[i]) {
			used[i] = 1;
			return (int)i;
		}
	}
	return -ENOSPC;
}

int index_take_service(struct model_indexes *used, const struct config_limits *limits)
{
	return take(used->service, limits->services);
}

int index_take_backend(struct model_indexes *used, const struct config_limits *limits)
{
	return take(used->backend, limits->backends + 1);
}

static bool run_is_free(const uint8_t *used, uint32_t units)
{
	for (uint32_t i = 0; i < units; i++)
		if (used[i])
			return false;
	return true;
}

int64_t index_take_slots(struct model_indexes *used, const struct config_limits *limits, uint32_t slots)
{
	uint32_t units = slots / SLOTS_UNIT;

	for (uint32_t at = 0; at + units <= limits->slots / SLOTS_UNIT; at += units) {
		if (run_is_free(used->slots + at, units)) {
			memset(used->slots + at, 1, units);
			return (int64_t)at * SLOTS_UNIT;
		}
	}
	return -ENOSPC;
}

int index_mark_slots(struct model_indexes *used, const struct config_limits *limits, uint32_t base, uint32_t slots,
		     bool taken)
{
	if (base % SLOTS_UNIT || slots % SLOTS_UNIT || slots == 0 || slots > limits->slots ||
	    base > limits->slots - slots)
		return -ERANGE;
	memset(used->slots + base / SLOTS_UNIT, taken, slots / SLOTS_UNIT);
	return 0;
}
