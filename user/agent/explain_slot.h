/* SPDX-License-Identifier: BSD-2-Clause */
/* `explain`, from the slot on: which backend a flow's packets go to, and by which rule of flow.h. */
#ifndef WEIR_EXPLAIN_SLOT_H
#define WEIR_EXPLAIN_SLOT_H

#include "../lib/json.h"
#include "agent.h"

struct explain_slot {
	uint32_t slot;  /* of the service */
	bool udp;       /* goes by UDP's own window */
	bool stateless; /* affinity none: openings and pins are not looked at */
	struct plane_flow flow;
	const struct model_backend *next,
		*first; /* where the flow's next packet goes, and a new connection's first; NULL = nowhere */
};

/* Looks the flow up in the maps; writes nothing. 0 or -errno. */
int explain_slot(const struct agent *agent, const struct model_service *service, const struct weir_flow_key *key,
		 uint32_t slot, struct explain_slot *out);
/* In sentences, one a line. */
void explain_slot_say(const struct model_service *service, const struct explain_slot *slot, struct buf *text);
/* "backend", "first", "slot", "state", "pin", "opening"; slot NULL: all of them null. */
void explain_slot_add(struct json *json, const struct model_service *service, const struct explain_slot *slot);

#endif
