/* SPDX-License-Identifier: Apache-2.0 */
/* From a class to a layout: which class of the file, which source, and what the
 * options decide where the class says nothing. */
#include "base/err.h"
#include "base/macros.h"
#include "config/class.h"
#include "config/options.h"
#include "provider.h"
#include "shown_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rights resolve(const struct class_rights *given,
			     struct rights rights)
{
	if (given->has_mode)
		rights.mode = given->mode;
	if (given->has_owner)
		rights.uid = given->uid;
	if (given->has_group)
		rights.gid = given->gid;
	return rights;
}

static void fill_file(const struct reading *reading,
		      const struct class_file *file, struct layout_file *ret)
{
	*ret = (struct layout_file){
		.name = file->name,
		.view = { .key = file->path ? VIEW_PATH : VIEW_WHOLE,
			  .path = file->expression,
			  .path_text = file->path,
			  .decode_base64 = file->decode_base64 },
		.rights = resolve(&file->rights,
				  shown_file_rights(reading->options)),
	};
}

/* Where the objects of a class are; NULL where it has none of that kind. */
struct sources {
	struct source *secrets;
	struct source *parameters;
};

/* The first object of the kind; one whose ARN says where it is, if there is
 * any. NULL: there is none. */
static const struct class_object *first_of(const struct class *class,
					   bool is_parameter)
{
	const struct class_object *found = NULL;

	for (size_t i = 0; i < class->object_count; i++) {
		const struct class_object *object = &class->objects[i];

		if (object->is_parameter != is_parameter)
			continue;
		if (object->arn_region)
			return object;
		if (!found)
			found = object;
	}
	return found;
}

static int check_regions(const struct class *class, const char *path,
			 const char *region, struct err *err)
{
	for (size_t i = 0; i < class->object_count; i++) {
		const struct class_object *object = &class->objects[i];

		if (object->arn_region &&
		    strcmp(object->arn_region, region) != 0)
			return err_set(err, -EINVAL,
				       "%s:%u: ARN region must match region "
				       "%s: %s",
				       path, object->line, region,
				       object->name);
	}
	return 0;
}

static struct provider_want want_of(const struct class *class,
				    bool is_parameter)
{
	return (struct provider_want){
		.is_parameter = is_parameter,
		.region = class->region,
		.role_arn = class->role_arn,
		.role_external_id = class->role_external_id,
		.role_duration_s = class->role_duration_s,
		.proxy_from_env = class->proxy_from_env,
		.failover_regions = class->failover_regions,
		.failover_count = class->failover_count,
	};
}

/* A class without objects is of secrets, so that the settings are looked at. */
static int find_source(const struct reading *reading, const struct class *class,
		       const char *path, bool is_parameter, struct source **ret)
{
	const struct class_object *object = first_of(class, is_parameter);
	struct provider_want want = want_of(class, is_parameter);
	const char *region;
	int r;

	if (!object && (is_parameter || class->object_count > 0))
		return 0;
	if (object && object->arn_region)
		want.name = object->name;
	r = provider_aws(reading->provider, &want, ret, &region, reading->err);
	return r == 0 ? check_regions(class, path, region, reading->err) : r;
}

/* What an object that is called otherwise in other regions is fetched from. */
static int find_failover(const struct reading *reading,
			 const struct class *class,
			 const struct class_object *object, struct source **ret)
{
	struct provider_want want = want_of(class, object->is_parameter);
	const struct class_object *first =
		first_of(class, object->is_parameter);
	const char *region;

	if (!object->failover_name || reading->options->offline)
		return 0;
	if (first->arn_region)
		want.name = first->name;
	want.failover_name = object->failover_name;
	want.failover_stage = object->failover_stage;
	return provider_aws(reading->provider, &want, ret, &region,
			    reading->err);
}

static int find_sources(const struct reading *reading,
			const struct class *class, const char *path,
			struct sources *ret)
{
	const char *offline = reading->options->offline;
	int r;

	if (offline) {
		r = provider_files(reading->provider, offline, &ret->secrets,
				   reading->err);
		ret->parameters = ret->secrets;
		return r;
	}
	r = find_source(reading, class, path, false, &ret->secrets);
	return r == 0 ? find_source(reading, class, path, true,
				    &ret->parameters)
		      : r;
}

static void fill_object(const struct reading *reading,
			const struct class_object *object,
			const struct sources *sources,
			struct layout_object *ret)
{
	*ret = (struct layout_object){
		.source = object->is_parameter ? sources->parameters
					       : sources->secrets,
		.name = reading->options->offline ? object->secret_name
						  : object->name,
		.version = object->version,
		.stage = object->stage,
		.files = ret->files,
		.file_count = object->file_count,
		.expands = object->expands,
		.folder = object->folder,
		.decode_base64 = object->decode_base64,
		.is_optional = object->optional,
		.rights = resolve(&object->rights,
				  shown_file_rights(reading->options)),
	};
}

