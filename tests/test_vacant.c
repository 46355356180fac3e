/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/macros.h"
#include "keeper/privileges.h"
#include "keeper/vacant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP 4711 /* that this process is not in */
#define NOBODY 65534
#define NOTHING ((struct vacant_made){ 0 })
#define MADE ((struct vacant_made){ .place = true })

struct place {
	char path[64];
	char file[96];
	int fd;
};

static void make(struct place *place, mode_t mode)
{
	(void)snprintf(place->path, sizeof(place->path), "%s",
		       "/tmp/secretsfs-vacant-XXXXXX");
	assert_non_null(mkdtemp(place->path));
	(void)snprintf(place->file, sizeof(place->file), "%s/" VACANT_FILE,
		       place->path);
	assert_int_equal(chmod(place->path, mode), 0);
	place->fd = open(place->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->fd >= 0);
}

static void drop(struct place *place)
{
	assert_int_equal(close(place->fd), 0);
	assert_int_equal(chmod(place->path, 0700), 0);
	(void)unlink(place->file);
	assert_int_equal(rmdir(place->path), 0);
}

static mode_t mode_of(const char *path)
{
	struct stat about;

	assert_int_equal(stat(path, &about), 0);
	return about.st_mode & 07777;
}

/* An ordinary user cannot look into a directory of mode 0000. */
static mode_t closed_mode(mode_t mode)
{
	return geteuid() == 0 ? 0 : mode;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void marks_and_gives_every_mode_back(void **state)
{
	static const mode_t modes[] = { 0755, 0700, 0500, 01777, 02750, 0 };
	struct vacant_made made = { .place = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct place place;

		make(&place, modes[i]);
		assert_int_equal(vacant_mark(place.fd, NOTHING), 0);
		assert_int_equal(mode_of(place.path), closed_mode(modes[i]));
		assert_int_equal(vacant_unmark(place.fd, &made), 0);
		assert_false(made.place);
		assert_int_equal(mode_of(place.path), modes[i]);
		drop(&place);
	}
}

static void knows_what_is_vacant(void **state)
{
	static const mode_t modes[] = { 0755, 0500, 0300, 0 };
	char other[112];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct place place;

		make(&place, modes[i]);
		assert_int_equal(vacant_check(place.fd), 0);
		assert_int_equal(vacant_mark(place.fd, NOTHING), 0);
		assert_int_equal(vacant_check(place.fd), 0);
		assert_int_equal(mode_of(place.path), closed_mode(modes[i]));
		drop(&place);
		make(&place, 0700);
		(void)snprintf(other, sizeof(other), "%s/x", place.path);
		write_file(other, "mine");
		assert_int_equal(chmod(place.path, modes[i]), 0);
		assert_int_equal(vacant_check(place.fd), -ENOTEMPTY);
		assert_int_equal(mode_of(place.path), modes[i]);
		assert_int_equal(chmod(place.path, 0700), 0);
		assert_int_equal(unlink(other), 0);
		/* Whoever may write there could write that. */
		write_file(place.file, "no mark");
		assert_int_equal(vacant_check(place.fd), -ENOTEMPTY);
		drop(&place);
	}
}

/* As after a keeper that was killed, by one that knows nothing. */
static void knows_a_mark_again_with_the_mode_before_it(void **state)
{
	struct place place;
	struct vacant_made made = { .place = true };

	(void)state;
	make(&place, 0751);
	assert_int_equal(vacant_mark(place.fd, NOTHING), 0);
	assert_int_equal(vacant_mark(place.fd, MADE), 1);
	assert_int_equal(mode_of(place.path), closed_mode(0751));
	assert_int_equal(vacant_unmark(place.fd, &made), 0);
	assert_false(made.place);
	assert_int_equal(mode_of(place.path), 0751);
	assert_int_equal(vacant_unmark(place.fd, &made), 1);
	drop(&place);
}

