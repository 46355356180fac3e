# SPDX-License-Identifier: Apache-2.0
"""What `secretsfs status --json` says."""

import json
import os
import signal

from lib.place import built
from lib.process import run_ok
from lib.tap import check, check_equal
from lib.wait import wait_until


def status(point):
    """The whole document."""
    result = run_ok(built("secretsfs"), "status", "--json", point)
    check_equal(result.err, "")
    return json.loads(result.out)


def status_object(point, name="app"):
    """What it says of one secret."""
    found = [one for one in status(point)["objects"] if one["name"] == name]
    check_equal(len(found), 1, f"objects named {name}")
    return found[0]


def attempts(point):
    """How many HTTP requests the worker has begun, also those that found
    nobody."""
    return sum(one["requests"] for one in status(point)["endpoints"])


def wait_for_answers(point):
    """Until nothing is being asked: time that is moved meanwhile would be
    taken for AWS's own."""
    wait_until(lambda: not any(one["inFlight"]
                               for one in status(point)["objects"]),
               "nothing is in flight")


def check_adopted(point):
    """The worker has what the one before had, where its pool can outlive it."""
    memory = status(point)["memory"]
    check(memory["adopted"] > 0 or not memory["outlivesWorker"], memory)


def kill_notifiers(point):
    """Until the keeper starts none any more."""
    def pid():
        return status(point)["pids"]["notifier"]
    for _ in range(5):
        last = wait_until(pid, "the next notifier")
        os.kill(last, signal.SIGKILL)
        wait_until(lambda: pid() != last, "it is reaped")
    wait_until(lambda: status(point)["mount"]["notifies"] != "notifier",
               "the worker knows that there is none")
