/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A class and a single secret become the same thing: a layout of objects. What
 * a layout points into is kept in one holding, which goes with it.
 */
#include "shown.h"
#include "base/err.h"
#include "base/macros.h"
#include "config/class.h"
#include "config/options.h"
#include "fs/layout.h"
#include "provider.h"
#include "shown_private.h"
#include "store/cache.h"
#include "store/source.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JSON_SUFFIX ".json"

static void free_holding(void *owner)
{
	struct holding *holding = owner;

	class_list_free(holding->classes);
	free(holding->objects);
	free(holding->files);
	free(holding);
}

void holding_free(struct holding **holding)
{
	if (*holding)
		free_holding(*holding);
}

struct holding *holding_new(size_t object_count, size_t file_count)
{
	struct holding *holding = calloc(1, sizeof(*holding));

	if (!holding)
		return NULL;
	holding->object_count = object_count;
	holding->objects = calloc(object_count + 1, sizeof(*holding->objects));
	holding->files = calloc(file_count + 1, sizeof(*holding->files));
	if (!holding->objects || !holding->files) {
		free_holding(holding);
		return NULL;
	}
	return holding;
}

struct rights shown_file_rights(const struct options *options)
{
	return (struct rights){ .uid = options->owner_uid,
				.gid = options->owner_gid,
				.mode = options->mode };
}

struct rights shown_directory_rights(const struct options *options)
{
	struct rights rights = shown_file_rights(options);

	rights.mode = options->dir_mode;
	return rights;
}

struct layout_settings shown_settings(const struct options *options)
{
	return (struct layout_settings){
		.directory_rights = shown_directory_rights(options),
		.ttl_ms = options->ttl_ms,
		.max_stale_ms = options->max_stale_ms,
		.verify_ms = options->verify_access_ms,
		.timeout_ms = options->timeout_ms,
	};
}

int shown_lay_out(const struct reading *reading, struct holding **holding,
		  const struct layout_settings *about)
{
	struct layout_settings settings = *about;
	int r;

	settings.objects = (*holding)->objects;
	settings.object_count = (*holding)->object_count;
	settings.free_owner = free_holding;
	settings.owner = *holding;
	r = layout_new(&settings, &reading->shown->layout, reading->err);

	if (r == 0)
		*holding = NULL;
	return r;
}

/* One secret, flat: a file with its whole value and one for each key. */
static int show_secret(const struct reading *reading, struct source *source,
		       const char *name, const char *file_name)
{
	cleanup_holding struct holding *holding = holding_new(1, 1);
	const struct options *options = reading->options;
	const struct rights rights = shown_file_rights(options);
	const struct layout_settings settings = shown_settings(options);

	if (!holding)
		return err_set(reading->err, -ENOMEM, "no memory");
	(void)snprintf(holding->name, sizeof(holding->name), "%s", name);
	if (name_from_secret(file_name, holding->file) < 0)
		return err_set(reading->err, -EINVAL,
			       "'%s' makes no file name; name it in a class",
			       file_name);
	holding->files[0] = (struct layout_file){
		.name = holding->file,
		.view = { .key = VIEW_WHOLE },
		.rights = rights,
	};
	holding->objects[0] = (struct layout_object){
		.source = source,
		.name = holding->name,
		.files = holding->files,
		.file_count = 1,
		.expands = true,
		.folder = "",
		.rights = rights,
	};
	return shown_lay_out(reading, &holding, &settings);
}

/* The secret NAME is NAME.json where there is one: the file that was asked for
 * would never be looked at. */
static int check_sibling(const char *path, struct err *err)
{
	char sibling[PATH_MAX];
	int length = snprintf(sibling, sizeof(sibling), "%s" JSON_SUFFIX, path);

	if (length < (int)sizeof(sibling) && access(sibling, F_OK) == 0)
		return err_set(err, -EINVAL,
			       "'%s' would be shown instead of '%s', which it "
			       "stands beside",
			       sibling, path);
	return 0;
}

