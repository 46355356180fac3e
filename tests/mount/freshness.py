# SPDX-License-Identifier: Apache-2.0
"""A warm read asks nobody; after the TTL one LOOKUP tells what is new."""

import json
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.clock import Clock
from lib.place import work_directory
from lib.reading import check_error, error_of, read, wait_for_content
from lib.scene import PASSWORD, SECRET, aws_mount
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

NEW = json.dumps({"username": "ada", "password": "new and longer value"})


def _warm_up(path):
    """Reads, and asks once what only the first stat after a READ asks."""
    read(path)
    os.stat(path)


def _wait_for_lookup_of(mount, path):
    """Opens the path until that reaches the worker: the TTL is over."""
    name = os.path.basename(path)
    before = mount.requests("LOOKUP", name=name)

    def asked():
        read(path)
        return mount.requests("LOOKUP", name=name) > before
    wait_until(asked, f"a LOOKUP of {name}")


@case
def warm_reads_and_stats_reach_nobody():
    with aws_mount("--ttl", "1h") as scene:
        path = scene.path("password")
        _warm_up(path)
        before = scene.mount.requests()
        for _ in range(1000):
            check_equal(read(path), PASSWORD)
            os.stat(path)
        check_equal(scene.mount.requests(), before, "requests")
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def after_the_TTL_one_LOOKUP_and_no_READ_if_nothing_changed():
    with aws_mount("--ttl", "1s") as scene:
        path = scene.path("password")
        _warm_up(path)
        identity = os.stat(path).st_ino
        lookups = scene.mount.requests("LOOKUP")
        reads = scene.mount.requests("READ")
        opens = scene.mount.requests("OPEN")
        calls = scene.aws.calls()
        _wait_for_lookup_of(scene.mount, path)
        check_equal(scene.mount.requests("LOOKUP"), lookups + 1, "LOOKUPs")
        check_equal(scene.mount.requests("READ"), reads, "READs")
        check_equal(scene.mount.requests("OPEN"), opens, "OPENs")
        check_equal(scene.aws.calls(), calls + 1, "AWS calls")
        check_equal(os.stat(path).st_ino, identity, "inode")


@case
def within_the_TTL_a_change_is_not_seen():
    with aws_mount("--ttl", "1h") as scene:
        _warm_up(scene.path("password"))
        scene.aws.put("app", NEW)
        check_equal(read(scene.path("password")), PASSWORD)
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def after_the_TTL_an_open_sees_the_new_value():
    with aws_mount("--ttl", "1s") as scene:
        path = scene.path("password")
        read(path)
        before = os.stat(path)
        scene.aws.put("app", NEW)
        wait_for_content(path, b"new and longer value")
        after = os.stat(path)
        check_equal(after.st_size, len("new and longer value"), "size")
        check(after.st_ino != before.st_ino, "the inode is another")
        check(after.st_mtime_ns > before.st_mtime_ns, "the mtime is later")


@case
def an_open_file_keeps_its_version():
    with aws_mount("--ttl", "1s") as scene:
        path = scene.path("password")
        fd = os.open(path, os.O_RDONLY)
        try:
            check_equal(os.pread(fd, 7, 0), PASSWORD[:7])
            scene.aws.put("app", NEW)
            wait_for_content(path, b"new and longer value")
            check_equal(os.pread(fd, 100, 0), PASSWORD, "the old fd")
            check_equal(os.fstat(fd).st_size, len(PASSWORD), "its size")
        finally:
            os.close(fd)


@case
def a_file_that_was_opened_but_not_read_keeps_its_version():
    with aws_mount("--ttl", "1s") as scene:
        path = scene.path("password")
        fd = os.open(path, os.O_RDONLY)
        try:
            scene.aws.put("app", NEW)
            wait_for_content(path, b"new and longer value")
            check_equal(os.pread(fd, 100, 0), PASSWORD, "the old fd")
        finally:
            os.close(fd)


@case
def files_of_one_version_share_their_mtime():
    with aws_mount() as scene:
        read(scene.path("app"))
        times = {os.stat(scene.path(name)).st_mtime_ns
                 for name in ("app", "username", "password", "port")}
        check_equal(len(times), 1, "mtimes")


@case
def a_key_that_vanished_is_ENOENT_and_a_new_one_appears():
    with aws_mount("--ttl", "1s") as scene:
        read(scene.path("password"))
        scene.aws.put("app", '{"token": "t"}')
        wait_until(lambda: error_of(read, scene.path("password")) == "ENOENT",
                   "the old key is gone")
        wait_for_content(scene.path("token"), b"t")
        wait_until(lambda: sorted(os.listdir(scene.mount.point)) ==
                   ["app", "token"], "ls shows the new key")


@case
def a_missing_name_is_asked_again_after_a_while():
    with aws_mount("--ttl", "1s") as scene:
        check_error(scene.path("later"), "ENOENT")
        scene.aws.put("app", '{"later": "here"}')
        wait_for_content(scene.path("later"), b"here")


@case
def a_secret_that_was_deleted_is_ENOENT_after_the_TTL_and_the_grace():
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", "60s", *clock.options) as scene:
            read(scene.path("password"))
            scene.aws.delete("app")
            clock.advance(60)
            check(read(scene.path("password")) == PASSWORD, "no grace")
            clock.advance(59)
            check(read(scene.path("password")) == PASSWORD, "short grace")
            clock.advance(2)
            check_error(scene.path("password"), "ENOENT")
            scene.aws.put("app", SECRET)
            clock.advance(6)
            check(read(scene.path("password")) == PASSWORD, "not again")


main()
