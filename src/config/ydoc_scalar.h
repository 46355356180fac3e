/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_YDOC_SCALAR_H
#define CONFIG_YDOC_SCALAR_H

#include <stdbool.h>

struct arena;
struct ydoc_node;

/*
 * What a scalar says where a text is wanted, as the AWS provider reads it
 * (sigs.k8s.io/yaml: YAML 1.1 to JSON to a string): without quotes "0600" is
 * the number 384, "yes" is "true", "1.50" is "1.5", and "~" is nothing.
 */

/* Nothing, "~" or "null", without quotes. */
bool ydoc_is_null(const struct ydoc_node *node);

/* The text; node's own or arena's. NULL: no room in arena. node is a scalar
 * and not null. */
const char *ydoc_scalar_text(const struct ydoc_node *node, struct arena *arena);

/* "true", "yes", "on" and their opposites in three spellings each, as YAML 1.1
 * has them. 0 or -EINVAL. */
int ydoc_bool_parse(const char *text, bool *ret);

#endif
