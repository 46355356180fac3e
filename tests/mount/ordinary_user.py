# SPDX-License-Identifier: Apache-2.0
"""Who is not root mounts by fusermount3, and is promised the same.

That nobody notices workers that die: user_survives.py. What root is told of
such mounts: users_mounts.py.
"""

import os
import signal
import stat
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import KEY_ID, SECRET_KEY
from lib.clock import Clock
from lib.inotify import DELETE_SELF, MOVED_TO, Watch
from lib.mounting import mount, mounted_at
from lib.place import built, is_mounted, work_directory, write_file
from lib.process import run, run_ok, status_field
from lib.reading import error_of, read
from lib.scene import PASSWORD, SECRET, aws_directory, write_class
from lib.status import status
from lib.tap import case, check, check_equal
from lib.user import (FUSERMOUNT, USER, app_file, as_said_by_the_user, bound,
                      fuse_node, the_user, user_case, user_main)
from lib.verifying import mount_ids
from lib.wait import wait_until

TTL = 60


def _app(directory, content=SECRET):
    return app_file(directory, content)


def _command(*arguments, **variables):
    return as_said_by_the_user("secretsfs", *arguments, **variables)


def _check_refused(what, words, *arguments, **variables):
    code, err = _command(*arguments, **variables)
    check(code == 1 and all(word in err for word in words), what, code, err)
    check(not is_mounted(arguments[-1]), what, "is mounted")
    check_equal(os.listdir(arguments[-1]), [], what)


@case
def what_is_missing_is_named():
    user, app = the_user(), _app(the_user().home)
    os.chown(app[len("file:"):], USER.pw_uid, USER.pw_gid)
    with work_directory() as roots:
        _check_refused("a directory of root's", ("belongs to uid 0",), app,
                       roots)
    with bound(fuse_node("/run", 0o600), "/dev/fuse"):
        _check_refused("a closed device", ("/dev/fuse: Permission denied",),
                       app, user.point)
    with bound("/dev/null", FUSERMOUNT):
        _check_refused("no fusermount3", ("fusermount3", "package fuse3"),
                       app, user.point)
    _check_refused("no runtime directory",
                   (f"/run/user/{USER.pw_uid}/secretsfs", "XDG_RUNTIME_DIR"),
                   app, user.point, XDG_RUNTIME_DIR="")
    _check_refused("a context", ("--context", "only root"), "--context",
                   "a:b:c:d", app, user.point)
    _check_refused("a user for the worker", ("--worker-user", "only root"),
                   "--worker-user", "daemon", app, user.point)
    _check_refused("files of another", ("--owner",), "--owner", "0", app,
                   user.point)


@case
def others_come_in_only_where_the_machine_allows_it():
    user, app = the_user(), "file:" + os.path.join(the_user().home, "app.json")
    closed = write_file("/run/closed.conf", "# nothing\n")
    with bound(closed, "/etc/fuse.conf"):
        _check_refused("no user_allow_other", ("user_allow_other",
                                               "/etc/fuse.conf"),
                       "-o", "allow_other", app, user.point)
    with bound(write_file("/run/open.conf", "user_allow_other\n"),
                "/etc/fuse.conf"):
        code, err = _command("-o", "allow_other", "--mode", "0444",
                             "--dir-mode", "0555", app, user.point)
        check_equal((code, err), (0, ""))
        try:
            password = os.path.join(user.point, "password")
            check_equal(read(password), PASSWORD)
            # not even whom no mode stops
            check_equal(error_of(os.truncate, password, 0), "EROFS")
            with open(password, "r+b", buffering=0) as file:
                check_equal(error_of(file.write, b"x"), "EROFS")
            check_equal(error_of(os.unlink, password), "EROFS")
            check_equal(read(password), PASSWORD)
        finally:
            check_equal(_command("unmount", user.point), (0, ""))
    check_equal(os.listdir(user.point), [])


