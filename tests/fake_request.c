/* SPDX-License-Identifier: Apache-2.0 */
/* The test owns the struct, so that it can be looked at after the answer. */
#include "tests/test.h"

#include "tests/fake_request.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void fake_request_init(struct request *request)
{
	*request = (struct request){ .absent_ms = -1 };
}

void fake_request_interrupt(struct request *request)
{
	assert_non_null(request->on_interrupt);
	request->on_interrupt(request->owner);
}

static int answer(struct request *request)
{
	request->answers++;
	return request->kernel_refuses ? -ENOENT : 0;
}

pid_t request_pid(const struct request *request)
{
	return request->pid;
}

void request_watch_interrupt(struct request *request,
			     request_on_interrupt *on_interrupt, void *owner)
{
	request->on_interrupt = on_interrupt;
	request->owner = owner;
}

void request_fail(struct request *request, int code)
{
	request->code = code;
	(void)answer(request);
}

int request_reply_entry(struct request *request,
			const struct request_entry *entry)
{
	request->entry = *entry;
	return answer(request);
}

void request_reply_absent(struct request *request, int64_t entry_ms)
{
	request->absent_ms = entry_ms;
	(void)answer(request);
}

void request_reply_attributes(struct request *request,
			      const struct stat *attributes,
			      int64_t attributes_ms)
{
	request->attributes = *attributes;
	request->attributes_ms = attributes_ms;
	(void)answer(request);
}

int request_reply_opened(struct request *request, uint64_t handle)
{
	request->handle = handle;
	return answer(request);
}

int request_reply_bytes(struct request *request, const void *bytes,
			size_t length)
{
	assert_true(length < sizeof(request->bytes));
	if (length)
		memcpy(request->bytes, bytes, length);
	request->length = length;
	return answer(request);
}

int request_add_name(struct request *request, struct buf *out, size_t room,
		     const struct request_name *name)
{
	size_t at = request->name_count;

	assert_true(room <= out->capacity);
	if (request->name_room && at == request->name_room)
		return -ENOSPC;
	assert_true(at < FAKE_NAMES_MAX);
	(void)snprintf(request->names[at], sizeof(request->names[at]), "%s",
		       name->name);
	request->nodes[at] = name->entry.node;
	request->modes[at] = name->entry.attributes.st_mode;
	request->name_count++;
	return 0;
}
