# SPDX-License-Identifier: Apache-2.0
"""Containers that are killed, stopped and replaced while others read."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.node import FILE, PASSWORD, SERVING, VALUE, VOLUME, node
from lib.place import write_file
from lib.podman import IMAGE
from lib.tap import case, check, check_equal, main
from lib.verifying import mount_ids, verified
from lib.wait import wait_until

_FILES = {FILE: PASSWORD,
          f"{VOLUME}/Kontox-secret": VALUE.encode()}
_NEXT = "localhost/secretsfs-next"

# As the DaemonSet has it, but before it is deleted for good.
_ROLLING = "--succeed", "--linger", "--on-stop", "leave"
_LAST = "--succeed", "--linger", "--on-stop", "unmount"


@contextlib.contextmanager
def _read(here):
    """Three containers of somebody's read all the time, and all is right."""
    with verified("WARM", "COLD", "COLD", wanted=_FILES,
                  command=here.verifier()):
        yield


def _replace(here, keeper, **image):
    """Another worker, which serves when this returns."""
    before = keeper.log().count(SERVING)
    worker = here.start_worker(**image)
    wait_until(lambda: keeper.log().count(SERVING) > before,
               "the next worker serves", 60)
    return worker


def _succeed(here, keeper, worker, options, **image):
    """Another keeper beside the one that serves, and a worker again, as the one
    before is told to leave; the new ones, both of an image."""
    after = here.start_keeper(*options, **image)
    check_equal(worker.wait(), 0, "the worker's end")
    worker = _replace(here, after, **image)
    check(keeper.is_running(), "a pod whose container ends is started again")
    check_equal(keeper.stop(), 0, "the end of the keeper before")
    return after, worker


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
        files = [FILE, f"{VOLUME}/kontox-secrets/password"]
        leaving = [here.start_reader(propagation=how)
                   for how in ("rslave", "rprivate")]
        for dead in range(2):
            for consumer, file in zip(consumers, files):
                check_equal(consumer.exec("cat", file), PASSWORD.decode())
            keeper.kill()
            worker.wait()
            check_equal(len(mount_ids(here.point())), dead + 1, "dead mounts")
            check_equal(leaving.pop().stop(), 0, "the end of who has it")
            keeper, worker = here.start_keeper(), here.start_worker()
            wait_until(lambda its=dead: len(mount_ids(here.point())) == its + 2,
                       "mounted again", 60)
        for consumer, file in zip(consumers, files):
            check_equal(consumer.exec("cat", file), PASSWORD.decode())
        check_equal(keeper.stop(), 0)
        here.check_nothing_is_left()


@case
def a_keeper_beside_another_takes_over_and_no_read_fails():
    with node() as here:
        here.put_class()
        keeper, worker = here.start(*_ROLLING)
        ids = mount_ids(here.point())
        with _read(here):
            for _ in range(2):
                keeper, worker = _succeed(here, keeper, worker, _ROLLING)
        check_equal(mount_ids(here.point()), ids, "mount ids")


@case
def an_upgrade_of_workers_and_then_of_the_keeper_fails_no_read():
    with node() as here:
        here.put_class()
        _make_next_image(here)
        keeper, worker = here.start(*_ROLLING)
        ids = mount_ids(here.point())
        with _read(here):
            check_equal(worker.stop(), 0, "the worker before")
            worker = _replace(here, keeper, image=_NEXT)
            keeper, worker = _succeed(here, keeper, worker, _ROLLING,
                                      image=_NEXT)
        check_equal(mount_ids(here.point()), ids, "mount ids")
        check_equal([one.image() for one in (keeper, worker)], [_NEXT] * 2)


@case
def a_keeper_after_another_is_seen_without_a_restart():
    with node() as here:
        here.put_class()
        keeper, worker = here.start(*_ROLLING)
        consumer = here.start_consumer()
        for count in 1, 2:
            check_equal(consumer.exec("cat", FILE), PASSWORD.decode())
            check_equal(keeper.stop(), 0, "the keeper's end")
            check_equal(worker.wait(), 0, "the worker's end")
            check_equal(len(mount_ids(here.point())), count, "what stays")
            keeper = here.start_keeper(*_ROLLING)
            worker = _replace(here, keeper)
            wait_until(lambda its=count:
                       len(mount_ids(here.point())) == its + 1,
                       "mounted upon", 60)
        check_equal(consumer.exec("cat", FILE), PASSWORD.decode())


@case
def an_uninstall_leaves_nothing_and_nobody_is_stuck():
    with node() as here:
        here.put_class()
        keeper, worker = here.start(*_ROLLING)
        readers = [here.start_reader(propagation=how)
                   for how in ("rslave", "rprivate")]
        keeper, worker = _succeed(here, keeper, worker, _LAST)
        check_equal(keeper.stop(), 0, "the keeper's end")
        check_equal(worker.wait(), 0, "the worker's end")
        for reader in readers:
            check_equal(reader.stop(), 0, "a reader's end")
        here.check_nothing_is_left()
        check_equal(here.sockets(), [])


main()
