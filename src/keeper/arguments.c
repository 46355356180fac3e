/* SPDX-License-Identifier: Apache-2.0 */
/* Written by a program and read by one, so there is one form of everything. */
#include "keeper/arguments.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/parse.h"
#include "keeper/deaths.h"
#include "keeper/heartbeat.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NO_ID UINT32_MAX /* which no user and no group has */

#define HEARTBEAT_MIN_MS 100
#define HEARTBEAT_MAX_MS 3600000

enum kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_ID,
	KIND_LEVEL,
	KIND_RESTARTS,
	KIND_HEARTBEAT,
	KIND_ON_STOP,
};

static const struct argument {
	const char *name;
	enum kind kind;
	size_t offset;
} table[] = {
	{ "--mount-point", KIND_TEXT, offsetof(struct arguments, mount_point) },
	{ "--folder", KIND_FLAG, offsetof(struct arguments, is_folder) },
	{ "--worker-uid", KIND_ID, offsetof(struct arguments, worker_uid) },
	{ "--worker-gid", KIND_ID, offsetof(struct arguments, worker_gid) },
	{ "--allow-other", KIND_FLAG, offsetof(struct arguments, allow_other) },
	{ "--context", KIND_TEXT, offsetof(struct arguments, context) },
	{ "--foreground", KIND_FLAG, offsetof(struct arguments, foreground) },
	{ "--log-json", KIND_FLAG, offsetof(struct arguments, log_json) },
	{ "--log-level", KIND_LEVEL, offsetof(struct arguments, log_level) },
	{ "--log-file", KIND_TEXT, offsetof(struct arguments, log_file) },
	{ "--restarts", KIND_RESTARTS, offsetof(struct arguments, restarts) },
	{ "--restarts-at-once", KIND_FLAG,
	  offsetof(struct arguments, restarts_at_once) },
	{ "--no-resend", KIND_FLAG, offsetof(struct arguments, no_resend) },
	{ "--attach-socket", KIND_TEXT,
	  offsetof(struct arguments, attach_socket) },
	{ "--take-over", KIND_TEXT, offsetof(struct arguments, take_over) },
	{ "--succeed", KIND_FLAG, offsetof(struct arguments, succeed) },
	{ "--linger", KIND_FLAG, offsetof(struct arguments, linger) },
	{ "--on-stop", KIND_ON_STOP,
	  offsetof(struct arguments, leaves_mounts) },
	{ "--await-worker", KIND_FLAG,
	  offsetof(struct arguments, await_worker) },
	{ "--heartbeat-ms", KIND_HEARTBEAT,
	  offsetof(struct arguments, heartbeat_ms) },
};

_Static_assert(sizeof(uid_t) == sizeof(gid_t), "KIND_ID serves both");

static const struct argument *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(name, table[i].name) == 0)
			return &table[i];
	return NULL;
}

static int read_id(const char *value, uid_t *id)
{
	uint64_t number;
	int r = parse_decimal(value, NO_ID - 1, &number);

	if (r == 0)
		*id = (uid_t)number;
	return r;
}

static int read_restarts(const char *value, uint32_t *restarts)
{
	uint64_t number;
	int r = parse_decimal(value, DEATHS_LIMIT_MAX, &number);

	if (r == 0)
		*restarts = (uint32_t)number;
	return r;
}

static int read_heartbeat(const char *value, uint32_t *ms)
{
	uint64_t number;
	int r = parse_decimal(value, HEARTBEAT_MAX_MS, &number);

	if (r < 0 || number < HEARTBEAT_MIN_MS)
		return -EINVAL;
	*ms = (uint32_t)number;
	return 0;
}

static int read_on_stop(const char *value, bool *leaves)
{
	*leaves = strcmp(value, "leave") == 0;
	return *leaves || strcmp(value, "unmount") == 0 ? 0 : -EINVAL;
}

/* value is NULL for a flag. */
static int set(struct arguments *arguments, const struct argument *argument,
	       const char *value)
{
	void *member = (char *)arguments + argument->offset;

	switch (argument->kind) {
	case KIND_FLAG:
		*(bool *)member = true;
		return 0;
	case KIND_TEXT:
		*(const char **)member = value;
		return *value ? 0 : -EINVAL;
	case KIND_ID:
		return read_id(value, member);
	case KIND_LEVEL:
		return log_level_parse(value, member);
	case KIND_RESTARTS:
		return read_restarts(value, member);
	case KIND_HEARTBEAT:
		return read_heartbeat(value, member);
	case KIND_ON_STOP:
		return read_on_stop(value, member);
	}
	return -EINVAL;
}

static int check_worker(const struct arguments *arguments, struct err *err)
{
	if (arguments->take_over && arguments->succeed)
		return err_set(err, -EINVAL,
			       "--succeed finds what --take-over names: only "
			       "one of them");
	if (arguments->attach_socket && *arguments->attach_socket != '/')
		return err_set(err, -EINVAL,
			       "--attach-socket takes an absolute path");
	if (!arguments->await_worker)
		return arguments->worker
			       ? 0
			       : err_set(err, -EINVAL,
					 "\"--\" and the worker's arguments "
					 "are missing");
	if (arguments->worker)
		return err_set(err, -EINVAL,
			       "--await-worker: \"--\" is for a worker of the "
			       "keeper's own");
	if (!arguments->attach_socket || !arguments->foreground)
		return err_set(err, -EINVAL,
			       "--await-worker needs --attach-socket and "
			       "--foreground");
	return 0;
}

static int check(const struct arguments *arguments, struct err *err)
{
	if (!arguments->mount_point || *arguments->mount_point != '/')
		return err_set(err, -EINVAL,
			       "--mount-point takes an absolute path");
	if (arguments->worker_uid == 0)
		return err_set(err, -EINVAL,
			       "--worker-uid takes a uid other than 0: the "
			       "worker does not run as root");
	if (arguments->worker_gid == NO_ID)
		return err_set(err, -EINVAL, "--worker-gid is missing");
	return check_worker(arguments, err);
}

int arguments_parse(int argc, char **argv, struct arguments *ret,
		    struct err *err)
{
	struct arguments arguments = {
		.worker_gid = NO_ID,
		.log_level = LOG_LEVEL_INFO,
		.restarts = DEATHS_LIMIT,
		.heartbeat_ms = HEARTBEAT_LIMIT_MS,
	};

	for (int i = 1; i < argc; i++) {
		const struct argument *argument = find(argv[i]);
		const char *value = NULL;

		if (strcmp(argv[i], "--") == 0) {
			arguments.worker = argv + i + 1;
			break;
		}
		if (!argument)
			return err_set(err, -EINVAL, "unknown argument '%s'",
				       argv[i]);
		if (argument->kind != KIND_FLAG)
			value = ++i < argc ? argv[i] : "";
		if (set(&arguments, argument, value) < 0)
			return err_set(err, -EINVAL, "%s: not '%s'",
				       argument->name, value);
	}
	if (check(&arguments, err) < 0)
		return -EINVAL;
	*ret = arguments;
	return 0;
}
