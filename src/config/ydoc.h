/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_YDOC_H
#define CONFIG_YDOC_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct err;

/*
 * YAML as a tree of nodes with their lines, within bounds that hold for any
 * bytes. Keys of maps are text; a key may stand twice. Aliases are copies.
 */

#define YDOC_DEPTH_MAX 64
#define YDOC_NODES_MAX 40000
#define YDOC_ANCHORS_MAX 64
#define YDOC_ALIASES_MAX 100
#define YDOC_DIRECTIVES_MAX 16
#define YDOC_MERGE_MAX 64 /* keys of a map that "<<" is in, or takes */

enum ydoc_kind {
	YDOC_SCALAR,
	YDOC_LIST,
	YDOC_MAP,
};

/* How a scalar is written. */
enum ydoc_style {
	YDOC_PLAIN,   /* without quotes and without a tag */
	YDOC_LITERAL, /* '|' */
	YDOC_FOLDED,  /* '>' */
	YDOC_QUOTED,  /* or with a tag */
};

struct ydoc_node {
	enum ydoc_kind kind;
	enum ydoc_style style; /* of a scalar */
	unsigned line;	       /* where it begins, from 1 */
	unsigned count;	       /* children; of a scalar: line ends inside */
	union {
		const char *text; /* of a scalar, without any NUL inside */
		const struct ydoc_node *first; /* child; NULL: none */
	};
	const char *key;	      /* in a map, or NULL */
	const struct ydoc_node *next; /* sibling; of a root: next document */
};

/* Bytes, and which line to say for each of their lines, since they may stand
 * inside another file. */
struct ydoc_text {
	const void *bytes;
	size_t length;
	unsigned first_line;   /* where the first is; the rest follows it, */
	const unsigned *lines; /* unless each is listed; what is past the */
	size_t line_count;     /* list's end is on its last line */
};

/*
 * Reads all documents. The tree is arena's; text is needed no longer. ret: the
 * first document, NULL where there is none.
 *
 * 0, -EINVAL (not YAML), -E2BIG (past a bound), -ENOMEM. err's text says what,
 * without a place; ret_line is then the line, or 0.
 */
int ydoc_parse(const struct ydoc_text *text, struct arena *arena,
	       const struct ydoc_node **ret, unsigned *ret_line,
	       struct err *err);

/* "text", "a list" or "a map". */
const char *ydoc_kind_name(const struct ydoc_node *node);

#endif
