# SPDX-License-Identifier: Apache-2.0
"""A rotation beside a LOOKUP that waits for a silent server.

The kernel gives a rename its directory when no LOOKUP of a new name waits in
it. So the rename is not begun while one is known to wait; and one that comes
too late to be known holds up the rename, and all new names behind it, for as
long as its own deadline lets it wait.
"""

import contextlib
import os
import re
import signal
import sys
import threading
import time

sys.path.insert(0, sys.path[0] + "/..")

from lib.inotify import DELETE_SELF, MOVED_TO, Watch
from lib.clock import Clock
from lib.place import work_directory
from lib.reading import error_of, read, wait_for_content
from lib.scene import PASSWORD, aws_mount, class_mount
from lib.tap import case, check, check_equal, main
from lib.wait import BUSY_S, wait_until

NAMES = ("app", "slow", "other", "later")

# What is not held up takes far less; a busy machine is no failure.
AT_ONCE = BUSY_S

DEADLINE = 4


def _took(function, *arguments):
    start = time.monotonic()
    function(*arguments)
    return time.monotonic() - start


class _Reader:
    """Reads a path in a thread of its own: what came of it, and when."""

    def __init__(self, path):
        self.error = None
        self.seconds = None
        self._thread = threading.Thread(target=self._read, args=(path,))
        self._thread.start()

    def _read(self, path):
        start = time.monotonic()
        self.error = error_of(read, path)
        self.seconds = time.monotonic() - start

    def has_ended(self):
        return self.seconds is not None

    def wait(self):
        self._thread.join()


@contextlib.contextmanager
def _held(scene, name):
    """A first reader of the name, whose answer is kept back."""
    scene.aws.hold(name)
    reader = _Reader(scene.path(name))
    try:
        scene.aws.wait_for_held(name)
        yield reader
    finally:
        scene.aws.release(name)
        reader.wait()


def _notifier_pid(mount):
    found = []

    def is_there():
        found[:] = re.findall(r"notifier mount=0 pid=(\d+)", mount.log_text())
        return found
    wait_until(is_there, "a notifier")
    return int(found[-1])


@case
def a_rotation_waits_and_other_names_do_not():
    with class_mount(NAMES, "--ttl", "1s") as scene:
        _notifier_pid(scene.mount)
        check_equal(read(scene.path("app")), b"app")
        with Watch(scene.mount.point) as watch:
            with _held(scene, "slow") as reader:
                scene.aws.put("app", "new")
                wait_for_content(scene.path("app"), b"new")
                took = {
                    "a new name": _took(read, scene.path("other")),
                    "a known name": _took(read, scene.path("app")),
                    "no name": _took(error_of, read, scene.path("absent")),
                    "ls": _took(os.listdir, scene.mount.point),
                    "ls -l": _took(lambda: [entry.stat() for entry in
                                            os.scandir(scene.mount.point)
                                            if entry.name != "slow"]),
                }
                print("# ms:", {what: round(1000 * one, 1)
                                for what, one in took.items()}, flush=True)
                check(not reader.has_ended(), "nobody was held")
                check_equal(watch.read(), [], "events so far")
            watch.wait_for(MOVED_TO, "app")
    for what, seconds in took.items():
        check(seconds < AT_ONCE, what, "took", seconds)
    check_equal(reader.error, "", "the reader that was held")


@case
def a_LOOKUP_that_overtakes_a_rename_ends_by_its_deadline():
    with class_mount(NAMES, "--ttl", "1s",
                     "--timeout", f"{DEADLINE}s") as scene:
        pid = _notifier_pid(scene.mount)
        check_equal(read(scene.path("app")), b"app")
        check_equal(read(scene.path("other")), b"other")
        with Watch(scene.mount.point) as watch:
            os.kill(pid, signal.SIGSTOP)
            try:
                scene.aws.put("app", "new")
                wait_until(lambda: "ordered order=" in scene.mount.log_text(),
                           "an order")
                with _held(scene, "slow") as reader:
                    os.kill(pid, signal.SIGCONT)
                    time.sleep(0.3)
                    check_equal(read(scene.path("other")), b"other")
                    check(not reader.has_ended(), "a known name waits")
                    later = _Reader(scene.path("later"))
                    time.sleep(0.3)
                    check(not later.has_ended(), "nothing was overtaken")
                    later.wait()
                    wait_until(reader.has_ended, "the held reader ends")
                    watch.wait_for(MOVED_TO, "app")
            finally:
                os.kill(pid, signal.SIGCONT)
        print(f"# held {reader.seconds:.2f} s, behind it {later.seconds:.2f} s",
              flush=True)
        check_equal(reader.error, "EIO", "the reader that was held")
        check(reader.seconds < DEADLINE + AT_ONCE, "it took", reader.seconds)
        check_equal(later.error, "", "the reader behind it")
        check(later.seconds < DEADLINE + AT_ONCE, "it took", later.seconds)
        check_equal(read(scene.path("app")), b"new")


@case
def many_rotations_behind_a_LOOKUP_are_one_event():
    with class_mount(NAMES, "--ttl", "1s") as scene:
        _notifier_pid(scene.mount)
        check_equal(read(scene.path("app")), b"app")
        with Watch(scene.mount.point) as watch:
            with _held(scene, "slow"):
                for number in range(4):
                    scene.aws.put("app", f"new {number}")
                    wait_for_content(scene.path("app"),
                                     f"new {number}".encode())
            watch.wait_for(MOVED_TO, "app")
            time.sleep(0.3)
            check_equal(watch.read().count((MOVED_TO, "app")), 1, "events")
            check_equal(read(scene.path("app")), b"new 3")


@case
def a_reader_that_is_first_leaves_no_watcher_of_the_file_deaf():
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", "60s", *clock.options) as scene:
            _notifier_pid(scene.mount)
            path = scene.path("password")
            check_equal(read(path), PASSWORD)
            with Watch(path) as file, Watch(scene.mount.point) as place:
                scene.aws.put("app", '{"password": "new"}')
                scene.aws.hold("app")
                clock.advance(60)
                scene.aws.wait_for_held("app")
                before = scene.mount.requests("LOOKUP")
                reader = _Reader(path)
                scene.mount.wait_for_requests(before + 1, "LOOKUP")
                # its LOOKUP is answered before the notifier's come
                scene.aws.release("app")
                reader.wait()
                check_equal(reader.error, "")
                file.wait_for(DELETE_SELF, "")
                place.wait_for(MOVED_TO, "password")
            check_equal(read(path), b"new")


main()
