/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots in transition in the plane's tests: an agent whose time goes on, flows put into the maps by hand. See plane_lab.h. */
#ifndef TEST_PLANE_FLOWS_H
#define TEST_PLANE_FLOWS_H

#include "plane_lab.h"

enum { FLOWS_SLOTS = 4096, FLOWS_HOLD_MS = 1000, FLOWS_PATIENCE_MS = 20000 };

/* Limits, and a service "web" with these backends, whose windows take a second. */
#define FLOWS_LIMITS \
	"interface e0 { xdp native; } limits { services 4; backends 64; vips 16; pins 262144; openings 1024; }\n"
#define FLOWS_WEB(backends)                                                                    \
	"service web { listen 192.0.2.10 tcp 80; listen 192.0.2.10 udp 80; slots 4096; learn " \
	"1s; learn-udp 1s; " backends " }\n"

extern struct lab_agent flows_agent;

uint32_t flows_clock(void);
struct model_service *flows_web(void);
struct model_backend *flows_backend(const char *addr);
struct plane_service_state flows_state(void);
struct plane_backend_state flows_backend_state(const char *addr);
uint64_t flows_ms_since(uint64_t then_ns);
/* plane_turn, when it wants to be called, until `done`. Fails the test if it takes too long. */
void flows_turn_until(bool (*done)(void));
/* ... until it wants not to be called any more. */
void flows_turn_to_rest(void);
bool flows_all_learning(void); /* no slot holds */
bool flows_all_settled(void);

/* A slot (of "web") in this phase. */
uint32_t flows_find_slot(enum weir_phase phase);
/* TCP flow number `flow` of "web". */
struct weir_flow_key flows_key(uint16_t flow);
/* A pin that holds in that slot, just now seen. */
struct weir_pin flows_pin(uint32_t slot, const char *backend);
void flows_put_pin(const char *set, const struct weir_flow_key *key, const struct weir_pin *pin);
void flows_put_opening(const char *set, const struct weir_flow_key *key, const struct weir_opening *opening);
bool flows_get_pin(const char *set, const struct weir_flow_key *key, struct weir_pin *pin);
/* Elements in both maps. */
size_t flows_entries(void);

#endif
