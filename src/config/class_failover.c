/* SPDX-License-Identifier: Apache-2.0 */
/* Other regions than the first, and what objects are there. */
#include "base/macros.h"
#include "config/class_object.h"
#include "config/class_object_type.h"
#include "config/class_reader.h"
#include "config/source_text.h"
#include "config/ydoc.h"

#include <string.h>

#define REGION_MAX 32

#define BETWEEN ", "

int class_check_region(struct class_reader *reader, const char *name,
		       const char *region, unsigned line)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	if (strlen(region) <= REGION_MAX && !region[strspn(region, allowed)])
		return 0;
	return class_refuse(reader, line, "%s takes an AWS region, not '%s'",
			    name, region);
}

static int add_region(struct class_reader *reader,
		      const struct class_given *given, const char *name,
		      const char *region, struct class *class)
{
	int r = class_check_region(reader, name, region, given->line);

	if (r < 0)
		return r;
	if (class->region && strcmp(class->region, region) == 0)
		return class_refuse(reader, given->line,
				    "%s: failover region cannot be the same as "
				    "the primary region",
				    region);
	for (size_t i = 0; i < class->failover_count; i++)
		if (strcmp(class->failover_regions[i], region) == 0)
			return class_refuse(reader, given->line,
					    "%s: %s stands twice", name,
					    region);
	if (class->failover_count == CLASS_FAILOVER_MAX)
		return class_refuse(reader, given->line,
				    "Max number of region(s) exceeded: %s "
				    "takes at most %d",
				    name, CLASS_FAILOVER_MAX);
	class->failover_regions[class->failover_count++] = region;
	return 0;
}

int class_read_failover_regions(struct class_reader *reader,
				const struct class_given *one,
				const struct class_given *several,
				struct class *class)
{
	const char *at;
	int r = 0;

	if (class_is_given(one) && class_is_given(several))
		return class_refuse(reader, several->line,
				    "failoverRegion and failoverRegions are "
				    "two ways to say the same; give one");
	if (class_is_given(one))
		return add_region(reader, one, "failoverRegion", one->text,
				  class);
	if (!class_is_given(several))
		return 0;
	at = several->text + strspn(several->text, BETWEEN);
	while (*at && r == 0) {
		size_t length = strcspn(at, BETWEEN);
		const char *region = arena_copy(reader->kept, at, length);

		if (!region)
			return class_no_room(reader);
		r = add_region(reader, several, "failoverRegions", region,
			       class);
		at += length;
		at += strspn(at, BETWEEN);
	}
	return r;
}

struct given_failover {
	struct class_given name;
	struct class_given version;
	struct class_given label;
};

#define FAILOVER(name) offsetof(struct given_failover, name)

static const struct class_field failover_list[] = {
	{ "objectName", FIELD_TEXT, FAILOVER(name), NULL },
	{ "objectVersion", FIELD_TEXT, FAILOVER(version), NULL },
	{ "objectVersionLabel", FIELD_TEXT, FAILOVER(label), NULL },
};

static const struct class_fields failover_fields = {
	.what = "failoverObject",
	.any_case = true,
	.list = failover_list,
	.count = ARRAY_SIZE(failover_list),
};

/* An ARN has to be of the next region; a name may be anything that the object's
 * own may be. */
static int check_name(struct class_reader *reader, const struct class *class,
		      const struct class_given *name,
		      const struct class_object *object)
{
	const struct class_given no_type = { 0 };
	const struct class_object_type type = {
		.name = name,
		.type = &no_type,
		.region = class->failover_regions[0],
	};
	struct class_object there = { 0 };
	struct source_text source;
	int r = 0;

	if (strncmp(name->text, "arn:", strlen("arn:")) == 0)
		r = class_object_check_type(reader, &type, &there);
	else
		there.is_parameter = object->is_parameter;
	if (r < 0)
		return r;
	if (there.is_parameter != object->is_parameter)
		return class_refuse(reader, name->line,
				    "objectType does not match ARN: %s",
				    name->text);
	r = object->is_parameter ? source_text_of_parameter(name->text, &source)
				 : source_text_of_secret(name->text, &source);
	if (r == 0)
		return 0;
	return class_refuse(reader, name->line,
			    "failoverObject: objectName '%s' is not the name "
			    "or ARN of a %s",
			    name->text,
			    object->is_parameter ? "parameter" : "secret");
}

/* In the order of the AWS provider. */
static int check(struct class_reader *reader, const struct class *class,
		 const struct class_object_given *given,
		 const struct given_failover *failover,
		 const struct class_object *object)
{
	unsigned line = given->failover.line;

	if (!class_is_given(&given->alias))
		return class_refuse(reader, line,
				    "object alias must be specified for "
				    "objects with failover entries: %s",
				    object->name);
	if (class->failover_count == 0)
		return class_refuse(reader, line,
				    "failover object allowed only when "
				    "failover region is defined: %s",
				    object->name);
	if (class_is_given(&failover->version) &&
	    (!object->version ||
	     strcmp(failover->version.text, object->version) != 0))
		return class_refuse(reader, failover->version.line,
				    "object versions must match between "
				    "primary and failover regions: %s",
				    object->name);
	if (object->is_parameter && object->version &&
	    class_is_given(&failover->label))
		return class_refuse(reader, failover->label.line,
				    "ssm parameters can not specify both "
				    "objectVersion and objectVersionLabel: %s",
				    object->name);
	return check_name(reader, class, &failover->name, object);
}

int class_object_read_failover(struct class_reader *reader,
			       const struct class *class,
			       const struct class_object_given *given,
			       struct class_object *object)
{
	struct given_failover failover = { 0 };
	int r;

	if (!given->failover.node)
		return 0;
	r = class_fields_read(reader, given->failover.node, &failover_fields,
			      &failover);
	/* without a name the AWS provider does not look at it */
	if (r < 0 || !class_is_given(&failover.name))
		return r;
	r = check(reader, class, given, &failover, object);
	if (r < 0)
		return r;
	object->failover_name = failover.name.text;
	object->failover_stage = class_text_or_null(&failover.label);
	return 0;
}
