# SPDX-License-Identifier: Apache-2.0
"""What containers see of a mount of their host, by what they have of it, when
they started, and what became of the keeper: mount namespaces stand for them.

The tables are what docs/DESIGN.md and secretsfs(1) promise.
"""

import contextlib
import os
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.class_text import class_text, object_text
from lib.container import Container
from lib.marked import check_logs
from lib.mounting import Mount, mount
from lib.place import built, mounts, work_directory, write_file
from lib.process import run_ok, wait_for_end
from lib.scene import SECRET
from lib.seen import (BEFORE, CONTAINERS, DEAD, EARLY, ENDED, FOLLOWS, KILLED,
                      LATE, MOUNTED, NOTHING, PARENT, REMOUNTED, STACKED, WORKS,
                      check_row)
from lib.tap import case, check_equal, main
from lib.wait import wait_until


class Host:
    """A directory that is shared with containers, and a mount in it."""

    def __init__(self, directory):
        self.directory = directory
        self.log = os.path.join(directory, "log")
        self.parent = os.path.join(directory, "host")
        self.point = os.path.join(self.parent, "app")
        self.inside = os.path.join(directory, "inside")
        self.source = "file:" + write_file(
            os.path.join(directory, "app.json"), SECRET)
        self.containers = {}
        self._mounted = None
        for path in self.parent, self.inside:
            os.mkdir(path)
        run_ok("mount", "-t", "tmpfs", "tmpfs", self.parent)
        run_ok("mount", "--make-private", self.parent)
        run_ok("mount", "--make-shared", self.parent)
        os.mkdir(self.point)

    def start_containers(self, when):
        for container in CONTAINERS:
            what, how, its_when = container
            if its_when == when:
                self.containers[container] = Container(
                    self.parent if what == PARENT else self.point,
                    self.inside, how)

    def mount(self, *options):
        self._mounted = Mount(self.point, self.log)
        self.check_log()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.log)
        result = mount(self.point, self.source, *options,
                       log=self._mounted.log)
        check_equal((result.code, result.err), (0, ""))

    def check_log(self):
        check_logs(self.log)

    def kill_worker(self):
        worker = self._mounted.worker_pid()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: self._mounted.worker_pid() != worker,
                   "another worker")

    def kill_all(self):
        pids = self._mounted.keeper_pid(), self._mounted.worker_pid()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            wait_for_end(pid, "a process")

    def unmount(self):
        run_ok(built("secretsfs"), "unmount", self.point)

    def check(self, step, wanted):
        """All that have started, against a row of the tables."""
        check_row(step, wanted, lambda container, *names:
                  self.containers[container].sees(*names), self.containers)

    def done(self):
        for container in self.containers.values():
            container.end()
        while any(point.startswith(self.parent + "/")
                  for point, _ in mounts()):
            run_ok("umount", "-l", self.point)
        run_ok("umount", self.parent)


@contextlib.contextmanager
def host():
    with work_directory() as directory:
        found = Host(directory)
        try:
            yield found
            found.check_log()
        finally:
            found.done()


@contextlib.contextmanager
def mounted_host():
    with host() as here:
        here.start_containers(EARLY)
        here.check("before", BEFORE)
        here.mount()
        here.start_containers(LATE)
        here.check("mounted", MOUNTED)
        yield here


@case
def a_mount_reaches_who_follows_it_and_no_other_sees_an_empty_directory():
    with mounted_host() as here:
        here.unmount()
        here.check("ended", ENDED)


@case
def a_worker_that_dies_changes_nothing():
    with mounted_host() as here:
        for _ in range(2):
            here.kill_worker()
            here.check("worker killed", MOUNTED)
        here.unmount()


@case
def a_mount_on_a_dead_one_reaches_all_who_follow_it():
    with mounted_host() as here:
        for _ in range(3):
            here.kill_all()
            here.check("killed", KILLED)
            here.mount()
            here.check("stacked", STACKED)
        here.unmount()
        here.check("ended", ENDED)


@case
def a_mount_after_an_unmount_loses_who_has_the_mount_itself():
    with mounted_host() as here:
        here.kill_all()
        run_ok("umount", "-l", here.point)
        here.mount()
        here.check("remounted", REMOUNTED)
        here.unmount()


@case
def classes_come_and_go_for_who_follows_their_directory():
    with host() as here:
        classes = os.path.join(here.directory, "classes")
        os.mkdir(classes)
        here.source = classes
        early = Container(here.point, here.inside, FOLLOWS)
        here.containers["early"] = early
        options = ("--offline", here.directory)
        here.mount(*options)
        path = write_file(os.path.join(classes, "a.yaml"),
                          class_text(object_text("app"), name="one"))

        def wait_for(outcome, *containers):
            for container in containers:
                wait_until(lambda: container.sees("one") == outcome,
                           outcome)

        wait_for(WORKS, early)
        late = Container(here.point, here.inside, FOLLOWS)
        here.containers["late"] = late
        wait_for(WORKS, late)
        here.kill_all()
        wait_for(DEAD, early, late)
        here.mount(*options)
        wait_for(WORKS, early, late)
        os.unlink(path)
        wait_until(lambda: os.listdir(here.point) == [], "it is gone")
        for container in early, late:
            check_equal(container.sees(), NOTHING)
        here.unmount()


main()
