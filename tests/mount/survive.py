# SPDX-License-Identifier: Apache-2.0
"""A worker that dies is not noticed by who reads: each case as on a kernel that
sends requests again, and as on one that does not.

SECRETSFS_KILLS is how often it is killed under load, 50 if it is not set.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, sys.path[0] + "/..")

from lib.clock import Clock
from lib.inotify import MOVED_TO, Watch
from lib.mounting import mounted_at
from lib.place import built, is_mounted, work_directory, write_file
from lib.process import environment, is_alive, running
from lib.reading import check_error, error_of, read
from lib.scene import PASSWORD, SECRET, Scene, aws_directory
from lib.tap import check, check_equal, main
from lib.verifying import mount_ids, verified
from lib.wait import wait_until
from lib.ways import each_way as case, way

LATE_S = 0.2
KILLS = int(os.environ.get("SECRETSFS_KILLS", "50"))
# As many deaths as there are, and no pause between them.
UNBOUNDED = ("--test-restarts", "0")


def _mounted_at(directory, source, *options, **more):
    return mounted_at(directory, source, *way(), *options, expect_death=True,
                      **more)


class _Scene(Scene):
    def replace(self):
        """Asks the worker to leave; returns when the next one serves."""
        leaving = self.mount.worker_pid()
        os.kill(leaving, signal.SIGTERM)
        wait_until(lambda: self.mount.worker_pid() != leaving,
                   "another worker serves")

    def kill(self):
        """Ends the worker; returns when the next one serves."""
        killed = self.mount.worker_pid()
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: self.mount.worker_pid() != killed,
                   "another worker serves")


@contextlib.contextmanager
def _scene(*options, value=SECRET, source="app", limits=UNBOUNDED):
    with aws_directory() as (directory, aws):
        aws.put("app", value)
        with _mounted_at(directory, source, *limits, *options,
                         env=aws.environment()) as mount:
            yield _Scene(directory, aws, mount)


def _drop_pages(file):
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


@case
def no_reader_sees_that_workers_are_killed():
    with _scene("--ttl", "1s") as scene:
        before = mount_ids(scene.mount.point)
        wanted = {scene.path("password"): PASSWORD,
                  scene.path("username"): b"ada",
                  scene.path("app"): SECRET.encode()}
        with open(scene.path("password"), "rb") as held, \
                verified("WARM", "COLD", "WARM", "COLD", wanted=wanted):
            ino = os.fstat(held.fileno()).st_ino
            for _ in range(KILLS):
                scene.kill()
                check_equal(os.stat(held.name).st_ino, ino, "st_ino")
                check_equal(os.fstat(held.fileno()).st_ino, ino, "st_ino")
            _drop_pages(held.fileno())
            check_equal(os.pread(held.fileno(), 100, 0), PASSWORD)
        check_equal(mount_ids(scene.mount.point), before, "mount ids")


def _numbered(number):
    return json.dumps({name: f"{number} " * 200 for name in ("a", "b")})


@case
def versions_neither_mix_nor_go_back_when_workers_are_killed():
    with _scene("--ttl", "1s", value=_numbered(0)) as scene:
        wanted = {scene.path(name): b"" for name in ("a", "b")}
        with verified("RISING", "RISING", wanted=wanted):
            for number in range(KILLS):
                scene.aws.put("app", _numbered(number + 1))
                scene.kill()
                read(scene.path("b"))
        wait_until(lambda: read(scene.path("a")).startswith(b"%d " % KILLS),
                   "the last version")


@case
def a_reader_that_waits_for_aws_gets_its_answer():
    with _scene() as scene:
        scene.aws.hold("app")
        reader = subprocess.Popen(["cat", scene.path("password")],
                                  env=environment(), stdout=subprocess.PIPE)
        scene.aws.wait_for_held("app")
        for _ in range(3):
            scene.kill()
        scene.aws.release("app")
        out, _ = reader.communicate(timeout=30)
        check_equal((reader.returncode, out), (0, PASSWORD))


@case
def a_reader_that_was_killed_meanwhile_is_let_go():
    with _scene() as scene:
        scene.aws.hold("app")
        with running("cat", scene.path("password")) as reader:
            scene.aws.wait_for_held("app")
            os.kill(scene.mount.worker_pid(), signal.SIGSTOP)
            reader.kill()
            scene.kill()
            check_equal(reader.wait(20), -signal.SIGKILL)
        scene.aws.release("app")
        check_equal(read(scene.path("password")), PASSWORD)


@case
def a_file_that_is_open_goes_on_with_its_version():
    with _scene("--ttl", "1s") as scene:
        with open(scene.path("password"), "rb") as held:
            before = os.fstat(held.fileno())
            check_equal(os.pread(held.fileno(), 100, 0), PASSWORD)
            scene.aws.put("app", json.dumps({"password": "new"}))
            wait_until(lambda: read(held.name) == b"new", "the rotation")
            new = os.stat(held.name)
            for _ in range(2):
                scene.kill()
                _drop_pages(held.fileno())
                check_equal(os.pread(held.fileno(), 100, 0), PASSWORD)
                check_equal(os.pread(held.fileno(), 100, 3), PASSWORD[3:])
            check_equal(read(held.name), b"new")
            for name in ("st_ino", "st_size", "st_mtime_ns"):
                check_equal(getattr(os.fstat(held.fileno()), name),
                            getattr(before, name), name)
                check_equal(getattr(os.stat(held.name), name),
                            getattr(new, name), name)


@case
def a_version_that_is_gone_is_stale_and_nothing_else_is():
    with _scene("--ttl", "1s") as scene:
        with open(scene.path("password"), "rb") as held:
            check_equal(os.pread(held.fileno(), 100, 0), PASSWORD)
            scene.aws.delete("app")
            scene.aws.put("app", json.dumps({"password": "new"}))
            wait_until(lambda: read(held.name) == b"new", "the rotation")
            scene.kill()
            _drop_pages(held.fileno())
            check_equal(error_of(os.pread, held.fileno(), 100, 0), "ESTALE")
            check_equal(read(held.name), b"new")


@case
def what_cannot_be_fetched_now_can_be_read_later():
    # a pool that goes with its worker
    with _scene("--timeout", "1s", "--test-pool", "mlock") as scene:
        with open(scene.path("password"), "rb") as held:
            check_equal(os.pread(held.fileno(), 100, 0), PASSWORD)
            scene.aws.fail("app", "500")
            scene.kill()
            _drop_pages(held.fileno())
            check_equal(error_of(os.pread, held.fileno(), 100, 0), "EIO")
            scene.aws.heal("app")
            wait_until(lambda: error_of(os.pread, held.fileno(), 100, 0) == "",
                       "it can be read again")
            check_equal(os.pread(held.fileno(), 100, 0), PASSWORD)


@case
def a_directory_that_is_open_can_be_listed():
    with _scene() as scene:
        names = sorted(os.listdir(scene.mount.point))
        directory = os.open(scene.mount.point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            scene.kill()
            other = os.open(scene.mount.point, os.O_RDONLY | os.O_DIRECTORY)
            check_equal(sorted(os.listdir(directory)), names)
            check_equal(sorted(os.listdir(other)), names)
            os.close(other)
        finally:
            os.close(directory)
        scene.kill()
        check_equal(sorted(os.listdir(scene.mount.point)), names)


@case
def folders_of_files_keep_their_numbers():
    with work_directory() as directory:
        source = os.path.join(directory, "secrets")
        write_file(os.path.join(source, "a", "b", "deep.txt"), "deep")
        write_file(os.path.join(source, "top.txt"), "top")
        with _mounted_at(directory, f"file:{source}", *UNBOUNDED) as mount:
            scene = _Scene(directory, None, mount)
            paths = [scene.path(*name) for name in
                     (("a",), ("a", "b"), ("a", "b", "deep.txt"),
                      ("top.txt",), ())]
            with open(scene.path("a", "b", "deep.txt"), "rb") as held:
                check_equal(held.read(), b"deep")
                before = [os.stat(path).st_ino for path in paths]
                for _ in range(3):
                    scene.kill()
                    _drop_pages(held.fileno())
                    check_equal(os.pread(held.fileno(), 10, 0), b"deep")
                    check_equal([os.stat(path).st_ino for path in paths],
                                before)
                check_equal(read(scene.path("top.txt")), b"top")


class _Watching:
    """A mount of which a test moves the time, and a watch on it."""

    def __init__(self, scene, clock, watch):
        self.scene = scene
        self.clock = clock
        self.watch = watch

    def wait_for_notifiers(self, count):
        wait_until(lambda: self.scene.mount.log_text().count(
            "notifier mount=0 pid=") - self.scene.mount.log_text().count(
                "notifier mount=0 pid=-1") >= count, f"{count} notifiers")


@contextlib.contextmanager
def _watching():
    with work_directory() as place:
        clock = Clock(place)
        with _scene("--ttl", "60s", *clock.options) as scene:
            check_equal(read(scene.path("password")), PASSWORD)
            with Watch(scene.mount.point) as watch:
                watching = _Watching(scene, clock, watch)
                watching.wait_for_notifiers(1)
                yield watching


@case
def a_watcher_still_hears_of_rotations():
    with _watching() as at:
        at.scene.kill()
        at.wait_for_notifiers(2)
        check_equal(read(at.scene.path("password")), PASSWORD)
        at.scene.aws.put("app", json.dumps({"password": "new"}))
        at.clock.advance(60)
        at.watch.wait_for(MOVED_TO, "password")
        check_equal(read(at.scene.path("password")), b"new")


@case
def a_rotation_while_no_worker_was_there_is_heard_of():
    with _watching() as at:
        at.scene.aws.put("app", json.dumps({"password": "new"}))
        at.scene.kill()
        at.watch.wait_for(MOVED_TO, "password")
        check_equal(read(at.scene.path("password")), b"new")


@case
def a_file_that_changed_while_no_worker_looked_is_heard_of():
    with work_directory() as directory:
        source = os.path.join(directory, "secrets")
        file = os.path.join(source, "top.txt")
        write_file(file, "one")
        with _mounted_at(directory, f"file:{source}", *UNBOUNDED) as mount:
            scene = _Scene(directory, None, mount)
            check_equal(read(scene.path("top.txt")), b"one")
            with Watch(mount.point) as watch:
                os.kill(mount.worker_pid(), signal.SIGSTOP)
                write_file(file, "two")
                scene.kill()
                watch.wait_for(MOVED_TO, "top.txt")
                check_equal(read(scene.path("top.txt")), b"two")


@case
def another_worker_alone_is_no_event():
    with _watching() as at:
        before = os.stat(at.scene.path("password"))
        for number in range(3):
            at.scene.kill()
            at.wait_for_notifiers(number + 2)
            # the worker has what is true now
            check_equal(read(at.scene.path("password")), PASSWORD)
            calls = at.scene.aws.calls()
            at.clock.advance(60)
            wait_until(lambda: at.scene.aws.calls() > calls,
                       "a confirmation")
        after = os.stat(at.scene.path("password"))
        check_equal(at.watch.read(), [], "events")
        check_equal((after.st_ino, after.st_mtime_ns),
                    (before.st_ino, before.st_mtime_ns))


@case
def a_secret_that_is_refused_is_taken_back_by_the_next_worker():
    with _watching() as at:
        with open(at.scene.path("password"), "rb") as held:
            at.scene.aws.delete("app")
            at.scene.kill()
            wait_until(lambda: "no such secret" in at.scene.mount.log_text() or
                       "cannot fetch" in at.scene.mount.log_text(),
                       "the refusal")
            check_equal(os.pread(held.fileno(), 100, 0), PASSWORD,
                        "in its grace")
            at.clock.advance(61)
            wait_until(lambda: "no longer shown" in
                       at.scene.mount.log_text(), "the end of the grace")
            wait_until(lambda: error_of(os.pread, held.fileno(), 100, 0) ==
                       "ESTALE", "reads of the held file fail")
        check_error(at.scene.path("password"), "ENOENT")


@case
def a_configuration_that_cannot_be_read_is_tried_again():
    with aws_directory() as (directory, aws):
        path = os.path.join(directory, "class.yaml")
        write_file(path, _CLASS)
        with _mounted_at(directory, path, env=aws.environment()) as mount:
            check_equal(read(mount.path("app")), SECRET.encode())
            os.unlink(path)
            killed = mount.worker_pid()
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda: "the worker gave up" in mount.log_text(),
                       "a refusal")
            check_equal(read(mount.path("app")), SECRET.encode(), "warm")
            write_file(path, _CLASS)
            wait_until(lambda: mount.worker_pid() != killed, "a worker")
            check_equal(read(mount.path("app")), SECRET.encode())


_CLASS = """\
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: it
spec:
  provider: aws
  parameters:
    objects: |
      - objectName: "app"
        objectType: "secretsmanager"
