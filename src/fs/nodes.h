/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_NODES_H
#define FS_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "fs/rights.h"
#include "store/view.h"

struct err;
struct follow;
struct listing;
struct node_file;
struct node_record;
struct node_slot;
struct node_table;
struct secret;
struct value;

/*
 * What the kernel knows by number.
 *
 * Every (file, version) pair is a node of its own, immutable, with an id that
 * is never used again; so an open file keeps its version, and its page cache
 * can never hold a byte of another one. A node lives until the kernel has
 * forgotten it. A directory is one node as long as anything below it lives.
 *
 * Nodes that were made but given to nobody are released with nodes_settle().
 *
 * With a table (node_table.h) nodes outlive the worker. Those that come back
 * from it are without a value until nodes_wake(), and keep the name of their
 * version.
 */

#define NODE_ROOT 1

struct node {
	uint64_t id;
	struct node *parent; /* the root's is NULL */
	const char *name;    /* the file name below parent */
	bool is_directory;

	/* of a directory: the prefix that it stands for, "" or "a/b/" */
	const char *prefix;
	bool has_value;		/* a secret has the folder's own name */
	struct listing *listed; /* what was listed last; NULL: nothing yet */
	unsigned cold_lookups;	/* that wait for a name without a node */
	int64_t changed_ns;

	/* of a file */
	const char *secret; /* the name of the secret that it is of */
	struct value *value;
	const char *version;	/* of a value that is still to come, or NULL */
	uint64_t mark;		/* of such a file: hash of what it shows */
	struct view view;	/* of value; path is not kept, path_text is */
	struct secret *content; /* NULL: the view is plain */
	struct rights rights;
	size_t size;
	int64_t modified_ns;
	bool is_current;  /* the name shows this version */
	bool is_prepared; /* no name has shown it yet */
	bool has_entry;	  /* the kernel had one of a name that only the
			     notifier has for it */
	bool is_empty;	  /* it shows nothing, and stands in for its name */
	int revoked;	  /* why value is NULL: a negative errno */

	/* of whoever follows the secret; see nodes_set_on_free() */
	struct follow *follow;
	LIST_ENTRY(node) followed;

	/* the table's */
	struct node_slot *slot; /* NULL: it is not recorded */
	uint64_t lookups;
	size_t children;
	unsigned awaited; /* see nodes_await() */
	struct node *next_swept;
};

struct nodes;

/* now_ns: wall time, for what has no date of its own. NULL: no memory. */
struct nodes *nodes_new(int64_t now_ns);

/* Called before a node goes. */
typedef void nodes_on_free(void *owner, struct node *node);
void nodes_set_on_free(struct nodes *nodes, nodes_on_free *on_free,
		       void *owner);

/* From now on nodes are recorded there, and ids go on above all that were ever
 * given. Borrowed: it must outlive the nodes, whose end it does not record. */
void nodes_set_table(struct nodes *nodes, struct node_table *table);

/* Directories are recorded as they are made; a file when it is clear what was
 * asked for, which want is a hash of. Once; again is no fault. */
void nodes_record_file(struct nodes *nodes, struct node *node, uint64_t want,
		       const char *secret);

/* A node of another worker, which is in that slot; its parent has come before
 * it. secret is as of node_file. NULL: it cannot be had back. */
struct node *nodes_restore(struct nodes *nodes,
			   const struct node_record *record,
			   struct node_slot *slot, const char *secret);

/* Gives a file back what it shows. 0; -ESTALE: it never showed that; or what
 * view_read() says. */
int nodes_wake(struct node *node, const struct node_file *file,
	       struct err *err);

/* Has the table know what was changed in the node by hand. */
void nodes_note(const struct node *node);

/* Whatever the kernel still knows. NULL is allowed. */
void nodes_free(struct nodes *nodes);

/* NULL: no such node (any more). */
struct node *nodes_find(const struct nodes *nodes, uint64_t id);

/* The node that the name shows, or NULL where none is known. */
struct node *nodes_current(const struct nodes *nodes, const struct node *parent,
			   const char *name);

struct node_file {
	const char *secret; /* versions of two secrets may have one name */
	struct value *value;
	struct view view;
	struct rights rights;
	int64_t modified_ns;
};

/* The file parent/name in this version: the node it has already, with these
 * rights from now on, or a new one that replaces the current one under that
 * name. 0, or what view_read() says. */
int nodes_file(struct nodes *nodes, struct node *parent, const char *name,
	       const struct node_file *file, struct node **ret,
	       struct err *err);

/* A new node for the file, which no name shows yet. As nodes_file(); whoever
 * does not install it settles it. */
int nodes_prepare(struct nodes *nodes, struct node *parent, const char *name,
		  const struct node_file *file, struct node **ret,
		  struct err *err);

/* Likewise one that shows nothing, so that reading it fails: for telling of a
 * name whose secret nobody has asked for. It is never installed. NULL: no
 * memory. */
struct node *nodes_prepare_empty(struct nodes *nodes, struct node *parent,
				 const char *name, const struct rights *rights,
				 int64_t modified_ns);

/* The kernel shows the stand-in under its name until that is looked up. */
void nodes_stand_in(struct node *node, int64_t now_ns);

/* Has the node's name show it, in the place of the one that did. 0, -ENOMEM. */
int nodes_install(struct nodes *nodes, struct node *node);

/* Wipes what the node shows: reading it fails with code from now on. */
void nodes_revoke(struct node *node, int code);

/* The bytes that the file shows, where they are at hand: borrowed from the
 * node, which is not revoked. NULL: a key of the value, to be decoded by
 * value_key_read(). */
struct secret *node_bytes(const struct node *node);

/* The directory parent/name. NULL: no memory. */
struct node *nodes_directory(struct nodes *nodes, struct node *parent,
			     const char *name, const char *prefix);

/* The name shows nothing any more; its node lives on while it is known. */
void nodes_unlink(struct nodes *nodes, struct node *parent, const char *name,
		  int64_t now_ns);

/* The kernel was given the node once more. */
void nodes_looked_up(struct node *node);

/* The kernel dropped `count` of what it was given; may free the node. An
 * unknown id, and a count past what was given, are told by false. */
bool nodes_forget(struct nodes *nodes, uint64_t id, uint64_t count);

/*
 * The kernel was told to ask for every name again. It may forget a node just
 * before it asks for the name, and then finds the same one: what it knows now
 * is kept until it is looked up, or swept twice after it was forgotten.
 */
void nodes_await(struct nodes *nodes);

/* Returns how many forgotten nodes are still kept. */
size_t nodes_sweep(struct nodes *nodes);

/* Frees the node if nobody knows it. */
void nodes_settle(struct nodes *nodes, struct node *node);

/* Calls each for every node, in no order; it must not make or free any. */
typedef void nodes_on_each(void *owner, struct node *node);
void nodes_each(struct nodes *nodes, nodes_on_each *each, void *owner);

/* How many there are, the root included. */
size_t nodes_count(const struct nodes *nodes);

#endif
