/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_TREE_PRIVATE_H
#define FS_TREE_PRIVATE_H

/* What the files of the tree share: tree.c for what needs no fetch; lookup*.c
 * and read_directory.c, note_*.c for what may. */

#include "fs/name.h"
#include "fs/nodes.h"
#include "fs/parked.h"
#include "fs/tree.h"
#include "store/cache.h"

struct layout_name;
struct layout_object;
struct cache_result;
struct err;
struct follow;
struct follows;
struct ledger;
struct listing;
struct notifier;
struct once;
struct order;

/* The attributes of a version never change. */
#define FILE_ATTRIBUTES_MS ((int64_t)365 * 86400 * 1000)

/* The kernel may believe that a name does not exist for at most this long. */
#define ABSENT_MS 5000

/* Whole secret names: file names below a few folders. */
#define SECRET_NAME_MAX 1024

/* The secret that has the name of its folder, inside that folder. */
#define NAME_FOLDER_VALUE ".value"

struct tree {
	struct tree_settings settings;
	struct layout *layout; /* NULL: a prefix */
	char *prefix;	       /* settings.prefix.name's copy */
	struct nodes *nodes;
	struct parking parking;
	struct map *handles; /* open directories, by id */
	uint64_t next_handle;
	struct once *told; /* complaints that need no repeating */
	bool is_awaiting;  /* names were expired; see nodes_await() */
	struct loop_timer *sweep;
	struct follows *follows;
	struct node_table *table; /* NULL: nodes end with the worker */
	struct ledger *ledger;	  /* or NULL likewise; borrowed */

	/* how changes are told: announce.c */
	struct tree_reach reach;
	struct notifier *notifier;
	TAILQ_HEAD(order_list, order) orders;
	uint64_t next_order;
	struct loop_timer *review; /* of what another worker left */
	int64_t restored_ms;
	bool has_reviewed;
	bool is_unannounced; /* until it is clear who announces: what has
				changed between two workers waits for that */
	struct loop_timer *expire;
};

/* What stat(2) says of a node. */
void tree_fill_stat(const struct tree *tree, const struct node *node,
		    struct stat *ret);

/* A node as the answer to a lookup. */
struct request_entry tree_entry_of(const struct tree *tree,
				   const struct node *node, int64_t entry_ms);

/* Below a prefix the cache is asked for a secret, or for a listing. */
struct cache_want tree_want(const struct tree *tree, const char *name,
			    bool is_listing);

/* Of an object the cache is asked for its secret. */
struct cache_want tree_want_object(const struct layout *layout,
				   const struct layout_object *object);

/* What a name shows of a version, but for its date: of a file of the layout, of
 * a key of an object that expands, and of a secret below a prefix. */
struct node_file tree_file_of(const struct layout_name *name,
			      struct value *value);
struct node_file tree_key_file(const struct layout_object *object,
			       struct value *value, size_t key);
struct node_file tree_secret_file(const struct tree *tree, struct value *value);

/* What the name of a file that is followed shows of a value; false: nothing
 * any more. */
bool tree_find_shown(const struct tree *tree, const struct node *node,
		     struct value *value, struct node_file *ret);

/* READ of a node of another worker that has no value yet. */
void tree_read_restored(struct tree *tree, struct request *request,
			const struct node *node, off_t offset, size_t size);

/* A secret changed: rotate.c. owner is the tree. */
void tree_on_secret(void *owner, struct follow *follow,
		    const struct cache_result *result);

/* Watchers hear of names that the layout does not give any more: rotate.c. */
void tree_announce_layout(struct tree *tree);

/* Whoever watches the name hears of it once more, from what is at hand. */
void tree_announce_again(struct tree *tree, struct node *node);

/* A directory was listed: watchers hear of names that are new in it, or gone,
 * since it was listed before. */
void tree_announce_listing(struct tree *tree, struct node *directory,
			   struct listing *listing);

/* Takes back what the secret's nodes show, and tells of it. */
void tree_revoke(struct tree *tree, struct follow *follow,
		 const struct err *err);

/* What the secret's nodes showed that were taken back by another worker, whose
 * last word may not have been heard, goes from the kernel once more. */
void tree_drop_revoked(const struct tree *tree, const struct follow *follow);

/* Tells of what has changed while nobody could announce it. */
void tree_announce_late(struct tree *tree);

/* The node of a file of the layout, or of a key of an object that expands, as
 * nodes_file(). What cannot be shown is complained of once a version. */
int tree_file_node(struct tree *tree, struct node *parent,
		   const struct layout_name *name, struct value *value,
		   struct node **ret);

struct tree_key {
	const char *name; /* the file's */
	const struct layout_object *object;
	struct value *value;
	size_t key; /* of value */
};
int tree_key_node(struct tree *tree, struct node *parent,
		  const struct tree_key *key, struct node **ret);

/* The node of a secret below a prefix, under the name that it has there, as
 * nodes_file(). */
int tree_secret_node(struct tree *tree, struct node *parent, const char *name,
		     const char *secret, struct value *value,
		     struct node **ret);

/* How much longer the version is true that a followed node is of. */
int64_t tree_rest_ms(const struct tree *tree, const struct node *node);

/* Which key of the value the file name stands for. */
bool tree_find_key(const struct value *value, const char *name,
		   size_t *ret_key);

/* The kernel is about to ask for all names again, and may forget a node just
 * before: see nodes_await(). */
void tree_await(struct tree *tree);

/* An answer that is about to be written gives the node: counts it. */
void tree_give(struct tree *tree, struct node *node);

/* Nodes may have been forgotten that are kept for a while. */
void tree_sweep_later(struct tree *tree);

/* Wall time in ns, for changes without a date of their own. */
int64_t tree_now_ns(const struct tree *tree);

/* Frees the open directories. */
void tree_drop_handles(struct tree *tree);

/* No open directory holds the value any more. */
void tree_drop_value(struct tree *tree, const struct value *value);

/*
 * What lookup.c and its two halves share: a name that is asked for, and how it
 * is answered; each answer frees it.
 */
struct lookup {
	struct parked parked;
	struct tree *tree;
	struct layout *layout; /* of the moment it was asked; NULL: a prefix */
	uint64_t parent;
	size_t scanned; /* objects that are known not to have the key */
	char *secret;	/* below a prefix: what it fetches */
	bool is_cold; /* its name had no node: it holds the directory's lock */
	char name[NAME_LENGTH_MAX + 1];
};

/* NULL: the kernel's own parent went while the request waited. */
struct node *lookup_parent(const struct lookup *lookup);
void lookup_fail(struct lookup *lookup, int code);
void lookup_reply_absent(struct lookup *lookup, int64_t fresh_ms);
void lookup_reply_node(struct lookup *lookup, struct node *node,
		       int64_t entry_ms);

/* The two kinds of trees. */
void lookup_in_layout(struct lookup *lookup, const struct node *parent);
void lookup_in_prefix(struct lookup *lookup, const struct node *parent);

#endif
