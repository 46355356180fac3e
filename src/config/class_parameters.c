/* SPDX-License-Identifier: Apache-2.0 */
/* spec.parameters: the keys of the AWS provider, and ours. */
#include "base/macros.h"
#include "base/parse.h"
#include "config/class_reader.h"
#include "config/ydoc.h"

#include <string.h>
#include <strings.h>

#define SECOND ((int64_t)1000)
#define DAY (86400 * SECOND)

struct given_parameters {
	struct class_given objects;
	struct class_given region;
	struct class_given path_translation;
	struct class_given use_pod_identity;
	struct class_given preferred_address_type;
	struct class_given ttl;
	struct class_given max_stale;
	struct class_given verify_access;
	struct class_given file_permission;
	struct class_given owner;
	struct class_given layout;
	struct class_given proxy_from_env;
	struct class_given failover_region;
	struct class_given failover_regions;
	struct class_role_given role;
};

#define MEMBER(name) offsetof(struct given_parameters, name)

static const struct class_field fields[] = {
	{ "objects", FIELD_TEXT, MEMBER(objects), NULL },
	{ "region", FIELD_TEXT, MEMBER(region), NULL },
	{ "pathTranslation", FIELD_BOOL, MEMBER(path_translation), NULL },
	{ "usePodIdentity", FIELD_BOOL, MEMBER(use_pod_identity), NULL },
	{ "preferredAddressType", FIELD_IDLE, MEMBER(preferred_address_type),
	  "credentials come from where the mount finds them" },
	{ "ttl", FIELD_TEXT, MEMBER(ttl), NULL },
	{ "maxStale", FIELD_TEXT, MEMBER(max_stale), NULL },
	{ "verifyAccess", FIELD_TEXT, MEMBER(verify_access), NULL },
	{ "filePermission", FIELD_TEXT, MEMBER(file_permission), NULL },
	{ "owner", FIELD_TEXT, MEMBER(owner), NULL },
	{ "layout", FIELD_TEXT, MEMBER(layout), NULL },
	{ "proxyFromEnv", FIELD_BOOL, MEMBER(proxy_from_env), NULL },
	{ "failoverRegion", FIELD_TEXT, MEMBER(failover_region), NULL },
	{ "failoverRegions", FIELD_TEXT, MEMBER(failover_regions), NULL },
	{ "assumeRoleArn", FIELD_TEXT, MEMBER(role.arn), NULL },
	{ "assumeRoleExternalId", FIELD_TEXT, MEMBER(role.external_id), NULL },
	{ "assumeRoleDurationSeconds", FIELD_TEXT, MEMBER(role.duration),
	  NULL },
};

/* Ranges and words are those of the command line. */
static const struct {
	const char *name;
	const char *takes;
	int64_t min_ms;
	int64_t max_ms;
} durations[] = {
	{ "ttl", "a duration from 1s to 24h, like 90s, 5m or 1h30m", SECOND,
	  DAY },
	{ "maxStale", "a duration from 1s to 30d, like 1h or 24h", SECOND,
	  30 * DAY },
	{ "verifyAccess", "a duration from 1s to 24h, like 15m", SECOND, DAY },
};

static int read_duration(struct class_reader *reader, const char *name,
			 const struct class_given *given, int64_t *ret_ms)
{
	size_t i = 0;
	int64_t ms;

	if (!class_is_given(given))
		return 0;
	while (strcmp(durations[i].name, name) != 0)
		i++;
	if (parse_duration_ms(given->text, &ms) == 0 &&
	    ms >= durations[i].min_ms && ms <= durations[i].max_ms) {
		*ret_ms = ms;
		return 0;
	}
	return class_refuse(reader, given->line, "%s takes %s, not '%s'", name,
			    durations[i].takes, given->text);
}

static int read_durations(struct class_reader *reader,
			  const struct given_parameters *given,
			  struct class *class)
{
	int r = read_duration(reader, "ttl", &given->ttl, &class->ttl_ms);

