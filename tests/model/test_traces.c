/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traces of faults that have been mended, played again: none may find anything. In: tests/model/traces, or the file
 * that is named.
 */
#include <stdio.h>
#include <string.h>

#include "world.h"

enum { LINE = 200 };

/* One trace is over: plays it. True if nothing was found. */
static bool play_trace(const struct walk *walk, const char *name, int number)
{
	uint64_t used[EXCUSES] = {0};
	const char *finding = walk_run(walk, used, 0);

	printf("%sok %d - %s%s%s\n", finding ? "not " : "", number, name, finding ? ": " : "", finding ? finding : "");
	if (finding)
		walk_print(walk);
	return !finding;
}

static bool read_rules(const char *line, struct rules *rules)
{
	unsigned int n[12];

	if (sscanf(line, "rules %u %u %u %u %u %u %u %u %x %x %x %x", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6],
		   &n[7], &n[8], &n[9], &n[10], &n[11]) != 12)
		return false;
	*rules = (struct rules){
		.slots = (uint8_t)n[0],
		.pins = (uint8_t)n[1],
		.openings = (uint8_t)n[2],
		.deletes = (uint8_t)n[3],
		.overlooks = n[4],
		.piece = (uint8_t)n[5],
		.lag = (uint8_t)n[6],
		.client = n[7],
		.udp = (uint8_t)n[8],
		.quic = (uint8_t)n[9],
		.epoch = (uint16_t)n[10],
		.generation = (uint16_t)n[11],
	};
	return true;
}

int main(int argc, char **argv)
{
	FILE *file = fopen(argc > 1 ? argv[1] : "tests/model/traces", "r");
	char line[LINE], name[LINE] = "";
	struct walk walk = {.events = 0};
	int number = 0, failed = 0;

	if (!file) {
		printf("Bail out! tests/model/traces cannot be read\n");
		return 1;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "trace ", 6)) {
			failed += *name && !play_trace(&walk, name, number);
			snprintf(name, sizeof(name), "%s", line + 6);
			number++;
			walk.events = 0;
		} else if (*line == '+') {
			failed += walk.events == EVENTS || !walk_read_event(line, &walk.event[walk.events++]);
		} else if (!strncmp(line, "rules ", 6)) {
			failed += !read_rules(line, &walk.rules);
		}
	}
	failed += *name && !play_trace(&walk, name, number);
	printf("1..%d\n", number);
	fclose(file);
	return failed > 0;
}
