/* SPDX-License-Identifier: Apache-2.0 */
/* The table of functions, and what all calls have in common: the arguments are
 * checked here, so that a function may rely on what it wants. */
#include "jmespath/function.h"
#include "base/macros.h"
#include "jmespath/evaluate.h"
#include "jmespath/expression.h"
#include "jmespath/fault.h"
#include "jmespath/functions.h"
#include "jmespath/search.h"

#include <string.h>

#define BIT(type) (1U << (type))
#define BITS_ANY (~0U)

/* Which types an argument may have, and the items of an array. */
static const struct {
	const char *name;
	unsigned types;
	unsigned items;
} wants[] = {
	[WANTED_ANY] = { "any value", BITS_ANY, BITS_ANY },
	[WANTED_NUMBER] = { "a number", BIT(JDOC_NUMBER), 0 },
	[WANTED_STRING] = { "a string", BIT(JDOC_STRING), 0 },
	[WANTED_ARRAY] = { "an array", BIT(JDOC_ARRAY), BITS_ANY },
	[WANTED_OBJECT] = { "an object", BIT(JDOC_OBJECT), 0 },
	[WANTED_NUMBERS] = { "an array of numbers", BIT(JDOC_ARRAY),
			     BIT(JDOC_NUMBER) },
	[WANTED_STRINGS] = { "an array of strings", BIT(JDOC_ARRAY),
			     BIT(JDOC_STRING) },
	[WANTED_SORTABLE] = { "an array of numbers or of strings",
			      BIT(JDOC_ARRAY),
			      BIT(JDOC_NUMBER) | BIT(JDOC_STRING) },
	[WANTED_ARRAY_OR_STRING] = { "an array or a string",
				     BIT(JDOC_ARRAY) | BIT(JDOC_STRING),
				     BITS_ANY },
	[WANTED_COUNTABLE] = { "an array, an object or a string",
			       BIT(JDOC_ARRAY) | BIT(JDOC_OBJECT) |
				       BIT(JDOC_STRING),
			       BITS_ANY },
	[WANTED_REFERENCE] = { "an &expression", 0, 0 },
};

static const struct function functions[] = {
	{ "abs", 1, { WANTED_NUMBER }, function_abs },
	{ "avg", 1, { WANTED_NUMBERS }, function_avg },
	{ "ceil", 1, { WANTED_NUMBER }, function_ceil },
	{ "contains",
	  2,
	  { WANTED_ARRAY_OR_STRING, WANTED_ANY },
	  function_contains },
	{ "ends_with",
	  2,
	  { WANTED_STRING, WANTED_STRING },
	  function_ends_with },
	{ "floor", 1, { WANTED_NUMBER }, function_floor },
	{ "join", 2, { WANTED_STRING, WANTED_STRINGS }, function_join },
	{ "keys", 1, { WANTED_OBJECT }, function_keys },
	{ "length", 1, { WANTED_COUNTABLE }, function_length },
	{ "map", 2, { WANTED_REFERENCE, WANTED_ARRAY }, function_map },
	{ "max", 1, { WANTED_SORTABLE }, function_max },
	{ "max_by", 2, { WANTED_ARRAY, WANTED_REFERENCE }, function_max },
	{ "merge", FUNCTION_ANY_COUNT, { WANTED_OBJECT }, function_merge },
	{ "min", 1, { WANTED_SORTABLE }, function_min },
	{ "min_by", 2, { WANTED_ARRAY, WANTED_REFERENCE }, function_min },
	{ "not_null", FUNCTION_ANY_COUNT, { WANTED_ANY }, function_not_null },
	{ "reverse", 1, { WANTED_ARRAY_OR_STRING }, function_reverse },
	{ "sort", 1, { WANTED_SORTABLE }, function_sort },
	{ "sort_by", 2, { WANTED_ARRAY, WANTED_REFERENCE }, function_sort },
	{ "starts_with",
	  2,
	  { WANTED_STRING, WANTED_STRING },
	  function_starts_with },
	{ "sum", 1, { WANTED_NUMBERS }, function_sum },
	{ "to_array", 1, { WANTED_ANY }, function_to_array },
	{ "to_number", 1, { WANTED_ANY }, function_to_number },
	{ "to_string", 1, { WANTED_ANY }, function_to_string },
	{ "type", 1, { WANTED_ANY }, function_type },
	{ "values", 1, { WANTED_OBJECT }, function_values },
};

