/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads options as a person writes them on the command line or in fstab. It
 * knows the forms; what there is to read stands in option_table.c.
 */
#include "config/options.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/parse.h"
#include "config/address_text.h"
#include "config/option_table.h"
#include "config/owner_text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LABEL_MAX 64
#define ARGUMENTS_MAX 2 /* SOURCE and MOUNTPOINT */

/* Words of fstab(5) and of mount(8) that say nothing to us: a mount is always
 * read-only, nosuid, nodev, noexec and noatime. */
static const char *const ignored_words[] = {
	"defaults", "rw",      "ro",	   "auto",   "noauto", "nofail",
	"_netdev",  "user",    "users",	   "nouser", "suid",   "nosuid",
	"dev",	    "nodev",   "exec",	   "noexec", "sync",   "async",
	"atime",    "noatime", "relatime",
};

/* A word of "-o", copied so that it can end where the comma was. */
struct copy {
	struct copy *next;
	char text[];
};

/* An option as it was written, for complaints: "--ttl" or "-o ttl". */
struct given {
	const struct option *option;
	char label[LABEL_MAX];
	const char *value; /* or NULL */
};

void options_init(struct options *options)
{
	*options = (struct options){
		.ttl_ms = 300000,
		.max_stale_ms = 86400000,
		.verify_access_ms = 900000,
		.heartbeat_ms = 10000,
		.timeout_ms = 20000,
		.mode = 0400,
		.dir_mode = 0500,
		.log_level = LOG_LEVEL_INFO,
	};
}

void options_done(struct options *options)
{
	while (options->storage) {
		struct copy *copy = options->storage;

		options->storage = copy->next;
		free(copy);
	}
}

static char *keep_copy(struct options *options, const char *text, size_t length)
{
	struct copy *copy = calloc(1, sizeof(*copy) + length + 1);

	if (!copy)
		return NULL;
	memcpy(copy->text, text, length);
	copy->next = options->storage;
	options->storage = copy;
	return copy->text;
}

/* In "-o" words, as fstab has them, '_' stands for '-'. */
static bool is_named(const struct option *option, const char *name,
		     size_t length, bool is_word)
{
	if (strlen(option->name) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] != option->name[i] &&
		    !(is_word && name[i] == '_' && option->name[i] == '-'))
			return false;
	return true;
}

static const struct option *find_name(const char *name, size_t length,
				      bool is_word)
{
	const struct option *option = option_table;

	while (option->name && !is_named(option, name, length, is_word))
		option++;
	return option->name ? option : NULL;
}

static const struct option *find_letter(const char *argument)
{
	const struct option *option = option_table;

	if (argument[2])
		return NULL;
	while (option->name && option->letter != argument[1])
		option++;
	return option->name ? option : NULL;
}

/* Without a group it is that of who mounts. */
static int read_owner(struct options *options, const char *value)
{
	struct owner_text owner;
	int r = owner_text_parse(value, &owner);

	if (r < 0)
		return r;
	options->has_owner = true;
	options->owner_uid = owner.uid;
	options->owner_gid = owner.has_group ? owner.gid : getgid();
	return 0;
}

static int read_duration(const struct option *option, const char *value,
			 int64_t *ret_ms)
{
	int64_t ms;
	int r = parse_duration_ms(value, &ms);

	if (r < 0)
		return r;
	if (ms < option->min_ms || ms > option->max_ms)
		return -ERANGE;
	*ret_ms = ms;
	return 0;
}

static int read_format(struct options *options, const char *value)
{
	if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
		return -EINVAL;
	options->log_json = *value == 'j';
	return 0;
}

static int read_text(const char *value, const char **ret)
{
	*ret = value;
	return *value ? 0 : -EINVAL;
}

static int read_address(const char *value, const char **ret)
{
	struct address_text ignored;
	int r = address_text_parse(value, &ignored);

	if (r == 0)
		*ret = value;
	return r;
}

static void store_flag(struct options *options, const struct option *option)
{
	if (option->kind == OPTION_DEBUG)
		options->log_level = LOG_LEVEL_DEBUG;
	else
		*(bool *)(void *)((char *)options + option->offset) = true;
}

static int store_value(struct options *options, const struct option *option,
		       const char *value)
{
	void *member = (char *)options + option->offset;

	switch (option->kind) {
	case OPTION_TEXT:
		return read_text(value, member);
	case OPTION_ADDRESS:
		return read_address(value, member);
	case OPTION_DURATION:
		return read_duration(option, value, member);
	case OPTION_MODE:
		return parse_octal(value, 0777, member);
	case OPTION_OWNER:
		return read_owner(options, value);
	case OPTION_FORMAT:
		return read_format(options, value);
	case OPTION_LEVEL:
		return log_level_parse(value, &options->log_level);
	case OPTION_FLAG:
	case OPTION_DEBUG:
	case OPTION_LATER:
		break;
	}
	return -EINVAL;
}

static int apply(struct options *options, const struct given *given,
		 struct err *err)
{
	const struct option *option = given->option;

