/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the directory gives is read as a whole and then compared, by name, with
 * what is in force: so a class that moves from one file to another keeps its
 * mount.
 */
#include "classes.h"
#include "base/log.h"
#include "base/macros.h"
#include "classes_private.h"
#include "config/source_text.h"
#include "keeper/message.h"
#include "loop/loop.h"
#include "store/dir_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files that are written in pieces are read when they are whole, as a rule. */
#define SETTLE_MS 50

bool classes_are_at(const char *source)
{
	struct source_text text;
	struct stat about;

	return source_text_parse(source, &text, NULL) == 0 &&
	       text.kind == SOURCE_CLASS && stat(text.text, &about) == 0 &&
	       S_ISDIR(about.st_mode);
}

const char *class_state_name(enum class_state state)
{
	static const char *const names[] = {
		[CLASS_ASKED] = "asked",
		[CLASS_MOUNTED] = "mounted",
		[CLASS_REFUSED] = "refused",
		[CLASS_GONE] = "unmounted",
	};

	return names[state];
}

static void ask(const struct classes *classes, struct class_entry *entry)
{
	const struct classes_settings *settings = &classes->settings;

	entry->state = CLASS_ASKED;
	entry->why[0] = '\0';
	settings->add(settings->owner, entry->name, entry->shown.label);
}

static void take_over(const struct classes *classes, struct class_entry *entry,
		      const struct class_entry *old)
{
	const struct classes_settings *settings = &classes->settings;

	entry->mount = old->mount;
	entry->state = old->state;
	memcpy(entry->why, old->why, sizeof(entry->why));
	if (entry->mount != NO_MOUNT)
		settings->change(settings->owner, entry->mount, &entry->shown);
}

static void remove_gone(const struct classes *classes,
			const struct class_set *old)
{
	const struct classes_settings *settings = &classes->settings;

	for (size_t i = 0; i < old->count; i++) {
		const struct class_entry *entry = old->entries[i];

		if (entry && entry->mount != NO_MOUNT &&
		    !class_set_find(&classes->set, entry->name))
			settings->remove(settings->owner, entry->mount);
	}
}

static bool is_wanted(const struct class_entry *entry)
{
	return entry->mount != NO_MOUNT || entry->state == CLASS_ASKED;
}

static size_t count_wanted(const struct class_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += is_wanted(set->entries[i]);
	return count;
}

static void leave_out(struct class_entry *entry)
{
	entry->state = CLASS_REFUSED;
	(void)snprintf(entry->why, sizeof(entry->why),
		       "%d classes are mounted, and no more can be",
		       MESSAGE_MOUNTS_MAX);
}

static void tell_left_out(struct classes *classes, size_t count)
{
	const struct classes_settings *settings = &classes->settings;
	char line[128];

	(void)snprintf(line, sizeof(line),
		       "%zu classes have no mount: there are no more than %d",
		       count, MESSAGE_MOUNTS_MAX);
	log_err("some classes have no mount", "count=%zu most=%d", count,
		MESSAGE_MOUNTS_MAX);
	if (!classes->is_started && classes->warnings++ < CLASSES_WARNINGS_MAX)
		settings->warn(settings->owner, line);
}

/* Who changes a class, or says SIGHUP, wants to see its mount. More than there
 * can be are not even asked for: while this asks it hears no refusal, and so
 * many would be lost. */
static void ask_for_rest(struct classes *classes)
{
	size_t wanted = count_wanted(&classes->set);
	size_t left_out = 0;

	for (size_t i = 0; i < classes->set.count; i++) {
		struct class_entry *entry = classes->set.entries[i];

		if (!entry->is_new || is_wanted(entry))
			continue;
		if (wanted++ < MESSAGE_MOUNTS_MAX) {
			ask(classes, entry);
		} else {
			leave_out(entry);
			left_out++;
		}
	}
	if (left_out > 0)
		tell_left_out(classes, left_out);
}

/* What was taken out of old is in force as it was. */
static void put_in_force(struct classes *classes, const struct class_set *old)
{
	for (size_t i = 0; i < classes->set.count; i++) {
		struct class_entry *entry = classes->set.entries[i];
		const struct class_entry *before;

		if (!entry->is_new)
			continue;
		before = class_set_find(old, entry->name);
		if (before)
			take_over(classes, entry, before);
	}
	ask_for_rest(classes);
}

static int read_directory(struct classes *classes, bool reads_all,
			  struct err *err)
{
	struct class_set next = { .count = 0 };
	struct file_set files = { .count = 0 };
	struct class_set old;
	int r = classes_read(classes, reads_all, &next, &files, err);

	if (r < 0)
		return r;
	file_set_done(&classes->files);
	classes->files = files;
	old = classes->set;
	classes->set = next;
	/* First those that go: their names may become others' spaces. */
	remove_gone(classes, &old);
	put_in_force(classes, &old);
	class_set_done(&old);
	return 0;
}

static void read_and_log(struct classes *classes, bool reads_all)
{
	struct err err;

	if (read_directory(classes, reads_all, &err) < 0)
		log_err("the old configuration stays in force", "error=%s",
			err.text);
	else
		log_info("the classes were read again", "source=%s classes=%zu",
			 classes->settings.path, classes->set.count);
}

