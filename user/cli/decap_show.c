/* SPDX-License-Identifier: BSD-2-Clause */
/* `weir decap show`. Input: the interfaces of this network namespace. Output: a JSON document, or tables made of it. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/weir/decap.h"
#include "../lib/addr.h"
#include "complain.h"
#include "decap.h"
#include "decap_program.h"
#include "render.h"

static const struct {
	const char *word, *sentence;
} reasons[] = {
#define X(name, word, sentence) {word, sentence},
	WEIR_DECAP_REASONS(X)
#undef X
};

static json_t *addresses_of(int map)
{
	json_t *addresses = json_array();
	struct addr key, next;
	char text[ADDR_TEXT];

	for (bool more = bpf_map_get_next_key(map, NULL, &next) == 0; more;
	     more = bpf_map_get_next_key(map, &key, &next) == 0) {
		key = next;
		json_array_append_new(addresses, json_string(addr_format(&key, text)));
	}
	return addresses;
}

static json_t *counters_of(int map)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *count = cpus > 0 ? calloc((size_t)cpus, sizeof(*count)) : NULL;
	json_t *counters = json_array();

	for (uint32_t i = 0; count && i < WEIR_DECAP_REASON_COUNT; i++) {
		uint64_t sum = 0;

		if (bpf_map_lookup_elem(map, &i, count) == 0)
			for (int cpu = 0; cpu < cpus; cpu++)
				sum += count[cpu];
		json_array_append_new(counters, json_pack("{s:s, s:I, s:s}", "reason", reasons[i].word, "packets",
							  (json_int_t)sum, "sentence", reasons[i].sentence));
	}
	free(count);
	return counters;
}

/* Adds the interface if a program of ours runs there. 0, or -1 with error filled. */
static int add_interface(json_t *interfaces, const char *name, uint32_t ifindex, struct error *error)
{
	struct decap_program found;
	int rc = decap_program_find(name, ifindex, &found, error);

	if (!rc && found.ours)
		json_array_append_new(interfaces,
				      json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", name, "mode",
						found.generic ? "generic" : "native", "tag", found.tag, "addresses",
						addresses_of(found.addrs), "counters", counters_of(found.counters)));
	decap_program_close(&found);
	return rc;
}

static int add_all(json_t *interfaces, struct error *error)
{
	struct if_nameindex *all = if_nameindex();
	int rc = 0;

	for (struct if_nameindex *i = all; i && i->if_name && !rc; i++)
		rc = add_interface(interfaces, i->if_name, i->if_index, error);
	if (all)
		if_freenameindex(all);
	return rc;
}

static int add_one(json_t *interfaces, const char *name, struct error *error)
{
	uint32_t ifindex = if_nametoindex(name);

	if (!ifindex)
		return error_set(error, ERROR_NO_SUCH, "interface \"%.60s\": no such interface", name);
	if (add_interface(interfaces, name, ifindex, error))
		return -1;
	if (json_array_size(interfaces) == 0)
		return error_set(error, ERROR_NO_SUCH, "interface %s: weir decap is not attached there", name);
	return 0;
}

/* ---- for people ---- */

static void show_interface(const struct screen *screen, const json_t *interface)
{
	const char *mode = render_string(interface, "mode");
	const json_t *address, *counter;
	struct table table;
	size_t i;

	fprintf(screen->out, "%s: xdp ", render_string(interface, "name"));
	screen_text(screen, screen_state_colour(mode), mode);
	fputs(", strips for", screen->out);
	json_array_foreach(json_object_get(interface, "addresses"), i, address)
		fprintf(screen->out, " %s", json_string_value(address));
	fputs(i ? "\n" : " no address\n", screen->out);
	table_start(&table, "REASON >PACKETS MEANING");
	json_array_foreach(json_object_get(interface, "counters"), i, counter)
	{
		char text[NUMBER_TEXT];

		table_add(&table, COLOUR_NONE, render_string(counter, "reason"));
		table_add(&table, COLOUR_NONE, number_count(render_number(counter, "packets"), text));
		table_add(&table, COLOUR_NONE, render_string(counter, "sentence"));
	}
	table_print(&table, screen);
}

static void show_all(const json_t *interfaces)
{
	struct screen screen = {stdout, screen_wants_colour(stdout)};
	const json_t *interface;
	size_t i;

	json_array_foreach(interfaces, i, interface)
	{
		fputs(i ? "\n" : "", stdout);
		show_interface(&screen, interface);
	}
	if (i == 0)
		puts("weir decap is attached nowhere");
}

int decap_show(const struct call *call)
{
	struct error error = {.code = ERROR_NONE};
	json_t *interfaces = json_array(), *document;
	int rc = call->words ? add_one(interfaces, call->word[0].text, &error) : add_all(interfaces, &error);

	document = json_pack("{s:i, s:o}", "schema_version", 1, "interfaces", interfaces);
	if (rc) {
		complain(&error);
	} else if (call->options.given & OPTION_JSON) {
		json_dumpf(document, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		show_all(interfaces);
	}
	json_decref(document);
	return (int)error.code;
}
