/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line decides by its first byte what it is: a section, a property, more of
 * the last property, or nothing. What stands in a section that is none is read
 * by the same rules, and let go.
 */
#include "aws/profiles.h"
#include "aws/profiles_private.h"
#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

struct piece {
	const char *text;
	size_t length;
};

enum place {
	BEFORE_SECTIONS,
	IN_SECTION,
	IN_PROPERTY,
	IN_PARENT, /* a property without a value, whose lines are properties */
};

struct reader {
	struct profiles *profiles;
	enum profile_file file;
	const char *path;
	unsigned line;
	struct err *err;

	enum place place;
	bool is_section_kept;
	bool is_property_kept;

	/* of this file: which default there is */
	bool has_prefixed_default;
	size_t first_section;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct piece trim(struct piece piece)
{
	while (piece.length > 0 && is_blank(piece.text[0])) {
		piece.text++;
		piece.length--;
	}
	while (piece.length > 0 && is_blank(piece.text[piece.length - 1]))
		piece.length--;
	return piece;
}

static int refuse(const struct reader *reader, const char *why)
{
	return err_set(reader->err, -EINVAL, "%s:%u: %s", reader->path,
		       reader->line, why);
}

static int settle(const struct reader *reader, int r)
{
	if (r == -EFBIG)
		return refuse(reader, "more than is read of such files");
	return r < 0 ? err_set(reader->err, r, "no memory for profiles") : 0;
}

static bool is_name(struct piece name, const char *others)
{
	for (size_t i = 0; i < name.length; i++)
		if (!isalnum((unsigned char)name.text[i]) &&
		    (name.text[i] == '\0' || !strchr(others, name.text[i])))
			return false;
	return name.length > 0;
}

/* Takes "WORD" and the blanks behind it off; they are what makes it a prefix.
 */
static bool take_prefix(struct piece *inner, const char *word)
{
	size_t length = strlen(word);

	if (inner->length <= length || memcmp(inner->text, word, length) != 0 ||
	    !is_blank(inner->text[length]))
		return false;
	inner->text += length;
	inner->length -= length;
	*inner = trim(*inner);
	return true;
}

static enum profile_section take_kind(struct piece *inner, bool *ret_prefixed)
{
	*ret_prefixed = true;
	if (take_prefix(inner, "profile"))
		return PROFILE_SECTION_PROFILE;
	if (take_prefix(inner, "sso-session"))
		return PROFILE_SECTION_SSO_SESSION;
	if (take_prefix(inner, "services"))
		return PROFILE_SECTION_SERVICES;
	*ret_prefixed = false;
	return PROFILE_SECTION_PROFILE;
}

static bool is_default(struct piece name)
{
	return name.length == strlen("default") &&
	       memcmp(name.text, "default", name.length) == 0;
}

/* What is between the brackets, or why it is no section. */
static int take_brackets(const struct reader *reader, struct piece line,
			 struct piece *ret)
{
	size_t length = 0;

	while (length < line.length && line.text[length] != '#' &&
	       line.text[length] != ';')
		length++;
	line.length = length;
	line = trim(line);
	if (line.length < 2 || line.text[line.length - 1] != ']')
		return refuse(reader, "a profile definition must end with ']'");
	line.text++;
	line.length -= 2;
	*ret = trim(line);
	return 0;
}

/* [default] of the config file, once there is a [profile default] in it. */
static void hide_plain_defaults(struct reader *reader)
{
	struct profiles *profiles = reader->profiles;

	for (size_t i = reader->first_section; i < profiles->section_count;
	     i++) {
		struct profiles_section *one = &profiles->sections[i];

		if (one->kind == PROFILE_SECTION_PROFILE &&
		    strcmp(buf_text(&profiles->text) + one->name_at,
			   "default") == 0)
			one->is_hidden = true;
	}
}

static bool is_kept(struct reader *reader, struct piece name,
		    enum profile_section kind, bool is_prefixed)
{
	if (!is_name(name, "_-/.%@:+"))
		return false;
	if (reader->file == PROFILE_FILE_CREDENTIALS)
		return !is_prefixed;
	if (!is_prefixed)
		return is_default(name) && !reader->has_prefixed_default;
	if (kind == PROFILE_SECTION_PROFILE && is_default(name) &&
	    !reader->has_prefixed_default) {
		hide_plain_defaults(reader);
		reader->has_prefixed_default = true;
	}
	return true;
}

static int read_section(struct reader *reader, struct piece line)
{
	enum profile_section kind;
	struct piece name = { "", 0 };
	bool is_prefixed;
	int r = take_brackets(reader, line, &name);

	if (r < 0)
		return r;
	kind = take_kind(&name, &is_prefixed);
	reader->place = IN_SECTION;
	reader->is_section_kept = is_kept(reader, name, kind, is_prefixed);
	if (!reader->is_section_kept)
		return 0;
	return settle(reader, profiles_add_section(reader->profiles, kind,
						   name.text, name.length));
}

/* A comment in a property's line begins behind a blank. */
static struct piece without_comment(struct piece line)
{
	for (size_t i = 1; i < line.length; i++) {
		if ((line.text[i] != '#' && line.text[i] != ';') ||
		    !is_blank(line.text[i - 1]))
			continue;
		line.length = i;
		break;
	}
	return trim(line);
}

/* Splits at the first '='. false: there is none. */
static bool split(struct piece line, struct piece *ret_key,
		  struct piece *ret_value)
{
	const char *equals = memchr(line.text, '=', line.length);

