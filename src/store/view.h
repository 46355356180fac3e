/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct jmespath;
struct value;

/* What a file shows of a value: all of it, one of its keys, or what a JMESPath
 * finds in it; as it is, or decoded from base64. */

#define VIEW_WHOLE SIZE_MAX
#define VIEW_PATH (SIZE_MAX - 1)

struct view {
	size_t key;		     /* of the value, or one of the above */
	const struct jmespath *path; /* with VIEW_PATH; borrowed */
	const char *path_text;	     /* the path as it was written; borrowed */
	bool decode_base64;
};

/* Whether the view's bytes are the value's own, so that they can be read from
 * it at any time without a copy being kept. */
bool view_is_plain(const struct view *view);

/*
 * Appends the bytes. 0; -ENOENT: the path points to nothing; -EBADMSG: a path
 * was asked of what is not JSON or of what it cannot be applied to, or the
 * bytes are not base64; -EFBIG; -ENOMEM. err holds no part of the value.
 */
int view_read(const struct view *view, const struct value *value,
	      struct buf *out, struct err *err);

#endif
