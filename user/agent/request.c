/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The final line of a reply. In: what the functions of requests.c's table say. Out: one JSON line at the end of the
 * reply.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

static void add_warnings(struct json *json, char *text)
{
	char *line, *rest = text;

	json_add_array(json, "warnings");
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line)
			json_add_string(json, NULL, line);
	json_end_array(json);
}

static void finish(struct request *request, enum error_code code, const char *key, const char *text)
{
	struct json json;

	if (request->done)
		return;
	request->done = true;
	json_init(&json, request->out);
	json_add_object(&json, NULL);
	json_add_bool(&json, "done", true);
	json_add_int(&json, "code", code);
	json_add_string(&json, key, text);
	if (request->warnings.length > 0)
		add_warnings(&json, request->warnings.data);
	json_end_object(&json);
	json_end_line(&json);
}

void reply_done(struct request *request, const char *format, ...)
{
	va_list arguments;
	char text[1024];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	finish(request, ERROR_NONE, "text", text);
}

void reply_done_text(struct request *request, const char *text)
{
	finish(request, ERROR_NONE, "text", text);
}

int reply_error_text(struct request *request, enum error_code code, const char *text)
{
	finish(request, code == ERROR_NONE ? ERROR_REFUSED : code, "error", text);
	return -1;
}

int reply_error(struct request *request, enum error_code code, const char *format, ...)
{
	va_list arguments;
	char text[1024];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return reply_error_text(request, code, text);
}

void reply_warn(struct request *request, const char *format, ...)
{
	va_list arguments;
	char text[1024];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	buf_printf(&request->warnings, "%s\n", text);
}