	if (!equals)
		return false;
	*ret_key =
		trim((struct piece){ line.text, (size_t)(equals - line.text) });
	*ret_value = trim((struct piece){
		equals + 1, line.length - (size_t)(equals + 1 - line.text) });
	return true;
}

static int read_property(struct reader *reader, struct piece line)
{
	struct piece key;
	struct piece value;

	if (reader->place == BEFORE_SECTIONS)
		return refuse(reader, "expected a profile definition");
	if (!split(without_comment(line), &key, &value))
		return refuse(reader,
			      "expected an '=' sign defining a property");
	if (key.length == 0)
		return refuse(reader, "property did not have a name");
	reader->place = value.length == 0 ? IN_PARENT : IN_PROPERTY;
	reader->is_property_kept =
		reader->is_section_kept && is_name(key, "_-/.%@:+");
	if (!reader->is_property_kept)
		return 0;
	return settle(reader, profiles_add_property(reader->profiles, key.text,
						    key.length, value.text,
						    value.length));
}

static int check_sub_property(const struct reader *reader, struct piece line)
{
	struct piece key;
	struct piece value;

	if (!split(line, &key, &value))
		return refuse(reader,
			      "expected an '=' sign defining a sub-property");
	if (key.length == 0)
		return refuse(reader, "sub-property did not have a name");
	return 0;
}

static int read_continuation(struct reader *reader, struct piece line)
{
	int r = 0;

	if (reader->place == BEFORE_SECTIONS)
		return refuse(reader, "expected a profile definition, found "
				      "continuation");
	if (reader->place == IN_SECTION)
		return refuse(reader, "expected a property definition, found "
				      "continuation");
	line = trim(line);
	if (reader->place == IN_PARENT)
		r = check_sub_property(reader, line);
	if (r < 0 || !reader->is_property_kept)
		return r;
	return settle(reader, profiles_extend_value(reader->profiles, line.text,
						    line.length));
}

static int read_line(struct reader *reader, struct piece line)
{
	if (line.length > 0 && line.text[line.length - 1] == '\r')
		line.length--;
	if (trim(line).length == 0 || line.text[0] == '#' ||
	    line.text[0] == ';')
		return 0;
	if (memchr(line.text, '\0', line.length))
		return refuse(reader, "not a text");
	if (line.text[0] == '[')
		return read_section(reader, line);
	if (is_blank(line.text[0]))
		return read_continuation(reader, line);
	return read_property(reader, line);
}

int profiles_parse(struct profiles *profiles, enum profile_file file,
		   const char *path, const char *text, size_t length,
		   struct err *err)
{
	struct reader reader = {
		.profiles = profiles,
		.file = file,
		.path = path,
		.err = err,
		.first_section = profiles->section_count,
	};
	const char *end = text + length;
	int r = 0;

	while (r == 0 && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;

		reader.line++;
		r = read_line(&reader, (struct piece){ text, (size_t)(line_end -
								      text) });
		text = line_end + (newline ? 1 : 0);
	}
	return r;
}
