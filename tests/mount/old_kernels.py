# SPDX-License-Identifier: Apache-2.0
"""What holds where the kernel can be told nothing and there is no notifier:
changes show at the end of the TTL, and nothing that is open changes."""

import contextlib
import os
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.class_text import class_text, object_text
from lib.mounting import mounted_at
from lib.place import write_file
from lib.reading import check_error, error_of, read, wait_for_content
from lib.scene import PASSWORD, Scene, aws_directory
from lib.status import kill_notifiers, status
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

OLD = ("--test-no-epochs", "--ttl", "1s")
NEW = '{"username": "bob", "password": "new"}'


@contextlib.contextmanager
def _silent(*options, **more):
    """A mount of a secret that was read, of which nobody is told."""
    with aws_directory() as (directory, aws), \
            mounted_at(directory, "app", *OLD, *options,
                       env=aws.environment(), **more) as mount:
        kill_notifiers(mount.point)
        check_equal(status(mount.point)["mount"]["notifies"], "none")
        check_equal(read(mount.path("password")), PASSWORD)
        yield Scene(directory, aws, mount)


@case
def a_rotation_shows_at_the_end_of_the_TTL():
    with _silent() as scene:
        with open(scene.path("password"), "rb") as held:
            before = os.fstat(held.fileno())
            scene.aws.put("app", NEW)
            wait_for_content(scene.path("password"), b"new")
            wait_for_content(scene.path("username"), b"bob")
            after = os.stat(scene.path("password"))
            check(after.st_ino != before.st_ino, "the same node")
            check(after.st_mtime_ns > before.st_mtime_ns, "no later mtime")
            check_equal(held.read(), PASSWORD, "what was open before")


@case
def a_key_that_goes_is_gone_at_the_end_of_the_TTL():
    with _silent() as scene:
        scene.aws.put("app", '{"password": "new"}')
        wait_until(lambda: error_of(read, scene.path("username")) == "ENOENT",
                   "the key is gone")
        check_equal(sorted(os.listdir(scene.mount.point)),
                    ["app", "password"])


@case
def another_class_is_in_force_at_the_end_of_the_TTL():
    with aws_directory() as (directory, aws):
        path = write_file(os.path.join(directory, "class.yaml"),
                          class_text(object_text("app")))
        with mounted_at(directory, path, *OLD, env=aws.environment()) as mount:
            kill_notifiers(mount.point)
            check_equal(read(mount.path("password")), PASSWORD)
            write_file(path, class_text(object_text(
                "app", "objectAlias: other", "jmesPath: []")))
            os.kill(mount.keeper_pid(), signal.SIGHUP)
            wait_until(lambda: error_of(read, mount.path("password")) ==
                       "ENOENT", "the old name is gone")
            check_error(mount.path("app"), "ENOENT")
            read(mount.path("other"))


@case
def what_rotates_between_two_workers_shows_at_the_end_of_the_TTL():
    with _silent("--test-no-resend", expect_death=True) as scene:
        scene.aws.put("app", NEW)
        worker = scene.mount.worker_pid()
        os.kill(worker, signal.SIGKILL)
        wait_for_content(scene.path("password"), b"new")
        check(status(scene.mount.point)["pids"]["worker"] != worker,
              "the same worker")


main()
