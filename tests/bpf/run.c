/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs frames through the loaded programs for the Python scripts beside it: commands come in on standard input, one a line; to each goes one line out
 * that begins with "ok" or "error". Nothing is attached anywhere. Arguments: how many openings and pins there is room for.
 *
 *   service INDEX BASE BITS dsr|ipip flow|client|none [local]   slots BASE COUNT BACKEND
 *   vip ADDR|self ADDR|none ADDR [PROTO:FIRST-LAST:SERVICE...]   "self": an address of this node; "none": taken out
 *   backend INDEX FLAGS IFINDEX MTU DST-MAC SRC-MAC TAGS SRC DST   FLAGS: resolved,local,ip6 or 0; TAGS: keep, 0 or TPID.TCI,... in hex
 *   port INDEX IFINDEX MAC      peer INDEX ADDR MAC      peers COUNT      decap ADDR
 *   run PROGRAM IFINDEX HEX     -> ok ACTION HEX          PROGRAM: weir or decap; IFINDEX 0: none known to the kernel
 *   transit FIRST COUNT PHASE EPOCH CURRENT PREVIOUS PREVIOUS-UDP     slots that are not settled; PHASE: 0 to 3, enum weir_phase
 *   serves INDEX GENERATION FLAGS                             of a backend
 *   opening KEY SLOT BACKEND EPOCH GENERATION FLAGS FIRST LATEST AIMED AGE    KEY: SERVICE PROTO SRC SPORT DST DPORT
 *   pin KEY SLOT BACKEND EPOCH GENERATION FLAGS SEQUENCE AGE   AGE: in units of weir's clock
 *   flows                       -> ok opening ..., pin ..., all that there are, in the same words
 *   restarts                    -> ok SLOT AGE, ...
 *   forget                      no openings, pins, restarts any more
 *   decide ...                  -> ok BACKEND RESTART opening ..., pin ...   what flow.h says of such entries (run_flows.c)
 *   flood IFINDEX HEX COUNT     the IPv4 frame, COUNT times, from other addresses and ports each time -> ok COUNT-BY-ACTION...
 *   steps IFINDEX HEX           -> ok ACTION INSTRUCTIONS LOOK-UPS   that the frame makes weir's program execute
 *   corpus HEX                  a frame to mutate
 *   fuzz PROGRAM IFINDEX SEED COUNT SECONDS -> ok RUNS COUNT-BY-ACTION...   (until the seconds are over, at the latest)
 *                               or, of the first run that must not be: ok fault RUN ACTION HEX HEX WORDS...
 *   judge PROGRAM ACTION HEX HEX -> ok good, or ok WORDS...   what fuzz would say of such a run
 *   counters                    -> ok reason WORD N, service INDEX PACKETS BYTES, backend ..., port INDEX N N N N N, flows 0 N N N N, decap WORD N, ...
 *   reset                       all counters to 0, and ICMP answers allowed again
 *   info PROGRAM                -> ok OBJECT-INSNS XLATED-INSNS VERIFIED-INSNS JITED-BYTES
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

enum { SERVICES = 64, BACKENDS = 256, SLOTS = 1 << 17, ENTRIES = 4096, WORDS_MAX = 640 };

static const struct {
	const char *name;
	int words; /* at least */
	int (*run)(char **word, int words);
} commands[] = {
	{"service", 6, do_service}, {"slots", 4, do_slots},       {"vip", 2, do_vip},
	{"self", 2, do_vip},        {"none", 2, do_vip},          {"backend", 10, do_backend},
	{"port", 4, do_node},       {"peer", 4, do_node},         {"peers", 2, do_node},
	{"decap", 2, do_decap},     {"run", 4, do_run},           {"corpus", 2, do_corpus},
	{"fuzz", 6, do_fuzz},       {"judge", 5, do_judge},       {"counters", 1, do_counters},
	{"reset", 1, do_reset},     {"info", 2, do_info},         {"transit", 8, do_transit},
	{"serves", 4, do_serves},   {"opening", 16, do_opening},  {"pin", 14, do_pin},
	{"flows", 1, do_flows},     {"restarts", 1, do_restarts}, {"forget", 1, do_forget},
	{"decide", 14, do_decide},  {"flood", 4, do_flood},       {"steps", 3, do_steps},
};

static void command(char *line)
{
	static char *word[WORDS_MAX];
	int words = 0;

	for (char *next = strtok(line, " \n"); next && words < WORDS_MAX; next = strtok(NULL, " \n"))
		word[words++] = next;
	for (size_t i = 0; words > 0 && i < sizeof(commands) / sizeof(*commands); i++) {
		int rc;

		if (strcmp(commands[i].name, word[0]) != 0)
			continue;
		rc = words < commands[i].words ? -1 : commands[i].run(word, words);
		if (rc == 0)
			puts("ok");
		else if (rc < 0)
			fail("%s: wrong words, or refused", word[0]);
		return;
	}
	fail("no such command");
}

static int load(uint32_t openings, uint32_t pins)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_buf = loaded.weir_log, .kernel_log_size = LOG_SIZE,
		    .kernel_log_level = 4);

	loaded.weir = weir_bpf__open_opts(&options);
	options.kernel_log_buf = loaded.decap_log;
	loaded.decap = decap_bpf__open_opts(&options);
	if (!loaded.weir || !loaded.decap)
		return -1;
	bpf_map__set_max_entries(loaded.weir->maps.services, SERVICES);
	bpf_map__set_max_entries(loaded.weir->maps.service_counters, SERVICES);
	bpf_map__set_max_entries(loaded.weir->maps.backends, BACKENDS);
	bpf_map__set_max_entries(loaded.weir->maps.backend_counters, BACKENDS);
	bpf_map__set_max_entries(loaded.weir->maps.slots, SLOTS);
	bpf_map__set_max_entries(loaded.weir->maps.restarts, SLOTS / 2);
	bpf_map__set_max_entries(loaded.weir->maps.openings, openings);
	bpf_map__set_max_entries(loaded.weir->maps.pins, pins);
	return weir_bpf__load(loaded.weir) || decap_bpf__load(loaded.decap) ? -1 : 0;
}

int main(int argc, char **argv)
{
	static char line[1 << 16];

	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	if (argc == 3 ? load((uint32_t)number(argv[1]), (uint32_t)number(argv[2])) : load(ENTRIES, ENTRIES)) {
		fail("load: %s\n%s%s", strerror(errno), loaded.weir_log, loaded.decap_log);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		command(line);
	return 0;
}
