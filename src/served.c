/* SPDX-License-Identifier: Apache-2.0 */
/* A mount is a tree and the session that asks it. What either may do beyond
 * answering goes to the keeper, which can. */
#include "served.h"
#include "base/err.h"
#include "base/log.h"
#include "fs/journal.h"
#include "fs/session.h"
#include "fs/tree.h"
#include "keeper/message.h"
#include "loop/loop.h"
#include "shown.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct served {
	struct served_settings settings;
	struct journal *journal;
	struct tree *tree;
	struct session *session;
	bool has_gone;
	bool nodes_are_lost; /* some that the kernel knows */
	struct loop_timer *leaving;
};

static void tell_keeper(const struct served *served, enum message_type type,
			const void *body, size_t length)
{
	struct message message;

	message_fill(&message, type, served->settings.index, body, length);
	if (message_send(served->settings.keeper_fd, &message, -1) < 0)
		log_debug("the keeper does not listen", NULL);
}

void served_free(struct served *served)
{
	if (!served)
		return;
	loop_timer_cancel(served->leaving);
	tree_free(served->tree);
	session_free(served->session);
	journal_close(served->journal);
	free(served);
}

static void on_leaving(void *owner)
{
	struct served *served = owner;

	served->leaving = NULL;
	served->settings.on_gone(served->settings.owner, served);
}

static void on_gone(void *owner)
{
	struct served *served = owner;

	served->has_gone = true;
	tell_keeper(served, MESSAGE_GONE, "", 0);
	/* Without memory for that it is freed at the end. */
	served->leaving = loop_soon(served->settings.loop, on_leaving, served);
}

static bool may_serve(void *owner)
{
	const struct served *served = owner;

	return served->settings.may_serve(served->settings.owner);
}

static void expire_names(void *owner)
{
	const struct served *served = owner;

	(void)session_expire_names(served->session);
}

/* The keeper has it done: see its page_dropper.h. */
static void drop_pages(void *owner, const uint64_t *nodes, size_t count)
{
	const size_t most = MESSAGE_BODY_MAX / sizeof(*nodes);
	const struct served *served = owner;

	for (size_t at = 0; at < count; at += most) {
		size_t some = count - at < most ? count - at : most;

		tell_keeper(served, MESSAGE_DROP_PAGES, nodes + at,
			    some * sizeof(*nodes));
	}
}

/* Without its nodes a mount is not served. */
static int keep_nodes(struct served *served, int nodes_fd, struct err *err)
{
	int r = nodes_fd < 0 ? -EBADF
			     : tree_keep_nodes(served->tree, nodes_fd,
					       &served->nodes_are_lost);

	return r < 0 ? err_set(err, r, "cannot keep nodes: %s",
			       strerrordesc_np(-r))
		     : 0;
}

static int keep_requests(struct served *served, int journal_fd, struct err *err)
{
	int r = journal_fd < 0 ? -EBADF
			       : journal_open(journal_fd, &served->journal);

	return r < 0 ? err_set(err, r, "cannot keep requests: %s",
			       strerrordesc_np(-r))
		     : 0;
}

static int add_tree(struct served *served, const struct served_mount *mount,
		    struct err *err)
{
	const struct served_settings *settings = &served->settings;
	int nodes_fd = mount->nodes_fd;

	served->tree = tree_new(&(struct tree_settings){
		.loop = settings->loop,
		.cache = settings->cache,
		.layout = settings->shown->layout,
		.prefix = settings->shown->prefix,
		.is_writable = mount->is_writable,
	});
	if (!served->tree) {
		int code = -errno;

		if (nodes_fd >= 0)
			(void)close(nodes_fd);
		return err_set(err, code, "cannot show the source: %s",
			       strerrordesc_np(-code));
	}
	tree_set_reach(served->tree,
		       &(struct tree_reach){ .expire_names = expire_names,
					     .drop_pages = drop_pages,
					     .owner = served });
	return keep_nodes(served, nodes_fd, err);
}

static int add_session(struct served *served, int fuse_fd,
		       const struct message *init, struct err *err)
{
	const struct served_settings *settings = &served->settings;
	int r = session_new(
		&(struct session_settings){
			.loop = settings->loop,
			.tree = served->tree,
			.journal = served->journal,
			.fd = fuse_fd,
			.init = init->body,
			.init_length = init->length,
			.on_gone = on_gone,
			.may_serve = may_serve,
			.owner = served,
			.is_asked_always = settings->is_asked_always,
			.has_extended = settings->has_extended,
			.has_no_epochs = settings->has_no_epochs },
		&served->session, err);

	if (r == 0 && served->nodes_are_lost) {
		log_warn("what another worker left cannot be read", "mount=%u",
			 settings->index);
		(void)session_expire_names(served->session);
	}
	return r;
}

static void close_if(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

/* Each takes its own fd over, whatever it returns. */
static int add_all(struct served *served, const struct served_mount *mount,
		   struct err *err)
{
	int r = add_tree(served, mount, err);

	if (r < 0) {
		close_if(mount->journal_fd);
		close_if(mount->fuse_fd);
		return r;
	}
	r = keep_requests(served, mount->journal_fd, err);
	if (r < 0) {
		close_if(mount->fuse_fd);
		return r;
	}
	return add_session(served, mount->fuse_fd, mount->init, err);
}

int served_new(const struct served_settings *settings,
	       const struct served_mount *mount, struct served **ret,
	       struct err *err)
{
	struct served *served = calloc(1, sizeof(*served));
	int r;

	if (!served) {
		close_if(mount->nodes_fd);
		close_if(mount->journal_fd);
		close_if(mount->fuse_fd);
		return err_set(err, -ENOMEM, "no memory");
	}
	served->settings = *settings;
	r = add_all(served, mount, err);
	if (r < 0)
		served_free(served);
	else
		*ret = served;
	return r;
}

struct tree *served_tree(const struct served *served)
{
	return served->tree;
}

struct session *served_session(const struct served *served)
{
	return served->session;
}

bool served_has_gone(const struct served *served)
{
	return served->has_gone;
}
