# SPDX-License-Identifier: Apache-2.0
"""Of a mount that an ordinary user has made, readers and watchers notice no end
of a worker or a keeper: each case as on a kernel that sends requests again, and
as on one that does not."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import built
from lib.process import environment, run, run_ok, wait_for_end
from lib.reading import read
from lib.rotating import (KEYS, AwsSecret, broken, content, readers, rotate,
                          secret)
from lib.scene import Scene, aws_directory
from lib.status import check_adopted, status
from lib.tap import check, check_equal
from lib.user import as_user, user_main
from lib.verifying import mount_ids
from lib.wait import wait_until
from lib.ways import each_way, way

TTL = 60
READERS = 3
# rotate() waits for events, and the machine may be busy
PATIENCE_S = 30


def user_case(function):
    return each_way(as_user(function))


class _Scene(Scene):
    def __init__(self, directory, aws, clock, mount):
        super().__init__(directory, aws, mount)
        self.secret = AwsSecret(aws, clock, TTL)
        self.number = 0

    def rotate(self):
        """To the next version, of which watchers must hear."""
        # What the next worker has begun to ask must not seem to be asked later.
        wait_until(self._is_fresh, "the last version is confirmed")
        self.number += 1
        rotate(self.mount, self.secret, 1, PATIENCE_S, self.number)

    def _is_fresh(self):
        return all(one["state"] == "fresh" and not one["inFlight"]
                   for one in status(self.mount.point)["objects"])

    def wait_for_another(self, than):
        wait_until(lambda: self.mount.worker_pid() != than,
                   "another worker serves")

    def kill(self):
        killed = self.mount.worker_pid()
        os.kill(killed, signal.SIGKILL)
        self.wait_for_another(killed)

    @contextlib.contextmanager
    def unnoticed(self):
        """Neither by readers nor by who knows the mount's id or an inode."""
        point = self.mount.point
        before = mount_ids(point)
        with open(self.path("password"), "rb") as held:
            first = os.fstat(held.fileno()).st_ino
            with readers(READERS, point) as warm, \
                    readers(1, point, "cold") as cold:
                yield
            check_equal(os.fstat(held.fileno()).st_ino, first, "st_ino")
        for told in warm, cold:
            print(f"# {told}", flush=True)
            check_equal(broken(told), {}, told)
            check(told["pairs"] > 0, "no reads")
        check_equal(mount_ids(point), before, "mount ids")
        check_equal(read(self.path("password")),
                    content("password", self.number))


@contextlib.contextmanager
def _scene(*options, expect_death=False, known=KEYS):
    with aws_directory() as (directory, aws):
        clock = Clock(directory)
        aws.put("app", secret(0))
        with mounted_at(directory, "app", *way(), "--ttl", f"{TTL}s",
                        *clock.options, *options, env=aws.environment(),
                        expect_death=expect_death) as mount:
            scene = _Scene(directory, aws, clock, mount)
            for name in known:
                read(scene.path(name))
            yield scene


@user_case
def no_reader_sees_that_workers_are_killed(_user):
    with _scene("--test-restarts", "0", expect_death=True) as scene, \
            scene.unnoticed():
        for _ in range(6):
            scene.kill()
            read(scene.path("password"))


@user_case
def watchers_hear_of_each_version_though_workers_are_killed(_user):
    with _scene("--test-restarts", "0", expect_death=True) as scene, \
            scene.unnoticed():
        for _ in range(4):
            scene.rotate()
            scene.kill()
        scene.rotate()


@user_case
def a_reader_that_waits_for_aws_gets_its_answer(_user):
    with _scene("--test-restarts", "0", "--timeout", "60s",
                expect_death=True, known=()) as scene:
        scene.aws.hold("app")
        with subprocess.Popen(["cat", scene.path("user")],
                              env=environment(),
                              stdout=subprocess.PIPE) as reader:
            try:
                scene.aws.wait_for_held("app")
                for _ in range(3):
                    scene.kill()
                scene.aws.release("app")
                out, _ = reader.communicate(timeout=60)
            finally:
                scene.aws.release("app")
                reader.kill()
        check_equal((reader.returncode, out), (0, content("user", 0)))


@user_case
def a_worker_that_stands_still_is_replaced(_user):
    with _scene("--test-restarts", "0", "--heartbeat", "1s",
                expect_death=True) as scene, scene.unnoticed():
        standing = scene.mount.worker_pid()
        os.kill(standing, signal.SIGSTOP)
        scene.wait_for_another(standing)
        scene.rotate()


def _builds(directory):
    """A directory with another build, and that of the one that serves."""
    other = os.path.join(directory, "other")
    os.mkdir(other)
    shutil.copy(built("secretsfs"), other)
    shutil.copy(built("tests/other_build/secretsfs-worker"),
                os.path.join(other, "secretsfs-worker"))
    return other, built(".")


@user_case
def no_reader_sees_that_builds_follow_each_other(_user):
    with _scene() as scene, scene.unnoticed():
        first = status(scene.mount.point)["version"]
        other, same = _builds(scene.directory)
        for number in range(4):
            place = (other, same)[number % 2]
            run_ok(os.path.join(place, "secretsfs"), "upgrade",
                   scene.mount.point)
            check_equal(status(scene.mount.point)["version"],
                        first + ("-other" if place == other else ""))
            scene.rotate()
        check_equal(scene.mount.log_text().count("the worker has left"), 4)


def _next_keeper(scene):
    """Its command line: that of the keeper before."""
    keeper = scene.mount.keeper_pid()
    with open(f"/proc/{keeper}/cmdline", encoding="utf-8") as line:
        words = line.read().split("\0")[1:-1]
    if "--take-over" not in words:
        path = os.path.join(os.environ["XDG_RUNTIME_DIR"], "secretsfs",
                            mount_ids(scene.mount.point)[0] + ".sock")
        words[:0] = ["--take-over", path]
    return keeper, words


@user_case
def no_reader_sees_that_keepers_follow_each_other(_user):
    with _scene() as scene, scene.unnoticed():
        for _ in range(3):
            keeper, words = _next_keeper(scene)
            # to the background, as the first
            run_ok(built("secretsfs-keeper"), *words,
                   env=scene.aws.environment())
            wait_for_end(keeper, "the keeper before")
            check_adopted(scene.mount.point)
            scene.rotate()
        check_equal(scene.mount.log_text().count("has taken over"), 3)


@user_case
def a_keeper_that_cannot_follow_changes_nothing(_user):
    with _scene() as scene, scene.unnoticed():
        keeper, words = _next_keeper(scene)
        words[words.index("--") + 1:] = ["--no-such-option"]
        result = run(built("secretsfs-keeper"), *words,
                     env=scene.aws.environment())
        check(result.code != 0, result)
        check_equal(scene.mount.keeper_pid(), keeper)
        scene.rotate()


user_main()
