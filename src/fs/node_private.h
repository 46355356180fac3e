/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_NODE_PRIVATE_H
#define FS_NODE_PRIVATE_H

/* What the files of the nodes share: node.c for one alone, nodes.c for how they
 * are found. */

#include "fs/node_table.h"
#include "fs/nodes.h"

/* Of no table yet. NULL: no memory; of a file err says so. */
struct node *node_new_directory(const char *name, const char *prefix);
struct node *node_new_file(const char *name, const struct node_file *file,
			   struct err *err);
struct node *node_new_restored(const struct node_record *record,
			       const char *secret);

/* One that shows nothing. */
struct node *node_new_empty(const char *name);

void node_free(struct node *node);

/* Whether the file shows just that. */
bool node_shows(const struct node *node, const struct node_file *file);

/* What the table is told of a node but for its place. */
void node_fill_record(const struct node *node, struct node_record *ret);

#endif
