/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is built in the frame and leaves in one write, so that lines of the
 * keeper and the worker never interleave.
 */
#include "base/log.h"
#include "base/macros.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LOG_TAIL_MAX 1024
#define LOG_LINE_MAX 5120 /* every byte of the tail escaped, and the rest */

static struct log_settings current = {
	.program = "secretsfs",
	.level = LOG_LEVEL_INFO,
};

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

void log_setup(const struct log_settings *settings)
{
	current = *settings;
	if (current.syslog)
		openlog(current.program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

bool log_has(enum log_level level)
{
	return level <= current.level;
}

int log_level_parse(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strcmp(text, levels[i].name) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

/* Escapes what could end a line or a JSON string. */
static void escape(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (; *text && used + 7 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			used += (size_t)snprintf(
				out + used, size - used,
				current.json ? "\\u%04x" : "\\x%02x", c);
		else if (current.json && (c == '"' || c == '\\'))
			used += (size_t)snprintf(out + used, size - used,
						 "\\%c", c);
		else
			out[used++] = (char)c;
	}
	out[used] = '\0';
}

static void format_time(char *out, size_t size)
{
	struct timespec now;
	struct tm parts;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	used = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(out + used, size - used, ".%03ldZ",
		       now.tv_nsec / 1000000);
}

static void write_stderr(enum log_level level, const char *message,
			 const char *tail)
{
	char line[LOG_LINE_MAX];
	char when[32];
	int length;

	format_time(when, sizeof(when));
	if (current.json)
		length = snprintf(line, sizeof(line),
				  "{\"time\":\"%s\",\"level\":\"%s\","
				  "\"program\":\"%s\",\"message\":\"%s\","
				  "\"detail\":\"%s\"}\n",
				  when, levels[level].name, current.program,
				  message, tail);
	else
		length = snprintf(line, sizeof(line), "%s %s %s: %s%s%s\n",
				  when, levels[level].name, current.program,
				  message, *tail ? " " : "", tail);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(line))
		length = sizeof(line) - 1;
	while (write(STDERR_FILENO, line, (size_t)length) < 0 && errno == EINTR)
		continue;
}

void log_line(enum log_level level, const char *message, const char *format,
	      ...)
{
	char tail[LOG_TAIL_MAX] = "";
	char escaped[LOG_LINE_MAX - 512];
	int saved_errno = errno;
	va_list args;

	if (!log_has(level))
		return;
	if (format) {
		va_start(args, format);
		(void)vsnprintf(tail, sizeof(tail), format, args);
		va_end(args);
	}
	escape(tail, escaped, sizeof(escaped));
	if (current.syslog)
		syslog(levels[level].priority, "%s%s%s", message,
		       *escaped ? " " : "", escaped);
	else
		write_stderr(level, message, escaped);
	errno = saved_errno;
}
