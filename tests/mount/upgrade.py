# SPDX-License-Identifier: Apache-2.0
"""Workers of two builds follow each other on a mount that stays: each case as on
a kernel that sends requests again, and as on one that does not.

SECRETSFS_UPGRADES is how often they do under load, 5 if it is not set.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import mounted_at
from lib.place import built
from lib.process import (environment, is_alive, run, run_ok,
                         wait_for_end)
from lib.reading import read
from lib.scene import PASSWORD, SECRET, Scene, aws_directory
from lib.status import check_adopted, status
from lib.tap import check, check_equal, main
from lib.verifying import mount_ids, verified
from lib.wait import wait_until
from lib.ways import each_way as case, way

UPGRADES = int(os.environ.get("SECRETSFS_UPGRADES", "5"))


class _Scene(Scene):
    """A mount, and directories of two builds."""

    def __init__(self, directory, aws, mount):
        super().__init__(directory, aws, mount)
        self.other = self.build("other",
                                built("tests/other_build/secretsfs-worker"))

    def build(self, name, worker):
        """A directory with a command and that worker beside it."""
        place = os.path.join(self.directory, name)
        os.mkdir(place)
        shutil.copy(built("secretsfs"), place)
        shutil.copy(worker, os.path.join(place, "secretsfs-worker"))
        return place

    def version(self):
        return status(self.mount.point)["version"]

    def upgrade(self, place):
        run_ok(os.path.join(place, "secretsfs"), "upgrade", self.mount.point)


@contextlib.contextmanager
def _scene(*options, expect_death=False):
    with aws_directory() as (directory, aws):
        with mounted_at(directory, "app", *way(), *options, env=aws.environment(),
                        expect_death=expect_death) as mount:
            yield _Scene(directory, aws, mount)


@case
def no_reader_sees_that_builds_follow_each_other():
    with _scene("--ttl", "1s", "--test-restarts", "1") as scene:
        before = mount_ids(scene.mount.point)
        first = scene.version()
        wanted = {scene.path("password"): PASSWORD,
                  scene.path("username"): b"ada",
                  scene.path("app"): SECRET.encode()}
        with open(scene.path("password"), "rb") as held, \
                verified("WARM", "COLD", "WARM", "COLD", wanted=wanted):
            ino = os.fstat(held.fileno()).st_ino
            for number in range(UPGRADES):
                to_other = number % 2 == 0
                scene.upgrade(scene.other if to_other else built("."))
                check_equal(scene.version(),
                            first + "-other" if to_other else first)
                check_equal(os.stat(held.name).st_ino, ino, "st_ino")
            os.posix_fadvise(held.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            check_equal(os.pread(held.fileno(), 100, 0), PASSWORD)
        check_equal(mount_ids(scene.mount.point), before, "mount ids")
        check_equal(scene.mount.log_text().count("the worker has left"),
                    UPGRADES)


def _command_line(pid):
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as words:
        return words.read().split("\0")[:-1]


@case
def no_reader_sees_that_keepers_follow_each_other():
    with _scene("--ttl", "1s") as scene:
        before = mount_ids(scene.mount.point)
        path = f"/run/secretsfs/{before[0]}.sock"
        wanted = {scene.path("password"): PASSWORD,
                  scene.path("app"): SECRET.encode()}
        with verified("WARM", "COLD", "COLD", wanted=wanted):
            for _ in range(3):
                keeper = scene.mount.keeper_pid()
                words = _command_line(keeper)[1:]
                if "--take-over" not in words:
                    words[:0] = ["--take-over", path]
                # to the background, as the first
                run_ok(built("secretsfs-keeper"), *words,
                       env=scene.aws.environment())
                wait_for_end(keeper, "the keeper before")
                check_adopted(scene.mount.point)
                check_equal(scene.version().endswith("-other"), False)
        check_equal(mount_ids(scene.mount.point), before, "mount ids")
        check_equal(scene.mount.log_text().count("has taken over"), 3)


@case
def the_old_worker_answers_what_it_has_read():
    with _scene() as scene:
        scene.aws.hold("app")
        reader = subprocess.Popen(["cat", scene.path("password")],
                                  env=environment(), stdout=subprocess.PIPE)
        upgrade = None
        try:
            scene.aws.wait_for_held("app")
            upgrade = subprocess.Popen(
                [os.path.join(scene.other, "secretsfs"), "upgrade",
                 scene.mount.point], env=environment())
            wait_until(lambda: "a worker is to follow" in
                       scene.mount.log_text(), "the upgrade begins")
            scene.aws.release("app")
            out, _ = reader.communicate(timeout=30)
            check_equal((reader.returncode, out), (0, PASSWORD))
            check_equal(upgrade.wait(60), 0, "upgrade")
        finally:
            scene.aws.release("app")
            for process in filter(None, (reader, upgrade)):
                process.kill()
                process.wait(30)
        check_equal(scene.mount.requests("LOOKUP", name="password"), 1)


@case
def a_worker_that_cannot_start_changes_nothing():
    with _scene() as scene:
        serving = scene.mount.worker_pid()
        for name, program in (("dying", "/bin/false"),
                              ("text", __file__)):
            place = scene.build(name, program)
            result = run(os.path.join(place, "secretsfs"), "upgrade",
                         scene.mount.point)
            check_equal(result.code, 1, name)
            check_equal(len(result.err.splitlines()), 1, result.err)
            check_equal(read(scene.path("password")), PASSWORD)
        check(is_alive(serving), "the worker has gone")
        check_equal(status(scene.mount.point)["pids"]["worker"],
                    serving)


@case
def whatever_follows_is_of_the_new_build():
    with _scene("--test-restarts", "0", expect_death=True) as scene:
        scene.upgrade(scene.other)
        shutil.rmtree(scene.other)
        version = scene.version()
        check(version.endswith("-other"), version)
        for number in (signal.SIGKILL, signal.SIGTERM):
            old = scene.mount.worker_pid()
            os.kill(old, number)
            wait_until(lambda: scene.mount.worker_pid() != old,
                       "another worker")
            check_equal(scene.version(), version)
        check_equal(read(scene.path("password")), PASSWORD)


@case
def a_worker_that_stands_still_is_upgraded_too():
    with _scene("--heartbeat", "1h", expect_death=True) as scene:
        os.kill(scene.mount.worker_pid(), signal.SIGSTOP)
        scene.upgrade(scene.other)
        check_equal(read(scene.path("password")), PASSWORD)
        check(scene.version().endswith("-other"), "the build")


@case
def wrong_usage_and_wrong_places_are_refused():
    with _scene() as scene:
        for arguments, code in (((), 2), (("a", "b"), 2), (("--now",), 2),
                                ((scene.directory,), 1)):
            result = run(built("secretsfs"), "upgrade", *arguments)
            check_equal(result.code, code, arguments)
            check_equal(len(result.err.splitlines()), 1, result.err)


main()
