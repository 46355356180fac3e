# SPDX-License-Identifier: Apache-2.0
"""What an hour of constant reading costs at AWS."""

import contextlib
import json
import mmap
import os
import struct
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import ASSUME, BATCH, DESCRIBE, GET, FakeAws
from lib.class_text import class_text, object_text
from lib.clock import Clock
from lib.mounting import mounted_at
from lib.place import work_directory, write_file
from lib.process import running
from lib.reading import read
from lib.status import status, wait_for_answers
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

SECRETS = 10
PROCESSES = 100
HOUR_S = 3600
STEP_MAX_S = 30
TTL = "5m"

# A secret is confirmed after 270 s in the mean, which is 133 times an hour
# for ten; what is older than --verify-access is fetched instead.
CALLS_MAX = 140
GETS_MAX = 45

# Arguments: the file of the counts, how many processes, the files to read.
# Each process reads one file after the other and counts in the two numbers
# that are its own: reads, and those that went wrong.
_READERS = """
import mmap, os, struct, sys, time

count, paths = int(sys.argv[2]), sys.argv[3:]
with open(sys.argv[1], "r+b") as file:
    counts = mmap.mmap(file.fileno(), 0)

def is_right(path):
    try:
        with open(path, "rb") as file:
            return file.read() == os.path.basename(path).encode()
    except OSError:
        return False

def read_on(process):
    reads = wrong = 0
    while os.getppid() == parent:
        wrong += not is_right(paths[(process + reads) % len(paths)])
        reads += 1
        struct.pack_into("=QQ", counts, 16 * process, reads, wrong)
        time.sleep(0.02)

parent = os.getpid()
for process in range(count):
    if os.fork() == 0:
        read_on(process)
        os._exit(0)
for _ in range(count):
    os.wait()
"""


class _Readers:
    """The processes, as their counts tell of them."""

    def __init__(self, counts):
        self._counts = counts

    def _numbers(self):
        return list(struct.iter_unpack("=QQ", self._counts[:]))

    def reads(self):
        return sum(reads for reads, _ in self._numbers())

    def wrong(self):
        return sum(wrong for _, wrong in self._numbers())

    def wait_for_a_read_of_each(self):
        """That was begun after the call."""
        before = self._numbers()

        def done():
            return all(now[0] >= then[0] + 2
                       for now, then in zip(self._numbers(), before))
        wait_until(done, "each process reads", 30)


@contextlib.contextmanager
def _reading(directory, mount):
    counts_path = write_file(os.path.join(directory, "counts"),
                             bytes(16 * PROCESSES))
    paths = [mount.path(f"key{number}") for number in range(SECRETS)]
    with open(counts_path, "rb") as file, \
            mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as counts, \
            running(sys.executable, "-c", _READERS, counts_path,
                    str(PROCESSES), *paths):
        yield _Readers(counts)


@contextlib.contextmanager
def _mounted():
    """A class of secrets, each of one key whose value is its name."""
    with work_directory() as directory, FakeAws(directory) as aws:
        names = [f"team/app{number}" for number in range(SECRETS)]
        for number, name in enumerate(names):
            aws.put(name, json.dumps({f"key{number}": f"key{number}"}))
        source = write_file(os.path.join(directory, "ten.yaml"),
                            class_text(*map(object_text, names)))
        clock = Clock(directory)
        with mounted_at(directory, source, "--ttl", TTL, *clock.options,
                        env=aws.environment()) as mount:
            for number in range(SECRETS):
                check_equal(read(mount.path(f"key{number}")),
                            f"key{number}".encode())
            yield directory, aws, clock, mount


def _calls(aws):
    check_equal(aws.calls(ASSUME), 0, "STS calls")
    return {one: aws.calls(one) for one in (GET, BATCH, DESCRIBE)}


def _next_s(mount):
    """Until the first of the planned confirmations, and no time at all if
    that is due."""
    return 0.001 + min(one["nextMs"] or 0
                       for one in status(mount.point)["objects"]) / 1000


@case
def an_hour_of_a_hundred_readers_of_ten_secrets():
    with _mounted() as (directory, aws, clock, mount):
        first = _calls(aws)
        with _reading(directory, mount) as readers:
            readers.wait_for_a_read_of_each()
            left_s = HOUR_S
            while left_s > 0:
                step_s = min(_next_s(mount), STEP_MAX_S, left_s)
                clock.advance(step_s)
                left_s -= step_s
                readers.wait_for_a_read_of_each()
                wait_for_answers(mount.point)
            check_equal(readers.wrong(), 0, "reads that went wrong")
            reads = readers.reads()
        asked = {one: count - first[one]
                 for one, count in _calls(aws).items()}
        total = sum(asked.values())
        check_equal(status(mount.point)["cache"]["failures"], 0, "failures")
        print(f"# first: {first}; in an hour of {reads} reads by "
              f"{PROCESSES} processes: {total} calls, {asked}", flush=True)
        check(total <= CALLS_MAX, total, "calls")
        check(asked[GET] + asked[BATCH] <= GETS_MAX, asked)
        # fewer would mean that something is not confirmed in its TTL
        check(total >= HOUR_S // 310 * SECRETS, total, "calls")


main()