/* The keeper died between the two steps. */
static void closes_what_has_the_file_and_its_mode(void **state)
{
	struct place place;
	struct vacant_made made = { 0 };

	(void)state;
	make(&place, 0755);
	assert_int_equal(vacant_mark(place.fd, NOTHING), 0);
	assert_int_equal(chmod(place.path, 0700), 0);
	assert_int_equal(vacant_mark(place.fd, NOTHING), 1);
	assert_int_equal(mode_of(place.path), closed_mode(0755));
	assert_int_equal(vacant_unmark(place.fd, &made), 0);
	assert_int_equal(mode_of(place.path), 0755);
	drop(&place);
}

static void tells_what_was_made_for_the_mount(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 4; bits++) {
		const struct vacant_made wanted = { .place = bits & 1,
						    .above = bits & 2 };
		struct vacant_made made = { .place = !wanted.place,
					    .above = !wanted.above };
		struct place place;

		make(&place, 0755);
		assert_int_equal(vacant_mark(place.fd, wanted), 0);
		assert_int_equal(vacant_unmark(place.fd, &made), 0);
		assert_int_equal(made.place, wanted.place);
		assert_int_equal(made.above, wanted.above);
		drop(&place);
	}
}

static void leaves_a_file_of_that_name_that_is_no_mark(void **state)
{
	static const char *const texts[] = {
		"",
		"mine",
		"secretsfs is not mounted here: there are no secrets.\n",
		"secretsfs is not mounted here: there are no secrets.\n"
		"mode 0755",
		"secretsfs is not mounted here: there are no secrets.\n"
		"mode 0755\nmore",
		"secretsfs is not mounted here: there are no secrets.\n"
		"mode 755\n",
		"secretsfs is not mounted here: there are no secrets.\n"
		"mode 17777\n",
		"secretsfs is not mounted here: there are no secrets.\n"
		"mode 0755 mad\n",
		"secretsfs is not mounted here: there are no secrets.\n"
		"mode 0755 above made\n",
	};
	struct vacant_made made;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct place place;

		make(&place, 0755);
		write_file(place.file, texts[i]);
		assert_int_equal(vacant_unmark(place.fd, &made), 1);
		assert_int_equal(vacant_mark(place.fd, NOTHING), -EEXIST);
		assert_int_equal(mode_of(place.path), 0755);
		assert_int_equal(access(place.file, F_OK), 0);
		drop(&place);
	}
}

static void follows_no_link(void **state)
{
	struct place other;
	struct place place;
	struct vacant_made made;

	(void)state;
	make(&other, 0755);
	assert_int_equal(vacant_mark(other.fd, NOTHING), 0);
	make(&place, 0755);
	assert_int_equal(symlink(other.file, place.file), 0);
	assert_int_equal(vacant_unmark(place.fd, &made), 1);
	assert_int_equal(vacant_mark(place.fd, NOTHING), -EEXIST);
	assert_int_equal(vacant_unmark(other.fd, &made), 0);
	drop(&place);
	drop(&other);
}

static void works_as_the_owner_and_gains_nothing_by_it(void **state)
{
	struct place place;
	struct vacant_made made;
	uint64_t before;

	(void)state;
	if (geteuid() != 0)
		skip_because("not root");
	make(&place, 0755);
	assert_int_equal(chown(place.path, NOBODY, GROUP), 0);
	assert_int_equal(chmod(place.path, 02750), 0);
	before = privileges_effective() & ~UINT64_C(2); /* DAC_OVERRIDE */
	privileges_keep_effective(before);
	assert_int_equal(vacant_mark(place.fd, NOTHING), 0);
	assert_int_equal(privileges_effective(), before);
	assert_int_equal(mode_of(place.path), 0);
	assert_int_equal(vacant_unmark(place.fd, &made), 0);
	assert_int_equal(mode_of(place.path), 02750);
	assert_int_equal(privileges_effective(), before);
	drop(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_and_gives_every_mode_back),
		cmocka_unit_test(knows_what_is_vacant),
		cmocka_unit_test(knows_a_mark_again_with_the_mode_before_it),
		cmocka_unit_test(closes_what_has_the_file_and_its_mode),
		cmocka_unit_test(tells_what_was_made_for_the_mount),
		cmocka_unit_test(leaves_a_file_of_that_name_that_is_no_mark),
		cmocka_unit_test(follows_no_link),
		cmocka_unit_test(works_as_the_owner_and_gains_nothing_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
