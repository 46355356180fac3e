/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JWRITE_H
#define BASE_JWRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * JSON (RFC 8259) as it is written for other programs, piece by piece. Nothing
 * here fails: whether all was written, ferror(3) of the stream says.
 *
 * name is the member's in an object, a constant without anything to escape;
 * NULL in an array, and for the document itself.
 */

struct jwrite {
	FILE *out; /* borrowed */
	bool needs_comma;
};

void jwrite_init(struct jwrite *json, FILE *out);

void jwrite_object(struct jwrite *json, const char *name);
void jwrite_object_end(struct jwrite *json);
void jwrite_array(struct jwrite *json, const char *name);
void jwrite_array_end(struct jwrite *json);

/* Control bytes, of C1 as well, are escaped, so that a terminal shows them;
 * what is no UTF-8 becomes U+FFFD. NULL is written as null. */
void jwrite_text(struct jwrite *json, const char *name, const char *text);

void jwrite_number(struct jwrite *json, const char *name, int64_t number);
void jwrite_flag(struct jwrite *json, const char *name, bool is_set);
void jwrite_null(struct jwrite *json, const char *name);

#endif
