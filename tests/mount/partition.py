# SPDX-License-Identifier: Apache-2.0
"""A network that stops to carry packets, between a mount and its AWS."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import ROLE_ARN, FakeAws
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.partition import FAR, cable
from lib.place import work_directory, write_file
from lib.reading import check_error, read, wait_for_content
from lib.scene import write_class
from lib.status import wait_for_answers
from lib.tap import case, check, check_equal, main
from lib.wait import BUSY_S, Stopwatch, wait_until

TTL_S = 60
DEADLINE_S = 2.0
RECOVERY_S = 2.0


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
        check(watch.s < DEADLINE_S + BUSY_S, "the error took", watch.s)
        aws.put("app", "new")
        line.mend()
        wait_for_answers(mount.point)
        with Stopwatch() as watch:
            wait_for_content(mount.path("app"), b"new")
        check(watch.s < RECOVERY_S + BUSY_S, "recovery took", watch.s)
        check_equal(read(mount.path("unread")), b"cold", "after")


def _silent_providers(aws, token):
    """Each environment with the words that name its first provider."""
    machine = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x",
               "AWS_EC2_METADATA_DISABLED": "false"}
    pod = {"AWS_CONTAINER_CREDENTIALS_FULL_URI":
               "http://169.254.170.23/v1/credentials",
           "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token,
           "AWS_EC2_METADATA_DISABLED": "false"}
    instance = {"AWS_EC2_METADATA_DISABLED": "false"}
    yield (aws.role_environment(token, **machine),
           f"web identity: no keys before the deadline, as role {ROLE_ARN}")
    for more, words in (
            (machine, "container: no keys before the deadline, as container "
                      "http://169.254.170.2/"),
            (pod, "container: no keys before the deadline, as container "
                  "http://169.254.170.23/"),
            (instance, "instance: no keys before the deadline, as instance "
                       "http://169.254.169.254")):
        yield aws.bare_environment(**more), words


@case
def where_packets_vanish_the_first_provider_is_named_by_the_deadline():
    with cable() as line, work_directory() as directory, \
            _far_aws(line, directory) as aws:
        line.lead_through("169.254.0.0/16")
        line.cut()
        token = write_file(os.path.join(directory, "t/token"), "a.b.c")
        for env, words in _silent_providers(aws, token):
            with mounted_at(directory, "app", "--timeout",
                            f"{DEADLINE_S:.0f}s", env=env) as mount:
                with Stopwatch() as watch:
                    check_error(mount.path("password"), "EIO")
                check(watch.s < DEADLINE_S + BUSY_S, words, watch.s)
                wait_until(lambda: words in mount.log_text(), words)


network_partition.__name__ = "network partition"
case(network_partition)
main()
