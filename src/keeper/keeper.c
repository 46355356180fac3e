/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secretsfs-keeper: mounts, and holds the mounts while a worker without any
 * privilege serves them. It opens what needs root first, gives up all but four
 * capabilities, and from then on knows no network, no secret and no path.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/privacy.h"
#include "keeper/arguments.h"
#include "keeper/descriptor.h"
#include "keeper/environment.h"
#include "keeper/folder.h"
#include "keeper/layers.h"
#include "keeper/privileges.h"
#include "keeper/report.h"
#include "keeper/runtime.h"
#include "keeper/session.h"
#include "keeper/succeed.h"
#include "keeper/superblock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define WORKER_NAME "secretsfs-worker"
#define NOTIFIER_NAME "secretsfs-notifier"
#define EXIT_USAGE 2

struct keeper {
	const struct arguments *arguments;
	struct session *session;
	struct child_plan worker;
	int binary_fd;	 /* the worker's */
	int notifier_fd; /* its binary, or -1 */
	int log_fd;	 /* of --log-file, or -1 */
	int null_fd;
	int report_fd;	   /* whoever waits for us, or -1 */
	struct err limits; /* why they are not as wanted; code 0: they are */
	struct err fence;  /* likewise */
	char found[RUNTIME_PATH_MAX]; /* of whom it succeeds */
};

/* What is opened later must not become someone's standard error. */
static void hold_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	descriptor_done(&fd);
}

static void setup_log(const struct arguments *arguments, bool syslog)
{
	const struct log_settings settings = {
		.program = "secretsfs-keeper",
		.level = arguments->log_level,
		.json = arguments->log_json,
		.syslog = syslog,
	};

	log_setup(&settings);
}

/* What stands beside our own executable: a path is never taken from outside. */
static int open_program(const char *name, int *ret, struct err *err)
{
	char path[PATH_MAX];
	size_t size = strlen(name) + 1;
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - size);
	char *slash;

	if (length < 0)
		return err_set(err, -errno, "/proc/self/exe: %s",
			       strerrordesc_np(errno));
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return err_set(err, -ENOENT, "%s: has no directory", path);
	memcpy(slash + 1, name, size);
	*ret = open(path, O_PATH | O_CLOEXEC);
	return *ret < 0 ? err_set(err, -errno, "%s: %s", path,
				  strerrordesc_np(errno))
			: 0;
}

static int open_log(const char *path, int *ret, struct err *err)
{
	*ret = open(path,
		    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY |
			    O_CLOEXEC,
		    0600);
	return *ret < 0 ? err_set(err, -errno, "%s: %s", path,
				  strerrordesc_np(errno))
			: 0;
}

static int take_found(struct keeper *keeper, int found)
{
	if (found > 0)
		keeper->session->take_over = keeper->found;
	return found < 0 ? found : 0;
}

static int check_vacant(int folder_fd, const char *path, struct err *err)
{
	cleanup_fd int other = runtime_connect_own_directory(folder_fd);

	if (other == -ENOENT || other == -ECONNREFUSED)
		return 0;
	return err_set(err, -EBUSY,
		       "%s: another keeper serves the classes below it", path);
}

static int open_folder(struct keeper *keeper, struct err *err)
{
	const struct arguments *arguments = keeper->arguments;
	struct session *session = keeper->session;
	int r = folder_open(session, arguments->mount_point, err);
	int fd = session->folder.directory_fd;

	if (r == 0 && arguments->succeed)
		r = take_found(keeper,
			       succeed_find_directory(fd, keeper->found, err));
	if (r < 0 || session->take_over)
		return r;
	if (!arguments->succeed)
		r = check_vacant(fd, arguments->mount_point, err);
	return r < 0 ? r : folder_listen(session, err);
}

/* One that is there and has no keeper is mounted upon. */
static int find_mount(struct keeper *keeper, struct err *err)
{
	struct mount *mount = &keeper->session->mounts[0].mount;
	int r = mount_find(mount, keeper->arguments->mount_point, err);

	if (r == 0)
		r = take_found(keeper,
			       succeed_find(mount->device, keeper->found, err));
	else if (r == -ENOENT)
		r = 0;
	if (!keeper->session->take_over)
		mount_done(mount);
	return r;
}

/* Whoever succeeds has asked already, and not by ids of another namespace. */
static int open_vacant(struct mount *mount, const struct arguments *arguments,
		       struct err *err)
{
	const char *path = arguments->mount_point;
	int r = mount_open(mount, path, err);

	return r < 0 || arguments->succeed
		       ? r
		       : layers_check(&mount->layers, path, err);
}

static int open_mount(struct keeper *keeper, struct err *err)
{
	const struct arguments *arguments = keeper->arguments;
	struct session *session = keeper->session;
	struct mount *mount = &session->mounts[0].mount;
	int r;

	session->mounts[0].listening = -1;
	session->mount_count = 1;
	if (session->take_over)
		return mount_find(mount, arguments->mount_point, err);
	mount_init(mount);
	r = arguments->succeed ? find_mount(keeper, err) : 0;
	return r < 0 || session->take_over ? r
					   : open_vacant(mount, arguments, err);
}

