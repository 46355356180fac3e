/* SPDX-License-Identifier: Apache-2.0 */
/* ARNs and types of objects, checked in the AWS provider's order. */
#include "config/class_object_type.h"
#include "base/macros.h"
#include "config/class_reader.h"

#include <string.h>

#define ARN_FIELDS 6

/* A part of an ARN: not terminated. */
struct part {
	const char *text;
	size_t length;
};

/* arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE */
struct arn {
	struct part service;
	struct part region;
};

static bool is_part(const struct part *part, const char *text)
{
	return strlen(text) == part->length &&
	       memcmp(part->text, text, part->length) == 0;
}

/* As Go's arn.Parse(): six fields, each of which may be empty. */
static bool parse_arn(const char *text, struct arn *ret)
{
	struct part parts[ARN_FIELDS];
	size_t count = 0;

	for (; count < ARN_FIELDS - 1; count++) {
		const char *colon = strchr(text, ':');

		if (!colon)
			return false;
		parts[count] = (struct part){ text, (size_t)(colon - text) };
		text = colon + 1;
	}
	*ret = (struct arn){ .service = parts[2], .region = parts[3] };
	return true;
}

/* What the provider calls the type of a service; NULL: none of its own. */
static const char *type_of_service(const struct part *service)
{
	if (is_part(service, "secretsmanager"))
		return "secretsmanager";
	if (is_part(service, "ssm") || is_part(service, "ssmparameter"))
		return "ssmparameter";
	return NULL;
}

static int check_arn(struct class_reader *reader,
		     const struct class_object_type *type, struct arn *ret,
		     const char **ret_region)
{
	const char *name = type->name->text;
	unsigned line = type->name->line;

	if (!parse_arn(name, ret))
		return class_refuse(reader, line,
				    "Invalid ARN format in object name: %s",
				    name);
	if (type->region && !is_part(&ret->region, type->region))
		return class_refuse(reader, line,
				    "ARN region must match region %s: %s",
				    type->region, name);
	*ret_region =
		arena_copy(reader->kept, ret->region.text, ret->region.length);
	return *ret_region ? 0 : class_no_room(reader);
}

/* An object that gives a type. */
static int check_given_type(struct class_reader *reader,
			    const struct class_object_type *type,
			    const struct arn *arn, bool *ret_is_parameter)
{
	const char *given = type->type->text;
	const char *of_arn = arn ? type_of_service(&arn->service) : given;

	if (strcmp(given, "secretsmanager") != 0 &&
	    strcmp(given, "ssmparameter") != 0)
		return class_refuse(reader, type->type->line,
				    "Invalid objectType: %s", given);
	if (!of_arn || strcmp(given, of_arn) != 0)
		return class_refuse(reader, type->type->line,
				    "objectType does not match ARN: %s",
				    type->name->text);
	*ret_is_parameter = strcmp(given, "ssmparameter") == 0;
	return 0;
}

static int check_service(struct class_reader *reader,
			 const struct class_object_type *type,
			 const struct arn *arn, bool *ret_is_parameter)
{
	const char *of_arn = type_of_service(&arn->service);

	if (!of_arn)
		return class_refuse(reader, type->name->line,
				    "Invalid service in ARN: %.*s",
				    (int)arn->service.length,
				    arn->service.text);
	*ret_is_parameter = strcmp(of_arn, "ssmparameter") == 0;
	return 0;
}

int class_object_check_type(struct class_reader *reader,
			    const struct class_object_type *type,
			    struct class_object *object)
{
	bool *ret_is_parameter = &object->is_parameter;
	bool is_arn = strncmp(type->name->text, "arn:", strlen("arn:")) == 0;
	struct arn arn = { 0 };
	int r = 0;

	if (is_arn)
		r = check_arn(reader, type, &arn, &object->arn_region);
	if (r < 0)
		return r;
	if (class_is_given(type->type))
		return check_given_type(reader, type, is_arn ? &arn : NULL,
					ret_is_parameter);
	if (!is_arn)
		return class_refuse(reader, type->name->line,
				    "Must use objectType when a full ARN is "
				    "not specified: %s",
				    type->name->text);
	return check_service(reader, type, &arn, ret_is_parameter);
}