static void on_due(void *owner)
{
	struct classes *classes = owner;

	classes->due = NULL;
	read_and_log(classes, false);
}

static void on_change(void *owner, const char *prefix, const char *name)
{
	struct classes *classes = owner;

	(void)name;
	(void)prefix;
	if (classes->due)
		return;
	/* Without memory for it SIGHUP is left. */
	classes->due =
		loop_timer(classes->settings.loop,
			   loop_now_ms(classes->settings.loop) + SETTLE_MS,
			   on_due, classes);
}

/* Where it cannot be watched, SIGHUP is left. */
static void watch(struct classes *classes)
{
	classes->directory_fd =
		open(classes->settings.path,
		     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	if (classes->directory_fd >= 0)
		classes->watch = dir_watch_new(classes->settings.loop,
					       on_change, classes);
	if (!classes->watch) {
		log_warn("changes of classes are seen on SIGHUP only",
			 "source=%s error=%s", classes->settings.path,
			 strerrordesc_np(errno));
		return;
	}
	dir_watch_add(classes->watch, classes->directory_fd, "");
}

/* The first line about a file that is wrong, where all are. */
static int check_any(const struct classes *classes, struct err *err)
{
	if (classes->set.count > 0 || classes->files.count == 0)
		return 0;
	return err_set(err, -EINVAL, "%s", classes->files.entries[0]->fault);
}

int classes_new(const struct classes_settings *settings, struct classes **ret,
		struct err *err)
{
	struct classes *classes = calloc(1, sizeof(*classes));
	int r;

	if (!classes)
		return err_set(err, -ENOMEM, "no memory");
	classes->settings = *settings;
	classes->directory_fd = -1;
	/* Before it is read, or a change in between would be missed. */
	watch(classes);
	r = read_directory(classes, true, err);
	if (r == 0)
		r = check_any(classes, err);
	if (r < 0) {
		classes_free(classes);
		return r;
	}
	classes->is_started = true;
	*ret = classes;
	return 0;
}

void classes_free(struct classes *classes)
{
	if (!classes)
		return;
	loop_timer_cancel(classes->due);
	dir_watch_free(classes->watch);
	if (classes->directory_fd >= 0)
		(void)close(classes->directory_fd);
	class_set_done(&classes->set);
	file_set_done(&classes->files);
	free(classes);
}

void classes_read_again(struct classes *classes)
{
	/* It may be another directory by now. */
	dir_watch_free(classes->watch);
	classes->watch = NULL;
	if (classes->directory_fd >= 0)
		(void)close(classes->directory_fd);
	watch(classes);
	read_and_log(classes, true);
}

const struct shown *classes_on_mount(struct classes *classes, const char *name,
				     uint32_t mount)
{
	struct class_entry *entry = class_set_find(&classes->set, name);

	if (!entry || entry->mount != NO_MOUNT)
		return NULL;
	entry->mount = mount;
	entry->state = CLASS_MOUNTED;
	return &entry->shown;
}

void classes_on_refused(struct classes *classes, const char *name,
			const char *why)
{
	struct class_entry *entry = class_set_find(&classes->set, name);

	log_err("a class has no mount", "class=%s error=%s", name, why);
	if (!entry || entry->mount != NO_MOUNT)
		return;
	entry->state = CLASS_REFUSED;
	(void)snprintf(entry->why, sizeof(entry->why), "%s", why);
}

static struct class_entry *find_mount(const struct classes *classes,
				      uint32_t mount)
{
	for (size_t i = 0; i < classes->set.count; i++)
		if (classes->set.entries[i]->mount == mount)
			return classes->set.entries[i];
	return NULL;
}

void classes_on_gone(struct classes *classes, uint32_t mount)
{
	struct class_entry *entry = find_mount(classes, mount);

	if (!entry)
		return;
	entry->mount = NO_MOUNT;
	entry->state = CLASS_GONE;
}

static const char *fault_of(const struct classes *classes, const char *file)
{
	for (size_t i = 0; i < classes->files.count; i++)
		if (strcmp(classes->files.entries[i]->name, file) == 0)
			return classes->files.entries[i]->fault;
	return "";
}

static struct class_about tell(const struct classes *classes,
			       const struct class_entry *entry)
{
	return (struct class_about){
		.name = entry->name,
		.file = entry->file,
		.state = entry->state,
		.why = entry->why,
		.fault = fault_of(classes, entry->file),
		.shown = &entry->shown,
	};
}

int classes_find(const struct classes *classes, uint32_t mount,
		 struct class_about *ret)
{
	const struct class_entry *entry = find_mount(classes, mount);

	if (!entry)
		return -ENOENT;
	*ret = tell(classes, entry);
	return 0;
}

void classes_each(const struct classes *classes,
		  void (*on_class)(void *owner, const struct class_about *),
		  void *owner)
{
	for (size_t i = 0; i < classes->set.count; i++) {
		const struct class_about about =
			tell(classes, classes->set.entries[i]);

		on_class(owner, &about);
	}
}

void classes_each_fault(const struct classes *classes,
			void (*on_fault)(void *owner, const char *file,
					 const char *fault),
			void *owner)
{
	for (size_t i = 0; i < classes->files.count; i++)
		if (*classes->files.entries[i]->fault)
			on_fault(owner, classes->files.entries[i]->name,
				 classes->files.entries[i]->fault);
}
