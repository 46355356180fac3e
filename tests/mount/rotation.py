# SPDX-License-Identifier: Apache-2.0
"""A rotation reaches whoever has the mount open, also who only watches."""

import errno
import json
import mmap
import os
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.clock import Clock
from lib.inotify import DELETE, DELETE_SELF, MOVED_TO, Watch
from lib.mounting import mounted_at
from lib.pages import is_cached
from lib.place import work_directory, write_file
from lib.reading import check_error, read
from lib.scene import (PASSWORD, SECRET, aws_mount, class_mount,
                       write_class)
from lib.status import status
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

TTL = 60


def _secret(**keys):
    return json.dumps(keys)


class _Stage:
    """A mount of the secret "app" whose time the test moves."""

    def __init__(self, scene, clock):
        self.scene = scene
        self.clock = clock
        self.mount = scene.mount
        wait_until(lambda: "notifier mount=0 pid=" in self.mount.log_text(),
                   "a notifier")

    def path(self, name):
        return self.scene.path(name)

    def confirm(self):
        """Moves time until AWS is asked. Once need not do: an answer that
        was on its way counts from when it comes."""
        before = self.scene.aws.calls()

        def asked():
            self.clock.advance(TTL)
            return self.scene.aws.calls() > before
        wait_until(asked, "a confirmation")

    def rotate(self, value):
        """Until the worker has found this."""
        before = self._versions()
        self.scene.aws.put("app", value)

        def found():
            self.clock.advance(TTL)
            return self._versions() > before
        wait_until(found, "another version")

    def _versions(self):
        return self.mount.log_text().count("another version")

    def wait_for_rename(self, count):
        self.mount.wait_for_requests(count, "RENAME")


def staged(function):
    """A case that gets a _Stage with the secret of lib.scene."""
    def run():
        with work_directory() as directory:
            clock = Clock(directory)
            with aws_mount("--ttl", f"{TTL}s", *clock.options) as scene:
                function(_Stage(scene, clock))
    run.__name__ = function.__name__
    return case(run)


@staged
def a_watcher_of_the_directory_sees_a_file_replaced(stage):
    check_equal(read(stage.path("password")), PASSWORD)
    with Watch(stage.mount.point) as watch:
        stage.rotate(_secret(password="new"))
        watch.wait_for(MOVED_TO, "password")
        check_equal(read(stage.path("password")), b"new")


@staged
def a_watcher_hears_of_it_long_after_the_last_open(stage):
    read(stage.path("password"))
    with Watch(stage.path("password")) as watch:
        for _ in range(10):
            stage.confirm()
        check_equal(watch.read(), [], "events")
        stage.rotate(_secret(password="new"))
        watch.wait_for(DELETE_SELF, "")


@staged
def three_rotations_are_three_events(stage):
    read(stage.path("password"))
    with Watch(stage.mount.point) as watch:
        for number in range(3):
            stage.rotate(_secret(password=f"new {number}"))
            stage.wait_for_rename(number + 1)
        wait_until(lambda: watch.read().count((MOVED_TO, "password")) == 3,
                   "three events")


@staged
def an_unchanged_secret_is_no_event(stage):
    read(stage.path("password"))
    before = os.stat(stage.path("password"))
    with Watch(stage.mount.point) as watch:
        for _ in range(3):
            stage.confirm()
        after = os.stat(stage.path("password"))
        check_equal(watch.read(), [], "events")
    check_equal((after.st_ino, after.st_mtime_ns),
                (before.st_ino, before.st_mtime_ns))


@staged
def an_open_file_keeps_its_version_and_both_keys_switch(stage):
    with open(stage.path("password"), "rb") as held, \
            open(stage.path("username"), "rb") as other:
        stage.rotate(_secret(username="bob", password="new"))
        stage.wait_for_rename(2)
        check_equal(os.pread(held.fileno(), 100, 0), PASSWORD)
        check_equal(os.pread(other.fileno(), 100, 0), b"ada")
        check_equal(os.fstat(held.fileno()).st_nlink, 0, "links")
        check_equal(read(stage.path("password")), b"new")
        check_equal(read(stage.path("username")), b"bob")
        stats = [os.stat(stage.path(name)) for name in
                 ("password", "username")]
        check_equal(stats[0].st_mtime_ns, stats[1].st_mtime_ns, "mtimes")
        check(stats[0].st_mtime_ns > os.fstat(held.fileno()).st_mtime_ns,
              "mtime did not move")


@staged
def keys_that_come_and_go_are_events(stage):
    read(stage.path("password"))
    read(stage.path("username"))
    with Watch(stage.mount.point) as watch:
        stage.rotate(_secret(password="new", token="t"))
        watch.wait_for(MOVED_TO, "token")
        watch.wait_for(MOVED_TO, "password")
        watch.wait_for(DELETE, "username")
    check_error(stage.path("username"), "ENOENT")
    check_equal(read(stage.path("token")), b"t")


