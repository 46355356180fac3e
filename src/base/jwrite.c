/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a comma is due is all that has to be known of what was written: after
 * a value it is, after an opening bracket it is not. */
#include "base/jwrite.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

void jwrite_init(struct jwrite *json, FILE *out)
{
	*json = (struct jwrite){ .out = out };
}

static void begin(struct jwrite *json, const char *name)
{
	if (json->needs_comma)
		(void)putc(',', json->out);
	if (name)
		(void)fprintf(json->out, "\"%s\":", name);
	json->needs_comma = true;
}

static void open_bracket(struct jwrite *json, const char *name, char bracket)
{
	begin(json, name);
	(void)putc(bracket, json->out);
	json->needs_comma = false;
}

static void close_bracket(struct jwrite *json, char bracket)
{
	(void)putc(bracket, json->out);
	json->needs_comma = true;
}

void jwrite_object(struct jwrite *json, const char *name)
{
	open_bracket(json, name, '{');
}

void jwrite_object_end(struct jwrite *json)
{
	close_bracket(json, '}');
}

void jwrite_array(struct jwrite *json, const char *name)
{
	open_bracket(json, name, '[');
}

void jwrite_array_end(struct jwrite *json)
{
	close_bracket(json, ']');
}

static bool is_control(const unsigned char *at, size_t length)
{
	return length == 1 ? at[0] < 0x20 || at[0] == 0x7f
			   : length == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

/* One character of length bytes; 0: there is none. */
static void put_character(FILE *out, const unsigned char *at, size_t length)
{
	if (length == 0)
		(void)fputs("\\ufffd", out);
	else if (is_control(at, length))
		(void)fprintf(out, "\\u%04x", at[length - 1]);
	else if (*at == '"' || *at == '\\')
		(void)fprintf(out, "\\%c", *at);
	else
		(void)fwrite(at, 1, length, out);
}

void jwrite_text(struct jwrite *json, const char *name, const char *text)
{
	size_t left;

	if (!text) {
		jwrite_null(json, name);
		return;
	}
	begin(json, name);
	(void)putc('"', json->out);
	left = strlen(text);
	while (left > 0) {
		size_t length = utf8_length_at(text, left);

		put_character(json->out, (const unsigned char *)text, length);
		text += length ? length : 1;
		left -= length ? length : 1;
	}
	(void)putc('"', json->out);
}

void jwrite_number(struct jwrite *json, const char *name, int64_t number)
{
	begin(json, name);
	(void)fprintf(json->out, "%" PRId64, number);
}

void jwrite_flag(struct jwrite *json, const char *name, bool is_set)
{
	begin(json, name);
	(void)fputs(is_set ? "true" : "false", json->out);
}

void jwrite_null(struct jwrite *json, const char *name)
{
	begin(json, name);
	(void)fputs("null", json->out);
}
