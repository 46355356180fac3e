# SPDX-License-Identifier: Apache-2.0
"""A network that stops to carry packets, between a mount and its AWS."""

import contextlib
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import FakeAws
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.partition import FAR, cable
from lib.place import work_directory
from lib.reading import check_error, read, wait_for_content
from lib.scene import write_class
from lib.status import wait_for_answers
from lib.tap import case, check, check_equal, main
from lib.wait import Stopwatch

TTL_S = 60
DEADLINE_S = 2.0
RECOVERY_S = 2.0
MARGIN_S = 1.0  # what a busy machine takes


@contextlib.contextmanager
def _far_aws(line, directory):
    aws = line.at_far_end(FakeAws(directory, host=FAR).__enter__)
    try:
        yield aws
    finally:
        aws.__exit__(None)


@contextlib.contextmanager
def _scene():
    """A class of two secrets, of which "app" was read, and what is between."""
    with cable() as line, work_directory() as directory, \
            _far_aws(line, directory) as aws:
        clock = Clock(directory)
        aws.put("app", "old")
        aws.put("unread", "cold")
        source = write_class(directory, "app", "unread")
        with mounted_at(directory, source, "--ttl", f"{TTL_S}s",
                        "--timeout", f"{DEADLINE_S:.0f}s", *clock.options,
                        env=aws.environment()) as mount:
            check_equal(read(mount.path("app")), b"old", "before")
            yield line, aws, clock, mount


def _check_stale(mount, clock):
    for _ in range(6):  # each attempt is over by its deadline
        check_equal(read(mount.path("app")), b"old", "old value")
        clock.advance(DEADLINE_S + 1)


def network_partition():
    with _scene() as (line, aws, clock, mount):
        line.cut()
        clock.advance(TTL_S + 1)
        _check_stale(mount, clock)
        wait_for_answers(mount.point)
        with Stopwatch() as watch:
            check_error(mount.path("unread"), "EIO")
        check(watch.s < DEADLINE_S + MARGIN_S, "the error took", watch.s)
        aws.put("app", "new")
        line.mend()
        wait_for_answers(mount.point)
        with Stopwatch() as watch:
            wait_for_content(mount.path("app"), b"new")
        check(watch.s < RECOVERY_S + MARGIN_S, "recovery took", watch.s)
        check_equal(read(mount.path("unread")), b"cold", "after")


network_partition.__name__ = "network partition"
case(network_partition)
main()
