/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mode is opened for the owner while the file is looked at, since without
 * capabilities not even root may look into a directory of mode 0000. chmod(2)
 * goes through /proc, because fchmod(2) refuses a descriptor of O_PATH.
 */
#include "keeper/vacant.h"
#include "base/macros.h"
#include "base/parse.h"
#include "keeper/descriptor.h"
#include "keeper/owner.h"
#include "keeper/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REASON "secretsfs is not mounted here: there are no secrets.\n"
#define MODE_KEY "mode "
#define MADE_TAIL " made"
#define ABOVE_TAIL " above"
#define MARK_MAX 128

struct mark {
	unsigned mode;
	struct vacant_made made;
};

static int change_mode(int fd, mode_t mode)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) < 0 ? -errno : 0;
}

static int format_mark(const struct mark *mark, char *text)
{
	return snprintf(text, MARK_MAX, REASON MODE_KEY "%04o%s%s\n",
			mark->mode, mark->made.place ? MADE_TAIL : "",
			mark->made.above ? ABOVE_TAIL : "");
}

/* text is changed. Whether it is what format_mark() writes. */
static bool parse_mark(char *text, struct mark *ret)
{
	char again[MARK_MAX];
	char copy[MARK_MAX];
	char *mode;
	char *tail;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	if (strncmp(text, REASON MODE_KEY, strlen(REASON MODE_KEY)) != 0)
		return false;
	mode = text + strlen(REASON MODE_KEY);
	mode[strcspn(mode, "\n")] = '\0';
	ret->made.place = strstr(mode, MADE_TAIL) != NULL;
	ret->made.above = strstr(mode, ABOVE_TAIL) != NULL;
	tail = strchr(mode, ' ');
	if (tail)
		*tail = '\0';
	if (parse_octal(mode, 07777, &ret->mode) < 0)
		return false;
	(void)format_mark(ret, again);
	return strcmp(copy, again) == 0;
}

/* Only a plain file of the directory's owner is a mark. */
static bool read_mark(int directory_fd, const struct stat *directory,
		      struct mark *ret)
{
	cleanup_fd int fd =
		openat(directory_fd, VACANT_FILE,
		       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[MARK_MAX];
	struct stat file;
	ssize_t length;

	if (fd < 0 || fstat(fd, &file) < 0 || !S_ISREG(file.st_mode) ||
	    file.st_uid != directory->st_uid)
		return false;
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return false;
	text[length] = '\0';
	return parse_mark(text, ret);
}

static int write_mark(int directory_fd, const struct mark *mark)
{
	char text[MARK_MAX];
	int length = format_mark(mark, text);
	cleanup_fd int fd = openat(
		directory_fd, VACANT_FILE,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	ssize_t written;
	int code;

	if (fd < 0)
		return -errno;
	written = write(fd, text, (size_t)length);
	code = written < 0 ? -errno : written < length ? -ENOSPC : 0;
	/* What the umask took. */
	if (code == 0 && fchmod(fd, 0444) < 0)
		code = -errno;
	if (code < 0)
		(void)unlinkat(directory_fd, VACANT_FILE, 0);
	return code;
}

/* The mode in which the directory's owner may work in it. */
static int open_to_owner(int fd, const struct stat *about)
{
	mode_t mode = about->st_mode & 07777;

	return (mode & S_IRWXU) == S_IRWXU ? 0
					   : change_mode(fd, mode | S_IRWXU);
}

static int mark_opened(int fd, const struct stat *about,
		       struct vacant_made made)
{
	struct mark mark = { .mode = about->st_mode & 07777, .made = made };
	bool is_marked = read_mark(fd, about, &mark);
	int r;

	if (!is_marked) {
		r = write_mark(fd, &mark);
		if (r < 0)
			return r;
	}
	/* fusermount3 of an ordinary user has to enter the directory. */
	r = change_mode(fd, geteuid() == 0 ? 0 : (mode_t)mark.mode);
	if (r < 0 && !is_marked)
		(void)unlinkat(fd, VACANT_FILE, 0);
	return r < 0 ? r : is_marked;
}

int vacant_mark(int directory_fd, struct vacant_made made)
{
	struct owner owner;
	struct stat about;
	int r;

	if (fstat(directory_fd, &about) < 0)
		return -errno;
	owner_become(&owner, &about);
	r = open_to_owner(directory_fd, &about);
	if (r == 0)
		r = mark_opened(directory_fd, &about, made);
	if (r < 0)
		(void)change_mode(directory_fd, about.st_mode & 07777);
	owner_leave(&owner);
	return r;
}

static int check_empty(int directory_fd)
{
	cleanup_fd int fd =
		openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_listing DIR *listing = fd < 0 ? NULL : fdopendir(fd);

	if (!listing)
		return -errno;
	(void)descriptor_take(&fd);
	for (;;) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): it has one thread */
		const struct dirent *entry = readdir(listing);

		if (!entry)
			return 0;
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return -ENOTEMPTY;
	}
}

int vacant_check(int directory_fd)
{
	struct owner owner;
	struct stat about;
	struct mark mark;
	bool is_closed;
	int r = 0;

	if (fstat(directory_fd, &about) < 0)
		return -errno;
	is_closed =
		(about.st_mode & (S_IRUSR | S_IXUSR)) != (S_IRUSR | S_IXUSR);
	owner_become(&owner, &about);
	if (is_closed)
		r = open_to_owner(directory_fd, &about);
	if (r == 0 && !read_mark(directory_fd, &about, &mark))
		r = check_empty(directory_fd);
	if (is_closed)
		(void)change_mode(directory_fd, about.st_mode & 07777);
	owner_leave(&owner);
	return r;
}

static int unmark_opened(int fd, const struct stat *about,
			 struct vacant_made *ret_made)
{
	struct mark mark;

	if (!read_mark(fd, about, &mark))
		return 1;
	if (unlinkat(fd, VACANT_FILE, 0) < 0)
		return -errno;
	*ret_made = mark.made;
	return change_mode(fd, (mode_t)mark.mode);
}

int vacant_unmark(int directory_fd, struct vacant_made *ret_made)
{
	struct owner owner;
	struct stat about;
	int r;

	if (fstat(directory_fd, &about) < 0)
		return -errno;
	owner_become(&owner, &about);
	r = open_to_owner(directory_fd, &about);
	if (r == 0)
		r = unmark_opened(directory_fd, &about, ret_made);
	if (r != 0)
		(void)change_mode(directory_fd, about.st_mode & 07777);
	owner_leave(&owner);
	return r;
}
