# SPDX-License-Identifier: Apache-2.0
"""Where nothing happens, nobody works: a hundred files in use and no wake-up."""

import os
import sys
import time

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import mounted_at
from lib.place import work_directory, write_file
from lib.process import status_field
from lib.reading import read, wait_for_content
from lib.tap import case, check, main

SECRETS = 100
QUIET = 3

# The keeper asks every 3.3 seconds whether the worker still turns its loop.
WAKE_UPS_MAX = 5


def _wake_ups(pid):
    return int(status_field(pid, "voluntary_ctxt_switches"))


@case
def a_hundred_files_in_use_do_not_wake_the_worker():
    with work_directory() as directory:
        top = os.path.join(directory, "secrets.d")
        names = [f"secret{number:03}" for number in range(SECRETS)]
        for name in names:
            write_file(os.path.join(top, name), name)
        with mounted_at(directory, f"file:{top}") as mount:
            held = []
            try:
                for name in names:
                    held.append(os.open(mount.path(name), os.O_RDONLY))
                # what is looked at for a second after the last request
                time.sleep(2)
                before = _wake_ups(mount.worker_pid())
                time.sleep(QUIET)
                count = _wake_ups(mount.worker_pid()) - before
                print(f"# {count} wake-ups in {QUIET} s", flush=True)
                check(count <= WAKE_UPS_MAX, "wake-ups", count)
                # and yet it is not asleep
                write_file(os.path.join(top, names[7]), "new")
                wait_for_content(mount.path(names[7]), b"new")
                check(read(mount.path(names[8])) == names[8].encode(),
                      "another file changed")
            finally:
                for fd in held:
                    os.close(fd)


main()
