/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_JVALUE_H
#define JMESPATH_JVALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/jdoc.h"
#include "jmespath/text.h"

struct jobject;
struct search;

/*
 * A value while a search goes on: a node of the document or of a literal, or
 * made by the search. Values are small and copied; what they point to lives as
 * long as the search, or as the compiled expression.
 */
struct jvalue {
	unsigned char type;  /* enum jdoc_type */
	unsigned char depth; /* made arrays and objects inside one another */
	jdoc_node node;	     /* JDOC_NONE: it is made */
	union {
		const struct jdoc *doc; /* whose node it is */
		struct text text;	/* a string decoded, a number as JSON */
		struct {
			const struct jvalue *items;
			size_t count;
		} array;
		const struct jobject *object;
	};
};

struct jvalue jvalue_null(void);
struct jvalue jvalue_of_bool(bool is_true);
struct jvalue jvalue_of_string(struct text decoded);
struct jvalue jvalue_of_number(struct text json);

/* JDOC_NONE is null. */
struct jvalue jvalue_of_node(const struct jdoc *doc, jdoc_node node);

/* An array of items that live as long as the search. 0, or -E2BIG. */
int jvalue_of_items(struct search *search, const struct jvalue *items,
		    size_t count, struct jvalue *ret);

/* 0, or -E2BIG. */
int jvalue_of_object(struct search *search, const struct jobject *object,
		     struct jvalue *ret);

bool jvalue_is(const struct jvalue *value, enum jdoc_type type);
bool jvalue_is_node(const struct jvalue *value);

/* False of null, false, and what is empty. */
bool jvalue_is_true(const struct jvalue *value);

/* The bytes of a string, decoded, or a number as it is written. 0, -E2BIG,
 * -ENOMEM. */
int jvalue_text(struct search *search, const struct jvalue *value,
		struct text *ret);

/* By value. 0, -E2BIG, -ENOMEM. */
int jvalue_is_equal(struct search *search, const struct jvalue *a,
		    const struct jvalue *b, bool *ret);

/* As memcmp(3), with the shorter one first: UTF-8 sorts by code point so. */
int text_compare(struct text a, struct text b);

/* The items of an array, one after the other. */
struct walk {
	struct jvalue array;
	size_t at;
	jdoc_node node;
};

size_t jvalue_count(const struct jvalue *array);
struct walk walk_begin(const struct jvalue *array);
bool walk_next(struct walk *walk, struct jvalue *ret);

/* All of them at once. 0, -E2BIG, -ENOMEM. */
int jvalue_items(struct search *search, const struct jvalue *array,
		 const struct jvalue **ret);

#endif
