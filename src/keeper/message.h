/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_MESSAGE_H
#define KEEPER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What keeper, its children and the command line say to each other: one plain
 * struct a message over SOCK_SEQPACKET, with at most one file descriptor.
 *
 *	worker -> keeper	ATTACH (of one that the keeper has not
 *				started), WARNING (a few, before the first
 *				READY), READY (its mounts, one message each,
 *				then with mount = MESSAGE_NO_MOUNT), FAILED,
 *				SERVING, GONE, DROP_PAGES, ADD (before READY, or
 *				while it serves), REMOVE, POOL (two, each with
 *				an fd, before READY), LEAVE, BEAT
 *	keeper -> worker	FENCE, POOL (each with an fd, before the first
 *				mount), NODES, JOURNAL and MOUNT (each with an
 *				fd), RELOAD, REFRESH, STOP, NOTIFIER (any number
 *				of times for a mount that serves), CLIENT, ADD,
 *				REMOVE, REFUSED, LEAVE, BEAT
 *	keeper -> notifier	CLONE, NOTIFIER
 *	notifier -> keeper	WARNING, FAILED
 *	command -> keeper	UNMOUNT, STATUS, REFRESH, UPGRADE
 *	keeper -> keeper	WHICH, then DONE or FAILED;
 *				TAKE_OVER, then POOL, STRAY, TAKE_OVER, NODES,
 *				JOURNAL and MOUNT (all but TAKE_OVER with an fd)
 *				the other way, READY, and DONE both ways; or
 *				FAILED
 *	keeper -> command	DONE, FAILED
 *	worker -> command	what a CLIENT is told, over the socket that came
 *				with it: ANSWER (any number), then DONE; or
 *				FAILED
 */

#define MESSAGE_MAGIC 0x73667331U /* "sfs1": changes with the format */
#define MESSAGE_BODY_MAX 1024
#define MESSAGE_NO_MOUNT UINT32_MAX
#define MESSAGE_MOUNTS_MAX 64 /* of one keeper */
/* The kernel keeps nobody from writing, as it does with read-only mounts. */
#define MESSAGE_NODES_WRITABLE 1
#define MESSAGE_WARNINGS_MAX 16 /* a worker that sends more is ended */
#define MESSAGE_LEGACY_NAME_MAX 600

enum message_type {
	MESSAGE_READY = 1, /* body: the mount's source name for mountinfo */
	MESSAGE_FAILED,	   /* body: one line for a person; number: exit code */
	MESSAGE_MOUNT,	 /* fd: /dev/fuse; body: the FUSE_INIT request; number:
			  * how many workers have died before this one */
	MESSAGE_SERVING, /* the mount's requests are being answered */
	MESSAGE_GONE,	 /* the mount was unmounted by someone */
	MESSAGE_STOP,	 /* answer what is in flight, then leave */
	MESSAGE_UNMOUNT,
	MESSAGE_DONE, /* number: of REFRESH, how many secrets are asked for */
	MESSAGE_WARNING, /* body: one line for who mounts; all goes on */
	MESSAGE_CLONE, /* fd: a writable clone of the mount; or, with a name as
			* its body, the directory where the mount of that
			* name stands, which may be written to */
	/* fd: an end of the socket of notify_order.h; number: the notifier's
	 * pid as FUSE requests carry it. To a worker without a descriptor: the
	 * mount has no notifier, or none any more; number is 0. */
	MESSAGE_NOTIFIER,
	MESSAGE_RELOAD,	    /* read the configuration again, all or nothing */
	MESSAGE_DROP_PAGES, /* body: node ids whose pages are to go */
	MESSAGE_STATUS,
	/* confirm now what is in use; of a command, with a name as its body:
	 * that secret, or that of the file of that name */
	MESSAGE_REFRESH,
	MESSAGE_CLIENT, /* fd: a command's socket; body: message_client */
	MESSAGE_ANSWER, /* body: the next part of a text */
	MESSAGE_NODES,	/* fd: memory for the nodes of the mount that is
			   handed over next (node_table.h of fs); number:
			   MESSAGE_NODES_WRITABLE or 0 */

