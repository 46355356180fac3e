# SPDX-License-Identifier: Apache-2.0
"""Containers that are killed, stopped and replaced while others read."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.node import PASSWORD, VALUE, VOLUME, node
from lib.place import mounts, write_file
from lib.podman import IMAGE
from lib.tap import case, check, check_equal, main
from lib.verifying import mount_ids, verified
from lib.wait import wait_until

_FILES = {f"{VOLUME}/password": PASSWORD,
          f"{VOLUME}/Kontox-secret": VALUE.encode()}
_NEXT = "localhost/secretsfs-next"
_SERVING = " worker_pid="


@contextlib.contextmanager
def _read(here):
    """Three containers of somebody's read all the time, and all is right."""
    with verified("WARM", "COLD", "COLD", wanted=_FILES,
                  command=here.verifier()):
        yield


def _replace(here, keeper, **image):
    """Another worker, which serves when this returns."""
    before = keeper.log().count(_SERVING)
    worker = here.start_worker(**image)
    wait_until(lambda: keeper.log().count(_SERVING) > before,
               "the next worker serves", 60)
    return worker


def _make_next_image(here):
    """The same with another name, as a registry has one for each version."""
    path = write_file(os.path.join(here.directory, "next", "Containerfile"),
                      f"FROM {IMAGE}\n"
                      "LABEL org.opencontainers.image.version=next\n")
    here.podman("build", "--isolation", "chroot", "-f", path, "-t", _NEXT,
                os.path.dirname(path))


@case
def a_worker_that_is_killed_and_replaced_fails_no_read():
    with node() as here:
        here.put_class()
        keeper, worker = here.start()
        ids = mount_ids(here.point())
        with _read(here):
            for _ in range(3):
                worker.kill()
                worker = _replace(here, keeper)
        check_equal(mount_ids(here.point()), ids, "mount ids")
        check_equal(keeper.stop(), 0)


@case
def workers_of_another_image_follow_and_no_read_fails():
    with node() as here:
        here.put_class()
        _make_next_image(here)
        keeper, worker = here.start()
        ids = mount_ids(here.point())
        with _read(here):
            for image in (_NEXT, IMAGE):
                # as a rollout does it: the one before goes first
                check_equal(worker.stop(), 0, "the one before")
                worker = _replace(here, keeper, image=image)
            # or beside it, as with maxSurge
            after = _replace(here, keeper, image=_NEXT)
            check_equal(worker.wait(), 0, "the one before")
        check_equal(mount_ids(here.point()), ids, "mount ids")
        check_equal(keeper.stop(), 0)
        check_equal(after.wait(), 0)


@case
def after_a_keeper_that_was_killed_consumers_read_without_a_restart():
    with node() as here:
        here.put_class()
        keeper, worker = here.start()
        consumers = [here.start_consumer(),
                     here.start_consumer(source=here.mounts)]
        files = [f"{VOLUME}/password", f"{VOLUME}/kontox-secrets/password"]
        for dead in range(2):
            for consumer, file in zip(consumers, files):
                check_equal(consumer.exec("cat", file), PASSWORD.decode())
            keeper.kill()
            worker.wait()
            check_equal(len(mount_ids(here.point())), dead + 1, "dead mounts")
            keeper, worker = here.start_keeper(), here.start_worker()
            wait_until(lambda its=dead: len(mount_ids(here.point())) == its + 2,
                       "mounted again", 60)
        for consumer, file in zip(consumers, files):
            check_equal(consumer.exec("cat", file), PASSWORD.decode())
        check_equal(keeper.stop(), 0)
        for consumer in consumers:
            consumer.signal("KILL")
            consumer.wait()
        here.check_nothing_is_left()


main()
