# SPDX-License-Identifier: Apache-2.0
"""What stands where a mount was that nobody serves any more, and how the next
mount stands on it."""

import contextlib
import errno
import os
import signal
import stat
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.marked import check_logs
from lib.mounting import Mount, mount
from lib.place import built, is_mounted, mounts, work_directory, write_file
from lib.process import run, run_ok, wait_for_end
from lib.reading import read
from lib.scene import PASSWORD, SECRET
from lib.status import status
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

MARK = "NOT-MOUNTED"
LAYERS_MAX = 8  # of keeper/layers.h


def _source(directory):
    return "file:" + write_file(os.path.join(directory, "app.json"), SECRET)


def _mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def _layers(point):
    return sum(its_point == point for its_point, _ in mounts())


def _sockets():
    try:
        return set(os.listdir("/run/secretsfs"))
    except FileNotFoundError:
        return set()


class Place:
    """A mount point that is as it was before when all has ended."""

    def __init__(self, directory, mode):
        self.source = _source(directory)
        self.point = os.path.join(directory, "mnt")
        self.directory = directory
        self._count = 0
        os.mkdir(self.point)
        os.chmod(self.point, mode)

    def mount(self, *options):
        self._count += 1
        found = Mount(self.point, self.logs()[-1])
        result = mount(self.point, self.source, *options, log=found.log)
        check_equal((result.code, result.err), (0, ""))
        return found

    def logs(self):
        return [os.path.join(self.directory, f"{number}.log")
                for number in range(1, self._count + 1)]

    def mount_and_kill(self):
        """The keeper and the worker die at once, the notifier with them."""
        found = self.mount()
        pids = found.keeper_pid(), found.worker_pid()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            wait_for_end(pid, "a process")
        wait_until(self.is_dead, "nobody serves it any more")

    def is_dead(self):
        try:
            os.listdir(self.point)
        except OSError as error:
            return error.errno == errno.ENOTCONN
        return False

    def unmount(self):
        return run(built("secretsfs"), "unmount", self.point)


@contextlib.contextmanager
def place(mode=0o755):
    with work_directory() as directory:
        found = Place(directory, mode)
        try:
            yield found
            check_equal(_layers(found.point), 0, "mounts left")
            check_equal(_mode(found.point), mode)
            check_equal(os.listdir(found.point), [])
            check_logs(*found.logs())
        finally:
            while is_mounted(found.point):
                run_ok("umount", "-l", found.point)


