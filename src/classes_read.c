/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the directory, in the order of the names, since of two files
 * that give one class the first has it: so what is in force depends on what is
 * there, and not on what was there before.
 */
#include "base/log.h"
#include "base/macros.h"
#include "classes_private.h"
#include "config/class.h"
#include "provider.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct pass {
	struct classes *classes;
	struct class_set *set;
	struct file_set *files;
	bool reads_all;
	struct err *err;
};

struct names {
	struct dirent **list;
	int count;
};

static void names_done(struct names *names)
{
	for (int i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

/* A directory may be a mount of ours, which this process must not look at. */
static int is_class_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_type != DT_DIR && entry->d_name[0] != '.' && dot &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int compare(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*one)->d_name, (*other)->d_name);
}

/* Room for one more at the end of a list of pointers. */
static void *grow(void *list, size_t count)
{
	return realloc(list, (count + 1) * sizeof(void *));
}

struct class_entry *class_set_find(const struct class_set *set,
				   const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->entries[i] && strcmp(set->entries[i]->name, name) == 0)
			return set->entries[i];
	return NULL;
}

static void free_entry(struct class_entry *entry)
{
	if (entry)
		shown_done(&entry->shown);
	free(entry);
}

void class_set_done(struct class_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free_entry(set->entries[i]);
	free(set->entries);
	*set = (struct class_set){ .count = 0 };
}

void file_set_done(struct file_set *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->entries[i]);
	free(files->entries);
	*files = (struct file_set){ .count = 0 };
}

/* On success entry is the set's. */
static int put(struct class_set *set, struct class_entry *entry)
{
	struct class_entry **entries = grow(set->entries, set->count);

	if (!entries)
		return -ENOMEM;
	set->entries = entries;
	entries[set->count++] = entry;
	return 0;
}

static const struct class_file_entry *find_file(const struct file_set *files,
						const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->entries[i]->name, name) == 0)
			return files->entries[i];
	return NULL;
}

static struct class_file_entry *add_file(struct file_set *files,
					 const char *name)
{
	struct class_file_entry **entries = grow(files->entries, files->count);
	struct class_file_entry *file;

	if (!entries)
		return NULL;
	files->entries = entries;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	entries[files->count++] = file;
	return file;
}

/* What cannot be looked at is like nothing else, and so is read. */
static struct stamp stamp_of(const char *path)
{
	struct stat about;

	if (stat(path, &about) < 0)
		return (struct stamp){ .size = -1 };
	return (struct stamp){ .device = about.st_dev,
			       .inode = about.st_ino,
			       .size = about.st_size,
			       .modified = about.st_mtim,
			       .changed = about.st_ctim };
}