"""


@case
def workers_that_leave_are_no_deaths_and_no_reader_sees_them_go():
    with _scene("--ttl", "1s", limits=("--test-restarts", "1")) as scene:
        before = mount_ids(scene.mount.point)
        wanted = {scene.path("password"): PASSWORD,
                  scene.path("app"): SECRET.encode()}
        with verified("WARM", "COLD", "COLD", wanted=wanted):
            for _ in range(5):
                scene.replace()
        check_equal(mount_ids(scene.mount.point), before, "mount ids")
        check_equal(scene.mount.log_text().count("the worker has left"), 5)
        check("the worker died" not in scene.mount.log_text(), "a death")


@contextlib.contextmanager
def _held_reader(scene):
    """A reader whose look-up waits for AWS."""
    scene.aws.hold("app")
    reader = subprocess.Popen(["cat", scene.path("password")],
                              env=environment(), stdout=subprocess.PIPE)
    try:
        scene.aws.wait_for_held("app")
        yield reader
    finally:
        scene.aws.release("app")
        reader.kill()
        reader.wait(30)


def _check_answer(reader):
    out, _ = reader.communicate(timeout=30)
    check_equal((reader.returncode, out), (0, PASSWORD))


@case
def a_worker_that_leaves_answers_what_it_has_read():
    with _scene() as scene:
        with _held_reader(scene) as reader:
            leaving = scene.mount.worker_pid()
            os.kill(leaving, signal.SIGTERM)
            wait_until(lambda: "leaving, another" in scene.mount.log_text(),
                       "it leaves")
            scene.aws.release("app")
            _check_answer(reader)
        check(scene.mount.worker_pid() != leaving, "it is still there")
        check_equal(scene.mount.requests("LOOKUP", name="password"), 1)


@case
def what_a_worker_has_no_time_to_answer_the_next_one_answers():
    with _scene() as scene:
        with _held_reader(scene) as reader:
            scene.replace()
            check("before all is answered" in scene.mount.log_text(),
                  "no line")
            scene.aws.release("app")
            _check_answer(reader)
        check_equal(scene.mount.requests("LOOKUP", name="password"), 2)


@case
def a_worker_that_stands_still_is_replaced_and_no_read_fails():
    with _scene("--ttl", "1s", "--heartbeat", "900ms") as scene:
        wanted = {scene.path("password"): PASSWORD,
                  scene.path("app"): SECRET.encode()}
        with verified("WARM", "COLD", "COLD", wanted=wanted):
            for _ in range(3):
                still = scene.mount.worker_pid()
                os.kill(still, signal.SIGSTOP)
                wait_until(lambda: scene.mount.worker_pid() != still,
                           "another worker serves")
        check("the worker stands still" in scene.mount.log_text(), "no line")


@case
def unmount_lets_who_waits_read():
    with _scene() as scene:
        with _held_reader(scene) as reader:
            with running(built("secretsfs"), "unmount",
                         scene.mount.point) as unmount:
                wait_until(lambda: "ending asked_by" in
                           scene.mount.log_text(), "the end begins")
                scene.aws.release("app")
                _check_answer(reader)
                check_equal(unmount.wait(20), 0, "unmount")
        check(not is_mounted(scene.mount.point), "still mounted")


@case
def unmount_lets_who_has_found_a_name_open_it():
    with _scene() as scene:
        found = os.open(scene.path("password"), os.O_PATH)
        try:
            with running(built("secretsfs"), "unmount",
                         scene.mount.point) as unmount:
                wait_until(lambda: not is_mounted(scene.mount.point),
                           "off its place")
                # as whoever gets no processor on a busy machine
                time.sleep(LATE_S)
                check_equal(read(f"/proc/self/fd/{found}"), PASSWORD)
                check_equal(unmount.wait(20), 0, "unmount")
        finally:
            os.close(found)


@case
def unmount_waits_for_an_answer_only_so_long():
    with _scene() as scene:
        with _held_reader(scene) as reader:
            check_equal(scene.mount.unmount().code, 0)
            check(not is_mounted(scene.mount.point), "still mounted")
            reader.wait(20)
            check(reader.returncode != 0, "an answer from nowhere")


@case
def a_worker_that_stands_still_is_unmounted_too():
    with _scene() as scene:
        keeper = scene.mount.keeper_pid()
        os.kill(scene.mount.worker_pid(), signal.SIGSTOP)
        reader = subprocess.Popen(["cat", scene.path("password")],
                                  env=environment(), stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        try:
            check_equal(scene.mount.unmount().code, 0)
            check(not is_mounted(scene.mount.point), "still mounted")
            wait_until(lambda: not is_alive(keeper), "the keeper's end")
            reader.wait(20)
            check(reader.returncode != 0, "an answer from nowhere")
        finally:
            reader.kill()
            reader.communicate()


@case
def a_mount_whose_workers_all_die_ends_and_says_so():
    with _scene(limits=("--test-restarts", "5")) as scene:
        keeper = scene.mount.keeper_pid()
        for _ in range(4):
            scene.kill()
        os.kill(scene.mount.worker_pid(), signal.SIGKILL)
        wait_until(lambda: not is_mounted(scene.mount.point), "unmounted")
        wait_until(lambda: not is_alive(keeper), "the keeper's end")
        check("the worker died, unmounting" in scene.mount.log_text() and
              "too many have died" in scene.mount.log_text(), "no clear line")


@case
def unmount_does_not_wait_for_a_worker():
    with _scene(limits=()) as scene:
        check_equal(read(scene.path("password")), PASSWORD)
        for _ in range(4):
            scene.kill()
        # The next one is due in 800 ms.
        os.kill(scene.mount.worker_pid(), signal.SIGKILL)
        wait_until(lambda: "pause_ms=800" in scene.mount.log_text(),
                   "the pause")
        result = scene.mount.unmount()
        check_equal(result.code, 0, "unmount")
        check(not is_mounted(scene.mount.point), "still mounted")


main()
