/* SPDX-License-Identifier: Apache-2.0 */
/* A number that a function does not change keeps its text, and so do its
 * integers of any length; only what must be computed becomes a double. */
#include "jmespath/decimal.h"
#include "jmespath/expression.h"
#include "jmespath/fault.h"
#include "jmespath/function.h"
#include "jmespath/functions.h"
#include "jmespath/search.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* From here on doubles have no fraction. */
#define WHOLE_MIN 4503599627370496.0

static int write_number(const struct call *call, double number,
			struct jvalue *ret)
{
	if (!isfinite(number))
		return fault_set(call->search->err, FAULT_INVALID_VALUE,
				 call->expression->offset,
				 "%s() is too large for a number",
				 call->expression->function->name);
	return decimal_write(call->search, number, ret);
}

int function_abs(const struct call *call, struct jvalue *ret)
{
	struct text text;
	int r = jvalue_text(call->search, &call->arguments[0], &text);

	if (r < 0)
		return r;
	*ret = call->arguments[0];
	if (text.bytes[0] == '-')
		*ret = jvalue_of_number(
			(struct text){ text.bytes + 1, text.length - 1 });
	return 0;
}

static double floor_of(double number)
{
	double whole;

	if (!(number > -WHOLE_MIN && number < WHOLE_MIN))
		return number;
	whole = (double)(int64_t)number;
	return whole > number ? whole - 1 : whole;
}

static int round_by(const struct call *call, int direction, struct jvalue *ret)
{
	double number;
	struct text text;
	int r = jvalue_text(call->search, &call->arguments[0], &text);

	if (r < 0)
		return r;
	*ret = call->arguments[0];
	if (!memchr(text.bytes, '.', text.length) &&
	    !memchr(text.bytes, 'e', text.length) &&
	    !memchr(text.bytes, 'E', text.length))
		return 0;
	r = decimal_read(call->search, &call->arguments[0], &number);
	if (r < 0)
		return r;
	return write_number(call, direction * floor_of(direction * number),
			    ret);
}

int function_ceil(const struct call *call, struct jvalue *ret)
{
	return round_by(call, -1, ret);
}

int function_floor(const struct call *call, struct jvalue *ret)
{
	return round_by(call, 1, ret);
}

static int sum_of(const struct call *call, double *ret)
{
	struct walk walk = walk_begin(&call->arguments[0]);
	struct jvalue item;
	double sum = 0;
	int r = 0;

	while (r == 0 && walk_next(&walk, &item)) {
		double number = 0;

		r = decimal_read(call->search, &item, &number);
		sum += number;
	}
	if (r == 0)
		*ret = sum;
	return r;
}

int function_sum(const struct call *call, struct jvalue *ret)
{
	double sum;
	int r = sum_of(call, &sum);

	return r < 0 ? r : write_number(call, sum, ret);
}

int function_avg(const struct call *call, struct jvalue *ret)
{
	size_t count = jvalue_count(&call->arguments[0]);
	double sum;
	int r = sum_of(call, &sum);

	if (r < 0)
		return r;
	if (count == 0) {
		*ret = jvalue_null();
		return 0;
	}
	return write_number(call, sum / (double)count, ret);
}

/* Whether text is a JSON number, and nothing but one. */
static int is_number(struct text text, bool *ret)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	size_t length;
	int r = jdoc_parse(text.bytes, text.length, &doc, NULL);

	if (r == -ENOMEM)
		return r;
	*ret = false;
	if (r < 0)
		return 0;
	(void)jdoc_raw(doc, 0, &length);
	*ret = jdoc_type(doc, 0) == JDOC_NUMBER && length == text.length;
	return 0;
}

int function_to_number(const struct call *call, struct jvalue *ret)
{
	const struct jvalue *value = &call->arguments[0];
	bool is_sound;
	struct text text;
	int r;

	*ret = jvalue_is(value, JDOC_NUMBER) ? *value : jvalue_null();
	if (!jvalue_is(value, JDOC_STRING))
		return 0;
	r = jvalue_text(call->search, value, &text);
	if (r < 0)
		return r;
	if (is_number(text, &is_sound) < 0)
		return fault_set_memory(call->search->err);
	if (is_sound)
		*ret = jvalue_of_number(text);
	return 0;
}
