/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command that walks a frame through the program instruction by instruction, outside of the kernel, and counts them: what a packet costs, without the
 * machine's noise. Instructions as clang made them; a call counts as one (the kernel puts look-ups in arrays in place of their calls, eight or so).
 * Map values are copies: what the program writes is forgotten.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "run.h"

enum { HEADROOM = 256, STACK = 512, FRAMES = 8, VALUES = 128, VALUE_MAX = 1 << 14, STEPS_MAX = 100000 };

struct machine {
	const struct bpf_insn *code;
	size_t size;
	struct xdp_md ctx; /* its address is what the program has; data and data_end are these: */
	uint8_t *data, *end;
	uint8_t packet[HEADROOM + FRAME_MAX + HEADROOM];
	uint8_t stack[FRAMES][STACK];
	uint8_t value[VALUES][VALUE_MAX];
	unsigned values, steps, lookups;
	const char *wrong;
};

static uint64_t look_up(struct machine *machine, int map, const void *key)
{
	void *value = machine->value[machine->values];

	machine->lookups++;
	if (machine->values + 1 == VALUES) {
		machine->wrong = "too many look-ups";
		return 0;
	}
	if (bpf_map_lookup_elem(map, key, value))
		return 0;
	machine->values++;
	return (uintptr_t)value;
}

static uint64_t call_helper(struct machine *machine, int helper, const uint64_t r[])
{
	switch (helper) {
	case BPF_FUNC_map_lookup_elem:
		return look_up(machine, (int)r[1], (const void *)(uintptr_t)r[2]);
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem:
		return 0;
	case BPF_FUNC_ktime_get_ns:
		return 1000000000000;
	case BPF_FUNC_redirect:
		return XDP_REDIRECT;
	case BPF_FUNC_xdp_adjust_head:
		machine->data += (int32_t)r[2];
		return 0;
	case BPF_FUNC_xdp_adjust_tail:
		machine->end += (int32_t)r[2];
		return 0;
	default:
		machine->wrong = "a helper that is not known";
		return 0;
	}
}

static uint64_t load(const struct machine *machine, const uint8_t *at, uint8_t size)
{
	uint64_t value = 0;

	if (at == (const uint8_t *)&machine->ctx.data)
		return (uintptr_t)machine->data;
	if (at == (const uint8_t *)&machine->ctx.data_end)
		return (uintptr_t)machine->end;
	memcpy(&value, at, size == BPF_DW ? 8 : size == BPF_W ? 4 : size == BPF_H ? 2 : 1);
	return value;
}

static void store(uint8_t *at, uint64_t value, uint8_t size)
{
	memcpy(at, &value, size == BPF_DW ? 8 : size == BPF_W ? 4 : size == BPF_H ? 2 : 1);
}

static uint64_t swapped(uint64_t value, int32_t bits)
{
	return bits == 16   ? __builtin_bswap16((uint16_t)value)
	       : bits == 32 ? __builtin_bswap32((uint32_t)value)
			    : __builtin_bswap64(value);
}

/* a op b; in 32 bits the caller cuts both and the outcome. shift: of how many bits. */
static uint64_t operate(struct machine *machine, uint8_t op, uint64_t a, uint64_t b, bool wide)
{
	unsigned shift = (unsigned)b & (wide ? 63 : 31);

	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << shift;
	case BPF_RSH:
		return a >> shift;
	case BPF_ARSH:
		return wide ? (uint64_t)((int64_t)a >> shift) : (uint64_t)((int32_t)a >> shift);
	case BPF_MOV:
		return b;
	case BPF_NEG:
		return -a;
	default:
		machine->wrong = "an operation that is not known";
		return 0;
	}
}

static bool compare_signed(uint8_t op, int64_t a, int64_t b)
{
	return op == BPF_JSGT ? a > b : op == BPF_JSGE ? a >= b : op == BPF_JSLT ? a < b : a <= b;
}

static bool compare(uint8_t op, uint64_t a, uint64_t b, bool wide)
{
	switch (op) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return (a & b) != 0;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	default:
		return wide ? compare_signed(op, (int64_t)a, (int64_t)b) : compare_signed(op, (int32_t)a, (int32_t)b);
	}
}

