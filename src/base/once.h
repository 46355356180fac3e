/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ONCE_H
#define BASE_ONCE_H

#include <stdbool.h>
#include <stddef.h>

/* Texts that have been seen, so that what is true for a long time is said once.
 * Bounded: past its limit nothing is new any more. */

struct once;

/* NULL: no memory. */
struct once *once_new(size_t limit);

/* NULL is allowed. */
void once_free(struct once *once);

/* Everything is new again. */
void once_clear(struct once *once);

/* Whether the text is seen for the first time. Also false without memory. */
bool once_is_new(struct once *once, const char *text);

#endif
