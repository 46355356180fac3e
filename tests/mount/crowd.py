# SPDX-License-Identifier: Apache-2.0
"""A thousand readers of one secret are one call, and cost no thread each.

The fake holds its answer until the worker has counted the readers' LOOKUPs:
so it is the worker that merges them, not luck and not the kernel alone.
"""

import collections
import json
import os
import subprocess
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.clock import Clock
from lib.place import built, work_directory
from lib.process import environment, status_field
from lib.reading import read
from lib.scene import aws_mount
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

KEYS = {f"key{number:02}": f"value {number}" for number in range(50)}


def _start_readers(count, paths):
    return subprocess.Popen([built("tests/readers"), str(count), *paths],
                            env=environment(), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE)


def _outcomes(readers):
    """How often each (errno, content, name) came out."""
    out, _ = readers.communicate(timeout=60)
    check_equal(readers.returncode, 0, "exit code of the readers")
    found = collections.Counter()
    for line in out.decode().splitlines():
        error, _, content, path = line.split(" ", 3)
        found[(int(error), bytes.fromhex(content.strip("-")).decode(),
               os.path.basename(path))] += 1
    return found


def _threads(mount):
    return int(status_field(mount.worker_pid(), "Threads"))


@case
def a_thousand_readers_of_fifty_cold_keys_are_one_call():
    with aws_mount(value=json.dumps(KEYS)) as scene:
        before = _threads(scene.mount)
        scene.aws.hold("app")
        readers = _start_readers(1000, [scene.path(key) for key in KEYS])
        scene.mount.wait_for_requests(len(KEYS), "LOOKUP")
        scene.aws.wait_for_held("app")
        # curl may hold one thread of its own while it resolves a name.
        check(_threads(scene.mount) <= before + 1, "threads",
              _threads(scene.mount))
        scene.aws.release("app")
        check_equal(_outcomes(readers),
                    {(0, value, key): 1000 // len(KEYS)
                     for key, value in KEYS.items()})
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def a_thousand_readers_of_one_name_after_its_TTL_are_one_call():
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", "1h", *clock.options,
                       value=json.dumps(KEYS)) as scene:
            path = scene.path("key07")
            read(path)
            before = _threads(scene.mount)
            check_equal(scene.aws.calls(), 1, "AWS calls before")
            scene.aws.hold("app")
            clock.advance(3600)
            scene.aws.wait_for_held("app")
            lookups = scene.mount.requests("LOOKUP", name="key07")
            readers = _start_readers(1000, [path])
            scene.mount.wait_for_requests(lookups + 500, "LOOKUP",
                                          name="key07")
            check(_threads(scene.mount) <= before + 1, "threads",
                  _threads(scene.mount))
            check_equal(scene.aws.calls(), 2, "AWS calls while held")
            scene.aws.release("app")
            check_equal(_outcomes(readers), {(0, "value 7", "key07"): 1000})
            check_equal(scene.aws.calls(), 2, "AWS calls")


@case
def readers_of_a_name_that_fails_all_hear_of_it():
    with aws_mount("--timeout", "2s", value=json.dumps(KEYS)) as scene:
        scene.aws.fail("app", "silent")
        readers = _start_readers(200, [scene.path(key) for key in KEYS])
        outcomes = _outcomes(readers)
        check_equal({error for error, _, _ in outcomes}, {5}, "errno")
        check_equal(sum(outcomes.values()), 200, "readers")


@case
def the_worker_counts_what_the_kernel_forgets():
    with aws_mount(value=json.dumps(KEYS)) as scene:
        for key, value in KEYS.items():
            check_equal(read(scene.path(key)), value.encode())
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as drop:
            drop.write("2")
        wait_until(lambda: scene.mount.requests("FORGET", "BATCH_FORGET"),
                   "FORGET reaches the worker")
        for key, value in KEYS.items():
            check_equal(read(scene.path(key)), value.encode())


main()
