/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines (log.h). In: texts from everywhere. Out: stderr, one write per line, so that lines of several processes do
 * not mix. A reader that has stopped reading costs lines, never the agent's time: how many were lost is said when there is room again.
 */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 2048, /* below PIPE_BUF: a pipe takes it whole */
	PATIENCE_MS = 100,     /* for a reader that is only slow */
};

static const struct {
	const char *word, *journal; /* the journal's prefixes are syslog's priorities */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", "<3>"},
	[LOG_LEVEL_WARN] = {"warn", "<4>"},
	[LOG_LEVEL_INFO] = {"info", "<6>"},
	[LOG_LEVEL_DEBUG] = {"debug", "<7>"},
};

static enum log_level most = LOG_LEVEL_INFO;
static unsigned long lost;

void log_set_level(enum log_level level)
{
	most = level;
}

int log_level_parse(const char *word, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(word, levels[i].word) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* JOURNAL_STREAM is inherited by children whose stderr is something else: it counts only if it names this very file. */
static bool to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat file;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &file) == 0 &&
	       file.st_dev == device && file.st_ino == inode;
}

static int print_prefix(char *line, size_t size, enum log_level level)
{
	struct timespec now;
	struct tm utc;
	char time[32];

	if (to_journal())
		return snprintf(line, size, "%s", levels[level].journal);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &utc);
	return snprintf(line, size, "%s.%03ldZ %-5s ", time, now.tv_nsec / 1000000, levels[level].word);
}

static bool put(const char *line, size_t length)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	/* Once lines have been lost there is no patience left until the reader is back; a pipe without one would raise SIGPIPE. */
	if (poll(&out, 1, lost ? 0 : PATIENCE_MS) != 1 || out.revents != POLLOUT)
		return false;
	return write(STDERR_FILENO, line, length) == (ssize_t)length;
}

__attribute__((format(printf, 2, 0))) static void print(enum log_level level, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t start = (size_t)print_prefix(line, sizeof(line), level);
	int text = vsnprintf(line + start, sizeof(line) - start - 1, format, args);
	size_t length;

	if (text < 0)
		return;
	length = start + (size_t)text;
	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	/* Names come from outside: none may start a line of its own, or speak to a terminal. */
	for (size_t i = start; i < length; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	line[length++] = '\n';
	if (!put(line, length))
		lost++;
}

__attribute__((format(printf, 2, 3))) static void say(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(level, format, args);
	va_end(args);
}

__attribute__((format(printf, 2, 0))) static void log_line(enum log_level level, const char *format, va_list args)
{
	int saved = errno;
	unsigned long before = lost;

	if (level > most)
		return;
	print(level, format, args);
	if (before && lost == before) {
		lost = 0;
		say(LOG_LEVEL_WARN, "%lu log lines before this one were lost: nobody read them", before);
	}
	errno = saved;
}

#define LOG_FUNCTION(name, level)              \
	void name(const char *format, ...)     \
	{                                      \
		va_list args;                  \
                                               \
		va_start(args, format);        \
		log_line(level, format, args); \
		va_end(args);                  \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
