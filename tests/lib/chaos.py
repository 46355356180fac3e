# SPDX-License-Identifier: Apache-2.0
"""Workers that are killed, again and again, while readers verify.

Eight readers: of a secret that rotates, half of them with its pages dropped;
and of secrets that each worker fetches anew, from an AWS that takes its time.
So there is nearly always a request that a worker has read and not answered
when it dies; each worker says how many its predecessor left.
"""

import contextlib
import os
import random
import re
import signal
import threading
import time

from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import write_file
from lib.rotating import broken, readers, secret, wait_for_version
from lib.scene import aws_directory
from lib.status import status
from lib.tap import check, check_equal
from lib.verifying import verified
from lib.wait import wait_until

LATENCY_S = 0.1
PAUSE_S = 0.12

# Each so many workers one lives longer, so that every read comes to its end:
# where each dies sooner than an answer takes, nobody can be served.
BREATH_EVERY = 16
BREATH_S = 0.4

ROTATION_S = 0.25
TTL = "1s"

# Longer than any read may take; who is not done by then hangs.
HANG_S = 30

COLD = [f"cold{number}" for number in range(20)]

_UNANSWERED = re.compile(r"requests of another worker unanswered=(\d+)")
_SERVING = re.compile(r"serving again worker_pid=(\d+)")

_CLASS = """apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: chaos
spec:
  provider: aws
  parameters:
    objects: |
      - objectName: app
        objectType: secretsmanager
""" + "".join(f"""      - objectName: {name}
        objectType: secretsmanager
        jmesPath: []
""" for name in COLD)

# The root, the keys of the one that rotates, and the others.
NODES = 1 + 2 + len(COLD)


class _Log:
    """What has come to a log since it was looked at last."""

    def __init__(self, path):
        self._file = open(path, encoding="utf-8", errors="replace")
        self._rest = ""
        self.unanswered = []
        self.worker = None

    def look(self):
        self._rest += self._file.read()
        lines, _, self._rest = self._rest.rpartition("\n")
        self.unanswered += map(int, _UNANSWERED.findall(lines))
        for pid in _SERVING.findall(lines):
            self.worker = int(pid)

    def close(self):
        self._file.close()


class _Rotator(threading.Thread):
    """A new version now and then."""

    def __init__(self, aws):
        super().__init__(daemon=True)
        self._aws = aws
        self._over = threading.Event()
        self.count = 0

    def run(self):
        while not self._over.wait(ROTATION_S):
            self.count += 1
            self._aws.put("app", secret(self.count))

    def stop(self):
        self._over.set()
        self.join()


@contextlib.contextmanager
def _rotating(aws):
    rotator = _Rotator(aws)
    rotator.start()
    try:
        yield rotator
    finally:
        rotator.stop()


def _kill(mount, count, seed):
    """What each worker found of its predecessor's."""
    rng = random.Random(seed)
    log = _Log(mount.log)
    worker = mount.worker_pid()
    try:
        for number in range(count):
            # no condition: any moment is the right one
            time.sleep(rng.uniform(0, PAUSE_S) +
                       (BREATH_S if number % BREATH_EVERY == 0 else 0))
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda: log.look() or log.worker not in (None, worker),
                       "another worker serves", HANG_S)
            worker = log.worker
    finally:
        log.close()
    return log.unanswered


def _wait_for_nodes(mount):
    """Until none is kept that the kernel has forgotten."""
    def count():
        return status(mount.point)["mount"]["nodes"]
    with contextlib.suppress(AssertionError):
        wait_until(lambda: count() <= NODES, "few nodes")
    check(count() <= NODES, "nodes", count(), "of", NODES)


def chaos(count, *options, seed=1):
    """Kills so many workers; the figures, all promises being kept."""
    with aws_directory() as (directory, aws):
        # not moved, or answers would take too long; so each open asks
        clock = Clock(directory)
        aws.put("app", secret(0))
        for name in COLD:
            aws.put(name, name * 50)
        path = write_file(os.path.join(directory, "class.yaml"), _CLASS)
        with mounted_at(directory, path, "--ttl", TTL,
                        "--log-level", "info", "--test-restarts", "0",
                        *clock.options, *options, env=aws.environment(),
                        expect_death=True) as mount:
            aws.latency_s = LATENCY_S
            wanted = {mount.path(name): (name * 50).encode() for name in COLD}
            start = time.monotonic()
            with _rotating(aws) as rotator, \
                    verified("COLD", "COLD", wanted=wanted) as told, \
                    readers(3, mount.point, seconds=HANG_S) as warm, \
                    readers(3, mount.point, "cold", seconds=HANG_S) as cold:
                unanswered = _kill(mount, count, seed)
                took_s = time.monotonic() - start
            aws.latency_s = 0.0
            for what, found in (("warm", warm), ("cold", cold)):
                check_equal(broken(found), {}, f"{what} readers: {found}")
            wait_for_version(mount, rotator.count)
            _wait_for_nodes(mount)
    return {
        "kills": count,
        "with a request unanswered": sum(map(bool, unanswered)),
        "seconds": round(took_s, 1),
        "rotations": rotator.count,
        "reads": 2 * (warm["pairs"] + cold["pairs"]) +
        sum(its["reads"] for its in told),
        "slowest ms": max(warm["slowest_us"] // 1000,
                          cold["slowest_us"] // 1000,
                          *(its["slowest_ms"] for its in told)),
    }


def check_chaos(found):
    check(found["with a request unanswered"] >= found["kills"] / 2,
          "too few kills met a request:", found)
