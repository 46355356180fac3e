/* SPDX-License-Identifier: Apache-2.0 */
/* From our words to libfuse's: each request is answered by one of these, and is
 * gone then. */
#define FUSE_USE_VERSION 312

#include "fs/reply.h"
#include "base/buf.h"
#include "fs/request.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>

struct request {
	fuse_req_t fuse;
	request_on_interrupt *on_interrupt;
	void *owner;
	bool is_asked_always; /* the kernel may believe no name */
	size_t *waiting;
};

struct request *reply_take(fuse_req_t fuse,
			   const struct reply_settings *settings)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request) {
		fuse_reply_err(fuse, ENOMEM);
		return NULL;
	}
	request->fuse = fuse;
	request->is_asked_always = settings->is_asked_always;
	request->waiting = settings->waiting;
	(*request->waiting)++;
	return request;
}

/* What every answer ends with. */
static int answered(struct request *request, int r)
{
	(*request->waiting)--;
	free(request);
	return r;
}

pid_t request_pid(const struct request *request)
{
	return fuse_req_ctx(request->fuse)->pid;
}

static void interrupted(fuse_req_t fuse, void *data)
{
	struct request *request = data;

	(void)fuse;
	request->on_interrupt(request->owner);
}

void request_watch_interrupt(struct request *request,
			     request_on_interrupt *on_interrupt, void *owner)
{
	request->on_interrupt = on_interrupt;
	request->owner = owner;
	fuse_req_interrupt_func(request->fuse,
				on_interrupt ? interrupted : NULL, request);
}

void request_fail(struct request *request, int code)
{
	answered(request, fuse_reply_err(request->fuse, -code));
}

static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

/* How long the kernel may believe a name. */
static double entry_seconds(const struct request *request, int64_t ms)
{
	return request->is_asked_always ? 0 : seconds(ms);
}

static struct fuse_entry_param to_fuse(const struct request *request,
				       const struct request_entry *entry)
{
	return (struct fuse_entry_param){
		.ino = entry->node,
		.attr = entry->attributes,
		.attr_timeout = seconds(entry->attributes_ms),
		.entry_timeout = entry_seconds(request, entry->entry_ms),
	};
}

int request_reply_entry(struct request *request,
			const struct request_entry *entry)
{
	struct fuse_entry_param param = to_fuse(request, entry);

	return answered(request, fuse_reply_entry(request->fuse, &param));
}

void request_reply_absent(struct request *request, int64_t entry_ms)
{
	struct fuse_entry_param param = { .entry_timeout = entry_seconds(
						  request, entry_ms) };

	answered(request, entry_ms > 0 ? fuse_reply_entry(request->fuse, &param)
				       : fuse_reply_err(request->fuse, ENOENT));
}

void request_reply_attributes(struct request *request,
			      const struct stat *attributes,
			      int64_t attributes_ms)
{
	answered(request, fuse_reply_attr(request->fuse, attributes,
					  seconds(attributes_ms)));
}

int request_reply_opened(struct request *request, uint64_t handle)
{
	struct fuse_file_info info = { .fh = handle };

	return answered(request, fuse_reply_open(request->fuse, &info));
}

int request_reply_bytes(struct request *request, const void *bytes,
			size_t length)
{
	return answered(request, fuse_reply_buf(request->fuse, bytes, length));
}

int request_add_name(struct request *request, struct buf *out, size_t room,
		     const struct request_name *name)
{
	struct fuse_entry_param param = to_fuse(request, &name->entry);
	char *at = (char *)out->bytes + out->length;
	size_t left = room - out->length;
	size_t used;

	if (name->is_plus)
		used = fuse_add_direntry_plus(request->fuse, at, left,
					      name->name, &param, name->next);
	else
		used = fuse_add_direntry(request->fuse, at, left, name->name,
					 &name->entry.attributes, name->next);
	if (used > left)
		return -ENOSPC;
	out->length += used;
	return 0;
}
