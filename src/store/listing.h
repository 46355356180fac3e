/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_LISTING_H
#define STORE_LISTING_H

#include <stdbool.h>
#include <stddef.h>

/* The names directly below a prefix at one moment: counted, and immutable once
 * it has been handed on. Names are no secrets. */

struct listing;

struct listing_name {
	const char *name; /* one component, no '/' */
	bool is_folder;	  /* there are secrets below it */
	bool is_secret;
};

/* NULL: no memory. */
struct listing *listing_new(void);

struct listing *listing_ref(struct listing *listing);

/* NULL is allowed. */
void listing_unref(struct listing *listing);

/* Notes a name; what is known of it adds up when it comes again. 0, -EINVAL
 * for a name that is empty or holds '/', -ENOMEM. */
int listing_add(struct listing *listing, const struct listing_name *name);

size_t listing_count(const struct listing *listing);

/* In the order they were first noted; borrowed from the listing. */
const struct listing_name *listing_at(const struct listing *listing,
				      size_t index);

/* NULL: absent. */
const struct listing_name *listing_find(const struct listing *listing,
					const char *name);

#endif
