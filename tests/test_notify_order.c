/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "keeper/notify_order.h"

#include <errno.h>
#include <string.h>

static struct notify_order replace_order(void)
{
	struct notify_order order;
	const struct notify_wish wish = { .kind = NOTIFY_REPLACE,
					  .id = 7,
					  .directory = "prod/app",
					  .name = "password",
					  .source_name = "..new-12" };

	assert_int_equal(notify_order_fill(&order, &wish), 0);
	return order;
}

static int check(const struct notify_order *order)
{
	return notify_order_check(order, sizeof(*order));
}

static void fills_what_the_notifier_takes(void **state)
{
	struct notify_order order = replace_order();
	const struct notify_wish drop = { .kind = NOTIFY_DROP,
					  .flags = NOTIFY_UNLINK,
					  .id = UINT64_MAX,
					  .name = "..node-9" };

	(void)state;
	assert_int_equal(check(&order), 0);
	assert_int_equal(order.id, 7);
	assert_string_equal(order.directory, "prod/app");
	assert_string_equal(order.name, "password");
	assert_string_equal(order.source_name, "..new-12");
	assert_int_equal(notify_order_fill(&order, &drop), 0);
	assert_int_equal(check(&order), 0);
	assert_string_equal(order.directory, "");
	assert_string_equal(order.source_name, "");
	assert_int_equal(order.id, UINT64_MAX);
}

static void knows_its_format_by_length_and_magic(void **state)
{
	struct notify_order order = replace_order();

	(void)state;
	for (size_t length = 0; length < sizeof(order); length++)
		assert_int_equal(notify_order_check(&order, length), -EPROTO);
	order.magic++;
	assert_int_equal(check(&order), -EPROTO);
}