	/* of a folder of mounts (folder.h) */
	MESSAGE_ADD,	/* from the worker: a mount is wanted; body: its name, a
			   NUL, its source's name. From the keeper: the mount that
			   is handed over next has that name */
	MESSAGE_REMOVE, /* from the worker: it is not wanted any more. From the
			   keeper: it is off its place; let it go, and say GONE
			 */
	MESSAGE_REFUSED, /* body: the name of what was wanted, a NUL, one line
			  */
	MESSAGE_JOURNAL, /* fd: as of NODES, for the mount's requests (journal.h
			    of fs) */
	MESSAGE_POOL, /* fd: memory for secrets, of the worker that sends it or
		       * of the one before; the keeper never maps it.
		       * number: MESSAGE_POOL_ANNEX is what is beside the
		       * pool (annex.h of base), and comes first */

	/* Answer what was read, read no more, then leave: another worker
	 * follows. Of a worker: it does so of itself, and that is no death. */
	MESSAGE_LEAVE,
	MESSAGE_BEAT, /* sent back at once by a worker that turns its loop */
	/* The first of a worker that someone else has started; body: its
	 * version, for the log */
	MESSAGE_ATTACH,
	MESSAGE_FENCE, /* fd: the word of fence.h; body: uint64_t, its number */
	MESSAGE_UPGRADE, /* fd: the binary of a worker that is to follow */
	/* Of a keeper to another: give me your mounts; body: message_heir. Each
	 * comes with a TAKE_OVER, whose body is message_legacy, and then as to
	 * a worker; DONE is at the end. Or FAILED: it does not give them. The
	 * new keeper says READY if it has all and awaits a worker, for as long
	 * as that takes, and DONE when it has a worker for them. With the old
	 * one's DONE they are the new one's, with FAILED they are not; it waits
	 * for the end of the connection until it lets go of its sockets. */
	MESSAGE_TAKE_OVER,
	MESSAGE_STRAY, /* fd: the socket of a worker that was fenced off and
			* may live: its end is to be waited for */
	/* Of a keeper to another: is this socket that of the mount? body:
	 * message_heir. DONE: it is; or FAILED. */
	MESSAGE_WHICH,
};

/* What a keeper wants to have. */
struct message_heir {
	uint32_t is_folder; /* a directory of classes, else one mount, */
	uint32_t device;    /* of that number, as of struct mount */
};

/* One mount that a keeper gives to another: it sees the same superblock, by
 * its device, but perhaps in a mount namespace with other ids. */
struct message_legacy {
	uint64_t mount_id; /* as it is where the old keeper lives */
	uint32_t device;
	char name[MESSAGE_LEGACY_NAME_MAX + 1]; /* in a folder, or "" */
};

/* How long a worker may take to leave, whether it is followed or not. */
#define MESSAGE_LEAVE_MS 5000

enum { MESSAGE_POOL_PLAIN, MESSAGE_POOL_ANNEX, MESSAGE_POOL_PARTS };

#define MESSAGE_NAME_MAX 900

/* What a command asked, and what the keeper alone can say to it. */
struct message_client {
	uint32_t asked; /* MESSAGE_STATUS or MESSAGE_REFRESH */
	int32_t keeper_pid;
	int32_t notifier_pid; /* 0: there is none */
	uint64_t mount_id;
	uint32_t dead_layers; /* that the mount stands on: layers.h */
	int64_t started_s;    /* since 1970: when the keeper began to serve */
	uint32_t restarts;    /* workers that have died since */
	char name[MESSAGE_NAME_MAX + 1]; /* of a REFRESH; "": all */
};

struct message {
	uint32_t magic;
	uint32_t type;
	uint32_t mount; /* which one, counted from 0 */
	int32_t number;
	uint32_t length; /* of body */
	char body[MESSAGE_BODY_MAX + 1];
};

/* Fills a message; a body past the maximum is cut. */
void message_fill(struct message *message, enum message_type type,
		  uint32_t mount, const void *body, size_t length);

/* fd: -1 for none; it stays the caller's. Never raises SIGPIPE. 0 or negative
 * errno. */
int message_send(int socket, const struct message *message, int fd);

/*
 * ret_fd is -1 where none came; it is close-on-exec and the caller's. NULL: the
 * peer is to send none; one that came is refused with -EPROTO and was never
 * ours. Whoever does not trust the peer receives so: close(2) waits for the
 * server of a file on a FUSE mount, and that may be the peer.
 *
 * Returns 0; -EPIPE at the end of the stream; -EPROTO for another format or a
 * body that does not fit its length; else negative errno (-EAGAIN on a
 * non-blocking socket). ret's body is always terminated by a NUL.
 */
int message_receive(int socket, struct message *ret, int *ret_fd);

/* Whether the message, a CLIENT, holds what it should; copies it then. */
bool message_client_read(const struct message *message,
			 struct message_client *ret);

#endif
