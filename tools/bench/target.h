/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program under test: weir's object as it was built, loaded with the capabilities that the service will have, its maps filled as an agent would fill
 * them. For the bench alone; the agent's own writer is user/plane.
 */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

enum { TARGET_SLOTS = 16384, TARGET_BACKENDS = 20, TARGET_VIPS = 256 };

/* Each is a service with a VIP 198.51.100.N and one 2001:db8::N, N = 1 + its number: TCP 80 and UDP 53. */
enum target_service { TARGET_DSR, TARGET_IPIP4, TARGET_IPIP6, TARGET_SERVICES };

struct target {
	struct bpf_object *object;
	int program_fd;
	uint32_t xlated, jited_bytes,
		verified; /* instructions after translation, bytes of machine code, instructions that the verifier walked */
};

/* Keeps CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW, drops the others. 0 or -errno. */
int target_drop_capabilities(void);
/* 0, or -errno with a message on stderr. port_mac: of the port that frames come in by (loopback, as BPF_PROG_TEST_RUN has it). */
int target_load(struct target *target, const char *path, const uint8_t port_mac[6]);
/* One slot in `learning` of the service learns that its backend is another one now, 0 = all are settled; there are no openings and pins. 0 or -errno. */
int target_learn(const struct target *target, enum target_service service, uint32_t learning);
void target_free(struct target *target);

#endif