static void takes_plain_names_only(void **state)
{
	static const struct {
		const char *name;
		int code;
	} cases[] = {
		{ "a", 0 },	    { "..new-1", 0 },	 { "...", 0 },
		{ ".x", 0 },	    { "..x", 0 },	 { "", -EINVAL },
		{ ".", -EINVAL },   { "..", -EINVAL },	 { "/", -EINVAL },
		{ "a/b", -EINVAL }, { "../a", -EINVAL }, { "/a", -EINVAL },
		{ "a/", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = cases[i].name;
		struct notify_order order = replace_order();

		memset(order.name, 0, sizeof(order.name));
		memcpy(order.name, name, strlen(name));
		assert_int_equal(check(&order), cases[i].code);
		order = replace_order();
		memset(order.source_name, 0, sizeof(order.source_name));
		memcpy(order.source_name, name, strlen(name));
		assert_int_equal(check(&order), cases[i].code);
	}
}

static void takes_directories_of_plain_names_only(void **state)
{
	static const struct {
		const char *directory;
		int code;
	} cases[] = {
		{ "", 0 },
		{ "a", 0 },
		{ "a/b/c", 0 },
		{ "..a/.b", 0 },
		{ "/", -EINVAL },
		{ "/a", -EINVAL },
		{ "a/", -EINVAL },
		{ "a//b", -EINVAL },
		{ ".", -EINVAL },
		{ "..", -EINVAL },
		{ "a/..", -EINVAL },
		{ "../a", -EINVAL },
		{ "a/./b", -EINVAL },
		{ "a/../b", -EINVAL },
		{ "//", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *directory = cases[i].directory;
		struct notify_order order = replace_order();

		memset(order.directory, 0, sizeof(order.directory));
		memcpy(order.directory, directory, strlen(directory));
		assert_int_equal(check(&order), cases[i].code);
	}
}

static void takes_names_that_end_within_their_array(void **state)
{
	struct notify_order order = replace_order();

	(void)state;
	memset(order.name, 'x', sizeof(order.name));
	assert_int_equal(check(&order), -EINVAL);
	order.name[NOTIFY_NAME_MAX] = '\0';
	assert_int_equal(check(&order), 0);
	memset(order.source_name, 'y', sizeof(order.source_name));
	assert_int_equal(check(&order), -EINVAL);
	order = replace_order();
	/* A component of a directory is a name too. */
	memset(order.directory, 'z', NOTIFY_NAME_MAX);
	order.directory[NOTIFY_NAME_MAX] = '\0';
	assert_int_equal(check(&order), 0);
	memset(order.directory, 'z', NOTIFY_NAME_MAX + 1);
	order.directory[NOTIFY_NAME_MAX + 1] = '\0';
	assert_int_equal(check(&order), -EINVAL);
	memset(order.directory, 'z', sizeof(order.directory));
	for (size_t i = 100; i < sizeof(order.directory); i += 100)
		order.directory[i] = '/';
	assert_int_equal(check(&order), -EINVAL);
	order.directory[NOTIFY_DIRECTORY_MAX] = '\0';
	assert_int_equal(check(&order), 0);
}

static void takes_known_kinds_and_flags_only(void **state)
{
	static const struct {
		uint32_t kind;
		uint32_t flags;
		uint32_t unused;
		int code;
		const char *source_name;
	} cases[] = {
		{ NOTIFY_REPLACE, 0, 0, 0, "..new-1" },
		{ NOTIFY_REPLACE, 0, 0, -EINVAL, "password" },
		{ NOTIFY_REPLACE, 0, 0, -EINVAL, "" },
		{ NOTIFY_REPLACE, NOTIFY_UNLINK, 0, -EINVAL, "..new-1" },
		{ NOTIFY_REPLACE, 0, 1, -EINVAL, "..new-1" },
		{ NOTIFY_REMOVE, 0, 0, 0, "" },
		{ NOTIFY_REMOVE, 0, 0, -EINVAL, "..new-1" },
		{ NOTIFY_REMOVE, NOTIFY_UNLINK, 0, -EINVAL, "" },
		{ NOTIFY_DROP, 0, 0, 0, "" },
		{ NOTIFY_DROP, NOTIFY_UNLINK, 0, 0, "" },
		{ NOTIFY_DROP, 2, 0, -EINVAL, "" },
		{ NOTIFY_DROP, UINT32_MAX, 0, -EINVAL, "" },
		{ NOTIFY_DROP, 0, 0, -EINVAL, "x" },
		{ 0, 0, 0, -EINVAL, "" },
		{ NOTIFY_DROP + 1, 0, 0, -EINVAL, "" },
		{ UINT32_MAX, 0, 0, -EINVAL, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *source = cases[i].source_name;
		struct notify_order order = replace_order();

		order.kind = cases[i].kind;
		order.flags = cases[i].flags;
		order.unused = cases[i].unused;
		memset(order.source_name, 0, sizeof(order.source_name));
		memcpy(order.source_name, source, strlen(source));
		assert_int_equal(check(&order), cases[i].code);
	}
}

static void fills_nothing_that_would_be_refused(void **state)
{
	char longest[NOTIFY_DIRECTORY_MAX + 2];
	const struct {
		struct notify_wish wish;
		int code;
	} cases[] = {
		{ { .kind = NOTIFY_REMOVE, .name = "a/b" }, -EINVAL },
		{ { .kind = NOTIFY_REMOVE }, -EINVAL },
		{ { .name = "a" }, -EINVAL },
		{ { .kind = NOTIFY_REPLACE, .name = "a" }, -EINVAL },
		{ { .kind = NOTIFY_DROP, .name = longest }, -ENAMETOOLONG },
		{ { .kind = NOTIFY_DROP, .name = "a", .directory = longest },
		  -ENAMETOOLONG },
		{ { .kind = NOTIFY_REPLACE,
		    .name = "a",
		    .source_name = longest },
		  -ENAMETOOLONG },
	};
	struct notify_order order = { .id = 99 };

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(notify_order_fill(&order, &cases[i].wish),
				 cases[i].code);
	assert_int_equal(order.id, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_what_the_notifier_takes),
		cmocka_unit_test(knows_its_format_by_length_and_magic),
		cmocka_unit_test(takes_plain_names_only),
		cmocka_unit_test(takes_directories_of_plain_names_only),
		cmocka_unit_test(takes_names_that_end_within_their_array),
		cmocka_unit_test(takes_known_kinds_and_flags_only),
		cmocka_unit_test(fills_nothing_that_would_be_refused),
	};

	return cmocka_run_group_tests_name("notify_order", tests, NULL, NULL);
}