/* Splits PATH/NAME.json into a directory to open and a secret in it. */
static int show_file(const struct reading *reading, char *path)
{
	char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);
	char name[SOURCE_NAME_MAX + 1];
	struct source *source;
	int r;

	if (length > strlen(JSON_SUFFIX) &&
	    strcmp(base + length - strlen(JSON_SUFFIX), JSON_SUFFIX) == 0)
		length -= strlen(JSON_SUFFIX);
	else if (check_sibling(path, reading->err) < 0)
		return -EINVAL;
	if (length == 0 || length > SOURCE_NAME_MAX || *base == '.')
		return err_set(reading->err, -EINVAL,
			       "'%s' is no name of a secret", path);
	(void)snprintf(name, sizeof(name), "%.*s", (int)length, base);
	if (slash)
		slash[slash == path] = '\0';
	r = provider_files(reading->provider, slash ? path : ".", &source,
			   reading->err);
	return r == 0 ? show_secret(reading, source, name, name) : r;
}

static int show_directory(const struct reading *reading, const char *path)
{
	const struct options *options = reading->options;

	reading->shown->prefix = (struct tree_prefix){
		.name = "",
		.ttl_ms = options->ttl_ms,
		.max_stale_ms = options->max_stale_ms,
		.verify_ms = options->verify_access_ms,
		.timeout_ms = options->timeout_ms,
		.rights = shown_file_rights(options),
		.directory_rights = shown_directory_rights(options),
	};
	return provider_files(reading->provider, path,
			      &reading->shown->prefix.source, reading->err);
}

static int show_path(const struct reading *reading, const char *text)
{
	char path[PATH_MAX];
	struct stat about;

	if (snprintf(path, sizeof(path), "%s", text) >= (int)sizeof(path))
		return err_set(reading->err, -ENAMETOOLONG,
			       "the path of SOURCE is too long");
	if (stat(path, &about) < 0)
		return err_set(reading->err, -errno, "cannot read '%s': %s",
			       path, strerrordesc_np(errno));
	return S_ISDIR(about.st_mode) ? show_directory(reading, path)
				      : show_file(reading, path);
}

static int show_named(const struct reading *reading,
		      const struct source_text *text)
{
	const struct options *options = reading->options;
	const struct provider_want want = {
		.is_parameter = text->kind == SOURCE_PARAMETER,
		.name = text->text,
	};
	char name[SOURCE_OWN_NAME_SIZE];
	struct source *source;
	const char *region;
	int r;

	source_text_secret_name(text, name);
	if (options->offline) {
		r = provider_files(reading->provider, options->offline, &source,
				   reading->err);
		return r == 0 ? show_secret(reading, source, name, name) : r;
	}
	r = provider_aws(reading->provider, &want, &source, &region,
			 reading->err);
	return r == 0 ? show_secret(reading, source, text->text, name) : r;
}

int shown_read(struct provider *provider, const struct options *options,
	       struct shown *ret, struct err *err)
{
	struct shown shown = { 0 };
	const struct reading reading = { .provider = provider,
					 .options = options,
					 .shown = &shown,
					 .err = err };
	struct source_text source;
	int r = source_text_parse(options->source, &source, err);

	if (r < 0)
		return r;
	(void)snprintf(shown.label, sizeof(shown.label), "secretsfs:%s",
		       source.text);
	if (source.kind == SOURCE_CLASS)
		r = shown_class(&reading, source.text);
	else if (source.kind == SOURCE_FILE)
		r = show_path(&reading, source.text);
	else
		r = show_named(&reading, &source);
	if (r == 0)
		*ret = shown;
	return r;
}

void shown_done(struct shown *shown)
{
	layout_unref(shown->layout);
	shown->layout = NULL;
}

struct cache_want shown_want(const struct shown *shown)
{
	const struct tree_prefix *prefix = &shown->prefix;
	const struct layout_settings *settings;

	if (!shown->layout)
		return (struct cache_want){
			.source = prefix->source,
			.ttl_ms = prefix->ttl_ms,
			.max_stale_ms = prefix->max_stale_ms,
			.verify_ms = prefix->verify_ms,
			.timeout_ms = prefix->timeout_ms,
		};
	settings = layout_settings(shown->layout);
	return (struct cache_want){
		.ttl_ms = settings->ttl_ms,
		.max_stale_ms = settings->max_stale_ms,
		.verify_ms = settings->verify_ms,
		.timeout_ms = settings->timeout_ms,
	};
}

const char *shown_region(const struct cache_want *want)
{
	const struct source_want there = {
		.name = want->name,
		.version = want->version,
		.stage = want->stage,
	};

	if (!want->source || !want->source->operations->where)
		return NULL;
	return want->source->operations->where(want->source, &there);
}
