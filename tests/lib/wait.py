# SPDX-License-Identifier: Apache-2.0
"""Waiting for something to become true, with a limit, and never just so."""

import time

INTERVAL = 0.005
PATIENCE_S = 30.0
# What a busy machine may take on top of what is promised, where breaking the
# promise would take longer still.
BUSY_S = 8.0


def wait_until(condition, what, seconds=PATIENCE_S):
    """Polls until condition() is true and returns what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(INTERVAL)


class Stopwatch:
    """How long something takes: with Stopwatch() as watch: ...; watch.s"""

    def __enter__(self):
        self.start = time.monotonic()
        return self

    def __exit__(self, *_):
        self.s = time.monotonic() - self.start
