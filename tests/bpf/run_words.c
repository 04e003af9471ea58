/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a command, and what is loaded. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

struct loaded loaded;

int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("error ");
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return 1;
}

unsigned long number(const char *word)
{
	return strtoul(word, NULL, 0);
}

bool hex(const char *word, struct frame *frame)
{
	size_t length = strlen(word);

	if (length % 2 || length / 2 > FRAME_MAX)
		return false;
	frame->size = (uint32_t)(length / 2);
	for (size_t i = 0; i < frame->size; i++)
		if (sscanf(word + 2 * i, "%2hhx", &frame->byte[i]) != 1)
			return false;
	return true;
}

int program_fd(const char *name)
{
	return bpf_program__fd(strcmp(name, "decap") == 0 ? loaded.decap->progs.decap : loaded.weir->progs.weir);
}
