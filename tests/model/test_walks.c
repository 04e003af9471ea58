/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random walks of 40 events through the rules of slots, openings and pins: 1,000,000 unless told otherwise. A finding is
 * shrunk and printed.
 *
 *   test_walks [WALKS [SEED]]     environment: WEIR_WALKS, WEIR_SEED
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "world.h"

enum { STEPS = 40 };

static uint64_t argument(int argc, char **argv, int i, const char *variable, uint64_t otherwise)
{
	const char *text = argc > i ? argv[i] : getenv(variable);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	uint64_t walks = argument(argc, argv, 1, "WEIR_WALKS", 1000000);
	uint64_t seed = argument(argc, argv, 2, "WEIR_SEED", 1);
	uint64_t used[EXCUSES] = {0};
	const char *finding = NULL;
	clock_t begun = clock();
	uint64_t i;

	printf("1..1\n# seed %" PRIu64 ", %" PRIu64 " walks of %d events\n", seed, walks, STEPS);
	for (i = 0; i < walks && !finding; i++) {
		struct walk walk;

		walk_make(&walk, weir_mix(weir_mix(seed) + i), STEPS);
		finding = walk_run(&walk, used, 0);
		if (!finding)
			continue;
		walk_shrink(&walk);
		printf("not ok 1 - walk %" PRIu64 " of seed %" PRIu64 ": %s\n", i, seed, finding);
		walk_print(&walk);
	}
	for (uint32_t k = 1; k < EXCUSES; k++)
		printf("# allowed %8" PRIu64 "  %s\n", used[k], excuse_text[k]);
	printf("# %" PRIu64 " walks, %.1f s\n", i, (double)(clock() - begun) / CLOCKS_PER_SEC);
	if (!finding)
		printf("ok 1 - no live flow has left a backend that serves, all has settled\n");
	return finding ? 1 : 0;
}