	if (option->kind == OPTION_LATER)
		return err_set(err, -EINVAL, "%s is not supported yet",
			       given->label);
	if (!option->takes && given->value)
		return err_set(err, -EINVAL, "%s takes no value", given->label);
	if (option->takes && !given->value)
		return err_set(err, -EINVAL, "%s takes %s", given->label,
			       option->takes);
	if (!given->value)
		store_flag(options, option);
	else if (store_value(options, option, given->value) < 0)
		return err_set(err, -EINVAL, "%s takes %s, not '%s'",
			       given->label, option->takes, given->value);
	return 0;
}

static bool is_ignored(const char *word)
{
	if (strncmp(word, "x-", 2) == 0 || !*word)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(ignored_words); i++)
		if (strcmp(word, ignored_words[i]) == 0)
			return true;
	return false;
}

static int read_word(struct options *options, const char *word, struct err *err)
{
	size_t length = strcspn(word, "=");
	struct given given = {
		.option = find_name(word, length, true),
		.value = word[length] ? word + length + 1 : NULL,
	};

	if (!given.option && is_ignored(word))
		return 0;
	if (!given.option)
		return err_set(err, -EINVAL, "unknown word '%s' after -o",
			       word);
	(void)snprintf(given.label, sizeof(given.label), "-o %.*s", (int)length,
		       word);
	return apply(options, &given, err);
}

/* As mount(8) has it: commas between quotes are the value's, which for a
 * context of SELinux they may be. */
static size_t word_length(const char *words)
{
	size_t plain = strcspn(words, ",\"");
	const char *end =
		words[plain] == '"' ? strchr(words + plain + 1, '"') : NULL;

	return end ? (size_t)(end - words) + strcspn(end, ",")
		   : strcspn(words, ",");
}

/* Of a value that stands between two. */
static void take_quotes_off(char *word)
{
	char *value = strchr(word, '=');
	size_t length = value ? strlen(value + 1) : 0;

	if (length < 2 || value[1] != '"' || value[length] != '"')
		return;
	memmove(value + 1, value + 2, length - 2);
	value[length - 1] = '\0';
}

static int read_words(struct options *options, const char *words,
		      struct err *err)
{
	while (*words) {
		size_t length = word_length(words);
		char *word = keep_copy(options, words, length);
		int r;

		if (!word)
			return err_set(err, -EINVAL, "no memory");
		take_quotes_off(word);
		r = read_word(options, word, err);
		if (r < 0)
			return r;
		words += length + (words[length] == ',');
	}
	return 0;
}

int options_read_one(struct options *options, char *const *argv,
		     struct err *err)
{
	const char *argument = argv[0];
	bool is_long = strncmp(argument, "--", 2) == 0;
	const char *name = argument + 2;
	size_t length = is_long ? strcspn(name, "=") : 0;
	struct given given = {
		.option = is_long ? find_name(name, length, false)
				  : find_letter(argument),
		.value = is_long && name[length] ? name + length + 1 : NULL,
	};
	int taken = 1;
	int r;

	if (!given.option)
		return err_set(err, -EINVAL, "unknown option '%s'", argument);
	(void)snprintf(given.label, sizeof(given.label), "%.*s",
		       is_long ? (int)length + 2 : 2, argument);
	if (given.option->takes && !given.value) {
		given.value = argv[1];
		taken = 2;
	}
	r = apply(options, &given, err);
	return r < 0 ? r : taken;
}

/* "-o WORDS" or "-oWORDS". */
static int read_o(struct options *options, char *const *argv, struct err *err)
{
	const char *words = argv[0][2] ? argv[0] + 2 : argv[1];
	int r;

	if (!words)
		return err_set(err, -EINVAL,
			       "-o takes options separated by commas");
	r = read_words(options, words, err);
	return r < 0 ? r : 1 + !argv[0][2];
}

static int take_argument(struct options *options, unsigned index,
			 const char *argument, struct err *err)
{
	if (index >= ARGUMENTS_MAX)
		return err_set(err, -EINVAL, "too many arguments: '%s'",
			       argument);
	if (!*argument)
		return err_set(err, -EINVAL, "%s is empty",
			       index == 0 ? "SOURCE" : "MOUNTPOINT");
	if (index == 0)
		options->source = argument;
	else
		options->mount_point = argument;
	return 0;
}

static int check(const struct options *options, struct err *err)
{
	if (options->help || options->version)
		return 0;
	if (!options->source)
		return err_set(err, -EINVAL,
			       "SOURCE and MOUNTPOINT are missing");
	if (!options->mount_point)
		return err_set(err, -EINVAL, "MOUNTPOINT is missing");
	return 0;
}

int options_parse(struct options *options, int argc, char *const *argv,
		  struct err *err)
{
	bool only_arguments = false;
	unsigned arguments = 0;

	for (int i = 1; i < argc;) {
		const char *argument = argv[i];
		int r = 1;

		if (only_arguments || argument[0] != '-' || !argument[1])
			r = take_argument(options, arguments++, argument, err);
		else if (strcmp(argument, "--") == 0)
			only_arguments = true;
		else if (argument[1] == 'o')
			r = read_o(options, argv + i, err);
		else
			r = options_read_one(options, argv + i, err);
		if (r < 0)
			return r;
		i += r > 0 ? r : 1;
	}
	return check(options, err);
}
