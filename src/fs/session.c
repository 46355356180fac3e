/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where libfuse ends: each operation becomes a request of ours and is handed to
 * the tree; what would change something is refused in refusals.c. The session
 * is made to believe the FUSE_INIT that the keeper has answered: the
 * saved request is fed in and the reply swallowed.
 */
#define FUSE_USE_VERSION 312

#include "fs/session.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "fs/inflow.h"
#include "fs/refusals.h"
#include "fs/reply.h"
#include "fs/request.h"
#include "fs/traffic.h"
#include "fs/tree.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the FUSE_INIT that was answered. */
#define INIT_MAX 1024

struct session {
	struct tree *tree;
	struct fuse_session *fuse;
	struct inflow *inflow;
	int fd;
	bool fuse_closes_fd;
	bool is_silent; /* what is written reaches nobody */
	struct reply_settings replies;
	size_t waiting; /* requests that are not answered */
	uint64_t taken; /* requests that there have been */
	bool has_no_epochs;
	bool can_expire_names;
	struct traffic traffic;
	session_on_gone *on_gone;
	session_may_serve *may_serve;
	void *owner;
};

static struct tree *tree_of(fuse_req_t fuse)
{
	const struct session *session = fuse_req_userdata(fuse);

	return session->tree;
}

static void trace(fuse_req_t fuse, const char *kind, fuse_ino_t node,
		  const char *name)
{
	struct session *session = fuse_req_userdata(fuse);

	traffic_note(&session->traffic, &(struct traffic_request){
						.kind = kind,
						.name = name,
						.node = node,
						.pid = fuse_req_ctx(fuse)->pid,
					});
}

static struct request *take(fuse_req_t fuse)
{
	struct session *session = fuse_req_userdata(fuse);

	session->taken++;
	return reply_take(fuse, &session->replies);
}

static void do_lookup(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	struct request *request;

	trace(fuse, "LOOKUP", parent, name);
	request = take(fuse);
	if (request)
		tree_lookup(tree_of(fuse), request, parent, name);
}

static void do_forget(fuse_req_t fuse, fuse_ino_t node, uint64_t count)
{
	trace(fuse, "FORGET", node, NULL);
	tree_forget(tree_of(fuse), node, count);
	fuse_reply_none(fuse);
}

static void do_forget_multi(fuse_req_t fuse, size_t count,
			    struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++) {
		trace(fuse, "FORGET", forgets[i].ino, NULL);
		tree_forget(tree_of(fuse), forgets[i].ino, forgets[i].nlookup);
	}
	fuse_reply_none(fuse);
}

static void do_getattr(fuse_req_t fuse, fuse_ino_t node,
		       struct fuse_file_info *info)
{
	struct request *request;

	(void)info;
	trace(fuse, "GETATTR", node, NULL);
	request = take(fuse);
	if (request)
		tree_get_attributes(tree_of(fuse), request, node);
}

/* Answered once in the life of a mount: the kernel opens by itself then, and
 * keeps the page cache. */
static void do_open(fuse_req_t fuse, fuse_ino_t node,
		    struct fuse_file_info *info)
{
	(void)info;
	trace(fuse, "OPEN", node, NULL);
	fuse_reply_err(fuse, ENOSYS);
}

static void do_read(fuse_req_t fuse, fuse_ino_t node, size_t size, off_t offset,
		    struct fuse_file_info *info)
{
	struct request *request;

	(void)info;
	trace(fuse, "READ", node, NULL);
	request = take(fuse);
	if (request)
		tree_read(tree_of(fuse), request, node, offset, size);
}

static void do_opendir(fuse_req_t fuse, fuse_ino_t node,
		       struct fuse_file_info *info)
{
	struct request *request;

	(void)info;
	trace(fuse, "OPENDIR", node, NULL);
	request = take(fuse);
	if (request)
		tree_open_directory(tree_of(fuse), request, node);
}

static void do_releasedir(fuse_req_t fuse, fuse_ino_t node,
			  struct fuse_file_info *info)
{
	struct request *request;

	trace(fuse, "RELEASEDIR", node, NULL);
	request = take(fuse);
	if (request)
		tree_close_directory(tree_of(fuse), request, info->fh);
}

