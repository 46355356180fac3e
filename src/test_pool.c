/* SPDX-License-Identifier: Apache-2.0 */
/* Which pool a machine allows is not a test's choice, but each kind has to be
 * tested on every machine, and a small one as well. */
#include "test_pool.h"
#include "base/err.h"
#include "base/parse.h"
#include "base/pool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool read_kind(const char *text, size_t length, enum pool_kind *ret)
{
	for (enum pool_kind kind = POOL_SECRET; kind <= POOL_UNLOCKED; kind++) {
		const char *name = pool_kind_name(kind);

		if (strlen(name) == length &&
		    strncmp(name, text, length) == 0) {
			*ret = kind;
			return true;
		}
	}
	return false;
}

static bool read_choice(const char *choice, struct pool_settings *ret)
{
	size_t length = strcspn(choice, ":");
	uint64_t size = 0;

	if (!read_kind(choice, length, &ret->best))
		return false;
	if (choice[length] == ':' &&
	    parse_decimal(choice + length + 1, POOL_SIZE_MAX, &size) < 0)
		return false;
	ret->size_max = (size_t)size;
	return true;
}

int test_pool_open(const char *choice, struct err *err)
{
	struct pool_settings settings = { 0 };

	if (choice && !read_choice(choice, &settings))
		return err_set(err, -EINVAL, "no kind of pool: %.64s", choice);
	if (pool_open(&settings) < 0)
		return err_set(err, -ENOMEM, "no memory for secrets");
	return 0;
}
