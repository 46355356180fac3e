# SPDX-License-Identifier: Apache-2.0
"""AWS throttles: who has a value does not notice, and AWS is asked less."""

import contextlib
import json
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import BATCH, DESCRIBE, GET, FakeAws
from lib.class_text import class_text, object_text
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import work_directory, write_file
from lib.reading import check_error, read, wait_for_content
from lib.tap import case, check, check_equal, main
from lib.wait import BUSY_S, Stopwatch

COUNT = 100
TTL_S = 60
MINUTES = 10
STEP_S = 5

# The bucket has 500 tokens, a retry costs 5, and only a success gives any
# back. Besides, each secret is tried after 1, 2, 4, 8, 16 and 32 s, and then
# once in 48 to 60 s.
RETRIES = 500 // 5
TRIES = 6 + (MINUTES * 60 - 63) // 48 + 1
BOUND = RETRIES + COUNT * TRIES

PATIENCE_S = 2.0


def _key(number):
    return f"key{number:03}"


def _value(number):
    return f"value {number}".encode()


@contextlib.contextmanager
def _mounted():
    """A class of many secrets, each of one key, and its clock."""
    with work_directory() as directory, FakeAws(directory) as aws:
        names = [f"team/app{number:03}" for number in range(COUNT)]
        for number, name in enumerate(names):
            aws.put(name, json.dumps({_key(number): f"value {number}"}))
        source = write_file(os.path.join(directory, "many.yaml"),
                            class_text(*map(object_text, names)))
        clock = Clock(directory)
        with mounted_at(directory, source, "--ttl", f"{TTL_S}s",
                        *clock.options, env=aws.environment()) as mount:
            yield aws, clock, mount


def _throttle(aws):
    for operation in (GET, DESCRIBE, BATCH):
        aws.fail(operation, "throttled")


def _heal(aws):
    for operation in (GET, DESCRIBE, BATCH):
        aws.heal(operation)


def _read_all(mount):
    """The longest of the reads."""
    longest = 0
    for number in range(COUNT):
        with Stopwatch() as watch:
            check_equal(read(mount.path(_key(number))), _value(number))
        longest = max(longest, watch.s)
    return longest


@case
def ten_minutes_of_throttling_reach_no_reader_and_stay_within_the_bucket():
    with _mounted() as (aws, clock, mount):
        os.listdir(mount.point)
        _read_all(mount)
        _throttle(aws)
        before = aws.calls()
        longest = 0
        steps = MINUTES * 60 // STEP_S
        for _ in range(steps):
            clock.advance(STEP_S)
            longest = max(longest, _read_all(mount))
        asked = aws.calls() - before
        print(f"# {steps * COUNT} reads, all served, the longest took "
              f"{longest:.2f} s; {asked} calls, at most {BOUND}", flush=True)
        check(longest < PATIENCE_S + BUSY_S, "a read took", longest)
        check(asked <= BOUND, asked, "calls, at most", BOUND)
        _heal(aws)
        aws.put("team/app007", json.dumps({_key(7): "new"}))
        clock.advance(60)
        wait_for_content(mount.path(_key(7)), b"new")


@case
def cold_readers_hear_of_it_in_time_and_pay_from_the_same_bucket():
    with _mounted() as (aws, clock, mount):
        _throttle(aws)
        with Stopwatch() as watch:
            check_error(mount.path(_key(0)), "EIO")
        print(f"# an error after {watch.s:.2f} s, {aws.calls()} calls",
              flush=True)
        check(watch.s < 20.0, "took", watch.s)
        # a batch, then each secret alone, and what the bucket pays for
        check(aws.calls() <= 1 + COUNT + RETRIES, aws.calls(), "calls")
        _heal(aws)
        with Stopwatch() as watch:
            check_equal(read(mount.path(_key(0))), _value(0))
        check(watch.s < PATIENCE_S + BUSY_S, "took", watch.s)


@case
def a_start_whose_batches_are_throttled_is_served_by_single_calls():
    with _mounted() as (aws, _, mount):
        aws.fail(BATCH, "throttled")
        with Stopwatch() as watch:
            check_equal(read(mount.path(_key(0))), _value(0))
        print(f"# served after {watch.s:.2f} s", flush=True)
        # the pauses between three batches, and what the machine takes
        check(watch.s < 3.0 + BUSY_S, "took", watch.s)
        _read_all(mount)
        check_equal((aws.calls(BATCH), aws.calls(GET)), (3, COUNT),
                    "(batch, get)")


main()
