/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A metric's samples must stand together, so the objects are gone through once
 * for each. An object is named by its first file, which no other of the mount
 * has; so no two samples are alike, also where a secret is shown twice.
 */
#include "metrics_objects.h"
#include "base/macros.h"
#include "classes.h"
#include "config/options.h"
#include "control.h"
#include "fs/layout.h"
#include "fs/name.h"
#include "mounts.h"
#include "ops/exposition.h"
#include "served.h"
#include "shown.h"
#include "store/cache.h"
#include "store/source.h"
#include "store/value.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LABELS_MAX 8

struct object {
	const char *mount;
	const char *file;
	const struct cache_want *want;
	const struct cache_about *about;
};

struct putting;

typedef void put_object(struct putting *putting, const struct object *object);

struct putting {
	const struct control *control;
	struct exposition *exposition;
	put_object *put;
	const struct metrics_mount *mount;
	size_t object_count;
	size_t key_count;
};

void metrics_each_mount(const struct control *control,
			metrics_on_mount *on_mount, void *owner)
{
	const struct classes *classes = mounts_classes(control->mounts);
	char point[PATH_MAX];

	for (uint32_t i = 0; i < MOUNTS_MAX; i++) {
		const struct served *served = mounts_find(control->mounts, i);
		struct class_about class = { .name = NULL,
					     .shown = control->shown };

		if (!served || served_has_gone(served) ||
		    (classes && classes_find(classes, i, &class) < 0))
			continue;
		(void)snprintf(point, sizeof(point), "%s%s%s",
			       control->options->mount_point,
			       class.name ? "/" : "",
			       class.name ? class.name : "");
		on_mount(owner, &(struct metrics_mount){ .point = point,
							 .shown = class.shown,
							 .served = served });
	}
}

/* extra: one more label, or without a name. */
static void name_object(const struct object *object,
			struct exposition_label extra,
			struct exposition_label labels[LABELS_MAX])
{
	const struct cache_want *want = object->want;
	const struct exposition_label all[LABELS_MAX] = {
		{ "mount", object->mount },
		{ "file", object->file },
		{ "secret", want->name },
		{ "version", want->version },
		{ "stage", want->stage },
		{ "region", shown_region(want) },
		extra,
		{ NULL, NULL },
	};

	memcpy(labels, all, sizeof(all));
}

static void put_labelled(const struct putting *putting,
			 const struct object *object, const char *name,
			 const char *text)
{
	struct exposition_label labels[LABELS_MAX];

	name_object(object, (struct exposition_label){ name, text }, labels);
	exposition_put(putting->exposition, labels, 1);
}

static void put_number(const struct putting *putting,
		       const struct object *object, uint64_t number)
{
	struct exposition_label labels[LABELS_MAX];

	name_object(object, (struct exposition_label){ NULL, NULL }, labels);
	exposition_put(putting->exposition, labels, number);
}

/* Of what does not apply there is no sample. */
static void put_time(const struct putting *putting, const struct object *object,
		     int64_t ms)
{
	struct exposition_label labels[LABELS_MAX];

	if (ms < 0)
		return;
	name_object(object, (struct exposition_label){ NULL, NULL }, labels);
	exposition_put_ms(putting->exposition, labels, ms);
}

static void put_state(struct putting *putting, const struct object *object)
{
	put_labelled(putting, object, "state",
		     cache_state_name(object->about->state));
}

static void put_age(struct putting *putting, const struct object *object)
{
	put_time(putting, object, object->about->age_ms);
}

static void put_left(struct putting *putting, const struct object *object)
{
	put_time(putting, object, object->about->left_ms);
}

/* One that is due is due now. */
static void put_next(struct putting *putting, const struct object *object)
{
	int64_t next_ms = object->about->next_ms;

	put_time(putting, object, next_ms < -1 ? 0 : next_ms);
}

static void put_used(struct putting *putting, const struct object *object)
{
	put_number(putting, object, object->about->is_in_use);
}

