/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes to stderr. Input: errors, and the agent's texts, which may hold anything. Output: lines for people. */
#include "complain.h"

#include <stdio.h>
#include <string.h>

#include "screen.h"

void complain_text(const char *prefix, const char *text)
{
	struct screen screen = {.out = stderr};

	while (*text) {
		size_t length = strcspn(text, "\n");
		char line[2048];

		snprintf(line, sizeof(line), "weir: %s%.*s", prefix, (int)(length < 2000 ? length : 2000), text);
		screen_text(&screen, COLOUR_NONE, line);
		putc('\n', stderr);
		text += length + (text[length] == '\n');
	}
}

int complain(const struct error *error)
{
	char text[sizeof(error->file) + sizeof(error->text) + 32];

	if (error->file[0])
		snprintf(text, sizeof(text), "%s:%d:%d: %s", error->file, error->line, error->col, error->text);
	else
		snprintf(text, sizeof(text), "%s", error->text);
	complain_text("", text);
	return (int)error->code;
}
