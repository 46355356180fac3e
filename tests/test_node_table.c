/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "fs/node_table.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOT 1024
#define SLOTS 8

/* Where things are, as another build of the same layout finds them. */
#define AT_LAYOUT_VERSION 16
#define AT_NEXT_ID 8
#define AT_FIRST (SLOT)
#define AT_FIRST_TEXT (SLOT + 100)

struct scene {
	int fd; /* the keeper's */
	struct node_table *table;
};

static void open_table(struct scene *scene)
{
	node_table_close(scene->table);
	scene->table = NULL;
	assert_int_equal(node_table_open(dup(scene->fd), &scene->table), 0);
}

static int set_up(void **state)
{
	static struct scene scene;

	scene = (struct scene){ .fd = memfd_create("nodes", 0) };
	assert_int_equal(ftruncate(scene.fd, (off_t)SLOT * (SLOTS + 1)), 0);
	open_table(&scene);
	*state = &scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	node_table_close(scene->table);
	(void)close(scene->fd);
	return 0;
}

static struct node_record file_record(uint64_t id)
{
	return (struct node_record){
		.id = id,
		.parent = 1,
		.name = "password",
		.text = "app",
		.version = "v1",
		.want = 11,
		.view = UINT64_MAX,
		.size = 13,
		.modified_ns = -5,
		.state = { .lookups = 3,
			   .is_current = true,
			   .rights = { .uid = 7, .gid = 8, .mode = 0440 } },
	};
}

static struct node_slot *add_file(struct scene *scene, uint64_t id)
{
	struct node_record record = file_record(id);

	return node_table_add(scene->table, &record);
}

/* How many can be read. */
static size_t count(struct scene *scene)
{
	struct node_record record;
	size_t found = 0;

	for (size_t i = 0; i < node_table_used(scene->table); i++)
		found += node_table_at(scene->table, i, &record) != NULL;
	return found;
}

static void poke(struct scene *scene, off_t at, unsigned char byte)
{
	assert_int_equal(pwrite(scene->fd, &byte, 1, at), 1);
}

static void is_new_at_first_and_known_then(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(node_table_age(scene->table), NODE_TABLE_NEW);
	assert_int_equal(node_table_generation(scene->table), 1);
	assert_int_equal(node_table_next_id(scene->table), 1);
	node_table_set_next_id(scene->table, 77);
	open_table(scene);
	assert_int_equal(node_table_age(scene->table), NODE_TABLE_KNOWN);
	assert_int_equal(node_table_generation(scene->table), 2);
	assert_int_equal(node_table_next_id(scene->table), 77);
}

static void gives_back_all_that_was_recorded(void **state)
{
	struct scene *scene = *state;
	struct node_record directory = { .id = 2,
					 .parent = 1,
					 .is_directory = true,
					 .name = "a",
					 .text = "a/",
					 .version = "",
					 .state = { .changed_ns = 9,
						    .has_entry = true,
						    .has_value = true } };
	struct node_record found;

	assert_non_null(node_table_add(scene->table, &directory));
	assert_non_null(add_file(scene, 3));
	open_table(scene);
	assert_non_null(node_table_at(scene->table, 0, &found));
	assert_true(found.is_directory);
	assert_string_equal(found.text, "a/");
	assert_int_equal(found.state.changed_ns, 9);
	assert_true(found.state.has_value);
	assert_true(found.state.has_entry);
	assert_false(found.state.is_current);
	assert_non_null(node_table_at(scene->table, 1, &found));
	assert_int_equal(found.id, 3);
	assert_int_equal(found.parent, 1);
	assert_false(found.is_directory);
	assert_string_equal(found.name, "password");
	assert_string_equal(found.text, "app");
	assert_string_equal(found.version, "v1");
	assert_int_equal(found.want, 11);
	assert_true(found.view == UINT64_MAX);
	assert_int_equal(found.size, 13);
	assert_int_equal(found.modified_ns, -5);
	assert_int_equal(found.state.lookups, 3);
	assert_true(found.state.is_current);
	assert_int_equal(found.state.rights.uid, 7);
	assert_int_equal(found.state.rights.gid, 8);
	assert_int_equal(found.state.rights.mode, 0440);
}

static void what_changes_is_noted_in_place(void **state)
{
	struct scene *scene = *state;
	struct node_slot *slot = add_file(scene, 3);
	struct node_record found;

	node_slot_note(slot, &(struct node_state){ .lookups = 1ULL << 40,
						   .revoked = -ESTALE });
	open_table(scene);
	assert_non_null(node_table_at(scene->table, 0, &found));
	assert_true(found.state.lookups == 1ULL << 40);
	assert_int_equal(found.state.revoked, -ESTALE);
	assert_false(found.state.is_current);
}