def _events_of_a_rotation():
    """What a watcher of the directory and one of a file hear."""
    with aws_directory() as (directory, aws):
        clock = Clock(directory)
        with mounted_at(directory, "app", "--ttl", f"{TTL}s", *clock.options,
                         env=aws.environment()) as found:
            wait_until(lambda: "notifier mount=0 pid=" in found.log_text(),
                       "a notifier")
            read(found.path("password"))
            os.stat(found.path("username"))
            with Watch(found.point) as names, \
                    Watch(found.path("password")) as file:
                aws.put("app", '{"username": "ada", "password": "new"}')

                # A reader that came before the notifier would be heard of,
                # too.
                def is_renamed():
                    clock.advance(TTL)
                    return found.requests("RENAME") >= 2
                wait_until(is_renamed, "the new version")
                check_equal(read(found.path("password")), b"new")
                names.wait_for(MOVED_TO, "password")
                names.wait_for(MOVED_TO, "username")
                file.wait_for(DELETE_SELF, "")
                return sorted(set(names.read())), sorted(set(file.read()))


_roots_events = []


@case
def root_hears_of_a_rotation():
    _roots_events.extend(_events_of_a_rotation())
    check(all(_roots_events), _roots_events)


@user_case
def a_user_hears_the_same(_user_):
    check_equal(list(_events_of_a_rotation()), _roots_events, "events")


@user_case
def nobody_but_the_notifier_changes_anything(_user_):
    with work_directory() as directory, \
            mounted_at(directory, _app(directory), "--mode", "0666",
                        "--dir-mode", "0577") as found:
        password, new = found.path("password"), found.path("new")
        check_equal(stat.S_IMODE(os.stat(password).st_mode), 0o444, "a file")
        check_equal(stat.S_IMODE(os.stat(found.point).st_mode), 0o755,
                    "a directory")
        own = write_file(os.path.join(directory, "own"), "x")
        for code, change, *arguments in (
                ("EACCES", os.open, password, os.O_WRONLY),
                ("EACCES", os.truncate, password, 0),
                ("EROFS", os.open, new, os.O_WRONLY | os.O_CREAT),
                ("EROFS", os.chmod, password, 0o600),
                ("EROFS", os.utime, password, (0, 0)),
                ("EROFS", os.unlink, password),
                ("EROFS", os.rename, password, new),
                ("EROFS", os.rename, password, found.path("username")),
                ("EROFS", os.link, password, new),
                ("EROFS", os.symlink, "x", new),
                ("EROFS", os.mkdir, new),
                ("EROFS", os.mkfifo, new),
                ("EXDEV", os.rename, own, new),
                ("ENOENT", os.stat, found.path("..new-2")),
                ("EROFS", os.chmod, found.point, 0o500),
                ("EROFS", os.setxattr, found.point, "user.x", b"x")):
            check_equal(error_of(change, *arguments), code,
                        f"{change.__name__} {arguments}")
        check_equal(read(password), PASSWORD)
        check_equal(sorted(os.listdir(found.point)),
                    ["app", "password", "port", "username"])


@user_case
def what_is_the_users_own_is_read_as_the_user(user):
    with aws_directory() as (directory, aws):
        private = os.path.join(user.home, "private")
        os.makedirs(private, 0o700, exist_ok=True)
        source = write_class(private, "app")
        os.chmod(source, 0o600)
        keys = write_file(os.path.join(user.home, ".aws", "credentials"),
                          f"[default]\naws_access_key_id={KEY_ID}\n"
                          f"aws_secret_access_key={SECRET_KEY}\n", 0o600)
        env = aws.bare_environment(AWS_SHARED_CREDENTIALS_FILE=keys)
        with mounted_at(directory, source, env=env) as found:
            check_equal(read(found.path("app")), SECRET.encode())
            worker, keeper = found.worker_pid(), found.keeper_pid()
            for pid in (worker, keeper):
                check_equal(status_field(pid, "Uid").split(),
                            [str(USER.pw_uid)] * 4)
                check_equal(status_field(pid, "CapPrm"), "0" * 16)
            check_equal(status_field(worker, "NoNewPrivs"), "1")
            for command in ("status", "refresh"):
                result = run(built("secretsfs"), command, found.point)
                check(result.code == 0, result)


@user_case
def a_users_worker_and_notifier_have_nothing_that_they_could_use(_user_):
    with work_directory() as directory, \
            mounted_at(directory, _app(directory)) as found:
        check_equal(read(found.path("password")), PASSWORD)
        wait_until(lambda: status(found.point)["pids"]["notifier"],
                   "a notifier", 20)
        pids = status(found.point)["pids"]
        for who in ("worker", "notifier"):
            for field in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                check_equal(status_field(pids[who], field), "0" * 16,
                            f"{field} of the {who}")
            wait_until(lambda: status_field(pids[who], "Seccomp") == "2",
                       f"the {who} has a filter", 20)
            check_equal(status_field(pids[who], "NoNewPrivs"), "1",
                        f"no_new_privs of the {who}")


