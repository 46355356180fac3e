/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_SESSION_H
#define KEEPER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keeper/attach.h"
#include "keeper/child.h"
#include "keeper/deaths.h"
#include "keeper/fence.h"
#include "keeper/heartbeat.h"
#include "keeper/message.h"
#include "keeper/mount.h"
#include "keeper/notifier_child.h"
#include "keeper/page_dropper.h"
#include "keeper/successor.h"

struct err;

/*
 * What one keeper holds: a worker, which is followed by another when it dies,
 * the mounts that it serves with a notifier each, and the clients that ask for
 * something. It starts all mounts or none, and when it ends none is left.
 */

#define SESSION_MOUNTS_MAX MESSAGE_MOUNTS_MAX
#define SESSION_CLIENTS_MAX 8
#define SESSION_STRAYS_MAX 4

#define FOLDER_PART_MAX 253 /* as a class's name may be long */
#define FOLDER_NAME_MAX (2 * FOLDER_PART_MAX + 1)

struct session_mount {
	struct mount mount;
	struct notifier_child notifier;
	int listening;	/* the socket of runtime.h, or -1 */
	bool is_served; /* by the worker that there is */

	/* of those in a folder; see folder.h */
	char name[FOLDER_NAME_MAX + 1];
	bool is_handed_over; /* to the worker that there is */
	bool is_wanted;	     /* the worker that there is has asked for it */
	bool is_leaving;     /* off its place, but not let go by the worker */

	uint64_t legacy_id; /* of one that is found: see message.h */
};

/* See folder.h. */
struct folder {
	int directory_fd; /* -1: the session has its mounts for ever */
	int listening;	  /* the socket of runtime.h, or -1 */
	bool is_ready;	  /* the worker has asked for all that it wants first */
};

enum session_phase {
	PHASE_WAITING,	/* there is no worker */
	PHASE_STARTING, /* it does not serve every mount yet */
	PHASE_SERVING,
	PHASE_LEAVING, /* it answers what it has read, and is no death */
};

/* A command that has connected. */
struct session_client {
	int fd;		 /* or -1 */
	size_t mount;	 /* the one whose socket it came through, or
			    SESSION_MOUNTS_MAX: the folder's */
	bool awaits_end; /* it has asked for that */
};

struct session {
	struct child worker;
	const struct child_plan *worker_plan; /* borrowed: what it is started
						 of, again and again; NULL:
						 workers attach themselves */
	int binary_fd; /* of the last upgrade, or -1: that of the plan */
	struct attach attach;
	struct fence fence;
	struct successor successor;
	const char *take_over; /* borrowed: the socket of the keeper before, or
				  NULL */
	int forerunner; /* connected to it as long as the mounts are its own,
			   or -1: see heir.h */
	int fresh_binary_fd; /* of a successor that does not serve yet */
	int upgrader;	     /* who waits for it, or -1 */
	int strays[SESSION_STRAYS_MAX]; /* sockets of workers that are fenced
					   off and not gone, or -1 */
	bool shares_memory; /* the mounts', with one of these: handover_part()
			     */
	enum session_phase phase;
	int64_t phase_ms; /* when the worker is due, or to have started or
			     left; of one that serves: since when */
	struct deaths deaths;
	struct heartbeat heartbeat;
	bool hears_worker;    /* it has had the last turn */
	bool resends_nothing; /* as on a kernel that cannot: for tests */
	bool lingers; /* when another keeper has the mounts, waits for a signal:
			 whoever has started it would start it again */
	bool leaves_mounts;  /* by a signal it ends without taking them off */
	bool is_told_to_end; /* by a signal */
	/* each -1 or a part of the memory for secrets, as in a POOL message */
	int pool_fds[MESSAGE_POOL_PARTS]; /* of the last worker that served */
	int next_pool_fds[MESSAGE_POOL_PARTS]; /* of the one that there is */
	struct session_mount mounts[SESSION_MOUNTS_MAX];
	size_t mount_count;
	struct folder folder;
	struct mount_wish wish; /* of the mounts that it makes */
	struct session_client clients[SESSION_CLIENTS_MAX];
	struct page_droppers page_droppers;
	struct notifier_plan notifier_plan;
	int mount_table; /* waited for: tells of unmounts by others; or -1 */
	int signals;	 /* signalfd(2): what ends the session cleanly */
	int launcher; /* socket to who waits for the start, or -1; borrowed */
	unsigned warnings; /* that the worker has sent at its start */
	int64_t started_s; /* since 1970: when it began to serve */
	int exit_code;
};

/* A mount that is closed keeps its number among the others. */
static inline bool session_has(const struct session_mount *mount)
{
	return mount->mount.fuse_fd >= 0;
}

/* No worker, no mounts. NULL: no memory. */
struct session *session_new(void);

/* Removes what is still mounted, ends the children, closes all. NULL is
 * allowed.
 */
void session_free(struct session *session);

/*
 * Waits until the worker is ready, makes its mounts, hands them over, waits
 * until they are served, and only then puts them on their places. The worker
 * is started, or is to attach itself, and the mounts are opened. 0, or negative
 * errno with err filled and exit_code set; -EINTR: a signal asked for the end,
 * or the launcher has gone.
 */
int session_start(struct session *session, struct err *err);

/* Serves until a signal, a client, an unmount by someone else, or the death of
 * the last worker there may be (restart.h); then unmounts, ends the worker, and
 * answers. Logs each of these. The keeper's exit code. */
int session_run(struct session *session);

/* Shared with folder.c: takes a mount off and closes it. One that cannot be
 * taken off is left on its place, but without a server: whoever looks at it
 * gets an error and no empty directory. So does whoever looks for one that is
 * not given back (mount_give_back()), and whoever waits where a worker that was
 * fenced off may have its descriptor still: the connection is broken then. */
void session_drop_mount(struct session *session, struct session_mount *mount,
			bool gives_back);

/*
 * Shared by the two above: takes the worker's next message. 0; -EAGAIN: none
 * is there; -EPIPE: it has gone or is going; -EPROTO: it sent what a worker
 * does not send. A pool that it sends before it serves is kept here.
 */
int session_receive(struct session *session, struct message *ret);

/* Shared likewise: the worker serves, so the next one gets its pool, and none
 * that of the one before. */
void session_keep_pool(struct session *session);

/* Shared likewise: one that runs still may write to its pool, so it is nobody
 * else's. */
void session_drop_pools(struct session *session);

/* Shared likewise: whether the message is a POOL with its descriptor, which is
 * taken then, in the place of one that was there. */
bool session_take_pool(int fds[MESSAGE_POOL_PARTS],
		       const struct message *message, int *fd);

/* Shared likewise: the socket of a worker that is fenced off, taken over where
 * there is room for it; whether there is any; and closes all of them. */
void session_keep_stray(struct session *session, int *socket);
bool session_has_stray(const struct session *session);
void session_drop_strays(struct session *session);

/* Shared likewise: forgets what a worker sent that never served. */
void session_drop_next_pool(struct session *session);

/* Shared likewise: the mount that a message is about, or NULL. */
struct session_mount *session_mount_of(struct session *session,
				       const struct message *message);

#endif
