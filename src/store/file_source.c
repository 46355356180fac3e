/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files are read where they are asked for, and their results handed out in the
 * loop's next turn, as a network's would be. Every path is resolved beneath
 * the directory that was opened at the start.
 */
#include "store/file_source.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/secret.h"
#include "loop/loop.h"
#include "store/dir_watch.h"
#include "store/file_value.h"
#include "store/listing.h"
#include "store/source.h"
#include "store/value.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_TTL_MS 1000
#define FILE_PATH_MAX 1024
#define SUFFIX ".json"

/* Somebody who replaces a file must do so that often before it is read. */
#define OPEN_TRIES 16

/* A fifo or device must not hold the loop up. */
#define OPEN_TO_READ (O_RDONLY | O_NONBLOCK | O_NOCTTY)

struct file_source {
	struct source base;
	struct loop *loop;
	int directory_fd;
	char *identity;
	struct dir_watch *watch; /* NULL: changes are seen by their age only */
};

struct source_call {
	struct file_source *source;
	struct loop_timer *timer;
	source_on_value *on_value;     /* of a fetch */
	source_on_listing *on_listing; /* of a listing */
	void *owner;
	const char *label; /* what is behind NAME@ in name; NULL: no version */
	char name[];
};

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static void close_directory(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

static void unref_listing(struct listing **listing)
{
	listing_unref(*listing);
}

/* An fd, or negative errno. Nothing that is mounted there is entered: it may be
 * a mount of ours, which waits for an answer of this process. */
static int open_beneath(const struct file_source *source, const char *path,
			uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, source->directory_fd, path, &how,
			  sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Whether every component may be part of a secret's name. */
static bool is_name(const char *name)
{
	if (strlen(name) > FILE_PATH_MAX - sizeof(SUFFIX))
		return false;
	for (;;) {
		if (!*name || *name == '/' || *name == '.')
			return false;
		name = strchr(name, '/');
		if (!name)
			return true;
		name++;
	}
}

/* Opens NAME.json or NAME, whichever is there first. */
static int open_secret(const struct file_source *source, const char *name,
		       bool *ret_is_raw)
{
	char path[FILE_PATH_MAX + 1];
	int fd;

	(void)snprintf(path, sizeof(path), "%s" SUFFIX, name);
	fd = open_beneath(source, path, OPEN_TO_READ);
	*ret_is_raw = false;
	if (fd != -ENOENT)
		return fd;
	*ret_is_raw = true;
	return open_beneath(source, name, OPEN_TO_READ);
}

/* What a reader gets for a file that cannot be read. */
static int refusal(int code, const char *name, struct err *err)
{
	switch (code) {
	case -ENOENT:
	case -ENOTDIR:
		return err_set(err, -ENOENT, "there is no file for '%s'", name);
	case -EACCES:
	case -EPERM:
	case -EXDEV: /* a link that leads out of the directory, or a mount */
	case -ELOOP:
		return err_set(err, -EACCES, "'%s' may not be opened: %s", name,
			       strerrordesc_np(-code));
	case -EFBIG:
		return err_set(err, -EFBIG, "'%s' is longer than %d bytes",
			       name, SECRET_LENGTH_MAX);
	default:
		return err_set(err, -EIO, "'%s' cannot be read: %s", name,
			       strerrordesc_np(-code));
	}
}

static int read_named(const struct file_source *source, const char *name,
		      struct value **ret)
{
	bool is_raw = false;
	CLEANUP(close_fd) int fd = open_secret(source, name, &is_raw);

	return fd < 0 ? fd : file_value_read(fd, is_raw, ret);
}

static int read_secret(const struct source_call *call, struct value **ret,
		       struct err *err)
{
	const char *name = call->name;
	int r = -ESTALE;

	/* no label leads to another directory */
	if (!is_name(name) || (call->label && strchr(call->label, '/')))
		return refusal(-ENOENT, name, err);
	for (int i = 0; i < OPEN_TRIES && r == -ESTALE; i++)
		r = read_named(call->source, name, ret);
	return r == 0 ? 0 : refusal(r, name, err);
}

/* Links count as what they lead to, as long as that is inside. */
static mode_t type_of(const struct file_source *source, const char *prefix,
		      const struct dirent *entry)
{
	CLEANUP(close_fd) int fd = -1;
	char path[FILE_PATH_MAX];
	struct stat state;

	if (entry->d_type == DT_DIR)
		return S_IFDIR;
	if (entry->d_type == DT_REG)
		return S_IFREG;
	if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
		return 0;
	if (snprintf(path, sizeof(path), "%s%s", prefix, entry->d_name) >=
	    (int)sizeof(path))
		return 0;
	fd = open_beneath(source, path, O_PATH);
	if (fd < 0 || fstat(fd, &state) < 0)
		return 0;
	return state.st_mode & S_IFMT;
}

static int list_entry(const struct file_source *source, const char *prefix,
		      struct dirent *entry, struct listing *listing)
{
	mode_t type = type_of(source, prefix, entry);
	size_t length = strlen(entry->d_name);
	size_t suffix = strlen(SUFFIX);

	if (entry->d_name[0] == '.' || (type != S_IFDIR && type != S_IFREG))
		return 0;
	if (type == S_IFREG && length > suffix &&
	    strcmp(entry->d_name + length - suffix, SUFFIX) == 0)
		entry->d_name[length - suffix] = '\0';
	return listing_add(listing, &(struct listing_name){
					    .name = entry->d_name,
					    .is_folder = type == S_IFDIR,
					    .is_secret = type == S_IFREG,
				    });
}

static int fill_listing(const struct file_source *source, const char *prefix,
			struct listing *listing, DIR *directory)
{
	struct dirent *entry;

	for (;;) {
		int r;

		errno = 0;
		/* The stream is this function's own. */
		entry = readdir(directory); /* NOLINT(concurrency-mt-unsafe) */
		if (!entry)
			return -errno;
		r = list_entry(source, prefix, entry, listing);
		if (r < 0)
			return r;
	}
}

static int read_listing(const struct file_source *source, const char *prefix,
			struct listing **ret, struct err *err)
{
	CLEANUP(unref_listing) struct listing *listing = listing_new();
	CLEANUP(close_directory) DIR *directory = NULL;
	char path[FILE_PATH_MAX] = ".";
	int fd;
	int r;

	if (*prefix)
		(void)snprintf(path, sizeof(path), "%.*s",
			       (int)strlen(prefix) - 1, prefix);
	if (*prefix && !is_name(path))
		return refusal(-ENOENT, prefix, err);
	fd = open_beneath(source, path, OPEN_TO_READ | O_DIRECTORY);
	if (fd < 0)
		return refusal(fd, prefix, err);
	directory = fdopendir(fd);
	if (!directory)
		close_fd(&fd);
	if (!directory || !listing)
		return refusal(-ENOMEM, prefix, err);
	r = fill_listing(source, prefix, listing, directory);
	if (r < 0)
		return refusal(r, prefix, err);
	*ret = TAKE(listing);
	return 0;
}

/* The directory that holds the name, or is the prefix, is watched before it is
 * read: a change in between is then told. */
static void watch_parent(struct file_source *source, const char *name)
{
	CLEANUP(close_fd) int fd = -1;
	char parent[FILE_PATH_MAX];
	const char *end = strrchr(name, '/');

	if (!source->watch)
		return;
	(void)snprintf(parent, sizeof(parent), "%.*s",
		       end ? (int)(end - name) + 1 : 0, name);
	fd = open_beneath(source, *parent ? parent : ".", O_PATH | O_DIRECTORY);
	if (fd >= 0)
		dir_watch_add(source->watch, fd, parent);
}

static void on_fetch(void *owner)
{
	struct source_call *call = owner;
	struct value *value = NULL;
	struct err err;

	watch_parent(call->source, call->name);
	if (read_secret(call, &value, &err) < 0)
		call->on_value(call->owner, NULL, &err);
	else
		call->on_value(call->owner, value, NULL);
	value_unref(value);
	free(call);
}

static void on_list(void *owner)
{
	CLEANUP(unref_listing) struct listing *listing = NULL;
	struct source_call *call = owner;
	struct err err;

	watch_parent(call->source, call->name);
	if (read_listing(call->source, call->name, &listing, &err) < 0)
		call->on_listing(call->owner, NULL, &err);
	else
		call->on_listing(call->owner, listing, NULL);
	free(call);
}

/* Appends @LABEL to the name, for which there is room. */
static void put_label(struct source_call *call, const char *label)
{
	size_t name_length = strlen(call->name);

	call->name[name_length] = '@';
	call->label =
		memcpy(call->name + name_length + 1, label, strlen(label) + 1);
}

static struct source_call *start(struct source *base, const char *name,
				 loop_on_time *on_time,
				 const struct source_call *about)
{
	struct file_source *source = (struct file_source *)base;
	size_t length = strlen(name) + 1;
	size_t label_length = about->label ? strlen(about->label) + 1 : 0;
	struct source_call *call =
		malloc(sizeof(*call) + length + label_length);

	if (!call)
		return NULL;
	*call = *about;
	call->source = source;
	memcpy(call->name, name, length);
	if (about->label)
		put_label(call, about->label);
	call->timer = loop_soon(source->loop, on_time, call);
	if (!call->timer) {
		free(call);
		return NULL;
	}
	return call;
}

/* What tells the file of this version from NAME.json; NULL: nothing does. */
static const char *label_of(const struct source_want *want)
{
	if (want->version)
		return want->version;
	if (want->stage && strcmp(want->stage, SOURCE_STAGE_CURRENT) != 0)
		return want->stage;
	return NULL;
}

static struct source_call *file_fetch(struct source *base,
				      const struct source_want *want,
				      source_on_value *on_value, void *owner)
{
	return start(base, want->name, on_fetch,
		     &(struct source_call){ .on_value = on_value,
					    .owner = owner,
					    .label = label_of(want) });
}

static struct source_call *file_list(struct source *base, const char *prefix,
				     source_on_listing *on_listing, void *owner)
{
	return start(base, prefix, on_list,
		     &(struct source_call){ .on_listing = on_listing,
					    .owner = owner });
}

static void file_cancel(struct source_call *call)
{
	loop_timer_cancel(call->timer);
	free(call);
}

static void file_free(struct source *base)
{
	struct file_source *source = (struct file_source *)base;

	dir_watch_free(source->watch);
	close_fd(&source->directory_fd);
	free(source->identity);
	free(source);
}

static const struct source_operations file_operations = {
	.fetch = file_fetch,
	.list = file_list,
	.cancel = file_cancel,
	.free = file_free,
};

static void tell(struct file_source *source, const char *name)
{
	source->base.on_change(source->base.on_change_owner, &source->base,
			       name);
}

/* The file may be a version of each name that ends before one of its '@'. */
static void tell_names(struct file_source *source, char *path)
{
	char *at;

	tell(source, path);
	while ((at = strrchr(path, '@')) && !strchr(at, '/')) {
		*at = '\0';
		tell(source, path);
	}
}

/* The cache must look again at the secret and at the listing it is in. */
static void on_change(void *owner, const char *prefix, const char *name)
{
	struct file_source *source = owner;
	char path[FILE_PATH_MAX];
	size_t length;

	if (!source->base.on_change)
		return;
	if (!prefix || name[0] == '.') {
		tell(source, NULL);
		return;
	}
	tell(source, prefix);
	(void)snprintf(path, sizeof(path), "%s%s", prefix, name);
	length = strlen(path);
	if (length > strlen(SUFFIX) &&
	    strcmp(path + length - strlen(SUFFIX), SUFFIX) == 0) {
		tell(source, path);
		path[length - strlen(SUFFIX)] = '\0';
	}
	tell_names(source, path);
}

static char *make_identity(const char *directory)
{
	char *identity = NULL;

	if (asprintf(&identity, "file:%s", directory) < 0)
		return NULL;
	return identity;
}

int file_source_new(struct loop *loop, const char *directory,
		    struct source **ret, struct err *err)
{
	struct file_source *source = calloc(1, sizeof(*source));

	if (!source)
		return err_set(err, -ENOMEM, "no memory");
	source->base.operations = &file_operations;
	source->base.max_ttl_ms = FILE_TTL_MS;
	source->loop = loop;
	source->identity = make_identity(directory);
	source->base.identity = source->identity;
	source->directory_fd =
		open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source->directory_fd < 0 || !source->identity) {
		int code = source->identity ? -errno : -ENOMEM;

		file_free(&source->base);
		return err_set(err, code, "cannot open the directory '%s': %s",
			       directory, strerrordesc_np(-code));
	}
	source->watch = dir_watch_new(loop, on_change, source);
	source->base.tells_changes = source->watch != NULL;
	*ret = &source->base;
	return 0;
}
