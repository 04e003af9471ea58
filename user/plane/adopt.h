/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a set that was there before, of this layout or of an older one: for the model (restore.c), and for the new set
 * that replaces it (slots, ways, ports, counters, openings, pins).
 */
#ifndef WEIR_ADOPT_H
#define WEIR_ADOPT_H

#include "set.h"

/* How a layout's sets are read: everything comes out as this build's structs. */
struct reader {
	uint32_t layout;
	bool (*fits)(const struct set *set); /* the maps' values have the sizes of that layout */
	void (*service)(const struct set *set, uint32_t index, struct weir_service_name *name,
			union weir_service *word);
	void (*backend)(const struct set *set, uint32_t index, struct weir_backend_name *name,
			struct weir_backend *backend);
	union weir_slot (*slot)(const struct set *set, uint32_t slot);
	void (*node)(const struct set *set, struct weir_node *node);
	void (*info)(const struct set *set, struct weir_set_info *info);
	/* of an element of `openings` or `pins`, as it lies in the map */
	void (*key)(const void *element, struct weir_flow_key *key);
	void (*opening)(const void *element, struct weir_opening *opening);
	void (*pin)(const void *element, struct weir_pin *pin);
};

struct old_set {
	struct set *set; /* NULL = none */
	const struct reader *reader;
};

/* Opens a set for reading. 0, or -errno: -EPROTO when its layout has no reader here or its maps are not as the layout says. */
int adopt_open(struct old_set *old, const char *bpffs, const struct set_found *found);
void adopt_close(struct old_set *old);

/* True if the word names slots that lie in the set's map: whatever else it holds was never written so. */
bool adopt_is_sound(const struct set *set, union weir_service word);
/* The old set's index of a service of this name, looked for at `hint` first, with its word; or -1. */
int adopt_find_service(const struct old_set *old, uint32_t hint, const char *name, union weir_service *word);
/* The old set's index of the backend at this address that its service `service` has, looked for at `hint` first; or 0. */
uint16_t adopt_find_backend(const struct old_set *old, int service, uint32_t hint, const struct weir_addr *addr,
			    struct weir_backend *backend);

/* Where services and backends of the old set are in the new one, by their old indexes. */
struct moved {
	uint16_t *service; /* UINT16_MAX = nowhere */
	uint16_t *backend; /* WEIR_BACKEND_NONE = nowhere */
};

/* By the ledgers: services of the same name, and their backends at the same addresses. 0 or -ENOMEM. */
int adopt_find_moved(const struct old_set *old, const struct set *set, struct moved *moved);
void adopt_free_moved(struct moved *moved);
/*
 * What the old set has counted becomes `carried` of the new one's ledger, for what is in both. Sets values, adds nothing:
 * doing it twice is the same as once. The caller has waited until no packet counts in the old set.
 */
int adopt_carry(const struct old_set *old, struct set *set, const struct moved *moved, unsigned int cpus);

#endif
