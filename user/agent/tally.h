/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is remembered beyond what the model knows: of each backend changes of role and whether packets still go to it; what found no room.
 */
#ifndef WEIR_TALLY_H
#define WEIR_TALLY_H

#include "agent.h"

/* 0 or -ENOMEM. */
int tally_open(struct agent *agent);
void tally_close(struct agent *agent);
/* Looks at the counters now and then. */
void tally_start(struct agent *agent);
/* After each change of the model: who is there, in which role. */
void tally_update(struct agent *agent);
/* Has the backend been sent packets within the last TALLY_LIVE_S seconds, as far as this process has seen, or a flow that has a pin? */
enum { TALLY_LIVE_S = 10 };
bool tally_is_live(struct agent *agent, const struct model_service *service, const struct model_backend *backend);
/* Has more found no room within the last TALLY_FAILED_S seconds? */
enum { TALLY_FAILED_S = 60 };
bool tally_failed_lately(const struct tally_failures *failures);
const struct tally_backend *tally_find(const struct agent *agent, const struct model_backend *backend);
/*
 * A way has changed: an event, if its state is another one than was told last. Of a batch that ends with
 * tally_ways_end the first few are told one by one: a link that fails must not push all else out of the events.
 */
void tally_way(struct agent *agent, const struct model_service *service, const struct model_backend *backend);
void tally_ways_end(struct agent *agent);
/* One line for people: "3 services, 9 of 9 backends up". Returns text. */
const char *tally_summary(const struct agent *agent, char *text, size_t size);
/* The same to the service manager. */
void tally_tell_status(struct agent *agent);

#endif
