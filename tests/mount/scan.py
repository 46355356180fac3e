# SPDX-License-Identifier: Apache-2.0
"""After many reads, rotations, errors and refreshes no memory of any process
but the pool has a value, a key or a token, nor eight bytes of one."""

import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.place import built
from lib.process import run_ok
from lib.status import status
from lib.tap import Skip, case, check, main
from lib.used import processes, scan, test_programs, used_mount

LOOKS = 20
IDENTITIES = ("role", "environment", "profile", "container")


def _nothing_is_left(kind, identity):
    with used_mount("--test-pool", kind, identity=identity) as (mount,
                                                                markers):
        if status(mount.point)["memory"]["kind"] != kind:
            raise Skip(f"no {kind} here")
        for pid in processes(mount):
            hits, searched, _ = scan(pid, markers)
            check(searched > 1 << 19, pid, "has more than", searched)
            check(not hits, f"process {pid} as {identity}:", *hits[:20])
        _, _, pool = scan(mount.worker_pid(), markers)
        check(0 < pool < 8 << 20, "the pool has", pool)


@case
def nothing_is_left_outside_secret_memory():
    for identity in IDENTITIES:
        _nothing_is_left("memfd_secret", identity)


@case
def nothing_is_left_outside_locked_memory():
    for identity in IDENTITIES:
        _nothing_is_left("mlock", identity)


@case
def of_each_kind_something_is_left_where_nothing_is_wiped():
    found = set()
    for identity in ("role", "environment"):
        with test_programs(worker="unwiped_worker"), \
                used_mount(identity=identity) as (mount, markers):
            # what is freed is soon something else: so more than one look
            for _ in range(LOOKS):
                run_ok(built("secretsfs"), "refresh", mount.point)
                hits, _, _ = scan(mount.worker_pid(), markers)
                found |= {tuple(hit.split()[:2]) for hit in hits}
    for kind in ("value", "key"):
        check(("complete", kind) in found, "no whole", kind, "in", found)
    for kind in ("session", "identity"):
        check({("complete", kind), ("piece", kind)} & found,
              "nothing of", kind, "in", found)


main()