static void a_slot_that_is_given_back_is_used_again(void **state)
{
	struct scene *scene = *state;
	struct node_record found;

	for (uint64_t id = 2; id < 1000; id++) {
		struct node_slot *slot = add_file(scene, id);

		assert_non_null(slot);
		assert_int_equal(count(scene), 1);
		node_table_remove(scene->table, slot);
	}
	assert_int_equal(node_table_used(scene->table), 1);
	assert_non_null(add_file(scene, 1000));
	open_table(scene);
	assert_non_null(node_table_at(scene->table, 0, &found));
	assert_int_equal(found.id, 1000);
}

static void what_does_not_fit_is_not_recorded(void **state)
{
	struct scene *scene = *state;
	struct node_slot *slots[SLOTS];

	for (uint64_t i = 0; i < SLOTS; i++) {
		slots[i] = add_file(scene, 2 + i);
		assert_non_null(slots[i]);
	}
	assert_null(add_file(scene, 100));
	node_table_remove(scene->table, slots[3]);
	open_table(scene);
	assert_int_equal(count(scene), SLOTS - 1);
	assert_non_null(add_file(scene, 100));
	assert_null(add_file(scene, 101));
}

static void texts_that_are_too_long_are_not_recorded(void **state)
{
	struct scene *scene = *state;
	struct node_record record = file_record(2);
	char text[SLOT];

	memset(text, 'x', sizeof(text));
	record.text = text;
	/* "password" and "v1" with their NULs, and the text's NUL */
	text[924 - 12 - 1 + 1] = '\0';
	assert_null(node_table_add(scene->table, &record));
	assert_int_equal(count(scene), 0);
	text[924 - 12 - 1] = '\0';
	assert_non_null(node_table_add(scene->table, &record));
	open_table(scene);
	assert_int_equal(count(scene), 1);
}

static void a_slot_that_does_not_check_is_vacant(void **state)
{
	struct scene *scene = *state;
	struct node_record found;

	assert_non_null(add_file(scene, 2));
	assert_non_null(add_file(scene, 3));
	poke(scene, AT_FIRST_TEXT, 'P');
	open_table(scene);
	assert_int_equal(node_table_age(scene->table), NODE_TABLE_KNOWN);
	assert_null(node_table_at(scene->table, 0, &found));
	assert_int_equal(count(scene), 1);
	assert_non_null(add_file(scene, 4));
	assert_int_equal(node_table_used(scene->table), 2);
}

static void a_number_of_another_node_does_not_check(void **state)
{
	struct scene *scene = *state;

	assert_non_null(add_file(scene, 2));
	poke(scene, AT_FIRST, 5);
	open_table(scene);
	assert_int_equal(count(scene), 0);
}

static void a_table_of_another_layout_is_begun_anew(void **state)
{
	struct scene *scene = *state;

	assert_non_null(add_file(scene, 2));
	node_table_set_next_id(scene->table, 77);
	poke(scene, AT_LAYOUT_VERSION, 2);
	open_table(scene);
	assert_int_equal(node_table_age(scene->table), NODE_TABLE_LOST);
	assert_int_equal(count(scene), 0);
	assert_int_equal(node_table_next_id(scene->table), 77);
	assert_non_null(add_file(scene, 77));
	open_table(scene);
	assert_int_equal(node_table_age(scene->table), NODE_TABLE_KNOWN);
	assert_int_equal(count(scene), 1);
}

static void nonsense_is_begun_anew_far_above(void **state)
{
	struct scene *scene = *state;

	node_table_set_next_id(scene->table, 1000000);
	poke(scene, 0, 'x');
	poke(scene, AT_NEXT_ID, 3);
	open_table(scene);
	assert_int_equal(node_table_age(scene->table), NODE_TABLE_LOST);
	assert_true(node_table_next_id(scene->table) > 1000000);
}

static void memory_that_is_too_small_is_refused(void **state)
{
	struct node_table *table = NULL;
	int fd = memfd_create("small", 0);

	(void)state;
	assert_int_equal(ftruncate(fd, 2 * SLOT - 1), 0);
	assert_int_equal(node_table_open(fd, &table), -EINVAL);
	assert_null(table);
	assert_int_equal(node_table_open(-1, &table), -EBADF);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(is_new_at_first_and_known_then),
		CASE(gives_back_all_that_was_recorded),
		CASE(what_changes_is_noted_in_place),
		CASE(a_slot_that_is_given_back_is_used_again),
		CASE(what_does_not_fit_is_not_recorded),
		CASE(texts_that_are_too_long_are_not_recorded),
		CASE(a_slot_that_does_not_check_is_vacant),
		CASE(a_number_of_another_node_does_not_check),
		CASE(a_table_of_another_layout_is_begun_anew),
		CASE(nonsense_is_begun_anew_far_above),
		CASE(memory_that_is_too_small_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
