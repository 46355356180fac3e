/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry of `objects`: what it says, and whether that makes sense by itself.
 */
#include "config/class_object.h"
#include "base/macros.h"
#include "config/class_names.h"
#include "config/class_object_type.h"
#include "config/source_text.h"
#include "config/ydoc.h"
#include "config/ydoc_scalar.h"

#include <string.h>

#define OBJECT(name) offsetof(struct class_object_given, name)

static const struct class_field object_list[] = {
	{ "objectName", FIELD_TEXT, OBJECT(name), NULL },
	{ "objectType", FIELD_TEXT, OBJECT(type), NULL },
	{ "objectAlias", FIELD_TEXT, OBJECT(alias), NULL },
	{ "objectVersion", FIELD_TEXT, OBJECT(version), NULL },
	{ "objectVersionLabel", FIELD_TEXT, OBJECT(label), NULL },
	{ "filePermission", FIELD_TEXT, OBJECT(permission), NULL },
	{ "jmesPath", FIELD_LIST, OBJECT(jmes_path), NULL },
	{ "optional", FIELD_BOOL, OBJECT(optional), NULL },
	{ "raw", FIELD_BOOL, OBJECT(raw), NULL },
	{ "decode", FIELD_TEXT, OBJECT(decode), NULL },
	{ "owner", FIELD_TEXT, OBJECT(owner), NULL },
	{ "failoverObject", FIELD_MAP, OBJECT(failover), NULL },
	{ "template", FIELD_LATER, OBJECT(later), NULL },
	{ "objectTags", FIELD_LATER, OBJECT(later), NULL },
};

static const struct class_fields object_fields = {
	.what = "object",
	.any_case = true,
	.list = object_list,
	.count = ARRAY_SIZE(object_list),
};

/* The entry that is read. */
struct reading {
	struct class_reader *reader;
	const struct class *class;
	char translation;
	const struct class_object_given *given;
	struct class_object *object;
};

static int refuse_name(const struct reading *reading, bool is_too_long)
{
	const struct class_object *object = reading->object;
	bool is_parameter = object->is_parameter;

	if (is_too_long)
		return class_refuse(
			reading->reader, object->line,
			"objectName is longer than the %d characters that a "
			"%s's name may have",
			is_parameter ? SOURCE_PARAMETER_MAX : SOURCE_NAME_MAX,
			is_parameter ? "parameter" : "secret");
	return class_refuse(reading->reader, object->line,
			    "objectName '%s' is not the name or ARN of a %s: "
			    "letters, digits and %s may be in one",
			    object->name, is_parameter ? "parameter" : "secret",
			    is_parameter ? "/_.-" : "/_+=.@-");
}

static int read_name(struct reading *reading)
{
	struct class_reader *reader = reading->reader;
	struct class_object *object = reading->object;
	struct source_text source;
	char name[SOURCE_OWN_NAME_SIZE];
	int r;

	if (strlen(object->name) >
	    (object->is_parameter ? SOURCE_PARAMETER_MAX : SOURCE_NAME_MAX))
		return refuse_name(reading, true);
	r = object->is_parameter
		    ? source_text_of_parameter(object->name, &source)
		    : source_text_of_secret(object->name, &source);
	if (r < 0)
		return refuse_name(reading, false);
	source_text_secret_name(&source, name);
	object->secret_name = arena_copy(reader->kept, name, strlen(name));
	return object->secret_name ? 0 : class_no_room(reader);
}

/* A parameter has one selector. */
static int check_versions(struct reading *reading)
{
	const struct class_object_given *given = reading->given;

	if (!reading->object->is_parameter ||
	    !class_is_given(&given->version) || !class_is_given(&given->label))
		return 0;
	return class_refuse(reading->reader, given->label.line,
			    "ssm parameters can not specify both objectVersion "
			    "and objectVersionLabel: %s",
			    given->name.text);
}

/* A climbing name is refused where the provider does: also when no file has
 * it. */
static int check_climbing(struct reading *reading)
{
	const struct class_object_given *given = reading->given;
	const char *alias = class_text_or_null(&given->alias);
	char translation = reading->translation;

	return class_name_climbs(alias ? alias : given->name.text, translation)
		       ? class_refuse(reading->reader, given->name.line,
				      "path can not contain ../: %s",
				      given->name.text)
		       : 0;
}

static int read_options(struct reading *reading)
{
	struct class_reader *reader = reading->reader;
	const struct class_object_given *given = reading->given;
	struct class_object *object = reading->object;
	bool shows_raw = true;
	int r = class_read_bool(reader, "optional", &given->optional,
				&object->optional);

	if (r == 0)
		r = class_read_bool(reader, "raw", &given->raw, &shows_raw);
	if (r == 0)
		r = class_read_decode(reader, &given->decode,
				      &object->decode_base64);
	if (r < 0)
		return r;
	object->version = class_text_or_null(&given->version);
	object->stage = class_text_or_null(&given->label);
	object->expands = !given->jmes_path.node;
	if (!shows_raw && !object->expands && given->jmes_path.node->count == 0)
		return class_refuse(reader, given->raw.line,
				    "raw: false and an empty jmesPath leave "
				    "nothing to show of %s",
				    object->name);
	return 0;
}

static int check(struct reading *reading)
{
	struct class_reader *reader = reading->reader;
	const struct class_object_given *given = reading->given;
	struct class_object *object = reading->object;
	const struct class_object_type type = {
		.name = &given->name,
		.type = &given->type,
		.region = reading->class->region,
	};
	int r;

	if (!class_is_given(&given->name))
		return class_refuse(reader, object->line,
				    "Object name must be specified");
	object->name = given->name.text;
	r = class_object_check_type(reader, &type, object);
	if (r == 0)
		r = check_versions(reading);
	if (r == 0)
		r = check_climbing(reading);
	if (r == 0)
		r = class_read_rights(reader, &given->permission, &given->owner,
				      &object->rights);
	return r < 0 ? r : read_name(reading);
}

bool class_object_shows_raw(const struct class_object_given *given)
{
	bool shows_raw = true;

	/* It has been read before. */
	if (class_is_given(&given->raw))
		(void)ydoc_bool_parse(given->raw.text, &shows_raw);
	return shows_raw;
}

int class_object_read(struct class_reader *reader, const struct class *class,
		      char translation, const struct ydoc_node *node,
		      struct class_object_given *given,
		      struct class_object *object)
{
	struct reading reading = {
		.reader = reader,
		.class = class,
		.translation = translation,
		.given = given,
		.object = object,
	};
	int r;

	if (ydoc_is_null(node))
		return class_refuse(reader, node->line,
				    "Empty descriptor entry in "
				    "SecretProviderClass");
	if (node->kind != YDOC_MAP)
		return class_refuse_kind(reader, node, "objects", "a map");
	object->line = node->line;
	object->rights = class->rights;
	r = class_fields_read(reader, node, &object_fields, given);
	if (r == 0)
		r = check(&reading);
	return r < 0 ? r : read_options(&reading);
}
