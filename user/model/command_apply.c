/* SPDX-License-Identifier: BSD-2-Clause */
/* struct command + wanted config -> changed config, or nothing changed and the reason. All is done on a copy, which is checked like a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "schema.h"
#include "values.h"

/* What a verb works with. */
struct change {
	const struct command *command;
	struct config *config;          /* the copy */
	struct config_service *service; /* of the command; NULL: there is none */
	struct config_backend *backend;
	struct command_result *result;
	struct error *error;
	char addr[ADDR_TEXT];
};

#define REFUSE(change, ...) error_set((change)->error, ERROR_REFUSED, __VA_ARGS__)
#define TELL(change, ...)   snprintf((change)->result->text, sizeof((change)->result->text), __VA_ARGS__)

static int out_of_memory(const struct change *change)
{
	return REFUSE(change, "out of memory");
}

/* ---- the objects named ---- */

static int no_such_service(const struct change *change)
{
	const char **name = calloc(change->config->services + 1, sizeof(*name)), *nearest;
	size_t names = 0;

	for (; name && names < change->config->services; names++)
		name[names] = change->config->service[names].name;
	nearest = words_nearest(change->command->service, name, names);
	error_set(change->error, ERROR_NO_SUCH, "service \"%s\": no such service%s%s%s", change->command->service,
		  nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
	free(name);
	return -1;
}

static int no_such_backend(const struct change *change)
{
	size_t backends = change->service->backends;
	char(*text)[ADDR_TEXT] = calloc(backends + 1, sizeof(*text));
	const char **name = calloc(backends + 1, sizeof(*name)), *nearest;

	for (size_t i = 0; text && name && i < backends; i++)
		name[i] = addr_format(&change->service->backend[i].addr, text[i]);
	nearest = words_nearest(change->addr, name, text && name ? backends : 0);
	error_set(change->error, ERROR_NO_SUCH, "backend %s of \"%s\": no such backend%s%s%s", change->addr,
		  change->service->name, nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
	free(text);
	free(name);
	return -1;
}

/* ---- the file's words ---- */

/* Reads the command's words into service or backend. */
static int read_words(const struct change *change, struct config_service *service, struct config_backend *backend,
		      enum block_where where)
{
	struct errors errors = {0};
	struct reading r;
	int err;

	schema_begin(&r, NULL, &errors);
	r.service = service;
	r.backend = backend;
	block_read(&r, change->command->body, where);
	err = errors.count || errors.more ? -1 : 0;
	errors_first(&errors, change->error);
	errors_free(&errors);
	return err;
}

/* --force with these does more than overrule. */
static const char *what_force_does(enum command_verb verb)
{
	return verb == COMMAND_BACKEND_DRAIN || verb == COMMAND_BACKEND_REMOVE
		       ? ", which cuts its flows: weight 0 with --force drains it and keeps them"
		       : "";
}

/* Would the service, which has an up backend now, have none? Not without --force. */
static int check_last(const struct change *change, const char *what)
{
	if (change->command->force || !config_backend_up(change->backend))
		return 0;
	for (size_t i = 0; i < change->service->backends; i++)
		if (&change->service->backend[i] != change->backend && config_backend_up(&change->service->backend[i]))
			return 0;
	return REFUSE(change, "backend %s of \"%s\": is the last one that is up: %s needs --force%s", change->addr,
		      change->service->name, what, what_force_does(change->command->verb));
}

/* ---- services ---- */

static bool same_backends(const struct config_service *a, const struct config_service *b)
{
	if (a->backends != b->backends)
		return false;
	for (size_t i = 0; i < a->backends; i++) {
		const struct config_backend *other = config_backend(b, &a->backend[i].addr);

		if (!other || !config_backend_same(&a->backend[i], other))
			return false;
	}
	return true;
}

static int add_read_service(struct change *change, const struct config_service *service)
{
	const char *name = change->command->service;

	if (change->service && config_service_same_words(change->service, service) &&
	    same_backends(change->service, service)) {
		TELL(change, "service \"%s\": already there", name);
		return 0;
	}
	if (change->service)
		return REFUSE(change,
			      "service \"%s\": is there already, with other words: use service set, backend add", name);
	if (!service->listeners)
		return error_set(change->error, ERROR_USAGE,
				 "service \"%s\": has no listen: for which address, protocol and ports is it?", name);
	if (config_add_service(change->config, service) < 0)
		return out_of_memory(change);
	change->result->changed = true;
	TELL(change, "service \"%s\" added", name);
	return 0;
}

static int service_add(struct change *change)
{
	struct config_service service;
	int err;

	config_service_init(&service);
	memcpy(service.name, change->command->service, sizeof(service.name));
	err = read_words(change, &service, NULL, IN_SERVICE);
	if (!err)
		err = add_read_service(change, &service);
	config_service_free(&service);
	return err;
}

static int service_remove(struct change *change)
{
	config_remove_service(change->config, change->command->service);
	config_add_gone(change->config, change->command->service, &change->command->addr);
	change->result->changed = true;
	TELL(change, "service \"%s\" removed", change->command->service);
	return 0;
}

static int service_set(struct change *change)
{
	struct config_service was, *service = change->service;
	struct config_service set;
	int err;

	if (!change->command->body)
		return error_set(change->error, ERROR_USAGE, "service \"%s\": set what? service set NAME WORDS",
				 service->name);
	if (config_service_copy(&was, service) < 0)
		return out_of_memory(change);
	/* What is not mentioned stays; listeners that are given replace all that there are. */
	set = *service;
	set.listener = NULL;
	set.listeners = 0;
	err = read_words(change, &set, NULL, IN_SERVICE_SET);
	if (!err && set.slots != service->slots)
		err = REFUSE(change, "service \"%s\": slots is %u and fixed while the service lives", service->name,
			     service->slots);
	if (!err) {
		config_service_take_words(service, &set);
		if (set.listeners) {
			free(service->listener);
			service->listener = set.listener;
			service->listeners = set.listeners;
			set.listener = NULL;
		}
		change->result->changed = !config_service_same_words(&was, service);
		TELL(change, "service \"%s\"%s", service->name,
		     change->result->changed ? " changed" : ": is so already");
	}
	free(set.listener);
	config_service_free(&was);
	return err;
}

/* ---- backends ---- */

static int backend_add(struct change *change)
{
	struct config_backend backend = {.addr = change->command->addr, .weight = 1};

	if (read_words(change, NULL, &backend, IN_BACKEND_ADD) < 0)
		return -1;
	if (change->backend && config_backend_same(change->backend, &backend)) {
		TELL(change, "backend %s of \"%s\": already there", change->addr, change->service->name);
		return 0;
	}
	if (change->backend)
		return REFUSE(change, "backend %s of \"%s\": is there already, %s: use backend %s", change->addr,
			      change->service->name,
			      change->backend->state == BACKEND_ENABLED    ? "with other words"
			      : change->backend->state == BACKEND_DRAINING ? "draining"
									   : "disabled",
			      change->backend->state == BACKEND_ENABLED ? "set" : "enable");
	if (config_add_backend(change->service, &backend) < 0)
		return out_of_memory(change);
	change->result->changed = true;
	TELL(change, "backend %s added to \"%s\"", change->addr, change->service->name);
	return 0;
}

static int backend_remove(struct change *change)
{
	if (check_last(change, "removing it") < 0)
		return -1;
	config_remove_backend(change->service, &change->command->addr);
	config_add_gone(change->config, change->service->name, &change->command->addr);
	change->result->changed = true;
	TELL(change, "backend %s removed from \"%s\"", change->addr, change->service->name);
	return 0;
}

static int set_state(struct change *change, enum config_backend_state state, const char *word, const char *what)
{
	if (change->backend->state == state) {
		TELL(change, "backend %s of \"%s\": already %s", change->addr, change->service->name, word);
		return 0;
	}
	if (state != BACKEND_ENABLED && check_last(change, what) < 0)
		return -1;
	change->backend->state = state;
	change->result->changed = true;
	TELL(change, "backend %s of \"%s\": %s", change->addr, change->service->name, word);
	return 0;
}

static int backend_drain(struct change *change)
{
	return set_state(change, BACKEND_DRAINING, "draining", "draining it");
}

static int backend_disable(struct change *change)
{
	return set_state(change, BACKEND_DISABLED, "disabled", "disabling it");
}

static int backend_enable(struct change *change)
{
	int err = set_state(change, BACKEND_ENABLED, "enabled", "");
	size_t used = strlen(change->result->text);

	if (!err && change->backend->weight == 0)
		snprintf(change->result->text + used, sizeof(change->result->text) - used,
			 ", but it gets no new flows: its weight is 0");
	return err;
}

/* What remains to be done when the words have been read into a copy of the backend. */
static int put_backend(struct change *change, const struct config_backend *set)
{
	if (config_backend_same(change->backend, set)) {
		TELL(change, "backend %s of \"%s\": is so already", change->addr, change->service->name);
		return 0;
	}
	if (!config_backend_up(set) && check_last(change, "this") < 0)
		return -1;
	*change->backend = *set;
	change->result->changed = true;
	TELL(change, "backend %s of \"%s\": weight %u%s", change->addr, change->service->name, set->weight,
	     set->state == BACKEND_DRAINING   ? ", draining"
	     : set->state == BACKEND_DISABLED ? ", disabled"
					      : "");
	return 0;
}

static int backend_set(struct change *change)
{
	struct config_backend set = *change->backend;

	if (!change->command->body)
		return error_set(change->error, ERROR_USAGE,
				 "backend %s of \"%s\": set what? backend set SERVICE ADDR weight N", change->addr,
				 change->service->name);
	/* A state that is given replaces the one there is. */
	set.state = BACKEND_ENABLED;
	if (read_words(change, NULL, &set, IN_BACKEND) < 0)
		return -1;
	if (set.state == BACKEND_ENABLED)
		set.state = change->backend->state;
	return put_backend(change, &set);
}

static int backend_weight(struct change *change)
{
	struct config_backend set = *change->backend;
	struct errors errors = {0};
	struct reading r;
	uint32_t weight = 0;
	int err;

	schema_begin(&r, NULL, &errors);
	err = value_number(&r, change->command->body->word, "weight", 0, 1000, &weight);
	errors_first(&errors, change->error);
	errors_free(&errors);
	set.weight = (uint16_t)weight;
	return err ? err : put_backend(change, &set);
}

/* ---- all together ---- */

static int (*const apply[])(struct change *change) = {
	[COMMAND_SERVICE_ADD] = service_add,       [COMMAND_SERVICE_REMOVE] = service_remove,
	[COMMAND_SERVICE_SET] = service_set,       [COMMAND_BACKEND_ADD] = backend_add,
	[COMMAND_BACKEND_REMOVE] = backend_remove, [COMMAND_BACKEND_DRAIN] = backend_drain,
	[COMMAND_BACKEND_ENABLE] = backend_enable, [COMMAND_BACKEND_DISABLE] = backend_disable,
	[COMMAND_BACKEND_SET] = backend_set,       [COMMAND_BACKEND_WEIGHT] = backend_weight,
};

static int run(struct change *change)
{
	const struct command *command = change->command;
	bool about_backend = !addr_is_none(&command->addr);

	change->service = config_service(change->config, command->service);
	if (!change->service && command->verb == COMMAND_SERVICE_REMOVE &&
	    config_is_gone(change->config, command->service, &command->addr)) {
		TELL(change, "service \"%s\": already removed", command->service);
		return 0;
	}
	if (!change->service && command->verb != COMMAND_SERVICE_ADD)
		return no_such_service(change);
	if (!about_backend)
		return apply[command->verb](change);
	addr_format(&command->addr, change->addr);
	change->backend = config_backend(change->service, &command->addr);
	if (!change->backend && command->verb == COMMAND_BACKEND_REMOVE &&
	    config_is_gone(change->config, command->service, &command->addr)) {
		TELL(change, "backend %s of \"%s\": already removed", change->addr, command->service);
		return 0;
	}
	if (!change->backend && command->verb != COMMAND_BACKEND_ADD)
		return no_such_backend(change);
	return apply[command->verb](change);
}

int command_apply(const struct command *command, struct config *wanted, struct command_result *result,
		  struct error *error)
{
	struct config config;
	struct change change = {.command = command, .config = &config, .result = result, .error = error};
	struct errors errors = {0};
	int err;

	*result = (struct command_result){.changed = false};
	if (config_copy(&config, wanted) < 0)
		return out_of_memory(&change);
	err = run(&change);
	if (!err && result->changed) {
		err = config_check(&config, &errors);
		errors_first(&errors, error);
		errors_free(&errors);
	}
	if (err) {
		config_free(&config);
		return -1;
	}
	config_free(wanted);
	*wanted = config;
	return 0;
}
