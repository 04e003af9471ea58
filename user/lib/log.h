/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines to stderr; with the journal's <N> level prefix when stderr is the journal (JOURNAL_STREAM), else with time and level. */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
/* Level of a word (error, warn, info, debug); -EINVAL for another word. */
int log_level_parse(const char *word, enum log_level *level);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
