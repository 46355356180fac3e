/* SPDX-License-Identifier: Apache-2.0 */
/* Every option is a row here; nothing about it is said a second time. */
#include "config/option_table.h"
#include "config/options.h"

#define MEMBER(name) offsetof(struct options, name)

const struct option option_table[] = {
	{
		.name = "ttl",
		.kind = OPTION_DURATION,
		.for_worker = true,
		.takes = "a duration from 1s to 24h, like 90s, 5m or 1h30m",
		.offset = MEMBER(ttl_ms),
		.min_ms = 1000,
		.max_ms = 86400000,
	},
	{
		.name = "timeout",
		.kind = OPTION_DURATION,
		.for_worker = true,
		.takes = "a duration from 100ms to 5m, like 20s",
		.offset = MEMBER(timeout_ms),
		.min_ms = 100,
		.max_ms = 300000,
	},
	{
		.name = "region",
		.kind = OPTION_TEXT,
		.for_worker = true,
		.takes = "an AWS region",
		.offset = MEMBER(region),
	},
	{
		.name = "endpoint-url",
		.kind = OPTION_TEXT,
		.for_worker = true,
		.takes = "a URL",
		.offset = MEMBER(endpoint_url),
	},
	{
		.name = "offline",
		.kind = OPTION_TEXT,
		.for_worker = true,
		.takes = "a directory",
		.offset = MEMBER(offline),
	},
	{
		.name = "proxy-from-env",
		.kind = OPTION_FLAG,
		.for_worker = true,
		.offset = MEMBER(proxy_from_env),
	},
	{
		.name = "owner",
		.kind = OPTION_OWNER,
		.for_worker = true,
		.takes = "UID or UID:GID, as numbers",
	},
	{
		.name = "mode",
		.kind = OPTION_MODE,
		.for_worker = true,
		.takes = "an octal mode of at most 0777",
		.offset = MEMBER(mode),
	},
	{
		.name = "dir-mode",
		.kind = OPTION_MODE,
		.for_worker = true,
		.takes = "an octal mode of at most 0777",
		.offset = MEMBER(dir_mode),
	},
	{
		.name = "allow-other",
		.kind = OPTION_FLAG,
		.offset = MEMBER(allow_other),
	},
	{
		.name = "worker-user",
		.kind = OPTION_TEXT,
		.takes = "the name of a user",
		.offset = MEMBER(worker_user),
	},
	{
		.name = "foreground",
		.letter = 'f',
		.kind = OPTION_FLAG,
		.for_worker = true,
		.offset = MEMBER(foreground),
	},
	{
		.name = "log-format",
		.kind = OPTION_FORMAT,
		.for_worker = true,
		.takes = "text or json",
	},
	{
		.name = "log-level",
		.kind = OPTION_LEVEL,
		.for_worker = true,
		.takes = "error, warning, info or debug",
	},
	{
		.name = "log-file",
		.kind = OPTION_TEXT,
		.for_worker = true,
		.takes = "a path",
		.offset = MEMBER(log_file),
	},
	{
		.name = "debug",
		.letter = 'd',
		.kind = OPTION_DEBUG,
	},
	{
		.name = "help",
		.letter = 'h',
		.kind = OPTION_FLAG,
		.offset = MEMBER(help),
	},
	{
		.name = "version",
		.letter = 'V',
		.kind = OPTION_FLAG,
		.offset = MEMBER(version),
	},
	{ .name = "profile", .kind = OPTION_LATER },
	{ .name = "max-stale", .kind = OPTION_LATER },
	{ .name = "verify-access", .kind = OPTION_LATER },
	{ .name = "layout", .kind = OPTION_LATER },
	{ .name = "metrics", .kind = OPTION_LATER },
	{ .name = "insecure-no-sandbox", .kind = OPTION_LATER },
	{ .name = "direct-io", .kind = OPTION_LATER },
	{ .name = "audit", .kind = OPTION_LATER },
	{ .name = "xattr", .kind = OPTION_LATER },
	{ .name = "context", .kind = OPTION_LATER },
	{ .name = NULL },
};
