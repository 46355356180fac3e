# SPDX-License-Identifier: Apache-2.0
"""A thousand secrets that are asked for in one moment are no storm: batches
where AWS allows them, and never more than so many requests at a time."""

import contextlib
import os
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import BATCH, BATCH_MAX, GET, FakeAws
from lib.mounting import mounted_at
from lib.place import work_directory
from lib.reading import read
from lib.scene import write_class
from lib.status import status
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

COUNT = 1000
NAMES = [f"secret{number:04}" for number in range(COUNT)]

IN_FLIGHT_MAX = 32  # RETRY_IN_FLIGHT_MAX


def _value(name):
    return f"value of {name}"


@contextlib.contextmanager
def _followed():
    """A mount of a thousand secrets whose files the kernel knows."""
    with work_directory() as directory, FakeAws(directory) as aws:
        for name in NAMES:
            aws.put(name, _value(name))
        with mounted_at(directory, write_class(directory, *NAMES), "--ttl",
                        "1h", "--test-restarts", "0",
                        # what the next worker starts without
                        "--test-pool", "mlock", env=aws.environment(),
                        expect_death=True) as mount:
            held = [os.open(mount.path(name), os.O_RDONLY) for name in NAMES]
            try:
                yield aws, mount
            finally:
                for file in held:
                    os.close(file)


def _fetched(mount):
    objects = status(mount.point)["objects"]
    return len(objects) == COUNT and all(one["versionId"] for one in objects)


def _kill(aws, mount):
    """The calls that another worker makes, by operation."""
    before = {one: aws.calls(one) for one in (BATCH, GET)}
    all_before = aws.calls()
    aws.most_in_flight = 0
    killed = mount.worker_pid()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: mount.worker_pid() != killed, "another worker")
    wait_until(lambda: _fetched(mount), "all is fetched", 60)
    made = {one: aws.calls(one) - before[one] for one in before}
    check_equal(aws.calls() - all_before, sum(made.values()), "other calls")
    print(f"# {made}, {aws.most_in_flight} at a time", flush=True)
    return made


@case
def another_worker_fetches_a_thousand_secrets_in_batches():
    with _followed() as (aws, mount):
        made = _kill(aws, mount)
        check(made[BATCH] <= COUNT // BATCH_MAX + 5, made)
        check(made[GET] <= 5, made)
        check(0 < aws.most_in_flight <= IN_FLIGHT_MAX, "requests at a time:",
              aws.most_in_flight)
        check_equal(read(mount.path(NAMES[-1])).decode(), _value(NAMES[-1]))


@case
def without_batches_it_asks_for_each_and_few_at_a_time():
    with _followed() as (aws, mount):
        aws.deny(f"secretsmanager:{BATCH}")
        made = _kill(aws, mount)
        check(made[BATCH] <= 1, made)
        check_equal(made[GET], COUNT, "single calls")
        check(0 < aws.most_in_flight <= IN_FLIGHT_MAX, "requests at a time:",
              aws.most_in_flight)
        check_equal(read(mount.path(NAMES[-1])).decode(), _value(NAMES[-1]))


main()