static int open_mount_point(struct keeper *keeper, struct err *err)
{
	keeper->session->take_over = keeper->arguments->take_over;
	return keeper->arguments->is_folder ? open_folder(keeper, err)
					    : open_mount(keeper, err);
}

static int open_attach_socket(const struct keeper *keeper, struct err *err)
{
	const struct arguments *arguments = keeper->arguments;
	struct attach *attach = &keeper->session->attach;
	int r = attach_listen(attach, arguments->attach_socket,
			      arguments->worker_uid, arguments->worker_gid,
			      err);

	if (r < 0 || keeper->session->take_over)
		return r;
	attach_sweep(attach);
	r = attach_publish(attach);
	return r < 0 ? err_set(err, r, "--attach-socket %s: %s",
			       arguments->attach_socket, strerrordesc_np(-r))
		     : 0;
}

/* Everything that may be missing, before anything is done. */
static int open_all(struct keeper *keeper, struct err *err)
{
	const struct arguments *arguments = keeper->arguments;
	int r = runtime_prepare(err);

	if (r == 0 && arguments->context)
		r = superblock_check_context(arguments->context, err);
	if (r == 0)
		r = open_mount_point(keeper, err);
	if (r == 0 && !arguments->await_worker)
		r = open_program(WORKER_NAME, &keeper->binary_fd, err);
	if (r == 0 && arguments->attach_socket)
		r = open_attach_socket(keeper, err);
	if (r == 0 && arguments->log_file)
		r = open_log(arguments->log_file, &keeper->log_fd, err);
	if (r < 0)
		return r;
	/* Mounts go on without, and say so: see notifiers.h. */
	(void)open_program(NOTIFIER_NAME, &keeper->notifier_fd, NULL);
	keeper->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (keeper->null_fd < 0)
		return err_set(err, -errno, "/dev/null: %s",
			       strerrordesc_np(errno));
	return 0;
}

static int take_signals(int *ret, struct err *err)
{
	sigset_t ours;

	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGTERM);
	(void)sigaddset(&ours, SIGINT);
	/* Standard error may be a pipe whose reader leaves. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)pthread_sigmask(SIG_BLOCK, &ours, NULL);
	*ret = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	/* They wait for session_run(): what the worker has read by then may be
	 * the file of before. */
	(void)sigaddset(&ours, SIGHUP);
	(void)sigaddset(&ours, SIGUSR1);
	(void)pthread_sigmask(SIG_BLOCK, &ours, NULL);
	return *ret < 0 ? err_set(err, -errno, "signalfd: %s",
				  strerrordesc_np(errno))
			: 0;
}

/* Where a child's last words go: see report_death() in startup.c. */
static int child_error_fd(const struct keeper *keeper)
{
	if (keeper->log_fd >= 0)
		return keeper->log_fd;
	return keeper->arguments->foreground ? STDERR_FILENO : keeper->null_fd;
}

/* The arguments with the program's name in front, for free(3), or NULL. */
static char **name_arguments(char *name, char **arguments)
{
	size_t count = 0;
	char **list;

	while (arguments[count])
		count++;
	list = calloc(count + 2, sizeof(*list));
	if (!list)
		return NULL;
	list[0] = name;
	memcpy(list + 1, arguments, count * sizeof(*list));
	return list;
}

/* For the keeper's whole life: another worker may follow. */
static int plan_worker(struct keeper *keeper, struct err *err)
{
	const struct arguments *arguments = keeper->arguments;
	/* execve(2) takes no constants, and changes none */
	char *name = (char *)(uintptr_t)WORKER_NAME;
	char **environment = environment_for_worker(environ);

	keeper->worker = (struct child_plan){
		.binary_fd = keeper->binary_fd,
		.uid = arguments->worker_uid,
		.gid = arguments->worker_gid,
		.error_fd = child_error_fd(keeper),
		.arguments = name_arguments(name, arguments->worker),
		.environment = environment,
	};
	keeper->session->worker_plan = &keeper->worker;
	if (!keeper->worker.arguments || !environment ||
	    environment_lock_away(environment) < 0)
		return err_set(err, -ENOMEM, "no memory");
	return 0;
}

static int start_worker(struct keeper *keeper, struct err *err)
{
	int r;

	if (keeper->arguments->await_worker) {
		environment_forget(environ);
		return 0;
	}
	r = plan_worker(keeper, err);
	return r < 0 ? r
		     : child_start(&keeper->worker, &keeper->session->worker,
				   err);
}

