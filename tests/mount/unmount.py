# SPDX-License-Identifier: Apache-2.0
"""However a mount ends, nothing of it stays."""

import os
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import Mount, mount, mounted_at
from lib.place import built, is_mounted, work_directory, write_file
from lib.process import run, run_ok, running, wait_for_end
from lib.reading import read
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until


def _source(directory):
    return "file:" + write_file(os.path.join(directory, "app.json"),
                                '{"password": "x"}')


def _runtime_files():
    try:
        return set(os.listdir("/run/secretsfs"))
    except FileNotFoundError:
        return set()


@case
def unmount_ends_mount_and_processes():
    with work_directory() as directory:
        before = _runtime_files()
        with mounted_at(directory, _source(directory)) as found:
            pids = found.worker_pid(), found.keeper_pid()
            check(_runtime_files() - before, "a way to find the keeper")
            result = found.unmount()
            check_equal((result.code, result.err), (0, ""))
            check(not is_mounted(found.point), "still mounted")
            for pid in pids:
                wait_for_end(pid, "a process")
        check_equal(_runtime_files() - before, set(), "left behind")


@case
def a_busy_mount_is_unmounted_too():
    with work_directory() as directory:
        with mounted_at(directory, _source(directory)) as found:
            fd = os.open(found.path("password"), os.O_RDONLY)
            try:
                result = found.unmount()
                check_equal((result.code, result.err), (0, ""))
                check(not is_mounted(found.point), "still mounted")
                check_equal(os.listdir(found.point), [], "below it")
            finally:
                os.close(fd)


@case
def a_mount_that_is_somebodys_directory_is_unmounted_too():
    with work_directory() as directory:
        with mounted_at(directory, _source(directory)) as found, \
                running("sleep", "100", cwd=found.point):
            result = found.unmount()
            check_equal((result.code, result.err), (0, ""))
            check(not is_mounted(found.point), "still mounted")


@case
def umount_from_outside_ends_the_processes():
    for arguments in (("umount",), ("umount", "-l")):
        with work_directory() as directory:
            before = _runtime_files()
            with mounted_at(directory, _source(directory)) as found:
                read(found.path("password"))
                pids = found.worker_pid(), found.keeper_pid()
                run_ok(*arguments, found.point)
                for pid in pids:
                    wait_for_end(pid, "a process")
            check_equal(_runtime_files() - before, set(), "left behind")


@case
def SIGTERM_to_the_keeper_unmounts():
    with work_directory() as directory:
        with mounted_at(directory, _source(directory)) as found:
            os.kill(found.keeper_pid(), signal.SIGTERM)
            wait_until(lambda: not is_mounted(found.point), "unmounted")


@case
def the_last_worker_that_may_die_ends_the_mount_and_says_so():
    with work_directory() as directory:
        with mounted_at(directory, _source(directory), "--test-restarts", "1",
                        expect_death=True) as found:
            keeper = found.keeper_pid()
            os.kill(found.worker_pid(), signal.SIGKILL)
            wait_for_end(keeper, "keeper")
            wait_until(lambda: not is_mounted(found.point), "unmounted")
            check("the worker died" in found.log_text(), "no line says so")


@case
def a_path_with_odd_characters_mounts_and_unmounts():
    with work_directory() as directory:
        with mounted_at(directory, _source(directory),
                        name="a b\tc\\d") as found:
            check_equal(read(found.path("password")), b"x")
            check_equal(found.unmount().code, 0)


@case
def a_relative_mount_point_serves():
    with work_directory() as directory:
        source = _source(directory)
        os.mkdir(os.path.join(directory, "mnt"))
        point = os.path.join(directory, "mnt")
        run_ok(built("secretsfs"), source, "mnt", cwd=directory)
        try:
            check_equal(read(os.path.join(point, "password")), b"x")
            run_ok(built("secretsfs"), "unmount", "mnt/", cwd=directory)
            check(not is_mounted(point), "still mounted")
        finally:
            if is_mounted(point):
                run("umount", "-l", point)


@case
def two_mounts_end_one_by_one():
    with work_directory() as directory:
        source = _source(directory)
        with mounted_at(directory, source, name="one") as one, \
                mounted_at(directory, source, name="two") as two:
            check_equal(one.unmount().code, 0)
            check_equal(read(two.path("password")), b"x")


@case
def the_command_returns_when_the_mount_serves():
    with work_directory() as directory:
        source = _source(directory)
        for number in range(5):
            point = os.path.join(directory, f"mnt{number}")
            result = mount(point, source)
            check_equal((result.code, result.err), (0, ""))
            content = read(os.path.join(point, "password"))
            check_equal(Mount(point, None).unmount().code, 0)
            check_equal(content, b"x")


@case
def foreground_stays_until_the_mount_ends():
    with work_directory() as directory:
        point = os.path.join(directory, "mnt")
        os.mkdir(point)
        with running(built("secretsfs"), "-f", _source(directory),
                     point) as process:
            wait_until(lambda: is_mounted(point), "mounted")
            check_equal(read(os.path.join(point, "password")), b"x")
            check_equal(process.poll(), None, "still running")
            check_equal(Mount(point, None).unmount().code, 0)
            check_equal(process.wait(10), 0, "exit code")


main()