static void alu(struct machine *machine, const struct bpf_insn *i, uint64_t r[])
{
	bool wide = BPF_CLASS(i->code) == BPF_ALU64;
	uint64_t a = r[i->dst_reg], b = BPF_SRC(i->code) == BPF_X ? r[i->src_reg] : (uint64_t)(int64_t)i->imm;

	if (BPF_OP(i->code) == BPF_END) {
		r[i->dst_reg] = swapped(a, i->imm);
		return;
	}
	if (!wide) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	a = operate(machine, BPF_OP(i->code), a, b, wide);
	r[i->dst_reg] = wide ? a : (uint32_t)a;
}

static bool jumps(const struct bpf_insn *i, const uint64_t r[])
{
	bool wide = BPF_CLASS(i->code) == BPF_JMP;
	uint64_t a = r[i->dst_reg], b = BPF_SRC(i->code) == BPF_X ? r[i->src_reg] : (uint64_t)(int64_t)i->imm;

	return compare(BPF_OP(i->code), wide ? a : (uint32_t)a, wide ? b : (uint32_t)b, wide);
}

static void memory(const struct machine *machine, const struct bpf_insn *i, uint64_t r[])
{
	if (BPF_CLASS(i->code) == BPF_LDX)
		r[i->dst_reg] = load(machine, (const uint8_t *)(uintptr_t)r[i->src_reg] + i->off, BPF_SIZE(i->code));
	else
		store((uint8_t *)(uintptr_t)r[i->dst_reg] + i->off,
		      BPF_CLASS(i->code) == BPF_STX ? r[i->src_reg] : (uint64_t)(int64_t)i->imm, BPF_SIZE(i->code));
}

/* All but jumps, calls and ends. False: it is one of those. */
static bool plain(struct machine *machine, const struct bpf_insn *i, uint64_t r[])
{
	uint8_t class = BPF_CLASS(i->code);

	if (class == BPF_JMP || class == BPF_JMP32)
		return false;
	if (class == BPF_ALU || class == BPF_ALU64)
		alu(machine, i, r);
	else if (class == BPF_LD) /* 64 bits in two elements; a map is its descriptor */
		r[i->dst_reg] = (uint32_t)i->imm | (uint64_t)(uint32_t)i[1].imm << 32;
	else
		memory(machine, i, r);
	return true;
}

/* Runs the function at `pc` to its end; r: 1 to 5 are its arguments. Returns r0. */
static uint64_t execute(struct machine *machine, size_t pc, const uint64_t arguments[], unsigned depth)
{
	uint64_t r[11] = {0};

	memcpy(r, arguments, 6 * sizeof(*r));
	if (depth == FRAMES)
		machine->wrong = "too deep";
	else
		r[10] = (uintptr_t)machine->stack[depth] + STACK;
	for (; !machine->wrong && pc < machine->size && machine->steps < STEPS_MAX; pc++) {
		const struct bpf_insn *i = &machine->code[pc];

		machine->steps++;
		if (plain(machine, i, r)) {
			pc += BPF_CLASS(i->code) == BPF_LD;
		} else if (i->code == (BPF_JMP | BPF_EXIT)) {
			return r[0];
		} else if (i->code != (BPF_JMP | BPF_CALL)) {
			if (jumps(i, r))
				pc += (size_t)(ssize_t)i->off;
		} else if (i->src_reg == BPF_PSEUDO_CALL) {
			r[0] = execute(machine, pc + 1 + (size_t)(ssize_t)i->imm, r, depth + 1);
		} else {
			r[0] = call_helper(machine, i->imm, r);
		}
	}
	if (!machine->wrong)
		machine->wrong = "no end";
	return 0;
}

/* steps IFINDEX HEX -> ok ACTION INSTRUCTIONS CALLS-TO-LOOK-UP */
int do_steps(char **word, int words)
{
	static struct machine machine;
	static struct frame frame;
	uint64_t arguments[6] = {0, (uintptr_t)&machine.ctx};
	uint64_t action;

	(void)words;
	memset(&machine, 0, sizeof(machine));
	if (!hex(word[2], &frame))
		return -1;
	machine.code = bpf_program__insns(loaded.weir->progs.weir);
	machine.size = bpf_program__insn_cnt(loaded.weir->progs.weir);
	machine.data = machine.packet + HEADROOM;
	machine.end = machine.data + frame.size;
	machine.ctx.ingress_ifindex = (uint32_t)number(word[1]);
	memcpy(machine.data, frame.byte, frame.size);
	action = execute(&machine, 0, arguments, 0);
	if (machine.wrong)
		return fail("%s", machine.wrong);
	printf("ok %u %u %u\n", (uint32_t)action, machine.steps, machine.lookups);
	return 1;
}
