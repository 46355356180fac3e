/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting is the keeper's work. Here the command line is read, what can be
 * said at once is said, and the keeper is executed with what it needs and with
 * the worker's own arguments.
 */
#include "aws/environment.h"
#include "base/err.h"
#include "base/macros.h"
#include "command.h"
#include "config.h"
#include "config/options.h"
#include "config/source_text.h"
#include "keeper/descriptor.h"
#include "keeper/mountinfo.h"
#include "keeper/place.h"
#include "keeper/runtime.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEPER_NAME "secretsfs-keeper"
#define FSTYPE "fuse.secretsfs"
#define PASSWD_LINE_MAX 8192
/* The kernel's overflow uid: nobody, also where no file names him. */
#define NOBODY_ID 65534
#define NUMBER_MAX 16
#define KEEPER_ARGUMENTS_MAX 26
#define PATHS_MADE_MAX 3 /* SOURCE, --offline, --log-file */

/* All that the keeper's command line is made of. */
struct launch {
	struct options options;
	char mount_point[PATH_MAX];
	char keeper[PATH_MAX];
	uid_t worker_uid;
	gid_t worker_gid;
	bool is_folder;		    /* of classes, each of which is a mount */
	char *made[PATHS_MADE_MAX]; /* paths that options point into */
	size_t made_count;
};

static void launch_done(struct launch *launch)
{
	for (size_t i = 0; i < launch->made_count; i++)
		free(launch->made[i]);
	options_done(&launch->options);
}

static bool is_regular_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Whether SOURCE is a directory of classes. */
static bool is_folder(const char *text)
{
	struct source_text source;

	return source_text_parse(text, &source, NULL) == 0 &&
	       source.kind == SOURCE_CLASS && is_directory(source.text);
}

/* What can be said of SOURCE without a worker. */
static int check_source(const struct options *options, struct err *err)
{
	const char *text = options->source;
	struct source_text source;
	int r = source_text_parse(text, &source, err);

	if (r == 0 && source.kind == SOURCE_SECRET && source.text == text &&
	    is_regular_file(text))
		return err_set(err, -EINVAL,
			       "SOURCE '%s' is a file here; write ./%s for a "
			       "class, file:%s for a secret in it, or "
			       "secretsmanager:%s for the secret",
			       text, text, text, text);
	if (r == 0 && options->class_name && is_folder(text))
		return err_set(err, -EINVAL,
			       "--class chooses a class of one file, and '%s' "
			       "is a directory",
			       text);
	return r;
}

/* 0; -ENOENT: no such user. */
static int find_user(const char *name, struct launch *launch)
{
	char line[PASSWD_LINE_MAX];
	struct passwd entry;
	struct passwd *found = NULL;
	int r = getpwnam_r(name, &entry, line, sizeof(line), &found);

	if (!found)
		return r > 0 ? -r : -ENOENT;
	launch->worker_uid = entry.pw_uid;
	launch->worker_gid = entry.pw_gid;
	return 0;
}

/* Who is not root can only start what runs as himself. */
static int stay_user(struct launch *launch, struct err *err)
{
	const struct options *options = &launch->options;

	launch->worker_uid = geteuid();
	launch->worker_gid = getegid();
	if (options->worker_user)
		return err_set(err, -EPERM,
			       "--worker-user: only root can choose who the "
			       "worker runs as");
	if (options->has_owner && options->owner_uid != geteuid())
		return err_set(err, -EPERM,
			       "--owner: without root the files are your own");
	return 0;
}

static int choose_worker_user(struct launch *launch, struct err *err)
{
	const char *name = launch->options.worker_user;

	if (geteuid() != 0)
		return stay_user(launch, err);
	if (!name && find_user("secretsfs", launch) < 0 &&
	    find_user("nobody", launch) < 0) {
		launch->worker_uid = NOBODY_ID;
		launch->worker_gid = NOBODY_ID;
	}
	if (name && find_user(name, launch) < 0)
		return err_set(err, -ENOENT, "--worker-user: no user '%s'",
			       name);
	if (launch->worker_uid == 0)
		return err_set(err, -EPERM,
			       "--worker-user: '%s' is root, and the worker "
			       "does not run as root",
			       name ? name : "secretsfs");
	return 0;
}

