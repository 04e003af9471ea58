/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened. In: the model's and the agent's events. Out: a ring for `weir events`, a callback for those that
 * follow, the log, and a file to which each event is appended at once, so that SIGKILL loses none. Lines are JSON and
 * are not looked into when they are read back: only their form is checked, as a file may have been cut off.
 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/file.h"
#include "../lib/json.h"
#include "../lib/log.h"

enum { FILE_LINES_MAX = 3 * EVENTS_MAX, FILE_BYTES_MAX = FILE_LINES_MAX * EVENT_BYTES_MAX };

const char *events_line(const struct events *events, size_t number)
{
	return events->line[(events->first + number) % EVENTS_MAX];
}

/* Takes `line`. */
static void ring_add(struct events *events, char *line)
{
	size_t at = (events->first + events->count) % EVENTS_MAX;

	if (events->count == EVENTS_MAX) {
		free(events->line[events->first]);
		events->first = (events->first + 1) % EVENTS_MAX;
		at = (events->first + EVENTS_MAX - 1) % EVENTS_MAX;
	} else {
		events->count++;
	}
	events->line[at] = line;
}

static bool looks_whole(const char *line, size_t length)
{
	if (length < 10 || length > EVENT_BYTES_MAX || memcmp(line, "{\"time\":", 8) != 0 || line[length - 1] != '}')
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] < 0x20)
			return false;
	return true;
}

static void read_back(struct events *events, const char *text)
{
	size_t left_out = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");
		char *line = NULL;

		if (text[length] && looks_whole(text, length))
			line = strndup(text, length + 1);
		if (line)
			ring_add(events, line);
		else
			left_out++;
		text += length + (text[length] ? 1 : 0);
	}
	if (left_out)
		log_warn("%s: left out %zu lines that were no whole events", events->path, left_out);
}

/* The file becomes what the ring holds. */
static int write_anew(struct events *events)
{
	struct buf text = {.limit = FILE_BYTES_MAX};
	int err;

	for (size_t i = 0; i < events->count; i++)
		buf_puts(&text, events_line(events, i));
	err = text.failed ? -ENOMEM
			  : file_replace(events->path, ".tmp", text.data ? text.data : "", text.length, 0640, 0);
	buf_free(&text);
	if (err)
		return err;
	if (events->fd >= 0)
		close(events->fd);
	events->file_lines = events->count;
	events->fd = open(events->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	return events->fd < 0 ? -errno : 0;
}

int events_open(struct events *events, const char *state_dir, struct error *error)
{
	struct buf text = {0};
	int err;

	memset(events, 0, sizeof(*events));
	events->fd = -1;
	snprintf(events->path, sizeof(events->path), "%s/events", state_dir);
	err = file_read(events->path, &text, FILE_BYTES_MAX);
	if (!err && text.data)
		read_back(events, text.data);
	else if (err && err != -ENOENT)
		log_warn("%s: %s: earlier events are lost", events->path, strerror(-err));
	buf_free(&text);
	err = write_anew(events);
	if (err)
		return error_set(error, ERROR_REFUSED, "%s: cannot be written: %s", events->path, strerror(-err));
	return 0;
}

void events_close(struct events *events)
{
	for (size_t i = 0; i < events->count; i++)
		free(events->line[(events->first + i) % EVENTS_MAX]);
	events->count = 0;
	if (events->fd >= 0)
		close(events->fd);
	events->fd = -1;
}

/* Appends a line, whole or not at all: half a line (disk full) is taken back. */
static void file_add(struct events *events, const char *line, size_t length)
{
	struct stat before;
	ssize_t written;

	if (events->fd < 0 || fstat(events->fd, &before) != 0)
		return;
	written = write(events->fd, line, length);
	if (written == (ssize_t)length) {
		events->file_lines++;
		return;
	}
	log_warn("%s: an event was not kept: %s", events->path, written < 0 ? strerror(errno) : "no space left");
	if (written > 0 && ftruncate(events->fd, before.st_size) != 0)
		log_warn("%s: %s", events->path, strerror(errno));
}

static void tell_log(const char *kind, const char *service, const char *backend, const char *text)
{
	if (backend)
		log_info("service %s: backend %s: %s", service ? service : "-", backend, text);
	else if (service)
		log_info("service %s: %s", service, text);
	else
		log_info("%s: %s", kind, text);
}

void events_add(struct events *events, uint64_t wall_ns, const char *kind, const char *service,
		const struct addr *backend, const char *text)
{
	char address[ADDR_TEXT];
	const char *name = backend ? addr_format(backend, address) : NULL;
	struct buf line = {.limit = EVENT_BYTES_MAX};
	struct json json;

	tell_log(kind, service, name, text);
	json_init(&json, &line);
	json_add_object(&json, NULL);
	json_add_time(&json, "time", wall_ns);
	json_add_string(&json, "kind", kind);
	json_add_string(&json, "service", service);
	json_add_string(&json, "backend", name);
	json_add_string(&json, "text", text);
	json_end_object(&json);
	json_end_line(&json);
	if (line.failed) {
		log_warn("event %s: too long to be kept", kind);
		buf_free(&line);
		return;
	}
	file_add(events, line.data, line.length);
	if (events->added)
		events->added(events->arg, line.data, line.length);
	ring_add(events, line.data);
	if (events->file_lines > FILE_LINES_MAX - EVENTS_MAX && write_anew(events) != 0)
		log_warn("%s: cannot be written anew", events->path);
}
