# SPDX-License-Identifier: Apache-2.0
"""What may pass is asked again within the deadline; an endpoint that does not
answer is left alone, and found again when it is back."""

import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import ASSUME
from lib.mounting import mounted_at
from lib.place import write_file
from lib.reading import check_error, read, wait_for_content
from lib.scene import PASSWORD, aws_directory, aws_mount
from lib.tap import case, check, check_equal, main
from lib.wait import BUSY_S, Stopwatch, wait_until

# The longest of its pauses, a probe, and what a busy machine takes.
RECOVERY_S = 2.0

OPENED = "the endpoint does not answer: asking it seldom"
CLOSED = "the endpoint answers again"
REFUSED = "(not asked again "


def _check_value_after(fault, times, at_least_s=0.0):
    """A reader gets the value although so many answers were that fault."""
    with aws_mount() as scene:
        scene.aws.fail("app", fault, times=times)
        with Stopwatch() as watch:
            check_equal(read(scene.path("password")), PASSWORD, fault)
        check(at_least_s <= watch.s < 20.0, fault, "took", watch.s)
        check_equal(scene.aws.calls("app"), times + 1, "AWS calls")
        check_equal(scene.mount.log_text().count("another attempt"), times,
                    "lines about retries")
        check(OPENED not in scene.mount.log_text(), "the breaker opened")


@case
def a_reader_gets_the_value_after_two_failures():
    for fault in ("500", "503 without a body", "cut"):
        _check_value_after(fault, 2)


@case
def a_reader_gets_the_value_after_throttling():
    _check_value_after("throttled", 2)


@case
def AWS_says_how_long_to_wait():
    _check_value_after("throttled for 1.5 s", 1, at_least_s=1.5)


@case
def a_wait_past_the_deadline_is_not_begun():
    with aws_mount("--timeout", "5s") as scene:
        scene.aws.fail("app", "throttled for 10 s")
        with Stopwatch() as watch:
            check_error(scene.path("password"), "EIO")
        check(watch.s < 4.5, "took", watch.s)
        check_equal(scene.aws.calls("app"), 1, "AWS calls")


@case
def a_failing_server_is_asked_three_times_for_a_reader():
    with aws_mount() as scene:
        scene.aws.fail("app", "500")
        for reader in range(1, 4):
            check_error(scene.path("password"), "EIO")
            check_equal(scene.aws.calls("app"), 3 * reader, "AWS calls")
        check(OPENED not in scene.mount.log_text(),
              "a server that answers opens no breaker")


@case
def keys_come_although_STS_could_not_reach_the_identity_provider():
    with aws_directory() as (directory, aws):
        aws.fail(ASSUME, "no identity provider", times=2)
        token = write_file(os.path.join(directory, "token", "token"), "token")
        with mounted_at(directory, "app",
                        env=aws.role_environment(token)) as mount:
            check_equal(read(mount.path("password")), PASSWORD)
            check_equal(aws.calls(ASSUME), 3, "STS calls")


def _is_refused(mount, path):
    """Reads, and tells whether the breaker ended it."""
    before = mount.log_text().count(REFUSED)
    check_error(path, "EIO")
    return mount.log_text().count(REFUSED) > before


def _check_recovery(scene):
    with Stopwatch() as watch:
        wait_for_content(scene.path("password"), PASSWORD)
    check(watch.s < RECOVERY_S + BUSY_S, "recovery took", watch.s)
    print(f"# recovered after {watch.s:.2f} s", flush=True)
    check_equal(scene.mount.log_text().count(OPENED), 1, "warnings")
    check_equal(scene.mount.log_text().count(CLOSED), 1, "all clear")


@case
def a_server_that_is_down_opens_the_breaker_and_is_found_again():
    with aws_mount() as scene:
        path = scene.path("password")
        scene.aws.refuse_connections()
        for _ in range(5):
            check_error(path, "EIO")
        check(OPENED in scene.mount.log_text(), "no warning")
        with Stopwatch() as watch:
            check_error(path, "EIO")
        check(watch.s < BUSY_S, "the sixth read took", watch.s)
        print(f"# the sixth read took {watch.s * 1000:.0f} ms", flush=True)
        wait_until(lambda: _is_refused(scene.mount, path), "refused at once")
        scene.aws.listen()
        _check_recovery(scene)


@case
def a_server_that_is_silent_opens_the_breaker_and_is_found_again():
    with aws_mount("--timeout", "1s") as scene:
        path = scene.path("password")
        scene.aws.fail("app", "silent")
        for _ in range(5):
            check_error(path, "EIO")
        check(OPENED in scene.mount.log_text(), "no warning")
        check_equal(scene.aws.calls("app"), 5, "AWS calls")
        wait_until(lambda: _is_refused(scene.mount, path), "refused at once")
        scene.aws.heal("app")
        _check_recovery(scene)


@case
def an_outage_is_no_storm_of_calls():
    with aws_mount() as scene:
        path = scene.path("password")
        scene.aws.present(*scene.aws.authority.issue(
            "other", "DNS:elsewhere.invalid"))
        with Stopwatch() as watch:
            # five that open the breaker, and three probes
            wait_until(lambda: check_error(path, "EIO") or
                       scene.aws.connections >= 8, "the third probe")
        check(watch.s >= 0.25 + 0.5 + 0.5, "three pauses took", watch.s)
        check_equal(scene.aws.connections, 8, "connections")
        check(scene.mount.log_text().count(REFUSED) > 0, "nothing refused")


main()