static void put_keys(struct putting *putting, const struct object *object)
{
	const struct value *value = object->about->value;

	if (value && value_has_keys(value))
		put_number(putting, object, value_key_count(value));
}

/* As the file of a key is named; without a file of that name it is no metric
 * either. */
static void put_key(struct putting *putting, const struct object *object)
{
	const struct value *value = object->about->value;
	size_t count =
		value && value_has_keys(value) ? value_key_count(value) : 0;
	char name[NAME_LENGTH_MAX + 1];

	for (size_t i = 0; i < count && putting->key_count < METRICS_KEYS_MAX;
	     i++) {
		size_t length;
		const char *key = value_key_name(value, i, &length);

		if (name_from_key(key, length, name) < 0)
			continue;
		putting->key_count++;
		put_labelled(putting, object, "key", name);
	}
}

static void put_one(struct putting *putting, const struct cache_want *want,
		    const char *file)
{
	struct cache_about about;

	if (putting->object_count++ >= METRICS_OBJECTS_MAX || !putting->put)
		return;
	cache_tell(putting->control->cache, want, &about);
	putting->put(putting, &(struct object){ .mount = putting->mount->point,
						.file = file,
						.want = want,
						.about = &about });
}

static void put_layout(struct putting *putting, const struct shown *shown)
{
	const struct layout_settings *settings = layout_settings(shown->layout);
	struct cache_want want = shown_want(shown);

	for (size_t i = 0; i < settings->object_count; i++) {
		const struct layout_object *object = &settings->objects[i];

		want.source = object->source;
		want.name = object->name;
		want.version = object->version;
		want.stage = object->stage;
		put_one(putting, &want,
			object->file_count > 0 ? object->files[0].name
					       : object->folder);
	}
}

/* Below a prefix there are only those that somebody has asked for. */
static void put_known(void *owner, const struct cache_want *known)
{
	struct putting *putting = owner;
	const struct shown *shown = putting->mount->shown;
	const char *prefix = shown->prefix.name;
	struct cache_want want = shown_want(shown);

	if (known->is_listing ||
	    strncmp(known->name, prefix, strlen(prefix)) != 0)
		return;
	want.name = known->name;
	want.version = known->version;
	want.stage = known->stage;
	put_one(putting, &want, known->name);
}

static void put_mount(void *owner, const struct metrics_mount *mount)
{
	struct putting *putting = owner;

	putting->mount = mount;
	if (mount->shown->layout)
		put_layout(putting, mount->shown);
	else
		cache_each(putting->control->cache, mount->shown->prefix.source,
			   put_known, putting);
}

/* How many objects there are. */
static size_t put_all(const struct control *control,
		      struct exposition *exposition, put_object *put)
{
	struct putting putting = { .control = control,
				   .exposition = exposition,
				   .put = put };

	metrics_each_mount(control, put_mount, &putting);
	return putting.object_count;
}

void metrics_put_objects(const struct control *control,
			 struct exposition *exposition)
{
	static const struct {
		enum metric metric;
		put_object *put;
	} metrics[] = {
		{ METRIC_OBJECT_STATE, put_state },
		{ METRIC_OBJECT_AGE, put_age },
		{ METRIC_OBJECT_LEFT, put_left },
		{ METRIC_OBJECT_NEXT, put_next },
		{ METRIC_OBJECT_USED, put_used },
		{ METRIC_OBJECT_KEYS, put_keys },
	};
	size_t count;

	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		exposition_begin(exposition, metrics[i].metric);
		(void)put_all(control, exposition, metrics[i].put);
	}
	exposition_begin(exposition, METRIC_OBJECT_KEY);
	count = put_all(control, exposition,
			control->options->metrics_keys ? put_key : NULL);
	exposition_begin(exposition, METRIC_LEFT_OUT);
	exposition_put(exposition, NULL,
		       count > METRICS_OBJECTS_MAX ? count - METRICS_OBJECTS_MAX
						   : 0);
}
