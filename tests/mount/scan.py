# SPDX-License-Identifier: Apache-2.0
"""After many reads, rotations, errors and refreshes no memory of any process
but the pool has a value, a key or a token, nor eight bytes of one: whoever
mounts, and as whom."""

import contextlib
import os
import sys
import time

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import SECRET_KEY
from lib.identity import IDENTITIES
from lib.older_kernel import MEMFD_SECRET
from lib.place import SOURCE, built, work_directory, write_file
from lib.process import run_ok
from lib.status import status
from lib.swap import mappings
from lib.tap import Skip, case, check, check_equal, main
from lib.used import (need_wiping, processes_at_rest, scan, test_programs,
                      used_mount)
from lib.user import why_no_user
from lib.users_scene import users_scene

LOOK_S = 60
SMALL_POOL = 1 << 20
LARGE = tuple(f"large-{number:02d}" for number in range(24))
LENGTH = 60000
POOLS = ("memfd_secret", "mlock")
POOL_MIN = 512 << 10
POOL_MAX = 8 << 20

# What each way to be someone leaves where nothing is wiped, at least.
LEFT = {
    "role": {"value", "session", "whole identity"},
    "environment": {"whole key"},
    "container": {"container"},
    "instance": {"instance"},
    "sso": {"access"},
    "process": {"whole key", "whole session"},
}


@contextlib.contextmanager
def _used(pool, identity):
    # keeper, worker, notifier, and who runs commands: users may
    runs_commands = identity == "process" or os.geteuid() != 0
    with used_mount("--test-pool", pool, identity=identity) as (mount,
                                                                markers):
        yield {"pool": status(mount.point)["memory"]["kind"],
               "pids": processes_at_rest(mount, 3 + runs_commands),
               "worker": mount.worker_pid(), "markers": markers}


def _used_by_user(pool, identity):
    reason = why_no_user()
    if reason:
        raise Skip(reason)
    return users_scene(_used(pool, identity))


def _nothing_is_left(mounted, pool, identity):
    need_wiping()
    with mounted(pool, identity) as used:
        if used["pool"] != pool:
            raise Skip(f"no {pool} here")
        for pid in used["pids"]:
            found = scan(pid, used["markers"])
            check(found.searched > 1 << 19, pid, "has more than", found)
            check(not found.hits, f"process {pid} as {identity}:",
                  *found.hits[:20])
            # it is the worker's, and goes to nobody who is forked
            check(POOL_MIN < found.pool < POOL_MAX if pid == used["worker"]
                  else found.pool < POOL_MIN, pid, "has locked", found.pool)


def _add_case(who, mounted, pool, identity):
    def one():
        _nothing_is_left(mounted, pool, identity)
    one.__name__ = (f"nothing is left outside {pool} where {who} mounts as "
                    f"{identity}")
    case(one)


for _pool in POOLS:
    for _identity in IDENTITIES:
        _add_case("root", _used, _pool, _identity)
        _add_case("a user", _used_by_user, _pool, _identity)


@case
def nothing_is_left_where_most_values_are_sealed():
    with used_mount("--test-pool", f"memfd_secret:{SMALL_POOL}",
                    large=LARGE) as (mount, markers), \
            work_directory() as directory:
        memory = status(mount.point)["memory"]
        if not memory["outlivesWorker"]:
            raise Skip(f"no secret memory here: {memory}")
        check(memory["sealed"] > len(LARGE) // 4, memory)
        for pid in processes_at_rest(mount, 3):
            hits = scan(pid, markers).hits
            check(not hits, "process", pid, *hits[:20])
        # the annex was searched: names are in it, and what is sealed
        names = write_file(os.path.join(directory, "names"), "".join(
            f"name {name}\n" for name in LARGE))
        found = scan(mount.worker_pid(), names)
        check(found.files > memory["sealed"] * LENGTH, found.files, memory)
        kept = [hit for hit in found.hits if "/memfd:annex" in hit]
        check(len(kept) >= len(LARGE), *found.hits[:20])


def _is_locked(pid, address):
    return any(start <= address < end and {"lo", "dd"} <= flags
               for start, end, _, flags in mappings(pid))


@case
def where_the_kernel_has_no_secret_memory_only_the_keeper_has_keys():
    # they were in the environment when the worker made who runs commands
    older = os.path.join(SOURCE, "tests", "lib", "older_kernel.py")
    with used_mount("--allow-credential-process", identity="environment",
                    under=(sys.executable, older, str(MEMFD_SECRET))) as (
                        mount, markers):
        check_equal(status(mount.point)["memory"]["kind"], "mlock")
        keeper, *others = processes_at_rest(mount, 4)
        for pid in others:
            hits = scan(pid, markers).hits
            check(not hits, "process", pid, *hits[:20])
        hits = [hit.split() for hit in scan(keeper, markers).hits]
        # for the next worker
        check_equal([hit[:3] for hit in hits],
                    [["complete", "key", str(len(SECRET_KEY))]], "its hits")
        check(_is_locked(keeper, int(hits[0][4], 16)), *hits)


def _look(pids, markers):
    hits = [hit.split() for pid in pids for hit in scan(pid, markers).hits]
    return ({kind for _, kind, *_ in hits} |
            {f"whole {kind}" for whole, kind, *_ in hits
             if whole == "complete"})


@case
def of_each_kind_something_is_left_where_nothing_is_wiped():
    for identity, kinds in LEFT.items():
        with test_programs(worker="unwiped_worker"), \
                used_mount(identity=identity) as (mount, markers):
            _, *pids = processes_at_rest(mount, 3 + (identity == "process"))
            found = set()
            # what is freed is soon something else: so more than one look
            end = time.monotonic() + LOOK_S
            while not kinds <= found and time.monotonic() < end:
                run_ok(built("secretsfs"), "refresh", mount.point)
                found |= _look(pids, markers)
            check(kinds <= found, f"as {identity} only {found} is left")


main()
