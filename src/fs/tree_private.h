/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_TREE_PRIVATE_H
#define FS_TREE_PRIVATE_H

/* What the files of the tree share: tree.c, lookup.c and read_directory.c. */

#include "fs/name.h"
#include "fs/nodes.h"
#include "fs/parked.h"
#include "fs/tree.h"
#include "store/cache.h"

struct map;

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
	char *name;			      /* settings.name's copy */
	char whole_file[NAME_LENGTH_MAX + 1]; /* of a secret; else empty */
	struct nodes *nodes;
	struct parking parking;
	struct map *handles; /* open directories, by id */
	uint64_t next_handle;
};

/* What stat(2) says of a node. */
void tree_fill_stat(const struct tree *tree, const struct node *node,
		    struct stat *ret);

/* A node as the answer to a lookup. */
struct request_entry tree_entry_of(const struct tree *tree,
				   const struct node *node, int64_t entry_ms);

/* What the cache is asked for: a secret, or the listing of a prefix. */
struct cache_want tree_want(const struct tree *tree, const char *name,
			    bool is_listing);

/* Wall time in ns, for changes without a date of their own. */
int64_t tree_now_ns(const struct tree *tree);

/* Frees the open directories. */
void tree_drop_handles(struct tree *tree);

#endif
