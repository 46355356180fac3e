/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHOWN_H
#define SHOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/source_text.h"
#include "fs/tree.h"

struct cache_want;
struct class;
struct class_list;
struct err;
struct layout;
struct options;
struct provider;

/* What SOURCE means for a mount: the names it gives, and the source behind
 * them. Part of the same wiring as provider.h. */

#define SHOWN_LABEL_MAX (SOURCE_NAME_MAX + 16)

struct shown {
	struct layout *layout;	     /* NULL: the prefix */
	struct tree_prefix prefix;   /* its name is a constant */
	char label[SHOWN_LABEL_MAX]; /* for mountinfo: what is mounted */
	bool is_old; /* what was read since is wrong; set by who read it */
};

/*
 * Reads SOURCE, and the class file that it may be. Sources come from provider,
 * and stay its. 0, or negative errno with one line in err; ret is touched on
 * success only.
 */
int shown_read(struct provider *provider, const struct options *options,
	       struct shown *ret, struct err *err);

/* The same for one class, which is borrowed until shown_done(); path says in
 * errors which file it is of. */
int shown_read_class(struct provider *provider, const struct options *options,
		     const char *path, const struct class *class,
		     struct shown *ret, struct err *err);

/* The same for one class of a list, which the layout keeps a reference of. */
struct shown_listed {
	const char *path;
	struct class_list *list;
	size_t index;
};

int shown_read_listed(struct provider *provider, const struct options *options,
		      const struct shown_listed *listed, struct shown *ret,
		      struct err *err);

/* What its secrets are asked for with, but for which: source, name and what
 * else an object of a layout says. */
struct cache_want shown_want(const struct shown *shown);

/* Which region answers for a want; NULL: there is but one. */
const char *shown_region(const struct cache_want *want);

/* Lets the layout go. */
void shown_done(struct shown *shown);

#endif
