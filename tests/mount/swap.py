# SPDX-License-Identifier: Apache-2.0
"""Nothing secret is ever in swap, however much the kernel wants the memory."""

import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.memory import keeps_freed_memory
from lib.place import work_directory
from lib.reading import read
from lib.scene import PASSWORD, aws_mount
from lib.status import status
from lib.swap import mappings, page_out, swap_file
from lib.tap import Skip, case, check, check_equal, main
from lib.used import processes, scan, test_programs, used_mount

BOUNCE = 160 << 10


@case
def what_holds_secrets_is_locked_and_in_no_core():
    for kind in ("memfd_secret", "mlock"):
        with aws_mount("--test-pool", kind) as scene:
            check_equal(read(scene.path("password")), PASSWORD)
            memory = status(scene.mount.point)["memory"]
            if memory["kind"] != kind:
                raise Skip(f"no {kind} here")
            # AddressSanitizer makes mlock(2) do nothing
            if keeps_freed_memory():
                raise Skip("a sanitizer locks nothing")
            locked = [end - start for start, end, _, flags
                      in mappings(scene.mount.worker_pid())
                      if {"lo", "dd"} <= flags]
            check(sum(locked) >= memory["mappedBytes"] + BOUNCE, kind, locked)


def _swap_out(mount, markers, path):
    """What of the markers is in swap."""
    total = sum(page_out(pid) for pid in processes(mount))
    check(total > 100, "only", total, "KiB were swapped")
    found = scan(path, markers)
    check(found.searched > total << 10, found.searched, "searched of", total)
    return found.hits


@case
def no_marker_is_in_swap_of_either_kind_of_pool():
    for kind in ("memfd_secret", "mlock"):
        with work_directory() as directory, swap_file(directory) as path, \
                used_mount("--test-pool", kind) as (mount, markers):
            hits = _swap_out(mount, markers, path)
            check(not hits, kind, *hits[:20])


@case
def where_nothing_is_wiped_there_are_some():
    with work_directory() as directory, swap_file(directory) as path, \
            test_programs(worker="unwiped_worker"), used_mount() as (mount, markers):
        check(_swap_out(mount, markers, path), "none was found")


main()
