/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

/*
 * One line for each event, to standard error or to the system log.
 *
 * A line is a constant message and a tail of key=value pairs. Control bytes
 * in the tail are escaped, so foreign text cannot forge a line. A secret
 * value is never an argument.
 *
 * The settings are the process's own, as standard error is: this is the one
 * state in the program that is not held by an object.
 */

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

struct log_settings {
	const char *program; /* borrowed for as long as the process lives */
	enum log_level level;
	bool json;
	bool syslog; /* syslog(3) instead of standard error */
};

/* Until it is called: text on standard error, up to LOG_LEVEL_INFO. */
void log_setup(const struct log_settings *settings);

/* Whether a line of that level would be written: guards costly arguments. */
bool log_has(enum log_level level);

/* "error", "warning", "info" or "debug". 0, or -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret);
const char *log_level_name(enum log_level level);

/* The format makes the tail; NULL for none. */
void log_line(enum log_level level, const char *message, const char *format,
	      ...) __attribute__((format(printf, 3, 4)));

#define log_err(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
