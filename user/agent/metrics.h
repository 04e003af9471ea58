/* SPDX-License-Identifier: BSD-2-Clause */
/* The file for Prometheus' node_exporter (textfile collector). */
#ifndef WEIR_METRICS_H
#define WEIR_METRICS_H

#include "agent.h"

/* Writes at once and from then on at the configured interval; also after a reload, which may name another file. */
void metrics_restart(struct agent *agent);
void metrics_stop(struct agent *agent);
/* The whole text, one family after the other. metrics_text.c */
void metrics_text(const struct agent *agent, struct buf *out);

#endif