	if (r == 0)
		r = read_duration(reader, "maxStale", &given->max_stale,
				  &class->max_stale_ms);
	if (r == 0)
		r = read_duration(reader, "verifyAccess", &given->verify_access,
				  &class->verify_access_ms);
	if (r == 0 && class->max_stale_ms > 0 &&
	    class->max_stale_ms < class->ttl_ms)
		r = class_refuse(reader, given->max_stale.line,
				 "maxStale %s is less than ttl %s",
				 given->max_stale.text, given->ttl.text);
	return r;
}

/* As Go's strconv.ParseBool(), which reads it there. */
static bool parse_go_bool(const char *text, bool *ret)
{
	static const char *const words[] = {
		"1", "t", "T", "TRUE",	"true",	 "True",
		"0", "f", "F", "FALSE", "false", "False"
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = i < ARRAY_SIZE(words) / 2;
			return true;
		}
	return false;
}

static int check_pod_identity(struct class_reader *reader,
			      const struct class_given *given)
{
	bool is_used = false;

	if (class_is_given(given) && !parse_go_bool(given->text, &is_used))
		return class_refuse(reader, given->line,
				    "failed to parse usePodIdentity value, "
				    "error: '%s' is not true or false",
				    given->text);
	if (is_used)
		class_warn(reader, given->line,
			   "usePodIdentity does nothing here: credentials come "
			   "from where the mount finds them");
	return 0;
}

static int read_translation(struct class_reader *reader,
			    const struct class_given *given, char *ret)
{
	*ret = '_';
	if (!class_is_given(given))
		return 0;
	*ret = '\0';
	if (strcasecmp(given->text, "false") == 0)
		return 0;
	*ret = given->text[0];
	if (strlen(given->text) == 1)
		return 0;
	return class_refuse(reader, given->line,
			    "pathTranslation must be either 'False' or a "
			    "single character string");
}

static int read_layout(struct class_reader *reader,
		       const struct class_given *given, enum class_layout *ret)
{
	if (!class_is_given(given) || strcmp(given->text, "flat") == 0)
		return 0;
	*ret = CLASS_TREE;
	if (strcmp(given->text, "tree") == 0)
		return 0;
	return class_refuse(reader, given->line,
			    "layout takes flat or tree, not '%s'", given->text);
}

static int read_region(struct class_reader *reader,
		       const struct class_given *given, const char **ret)
{
	if (!class_is_given(given))
		return 0;
	*ret = given->text;
	return class_check_region(reader, "region", given->text, given->line);
}

int class_parameters_read(struct class_reader *reader,
			  const struct ydoc_node *map, struct class *class,
			  struct class_parameters *ret)
{
	static const struct class_fields table = {
		.what = "parameters",
		.list = fields,
		.count = ARRAY_SIZE(fields),
	};
	struct given_parameters given = { 0 };
	int r = class_fields_read(reader, map, &table, &given);

	if (r == 0)
		r = read_region(reader, &given.region, &class->region);
	if (r == 0)
		r = class_read_failover_regions(reader, &given.failover_region,
						&given.failover_regions, class);
	if (r == 0)
		r = class_read_bool(reader, "proxyFromEnv",
				    &given.proxy_from_env,
				    &class->proxy_from_env);
	if (r == 0)
		r = class_read_role(reader, &given.role, class);
	if (r == 0)
		r = check_pod_identity(reader, &given.use_pod_identity);
	if (r == 0)
		r = read_translation(reader, &given.path_translation,
				     &ret->translation);
	if (r == 0)
		r = read_durations(reader, &given, class);
	if (r == 0)
		r = class_read_rights(reader, &given.file_permission,
				      &given.owner, &class->rights);
	if (r == 0)
		r = read_layout(reader, &given.layout, &class->layout);
	if (r == 0)
		ret->objects = given.objects;
	return r;
}
