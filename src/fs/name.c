/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys are escaped with '%', which is itself escaped wherever it stands: that
 * makes the escapes unambiguous and the mapping reversible.
 */
#include "fs/name.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct name {
	char text[NAME_LENGTH_MAX + 1];
	size_t length;
};

static bool add(struct name *name, const char *bytes, size_t length)
{
	if (length > NAME_LENGTH_MAX - name->length)
		return false;
	memcpy(name->text + name->length, bytes, length);
	name->length += length;
	return true;
}

static bool add_escaped(struct name *name, unsigned char byte)
{
	static const char digits[] = "0123456789ABCDEF";
	const char escaped[] = { '%', digits[byte >> 4], digits[byte & 15] };

	return add(name, escaped, sizeof(escaped));
}

/* How many bytes at text a file name may hold as they are; 0: not one. */
static size_t legal_length_at(const char *text, size_t length)
{
	unsigned char byte = (unsigned char)*text;

	if (byte < 0x20 || byte == 0x7f || byte == '/')
		return 0;
	return utf8_length_at(text, length);
}

int name_from_key(const char *key, size_t length, char ret[NAME_LENGTH_MAX + 1])
{
	struct name name = { .length = 0 };

	if (length == 0)
		return -EINVAL;
	for (size_t at = 0; at < length;) {
		size_t legal = legal_length_at(key + at, length - at);
		bool fits;

		if (key[at] == '%' || (key[at] == '.' && at == 0))
			legal = 0;
		fits = legal ? add(&name, key + at, legal)
			     : add_escaped(&name, (unsigned char)key[at]);
		if (!fits)
			return -ENAMETOOLONG;
		at += legal ? legal : 1;
	}
	memcpy(ret, name.text, name.length + 1);
	return 0;
}

/* Names that mean something in every directory, and those kept for us. */
static bool is_ours(const char *name)
{
	return strcmp(name, ".") == 0 || strncmp(name, "..", 2) == 0 ||
	       strncmp(name, ".secretsfs", strlen(".secretsfs")) == 0;
}

int name_from_secret(const char *secret, char ret[NAME_LENGTH_MAX + 1])
{
	struct name name = { .length = 0 };
	size_t length = strlen(secret);
	size_t legal;

	for (size_t at = 0; at < length; at += legal) {
		const char *from = secret[at] == '/' ? "_" : secret + at;

		legal = legal_length_at(from, length - at);
		if (legal == 0)
			return -EINVAL;
		if (!add(&name, from, legal))
			return -ENAMETOOLONG;
	}
	if (length == 0 || is_ours(name.text))
		return -EINVAL;
	memcpy(ret, name.text, name.length + 1);
	return 0;
}