static bool is_same_time(const struct timespec *one,
			 const struct timespec *other)
{
	return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static bool is_same(const struct stamp *one, const struct stamp *other)
{
	return one->size >= 0 && one->device == other->device &&
	       one->inode == other->inode && one->size == other->size &&
	       is_same_time(&one->modified, &other->modified) &&
	       is_same_time(&one->changed, &other->changed);
}

/* What the file gave before stays in force, but for what another has now. */
static int keep(const struct pass *pass, const char *file)
{
	struct class_set *old = &pass->classes->set;

	for (size_t i = 0; i < old->count; i++) {
		struct class_entry *entry = old->entries[i];
		int r;

		if (!entry || strcmp(entry->file, file) != 0 ||
		    class_set_find(pass->set, entry->name))
			continue;
		r = put(pass->set, entry);
		if (r < 0)
			return r;
		entry->is_new = false;
		old->entries[i] = NULL;
	}
	return 0;
}

/* Named as the mount is to be; what it shows is read. NULL with err filled. */
static struct class_entry *read_class(const struct pass *pass, const char *path,
				      struct class_list *list, size_t index,
				      struct err *err)
{
	const struct classes_settings *settings = &pass->classes->settings;
	const struct class *class = &list->classes[index];
	struct class_entry *entry = calloc(1, sizeof(*entry));

	if (!entry) {
		(void)err_set(err, -ENOMEM, "%s: no memory", path);
		return NULL;
	}
	entry->mount = NO_MOUNT;
	entry->state = CLASS_GONE; /* nobody has asked for one */
	entry->is_new = true;
	if (snprintf(entry->name, sizeof(entry->name), "%s%s%s",
		     class->namespace ? class->namespace : "",
		     class->namespace ? "/" : "",
		     class->name) >= (int)sizeof(entry->name)) {
		(void)err_set(err, -ENAMETOOLONG, "%s:%u: the name is too long",
			      path, class->line);
	} else if (class_set_find(pass->set, entry->name)) {
		(void)err_set(
			err, -EEXIST,
			"%s:%u: the class '%.200s' is in '%.100s' already",
			path, class->line, entry->name,
			class_set_find(pass->set, entry->name)->file);
	} else if (shown_read_listed(
			   settings->provider, settings->options,
			   &(struct shown_listed){ path, list, index },
			   &entry->shown, err) == 0) {
		(void)snprintf(entry->shown.label, sizeof(entry->shown.label),
			       "secretsfs:%s", entry->name);
		return entry;
	}
	free(entry);
	return NULL;
}

/* All classes of a file or none. */
static int read_classes(const struct pass *pass, const char *path,
			const char *file, struct err *err)
{
	cleanup_class_list struct class_list *list = NULL;
	int r = class_list_read(path, &list, err);

	for (size_t i = 0; r == 0 && i < list->count; i++) {
		struct class_entry *entry =
			read_class(pass, path, list, i, err);

		if (!entry)
			return err->code;
		(void)snprintf(entry->file, sizeof(entry->file), "%s", file);
		if (put(pass->set, entry) < 0) {
			free_entry(entry);
			return err_set(err, -ENOMEM, "%s: no memory", path);
		}
	}
	if (r == 0 && pass->set->count > CLASSES_MAX)
		return err_set(err, -E2BIG, "%s: with it there are %zu classes",
			       path, pass->set->count);
	return r;
}

static void drop_from(struct class_set *set, size_t count)
{
	while (set->count > count)
		free_entry(set->entries[--set->count]);
}

static void note_fault(const struct pass *pass, struct class_file_entry *file,
		       const struct class_file_entry *old,
		       const struct err *err)
{
	const struct classes_settings *settings = &pass->classes->settings;

	(void)snprintf(file->fault, sizeof(file->fault), "%s", err->text);
	/* Once, and not with each change of another file. */
	if (old && !pass->reads_all && strcmp(old->fault, file->fault) == 0)
		return;
	log_err("a class file is wrong; what it gave before stays in force",
		"error=%s", err->text);
	if (!pass->classes->is_started &&
	    pass->classes->warnings++ < CLASSES_WARNINGS_MAX)
		settings->warn(settings->owner, err->text);
}

static int read_file(const struct pass *pass, const char *name)
{
	const struct class_file_entry *old =
		find_file(&pass->classes->files, name);
	struct class_file_entry *file = add_file(pass->files, name);
	size_t before = pass->set->count;
	char path[PATH_MAX];
	struct err err;

	if (!file)
		return err_set(pass->err, -ENOMEM, "no memory");
	if (snprintf(path, sizeof(path), "%s/%s", pass->classes->settings.path,
		     name) >= (int)sizeof(path))
		return err_set(pass->err, -ENAMETOOLONG, "%s: too long", name);
	file->stamp = stamp_of(path);
	if (old && !*old->fault && !pass->reads_all &&
	    is_same(&file->stamp, &old->stamp))
		return keep(pass, name);
	if (read_classes(pass, path, name, &err) == 0)
		return 0;
	drop_from(pass->set, before);
	note_fault(pass, file, old, &err);
	return keep(pass, name);
}

static int list_names(const char *path, struct names *ret, struct err *err)
{
	ret->count = scandir(path, &ret->list, is_class_file, compare);
	if (ret->count < 0) {
		int code = -errno;

		ret->count = 0;
		ret->list = NULL;
		return err_set(err, code, "%s: %s", path,
			       strerrordesc_np(-code));
	}
	if (ret->count > CLASSES_FILES_MAX)
		return err_set(err, -E2BIG, "%s: more than %d class files",
			       path, CLASSES_FILES_MAX);
	return 0;
}

/* Gives back what was taken out of what there is. */
static void undo(const struct pass *pass)
{
	struct class_set *old = &pass->classes->set;
	size_t at = 0;

	for (size_t i = 0; i < pass->set->count; i++) {
		if (pass->set->entries[i]->is_new)
			continue;
		while (old->entries[at])
			at++;
		old->entries[at] = pass->set->entries[i];
		pass->set->entries[i] = NULL;
	}
	class_set_done(pass->set);
	file_set_done(pass->files);
}

int classes_read(struct classes *classes, bool reads_all, struct class_set *ret,
		 struct file_set *ret_files, struct err *err)
{
	CLEANUP(names_done) struct names names = { .count = 0 };
	const struct pass pass = { .classes = classes,
				   .set = ret,
				   .files = ret_files,
				   .reads_all = reads_all,
				   .err = err };
	int r = list_names(classes->settings.path, &names, err);

	for (int i = 0; r == 0 && i < names.count; i++)
		r = read_file(&pass, names.list[i]->d_name);
	if (r < 0)
		undo(&pass);
	return r;
}
