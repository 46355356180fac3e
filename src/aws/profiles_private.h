/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PROFILES_PRIVATE_H
#define AWS_PROFILES_PRIVATE_H

#include "aws/profiles.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* What the reader of the files fills and the look-ups search. Texts are places
 * in one buf, which moves as it grows. */

struct profiles_section {
	enum profile_section kind;
	size_t name_at;
	bool is_hidden; /* [default] where there is a [profile default] */
};

struct profiles_property {
	size_t section;
	size_t key_at;
	size_t value_at;
};

struct profiles {
	struct buf text; /* every name and value, each with its NUL */
	struct profiles_section *sections;
	size_t section_count;
	struct profiles_property *properties;
	size_t property_count;
};

/* Each returns 0 or -ENOMEM, -EFBIG. The last value is the one at the end of
 * the text, until another text is added. */
int profiles_add_section(struct profiles *profiles, enum profile_section kind,
			 const char *name, size_t length);
int profiles_add_property(struct profiles *profiles, const char *key,
			  size_t key_length, const char *value,
			  size_t value_length);
int profiles_extend_value(struct profiles *profiles, const char *line,
			  size_t length);

#endif
