/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_REQUEST_H
#define FS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct buf;

/*
 * One request of the kernel, answered exactly once: by one of the functions
 * below, each of which frees it. It may wait for that as long as it must; a
 * waiting request costs its few bytes.
 */

struct request;

/* The caller in the keeper's pid namespace; 0 where it cannot be seen. */
pid_t request_pid(const struct request *request);

/* A signal came for the caller. The kernel says so once for each request.
 * on_interrupt NULL: nobody wants to know any more. */
typedef void request_on_interrupt(void *owner);
void request_watch_interrupt(struct request *request,
			     request_on_interrupt *on_interrupt, void *owner);

/* code: a negative errno. */
void request_fail(struct request *request, int code);

/* A name: what it is, and for how long the kernel may believe it. */
struct request_entry {
	uint64_t node;
	struct stat attributes;
	int64_t entry_ms;
	int64_t attributes_ms;
};

/* 0, or negative errno where the kernel never heard of the node. */
int request_reply_entry(struct request *request,
			const struct request_entry *entry);

/* The name does not exist, and need not be asked for again that long. */
void request_reply_absent(struct request *request, int64_t entry_ms);

void request_reply_attributes(struct request *request,
			      const struct stat *attributes,
			      int64_t attributes_ms);

/* A directory is open; handle comes back with each read of it. */
int request_reply_opened(struct request *request, uint64_t handle);

/* Bytes of a file or a directory. 0, or negative errno where the kernel did
 * not take them. */
int request_reply_bytes(struct request *request, const void *bytes,
			size_t length);

/*
 * Appends one directory entry to out, whose room was reserved before. 0, or
 * -ENOSPC where it does not fit into what is left of room.
 *
 * is_plus: with attributes. An entry then counts as looked up where its node
 * is given; with node 0 it is a name of that type and no more.
 */
struct request_name {
	const char *name;
	off_t next; /* offset of the entry behind this one */
	struct request_entry entry;
	bool is_plus;
};
int request_add_name(struct request *request, struct buf *out, size_t room,
		     const struct request_name *name);

#endif
