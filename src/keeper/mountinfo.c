/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of the table is "id parent device root mount-point options tags... -
 * fstype source options". Of several mounts at one place the one that no other
 * of them stands on is on top: the order of the lines alone does not tell.
 */
#include "keeper/mountinfo.h"
#include "base/macros.h"
#include "base/parse.h"
#include "keeper/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_ID, FIELD_PARENT, FIELD_DEVICE, FIELD_ROOT, FIELD_MOUNT_POINT };

/* Where a field begins, counted from 0, or NULL. */
static const char *field_at(const char *line, unsigned index)
{
	for (; index > 0; index--) {
		line = strchr(line, ' ');
		if (!line)
			return NULL;
		line++;
	}
	return line;
}

static size_t field_length(const char *field)
{
	return strcspn(field, " \n");
}

static bool is_escape(const char *text)
{
	return text[0] == '\\' && text[1] >= '0' && text[1] <= '3' &&
	       text[2] >= '0' && text[2] <= '7' && text[3] >= '0' &&
	       text[3] <= '7';
}

/* Copies a field, "\040" as a blank. 0, or -EINVAL if it does not fit. */
static int copy_field(const char *field, char *out, size_t size)
{
	size_t used = 0;

	for (const char *end = field + field_length(field); field < end;) {
		if (used + 1 >= size)
			return -EINVAL;
		if (is_escape(field)) {
			out[used++] =
				(char)((field[1] - '0') * 64 +
				       (field[2] - '0') * 8 + (field[3] - '0'));
			field += 4;
		} else {
			out[used++] = *field++;
		}
	}
	out[used] = '\0';
	return used > 0 ? 0 : -EINVAL;
}

static int copy_number(const char *field, uint64_t *ret)
{
	char text[24];
	int r = copy_field(field, text, sizeof(text));

	return r < 0 ? r : parse_decimal(text, UINT64_MAX, ret);
}

/* The options of a file system are the kernel's own text; a blank in them is
 * escaped. */
static uid_t find_user(const char *options)
{
	static const char key[] = "user_id=";
	char text[16];
	uint64_t user;

	while (options && *options && *options != '\n') {
		if (strncmp(options, key, strlen(key)) == 0) {
			const char *digits = options + strlen(key);
			size_t length = strcspn(digits, ", \n");

			if (length >= sizeof(text))
				break;
			memcpy(text, digits, length);
			text[length] = '\0';
			return parse_decimal(text, UINT32_MAX, &user) < 0
				       ? MOUNTINFO_NO_USER
				       : (uid_t)user;
		}
		options += strcspn(options, ",\n");
		options += *options == ',';
	}
	return MOUNTINFO_NO_USER;
}

int mountinfo_parse(const char *line, struct mountinfo *ret)
{
	const char *parent = field_at(line, FIELD_PARENT);
	const char *mount_point = field_at(line, FIELD_MOUNT_POINT);
	const char *tail = mount_point ? strstr(mount_point, " - ") : NULL;

	if (!tail || copy_number(line, &ret->id) < 0 ||
	    copy_number(parent, &ret->parent_id) < 0 ||
	    copy_field(mount_point, ret->mount_point,
		       sizeof(ret->mount_point)) < 0 ||
	    copy_field(tail + strlen(" - "), ret->fstype, sizeof(ret->fstype)) <
		    0)
		return -EINVAL;
	ret->user_id = find_user(field_at(tail + strlen(" - "), 2));
	return 0;
}

int mountinfo_each(const char *file,
		   int (*judge)(void *owner, const struct mountinfo *entry),
		   void *owner)
{
	cleanup_file FILE *table = fopen(file, "re");
	cleanup_line char *line = NULL;
	struct mountinfo entry;
	size_t size = 0;

	if (!table)
		return -errno;
	while (getline(&line, &size, table) > 0) {
		int r = mountinfo_parse(line, &entry) < 0
				? 0
				: judge(owner, &entry);

		if (r != 0)
			return r;
	}
	return ferror(table) ? -EIO : 0;
}

struct search {
	const char *mount_point;
	uint64_t above; /* wanted: what stands on this mount, 0 for any */
	bool found;
	struct mountinfo *entry;
};

static int note_match(void *owner, const struct mountinfo *entry)
{
	struct search *search = owner;

	if (strcmp(entry->mount_point, search->mount_point) != 0)
		return 0;
	if (search->above && entry->parent_id != search->above)
		return 0;
	*search->entry = *entry;
	search->found = true;
	return 0;
}

int mountinfo_find(const char *file, const char *mount_point,
		   struct mountinfo *ret)
{
	struct mountinfo entry;
	struct search search = { .mount_point = mount_point, .entry = &entry };
	bool found = false;
	int r;

	/* First the last line of that place, then what stands on it, and so
	 * on: a table that changes meanwhile cannot make this endless. */
	for (unsigned layers = 0; layers < 1000; layers++) {
		search.found = false;
		r = mountinfo_each(file, note_match, &search);
		if (r < 0)
			return r;
		if (!search.found)
			break;
		found = true;
		search.above = entry.id;
	}
	if (!found)
		return -ENOENT;
	*ret = entry;
	return 0;
}

struct request {
	uint64_t id;
	struct mountinfo *entry;
};

static int take_id(void *owner, const struct mountinfo *entry)
{
	const struct request *request = owner;

	if (entry->id != request->id)
		return 0;
	*request->entry = *entry;
	return 1;
}

int mountinfo_get(const char *file, uint64_t id, struct mountinfo *ret)
{
	struct request request = { .id = id, .entry = ret };
	int r = mountinfo_each(file, take_id, &request);

	if (r < 0)
		return r;
	return r == 1 ? 0 : -ENOENT;
}

int mountinfo_has(const char *file, uint64_t id)
{
	struct mountinfo entry;
	struct request request = { .id = id, .entry = &entry };

	return mountinfo_each(file, take_id, &request);
}
