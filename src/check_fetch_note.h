/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECK_FETCH_NOTE_H
#define CHECK_FETCH_NOTE_H

struct err;
struct fetched_object;
struct layout;
struct layout_object;
struct map;
struct value;

/* What `secretsfs check` notes of a secret that was read, or was not. All
 * return 0 or -ENOMEM. */

int fetched_object_fail(struct fetched_object *fetched,
			const struct layout_object *object,
			const struct err *err);

int fetched_object_fill(struct fetched_object *fetched,
			const struct layout_object *object,
			const struct value *value);

/* Marks the keys whose names the layout gives, or are in seen; puts the others
 * there. */
int fetched_object_hide(struct fetched_object *fetched,
			const struct layout_object *object,
			const struct layout *layout, struct map *seen);

#endif
