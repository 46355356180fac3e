/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_ARGUMENTS_H
#define KEEPER_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

struct err;

/*
 * The keeper's command line, as secretsfs writes it:
 *
 *	secretsfs-keeper --mount-point PATH --worker-uid N --worker-gid N
 *		[--folder] [--allow-other] [--context CONTEXT] [--foreground]
 *		[--log-json] [--log-level LEVEL] [--log-file PATH]
 *		[--restarts N] [--restarts-at-once] [--no-resend]
 *		[--heartbeat-ms N] [--attach-socket PATH]
 *		[--take-over SOCKET | --succeed] [--linger]
 *		[--on-stop leave|unmount]
 *		-- WORKER-ARGUMENT...
 *
 * With --attach-socket, workers that others have started may come there and
 * take over. With --await-worker and --foreground instead of what follows "--",
 * the keeper starts none, and waits for the first before it mounts. With
 * --take-over it makes no mount: it takes the one that stands there, or those
 * of the folder, from the keeper at that socket (see heir.h).
 *
 * Strings are borrowed from argv.
 */
struct arguments {
	const char *mount_point; /* absolute */
	uid_t worker_uid;	 /* not 0 */
	gid_t worker_gid;
	bool is_folder; /* mounts come and go below it */
	bool allow_other;
	const char *context; /* as of mount.h, or NULL */
	bool foreground;
	bool log_json;
	enum log_level log_level;
	const char *log_file;
	uint32_t restarts; /* these two as of deaths.h */
	bool restarts_at_once;
	bool no_resend;		   /* as of session.h */
	uint32_t heartbeat_ms;	   /* as of heartbeat.h */
	const char *attach_socket; /* absolute, or NULL */
	bool await_worker;
	const char *take_over; /* or NULL */
	bool succeed;	       /* one that it finds by itself: succeed.h */
	bool linger;	       /* these two as of session.h */
	bool leaves_mounts;
	char **worker; /* what comes after "--", NULL-terminated; NULL with
			  await_worker */
};

/* 0, or -EINVAL with err filled. */
int arguments_parse(int argc, char **argv, struct arguments *ret,
		    struct err *err);

#endif
