/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TREE_FIXTURE_H
#define TESTS_TREE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "fs/layout.h"
#include "fs/nodes.h"
#include "fs/tree.h"
#include "loop/loop.h"
#include "store/cache.h"
#include "store/view.h"
#include "tests/fake_request.h"
#include "tests/fake_source.h"

/* A tree over a source that answers when the test says so, with a clock that
 * stands still. */

#define TTL_MS 300000
#define TREE_RIGHTS                                                            \
	{                                                                      \
		.uid = 7, .gid = 8, .mode = 0440                               \
	}

struct scene {
	struct clock clock;
	struct loop *loop;
	struct cache *cache;
	struct fake_source source;
	struct tree *tree;
};

struct scene *scene_new(void);

/* What the tree shows, once; the objects outlive the scene's tree. */
void scene_show(struct scene *scene, const struct layout_object *objects,
		size_t count);
void scene_show_prefix(struct scene *scene, const char *prefix);

/* The objects' layout, without an owner. */
struct layout *scene_layout(const struct layout_object *objects, size_t count);

/* cmocka's teardown. */
int scene_free(void **state);

void start_lookup(struct scene *scene, uint64_t parent, const char *name,
		  struct request *request);

/* A lookup that is answered at once, since all is at hand. */
struct request look_up(struct scene *scene, uint64_t parent, const char *name);

struct request read_node(struct scene *scene, uint64_t node, off_t offset,
			 size_t size);

/* Makes the secret known by a first lookup; the node of that name. */
uint64_t fill(struct scene *scene, const char *name, const char *version,
	      const char *json);

uint64_t open_directory(struct scene *scene, uint64_t node);

/* READDIRPLUS of the root. */
void start_listing(struct scene *scene, uint64_t handle, off_t offset,
		   struct request *request);

#endif
