/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_WANT_H
#define AWS_WANT_H

#include <stddef.h>

struct source_want;

/* Copies of the texts of what is wanted, in one piece. */
size_t want_texts_size(const struct source_want *want);

/* Copies to room of that size; returns what is behind it. */
char *want_copy(const struct source_want *want, char *to,
		struct source_want *ret);

#endif