static void read_directory(fuse_req_t fuse,
			   const struct tree_read_directory *what)
{
	struct request *request;

	trace(fuse, what->is_plus ? "READDIRPLUS" : "READDIR", what->node,
	      NULL);
	request = take(fuse);
	if (request)
		tree_read_directory(tree_of(fuse), request, what);
}

static void do_readdir(fuse_req_t fuse, fuse_ino_t node, size_t size,
		       off_t offset, struct fuse_file_info *info)
{
	const struct tree_read_directory what = { node, info->fh, offset, size,
						  .is_plus = false };

	read_directory(fuse, &what);
}

static void do_readdirplus(fuse_req_t fuse, fuse_ino_t node, size_t size,
			   off_t offset, struct fuse_file_info *info)
{
	const struct tree_read_directory what = { node, info->fh, offset, size,
						  .is_plus = true };

	read_directory(fuse, &what);
}

/* The kernel asks for the length first, with no room for the text. */
static void reply_extended(fuse_req_t fuse, int r, const struct buf *text,
			   size_t room)
{
	if (r < 0)
		fuse_reply_err(fuse, -r);
	else if (room == 0)
		fuse_reply_xattr(fuse, text->length);
	else if (text->length > room)
		fuse_reply_err(fuse, ERANGE);
	else
		fuse_reply_buf(fuse, buf_text(text), text->length);
}

static void do_getxattr(fuse_req_t fuse, fuse_ino_t node, const char *name,
			size_t room)
{
	cleanup_buf struct buf text;
	int r;

	trace(fuse, "GETXATTR", node, name);
	buf_init(&text, TREE_EXTENDED_MAX);
	r = tree_get_extended(tree_of(fuse), node, name, &text);
	reply_extended(fuse, r, &text, room);
}

static void do_listxattr(fuse_req_t fuse, fuse_ino_t node, size_t room)
{
	cleanup_buf struct buf names;
	int r;

	trace(fuse, "LISTXATTR", node, NULL);
	buf_init(&names, TREE_EXTENDED_MAX);
	r = tree_list_extended(tree_of(fuse), node, &names);
	reply_extended(fuse, r, &names, room);
}

static void do_init(void *owner, struct fuse_conn_info *kernel)
{
	struct session *session = owner;

	session->can_expire_names = !session->has_no_epochs &&
				    traffic_has_epochs(kernel->proto_minor);
}

static void do_rename(fuse_req_t fuse, fuse_ino_t parent, const char *name,
		      fuse_ino_t new_parent, const char *new_name,
		      unsigned flags)
{
	struct request *request;

	(void)flags; /* of renameat2(2): whoever may rename sets none */
	trace(fuse, "RENAME", parent, name);
	request = take(fuse);
	if (request)
		tree_rename(tree_of(fuse), request,
			    &(struct tree_rename){ .parent = parent,
						   .name = name,
						   .new_parent = new_parent,
						   .new_name = new_name });
}

static void do_unlink(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	struct request *request;

	trace(fuse, "UNLINK", parent, name);
	request = take(fuse);
	if (request)
		tree_unlink(tree_of(fuse), request, parent, name);
}

static const struct fuse_lowlevel_ops operations = {
	.init = do_init,
	.rename = do_rename,
	.unlink = do_unlink,
	.lookup = do_lookup,
	.forget = do_forget,
	.forget_multi = do_forget_multi,
	.getattr = do_getattr,
	.open = do_open,
	.read = do_read,
	.opendir = do_opendir,
	.readdir = do_readdir,
	.readdirplus = do_readdirplus,
	.releasedir = do_releasedir,
};

static ssize_t write_reply(int fd, struct iovec *parts, int count,
			   void *userdata)
{
	const struct session *session = userdata;
	ssize_t length = 0;

	(void)fd;
	if (!session->is_silent && session->may_serve(session->owner))
		return inflow_answer(session->inflow, parts, count);
	for (int i = 0; i < count; i++)
		length += (ssize_t)parts[i].iov_len;
	return length;
}

static ssize_t read_request(int fd, void *bytes, size_t size, void *userdata)
{
	(void)userdata;
	return read(fd, bytes, size);
}

