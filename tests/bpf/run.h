/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of `run` share: the two loaded objects, the words of a command, the commands. */
#ifndef WEIR_TESTS_BPF_RUN_H
#define WEIR_TESTS_BPF_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#include "../../include/weir/abi.h"
#include <decap.skel.h>
#include <weir.skel.h>

enum { FRAME_MAX = 3400, LOG_SIZE = 1 << 16 };

struct frame {
	uint8_t byte[FRAME_MAX];
	uint32_t size;
};

struct loaded {
	struct weir_bpf *weir;
	struct decap_bpf *decap;
	char weir_log[LOG_SIZE], decap_log[LOG_SIZE]; /* the verifier's figures */
};

extern struct loaded loaded;

/* Says what is wrong; returns 1 = the command has been answered. */
__attribute__((format(printf, 1, 2))) int fail(const char *format, ...);
unsigned long number(const char *word);
bool hex(const char *word, struct frame *frame);
bool address(const char *word, struct weir_addr *out);
int put(struct bpf_map *map, const void *key, const void *value);
int program_fd(const char *name);
/* Returns the XDP action or -errno; out: what came of the frame. */
int run_frame(int program, uint32_t ifindex, const struct frame *in, struct frame *out);
/* What is wrong with what came of a frame, whatever it was: a few words, NULL = nothing. */
const char *judge_frame(const char *program, const struct frame *in, int action, const struct frame *out);

/* Commands: word[0] is the name. Return 0 = done, say so; > 0 = has answered; < 0 = could not. */
int do_service(char **word, int words);
int do_slots(char **word, int words);
int do_vip(char **word, int words);
int do_backend(char **word, int words);
int do_node(char **word, int words);
int do_decap(char **word, int words);
int do_run(char **word, int words);
int do_corpus(char **word, int words);
int do_fuzz(char **word, int words);
int do_flood(char **word, int words);
int do_judge(char **word, int words);
int do_counters(char **word, int words);
int do_reset(char **word, int words);
int do_info(char **word, int words);
int do_transit(char **word, int words);
int do_serves(char **word, int words);
int do_opening(char **word, int words);
int do_pin(char **word, int words);
int do_flows(char **word, int words);
int do_restarts(char **word, int words);
int do_forget(char **word, int words);
int do_decide(char **word, int words);
int do_steps(char **word, int words);

#endif