const struct function *function_find(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strlen(functions[i].name) == name.length &&
		    memcmp(functions[i].name, name.bytes, name.length) == 0)
			return &functions[i];
	return NULL;
}

/* What the argument at i may be: where any number is allowed, all are alike. */
static enum wanted wanted_at(const struct function *function, size_t i)
{
	return function->wanted[function->count ? i : 0];
}

static int check_count(const struct expression *call, struct err *err)
{
	const struct function *function = call->function;

	if (function->count == FUNCTION_ANY_COUNT && call->count == 0)
		return fault_set(err, FAULT_INVALID_ARITY, call->offset,
				 "%s() wants arguments", function->name);
	if (function->count != FUNCTION_ANY_COUNT &&
	    function->count != call->count)
		return fault_set(err, FAULT_INVALID_ARITY, call->offset,
				 "%s() wants %zu argument%s, not %zu",
				 function->name, function->count,
				 function->count == 1 ? "" : "s", call->count);
	return 0;
}

int function_check(const struct expression *call, struct err *err)
{
	const struct expression *part = call->first;
	int r = check_count(call, err);

	if (r < 0)
		return r;
	for (size_t i = 0; part; i++, part = part->next) {
		enum wanted wanted = wanted_at(call->function, i);

		if (part->is_reference == (wanted == WANTED_REFERENCE))
			continue;
		return fault_set(
			err, FAULT_INVALID_TYPE, part->offset,
			"%s() wants %s as its argument %zu, not %s",
			call->function->name, wants[wanted].name, i + 1,
			part->is_reference ? wants[WANTED_REFERENCE].name
					   : "a value");
	}
	return 0;
}

static bool fits(const struct jvalue *value, enum wanted wanted)
{
	struct walk walk;
	struct jvalue item;
	unsigned items = 0;

	if (!(BIT(value->type) & wants[wanted].types))
		return false;
	if (wants[wanted].items == BITS_ANY || !jvalue_is(value, JDOC_ARRAY))
		return true;
	walk = walk_begin(value);
	while (walk_next(&walk, &item))
		items |= BIT(item.type);
	if (items & ~wants[wanted].items)
		return false;
	/* Numbers or strings, not both. */
	return (items & (items - 1)) == 0;
}

static int evaluate_argument(const struct call *call, size_t i,
			     const struct expression *part,
			     const struct jvalue *current, struct jvalue *ret)
{
	const struct function *function = call->expression->function;
	enum wanted wanted = wanted_at(function, i);
	int r = evaluate(call->search, part, current, ret);

	if (r < 0)
		return r;
	if (!fits(ret, wanted))
		return fault_set(call->search->err, FAULT_INVALID_TYPE,
				 part->offset,
				 "%s() wants %s as its argument %zu, not %s",
				 function->name, wants[wanted].name, i + 1,
				 function_type_name(ret));
	return jvalue_is(ret, JDOC_ARRAY)
		       ? search_spend(call->search, jvalue_count(ret))
		       : 0;
}

int function_call(struct search *search, const struct expression *expression,
		  const struct jvalue *current, struct jvalue *ret)
{
	const struct expression *part = expression->first;
	struct call call = { .search = search,
			     .expression = expression,
			     .count = expression->count };
	struct jvalue *arguments;
	void *memory;
	int r = search_alloc(search, call.count, sizeof(*arguments), &memory);

	if (r < 0)
		return r;
	arguments = memory;
	call.arguments = arguments;
	for (size_t i = 0; r == 0 && part; i++, part = part->next) {
		if (part->is_reference) {
			call.reference = part;
			arguments[i] = jvalue_null();
		} else {
			r = evaluate_argument(&call, i, part, current,
					      &arguments[i]);
		}
	}
	search->offset = expression->offset;
	return r < 0 ? r : expression->function->run(&call, ret);
}
