/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_EXPRESSION_H
#define JMESPATH_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jmespath/jvalue.h"
#include "jmespath/lexer.h"
#include "jmespath/text.h"

struct err;
struct function;
struct jdoc;

/* A compiled expression as a tree. */

enum expression_kind {
	EXPRESSION_CURRENT, /* @ */
	EXPRESSION_FIELD,
	EXPRESSION_LITERAL,
	EXPRESSION_INDEX,
	EXPRESSION_SLICE,
	EXPRESSION_PIPE, /* right, of what left is: "." and "|" */
	EXPRESSION_OR,
	EXPRESSION_AND,
	EXPRESSION_NOT,
	EXPRESSION_COMPARISON,
	EXPRESSION_FLATTEN,
	EXPRESSION_ITEMS,  /* right, of each item of left */
	EXPRESSION_VALUES, /* right, of each member of left */
	EXPRESSION_FILTER, /* right, of each item of left that passes */
	EXPRESSION_LIST,   /* [first, second] */
	EXPRESSION_HASH,   /* {name: first} */
	EXPRESSION_CALL,
	EXPRESSION_KINDS, /* how many there are */
};

/* [start:stop:step] */
struct slice {
	int64_t start;
	int64_t stop;
	int64_t step;
	bool has_start;
	bool has_stop;
};

struct expression {
	enum expression_kind kind;
	size_t offset;	/* in the text, for errors */
	unsigned depth; /* levels of the tree from here down */

	struct expression *left;
	struct expression *right;

	/* Lists, hashes and calls have any number of parts. */
	struct expression *first;
	struct expression *last;
	size_t count;
	struct expression *next; /* as a part: the next one */
	struct text label;	 /* as a hash's part: its name */
	bool is_reference;	 /* as a call's part: it stands behind & */

	union {
		struct text name; /* of a field */
		struct jvalue literal;
		int64_t index;
		struct slice slice;
		enum token_kind comparator;
		struct expression *condition;
		const struct function *function;
	};

	struct jdoc *doc;	  /* a literal's, owned */
	struct expression *older; /* all of a jmespath, for its end */
};

struct jmespath {
	struct expression *root;
	struct expression *newest;
	char *text; /* names and literals, decoded: as long as the expression */
	size_t text_length;
};

/* A new one with depth 1 and these children, either of which may be NULL. It
 * belongs to the jmespath. 0, -E2BIG, -ENOMEM. */
int expression_new(struct jmespath *jmespath, enum expression_kind kind,
		   const struct token *token, struct expression **ret,
		   struct err *err);

/* The following set a child, all of whose own children are set already.
 * 0, or -E2BIG where the tree gets too deep. */
int expression_set_left(struct expression *parent, struct expression *child,
			struct err *err);
int expression_set_right(struct expression *parent, struct expression *child,
			 struct err *err);
int expression_set_condition(struct expression *parent,
			     struct expression *child, struct err *err);
int expression_add(struct expression *parent, struct expression *child,
		   struct err *err);

#endif
