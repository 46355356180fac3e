/* SPDX-License-Identifier: Apache-2.0 */
/* An expression is compiled once and searched often. The compiled tree does not
 * change; all that a search makes is the search's own. */
#include "jmespath/jmespath.h"
#include "base/buf.h"
#include "base/err.h"
#include "jmespath/evaluate.h"
#include "jmespath/expression.h"
#include "jmespath/fault.h"
#include "jmespath/parser.h"
#include "jmespath/print.h"
#include "jmespath/search.h"

#include <errno.h>
#include <stdlib.h>

int jmespath_compile(const char *text, size_t length, struct jmespath **ret,
		     struct err *err)
{
	cleanup_jmespath struct jmespath *compiled = NULL;
	int r;

	if (length > JMESPATH_LENGTH_MAX)
		return fault_set(err, FAULT_LIMIT, JMESPATH_LENGTH_MAX,
				 "the expression is longer than %u bytes",
				 JMESPATH_LENGTH_MAX);
	compiled = calloc(1, sizeof(*compiled));
	if (!compiled)
		return fault_set_memory(err);
	compiled->text = malloc(length + 1);
	if (!compiled->text)
		return fault_set_memory(err);
	r = parser_run(compiled, text, length, err);
	if (r == 0)
		*ret = TAKE(compiled);
	return r;
}

void jmespath_free(struct jmespath *compiled)
{
	if (!compiled)
		return;
	while (compiled->newest) {
		struct expression *expression = compiled->newest;

		compiled->newest = expression->older;
		jdoc_free(expression->doc);
		free(expression);
	}
	free(compiled->text);
	free(compiled);
}

void jmespath_cleanup(struct jmespath **compiled)
{
	jmespath_free(*compiled);
}

static int append(struct search *search, const struct jvalue *value,
		  struct buf *out)
{
	struct text text;
	int r;

	if (jvalue_is(value, JDOC_NULL))
		return 0;
	if (!jvalue_is(value, JDOC_STRING))
		return print(value, out);
	r = jvalue_text(search, value, &text);
	return r < 0 ? r : buf_append(out, text.bytes, text.length);
}

static int fail_result(int r, struct err *err)
{
	if (r == -EFBIG)
		return err_set(err, r, "the result of JMESPath is too large");
	return r == -ENOMEM ? fault_set_memory(err) : r;
}

static enum jmespath_kind kind_of(const struct jvalue *value)
{
	if (jvalue_is(value, JDOC_NULL))
		return JMESPATH_NULL;
	return jvalue_is(value, JDOC_STRING) ? JMESPATH_STRING : JMESPATH_JSON;
}

int jmespath_search(const struct jmespath *compiled, const struct jdoc *doc,
		    struct buf *out, enum jmespath_kind *ret, struct err *err)
{
	cleanup_search struct search search;
	struct jvalue root = jvalue_of_node(doc, 0);
	struct jvalue value;
	size_t before = out->length;
	int r;

	search_init(&search, err);
	r = evaluate(&search, compiled->root, &root, &value);
	if (r < 0)
		return r;
	r = append(&search, &value, out);
	if (r < 0) {
		buf_truncate(out, before);
		return fail_result(r, err);
	}
	*ret = kind_of(&value);
	return 0;
}