@user_case
def a_busy_mount_is_unmounted_too(user):
    with work_directory() as directory:
        with mounted_at(directory, _app(directory)) as found:
            with open(found.path("password"), "rb"):
                result = run(built("secretsfs"), "unmount", found.point)
                check_equal((result.code, result.err), (0, ""))
                check(not is_mounted(found.point), "still mounted")
            check_equal(os.listdir(found.point), [])


@user_case
def fusermount3_of_the_users_own_ends_a_mount_too(_user_):
    with work_directory() as directory:
        with mounted_at(directory, _app(directory)) as found:
            read(found.path("password"))
            wait_until(lambda: run(FUSERMOUNT, "-u", found.point).code == 0,
                       "it is not busy")
        wait_until(lambda: os.listdir(found.point) == [], "it ends")


def _kill_keeper(found):
    worker = found.worker_pid()
    os.kill(found.keeper_pid(), signal.SIGKILL)
    wait_until(lambda: status_field(worker, "State") is None,
               "the worker goes with it")
    check_equal(len(mount_ids(found.point)), 1, "mounts")


@user_case
def a_dead_mount_is_replaced(_user):
    with work_directory() as directory:
        app = _app(directory)
        point = os.path.join(directory, "mnt")
        with mounted_at(directory, app, expect_death=True) as found:
            for times in range(1, 4):
                before = mount_ids(point)
                _kill_keeper(found)
                check_equal(error_of(os.listdir, point), "ENOTCONN")
                result = mount(point, app, log=found.log)
                check_equal((result.code, result.err), (0, ""))
                # one that serves is there, and no dead one below it
                check_equal(len(mount_ids(point)), 1, "mounts")
                check(mount_ids(point) != before, "another mount")
                check_equal(read(found.path("password")), PASSWORD)
                check_equal(found.log_text().count(
                    "took mounts off whose keepers died"), times, "lines")
        check_equal(os.listdir(point), [])


@user_case
def fusermount3_mounts_on_no_dead_mount(user):
    """Or a user's dead mount could be mounted upon, as root's is."""
    with work_directory() as directory:
        with mounted_at(directory, _app(directory),
                        expect_death=True) as found:
            _kill_keeper(found)
            result = run(FUSERMOUNT, "-o", "rw", "--", found.point,
                         env={"_FUSE_COMMFD": "0"})
            check(result.code == 1 and
                  "failed to access mountpoint" in result.err, result)
            result = run(built("secretsfs"), "unmount", found.point)
            check(result.code == 0 and "keeper was gone" in result.err, result)
        user.forget_sockets()


@user_case
def a_mount_that_nobody_serves_is_marked_and_given_back(user):
    with work_directory() as directory:
        with mounted_at(directory, _app(directory),
                         expect_death=True) as found:
            _kill_keeper(found)
            run_ok(FUSERMOUNT, "-u", "-z", found.point)
            check_equal(os.listdir(found.point), ["NOT-MOUNTED"])
            result = run(built("secretsfs"), "unmount", found.point)
            check(result.code == 0, result)
            check_equal(os.listdir(found.point), [])
            user.forget_sockets()


@user_case
def each_class_of_a_directory_is_a_mount(_user_):
    with aws_directory() as (directory, aws):
        classes = os.path.join(directory, "classes")
        os.mkdir(classes)
        write_class(classes, "app")
        with mounted_at(directory, classes, env=aws.environment()) as found:
            wait_until(lambda: is_mounted(found.path("class")), "a mount")
            check_equal(read(found.path("class", "app")), SECRET.encode())
            result = found.unmount()
            check_equal((result.code, result.err), (0, ""))
            check_equal(os.listdir(found.point), [])


@user_case
def a_start_that_fails_leaves_nothing(user):
    with work_directory() as directory:
        point = os.path.join(directory, "mnt")
        os.mkdir(point)
        result = run(built("secretsfs"), "--offline", directory,
                     write_file(os.path.join(directory, "bad.yaml"), "a: b"),
                     point)
        check_equal(result.code, 1)
        check("bad.yaml" in result.err, result)
        check_equal((is_mounted(point), os.listdir(point)), (False, []))


user_main()