/* A dead mount is stacked upon, since consumers of it heal only so; looking
 * into it would be an error, and into one that hangs, for ever. */
static int check_not_served(const struct mountinfo *mount, struct err *err)
{
	cleanup_fd int keeper = runtime_connect(mount->id);

	if (keeper == -ENOENT || keeper == -ECONNREFUSED)
		return 0;
	return err_set(err, -EBUSY, "%s: a secretsfs is mounted there already",
		       mount->mount_point);
}

/* Mounts are to come and go below it, so itself it is none of ours. */
static int check_folder(const char *path, struct err *err)
{
	cleanup_fd int fd =
		open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_fd int keeper = -1;

	if (fd < 0)
		return err_set(err, -errno, "mount point %s: %s", path,
			       strerrordesc_np(errno));
	keeper = runtime_connect_directory(fd);
	if (keeper == -ENOENT || keeper == -ECONNREFUSED)
		return 0;
	return err_set(err, -EBUSY,
		       "%s: classes of another secretsfs are mounted below it "
		       "already",
		       path);
}

static int check_mount_point(const struct launch *launch, struct err *err)
{
	const char *path = launch->mount_point;
	struct mountinfo mount;
	struct stat status;

	if (mountinfo_find(MOUNTINFO_SELF, path, &mount) == 0 &&
	    strcmp(mount.fstype, FSTYPE) == 0)
		return launch->is_folder
			       ? err_set(err, -EBUSY,
					 "%s: a secretsfs is mounted there, "
					 "and a directory of classes needs a "
					 "plain directory",
					 path)
			       : check_not_served(&mount, err);
	if (lstat(path, &status) < 0)
		return err_set(err, -errno, "mount point %s: %s", path,
			       strerrordesc_np(errno));
	if (!S_ISDIR(status.st_mode))
		return err_set(err, -ENOTDIR, "mount point %s: %s", path,
			       S_ISLNK(status.st_mode)
				       ? "a symbolic link; give what it names"
				       : "not a directory");
	return launch->is_folder ? check_folder(path, err) : 0;
}

/* The keeper works in "/", so a path has to say where it starts. Sets *path,
 * which may be NULL, to one with prefix that does. */
static int make_absolute(struct launch *launch, const char *prefix,
			 const char *relative, const char **path,
			 struct err *err)
{
	char directory[PATH_MAX];
	char *made;

	if (!relative || *relative == '/')
		return 0;
	if (!getcwd(directory, sizeof(directory)))
		return err_set(err, -errno, "the current directory: %s",
			       strerrordesc_np(errno));
	if (asprintf(&made, "%s%s/%s", prefix, directory, relative) < 0)
		return err_set(err, -ENOMEM, "no memory");
	launch->made[launch->made_count++] = made;
	*path = made;
	return 0;
}

static int make_paths_absolute(struct launch *launch, struct err *err)
{
	static const char prefix[] = "file:";
	struct options *options = &launch->options;
	struct source_text source;
	int r = source_text_parse(options->source, &source, err);

	if (r < 0)
		return r;
	if (source.kind == SOURCE_FILE)
		r = make_absolute(launch, prefix,
				  options->source + strlen(prefix),
				  &options->source, err);
	else if (source.kind == SOURCE_CLASS)
		r = make_absolute(launch, "", options->source, &options->source,
				  err);
	if (r == 0)
		r = make_absolute(launch, "", options->offline,
				  &options->offline, err);
	if (r == 0)
		r = make_absolute(launch, "", options->log_file,
				  &options->log_file, err);
	return r;
}

/* The keeper's arguments, all borrowed. */
struct command_line {
	const char **list;
	size_t count;
	char uid[NUMBER_MAX];
	char gid[NUMBER_MAX];
	char heartbeat[NUMBER_MAX];
};

static void add(struct command_line *line, const char *argument)
{
	line->list[line->count++] = argument;
}

static void add_pair(struct command_line *line, const char *name,
		     const char *value)
{
	if (!value)
		return;
	add(line, name);
	add(line, value);
}

