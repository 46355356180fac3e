/* SPDX-License-Identifier: Apache-2.0 */
#ifndef METRICS_OBJECTS_H
#define METRICS_OBJECTS_H

#include <stdint.h>

struct control;
struct exposition;
struct served;
struct shown;

/* The metrics of single objects, and the mounts that they are in. Part of the
 * worker's wiring, and of metrics_text.h. */

#define METRICS_OBJECTS_MAX 1000 /* that are told of; more are counted */
#define METRICS_KEYS_MAX 1000	 /* likewise, with --metrics-keys */

/* A mount as metrics name it; borrowed. */
struct metrics_mount {
	const char *point;
	const struct shown *shown;
	const struct served *served;
};

typedef void metrics_on_mount(void *owner, const struct metrics_mount *mount);

/* Every mount that is served. */
void metrics_each_mount(const struct control *control,
			metrics_on_mount *on_mount, void *owner);

/* METRIC_OBJECT_STATE and all that follow. */
void metrics_put_objects(const struct control *control,
			 struct exposition *exposition);

#endif
