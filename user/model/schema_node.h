/* SPDX-License-Identifier: BSD-2-Clause */
/* Setters for the table in schema.c: the words that are about the node, not about a service. */
#ifndef WEIR_SCHEMA_NODE_H
#define WEIR_SCHEMA_NODE_H

#include "block.h"

void node_set_node(struct reading *r, const struct statement *s);
void node_set_hash_seed(struct reading *r, const struct statement *s);
void node_set_interface(struct reading *r, const struct statement *s);
void node_set_xdp(struct reading *r, const struct statement *s);
void node_set_cluster(struct reading *r, const struct statement *s);
void node_set_peer(struct reading *r, const struct statement *s);
void node_set_control(struct reading *r, const struct statement *s);
void node_set_write(struct reading *r, const struct statement *s);
void node_set_metrics(struct reading *r, const struct statement *s);
void node_set_file(struct reading *r, const struct statement *s);
void node_set_every(struct reading *r, const struct statement *s);
void node_set_limits(struct reading *r, const struct statement *s);
void node_set_limit_services(struct reading *r, const struct statement *s);
void node_set_limit_backends(struct reading *r, const struct statement *s);
void node_set_limit_vips(struct reading *r, const struct statement *s);
void node_set_limit_slots(struct reading *r, const struct statement *s);
void node_set_limit_pins(struct reading *r, const struct statement *s);
void node_set_limit_openings(struct reading *r, const struct statement *s);

#endif
