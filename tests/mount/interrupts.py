# SPDX-License-Identifier: Apache-2.0
"""Readers that are killed go at once, and waiting delays nobody else."""

import os
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import mounted_at
from lib.process import is_alive, run, running
from lib.reading import read, wait_for_content
from lib.scene import PASSWORD, aws_directory, aws_mount
from lib.tap import case, check, check_equal, main
from lib.wait import BUSY_S, Stopwatch, wait_until


def _wait_for_lookup(mount, name, count=1):
    mount.wait_for_requests(count, "LOOKUP", name=name)


def _kill_soon(process, how=signal.SIGKILL):
    with Stopwatch() as watch:
        process.send_signal(how)
        process.wait(20)
    check(watch.s < 1.0 + BUSY_S, "took", watch.s)
    print(f"# gone after {watch.s:.2f} s", flush=True)


@case
def a_killed_reader_is_gone_soon():
    with aws_mount() as scene:
        scene.aws.fail("app", "silent")
        with running("cat", scene.path("password")) as reader:
            _wait_for_lookup(scene.mount, "password")
            _kill_soon(reader)


@case
def a_terminated_reader_is_gone_soon():
    with aws_mount() as scene:
        scene.aws.fail("app", "silent")
        with running("cat", scene.path("password")) as reader:
            _wait_for_lookup(scene.mount, "password")
            _kill_soon(reader, signal.SIGTERM)


@case
def a_killed_ls_is_gone_soon():
    with aws_mount() as scene:
        scene.aws.fail("app", "silent")
        with running("stat", scene.path("password")) as reader:
            _wait_for_lookup(scene.mount, "password")
            _kill_soon(reader)


@case
def another_reader_of_the_name_ends_by_the_deadline():
    with aws_mount("--timeout", "3s") as scene:
        scene.aws.fail("app", "silent")
        with running("cat", scene.path("password")) as first:
            _wait_for_lookup(scene.mount, "password")
            with running("cat", scene.path("password")) as second:
                with Stopwatch() as watch:
                    _kill_soon(first)
                    check_equal(second.wait(20), 1, "exit code")
                check(watch.s < 3.0 + BUSY_S, "took", watch.s)


@case
def another_reader_gets_the_value_when_it_comes():
    with aws_mount() as scene:
        scene.aws.hold("app")
        with running("cat", scene.path("password")) as first:
            _wait_for_lookup(scene.mount, "password")
            with running("cat", scene.path("username")) as second:
                _wait_for_lookup(scene.mount, "username")
                _kill_soon(first)
                scene.aws.release("app")
                check_equal(second.wait(20), 0, "exit code")
        check_equal(scene.aws.calls("app"), 1, "AWS calls")


@case
def the_mount_serves_after_its_readers_were_killed():
    with aws_mount() as scene:
        scene.aws.fail("app", "silent")
        for count in range(1, 6):
            with running("cat", scene.path("password")) as reader:
                _wait_for_lookup(scene.mount, "password", count)
                _kill_soon(reader)
        scene.aws.heal("app")
        wait_for_content(scene.path("password"), PASSWORD)


@case
def a_slow_secret_does_not_delay_another():
    with aws_directory() as (directory, aws):
        aws.put("other", '{"here": "now"}')
        aws.fail("app", "silent")
        env = aws.environment()
        with mounted_at(directory, "app", env=env, name="slow") as slow, \
                mounted_at(directory, "other", env=env) as other, \
                running("cat", slow.path("password")) as reader:
            _wait_for_lookup(slow, "password")
            with Stopwatch() as watch:
                check_equal(read(other.path("here")), b"now")
            check(watch.s < BUSY_S, "took", watch.s)
            check(is_alive(reader.pid), "the slow reader waits")
            _kill_soon(reader)


@case
def a_slow_secret_does_not_delay_ls():
    with aws_mount() as scene:
        scene.aws.fail("app", "silent")
        with running("cat", scene.path("password")) as reader:
            _wait_for_lookup(scene.mount, "password")
            result = run("ls", scene.mount.point)
            check_equal((result.code, result.out), (0, b"app\n"))
            check(result.seconds < 10.0, result)
            with Stopwatch() as watch:
                os.stat(scene.mount.point)
            check(watch.s < BUSY_S, "stat took", watch.s)
            check(is_alive(reader.pid), "the slow reader waits")


@case
def a_fetch_that_lost_its_reader_is_given_up():
    with aws_mount() as scene:
        scene.aws.hold("app")
        with running("cat", scene.path("password")) as reader:
            _wait_for_lookup(scene.mount, "password")
            scene.aws.wait_for_held("app")
            _kill_soon(reader)
        wait_until(lambda: scene.aws.open_connections() == 0,
                   "the connection is closed")
        scene.aws.release("app")


@case
def unmounting_does_not_wait_for_a_silent_server():
    with aws_mount() as scene:
        scene.aws.fail("app", "silent")
        with running("cat", scene.path("password")) as reader:
            _wait_for_lookup(scene.mount, "password")
            result = scene.mount.unmount()
            check_equal(result.code, 0, result)
            check(result.seconds < 5.0 + BUSY_S, result)
            check(reader.wait(10) != 0, "the reader ends with an error")


main()
