# SPDX-License-Identifier: Apache-2.0
"""Workers that are killed, or leave, while AWS is down: what the last one had is
served by the next, as old as it is."""

import contextlib
import os
import resource
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import MAY_BATCH, MAY_DESCRIBE, MAY_GET, FakeAws
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import built, work_directory
from lib.process import run_ok
from lib.reading import check_error, read
from lib.scene import Scene, write_class
from lib.status import status, status_object, wait_for_answers
from lib.tap import Skip, case, check, check_equal, main
from lib.wait import wait_until

COUNT = 40
GRACE_S = 60
SMALL_POOL = 1 << 20  # the values and the longest reply need more
LOCKED_MAX = 8 << 20  # what users may lock in most places
LARGE = 60000
TTL_S = 600
STALE_S = 3600


def _value(number):
    return f"{number:05d}" * (1 + number * 250)


def _large_value(number):
    return f"{number:05d}" * (LARGE // 5)


@contextlib.contextmanager
def _scene(*options, count=COUNT, value=_value, under=()):
    names = [f"app-{number}" for number in range(count)]
    with work_directory() as directory, FakeAws(directory) as aws:
        clock = Clock(directory)
        for number, name in enumerate(names):
            aws.put(name, value(number))
        with mounted_at(directory, write_class(directory, *names),
                        "--test-restarts", "0", "--ttl", f"{TTL_S}s",
                        "--max-stale", f"{STALE_S}s", *clock.options,
                        *options, env=aws.environment(),
                        expect_death=True, under=under) as mount:
            for number, name in enumerate(names):
                check_equal(read(mount.path(name)).decode(), value(number))
            yield Scene(directory, aws, mount), names, clock


def _memory(scene):
    return status(scene.mount.point)["memory"]


def _kill(scene):
    killed = scene.mount.worker_pid()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: scene.mount.worker_pid() != killed,
               "another worker serves")


def _check_all(scene, names, value=_value):
    for number, name in enumerate(names):
        path = scene.path(name)
        with open(path, "rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        check_equal(read(path).decode(), value(number), name)


def _needs_kept_memory(scene):
    if not _memory(scene)["outlivesWorker"]:
        raise Skip(f"no secret memory here: {_memory(scene)}")


@case
def every_cached_value_is_served_after_each_restart_while_aws_is_down():
    with _scene() as (scene, names, _):
        _needs_kept_memory(scene)
        scene.aws.refuse_connections()
        for _ in range(3):
            _kill(scene)
            check_equal(_memory(scene)["adopted"], COUNT, "taken over")
            _check_all(scene, names)


@case
def so_is_it_after_a_worker_that_leaves():
    with _scene() as (scene, names, _):
        _needs_kept_memory(scene)
        scene.aws.refuse_connections()
        leaving = scene.mount.worker_pid()
        os.kill(leaving, signal.SIGTERM)
        wait_until(lambda: scene.mount.worker_pid() != leaving,
                   "another worker serves")
        check_equal(_memory(scene)["adopted"], COUNT, "taken over")
        run_ok(built("secretsfs"), "upgrade", scene.mount.point)
        check_equal(_memory(scene)["adopted"], COUNT, "taken over again")
        _check_all(scene, names)


@case
def so_is_what_the_pool_had_no_room_for():
    with _scene("--test-pool", f"memfd_secret:{SMALL_POOL}") as (scene, names,
                                                                 _):
        _needs_kept_memory(scene)
        check(_memory(scene)["sealed"] > 0, _memory(scene))
        scene.aws.refuse_connections()
        for _ in range(3):
            _kill(scene)
            check_equal(_memory(scene)["adopted"], COUNT, "taken over")
            check(_memory(scene)["sealed"] > 0, _memory(scene))
            # opens what is sealed, and has others sealed for it
            _check_all(scene, names)


def _locked_max():
    """What a mount may lock that nobody lets have more: the limit that there
    is, but not more than a test can fill."""
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    if limit == resource.RLIM_INFINITY:
        return LOCKED_MAX
    return min(limit, LOCKED_MAX)


@case
def so_is_a_pool_that_fills_the_limit_on_locked_memory():
    limit = _locked_max()
    under = ("prlimit", f"--memlock={limit}:{limit}",
             "setpriv", "--bounding-set", "-sys_resource")
    with _scene(count=limit // LARGE + 1, value=_large_value,
                under=under) as (scene, names, _):
        _needs_kept_memory(scene)
        memory = _memory(scene)
        check_equal(memory["mappedBytes"], memory["maxBytes"], memory)
        check(limit // 2 < memory["maxBytes"] < limit, memory)
        check(memory["sealed"] > 0, memory)
        scene.aws.refuse_connections()
        for _ in range(3):
            _kill(scene)
            check_equal(_memory(scene)["adopted"], len(names), "taken over")
            _check_all(scene, names, _large_value)


@case
def the_grace_of_a_refusal_does_not_begin_anew():
    with _scene() as (scene, names, clock):
        _needs_kept_memory(scene)
        path = scene.path(names[1])
        scene.aws.deny(MAY_GET)
        scene.aws.deny(MAY_DESCRIBE)
        scene.aws.deny(MAY_BATCH)
        clock.advance(TTL_S + 1)
        check_equal(read(path).decode(), _value(1), "within the grace")
        wait_until(lambda: status_object(scene.mount.point, names[1])["error"],
                   "it is refused")
        wait_for_answers(scene.mount.point)
        clock.advance(GRACE_S - 20)
        _kill(scene)
        check_equal(read(path).decode(), _value(1), "after the restart")
        wait_for_answers(scene.mount.point)
        clock.advance(21)
        wait_until(lambda: status_object(scene.mount.point, names[1])
                   ["versionId"] is None, "it is wiped")


@case
def what_was_taken_over_is_as_old_as_it_was():
    with _scene() as (scene, names, clock):
        _needs_kept_memory(scene)
        clock.advance(TTL_S - 60)
        scene.aws.refuse_connections()
        _kill(scene)
        read(scene.path(names[0]))
        age = status_object(scene.mount.point, names[0])["ageMs"]
        check(age >= (TTL_S - 60) * 1000, "age", age)
        clock.advance(STALE_S)
        wait_until(lambda: status_object(scene.mount.point, names[0])
                   ["versionId"] is None, "it is wiped")
        check_error(scene.path(names[0]), "EIO")


@case
def locked_memory_is_gone_with_its_worker_and_status_says_so():
    with _scene("--test-pool", "mlock") as (scene, names, _):
        check_equal(_memory(scene)["outlivesWorker"], False)
        _kill(scene)
        check_equal(_memory(scene)["adopted"], 0)
        _check_all(scene, names)


main()
