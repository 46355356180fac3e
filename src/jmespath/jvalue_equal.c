/* SPDX-License-Identifier: Apache-2.0 */
/* Values are equal by what they are, not by how they are written. A value that
 * is made may hold another one many times over, so that comparing counts. */
#include "jmespath/decimal.h"
#include "jmespath/jobject.h"
#include "jmespath/jvalue.h"
#include "jmespath/search.h"

static int is_equal_text(struct search *search, const struct jvalue *a,
			 const struct jvalue *b, bool *ret)
{
	struct text left;
	struct text right;
	int r = jvalue_text(search, a, &left);

	if (r == 0)
		r = jvalue_text(search, b, &right);
	if (r == 0)
		r = search_spend(search, left.length / SEARCH_BYTES_A_STEP);
	if (r < 0)
		return r;
	*ret = (jvalue_is(a, JDOC_NUMBER) ? decimal_compare(left, right)
					  : text_compare(left, right)) == 0;
	return 0;
}

static int is_equal_array(struct search *search, const struct jvalue *a,
			  const struct jvalue *b, bool *ret)
{
	struct walk left = walk_begin(a);
	struct walk right = walk_begin(b);
	struct jvalue left_item;
	struct jvalue right_item;
	bool is_equal = jvalue_count(a) == jvalue_count(b);
	int r = 0;

	while (r == 0 && is_equal && walk_next(&left, &left_item) &&
	       walk_next(&right, &right_item))
		r = jvalue_is_equal(search, &left_item, &right_item, &is_equal);
	if (r == 0)
		*ret = is_equal;
	return r;
}

static int is_equal_member(struct search *search, const struct jmember *a,
			   const struct jmember *b, bool *ret)
{
	if (text_compare(a->name, b->name) != 0) {
		*ret = false;
		return 0;
	}
	return jvalue_is_equal(search, &a->value, &b->value, ret);
}

static int is_equal_object(struct search *search, const struct jvalue *a,
			   const struct jvalue *b, bool *ret)
{
	const struct jobject *left;
	const struct jobject *right;
	bool is_equal;
	int r = jobject_open(search, a, &left);

	if (r == 0)
		r = jobject_open(search, b, &right);
	if (r < 0)
		return r;
	is_equal = left->count == right->count;
	for (size_t i = 0; r == 0 && is_equal && i < left->count; i++)
		r = is_equal_member(search, left->by_name[i], right->by_name[i],
				    &is_equal);
	if (r == 0)
		*ret = is_equal;
	return r;
}

/* Goes as deep as values are: JDOC_DEPTH_MAX and JMESPATH_MADE_DEPTH_MAX. */
int jvalue_is_equal(struct search *search, const struct jvalue *a,
		    const struct jvalue *b, bool *ret)
{
	int r = search_spend(search, 1);

	if (r < 0)
		return r;
	if (a->type != b->type) {
		*ret = false;
		return 0;
	}
	switch ((enum jdoc_type)a->type) {
	case JDOC_NUMBER:
	case JDOC_STRING:
		return is_equal_text(search, a, b, ret);
	case JDOC_ARRAY:
		return is_equal_array(search, a, b, ret);
	case JDOC_OBJECT:
		return is_equal_object(search, a, b, ret);
	case JDOC_NULL:
	case JDOC_FALSE:
	case JDOC_TRUE:
		break;
	}
	*ret = true;
	return 0;
}
