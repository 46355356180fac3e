/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

struct err;

/*
 * The command line of a mount, as secretsfs takes it from a person or from
 * fstab and as the worker takes it from secretsfs: the same table reads both.
 * Strings are borrowed from argv, or from the copy of it that options holds.
 */

struct options {
	/* what to show, and where */
	const char *source;
	const char *mount_point;
	const char *offline;	/* directory that stands in for AWS */
	const char *class_name; /* which class of SOURCE; NULL: the only one */

	/* how long, in milliseconds */
	int64_t ttl_ms;
	int64_t max_stale_ms;
	int64_t verify_access_ms;
	int64_t timeout_ms;

	/* who asks, and whom */
	const char *region;
	const char *endpoint_url;
	const char *profile; /* of AWS's shared files; NULL: AWS_PROFILE's */
	bool proxy_from_env;
	bool allow_credential_process; /* where root mounts; else it is set */

	/* what files look like */
	bool has_owner;
	uid_t owner_uid;
	gid_t owner_gid;
	unsigned mode;
	unsigned dir_mode;
	bool xattr;

	/* where whoever watches asks, see address_text.h; NULL: nowhere */
	const char *metrics;
	bool metrics_keys; /* names of keys are told there */

	/* a file of eight bytes that a test moves time with; see test_clock.h
	 */
	const char *test_clock;

	/* what kind of pool, and how large at most; see test_pool.h */
	const char *test_pool;

	/* how many workers may die within a minute, 0: any number; without
	 * pauses then. As text, which the keeper reads */
	const char *test_restarts;
	bool test_no_resend;
	bool test_no_epochs;

	/* how long a worker may stand still, in milliseconds */
	int64_t heartbeat_ms;

	/* the processes */
	bool allow_other;
	bool insecure_no_sandbox;
	bool foreground;
	const char *context; /* SELinux's, of all files */
	const char *worker_user;
	const char *log_file;
	bool log_json;
	enum log_level log_level;

	bool help;
	bool version;

	void *storage; /* copies that the strings above point into */
};

/* The defaults of every option; release with options_done(). */
void options_init(struct options *options);
void options_done(struct options *options);

/*
 * Reads argv[1..]: options in any place ("--ttl 5m", "--ttl=5m", "-o
 * ttl=5m,allow_other", "-f", "-d"), then SOURCE and MOUNTPOINT. Errors name
 * the option and what it takes. 0, or -EINVAL with err filled.
 */
int options_parse(struct options *options, int argc, char *const *argv,
		  struct err *err);

/*
 * Reads the one option at argv[0], which begins with "--" and whose value may
 * be argv[1]; for commands that take a few of them. Returns how many arguments
 * it took, or -EINVAL with err filled.
 */
int options_read_one(struct options *options, char *const *argv,
		     struct err *err);

/*
 * The arguments from which a worker reads the same options again, with
 * options_parse(): what concerns it in the long form, then "--", SOURCE and
 * MOUNTPOINT. It opens no log file: its standard error is one already, and
 * with neither foreground nor log_file it writes to the system log. A
 * NULL-terminated array without argv[0], its strings in one piece with it, for
 * free(3). NULL: no memory.
 */
char **options_worker_arguments(const struct options *options);

/* Text for --help: the usage of all commands, on a screen of 80 x 24. */
const char *options_help(void);

#endif
