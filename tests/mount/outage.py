# SPDX-License-Identifier: Apache-2.0
"""An outage of AWS: what was read goes on being served for --max-stale, then
there is an error and no value, and AWS is neither pestered nor forgotten."""

import contextlib
import json
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.clock import Clock
from lib.inotify import MOVED_TO, Watch
from lib.place import work_directory
from lib.reading import check_error, error_of, read, wait_for_content
from lib.scene import PASSWORD, aws_mount, class_mount
from lib.status import attempts, status, status_object
from lib.tap import case, check, check_equal, main
from lib.wait import BUSY_S, Stopwatch, wait_until

TTL_S = 300
MAX_STALE_S = 24 * 3600
NEW = json.dumps({"username": "ada", "password": "battery staple"})

# A pause of the breaker lasts between these, the first ones less; five
# failures open it, and two attempts may be in flight by then.
PAUSE_S = (0.5, 1.0)
TO_OPEN = 5 + 2

RECOVERY_S = 2.0
STEP_S = 60


@contextlib.contextmanager
def _down():
    """A mount of a secret that was read, and AWS gone."""
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", f"{TTL_S}s", *clock.options) as scene:
            check_equal(read(scene.path("password")), PASSWORD)
            scene.clock = clock
            scene.aws.refuse_connections()
            yield scene


def _age_s(scene):
    return status_object(scene.mount.point)["ageMs"] / 1000


def _read_through(scene, steps, step_s):
    """Both keys in each step; how many reads that were."""
    for _ in range(steps):
        scene.clock.advance(step_s)
        check_equal(read(scene.path("password")), PASSWORD)
        check_equal(read(scene.path("username")), b"ada")
    return 2 * steps


def _check_recovery(scene, wanted):
    scene.aws.listen()
    with Stopwatch() as watch:
        wait_for_content(scene.path("password"), wanted)
    print(f"# recovered after {watch.s:.2f} s", flush=True)
    check(watch.s < RECOVERY_S + BUSY_S, "recovery took", watch.s)


@case
def a_day_without_AWS_serves_every_cached_read_and_then_an_error():
    with _down() as scene, open(scene.path("password"), "rb") as held:
        check_equal(os.pread(held.fileno(), 99, 0), PASSWORD)
        before = attempts(scene.mount.point)
        steps = MAX_STALE_S // STEP_S - 2
        reads = _read_through(scene, steps, STEP_S)
        asked = attempts(scene.mount.point) - before
        print(f"# {reads} reads in 24 h: all served, {asked} attempts",
              flush=True)
        # the background and a reader, once each in a step
        check(asked <= 2 * steps + TO_OPEN, asked, "attempts")
        scene.clock.advance(MAX_STALE_S - 1 - _age_s(scene))
        check_equal(read(scene.path("password")), PASSWORD, "one s before")
        check_equal(os.pread(held.fileno(), 99, 0), PASSWORD, "held")
        scene.clock.advance(1)
        with Stopwatch() as watch:
            check_error(scene.path("password"), "EIO")
            wait_until(lambda: error_of(os.pread, held.fileno(), 99, 0) ==
                       "EIO", "the held file fails")
        print(f"# an error after {watch.s:.2f} s", flush=True)
        check(watch.s < BUSY_S, "the error took", watch.s)
        found = status_object(scene.mount.point)
        check_equal((found["state"], found["versionId"]), ("failed", None))
        _check_recovery(scene, PASSWORD)


@case
def a_new_version_is_seen_within_two_seconds_of_the_return():
    with _down() as scene:
        _read_through(scene, 60, STEP_S)
        scene.aws.put("app", NEW)
        _check_recovery(scene, b"battery staple")


def _wait_for_long_pauses(scene, count):
    """Until nobody would be asked for most of a minute."""
    for _ in range(12):
        scene.clock.advance(STEP_S)
        wait_until(lambda: all(
            one["error"] and not one["inFlight"]
            for one in status(scene.mount.point)["objects"]), "failures")
    found = status(scene.mount.point)["objects"]
    check_equal(len(found), count, "objects")
    endpoint = status(scene.mount.point)["endpoints"][0]
    check_equal(endpoint["breaker"], "open")


@case
def who_only_watches_hears_of_what_changed_soon_after_the_return():
    """Nobody reads: the first that is asked for is the scout's, within five
    seconds, and all others within one more."""
    count = 20
    names = [f"s{number:02}" for number in range(count)]
    with work_directory() as directory:
        clock = Clock(directory)
        with class_mount(names, "--ttl", f"{TTL_S}s",
                         *clock.options) as scene:
            scene.clock = clock
            wait_until(lambda: "notifier mount=0 pid=" in
                       scene.mount.log_text(), "a notifier")
            for name in names:
                check_equal(read(scene.path(name)), name.encode())
            scene.aws.refuse_connections()
            clock.advance(TTL_S)
            _wait_for_long_pauses(scene, count)
            for name in names:
                scene.aws.put(name, "new")
            with Watch(scene.mount.point) as watch:
                calls = scene.aws.calls()
                scene.aws.listen()
                with Stopwatch() as stopwatch:
                    for name in names:
                        watch.wait_for(MOVED_TO, name, seconds=20)
                asked = scene.aws.calls() - calls
            print(f"# {count} rotations heard of after {stopwatch.s:.1f} s, "
                  f"{asked} calls", flush=True)
            check(asked <= 2 * count + 2, asked, "calls")
            for name in names:
                check_equal(read(scene.path(name)), b"new")


@case
def constant_readers_make_one_attempt_a_pause():
    with _down() as scene:
        scene.clock.advance(TTL_S)
        _read_through(scene, 1, 1)
        before = attempts(scene.mount.point)
        with Stopwatch() as watch:
            _read_through(scene, 600, 0.1)
        took_s = 60 + watch.s
        asked = attempts(scene.mount.point) - before
        print(f"# {asked} attempts in {took_s:.0f} s", flush=True)
        check(asked <= took_s / PAUSE_S[0] + TO_OPEN, asked, "attempts")
        check(asked >= took_s / (PAUSE_S[1] + 1) / 2, asked, "attempts")


@case
def a_server_that_fails_is_asked_less_and_less_often():
    """Answers open no breaker: so each secret has a pace of its own."""
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--ttl", f"{TTL_S}s", *clock.options) as scene:
            check_equal(read(scene.path("password")), PASSWORD)
            scene.clock = clock
            for what in ("GetSecretValue", "DescribeSecret"):
                scene.aws.fail(what, "500")
            clock.advance(TTL_S)
            before = scene.aws.calls()
            with Stopwatch() as watch:
                _read_through(scene, 600, 1)
            asked = scene.aws.calls() - before
            print(f"# {asked} calls in 10 minutes", flush=True)
            # attempts, one of them when time moved on by itself, and what
            # the bucket has for others
            check(asked <= 7 + (600 + watch.s) / 48 + 500 // 14, asked,
                  "calls")
            for what in ("GetSecretValue", "DescribeSecret"):
                scene.aws.heal(what)
            scene.aws.put("app", NEW)
            clock.advance(60)
            wait_for_content(scene.path("password"), b"battery staple")


main()