@case
def a_file_that_a_reload_takes_away_is_an_event():
    with class_mount(("app", "other"), "--ttl", "1h") as scene:
        wait_until(lambda: "notifier mount=0 pid=" in scene.mount.log_text(),
                   "a notifier")
        check_equal(read(scene.path("other")), b"other")
        with open(scene.path("app"), "rb") as held, \
                open(scene.path("other"), "rb") as other, \
                Watch(scene.mount.point) as watch:
            write_class(scene.directory, "app")
            os.kill(scene.mount.keeper_pid(), signal.SIGHUP)
            watch.wait_for(DELETE, "other")
            check_equal(watch.read(), [(DELETE, "other")], "events")
            check_error(scene.path("other"), "ENOENT")
            check_equal(other.read(), b"other", "the file that is held")
            check_equal(os.stat(scene.path("app")).st_ino,
                        os.fstat(held.fileno()).st_ino, "inode")


@case
def directories_below_a_prefix_have_events_whatever_their_name():
    with work_directory() as directory:
        top = os.path.join(directory, "secrets.d")
        write_file(os.path.join(top, "team", "50%", "key"), "old")
        with mounted_at(directory, f"file:{top}") as mount:
            place = mount.path("team", "50%25")
            check_equal(read(os.path.join(place, "key")), b"old")
            with Watch(place) as watch:
                write_file(os.path.join(top, "team", "50%", "key"), "new")
                watch.wait_for(MOVED_TO, "key")
                check_equal(read(os.path.join(place, "key")), b"new")


@case
def names_that_an_ls_finds_below_a_prefix_are_told_to_watchers():
    with work_directory() as directory:
        top = os.path.join(directory, "secrets.d")
        for name in ("old", "gone"):
            write_file(os.path.join(top, name), name)
        with mounted_at(directory, f"file:{top}") as mount:
            wait_until(lambda: "notifier mount=0 pid=" in mount.log_text(),
                       "a notifier")
            check_equal(sorted(os.listdir(mount.point)), ["gone", "old"])
            check_equal(read(mount.path("old")), b"old")
            with Watch(mount.point) as watch:
                write_file(os.path.join(top, "new"), "new")
                os.unlink(os.path.join(top, "gone"))
                wait_until(lambda: sorted(os.listdir(mount.point)) ==
                           ["new", "old"], "it is listed")
                watch.wait_for(MOVED_TO, "new")
                watch.wait_for(DELETE, "gone")
                check(not any(one["name"] == "new"
                              for one in status(mount.point)["objects"]),
                      "nobody has asked for it")
                check_equal(os.stat(mount.path("new")).st_size, 3)
                check_equal(read(mount.path("new")), b"new")
                check_error(mount.path("gone"), "ENOENT")
                watch.seen.clear()
                write_file(os.path.join(top, "new"), "newer")
                wait_until(lambda: read(mount.path("new")) == b"newer",
                           "a rotation of it")
                watch.wait_for(MOVED_TO, "new")
                check_equal([one for one in watch.seen if one[1] == "old"],
                            [], "events of what has not changed")


@staged
def json_that_becomes_text_and_back_leaves_the_whole_file(stage):
    read(stage.path("app"))
    read(stage.path("password"))
    stage.rotate("plain")
    stage.mount.wait_for_requests(1, "UNLINK")
    check_equal(read(stage.path("app")), b"plain")
    check_error(stage.path("password"), "EBADMSG")
    stage.rotate(SECRET)
    stage.wait_for_rename(2)
    check_equal(read(stage.path("password")), PASSWORD)


@staged
def a_value_grows_to_64_KiB_and_back(stage):
    read(stage.path("app"))
    for number, length in enumerate((65536, 1, 65536, 1)):
        stage.rotate("x" * length)
        stage.wait_for_rename(number + 1)
        check_equal(os.stat(stage.path("app")).st_size, length)
        check_equal(read(stage.path("app")), b"x" * length)


@staged
def a_strangers_look_at_the_notifiers_names_breaks_nothing(stage):
    read(stage.path("password"))
    for number in range(1, 8):
        check_error(stage.path(f"..new-{number}"), "ENOENT")
    stage.rotate(_secret(password="new"))
    for number in range(1, 8):
        check_error(stage.path(f"..new-{number}"), "ENOENT")
    stage.wait_for_rename(1)
    check_equal(read(stage.path("password")), b"new")


@staged
def a_refused_secret_is_taken_back_from_who_holds_it(stage):
    with open(stage.path("password"), "rb") as held:
        mapped = mmap.mmap(held.fileno(), 0, prot=mmap.PROT_READ)
        check_equal(mapped[:], PASSWORD)
        stage.scene.aws.delete("app")
        stage.clock.advance(TTL)
        wait_until(lambda: "cannot fetch" in stage.mount.log_text() or
                   "no such secret" in stage.mount.log_text(),
                   "the refusal")
        check_equal(os.pread(held.fileno(), 100, 0), PASSWORD, "in its grace")
        stage.clock.advance(61)
        wait_until(lambda: "no longer shown" in stage.mount.log_text(),
                   "the end of the grace")

        def refused():
            try:
                os.pread(held.fileno(), 100, 0)
            except OSError as error:
                return error.errno == errno.ESTALE
            return False
        wait_until(refused, "reads of the held file fail")
        wait_until(lambda: not is_cached(held.fileno()),
                   "no page is left")
        mapped.close()
    check_error(stage.path("password"), "ENOENT")


main()
