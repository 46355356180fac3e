# SPDX-License-Identifier: Apache-2.0
"""What containers see of a mount of their host: what is promised of each kind,
and what one finds."""

import contextlib
import errno
import os

from lib.scene import PASSWORD
from lib.tap import check_equal
from lib.wait import wait_until

NOTHING, CLOSED, DEAD, WORKS = (
    "an empty directory", "NOT-MOUNTED", "ENOTCONN", "the secret")

# What a container has: the directory above the mount point, or that itself;
# with mounts that follow those of the host, as Kubernetes' HostToContainer, or
# not, as its default None; started before there was a mount, or after.
PARENT, ITSELF = "parent", "mount point"
FOLLOWS, STAYS = "rslave", "rprivate"
EARLY, LATE = "before", "after"
CONTAINERS = [(what, how, when) for what in (PARENT, ITSELF)
              for how in (FOLLOWS, STAYS) for when in (EARLY, LATE)]

# In the order of CONTAINERS: parent/rslave, parent/rprivate, then likewise the
# mount point; of each first the one that started before.
BEFORE = (NOTHING, None, NOTHING, None, NOTHING, None, NOTHING, None)
MOUNTED = (WORKS, WORKS, CLOSED, WORKS, WORKS, WORKS, CLOSED, WORKS)
KILLED = (DEAD, DEAD, CLOSED, DEAD, DEAD, DEAD, CLOSED, DEAD)
STACKED = (WORKS, WORKS, CLOSED, DEAD, WORKS, WORKS, CLOSED, DEAD)
# Why nothing is unmounted first: the sixth is dead for ever.
REMOUNTED = (WORKS, WORKS, CLOSED, DEAD, WORKS, DEAD, CLOSED, DEAD)
ENDED = (NOTHING, NOTHING, NOTHING, DEAD, NOTHING, DEAD, NOTHING, DEAD)


def seen(path, password=PASSWORD):
    """Which of these a directory is."""
    try:
        found = os.listdir(path)
    except OSError as error:
        return DEAD if error.errno == errno.ENOTCONN else str(error)
    if found == ["NOT-MOUNTED"]:
        return CLOSED
    if not found:
        return NOTHING
    with open(os.path.join(path, "password"), "rb") as file:
        return WORKS if file.read() == password else "something else"


def check_row(step, row, sees, started, name="app"):
    """Each of CONTAINERS that has started, against a row of the tables;
    sees(container, *names) says what it finds in its volume."""
    for container, outcome in zip(CONTAINERS, row):
        if container not in started:
            continue
        names = (name,) if container[0] == PARENT else ()
        with contextlib.suppress(AssertionError):
            wait_until(lambda: sees(container, *names) == outcome, "")
        check_equal(sees(container, *names), outcome,
                    f"{step}: container with {container}")