static void add_flag(struct command_line *line, const char *name, bool is_set)
{
	if (is_set)
		add(line, name);
}

/* See arguments.h of the keeper. */
static void fill_command_line(struct command_line *line,
			      const struct launch *launch, char **worker)
{
	const struct options *options = &launch->options;

	(void)snprintf(line->uid, sizeof(line->uid), "%u", launch->worker_uid);
	(void)snprintf(line->gid, sizeof(line->gid), "%u", launch->worker_gid);
	add(line, KEEPER_NAME);
	add_pair(line, "--mount-point", launch->mount_point);
	add_pair(line, "--worker-uid", line->uid);
	add_pair(line, "--worker-gid", line->gid);
	add_flag(line, "--folder", launch->is_folder);
	add_flag(line, "--allow-other", options->allow_other);
	add_pair(line, "--context", options->context);
	add_flag(line, "--foreground", options->foreground);
	add_flag(line, "--log-json", options->log_json);
	add_pair(line, "--log-level", log_level_name(options->log_level));
	add_pair(line, "--log-file", options->log_file);
	add_pair(line, "--restarts", options->test_restarts);
	add_flag(line, "--restarts-at-once", options->test_restarts != NULL);
	add_flag(line, "--no-resend", options->test_no_resend);
	(void)snprintf(line->heartbeat, sizeof(line->heartbeat), "%" PRId64,
		       options->heartbeat_ms);
	add_pair(line, "--heartbeat-ms", line->heartbeat);
	add(line, "--");
	for (; *worker; worker++)
		add(line, *worker);
}

/* Returns only if it failed. */
static int execute(const struct launch *launch, struct err *err)
{
	char **worker = options_worker_arguments(&launch->options);
	struct command_line line = { 0 };
	size_t worker_count = 0;
	int r;

	while (worker && worker[worker_count])
		worker_count++;
	line.list = calloc(KEEPER_ARGUMENTS_MAX + worker_count + 1,
			   sizeof(*line.list));
	if (worker && line.list) {
		fill_command_line(&line, launch, worker);
		execv(launch->keeper, (char *const *)(uintptr_t)line.list);
		r = err_set(err, -errno, "%s: %s", launch->keeper,
			    strerrordesc_np(errno));
	} else {
		r = err_set(err, -ENOMEM, "no memory");
	}
	free(line.list);
	free(worker);
	return r;
}

static int prepare(struct launch *launch, struct err *err)
{
	struct options *options = &launch->options;
	int r;

	launch->is_folder = is_folder(options->source);
	r = choose_worker_user(launch, err);
	if (r == 0)
		r = place_resolve(options->mount_point, launch->mount_point,
				  err);
	if (r == 0)
		r = check_mount_point(launch, err);
	if (r == 0)
		r = make_paths_absolute(launch, err);
	if (r == 0)
		r = program_find(KEEPER_NAME, launch->keeper, err);
	if (r == 0)
		r = aws_environment_name_files(err);
	if (r < 0)
		return r;
	options->mount_point = launch->mount_point;
	options->allow_credential_process |= getuid() != 0;
	if (!options->has_owner) {
		options->has_owner = true;
		options->owner_uid = getuid();
		options->owner_gid = getgid();
	}
	return 0;
}

int command_mount(int argc, char **argv)
{
	CLEANUP(launch_done) struct launch launch = { 0 };
	struct options *options = &launch.options;
	struct err err;

	options_init(options);
	if (options_parse(options, argc, argv, &err) < 0) {
		command_complain("%s (secretsfs --help says more)", err.text);
		return EXIT_USAGE;
	}
	if (options->help || options->version) {
		(void)fputs(options->help ? options_help()
					  : PACKAGE_STRING "\n",
			    stdout);
		return EXIT_SUCCESS;
	}
	if (check_source(options, &err) < 0) {
		command_complain("%s", err.text);
		return EXIT_USAGE;
	}
	if (prepare(&launch, &err) == 0)
		(void)execute(&launch, &err);
	command_complain("%s", err.text);
	return EXIT_FAILURE;
}