@contextlib.contextmanager
def below(point):
    """A descriptor of the directory that a mount is to cover."""
    fd = os.open(point, os.O_PATH | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


@case
def the_directory_below_a_mount_says_so_and_is_closed():
    with place(0o751) as here, below(here.point) as fd:
        here.mount()
        check_equal(_mode(f"/proc/self/fd/{fd}"), 0)
        check_equal(os.listdir(f"/proc/self/fd/{fd}"), [MARK])
        with open(f"/proc/self/fd/{fd}/{MARK}", encoding="utf-8") as file:
            check("not mounted" in file.read(), "it does not say so")
        check_equal(here.unmount().code, 0)


@case
def it_is_given_back_however_the_mount_ends_cleanly():
    def signalled(mounted):
        os.kill(mounted.keeper_pid(), signal.SIGTERM)

    def taken_off(mounted):
        run_ok("umount", mounted.point)

    def asked(mounted):
        check_equal(mounted.unmount().code, 0)

    for end in signalled, taken_off, asked:
        with place(0o1777) as here:
            mounted = here.mount()
            keeper = mounted.keeper_pid()
            end(mounted)
            wait_for_end(keeper, "keeper")


@case
def a_mount_point_of_somebody_else_is_marked_and_given_back():
    with place() as here, below(here.point) as fd:
        os.chown(here.point, 12345, 23456)
        os.chmod(here.point, 0o2755)
        here.mount()
        about = os.stat(f"/proc/self/fd/{fd}")
        check_equal((stat.S_IMODE(about.st_mode), about.st_uid), (0, 12345))
        check_equal(here.unmount().code, 0)
        check_equal(_mode(here.point), 0o2755)
        os.chmod(here.point, 0o755)


@case
def a_mount_whose_workers_died_leaves_no_empty_directory():
    with place() as here:
        mounted = here.mount("--test-restarts", "1")
        keeper = mounted.keeper_pid()
        os.kill(mounted.worker_pid(), signal.SIGKILL)
        wait_for_end(keeper, "keeper")
        check_equal(_layers(here.point), 0)
        check_equal((_mode(here.point), os.listdir(here.point)), (0, [MARK]))
        result = here.unmount()
        check_equal(result.code, 0, result)
        check("gave the directory back" in result.err, result)


@case
def what_such_a_mount_left_does_not_hinder_the_next_one():
    with place(0o711) as here:
        mounted = here.mount("--test-restarts", "1")
        keeper = mounted.keeper_pid()
        os.kill(mounted.worker_pid(), signal.SIGKILL)
        wait_for_end(keeper, "keeper")
        here.mount()
        check_equal(read(os.path.join(here.point, "password")), PASSWORD)
        check_equal(here.unmount().code, 0)


@case
def a_file_of_that_name_that_is_not_ours_stays():
    with place() as here:
        name = write_file(os.path.join(here.point, MARK), "mine")
        mounted = here.mount()
        wait_until(lambda: "cannot be marked" in mounted.log_text(),
                   "the log says so")
        check_equal(here.unmount().code, 0)
        check_equal((read(name), _mode(here.point)), (b"mine", 0o755))
        os.unlink(name)


@case
def a_start_that_fails_leaves_no_mark():
    with place(0o701) as here:
        result = mount(here.point, "file:" + here.directory + "/none.json")
        check_equal(result.code, 1, result)


@case
def a_mount_on_dead_ones_serves_and_takes_all_off_at_its_end():
    with place() as here:
        sockets = _sockets()
        for count in range(1, 4):
            here.mount_and_kill()
            check_equal(_layers(here.point), count)
        mounted = here.mount()
        check_equal(_layers(here.point), 4)
        check_equal(read(mounted.path("password")), PASSWORD)
        check_equal(status(here.point)["mount"]["deadLayers"], 3)
        check("keepers died" in run_ok(built("secretsfs"), "status",
                                       here.point).out.decode(),
              "the table does not say so")
        wait_until(lambda: "mounted upon mounts whose keepers died "
                   "mount_point=mnt count=3" in mounted.log_text(),
                   "the log says so")
        keeper = mounted.keeper_pid()
        os.kill(keeper, signal.SIGTERM)
        wait_for_end(keeper, "keeper")
        check_equal(_sockets() - sockets, set(), "sockets left")


@case
def unmount_takes_dead_ones_off_without_a_keeper():
    with place(0o710) as here:
        for _ in range(2):
            here.mount_and_kill()
        result = here.unmount()
        check_equal(result.code, 0, result)


@case
def a_dead_mount_keeps_its_errors_and_is_no_empty_directory():
    with place() as here, below(here.point) as fd:
        here.mount_and_kill()
        check(here.is_dead(), "it answers")
        run_ok("umount", "-l", here.point)
        check_equal((_mode(here.point), os.listdir(f"/proc/self/fd/{fd}")),
                    (0, [MARK]))
        check_equal(here.unmount().code, 0)


@case
def dead_mounts_are_stacked_upon_up_to_a_limit():
    with place() as here:
        for _ in range(LAYERS_MAX):
            here.mount_and_kill()
        result = mount(here.point, here.source)
        check_equal(result.code, 1, result)
        check("8 mounts whose keepers died" in result.err, result)
        check_equal(_layers(here.point), LAYERS_MAX)
        check_equal(here.unmount().code, 0)


main()
