# SPDX-License-Identifier: Apache-2.0
"""A secret that rotates while readers verify what they were promised.

Its keys "user" and "password" tell their version, so that a reader sees what
is older, mixed or torn: tests/rotation_reader.c.
"""

import contextlib
import json
import os
import re
import subprocess
import time

from lib.inotify import MOVED_TO, Watch
from lib.place import built, write_file
from lib.process import environment
from lib.wait import wait_until

KEYS = ("user", "password")

_NODES = re.compile(rb" nodes=(\d+)")

# What readers say of which the greatest counts, and not the sum.
_GREATEST = ("longest_us", "slowest_us")


def _sum(*parts):
    """FNV-1a."""
    total = 2166136261
    for byte in b"".join(parts):
        total = (total ^ byte) * 16777619 & 0xffffffff
    return total


def content(key, number):
    """What the file of the key holds in that version."""
    head, padding = b"%08d" % number, b"x" * (number * 7 % 61)
    return b"%s %08x %s" % (head, _sum(head, key.encode(), padding), padding)


def secret(number):
    return json.dumps({key: content(key, number).decode() for key in KEYS})


class FileSecret:
    """One that the file provider serves; each version replaces the file."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "app.json")
        self.put(0)

    def put(self, number):
        write_file(self.path, secret(number))


class AwsSecret:
    """One of the fake AWS; each version comes with a TTL that is over."""

    def __init__(self, aws, clock, ttl):
        self._aws, self._clock, self._ttl = aws, clock, ttl
        aws.put("app", secret(0))

    def put(self, number):
        self._aws.put("app", secret(number))
        self._clock.advance(self._ttl)


def _last_words(one, seconds):
    """Nothing of one that hangs, which is then left for the mount's end."""
    try:
        one.wait(seconds)
    except subprocess.TimeoutExpired:
        return ""
    with one.stdout:
        return one.stdout.read().decode()


@contextlib.contextmanager
def readers(count, point, *options, seconds=40):
    """Readers for the time of a with block; then their sums in the dict.

    When it ends, each has so long to finish the read that it is at.
    """
    found = {}
    started = [subprocess.Popen([built("tests/rotation_reader"), point,
                                 *options],
                                env=environment(), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
               for _ in range(count)]
    try:
        yield found
    finally:
        for one in started:
            one.stdin.close()
        for one in started:
            for line in _last_words(one, seconds).splitlines():
                name, value = line.split()
                fold = max if name in _GREATEST else int.__add__
                found[name] = fold(found.get(name, 0), int(value))
            found["failed"] = found.get("failed", 0) + (one.poll() != 0)


def node_count(mount):
    """What the worker said when a node went last."""
    length, size = 1 << 16, os.path.getsize(mount.log)
    with open(mount.log, "rb") as log:
        while True:
            log.seek(max(0, size - length))
            found = _NODES.findall(log.read(length))
            if found or length >= size:
                return int(found[-1]) if found else None
            length *= 4


def rotate(mount, one, count, seconds=30, first=1):
    """Each version as soon as watchers have heard of the last one; how long
    each took."""
    took = []
    with Watch(mount.point) as watch:
        for number in range(first, first + count):
            start = time.monotonic()
            one.put(number)
            missing = {(MOVED_TO, key) for key in KEYS}
            while missing:
                missing -= set(watch.read(100))
                watch.seen.clear()
                if time.monotonic() - start > seconds:
                    raise AssertionError(
                        f"version {number}: no event {sorted(missing)}")
            took.append(time.monotonic() - start)
    return took


def rotate_blindly(one, first, count):
    """Each version as soon as the last one is written."""
    for number in range(first, first + count):
        one.put(number)


def wait_for_version(mount, number, seconds=40):
    def seen():
        for key in KEYS:
            with open(mount.path(key), "rb") as file:
                if file.read() != content(key, number):
                    return False
        return True
    wait_until(seen, f"version {number} is shown", seconds)


def wait_for_nodes(mount, count, seconds=40):
    wait_until(lambda: node_count(mount) == count,
               f"{count} nodes are left", seconds)


def broken(found):
    """What readers were promised and did not get: names with counts."""
    return {name: found[name] for name in
            ("errors", "wrong", "mixed", "backwards", "failed")
            if found.get(name, 1)}