static int hold_class(const struct reading *reading, const struct class *class,
		      const struct sources *sources, struct holding **ret)
{
	cleanup_holding struct holding *holding = NULL;
	struct layout_file *file;
	size_t files = 0;

	for (size_t i = 0; i < class->object_count; i++)
		files += class->objects[i].file_count;
	holding = holding_new(class->object_count, files);
	if (!holding) {
		(void)err_set(reading->err, -ENOMEM, "no memory");
		return -ENOMEM;
	}
	file = holding->files;
	for (size_t i = 0; i < class->object_count; i++) {
		const struct class_object *object = &class->objects[i];
		int r;

		holding->objects[i].files = file;
		fill_object(reading, object, sources, &holding->objects[i]);
		for (size_t k = 0; k < object->file_count; k++)
			fill_file(reading, &object->files[k], file++);
		r = find_failover(reading, class, object,
				  &holding->objects[i].source);
		if (r < 0)
			return r;
	}
	*ret = TAKE(holding);
	return 0;
}

/* NAME or NAMESPACE/NAME. */
static bool is_called(const struct class *class, const char *wanted)
{
	const char *slash = strchr(wanted, '/');
	size_t length = slash ? (size_t)(slash - wanted) : 0;

	if (!slash)
		return strcmp(class->name, wanted) == 0;
	return class->namespace && strlen(class->namespace) == length &&
	       strncmp(class->namespace, wanted, length) == 0 &&
	       strcmp(class->name, slash + 1) == 0;
}

/* The class that --class names, or the only one; NULL with err filled. */
static const struct class *choose(const struct class_list *list,
				  const struct options *options,
				  const char *path, struct err *err)
{
	const struct class *chosen = NULL;

	for (size_t i = 0; i < list->count; i++) {
		if (options->class_name &&
		    !is_called(&list->classes[i], options->class_name))
			continue;
		if (chosen) {
			(void)err_set(
				err, -EINVAL,
				"%s has more than one class%s%s: '%s' "
				"in line %u, '%s' in line %u; choose by "
				"--class [NAMESPACE/]NAME",
				path, options->class_name ? " named " : "",
				options->class_name ? options->class_name : "",
				chosen->name, chosen->line,
				list->classes[i].name, list->classes[i].line);
			return NULL;
		}
		chosen = &list->classes[i];
	}
	if (!chosen)
		(void)err_set(err, -EINVAL, "%s has no class named '%s'", path,
			      options->class_name);
	return chosen;
}

static struct layout_settings settings_of(const struct options *options,
					  const struct class *class)
{
	struct layout_settings settings = shown_settings(options);

	if (class->rights.has_owner)
		settings.directory_rights.uid = class->rights.uid;
	if (class->rights.has_group)
		settings.directory_rights.gid = class->rights.gid;
	if (class->ttl_ms)
		settings.ttl_ms = class->ttl_ms;
	if (class->max_stale_ms)
		settings.max_stale_ms = class->max_stale_ms;
	if (class->verify_access_ms)
		settings.verify_ms = class->verify_access_ms;
	return settings;
}

/* On success the layout keeps list, unless that is NULL. */
static int lay_out(const struct reading *reading, const char *path,
		   const struct class *class, struct class_list *list)
{
	cleanup_holding struct holding *holding = NULL;
	struct layout_settings settings;
	struct sources sources = { 0 };
	int r = find_sources(reading, class, path, &sources);

	if (r < 0)
		return r;
	r = hold_class(reading, class, &sources, &holding);
	if (r < 0)
		return r;
	(void)snprintf(reading->shown->label, sizeof(reading->shown->label),
		       "secretsfs:%s", class->name);
	settings = settings_of(reading->options, class);
	holding->classes = list;
	r = shown_lay_out(reading, &holding, &settings);
	if (holding)
		holding->classes = NULL;
	return r;
}

int shown_class(const struct reading *reading, const char *path)
{
	cleanup_class_list struct class_list *list = NULL;
	const struct class *class;
	int r = class_list_read(path, &list, reading->err);

	if (r < 0)
		return r;
	class = choose(list, reading->options, path, reading->err);
	if (!class)
		return -EINVAL;
	r = lay_out(reading, path, class, list);
	if (r == 0)
		(void)TAKE(list);
	return r;
}

int shown_read_class(struct provider *provider, const struct options *options,
		     const char *path, const struct class *class,
		     struct shown *ret, struct err *err)
{
	struct shown shown = { 0 };
	const struct reading reading = { .provider = provider,
					 .options = options,
					 .shown = &shown,
					 .err = err };
	int r = lay_out(&reading, path, class, NULL);

	if (r == 0)
		*ret = shown;
	return r;
}

int shown_read_listed(struct provider *provider, const struct options *options,
		      const struct shown_listed *listed, struct shown *ret,
		      struct err *err)
{
	cleanup_class_list struct class_list *kept =
		class_list_ref(listed->list);
	struct shown shown = { 0 };
	const struct reading reading = { .provider = provider,
					 .options = options,
					 .shown = &shown,
					 .err = err };
	int r = lay_out(&reading, listed->path,
			&listed->list->classes[listed->index], kept);

	if (r < 0)
		return r;
	(void)TAKE(kept);
	*ret = shown;
	return 0;
}
