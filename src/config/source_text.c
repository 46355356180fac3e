/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong sources are refused here, by name, before anything is started. */
#include "config/source_text.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECRET_MARK ":secret:"
#define PARAMETER_MARK ":parameter/"

/* "-" and six characters at the end of a complete ARN. */
#define ARN_SUFFIX_LENGTH 7

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text);

	return length >= strlen(suffix) &&
	       strcmp(text + length - strlen(suffix), suffix) == 0;
}

static bool is_class_file(const char *text)
{
	return has_suffix(text, ".yaml") || has_suffix(text, ".yml") ||
	       text[0] == '/' || has_prefix(text, "./") ||
	       has_prefix(text, "../");
}

/* Characters of names and ARNs (Secrets Manager, CreateSecret: Name; the colon
 * stands in ARNs only). The exclamation mark is in names that services of AWS
 * give, as in "rds!db-1". */
static bool has_only_name_characters(const char *text, bool is_arn)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789/_+=.@-!:";

	return text[strspn(text, allowed)] == '\0' &&
	       (is_arn || !strchr(text, ':'));
}

static int check_secret(const struct source_text *source, struct err *err)
{
	if (!*source->text || has_suffix(source->text, "/"))
		return err_set(err, -EINVAL,
			       "SOURCE '%s': prefixes of Secrets Manager are "
			       "not supported yet; name one secret",
			       source->text);
	if (source->is_arn && !strstr(source->text, SECRET_MARK))
		return err_set(err, -EINVAL,
			       "SOURCE '%s' is not the ARN of a secret",
			       source->text);
	if (strlen(source->text) > SOURCE_NAME_MAX)
		return err_set(err, -EINVAL,
			       "SOURCE is longer than the %d characters that "
			       "a secret's name may have",
			       SOURCE_NAME_MAX);
	if (!has_only_name_characters(source->text, source->is_arn))
		return err_set(
			err, -EINVAL,
			"SOURCE '%s' cannot be a secret's name: letters, "
			"digits and /_+=.@-! may be in one",
			source->text);
	return 0;
}

static bool is_parameter_arn(const char *text)
{
	return has_prefix(text, "arn:") && strstr(text, ":ssm:");
}

static int parse_parameter(const char *text, struct source_text *ret,
			   struct err *err)
{
	const char *name = text;

	if (has_prefix(name, "ssm:"))
		name += strlen("ssm:");
	if (!*name || has_suffix(name, "/"))
		return err_set(err, -EINVAL,
			       "SOURCE '%s': prefixes of SSM are not "
			       "supported yet; name one parameter",
			       text);
	if (source_text_of_parameter(name, ret) < 0)
		return err_set(err, -EINVAL,
			       "SOURCE '%s' is not the name or ARN of a "
			       "parameter: letters, digits and /_.- may be in "
			       "one, up to %d",
			       text, SOURCE_PARAMETER_MAX);
	return 0;
}

int source_text_parse(const char *text, struct source_text *ret,
		      struct err *err)
{
	struct source_text source = { .kind = SOURCE_SECRET, .text = text };
	int r;

	if (!*text)
		return err_set(err, -EINVAL, "SOURCE is empty");
	if (has_prefix(text, "ssm:") || is_parameter_arn(text))
		return parse_parameter(text, ret, err);
	if (has_prefix(text, "file:")) {
		source.kind = SOURCE_FILE;
		source.text = text + strlen("file:");
		if (!*source.text)
			return err_set(err, -EINVAL,
				       "SOURCE 'file:' takes a path");
		*ret = source;
		return 0;
	}
	if (is_class_file(text)) {
		source.kind = SOURCE_CLASS;
		*ret = source;
		return 0;
	}
	if (has_prefix(text, "secretsmanager:"))
		source.text = text + strlen("secretsmanager:");
	source.is_arn = has_prefix(source.text, "arn:");
	if (source.text == text && !source.is_arn && strchr(text, ':'))
		return err_set(
			err, -EINVAL,
			"SOURCE '%s': a source is NAME, an ARN, "
			"secretsmanager:NAME, ssm:NAME, file:PATH or the path "
			"of a class file or of a directory of them",
			text);
	r = check_secret(&source, err);
	if (r == 0)
		*ret = source;
	return r;
}

int source_text_of_secret(const char *text, struct source_text *ret)
{
	bool is_arn = has_prefix(text, "arn:");

	if (!*text || strlen(text) > SOURCE_NAME_MAX ||
	    (is_arn && !strstr(text, SECRET_MARK)) ||
	    !has_only_name_characters(text, is_arn))
		return -EINVAL;
	*ret = (struct source_text){
		.kind = SOURCE_SECRET,
		.text = text,
		.is_arn = is_arn,
	};
	return 0;
}

int source_text_of_parameter(const char *text, struct source_text *ret)
{
	bool is_arn = has_prefix(text, "arn:");
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789/_.-:";

	if (!*text || strlen(text) > SOURCE_PARAMETER_MAX ||
	    text[strspn(text, allowed)] || (!is_arn && strchr(text, ':')) ||
	    (is_arn && !strstr(text, PARAMETER_MARK)))
		return -EINVAL;
	*ret = (struct source_text){
		.kind = SOURCE_PARAMETER,
		.text = text,
		.is_arn = is_arn,
	};
	return 0;
}

static const char *own_name(const struct source_text *source)
{
	bool is_parameter = source->kind == SOURCE_PARAMETER;
	const char *mark = is_parameter ? PARAMETER_MARK : SECRET_MARK;
	const char *name = source->text;

	if (source->is_arn)
		name = strstr(name, mark) + strlen(mark);
	return is_parameter ? name + strspn(name, "/") : name;
}

void source_text_secret_name(const struct source_text *source, char *name)
{
	size_t length;

	(void)snprintf(name, SOURCE_OWN_NAME_SIZE, "%s", own_name(source));
	length = strlen(name);
	if (source->kind == SOURCE_SECRET && source->is_arn &&
	    length > ARN_SUFFIX_LENGTH &&
	    name[length - ARN_SUFFIX_LENGTH] == '-')
		name[length - ARN_SUFFIX_LENGTH] = '\0';
}
