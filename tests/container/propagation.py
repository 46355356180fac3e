# SPDX-License-Identifier: Apache-2.0
"""What real containers see of the mounts of a node, in the tables that
tests/mount/propagation.py shows with mount namespaces."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.node import CLASS, PASSWORD, VOLUME, node
from lib.seen import (BEFORE, CONTAINERS, EARLY, ENDED, KILLED, LATE, MOUNTED,
                      PARENT, STACKED, check_row, seen)
from lib.tap import case, check_equal, main


class _Consumers:
    """One of each kind."""

    def __init__(self, here):
        self._here = here
        self._started = {}

    def start(self, when):
        for container in CONTAINERS:
            what, how, its_when = container
            if its_when == when:
                self._started[container] = self._here.start_consumer(
                    source=self._here.mounts if what == PARENT else None,
                    propagation=how)

    def _sees(self, container, *names):
        path = self._started[container].path(VOLUME[1:], *names)
        return seen(path, PASSWORD)

    def check(self, step, row):
        check_row(step, row, self._sees, self._started, CLASS)


@contextlib.contextmanager
def _scene():
    """A node with a consumer of each kind."""
    with node() as here:
        here.put_class()
        os.mkdir(here.point())
        consumers = _Consumers(here)
        consumers.start(EARLY)
        consumers.check("before", BEFORE)
        keeper, worker = here.start()
        consumers.start(LATE)
        consumers.check("mounted", MOUNTED)
        yield here, consumers, keeper, worker


@case
def a_mount_reaches_who_follows_it_until_it_ends():
    with _scene() as (here, consumers, keeper, worker):
        worker.kill()
        here.start_worker()
        consumers.check("worker killed and replaced", MOUNTED)
        check_equal(keeper.stop(), 0)
        consumers.check("ended", ENDED)


@case
def a_mount_on_a_dead_one_reaches_all_who_follow_it():
    with _scene() as (here, consumers, keeper, worker):
        keeper.kill()
        worker.wait()
        consumers.check("killed", KILLED)
        keeper, _ = here.start()
        consumers.check("stacked", STACKED)
        check_equal(keeper.stop(), 0)
        consumers.check("ended", ENDED)


main()
