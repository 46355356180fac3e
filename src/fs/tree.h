/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_TREE_H
#define FS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/rights.h"

struct buf;
struct cache;
struct layout;
struct ledger;
struct loop;
struct request;
struct source;

/*
 * What one mount shows, and the answers to what the kernel asks about it.
 *
 * A tree shows either a layout: the names that it gives, and the keys of those
 * objects that expand; or a prefix: every secret below it as a file with its
 * whole value, '/' in names as directories.
 *
 * Each handler owns its request and answers it, at once where what it takes is
 * at hand, else when the fetch ends. Nothing here blocks.
 */

struct tree;

/* A prefix of a source. */
struct tree_prefix {
	struct source *source; /* borrowed */
	const char *name;      /* copied: "" or "a/b/" */
	int64_t ttl_ms;	       /* these four as in struct cache_want */
	int64_t max_stale_ms;
	int64_t verify_ms;
	int64_t timeout_ms;
	struct rights rights; /* of files */
	struct rights directory_rights;
};

struct tree_settings {
	struct loop *loop; /* borrowed, like cache */
	struct cache *cache;
	struct layout *layout; /* counted; NULL: the prefix */
	struct tree_prefix prefix;
	/* Callers may write as far as the mount goes: so no mode lets them, but
	 * the owner may always search a directory and rename in it, as a
	 * notifier does that is not root. */
	bool is_writable;
};

/* NULL: no memory. */
struct tree *tree_new(const struct tree_settings *settings);

/*
 * Before the first request: has the nodes recorded in that memory
 * (node_table.h) and those back that another worker left there. ret_is_lost:
 * there were some that could not be read, so the kernel must ask for all names
 * again. fd is taken over. 0 or negative errno: without its nodes a mount
 * cannot be served, since ids would be given anew.
 */
int tree_keep_nodes(struct tree *tree, int fd, bool *ret_is_lost);

/*
 * After tree_keep_nodes(): has counts written down there before they are made
 * (ledger.h, borrowed), and sets those right that another worker was at when it
 * died. The second is for when a request comes again whose answer that one was
 * writing: the kernel never got it.
 */
void tree_keep_counts(struct tree *tree, struct ledger *ledger);
void tree_request_came_again(struct tree *tree, uint64_t unique);

/* Answers what still waits with -EIO. NULL is allowed. */
void tree_free(struct tree *tree);

/* Shows another layout from now on; the tree had one before. Files that both
 * show alike keep their nodes, also where the kernel forgets a node just before
 * it asks again. What waits goes on with the old one. */
void tree_set_layout(struct tree *tree, struct layout *layout);

/*
 * The secret that a person means by a name: its own, or the path below the
 * mount of a file that shows it, as far as that is known without asking.
 * Borrowed from the layout, or name itself; NULL: nothing has that name.
 */
const char *tree_find_secret(const struct tree *tree, const char *name);

/* An id is of a node; of a handle where one is closed. */
/* What a tree can do to the kernel beyond answering it; all may be NULL. None
 * is called from within a call of the tree. */
struct tree_reach {
	/* all names are to be asked for again */
	void (*expire_names)(void *owner);
	/* no page of these nodes may stay, mapped ones included */
	void (*drop_pages)(void *owner, const uint64_t *nodes, size_t count);
	void *owner;
};
void tree_set_reach(struct tree *tree, const struct tree_reach *reach);

/* Once a mount is served, whether there is one or not. From now on that
 * notifier tells watchers of what changes; fd is taken over,
 * -1: there is none, or none any more. */
void tree_set_notifier(struct tree *tree, int fd, pid_t pid);
bool tree_has_notifier(const struct tree *tree);

/* How many requests wait for what is fetched. */
size_t tree_waiting_count(const struct tree *tree);

/* How many nodes the kernel may know. */
size_t tree_node_count(const struct tree *tree);

/* Requests that change something: -EROFS to all but the notifier. */
struct tree_rename {
	uint64_t parent;
	const char *name;
	uint64_t new_parent;
	const char *new_name;
};
void tree_rename(struct tree *tree, struct request *request,
		 const struct tree_rename *what);
void tree_unlink(struct tree *tree, struct request *request, uint64_t parent,
		 const char *name);

void tree_lookup(struct tree *tree, struct request *request, uint64_t parent,
		 const char *name);
void tree_forget(struct tree *tree, uint64_t id, uint64_t count);
void tree_get_attributes(struct tree *tree, struct request *request,
			 uint64_t id);
void tree_read(struct tree *tree, struct request *request, uint64_t id,
	       off_t offset, size_t size);
void tree_open_directory(struct tree *tree, struct request *request,
			 uint64_t id);
void tree_close_directory(struct tree *tree, struct request *request,
			  uint64_t id);

struct tree_read_directory {
	uint64_t node;
	uint64_t handle;
	off_t offset;
	size_t size;
	bool is_plus; /* with attributes, READDIRPLUS */
};
void tree_read_directory(struct tree *tree, struct request *request,
			 const struct tree_read_directory *what);

/*
 * The extended attributes of a file, none of them a part of its value: appends
 * one's text, or the names of those it has, each with its NUL. 0; -ENODATA: it
 * has no such attribute; -ESTALE; -EFBIG; -ENOMEM.
 */
#define TREE_EXTENDED_MAX 2048
int tree_get_extended(const struct tree *tree, uint64_t id, const char *name,
		      struct buf *out);
int tree_list_extended(const struct tree *tree, uint64_t id, struct buf *out);

#endif