static const struct fuse_custom_io custom_io = {
	.writev = write_reply,
	.read = read_request,
};

static void on_fuse_log(enum fuse_log_level level, const char *format,
			va_list args)
{
	char text[256];

	(void)level;
	(void)vsnprintf(text, sizeof(text), format, args);
	log_debug("libfuse", "text=%s", text);
}

static void on_gone(void *owner)
{
	const struct session *session = owner;

	session->on_gone(session->owner);
}

static bool may_serve(void *owner)
{
	const struct session *session = owner;

	return session->may_serve(session->owner);
}

static void on_request(void *owner, void *bytes, size_t length)
{
	const struct session *session = owner;

	fuse_session_process_buf(
		session->fuse,
		&(struct fuse_buf){ .mem = bytes, .size = length });
}

static void adopt(struct session *session,
		  const struct session_settings *settings)
{
	char bytes[INIT_MAX];
	struct fuse_buf init = { .mem = bytes, .size = settings->init_length };

	memcpy(bytes, settings->init, settings->init_length);
	session->is_silent = true;
	fuse_session_process_buf(session->fuse, &init);
	session->is_silent = false;
}

static int set_up(struct session *session,
		  const struct session_settings *settings)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_lowlevel_ops served = operations;
	int r;

	refusals_add(&served);
	/* without handlers the kernel asks once in the life of a mount */
	if (settings->has_extended) {
		served.getxattr = do_getxattr;
		served.listxattr = do_listxattr;
	}
	fuse_set_log_func(on_fuse_log);
	if (fuse_opt_add_arg(&args, "secretsfs") < 0)
		return -ENOMEM;
	session->fuse =
		fuse_session_new(&args, &served, sizeof(served), session);
	fuse_opt_free_args(&args);
	if (!session->fuse)
		return -ENOMEM;
	r = fuse_session_custom_io(session->fuse, &custom_io, session->fd);
	if (r < 0)
		return r;
	session->fuse_closes_fd = true;
	adopt(session, settings);
	if (fuse_session_exited(session->fuse))
		return -EPROTO;
	session->inflow = inflow_new(&(struct inflow_settings){
		.loop = settings->loop,
		.tree = session->tree,
		.journal = settings->journal,
		.fd = session->fd,
		.may_serve = may_serve,
		.on_request = on_request,
		.on_gone = on_gone,
		.owner = session,
	});
	return session->inflow ? 0 : -ENOMEM;
}

int session_new(const struct session_settings *settings, struct session **ret,
		struct err *err)
{
	struct session *session = calloc(1, sizeof(*session));
	int r;

	if (!session || settings->init_length > INIT_MAX) {
		(void)close(settings->fd);
		free(session);
		return err_set(err, -ENOMEM, "cannot adopt the mount");
	}
	session->tree = settings->tree;
	session->fd = settings->fd;
	session->replies = (struct reply_settings){
		.is_asked_always = settings->is_asked_always,
		.waiting = &session->waiting,
	};
	session->has_no_epochs = settings->has_no_epochs;
	session->on_gone = settings->on_gone;
	session->may_serve = settings->may_serve;
	session->owner = settings->owner;
	r = set_up(session, settings);
	if (r < 0) {
		session_free(session);
		return err_set(err, r, "cannot adopt the mount: %s",
			       strerrordesc_np(-r));
	}
	*ret = session;
	return 0;
}

void session_pause(struct session *session)
{
	inflow_pause(session->inflow);
}

void session_silence(struct session *session)
{
	session->is_silent = true;
}

size_t session_waiting(const struct session *session)
{
	return session->waiting;
}

uint64_t session_taken(const struct session *session)
{
	return session->taken;
}

bool session_expire_names(struct session *session)
{
	return session->can_expire_names && traffic_next_epoch(session->fd);
}

bool session_can_expire_names(const struct session *session)
{
	return session->can_expire_names;
}

const struct traffic *session_traffic(const struct session *session)
{
	return &session->traffic;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	inflow_free(session->inflow);
	if (session->fuse)
		fuse_session_destroy(session->fuse);
	if (!session->fuse_closes_fd)
		(void)close(session->fd);
	free(session);
}
