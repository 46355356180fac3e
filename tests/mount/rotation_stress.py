# SPDX-License-Identifier: Apache-2.0
"""Rotations without a pause against readers that verify: `make bench` does
ten thousand of them, this some hundred."""

import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import work_directory
from lib.reading import read
from lib.rotating import (KEYS, AwsSecret, FileSecret, broken, readers,
                          rotate, rotate_blindly, wait_for_nodes,
                          wait_for_version)
from lib.scene import aws_directory
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

ROTATIONS = 300

# The mount's root and a node for each key.
NODES = 1 + len(KEYS)


def _wait_for_notifier(mount):
    wait_until(lambda: "notifier mount=0 pid=" in mount.log_text(),
               "a notifier")


def _check_readers(found):
    check_equal(broken(found), {}, "broken promises")
    check(found["pairs"] > ROTATIONS, "pairs that were read", found)
    print(f"# {found}", flush=True)


def _file_mount(directory):
    one = FileSecret(os.path.join(directory, "secrets.d"))
    return one, mounted_at(directory, f"file:{one.path}")


@case
def each_rotation_is_seen_once_and_whole_by_readers_and_watchers():
    with work_directory() as directory:
        one, mounted = _file_mount(directory)
        with mounted as mount:
            _wait_for_notifier(mount)
            for key in KEYS:
                read(mount.path(key))
            with readers(2, mount.point) as found:
                rotate(mount, one, ROTATIONS)
                wait_for_version(mount, ROTATIONS)
            _check_readers(found)
            wait_for_nodes(mount, NODES)


@case
def rotations_that_overtake_the_notifier_leave_nothing_behind():
    with work_directory() as directory:
        one, mounted = _file_mount(directory)
        with mounted as mount:
            _wait_for_notifier(mount)
            for key in KEYS:
                read(mount.path(key))
            with readers(2, mount.point) as found:
                rotate_blindly(one, 1, 10 * ROTATIONS)
                wait_for_version(mount, 10 * ROTATIONS)
            _check_readers(found)
            wait_for_nodes(mount, NODES)


@case
def names_that_the_kernel_never_believes_rotate_alike():
    with aws_directory() as (directory, aws):
        clock = Clock(directory)
        one = AwsSecret(aws, clock, 60)
        with mounted_at(directory, "app", "--ttl", "60s", *clock.options,
                        env=aws.environment()) as mount:
            _wait_for_notifier(mount)
            for key in KEYS:
                read(mount.path(key))
            with readers(2, mount.point) as found:
                rotate(mount, one, ROTATIONS // 3)
            _check_readers(found)
            wait_for_version(mount, ROTATIONS // 3)
            wait_for_nodes(mount, NODES)


main()
