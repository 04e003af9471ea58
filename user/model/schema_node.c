/* SPDX-License-Identifier: BSD-2-Clause */
/* What the words about the node itself set: seed, interfaces, peers, limits, control socket, metrics. Called through the table in schema.c. */
#include "schema_node.h"

#include <stdlib.h>
#include <string.h>

#include "values.h"

enum {
	LIMIT_SERVICES = CONFIG_SERVICES_MAX,
	LIMIT_BACKENDS = 65535,
	LIMIT_VIPS = 65536,
	LIMIT_SLOTS = LIMIT_SERVICES * 16384,
	LIMIT_FLOWS_LEAST = 1 << 10, /* of pins, and of openings */
	LIMIT_FLOWS = 1 << 24,
	SLOTS_UNIT = 1 << WEIR_SLOT_BITS_MIN,
};

static void out_of_memory(struct reading *r, const struct statement *statement)
{
	block_fault(r, statement->word, "out of memory");
}

/* One more element of an array of the config; NULL when memory is out. */
static void *append(void *array, size_t *count, size_t size)
{
	char *grown = realloc(array, (*count + 1) * size);

	if (grown)
		memset(grown + (*count)++ * size, 0, size);
	return grown;
}

/* ---- the file itself: node, interface, cluster, control, metrics ---- */

void node_set_node(struct reading *r, const struct statement *s)
{
	block_read(r, s->block, IN_NODE);
}

void node_set_hash_seed(struct reading *r, const struct statement *s)
{
	r->config->hash_seed_place = block_place(r, s->word);
	value_text(r, &s->word[1], "hash-seed", r->config->hash_seed, sizeof(r->config->hash_seed));
}

void node_set_interface(struct reading *r, const struct statement *s)
{
	struct config_interface interface = {.mode = XDP_MODE_NATIVE, .place = block_place(r, s->word)}, *grown;
	struct config *config = r->config;
	bool named = value_interface(r, &s->word[1], interface.name) == 0;

	r->interface = &interface;
	block_read(r, s->block, IN_INTERFACE);
	r->interface = NULL;
	if (!named)
		return;
	for (size_t i = 0; i < config->interfaces; i++) {
		const struct config_interface *other = &config->interface[i];

		if (strcmp(other->name, interface.name) == 0) {
			block_fault(r, &s->word[1], "interface \"%s\": is given twice, first at %s:%d:%d", other->name,
				    config->file[other->place.file], other->place.line, other->place.col);
			return;
		}
	}
	if (config->interfaces == WEIR_PORTS_MAX) {
		block_fault(r, s->word, "interface \"%s\": more than %d interfaces", interface.name, WEIR_PORTS_MAX);
		return;
	}
	grown = append(config->interface, &config->interfaces, sizeof(*grown));
	if (!grown) {
		out_of_memory(r, s);
		return;
	}
	config->interface = grown;
	grown[config->interfaces - 1] = interface;
}

void node_set_xdp(struct reading *r, const struct statement *s)
{
	size_t mode;

	if (value_choice(r, &s->word[1], "xdp", value_xdp, 3, &mode) == 0)
		r->interface->mode = (enum xdp_mode)mode;
}

void node_set_cluster(struct reading *r, const struct statement *s)
{
	block_read(r, s->block, IN_CLUSTER);
}

void node_set_peer(struct reading *r, const struct statement *s)
{
	struct config *config = r->config;
	struct addr addr, *grown;

	if (value_address(r, &s->word[1], "peer", &addr) < 0)
		return;
	if (s->words > 2) {
		if (word_is(&s->word[2], "port"))
			block_not_supported(r, &s->word[2]);
		else
			block_fault(r, &s->word[2], "unexpected \"%s\": peer ADDR", word_show(&s->word[2]).text);
		return;
	}
	for (size_t i = 0; i < config->peers; i++) {
		if (addr_compare(&config->peer[i], &addr) == 0) {
			block_fault(r, &s->word[1], "peer %s: is given twice", word_show(&s->word[1]).text);
			return;
		}
	}
	if (config->peers == WEIR_PEERS_MAX) {
		block_fault(r, s->word, "peer %s: more than %d peers", word_show(&s->word[1]).text, WEIR_PEERS_MAX);
		return;
	}
	grown = append(config->peer, &config->peers, sizeof(*grown));
	if (!grown) {
		out_of_memory(r, s);
		return;
	}
	config->peer = grown;
	grown[config->peers - 1] = addr;
}

void node_set_control(struct reading *r, const struct statement *s)
{
	block_read(r, s->block, IN_CONTROL);
}

void node_set_write(struct reading *r, const struct statement *s)
{
	if (!word_is(&s->word[1], "group"))
		block_fault(r, &s->word[1], "unexpected \"%s\": write group NAME", word_show(&s->word[1]).text);
	else
		value_name(r, &s->word[2], "group", r->config->write_group, sizeof(r->config->write_group));
}

void node_set_metrics(struct reading *r, const struct statement *s)
{
	block_read(r, s->block, IN_METRICS);
}

void node_set_file(struct reading *r, const struct statement *s)
{
	const struct word *path = &s->word[1];

	if (value_text(r, path, "file", r->config->metrics_file, sizeof(r->config->metrics_file)) == 0 &&
	    path->text[0] != '/')
		block_fault(r, path, "file \"%s\": must be an absolute path", word_show(path).text);
}

void node_set_every(struct reading *r, const struct statement *s)
{
	value_time(r, &s->word[1], "every", SECOND_MS, HOUR_MS, &r->config->metrics_every_ms);
}

/* ---- limits ---- */

void node_set_limits(struct reading *r, const struct statement *s)
{
	struct config_limits *limits = &r->config->limits, defaults = *limits;

	limits->vips = limits->slots = 0;
	limits->place = block_place(r, s->word);
	block_read(r, s->block, IN_LIMITS);
	/* Those that follow from `services` unless they are given. */
	if (!limits->vips)
		limits->vips = limits->services * (defaults.vips / defaults.services);
	if (!limits->slots)
		limits->slots = limits->services * (defaults.slots / defaults.services);
}

void node_set_limit_services(struct reading *r, const struct statement *s)
{
	value_number(r, &s->word[1], "services", 1, LIMIT_SERVICES, &r->config->limits.services);
}

void node_set_limit_backends(struct reading *r, const struct statement *s)
{
	value_number(r, &s->word[1], "backends", 1, LIMIT_BACKENDS, &r->config->limits.backends);
}

void node_set_limit_vips(struct reading *r, const struct statement *s)
{
	value_number(r, &s->word[1], "vips", 1, LIMIT_VIPS, &r->config->limits.vips);
}

void node_set_limit_slots(struct reading *r, const struct statement *s)
{
	const struct word *word = &s->word[1];

	if (value_number(r, word, "slots", SLOTS_UNIT, LIMIT_SLOTS, &r->config->limits.slots) == 0 &&
	    r->config->limits.slots % SLOTS_UNIT)
		block_fault(r, word, "slots %s: must be a multiple of %d", word->text, SLOTS_UNIT);
}

void node_set_limit_pins(struct reading *r, const struct statement *s)
{
	value_number(r, &s->word[1], "pins", LIMIT_FLOWS_LEAST, LIMIT_FLOWS, &r->config->limits.pins);
}

void node_set_limit_openings(struct reading *r, const struct statement *s)
{
	value_number(r, &s->word[1], "openings", LIMIT_FLOWS_LEAST, LIMIT_FLOWS, &r->config->limits.openings);
}