static int start(struct keeper *keeper, struct err *err)
{
	int r;

	if (chdir("/") < 0)
		return err_set(err, -errno, "/: %s", strerrordesc_np(errno));
	r = take_signals(&keeper->session->signals, err);
	if (r < 0)
		return r;
	(void)privileges_set_limits(&keeper->limits);
	r = privileges_reduce(err);
	if (r < 0)
		return r;
	(void)privileges_fence(&keeper->fence);
	r = start_worker(keeper, err);
	if (r == 0)
		r = session_start(keeper->session, err);
	return r;
}

/* From here on nobody looks at the terminal any more. */
static void leave_terminal(const struct keeper *keeper)
{
	bool foreground = keeper->arguments->foreground;

	if (!foreground) {
		(void)dup2(keeper->null_fd, STDIN_FILENO);
		(void)dup2(keeper->null_fd, STDOUT_FILENO);
	}
	if (keeper->log_fd >= 0)
		(void)dup2(keeper->log_fd, STDERR_FILENO);
	else if (!foreground)
		(void)dup2(keeper->null_fd, STDERR_FILENO);
	setup_log(keeper->arguments, !foreground && keeper->log_fd < 0);
}

static void report_start(const struct keeper *keeper)
{
	const char *mount_point = keeper->arguments->mount_point;
	const struct session *session = keeper->session;

	if (session->phase == PHASE_SERVING)
		log_info("serving",
			 "mount_point=%s mount_id=%" PRIu64 " worker_pid=%d",
			 mount_point, session->mounts[0].mount.id,
			 session->worker.pid);
	else
		log_info("awaiting a worker", "mount_point=%s mounts=%zu",
			 mount_point, session->mount_count);
}

static int run(struct keeper *keeper, const char *manager, struct err *err)
{
	struct session *session = keeper->session;
	int r = start(keeper, err);

	if (r < 0)
		return r;
	leave_terminal(keeper);
	/* Before the report: whoever hears of it may look into the log. */
	report_start(keeper);
	if (keeper->report_fd >= 0 && report_ready(keeper->report_fd) < 0)
		return err_set(err, -EPIPE, "nobody waits for the mount");
	descriptor_done(&keeper->report_fd);
	session->launcher = -1;
	session->notifier_plan = (struct notifier_plan){
		.binary_fd = keeper->notifier_fd,
		.error_fd = child_error_fd(keeper),
	};
	report_to_manager(manager);
	if (keeper->limits.code < 0)
		log_warn("going on with limits that are not as wanted",
			 "why=\"%s\"", keeper->limits.text);
	if (keeper->fence.code < 0)
		log_warn("going on with less of a fence", "why=\"%s\"",
			 keeper->fence.text);
	session->exit_code = session_run(session);
	return 0;
}

static int prepare(struct keeper *keeper, struct err *err)
{
	int r = open_all(keeper, err);

	if (r < 0 || keeper->arguments->foreground)
		return r;
	r = report_detach(err);
	if (r < 0)
		return r;
	keeper->report_fd = keeper->session->launcher = r;
	return 0;
}

/* Reports after everything is undone, so that who hears of it may rely on it.
 */
static int finish(struct keeper *keeper, int r, const struct err *err)
{
	int code = keeper->session->exit_code;

	session_free(TAKE(keeper->session));
	free((void *)(uintptr_t)keeper->worker.arguments);
	free((void *)(uintptr_t)keeper->worker.environment);
	if (r < 0)
		report_failure(keeper->report_fd, code, err->text);
	return code;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct keeper keeper = {
		.arguments = &arguments,
		.binary_fd = -1,
		.notifier_fd = -1,
		.log_fd = -1,
		.null_fd = -1,
		.report_fd = -1,
	};
	struct err err;
	int r;

	hold_standard_descriptors();
	if (privacy_begin(&err) < 0) {
		report_failure(-1, EXIT_FAILURE, err.text);
		return EXIT_FAILURE;
	}
	if (arguments_parse(argc, argv, &arguments, &err) < 0) {
		report_failure(-1, EXIT_USAGE, err.text);
		return EXIT_USAGE;
	}
	setup_log(&arguments, false);
	keeper.session = session_new();
	if (!keeper.session) {
		report_failure(-1, EXIT_FAILURE, "no memory");
		return EXIT_FAILURE;
	}
	keeper.session->heartbeat.limit_ms = arguments.heartbeat_ms;
	keeper.session->deaths.limit = arguments.restarts;
	keeper.session->deaths.is_at_once = arguments.restarts_at_once;
	keeper.session->resends_nothing = arguments.no_resend;
	keeper.session->wish = (struct mount_wish){
		.allow_other = arguments.allow_other,
		.context = arguments.context,
	};
	keeper.session->lingers = arguments.linger;
	keeper.session->leaves_mounts = arguments.leaves_mounts;
	r = prepare(&keeper, &err);
	if (r == 0)
		r = run(&keeper, secure_getenv("NOTIFY_SOCKET"), &err);
	return finish(&keeper, r, &err);
}
